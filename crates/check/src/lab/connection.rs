//! A connection: the client's transport on one side, a plain one to the lab's server on the other, payloads in between.

use std::net::SocketAddr;
use std::sync::Arc;

use dayfly_core::SecureRandom;
use dayfly_core::transport::{
    ClientTransport, Frame, Kind, Limits, Obfuscation, SendError, ServerTransport, TransportError,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What the engine hears of a connection.
pub(super) enum Arrived {
    /// It was accepted.
    Connected(TcpStream, SocketAddr),
    /// Bytes came.
    Bytes(u64, Vec<u8>),
    /// The client ended it.
    Closed(u64),
}

/// What its writer is to do.
enum Write {
    Bytes(Vec<u8>),
    Close,
}

/// One connection.
pub(super) struct Connection {
    /// Towards the client.
    transport: ServerTransport,
    /// Towards the lab's server.
    inner: ClientTransport,
    writer: mpsc::UnboundedSender<Write>,
    reader: JoinHandle<()>,
    /// Whether its transport was told.
    pub(super) told: bool,
}

impl Connection {
    /// Splits the socket; what comes goes to `arrived`. Gives the bytes that open the way to the lab's server too.
    pub(super) fn open(
        number: u64,
        stream: TcpStream,
        arrived: mpsc::Sender<Arrived>,
        random: &mut dyn SecureRandom,
    ) -> Result<(Self, Vec<u8>), SendError> {
        let (inner, opening) = ClientTransport::new(Kind::Intermediate, &Obfuscation::None, random)?;
        let (read, write) = stream.into_split();
        let (writer, orders) = mpsc::unbounded_channel();
        tokio::spawn(write_all(write, orders));
        let reader = tokio::spawn(read_all(number, read, arrived));
        let transport = ServerTransport::new(Arc::new(Limits::default()));
        Ok((Self { transport, inner, writer, reader, told: false }, opening))
    }

    /// Bytes of the client's.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.transport.receive(bytes);
    }

    /// The next payload of the client's.
    pub(super) fn next_of_client(&mut self) -> Result<Option<Frame>, TransportError> {
        self.transport.poll_frame()
    }

    /// The transport, once it is known: its name and whether it is obfuscated.
    pub(super) fn transport(&self) -> Option<(&'static str, bool)> {
        self.transport.kind().map(|kind| (kind.name(), self.transport.obfuscated()))
    }

    /// The bytes for the lab's server that carry this payload.
    pub(super) fn for_server(
        &mut self,
        payload: &[u8],
        quick_ack: bool,
        random: &mut dyn SecureRandom,
    ) -> Result<Vec<u8>, SendError> {
        let mut bytes = Vec::new();
        self.inner.send(payload, quick_ack, &mut bytes, random)?;
        Ok(bytes)
    }

    /// Bytes of the lab's server; [`next_of_server`](Self::next_of_server) gives what they carry.
    pub(super) fn receive_from_server(&mut self, bytes: &[u8]) {
        self.inner.receive(bytes);
    }

    /// The next thing that the lab's server sends.
    pub(super) fn next_of_server(&mut self) -> Result<Option<Frame>, TransportError> {
        self.inner.poll_frame()
    }

    /// Sends a payload to the client.
    pub(super) fn send(&mut self, payload: &[u8], random: &mut dyn SecureRandom) -> Result<(), SendError> {
        let mut bytes = Vec::new();
        self.transport.send(payload, &mut bytes, random)?;
        self.write(Write::Bytes(bytes));
        Ok(())
    }

    /// Sends a transport error to the client.
    pub(super) fn send_error(&mut self, code: i32) -> Result<(), SendError> {
        let mut bytes = Vec::new();
        self.transport.send_error(code, &mut bytes)?;
        self.write(Write::Bytes(bytes));
        Ok(())
    }

    /// Sends a quick acknowledgement to the client.
    pub(super) fn send_quick_ack(
        &mut self,
        token: u32,
        random: &mut dyn SecureRandom,
    ) -> Result<(), SendError> {
        let mut bytes = Vec::new();
        self.transport.send_quick_ack(token, &mut bytes, random)?;
        self.write(Write::Bytes(bytes));
        Ok(())
    }

    /// Closes it, after what was sent.
    pub(super) fn close(&self) {
        self.reader.abort();
        self.write(Write::Close);
    }

    fn write(&self, order: Write) {
        // Fails when the writer has ended: the reader tells so.
        let _ = self.writer.send(order);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn write_all(mut write: OwnedWriteHalf, mut orders: mpsc::UnboundedReceiver<Write>) {
    while let Some(Write::Bytes(bytes)) = orders.recv().await {
        if write.write_all(&bytes).await.is_err() {
            return;
        }
    }
    // A client that is gone already has been told as much as it can be.
    let _ = write.shutdown().await;
}

async fn read_all(number: u64, mut read: OwnedReadHalf, arrived: mpsc::Sender<Arrived>) {
    let mut buffer = vec![0; 1 << 14];
    while let Ok(count @ 1..) = read.read(&mut buffer).await {
        let bytes = buffer.get(..count).unwrap_or_default().to_vec();
        if arrived.send(Arrived::Bytes(number, bytes)).await.is_err() {
            return;
        }
    }
    // The engine may be gone.
    let _ = arrived.send(Arrived::Closed(number)).await;
}
