//! A client's end of a connection.

use dayfly_core::server::ConnectionId;
use dayfly_core::transport::{ClientTransport, Frame, Kind, Obfuscation};

use crate::world::Chance;

pub(super) struct Link {
    pub(super) id: ConnectionId,
    channel: Channel,
}

enum Channel {
    Stream {
        transport: Box<ClientTransport>,
        /// Whether the server got bytes on it. Full opens with none.
        spoke: bool,
        /// Whether both ends take it for the same transport.
        legible: bool,
    },
    Http {
        /// Whether a request has no response yet.
        waits: bool,
    },
}

/// What the server gets.
pub(super) enum Sent {
    Bytes(Vec<u8>),
    Request(Vec<u8>),
}

impl Link {
    /// With the bytes that open it; `None` if there is no randomness for them.
    pub(super) fn stream(id: ConnectionId, kind: Kind, chance: &mut Chance) -> Option<(Self, Vec<u8>)> {
        let obfuscation = if kind == Kind::Full { Obfuscation::None } else { Obfuscation::Plain };
        let (transport, opening) = ClientTransport::new(kind, &obfuscation, chance).ok()?;
        let transport = Box::new(transport);
        let channel = Channel::Stream { transport, spoke: !opening.is_empty(), legible: true };
        Some((Self { id, channel }, opening))
    }

    pub(super) fn http(id: ConnectionId) -> Self {
        Self { id, channel: Channel::Http { waits: false } }
    }

    /// A payload as it is sent; `None` if there is no randomness for it.
    pub(super) fn sent(&mut self, payload: &[u8], quick_ack: bool, chance: &mut Chance) -> Option<Sent> {
        let Channel::Stream { transport, spoke, .. } = &mut self.channel else {
            return Some(self.sent_raw(payload));
        };
        *spoke = true;
        let mut wire = Vec::new();
        transport.send(payload, quick_ack, &mut wire, chance).ok()?;
        Some(Sent::Bytes(wire))
    }

    /// Bytes that the client's end knows nothing of.
    pub(super) fn sent_raw(&mut self, bytes: &[u8]) -> Sent {
        match &mut self.channel {
            // First bytes say which transport it is, and these may say another one than the client's end speaks.
            Channel::Stream { spoke, legible, .. } => {
                *legible &= *spoke || bytes.is_empty();
                Sent::Bytes(bytes.to_vec())
            }
            Channel::Http { waits } => {
                *waits = true;
                Sent::Request(bytes.to_vec())
            }
        }
    }

    /// The payloads that came with these bytes.
    pub(super) fn received(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Channel::Stream { transport, legible, .. } = &mut self.channel else {
            panic!("bytes over HTTP");
        };
        let mut payloads = Vec::new();
        if *legible {
            transport.receive(bytes);
            while let Some(frame) = transport.poll_frame().expect("a server's frame") {
                if let Frame::Payload { bytes, .. } = frame {
                    payloads.push(bytes);
                }
            }
        }
        payloads
    }

    /// There is one response a request.
    pub(super) fn responded(&mut self) {
        let Channel::Http { waits } = &mut self.channel else { panic!("a response on a stream") };
        assert!(core::mem::take(waits), "a response to no request");
    }
}
