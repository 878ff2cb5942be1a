//! Listeners and readers, a thread each; all that comes goes into one channel, in the order in which it came.

use std::error::Error;
use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::{fs, thread};

use crate::http;

/// What came on which connection.
pub(crate) struct News {
    pub(crate) on: u64,
    pub(crate) came: Came,
}

/// What came.
pub(crate) enum Came {
    Connected(TcpStream),
    Bytes(Vec<u8>),
    /// The body of a request.
    Request(Vec<u8>),
    Closed,
}

/// Listens on all of these, and gives the first address as it is known to the system.
pub(crate) fn listen(addresses: &[SocketAddr], tell: &Sender<News>) -> Result<SocketAddr, Box<dyn Error>> {
    let numbers = Arc::new(AtomicU64::new(1));
    let mut first = None;
    for address in addresses {
        if !address.ip().is_loopback() && !only_loopback()? {
            return Err(format!("{address} is not on the loopback interface, and there are others").into());
        }
        let listener = TcpListener::bind(address)?;
        first.get_or_insert(listener.local_addr()?);
        let (tell, numbers) = (tell.clone(), Arc::clone(&numbers));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let on = numbers.fetch_add(1, Ordering::Relaxed);
                let tell = tell.clone();
                thread::spawn(move || read(stream, on, &tell));
            }
        });
    }
    first.ok_or_else(|| "no address to listen on".into())
}

/// Whether this process sees no interface but `lo`: the first two lines of the table are headings.
fn only_loopback() -> io::Result<bool> {
    let table = fs::read_to_string("/proc/net/dev")?;
    Ok(table.lines().skip(2).all(|line| line.trim_start().starts_with("lo:")))
}

/// Ends when the connection does, or when nobody listens any more.
fn read(stream: TcpStream, on: u64, tell: &Sender<News>) {
    let say = |came| tell.send(News { on, came }).is_ok();
    let Ok(writer) = stream.try_clone() else { return };
    if say(Came::Connected(writer)) {
        let _ = read_until_end(stream, &say);
        say(Came::Closed);
    }
}

fn read_until_end(mut stream: TcpStream, say: &impl Fn(Came) -> bool) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    let first = stream.read(&mut buffer)?;
    if http::is_request(&buffer[..first]) {
        return http::read(stream, buffer[..first].to_vec(), |body| say(Came::Request(body)));
    }
    let mut count = first;
    while count > 0 && say(Came::Bytes(buffer[..count].to_vec())) {
        count = stream.read(&mut buffer)?;
    }
    Ok(())
}
