//! One TCP connection of a client.

use std::io;
use std::sync::Arc;

use dayfly_core::client::LinkId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::route::Route;

/// What happens on a connection.
pub(crate) enum LinkEvent {
    Connected(LinkId),
    Bytes(LinkId, Vec<u8>),
    /// It could not be opened.
    Failed(LinkId, io::Error),
    /// It was open, and has ended.
    Closed(LinkId, io::Error),
}

/// The driver's end of a connection. Dropping it closes the connection once what is queued is written.
pub(crate) struct Link {
    sender: mpsc::UnboundedSender<Vec<u8>>,
    reader: JoinHandle<()>,
}

impl Link {
    /// Connects in a task of its own.
    pub(crate) fn open(id: LinkId, route: Arc<Route>, events: mpsc::Sender<LinkEvent>) -> Self {
        let (sender, queue) = mpsc::unbounded_channel();
        let reader = tokio::spawn(async move {
            let end = run(id, &route, &events, queue).await;
            // Fails only when the driver is gone.
            let _ = events.send(end).await;
        });
        Self { sender, reader }
    }

    pub(crate) fn write(&self, bytes: Vec<u8>) {
        // A connection that has ended says so by `LinkEvent::Closed`.
        let _ = self.sender.send(bytes);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Runs until the connection ends, and says why it did.
async fn run(
    id: LinkId,
    route: &Route,
    events: &mpsc::Sender<LinkEvent>,
    queue: mpsc::UnboundedReceiver<Vec<u8>>,
) -> LinkEvent {
    let socket = match route.open().await {
        Ok(socket) => socket,
        Err(error) => return LinkEvent::Failed(id, error),
    };
    let (reader, writer) = socket.into_split();
    // Goes on after the reader was told to stop, until everything queued is written.
    let writing = tokio::spawn(write_all(writer, queue));
    if events.send(LinkEvent::Connected(id)).await.is_err() {
        return LinkEvent::Closed(id, io::ErrorKind::Interrupted.into());
    }
    let error = read_all(id, reader, events).await;
    writing.abort();
    LinkEvent::Closed(id, error)
}

async fn read_all(id: LinkId, mut reader: OwnedReadHalf, events: &mpsc::Sender<LinkEvent>) -> io::Error {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match reader.read(&mut buffer).await {
            Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
            Ok(count) => {
                if events.send(LinkEvent::Bytes(id, buffer[..count].to_vec())).await.is_err() {
                    return io::ErrorKind::Interrupted.into();
                }
            }
            Err(error) => return error,
        }
    }
}

/// Ends when the queue is dropped, or the peer no longer takes anything: the reader then finds out too.
async fn write_all(mut writer: OwnedWriteHalf, mut queue: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(bytes) = queue.recv().await {
        if writer.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
