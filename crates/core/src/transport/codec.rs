//! What the four transports have in common: find the envelope, check it, wait for the payload, hand it out.

use dayfly_crypto::{SecureRandom, enforce, mutant};

use super::{
    Frame, Kind, MAX_FROM_CLIENT, MAX_FROM_SERVER, SendError, TransportError, abridged, full, intermediate,
    padded,
};
use crate::plain;

/// The top bit of a length or a token, read as a little-endian integer.
pub(super) const QUICK_ACK_BIT: u32 = 1 << 31;

/// Which end of the connection this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    Client,
    Server,
}

/// How long a received payload may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaxLen {
    pub(super) frame: usize,
    pub(super) plain: usize,
}

/// What the first bytes of a frame say.
pub(super) enum Head {
    /// They are a quick acknowledgement, whole in 4 bytes.
    Token(u32),
    /// A payload follows.
    Envelope(Envelope),
}

/// Where a payload stands: all in bytes.
pub(super) struct Envelope {
    /// Whether a quick acknowledgement is asked for.
    pub(super) quick_ack: bool,
    /// Length of what stands before the payload.
    pub(super) before: usize,
    /// Length of the payload with its padding.
    pub(super) len: usize,
    /// Length of what stands after it.
    pub(super) after: usize,
}

/// A frame, and how many bytes it took.
pub(super) struct Decoded {
    pub(super) frame: Frame,
    pub(super) consumed: usize,
}

/// One transport at one end of one connection, below obfuscation.
#[derive(Debug)]
pub(super) struct Codec {
    kind: Kind,
    role: Role,
    /// Counted in full only.
    counters: full::Counters,
}

