//! How payloads are cut out of a stream of bytes: abridged, intermediate, padded intermediate, full, and the obfuscated
//! forms of the first three.
//!
//! Both ends are fed bytes as they come, cut anywhere, and give whole payloads back; neither opens a socket. Memory
//! follows the bytes that have arrived, never the length that a peer has only announced. Not here: HTTP, WebSocket
//! (whose contents are a stream for [`ServerTransport::obfuscated_only`]), TLS.
//!
//! ```
//! use std::sync::Arc;
//! use dayfly_core::SecureRandom;
//! use dayfly_core::env::RandomError;
//! use dayfly_core::transport::{ClientTransport, Frame, Kind, Limits, Obfuscation, ServerTransport};
//!
//! # struct Source(u8);
//! # impl SecureRandom for Source {
//! #     fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
//! #         out.iter_mut().for_each(|byte| { self.0 = self.0.wrapping_add(1); *byte = self.0 });
//! #         Ok(())
//! #     }
//! #     fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> { self.fill_public(out) }
//! # }
//! # let mut random = Source(0);
//! let (mut client, mut wire) = ClientTransport::new(Kind::Padded, &Obfuscation::Plain, &mut random)?;
//! client.send(&[1; 40], false, &mut wire, &mut random)?;
//!
//! let mut server = ServerTransport::new(Arc::new(Limits::default()));
//! server.receive(&wire);
//! let expected = Frame::Payload { bytes: vec![1; 40], quick_ack: false };
//! assert_eq!(server.poll_frame()?, Some(expected));
//! assert_eq!(server.kind(), Some(Kind::Padded));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: MTProto transports (rules TR-01 to TR-06).

mod abridged;
mod buffer;
mod client;
mod codec;
mod detect;
mod error;
mod full;
mod intermediate;
mod limits;
mod obfuscated;
mod padded;
mod server;

pub use client::ClientTransport;
pub use detect::{Beginning, beginning};
pub use error::{SendError, TransportError};
pub use limits::{Limits, MAX_FROM_CLIENT, MAX_FROM_SERVER, MAX_PLAIN};
pub use obfuscated::{INIT_LEN, Obfuscation, ProxySecret};
pub use server::ServerTransport;

/// The ways to mark where a payload ends.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// One byte of length, or four; opened by `ef`.
    Abridged,
    /// Four bytes of length; opened by `eeeeeeee`.
    Intermediate,
    /// Four bytes of length, and up to 15 random bytes after the payload; opened by `dddddddd`.
    Padded,
    /// Length, sequence number and CRC32; opened by nothing, so it has no obfuscated form.
    Full,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Abridged, Self::Intermediate, Self::Padded, Self::Full];

    /// The word for logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Abridged => "abridged",
            Self::Intermediate => "intermediate",
            Self::Padded => "padded intermediate",
            Self::Full => "full",
        }
    }

    /// Whether a quick acknowledgement can be asked for: in all but full.
    #[must_use]
    pub fn has_quick_ack(self) -> bool {
        self != Self::Full
    }
}

/// One unit of what a peer sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Frame {
    /// A payload, its padding cut off: `auth_key_id` and all that follows. At least 1 byte; its structure is unchecked.
    Payload {
        /// The payload itself.
        bytes: Vec<u8>,
        /// Whether the sender asks for a quick acknowledgement. Only a client can ask.
        quick_ack: bool,
    },
    /// A transport error, as its negative code: -404, -429, -444. Only a client gets it.
    Error(i32),
    /// The token of a quick acknowledgement as a little-endian integer, bit 31 set. Only a client gets it.
    QuickAck(u32),
    /// A payload of four zero bytes, which means nothing. Only a client gets it.
    Nop,
}
