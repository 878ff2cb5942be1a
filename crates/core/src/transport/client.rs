//! The client's end: opens the connection with its tag or init, then reads and writes frames.

use dayfly_crypto::SecureRandom;

use super::buffer::Buffer;
use super::codec::{Codec, MaxLen, Role};
use super::detect;
use super::obfuscated::{self, Streams};
use super::{Frame, Kind, MAX_FROM_SERVER, MAX_PLAIN, Obfuscation, SendError, TransportError};

/// What a client takes from a server.
const MAX_LEN: MaxLen = MaxLen { frame: MAX_FROM_SERVER, plain: MAX_PLAIN };

/// The client's end of one connection.
///
/// Feed what arrives to [`receive`](Self::receive), then call [`poll_frame`](Self::poll_frame) until it is `None`.
pub struct ClientTransport {
    codec: Codec,
    streams: Option<Streams>,
    buffer: Buffer,
    failed: Option<TransportError>,
}

impl ClientTransport {
    /// The client's end of a new connection, and the bytes to send before anything else (none in full).
    ///
    /// # Errors
    /// [`SendError::FullIsNeverObfuscated`], or [`SendError::Random`].
    pub fn new(
        kind: Kind,
        obfuscation: &Obfuscation,
        random: &mut dyn SecureRandom,
    ) -> Result<(Self, Vec<u8>), SendError> {
        let (opening, streams) = match obfuscation {
            Obfuscation::None => (tag(kind), None),
            Obfuscation::Plain | Obfuscation::Proxy { .. } => {
                let (init, streams) = obfuscated::open(kind, obfuscation, random)?;
                (init.to_vec(), Some(streams))
            }
        };
        let codec = Codec::new(kind, Role::Client);
        Ok((Self { codec, streams, buffer: Buffer::default(), failed: None }, opening))
    }

    /// The transport that was chosen.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.codec.kind()
    }

    /// Whether it is obfuscated.
    #[must_use]
    pub fn obfuscated(&self) -> bool {
        self.streams.is_some()
    }

    /// Memory held for bytes that have arrived and are no whole frame yet.
    #[must_use]
    pub fn buffered_capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Takes bytes as they come. After an error they are dropped.
    pub fn receive(&mut self, arrived: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        let arrived = self.buffer.append(arrived);
        if let Some(streams) = &mut self.streams {
            streams.receive.apply(arrived);
        }
    }

    /// The next payload, transport error, quick acknowledgement or nop; `None` until more bytes come.
    ///
    /// # Errors
    /// The check that failed. The connection is to be closed; the same error comes from then on.
    pub fn poll_frame(&mut self) -> Result<Option<Frame>, TransportError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let decoded = self.codec.decode(self.buffer.unused(), MAX_LEN).inspect_err(|error| {
            self.failed = Some(*error);
            self.buffer = Buffer::default();
        })?;
        Ok(decoded.map(|decoded| {
            self.buffer.consume(decoded.consumed);
            decoded.frame
        }))
    }

    /// Appends a payload, ready for the wire, to `out`.
    ///
    /// With `quick_ack` the server is asked to acknowledge it at once, which makes sense for an encrypted payload only;
    /// in full, which has no such thing ([`Kind::has_quick_ack`]), nothing is asked.
    ///
    /// # Errors
    /// Our own misuse, or [`SendError::Random`]; nothing is appended then.
    pub fn send(
        &mut self,
        payload: &[u8],
        quick_ack: bool,
        out: &mut Vec<u8>,
        random: &mut dyn SecureRandom,
    ) -> Result<(), SendError> {
        let start = out.len();
        self.codec.encode(payload, quick_ack, out, random)?;
        if let Some(streams) = &mut self.streams {
            streams.send.apply(out.get_mut(start..).unwrap_or_default());
        }
        Ok(())
    }
}

/// What opens a connection that is not obfuscated.
fn tag(kind: Kind) -> Vec<u8> {
    match kind {
        Kind::Abridged => vec![detect::ABRIDGED],
        Kind::Intermediate => detect::INTERMEDIATE.to_vec(),
        Kind::Padded => detect::PADDED.to_vec(),
        Kind::Full => Vec::new(),
    }
}
