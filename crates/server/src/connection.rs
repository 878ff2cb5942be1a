//! One TCP connection: bytes from the socket to the engine, bytes from the engine to the socket.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dayfly_core::server::ConnectionId;
use rustix::net::sockopt;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time;

use crate::engine::Command;

/// What waits to be written for one peer, in bytes; a peer that does not read is cut off there.
const MOST_QUEUED: usize = 8 << 20;
/// How long a write may stand still.
const WRITE_STALLS: Duration = Duration::from_secs(60);
const READ_AT_ONCE: usize = 16 * 1024;

/// What the engine tells a connection.
pub(crate) enum ToConnection {
    Write(Vec<u8>),
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
    receiver: mpsc::UnboundedReceiver<ToConnection>,
    queued: Arc<AtomicUsize>,
}

/// Serves one connection until either end is done with it; then tells the engine.
pub(crate) async fn serve(
    socket: TcpStream,
    id: ConnectionId,
    engine: mpsc::Sender<Command>,
    incoming: Incoming,
    permit: OwnedSemaphorePermit,
) {
    if let Err(error) = shuttle(socket, id, &engine, incoming).await {
        tracing::debug!(connection = id.0, %error, "connection ended");
    }
    // Fails only when the engine is gone, and then nobody needs to know.
    let _ = engine.send(Command::Closed(id)).await;
    drop(permit);
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
    socket.set_nodelay(true)?;
    notice_dead_peers(&socket)?;
    loop {
        tokio::select! {
            biased;
            told = incoming.receiver.recv() => match told {
                Some(ToConnection::Write(bytes)) => write(&mut socket, &bytes, &incoming.queued).await?,
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

async fn write(socket: &mut TcpStream, bytes: &[u8], queued: &AtomicUsize) -> io::Result<()> {
    let stalled = |_| io::Error::new(io::ErrorKind::TimedOut, "the peer does not read");
    time::timeout(WRITE_STALLS, socket.write_all(bytes)).await.map_err(stalled)??;
    queued.fetch_sub(bytes.len(), Ordering::Relaxed);
    Ok(())
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
