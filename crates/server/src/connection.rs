//! One TCP connection: whose it is, what it speaks, then bytes from the socket to the engine and back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dayfly_core::server::ConnectionId;
use dayfly_core::transport::{Beginning, beginning};
use dayfly_crypto::holds;
use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time;
use tokio_rustls::TlsAcceptor;

use crate::engine::Command;
use crate::http::{self, Desk};
use crate::places::Place;
use crate::proxy::{self, Network};
use crate::tls;
use crate::websocket;

/// What waits to be written for one peer, in bytes; a peer that does not read is cut off there.
const MOST_QUEUED: usize = 8 << 20;
/// How long a write may stand still.
pub(crate) const WRITE_STALLS: Duration = Duration::from_secs(60);
/// How long a balancer may take to say whose connection it passes on.
const HEADER_WAITS: Duration = Duration::from_secs(10);
const READ_AT_ONCE: usize = 16 * 1024;

/// What the engine tells a connection.
pub(crate) enum ToConnection {
    Write(Vec<u8>),
    /// The response to the request that waits.
    Respond {
        status: u16,
        body: Vec<u8>,
    },
    Close,
}

/// The engine's end of a connection.
pub(crate) struct Outgoing {
    sender: mpsc::UnboundedSender<ToConnection>,
    queued: Arc<AtomicUsize>,
}

/// The peer does not read what it asked for.
#[derive(Debug)]
pub(crate) struct Stalled;

impl Outgoing {
    pub(crate) fn write(&self, bytes: Vec<u8>) -> Result<(), Stalled> {
        let queued = self.queued.fetch_add(bytes.len(), Ordering::Relaxed).saturating_add(bytes.len());
        if queued > MOST_QUEUED {
            return Err(Stalled);
        }
        // A connection that has ended says so by `Command::Closed`; what was for it is dropped with it.
        let _ = self.sender.send(ToConnection::Write(bytes));
        Ok(())
    }

    /// There is one at a time, so it is not counted.
    pub(crate) fn respond(&self, status: u16, body: Vec<u8>) {
        let _ = self.sender.send(ToConnection::Respond { status, body });
    }

    pub(crate) fn close(&self) {
        let _ = self.sender.send(ToConnection::Close);
    }
}

/// The two ends of a connection's queue.
pub(crate) fn outgoing() -> (Outgoing, Incoming) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    (Outgoing { sender, queued: Arc::clone(&queued) }, Incoming { receiver, queued })
}

/// The connection's end of its queue.
pub(crate) struct Incoming {
    pub(crate) receiver: mpsc::UnboundedReceiver<ToConnection>,
    queued: Arc<AtomicUsize>,
}

impl Incoming {
    /// Waits until the engine closes the connection, which has nothing to say before it was told anything.
    async fn closed(&mut self) {
        while !matches!(self.receiver.recv().await, Some(ToConnection::Close) | None) {}
    }

