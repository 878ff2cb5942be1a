//! A connection of the hostile client: any payload, any bytes.

use std::net::SocketAddr;
use std::time::Duration;

use dayfly_core::plain;
use dayfly_core::transport::{ClientTransport, Frame, Kind, Obfuscation};
use dayfly_tl::Reader;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
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

/// What a connection goes over: TCP, or something that is carried by TCP.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

/// One connection.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    transport: ClientTransport,
    dice: Dice,
    trace: Trace,
    patience: Duration,
    closed: bool,
}

impl Wire {
    /// A connection over `stream` that has said nothing yet, and the bytes that say which transport it has.
    pub(crate) fn over(
        stream: Box<dyn Stream>,
        kind: Kind,
        obfuscation: &Obfuscation,
        mut dice: Dice,
        trace: Trace,
        patience: Duration,
    ) -> Outcome<(Self, Vec<u8>)> {
        let (transport, opening) = ClientTransport::new(kind, obfuscation, &mut dice)
            .map_err(|error| Stop::NotReached(format!("{}: {error}", kind.name())))?;
        Ok((Self { stream, transport, dice, trace, patience, closed: false }, opening))
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

    /// The next bytes as they stand, at most `count`; fewer if the connection ends or nothing more comes in time. Not to be
    /// mixed with what reads frames.
    pub(crate) async fn read_bytes(&mut self, count: usize) -> Vec<u8> {
        let until = Instant::now() + self.patience;
        let mut bytes = Vec::new();
        while bytes.len() < count {
            let mut arrived = vec![0; count - bytes.len()];
            match timeout_at(until, self.stream.read(&mut arrived)).await {
                Ok(Ok(some)) if some > 0 => bytes.extend(arrived.iter().take(some)),
                _ => break,
            }
        }
        let hex: String = bytes.iter().take(16).map(|byte| format!(" {byte:02x}")).collect();
        self.trace.got(format!("{} bytes:{hex}", bytes.len()));
        bytes
    }
}

/// A TCP connection to the peer.
pub(crate) async fn dial(address: SocketAddr, patience: Duration) -> Outcome<TcpStream> {
    let stream = match timeout(patience, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return not_reached(format!("no connection to {address}: {error}")),
        Err(_) => return not_reached(format!("no connection to {address} within {patience:?}")),
    };
    stream.set_nodelay(true).map_err(|error| Stop::NotReached(format!("the socket: {error}")))?;
    Ok(stream)
}
