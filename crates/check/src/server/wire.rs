//! A connection of the hostile client: any payload, any bytes.

use std::net::SocketAddr;
use std::time::Duration;

use dayfly_core::plain;
use dayfly_core::transport::{ClientTransport, Frame, Kind, Obfuscation};
use dayfly_tl::Reader;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::trace::Trace;
use crate::dice::Dice;
use crate::verdict::{Outcome, Stop, not_reached};

/// What a connection brought.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    /// A payload: `auth_key_id` and what follows.
    Payload(Vec<u8>),
    /// A transport error.
    Error(i32),
    /// The token of a quick acknowledgement.
    QuickAck(u32),
    /// The peer closed the connection.
    Closed,
    /// Nothing came in time.
    Silence,
}

impl Heard {
    /// In words.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Payload(bytes) if plain::is_plain(bytes) => format!("plain {}", name_of(plain_body(bytes))),
            Self::Payload(bytes) => format!("an encrypted message of {} bytes", bytes.len()),
            Self::Error(code) => format!("the transport error {code}"),
            Self::QuickAck(token) => format!("the quick acknowledgement {token:08x}"),
            Self::Closed => "the connection closed".to_owned(),
            Self::Silence => "nothing".to_owned(),
        }
    }
}

/// The body of a plain message, however long it says that it is.
pub(crate) fn plain_body(payload: &[u8]) -> &[u8] {
    payload.get(20..).unwrap_or_default()
}

/// The constructor of a TL object, by its id in hexadecimal digits.
pub(crate) fn name_of(body: &[u8]) -> String {
    Reader::new(body).peek_id().map_or_else(|_| "no TL object".to_owned(), |id| format!("#{id:08x}"))
}

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    transport: ClientTransport,
    dice: Dice,
    trace: Trace,
    patience: Duration,
    closed: bool,
}

impl Wire {
    /// Opens a connection and says which transport it has.
    pub(crate) async fn open(
        address: SocketAddr,
        kind: Kind,
        obfuscation: &Obfuscation,
        mut dice: Dice,
        trace: Trace,
        patience: Duration,
    ) -> Outcome<Self> {
        let connected = timeout(patience, TcpStream::connect(address)).await;
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return not_reached(format!("no connection to {address}: {error}")),
            Err(_) => return not_reached(format!("no connection to {address} within {patience:?}")),
        };
        stream.set_nodelay(true).map_err(|error| Stop::NotReached(format!("the socket: {error}")))?;
        let (transport, opening) = ClientTransport::new(kind, obfuscation, &mut dice)
            .map_err(|error| Stop::NotReached(format!("{}: {error}", kind.name())))?;
        let mut wire = Self { stream, transport, dice, trace, patience, closed: false };
        wire.write(&opening).await;
        Ok(wire)
    }

    /// Sends bytes as they stand. A peer that has closed is noticed when it is listened to.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let written = timeout(self.patience, self.stream.write_all(bytes)).await;
        self.closed |= !matches!(written, Ok(Ok(())));
    }

    /// The same; `what` it is, for the trace.
    pub(crate) async fn write_as(&mut self, what: &str, bytes: &[u8]) {
        self.trace.sent(what);
        self.write(bytes).await;
    }

    /// Sends a payload in a frame; `what` it is, for the trace.
    pub(crate) async fn send(&mut self, payload: &[u8], what: &str) -> Outcome {
        self.send_asking(payload, false, what).await
    }

    /// The same, which may ask for a quick acknowledgement.
    pub(crate) async fn send_asking(&mut self, payload: &[u8], quick_ack: bool, what: &str) -> Outcome {
        let bytes = self.framed(payload, quick_ack)?;
        self.trace.sent(what);
        self.write(&bytes).await;
        Ok(())
    }

    /// A payload as this connection frames it; it has to be sent next.
    pub(crate) fn framed(&mut self, payload: &[u8], quick_ack: bool) -> Outcome<Vec<u8>> {
        let mut bytes = Vec::new();
        self.transport
            .send(payload, quick_ack, &mut bytes, &mut self.dice)
            .map_err(|error| Stop::NotReached(format!("the frame: {error}")))?;
        Ok(bytes)
    }

    /// Sends a plain message around a TL object.
    pub(crate) async fn send_plain(&mut self, body: &[u8], what: &str) -> Outcome {
        let payload = plain::write(self.dice.long() & !3, body);
        self.send(&payload, what).await
    }

    /// What comes next, within the patience of the run.
    pub(crate) async fn hear(&mut self) -> Outcome<Heard> {
        self.hear_within(self.patience).await
    }

    /// What comes next, or [`Heard::Silence`] after so long. Frames that mean nothing are passed over.
    pub(crate) async fn hear_within(&mut self, patience: Duration) -> Outcome<Heard> {
        let until = Instant::now() + patience;
        let heard = loop {
            match self.transport.poll_frame() {
                Ok(Some(Frame::Payload { bytes, .. })) => break Heard::Payload(bytes),
                Ok(Some(Frame::Error(code))) => break Heard::Error(code),
                Ok(Some(Frame::QuickAck(token))) => break Heard::QuickAck(token),
                Ok(Some(Frame::Nop)) => continue,
                Ok(None) => {}
                Err(error) => {
                    self.trace.got(format!("bytes that are no {} frame", self.transport.kind().name()));
                    return Err(Stop::Failed(format!("the server's frames cannot be read: {error}")));
                }
            }
            if self.closed {
                break Heard::Closed;
            }
            let mut arrived = vec![0; 1 << 16];
            match timeout_at(until, self.stream.read(&mut arrived)).await {
                Ok(Ok(0) | Err(_)) => self.closed = true,
                Ok(Ok(count)) => self.transport.receive(arrived.get(..count).unwrap_or_default()),
                Err(_) => break Heard::Silence,
            }
        };
        self.trace.got(heard.told());
        Ok(heard)
    }

    /// Half of the connection is closed: the peer reads its end.
    pub(crate) async fn finish_writing(&mut self) {
        // A peer that is gone already has been told as much as it can be.
        let _ = self.stream.shutdown().await;
    }
}
