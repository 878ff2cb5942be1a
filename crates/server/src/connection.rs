//! One TCP connection: whose it is, what it speaks, then bytes from the socket to the engine and back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
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
use crate::queue::{Incoming, ToConnection, queue};
use crate::tls;
use crate::websocket;

/// How long a write may stand still.
pub(crate) const WRITE_STALLS: Duration = Duration::from_secs(60);
/// How long a balancer may take to say whose connection it passes on.
const HEADER_WAITS: Duration = Duration::from_secs(10);
const READ_AT_ONCE: usize = 16 * 1024;
/// What waits is joined up to here, so that many short packets take one call of the system.
const WRITE_AT_ONCE: usize = 64 * 1024;

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
///
/// What comes before the plain stream, and what is no plain stream, has futures of its own on the heap: this one is most of
/// what an idle connection costs.
pub(crate) async fn serve(socket: TcpStream, arrival: Arrival) {
    let Some((mut conversation, place)) = Box::pin(open(socket, arrival)).await else { return };
    let (id, engine) = (conversation.line.id, conversation.line.engine.clone());
    let ended = match Box::pin(conversation.begin()).await {
        Ok(Some(Opens::Http)) => Box::pin(conversation.http()).await,
        Ok(Some(Opens::Tls(tls))) => Box::pin(conversation.tls(tls)).await,
        Ok(Some(Opens::Stream)) => conversation.shuttle().await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        tracing::debug!(connection = id.0, %error, "connection ended");
    }
    // Fails only when the engine is gone, and then nobody needs to know.
    let _ = engine.send(Command::Closed(id)).await;
    drop(place);
}

/// Finds out whose connection it is, and tells the engine of it; `None` if it is refused, or the engine is gone.
async fn open(mut socket: TcpStream, arrival: Arrival) -> Option<(Conversation, Place)> {
    let (peer, begun) = match identify(&mut socket, &arrival).await {
        Ok(identified) => identified,
        Err(error) => {
            tracing::debug!(peer = %arrival.peer, %error, "connection refused");
            return None;
        }
    };
    let Arrival { id, frame_bytes, tls, engine, place, .. } = arrival;
    let (outgoing, incoming) = queue();
    engine.send(Command::Connected(id, peer, outgoing)).await.ok()?;
    let line = Line { id, engine, incoming, frame_bytes };
    Some((Conversation { line, socket, begun, tls }, place))
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
    line: Line,
    socket: TcpStream,
    /// What was read and not passed on.
    begun: Vec<u8>,
    tls: Option<TlsAcceptor>,
}

/// The way to the engine and back.
struct Line {
    id: ConnectionId,
    engine: mpsc::Sender<Command>,
    incoming: Incoming,
    frame_bytes: usize,
}

impl Conversation {
    /// Tells HTTP and TLS from everything else by the first bytes (rule TR-02); of a plain stream they go to the engine.
    /// `None` if either end was done before that.
    async fn begin(&mut self) -> io::Result<Option<Opens>> {
        let opens = loop {
            if let Some(opens) = self.opens(&self.begun) {
                break opens;
            }
            tokio::select! {
                biased;
                told = self.line.incoming.recv() => match told {
                    // Nothing is said to who did not say anything, but that it is over.
                    Some(ToConnection::Close) | None => {
                        self.socket.shutdown().await?;
                        return Ok(None);
                    }
                    Some(_) => {}
                },
                read = self.socket.read_buf(&mut self.begun) => if read? == 0 { return Ok(None) },
            }
        };
        if matches!(opens, Opens::Stream) {
            let begun = Command::Bytes(self.line.id, std::mem::take(&mut self.begun));
            return Ok(self.line.engine.send(begun).await.ok().map(|()| opens));
        }
        Ok(Some(opens))
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
    async fn tls(self, tls: TlsAcceptor) -> io::Result<()> {
        let Self { mut line, socket, begun, .. } = self;
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
            () = line.incoming.closed() => return Ok(()),
            opened = opening => opened?,
        };
        match beginning(&inside) {
            Some(Beginning::Http(_)) => line.http(stream, inside).await,
            _ => Err(io::Error::other("something else than HTTP inside of TLS")),
        }
    }

    async fn http(self) -> io::Result<()> {
        self.line.http(self.socket, self.begun).await
    }

    /// No buffer is kept while nothing comes: an idle connection costs its task and nothing else.
    async fn shuttle(&mut self) -> io::Result<()> {
        let Self { line: Line { id, engine, incoming, .. }, socket, .. } = self;
        loop {
            tokio::select! {
                biased;
                told = incoming.recv() => match told {
                    Some(ToConnection::Write(mut bytes)) => {
                        join(&mut bytes, incoming);
                        write(socket, &bytes).await?;
                        incoming.written(bytes.len());
                    }
                    // Responses are for requests; a stream has none.
                    Some(ToConnection::Respond { .. }) => {}
                    Some(ToConnection::Close) | None => return socket.shutdown().await,
                },
                ready = socket.readable() => {
                    ready?;
                    let Some(bytes) = read(socket)? else { continue };
                    if bytes.is_empty() || engine.send(Command::Bytes(*id, bytes)).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

impl Line {
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

/// Takes along what waits behind `bytes`.
fn join(bytes: &mut Vec<u8>, incoming: &mut Incoming) {
    while let Some(more) = incoming.more_to_write(WRITE_AT_ONCE.saturating_sub(bytes.len())) {
        bytes.extend_from_slice(&more);
    }
}

/// What the system takes at once needs no timer.
async fn write(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let taken = match socket.try_write(bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        taken => taken?,
    };
    let rest = bytes.get(taken..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(());
    }
    let stalled = |_| io::Error::new(io::ErrorKind::TimedOut, "the peer does not read");
    Box::pin(time::timeout(WRITE_STALLS, socket.write_all(rest))).await.map_err(stalled)?
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