impl Codec {
    pub(super) fn new(kind: Kind, role: Role) -> Self {
        Self { kind, role, counters: full::Counters::default() }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Takes one frame from the front of `bytes`; `None` while it is not whole.
    ///
    /// What is wrong is refused as soon as it can be seen: the length before the payload comes, a plain message's too
    /// long length with its `auth_key_id`.
    pub(super) fn decode(&mut self, bytes: &[u8], max: MaxLen) -> Result<Option<Decoded>, TransportError> {
        let envelope = match self.head(bytes) {
            None => return Ok(None),
            Some(Head::Token(token)) => {
                return Ok(Some(Decoded { frame: Frame::QuickAck(token), consumed: 4 }));
            }
            Some(Head::Envelope(envelope)) => envelope,
        };
        self.check_len(envelope.len, max)?;
        self.check_plain_len(bytes.get(envelope.before..).unwrap_or_default(), envelope.len, max)?;
        if self.kind == Kind::Full {
            self.counters.check_sequence(bytes)?;
        }
        self.contents(bytes, &envelope)
    }

    fn head(&self, bytes: &[u8]) -> Option<Head> {
        match self.kind {
            Kind::Abridged => abridged::head(bytes, self.role),
            Kind::Intermediate => intermediate::head(bytes, self.role),
            Kind::Padded => padded::head(bytes, self.role),
            Kind::Full => full::head(bytes),
        }
    }

    /// Rule TR-06: what a length alone tells.
    fn check_len(&self, len: usize, max: MaxLen) -> Result<(), TransportError> {
        enforce!("TR-06.empty", len != 0, TransportError::Empty);
        if self.kind == Kind::Padded {
            enforce!("TR-06.short", len >= 4, TransportError::TooShort { len });
        } else {
            enforce!("TR-06.aligned", len.is_multiple_of(4), TransportError::Unaligned { len });
        }
        let limit = self.with_padding(max.frame);
        enforce!("TR-06.limit", len <= limit, TransportError::TooLong { len, limit });
        Ok(())
    }

    /// Rule TR-06: what a length tells together with the first 8 bytes of the payload.
    fn check_plain_len(&self, payload: &[u8], len: usize, max: MaxLen) -> Result<(), TransportError> {
        let limit = self.with_padding(max.plain);
        enforce!(
            "TR-06.plain_limit",
            len <= limit || !plain::is_plain(payload),
            TransportError::PlainTooLong { len, limit }
        );
        Ok(())
    }

    fn with_padding(&self, limit: usize) -> usize {
        limit.saturating_add(if self.kind == Kind::Padded { padded::MAX_PADDING } else { 0 })
    }

    fn contents(&mut self, bytes: &[u8], envelope: &Envelope) -> Result<Option<Decoded>, TransportError> {
        let end = envelope.before.saturating_add(envelope.len);
        let consumed = end.saturating_add(envelope.after);
        let Some(whole) = bytes.get(..consumed) else { return Ok(None) };
        if self.kind == Kind::Full {
            self.counters.check_crc(whole)?;
        }
        let contents = whole.get(envelope.before..end).unwrap_or_default();
        let frame = self.frame(contents, envelope.quick_ack)?;
        Ok(Some(Decoded { frame, consumed }))
    }

    fn frame(&self, contents: &[u8], quick_ack: bool) -> Result<Frame, TransportError> {
        if self.role == Role::Client {
            if let Some(frame) = signal(contents)? {
                return Ok(frame);
            }
            if self.kind == Kind::Padded
                && let Some(token) = padded::token(contents)
            {
                return Ok(Frame::QuickAck(token));
            }
        }
        let payload = if self.kind == Kind::Padded { padded::cut(contents) } else { contents };
        Ok(Frame::Payload { bytes: payload.to_vec(), quick_ack })
    }

    /// Appends a payload in its envelope. On an error nothing is appended.
    pub(super) fn encode(
        &mut self,
        payload: &[u8],
        quick_ack: bool,
        out: &mut Vec<u8>,
        random: &mut dyn SecureRandom,
    ) -> Result<(), SendError> {
        self.check_sendable(payload.len())?;
        if self.kind != Kind::Padded {
            self.encode_exactly(payload, quick_ack, out);
            return Ok(());
        }
        let padding = padded::padding(random)?;
        let padding = mutant!("TR-01.padding", padding.bytes(), &[]);
        intermediate::write_head(payload.len().saturating_add(padding.len()), quick_ack, out);
        out.extend_from_slice(payload);
        out.extend_from_slice(padding);
        Ok(())
    }

    /// Appends a transport error: 4 bytes, without padding in padded intermediate too.
    pub(super) fn encode_error(&mut self, code: i32, out: &mut Vec<u8>) -> Result<(), SendError> {
        enforce!("TR-05.negative", code < 0, SendError::NotNegative { code });
        self.encode_exactly(&code.to_le_bytes(), false, out);
        Ok(())
    }

    /// Appends a quick acknowledgement; nothing in full, which has none.
    pub(super) fn encode_token(
        &self,
        token: u32,
        out: &mut Vec<u8>,
        random: &mut dyn SecureRandom,
    ) -> Result<(), SendError> {
        match self.kind {
            Kind::Abridged => abridged::write_token(token, out),
            Kind::Intermediate => intermediate::write_token(token, out),
            Kind::Padded => padded::write_token(token, out, random)?,
            Kind::Full => {}
        }
        Ok(())
    }

    /// Rule TR-06: what this end may send.
    fn check_sendable(&self, len: usize) -> Result<(), SendError> {
        let limit = match self.role {
            Role::Client => MAX_FROM_CLIENT,
            Role::Server => MAX_FROM_SERVER,
        };
        enforce!("TR-06.sent", len <= limit, SendError::TooLong { len, limit });
        if len == 0 || !len.is_multiple_of(4) {
            return Err(SendError::Unaligned { len });
        }
        Ok(())
    }

    fn encode_exactly(&mut self, payload: &[u8], quick_ack: bool, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Full => return self.counters.write(payload, out),
            Kind::Abridged => abridged::write_head(payload.len(), quick_ack, out),
            Kind::Intermediate | Kind::Padded => intermediate::write_head(payload.len(), quick_ack, out),
        }
        out.extend_from_slice(payload);
    }
}

/// The first word of `bytes`, little-endian.
pub(super) fn word(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|word| u32::from_le_bytes(*word))
}

/// What a server says in exactly 4 bytes: a transport error or nothing. Looked for before any `auth_key_id` is read.
///
/// Source: MTProto transports, "Transport errors" (rule TR-05).
fn signal(contents: &[u8]) -> Result<Option<Frame>, TransportError> {
    let Ok(bytes) = <[u8; 4]>::try_from(contents) else { return Ok(None) };
    let value = i32::from_le_bytes(bytes);
    enforce!("TR-05.positive", value <= 0, TransportError::PositiveCode { value });
    let frame = if value == 0 { Frame::Nop } else { Frame::Error(value) };
    Ok(mutant!("TR-05.signal", Some(frame), None))
}
