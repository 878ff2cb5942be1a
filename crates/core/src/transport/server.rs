//! The server's end: tells the transport from the first bytes, then reads and writes frames.

use core::mem;
use std::sync::Arc;

use dayfly_crypto::SecureRandom;

use super::buffer::Buffer;
use super::codec::{Codec, MaxLen, Role};
use super::detect::{Beginning, beginning};
use super::obfuscated::{self, INIT_LEN, Streams};
use super::{Frame, Kind, Limits, SendError, TransportError};

/// The server's end of one connection. Sends no tag of its own.
///
/// Feed what arrives to [`receive`](Self::receive), then call [`poll_frame`](Self::poll_frame) until it is `None`.
pub struct ServerTransport {
    limits: Arc<Limits>,
    buffer: Buffer,
    state: State,
}

enum State {
    /// The first bytes tell which transport this is.
    AwaitBeginning,
    /// It is obfuscated; its init is not whole yet.
    AwaitInit,
    Open(Open),
    /// With what was known of the transport, so that the error can still be told.
    Failed(TransportError, Option<Open>),
}

struct Open {
    codec: Codec,
    /// Most of what a transport is, where there are any.
    streams: Option<Box<Streams>>,
}

impl ServerTransport {
    /// Waits for the first bytes of any transport.
    #[must_use]
    pub fn new(limits: Arc<Limits>) -> Self {
        Self { limits, buffer: Buffer::default(), state: State::AwaitBeginning }
    }

    /// Waits for an init and takes nothing else: over WebSocket every transport is obfuscated (rule TR-09).
    #[must_use]
    pub fn obfuscated_only(limits: Arc<Limits>) -> Self {
        Self { limits, buffer: Buffer::default(), state: State::AwaitInit }
    }

    /// Which transport the client uses, once that is known.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        self.open().map(|open| open.codec.kind())
    }

    /// Whether the client's transport is known and obfuscated.
    #[must_use]
    pub fn obfuscated(&self) -> bool {
        self.open().is_some_and(|open| open.streams.is_some())
    }

    /// Memory held for bytes that have arrived and are no whole frame yet.
    #[must_use]
    pub fn buffered_capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Takes bytes as they come. After an error they are dropped.
    pub fn receive(&mut self, arrived: &[u8]) {
        match &mut self.state {
            State::Failed(..) => {}
            State::AwaitBeginning | State::AwaitInit => {
                self.buffer.append(arrived);
            }
            State::Open(open) => {
                let arrived = self.buffer.append(arrived);
                if let Some(streams) = &mut open.streams {
                    streams.receive.apply(arrived);
                }
            }
        }
    }

    /// The next payload; `None` until more bytes come.
    ///
    /// # Errors
    /// The check that failed. The connection is to be closed; the same error comes from then on.
    pub fn poll_frame(&mut self) -> Result<Option<Frame>, TransportError> {
        self.advance().inspect_err(|error| {
            let known = match mem::replace(&mut self.state, State::Failed(*error, None)) {
                State::Open(open) | State::Failed(_, Some(open)) => Some(open),
                State::AwaitBeginning | State::AwaitInit | State::Failed(_, None) => None,
            };
            self.state = State::Failed(*error, known);
            self.buffer = Buffer::default();
        })
    }

    /// Appends a payload, ready for the wire, to `out`.
    ///
    /// # Errors
    /// Our own misuse, or [`SendError::Random`]; nothing is appended then.
    pub fn send(
        &mut self,
        payload: &[u8],
        out: &mut Vec<u8>,
        random: &mut dyn SecureRandom,
    ) -> Result<(), SendError> {
        self.encode(out, |codec, out| codec.encode(payload, false, out, random))
    }

    /// Appends a transport error, such as -404: exactly four bytes of payload. It can be sent after an error of
    /// [`poll_frame`](Self::poll_frame) too, as the last word before the connection is closed.
    ///
    /// # Errors
    /// Our own misuse; nothing is appended then.
    pub fn send_error(&mut self, code: i32, out: &mut Vec<u8>) -> Result<(), SendError> {
        let open = match &mut self.state {
            State::Open(open) | State::Failed(_, Some(open)) => open,
            _ => return Err(SendError::NotDetected),
        };
        open.encode(out, |codec, out| codec.encode_error(code, out))
    }

    /// Appends a quick acknowledgement, to be called only for a payload that asked for one and was accepted.
    ///
    /// `token` is the first four bytes of the message key's hash, read little-endian; bit 31 is set here. In full, where
    /// none can be asked for, nothing is appended.
    ///
    /// # Errors
    /// Our own misuse, or [`SendError::Random`]; nothing is appended then.
    pub fn send_quick_ack(
        &mut self,
        token: u32,
        out: &mut Vec<u8>,
        random: &mut dyn SecureRandom,
    ) -> Result<(), SendError> {
        self.encode(out, |codec, out| codec.encode_token(token, out, random))
    }

    fn encode(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Codec, &mut Vec<u8>) -> Result<(), SendError>,
    ) -> Result<(), SendError> {
        let State::Open(open) = &mut self.state else { return Err(SendError::NotDetected) };
        open.encode(out, write)
    }

    fn advance(&mut self) -> Result<Option<Frame>, TransportError> {
        loop {
            let next = match &mut self.state {
                State::Failed(error, _) => return Err(*error),
                State::Open(open) => return decode(&mut open.codec, &mut self.buffer, &self.limits),
                State::AwaitBeginning => detect(&mut self.buffer)?,
                State::AwaitInit => accept_init(&mut self.buffer, &self.limits)?,
            };
            match next {
                Some(state) => self.state = state,
                None => return Ok(None),
            }
        }
    }

    fn open(&self) -> Option<&Open> {
        match &self.state {
            State::Open(open) => Some(open),
            State::AwaitBeginning | State::AwaitInit | State::Failed(..) => None,
        }
    }
}

