use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use dayfly_client::{Proxy, Socks5};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A SOCKS5 proxy that knows one server, whatever it is asked for, and remembers what that was.
pub(crate) struct Socks5Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What `me` and `pw` are told.
const LOGIN: &[u8] = b"\x01\x02me\x02pw";
const GIVEN: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const REFUSED: [u8; 10] = [5, 5, 0, 1, 0, 0, 0, 0, 0, 0];

impl Socks5Proxy {
    /// Leads to `server`, or refuses each request where there is none; `login`: only `me` with `pw` may ask.
    pub(crate) async fn start(server: Option<SocketAddr>, login: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::default());
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(lead(client, server, login, Arc::clone(&heard)));
            }
        });
        Self { address, asked }
    }

    /// The proxy as a client without a log-in is told of it.
    pub(crate) fn open(&self) -> Proxy {
        Proxy::Socks5(self.socks5())
    }

    /// The same with a log-in as `me`.
    pub(crate) fn with_password(&self, password: &str) -> Proxy {
        Proxy::Socks5(self.socks5().with_login(b"me", password.as_bytes()).unwrap())
    }

    /// What it was asked to connect to, so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn socks5(&self) -> Socks5 {
        Socks5::new(&self.address.ip().to_string(), self.address.port()).unwrap()
    }
}

/// One connection. Whatever fails ends it: the client's side is what is tested.
async fn lead(
    mut client: TcpStream,
    server: Option<SocketAddr>,
    login: bool,
    asked: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let ways = read_counted(&mut client, 1).await?;
    let way = if login { 2 } else { 0 };
    if !ways.contains(&way) {
        return client.write_all(&[5, 0xff]).await.ok();
    }
    client.write_all(&[5, way]).await.ok()?;
    if login {
        let mut words = vec![0; LOGIN.len()];
        client.read_exact(&mut words).await.ok()?;
        let right = words == LOGIN;
        client.write_all(&[1, u8::from(!right)]).await.ok()?;
    }
    let target = read_target(&mut client).await?;
    asked.lock().unwrap().push(target);
    let Some(server) = server else { return client.write_all(&REFUSED).await.ok() };
    client.write_all(&GIVEN).await.ok()?;
    let mut server = TcpStream::connect(server).await.ok()?;
    copy_bidirectional(&mut client, &mut server).await.ok().map(drop)
}

/// So many bytes, one with a count, and as many as that says; gives the last.
async fn read_counted(client: &mut TcpStream, before: usize) -> Option<Vec<u8>> {
    client.read_exact(&mut vec![0; before]).await.ok()?;
    let mut bytes = vec![0; usize::from(client.read_u8().await.ok()?)];
    client.read_exact(&mut bytes).await.ok()?;
    Some(bytes)
}

async fn read_target(client: &mut TcpStream) -> Option<String> {
    let mut head = [0; 3];
    client.read_exact(&mut head).await.ok()?;
    assert_eq!(head, [5, 1, 0], "asks for a connection");
    let host = match client.read_u8().await.ok()? {
        1 => std::net::Ipv4Addr::from_bits(client.read_u32().await.ok()?).to_string(),
        4 => format!("[{}]", std::net::Ipv6Addr::from_bits(client.read_u128().await.ok()?)),
        _ => String::from_utf8(read_counted(client, 0).await?).unwrap(),
    };
    Some(format!("{host}:{}", client.read_u16().await.ok()?))
}
