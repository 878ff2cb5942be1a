//! Random sources, connections and payloads for the tests.

use std::sync::Arc;

use dayfly_core::SecureRandom;
use dayfly_core::env::RandomError;
use dayfly_core::transport::{
    ClientTransport, Frame, Kind, Limits, Obfuscation, ProxySecret, ServerTransport, TransportError,
};

/// The secret that every test proxy knows.
pub(crate) const SECRET: [u8; 16] = [0x99; 16];

/// A generator that is the same for the same seed (xorshift64).
pub(crate) struct Seeded(pub(crate) u64);

impl SecureRandom for Seeded {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 32) as u8;
        }
        Ok(())
    }

    fn fill_secret(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        panic!("a transport has no secrets to draw")
    }
}

/// Gives the listed bytes and then fails.
pub(crate) struct Scripted(pub(crate) Vec<u8>);

impl SecureRandom for Scripted {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        if self.0.len() < out.len() {
            return Err(RandomError);
        }
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }

    fn fill_secret(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        panic!("a transport has no secrets to draw")
    }
}

pub(crate) fn secret() -> ProxySecret {
    ProxySecret::take(&mut SECRET.clone())
}

pub(crate) fn proxy(dc: i16) -> Obfuscation {
    Obfuscation::Proxy { secret: secret(), dc }
}

/// Each way to connect that there is: the four kinds, three of them obfuscated, without and with a secret.
pub(crate) fn ways() -> Vec<(Kind, Obfuscation)> {
    let plain = Kind::ALL.into_iter().map(|kind| (kind, Obfuscation::None));
    let hidden = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Full);
    plain.chain(hidden.flat_map(|kind| [(kind, Obfuscation::Plain), (kind, proxy(-4))])).collect()
}

pub(crate) fn server() -> ServerTransport {
    ServerTransport::new(Arc::new(Limits { proxy_secrets: vec![secret()], ..Limits::default() }))
}

/// A client, and a server that has read one message of it: in full nothing less shows the transport.
pub(crate) fn connected(kind: Kind, obfuscation: &Obfuscation) -> (ClientTransport, ServerTransport) {
    let random = &mut Seeded(0x5eed);
    let (mut client, mut wire) = ClientTransport::new(kind, obfuscation, random).unwrap();
    client.send(&encrypted(1), false, &mut wire, random).unwrap();
    let mut server = server();
    server.receive(&wire);
    assert_eq!(server.drain(), [payload(&encrypted(1))]);
    (client, server)
}

/// What a server says to a tag and a frame.
pub(crate) fn server_given(tag: &[u8], frame: &[u8]) -> Result<Option<Frame>, TransportError> {
    let mut server = server();
    server.receive(tag);
    server.receive(frame);
    server.poll_frame()
}

/// What a client of that kind says to a frame.
pub(crate) fn client_given(kind: Kind, frame: &[u8]) -> Result<Option<Frame>, TransportError> {
    let (mut client, _) = ClientTransport::new(kind, &Obfuscation::None, &mut Seeded(1)).unwrap();
    client.receive(frame);
    client.poll_frame()
}

/// Something as long as an encrypted message: 24 bytes and `blocks` times 16.
pub(crate) fn encrypted(blocks: usize) -> Vec<u8> {
    (0..24 + 16 * blocks).map(|i| (i * 31 + 5) as u8).collect()
}

/// A plain message with a body of `words` times 4 bytes.
pub(crate) fn plain(words: usize) -> Vec<u8> {
    dayfly_core::plain::write(0x0102_0304_0506_0708, &vec![0xab; words * 4])
}

pub(crate) fn payload(bytes: &[u8]) -> Frame {
    Frame::Payload { bytes: bytes.to_vec(), quick_ack: false }
}

/// Both ends, seen as something that eats bytes and gives frames.
pub(crate) trait Reader {
    fn receive(&mut self, arrived: &[u8]);
    fn poll_frame(&mut self) -> Result<Option<Frame>, TransportError>;
    fn buffered_capacity(&self) -> usize;

    /// All frames that are whole by now.
    fn drain(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.poll_frame().unwrap()).collect()
    }
}

macro_rules! reader {
    ($end:ty) => {
        impl Reader for $end {
            fn receive(&mut self, arrived: &[u8]) {
                <$end>::receive(self, arrived);
            }
            fn poll_frame(&mut self) -> Result<Option<Frame>, TransportError> {
                <$end>::poll_frame(self)
            }
            fn buffered_capacity(&self) -> usize {
                <$end>::buffered_capacity(self)
            }
        }
    };
}

reader!(ClientTransport);
reader!(ServerTransport);