impl Open {
    fn encode(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Codec, &mut Vec<u8>) -> Result<(), SendError>,
    ) -> Result<(), SendError> {
        let start = out.len();
        write(&mut self.codec, out)?;
        if let Some(streams) = &mut self.streams {
            streams.send.apply(out.get_mut(start..).unwrap_or_default());
        }
        Ok(())
    }
}

/// Looks at the first bytes and uses up the tag, if they are one.
fn detect(buffer: &mut Buffer) -> Result<Option<State>, TransportError> {
    let kind = match beginning(buffer.unused()) {
        None => return Ok(None),
        Some(Beginning::Http(method)) => return Err(TransportError::Http { method }),
        Some(Beginning::Tls) => return Err(TransportError::Tls),
        Some(Beginning::Obfuscated) => return Ok(Some(State::AwaitInit)),
        Some(Beginning::Plain(kind)) => kind,
    };
    buffer.consume(match kind {
        Kind::Abridged => 1,
        Kind::Intermediate | Kind::Padded => 4,
        Kind::Full => 0,
    });
    Ok(Some(State::Open(Open { codec: Codec::new(kind, Role::Server), streams: None })))
}

/// Uses up the init once it is whole, and decrypts what came with it.
fn accept_init(buffer: &mut Buffer, limits: &Limits) -> Result<Option<State>, TransportError> {
    let Some(init) = buffer.unused().first_chunk::<INIT_LEN>() else { return Ok(None) };
    let (kind, mut streams) = obfuscated::accept(init, &limits.proxy_secrets)?;
    buffer.consume(INIT_LEN);
    streams.receive.apply(buffer.unused_mut());
    Ok(Some(State::Open(Open { codec: Codec::new(kind, Role::Server), streams: Some(Box::new(streams)) })))
}

fn decode(codec: &mut Codec, buffer: &mut Buffer, limits: &Limits) -> Result<Option<Frame>, TransportError> {
    let max = MaxLen { frame: limits.max_frame, plain: limits.max_plain };
    let Some(decoded) = codec.decode(buffer.unused(), max)? else { return Ok(None) };
    buffer.consume(decoded.consumed);
    Ok(Some(decoded.frame))
}
