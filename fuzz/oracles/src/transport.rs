//! Transports: what arrives does not depend on how it was cut, and memory follows the bytes that are there.

use std::sync::Arc;

use dayfly_core::transport::{
    ClientTransport, Frame, Kind, Limits, Obfuscation, ProxySecret, SendError, ServerTransport,
    TransportError,
};

use crate::input::Input;
use crate::world::Chance;

/// What the server under test takes: little, so that the limits are within the fuzzer's reach.
const MAX_FRAME: usize = 512;
const MAX_PLAIN: usize = 128;
/// What stands around a payload at most: the padding and the envelope of any transport.
const AROUND: usize = 64;

const SECRET: [u8; 16] = [0x5e; 16];

/// Raw bytes to a server that knows nothing yet. The first byte says how they are cut.
pub fn detect(data: &[u8]) {
    let mut input = Input::new(data);
    let cut = input.u8();
    let bytes = input.rest();
    let of = |mut server: ServerTransport, step| receive(&mut server, bytes, step);
    assert_eq!(of(server(), bytes.len()), of(server(), step(cut)), "it matters how the bytes are cut");
    let only = || ServerTransport::obfuscated_only(limits());
    assert_eq!(of(only(), bytes.len()), of(only(), step(cut)), "it matters how the bytes are cut");
}

/// Both ends of an abridged connection.
pub fn abridged(data: &[u8]) {
    connection(Kind::Abridged, data);
}

/// Both ends of an intermediate connection.
pub fn intermediate(data: &[u8]) {
    connection(Kind::Intermediate, data);
}

/// Both ends of a padded intermediate connection.
pub fn padded(data: &[u8]) {
    connection(Kind::Padded, data);
}

/// Both ends of a full connection.
pub fn full(data: &[u8]) {
    connection(Kind::Full, data);
}

/// The first byte says how a connection is obfuscated, the others are a script of what the two ends say.
fn connection(kind: Kind, data: &[u8]) {
    let mut input = Input::new(data);
    let mut link = Link::open(kind, input.u8());
    while !input.is_empty() {
        link.act(&mut input);
    }
    raw_bytes_to_a_client(kind, data);
}

/// The same bytes to a client, whole and cut.
fn raw_bytes_to_a_client(kind: Kind, data: &[u8]) {
    let mut input = Input::new(data);
    let cut = input.u8();
    let bytes = input.rest();
    let of = |step| {
        let mut random = Chance::new(cut);
        let (mut client, _) = ClientTransport::new(kind, &Obfuscation::None, &mut random).expect("a client");
        receive(&mut client, bytes, step)
    };
    assert_eq!(of(bytes.len()), of(step(cut)), "it matters how the bytes are cut");
}

/// Bytes in a piece; at least one.
fn step(cut: u8) -> usize {
    usize::from(cut % 64) + 1
}

fn limits() -> Arc<Limits> {
    let proxy_secrets = vec![ProxySecret::take(&mut SECRET.clone())];
    Arc::new(Limits { max_frame: MAX_FRAME, max_plain: MAX_PLAIN, proxy_secrets })
}

fn server() -> ServerTransport {
    ServerTransport::new(limits())
}

/// Either end of a connection.
trait End {
    /// The longest payload it may give out; its own limit, not the other end's.
    const LONGEST: usize;
    fn receive(&mut self, bytes: &[u8]);
    fn poll_frame(&mut self) -> Result<Option<Frame>, TransportError>;
    fn held(&self) -> usize;
}

impl End for ServerTransport {
    const LONGEST: usize = MAX_FRAME;

    fn receive(&mut self, bytes: &[u8]) {
        self.receive(bytes);
    }

    fn poll_frame(&mut self) -> Result<Option<Frame>, TransportError> {
        self.poll_frame()
    }

    fn held(&self) -> usize {
        self.buffered_capacity()
    }
}

impl End for ClientTransport {
    const LONGEST: usize = dayfly_core::transport::MAX_FROM_SERVER;

    fn receive(&mut self, bytes: &[u8]) {
        self.receive(bytes);
    }

    fn poll_frame(&mut self) -> Result<Option<Frame>, TransportError> {
        self.poll_frame()
    }

    fn held(&self) -> usize {
        self.buffered_capacity()
    }
}

/// The frames that came out of these bytes, and whether it ended in an error.
///
/// Which error it is may depend on the cut: of two things that are wrong with a frame, the one that can be seen earlier is
/// told if the rest is not there yet.
fn receive<E: End>(end: &mut E, bytes: &[u8], step: usize) -> (Vec<Frame>, bool) {
    let mut frames = Vec::new();
    let there = end.held() + bytes.len();
    for piece in bytes.chunks(step.max(1)) {
        end.receive(piece);
        if drain(end, &mut frames).is_err() {
            stays_failed(end);
            return (frames, true);
        }
        // A buffer that grows has room for twice what it holds, one that shrinks for four times, the smallest for 8.
        let most = there.min(E::LONGEST + AROUND + piece.len()) * 4 + 8;
        assert!(end.held() <= most, "{} bytes held of {there}", end.held());
    }
    (frames, false)
}

fn drain<E: End>(end: &mut E, frames: &mut Vec<Frame>) -> Result<(), TransportError> {
    while let Some(frame) = end.poll_frame()? {
        if let Frame::Payload { bytes, .. } = &frame {
            assert!(
                !bytes.is_empty() && bytes.len() <= E::LONGEST + 15,
                "a payload of {} bytes",
                bytes.len()
            );
        }
        frames.push(frame);
    }
    Ok(())
}