    /// So many bytes of what waited are written.
    pub(crate) fn written(&self, bytes: usize) {
        self.queued.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A connection that was accepted.
pub(crate) struct Arrival {
    pub(crate) id: ConnectionId,
    pub(crate) peer: SocketAddr,
    /// Set where a balancer of one of these networks must say whose connection it is (rule TR-08).
    pub(crate) balancers: Option<Arc<[Network]>>,
    pub(crate) frame_bytes: usize,
    /// Set where TLS is served.
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) engine: mpsc::Sender<Command>,
    pub(crate) place: Place,
}

/// Serves one connection until either end is done with it; then tells the engine.
pub(crate) async fn serve(mut socket: TcpStream, arrival: Arrival) {
    let (peer, begun) = match identify(&mut socket, &arrival).await {
        Ok(identified) => identified,
        Err(error) => return tracing::debug!(peer = %arrival.peer, %error, "connection refused"),
    };
    let Arrival { id, frame_bytes, tls, engine, place, .. } = arrival;
    let (outgoing, incoming) = outgoing();
    if engine.send(Command::Connected(id, peer, outgoing)).await.is_err() {
        return;
    }
    let conversation = Conversation { id, engine, incoming, frame_bytes, tls };
    let engine = conversation.engine.clone();
    if let Err(error) = conversation.run(socket, begun).await {
        tracing::debug!(connection = id.0, %error, "connection ended");
    }
    // Fails only when the engine is gone, and then nobody needs to know.
    let _ = engine.send(Command::Closed(id)).await;
    drop(place);
}

/// Whose connection it is, and what was read of it beyond the header that says so.
async fn identify(socket: &mut TcpStream, arrival: &Arrival) -> io::Result<(SocketAddr, Vec<u8>)> {
    socket.set_nodelay(true)?;
    notice_dead_peers(socket)?;
    let Some(balancers) = &arrival.balancers else { return Ok((arrival.peer, Vec::new())) };
    let from_balancer = balancers.iter().any(|network| network.contains(arrival.peer.ip()));
    if !holds!("TR-08.network", from_balancer) {
        return Err(io::Error::other("it comes from no balancer's network"));
    }
    tokio::select! {
        () = arrival.engine.closed() => Err(io::Error::other("the server stops")),
        header = time::timeout(HEADER_WAITS, read_header(socket)) => {
            let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no whole PROXY header in time");
            let (client, begun) = header.map_err(late)??;
            Ok((client.unwrap_or(arrival.peer), begun))
        }
    }
}

async fn read_header(socket: &mut TcpStream) -> io::Result<(Option<SocketAddr>, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(header) = proxy::header(&bytes).map_err(io::Error::other)? {
            let begun = bytes.split_off(header.len);
            return Ok((header.client, begun));
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// What the first bytes of a connection open.
enum Opens {
    Http,
    Tls(TlsAcceptor),
    /// Anything else, right or wrong: the engine tells.
    Stream,
}

/// A connection that the engine knows of.
struct Conversation {
    id: ConnectionId,
    engine: mpsc::Sender<Command>,
    incoming: Incoming,
    frame_bytes: usize,
    tls: Option<TlsAcceptor>,
}

impl Conversation {
    /// Tells HTTP and TLS from everything else by the first bytes (rule TR-02), of which `begun` are there already.
    async fn run(mut self, mut socket: TcpStream, mut begun: Vec<u8>) -> io::Result<()> {
        loop {
            match self.opens(&begun) {
                Some(Opens::Http) => return self.http(socket, begun).await,
                Some(Opens::Tls(tls)) => return self.tls(socket, begun, &tls).await,
                Some(Opens::Stream) => break,
                None => {}
            }
            tokio::select! {
                biased;
                told = self.incoming.receiver.recv() => match told {
                    // Nothing is said to who did not say anything, but that it is over.
                    Some(ToConnection::Close) | None => return socket.shutdown().await,
                    Some(_) => {}
                },
                read = socket.read_buf(&mut begun) => if read? == 0 { return Ok(()) },
            }
        }
        if self.engine.send(Command::Bytes(self.id, begun)).await.is_err() {
            return Ok(());
        }
        shuttle(socket, self.id, &self.engine, self.incoming).await
    }

    /// `None` while more bytes are needed.
    fn opens(&self, begun: &[u8]) -> Option<Opens> {
        if let Some(tls) = &self.tls
            && tls::is_client_hello(begun)?
        {
            return Some(Opens::Tls(tls.clone()));
        }
        Some(match beginning(begun)? {
            Beginning::Http(_) => Opens::Http,
            _ => Opens::Stream,
        })
    }

    /// Only HTTP is served inside, and with it WebSocket.
    async fn tls(mut self, socket: TcpStream, begun: Vec<u8>, tls: &TlsAcceptor) -> io::Result<()> {
        let opening = async {
            let mut stream = tls.accept(http::with_begun(socket, begun)).await?;
            let mut inside = Vec::new();
            while beginning(&inside).is_none() {
                if stream.read_buf(&mut inside).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Ok::<_, io::Error>((stream, inside))
        };
        let (stream, inside) = tokio::select! {
            () = self.incoming.closed() => return Ok(()),
            opened = opening => opened?,
        };
        match beginning(&inside) {
            Some(Beginning::Http(_)) => self.http(stream, inside).await,
            _ => Err(io::Error::other("something else than HTTP inside of TLS")),
        }
    }

    async fn http<S>(mut self, stream: S, begun: Vec<u8>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let desk = Desk::new(self.id, self.engine.clone(), self.frame_bytes);
        match http::serve(stream, begun, desk, &mut self.incoming).await? {
            Some(io) => {
                websocket::serve(io, self.id, &self.engine, &mut self.incoming, self.frame_bytes).await
            }
            None => Ok(()),
        }
    }
}

/// A peer that vanished without a word (a phone out of reach, a NAT that forgot) is found out within five minutes: the
/// system asks after two of silence, then every half minute.
fn notice_dead_peers(socket: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, Duration::from_secs(120))?;
    sockopt::set_tcp_keepintvl(socket, Duration::from_secs(30))?;
    sockopt::set_tcp_keepcnt(socket, 6)?;
    Ok(())
}

/// No buffer is kept while nothing comes: an idle connection costs its task and nothing else.
async fn shuttle(
    mut socket: TcpStream,
    id: ConnectionId,
    engine: &mpsc::Sender<Command>,
    mut incoming: Incoming,
) -> io::Result<()> {
    loop {
        tokio::select! {
            biased;
            told = incoming.receiver.recv() => match told {
                Some(ToConnection::Write(bytes)) => {
                    write(&mut socket, &bytes).await?;
                    incoming.written(bytes.len());
                }
                // Responses are for requests; a stream has none.
                Some(ToConnection::Respond { .. }) => {}
                Some(ToConnection::Close) | None => return socket.shutdown().await,
            },
            ready = socket.readable() => {
                ready?;
                let Some(bytes) = read(&socket)? else { continue };
                if bytes.is_empty() || engine.send(Command::Bytes(id, bytes)).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

async fn write(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let stalled = |_| io::Error::new(io::ErrorKind::TimedOut, "the peer does not read");
    time::timeout(WRITE_STALLS, socket.write_all(bytes)).await.map_err(stalled)?
}

/// `None` if there was nothing to read after all, empty at the end of the stream.
fn read(socket: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = [0; READ_AT_ONCE];
    match socket.try_read(&mut buffer) {
        Ok(count) => Ok(Some(buffer.get(..count).unwrap_or_default().to_vec())),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