/// After an error the same error comes for ever, and nothing is kept.
fn stays_failed<E: End>(end: &mut E) {
    let error = end.poll_frame().expect_err("an end that failed stays failed");
    end.receive(&[0xee; 100]);
    assert_eq!(end.poll_frame(), Err(error), "another error after the first");
    assert_eq!(end.held(), 0, "a failed end holds bytes");
}

/// Two ends, and what one has sent that the other must get.
struct Link {
    client: ClientTransport,
    server: ServerTransport,
    random: Chance,
    /// Bytes that nobody sent came in between: what arrives now says nothing.
    broken: bool,
}

impl Link {
    fn open(kind: Kind, obfuscated: u8) -> Self {
        let mut random = Chance::new(obfuscated);
        let obfuscation = match (kind, obfuscated % 3) {
            (Kind::Full, _) | (_, 0) => Obfuscation::None,
            (_, 1) => Obfuscation::Plain,
            _ => Obfuscation::Proxy { secret: ProxySecret::take(&mut SECRET.clone()), dc: -2 },
        };
        let (client, opening) = ClientTransport::new(kind, &obfuscation, &mut random).expect("a client");
        let mut server = server();
        for piece in opening.chunks(step(obfuscated)) {
            server.receive(piece);
            assert_eq!(server.poll_frame(), Ok(None), "a frame before anything was sent");
        }
        if kind != Kind::Full {
            assert_eq!((server.kind(), server.obfuscated()), (Some(kind), client.obfuscated()));
        }
        Self { client, server, random, broken: false }
    }

    fn act(&mut self, input: &mut Input<'_>) {
        let (action, cut) = (input.u8(), input.u8());
        match action % 8 {
            0..3 => self.client_sends(&input.words(), action & 8 != 0, step(cut)),
            3 => self.server_sends(&input.words(), step(cut)),
            4 => self.server_refuses(input.i32(), step(cut)),
            5 => self.server_acknowledges(input.i32().cast_unsigned(), step(cut)),
            6 => {
                self.broken = true;
                receive(&mut self.server, input.short(), step(cut));
            }
            _ => {
                self.broken = true;
                receive(&mut self.client, input.short(), step(cut));
            }
        }
    }

    fn client_sends(&mut self, payload: &[u8], quick_ack: bool, step: usize) {
        let mut wire = Vec::new();
        let outcome = self.client.send(payload, quick_ack, &mut wire, &mut self.random);
        if payload.is_empty() {
            assert_eq!(outcome, Err(SendError::Unaligned { len: 0 }));
            assert!(wire.is_empty(), "bytes of what was not sent");
            return;
        }
        assert_eq!(outcome, Ok(()));
        let quick_ack = quick_ack && self.client.kind().has_quick_ack();
        let got = receive(&mut self.server, &wire, step);
        let len = payload.len();
        let plain = dayfly_core::plain::is_plain(payload);
        // Padding may hide that a payload is just over the limit.
        if self.broken || len > MAX_FRAME || (plain && len > MAX_PLAIN) {
            self.broken |= got.1;
            return;
        }
        self.arrived(got, payload, quick_ack);
    }

    fn server_sends(&mut self, payload: &[u8], step: usize) {
        let mut wire = Vec::new();
        let outcome = self.server.send(payload, &mut wire, &mut self.random);
        if outcome.is_err() {
            assert!(wire.is_empty(), "bytes of what was not sent");
            return;
        }
        let got = receive(&mut self.client, &wire, step);
        // Four bytes are a transport error, and in padded up to 16 may be a quick acknowledgement.
        let short = if self.client.kind() == Kind::Padded { 16 } else { 4 };
        if self.broken || payload.len() <= short {
            self.broken |= got.1;
            return;
        }
        self.arrived(got, payload, false);
    }

    /// One frame came, with this payload; of padding no more is left than belongs to a message that says no length.
    fn arrived(&self, got: (Vec<Frame>, bool), payload: &[u8], quick_ack: bool) {
        let (frames, failed) = got;
        assert!(!failed, "{} bytes were refused", payload.len());
        let [Frame::Payload { bytes, quick_ack: asked }] = frames.as_slice() else {
            panic!("{} frames of one payload", frames.len())
        };
        assert_eq!(*asked, quick_ack);
        if self.client.kind() == Kind::Padded {
            let common = bytes.len().min(payload.len());
            assert_eq!(bytes[..common], payload[..common]);
        } else {
            assert_eq!(bytes, payload);
        }
    }

    fn server_refuses(&mut self, code: i32, step: usize) {
        let mut wire = Vec::new();
        let outcome = self.server.send_error(code, &mut wire);
        assert!(outcome.is_ok() || wire.is_empty(), "bytes of what was not sent");
        let got = receive(&mut self.client, &wire, step);
        if outcome.is_ok() && !self.broken {
            assert_eq!(got, (vec![Frame::Error(code)], false));
        }
    }

    fn server_acknowledges(&mut self, token: u32, step: usize) {
        let mut wire = Vec::new();
        let outcome = self.server.send_quick_ack(token, &mut wire, &mut self.random);
        let got = receive(&mut self.client, &wire, step);
        if outcome.is_ok() && !self.broken && self.client.kind().has_quick_ack() {
            assert_eq!(got, (vec![Frame::QuickAck(token | 1 << 31)], false));
        }
    }
}
