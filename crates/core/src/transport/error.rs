//! What can be wrong with a stream, by whose fault.

use dayfly_crypto::RandomError;

/// The check that the peer's bytes failed. Each one ends the connection: after it, nobody knows where a frame begins.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The first bytes are those of an HTTP method.
    #[error("HTTP is not served on this port; the first bytes are {method:?}, expected an MTProto transport")]
    Http {
        /// The first four characters of the request.
        method: &'static str,
    },
    /// The first bytes are those of a TLS ClientHello.
    #[error(
        "TLS is not served on this port; the first bytes are a ClientHello, expected an MTProto transport"
    )]
    Tls,
    /// Source: "Transport obfuscation", rule TR-03.
    #[error("the init of 64 bytes names the transport {tag:08x}, expected efefefef, eeeeeeee or dddddddd")]
    UnknownTag {
        /// Bytes 56 to 60 after decryption, read big-endian.
        tag: u32,
    },
    /// Rule TR-06.
    #[error("a frame announces a payload of {len} bytes, expected at most {limit}")]
    TooLong {
        /// The announced length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Rule TR-06.
    #[error("a frame announces a plain message of {len} bytes, expected at most {limit}")]
    PlainTooLong {
        /// The announced length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Rule TR-06. In full, a length below its own 12 bytes of envelope counts as this too.
    #[error("a frame announces no payload, expected at least 4 bytes")]
    Empty,
    /// Rule TR-06, padded intermediate only: anywhere else such a length is [`Unaligned`](Self::Unaligned).
    #[error("a frame announces a payload of {len} bytes, expected at least 4")]
    TooShort {
        /// The announced length in bytes.
        len: usize,
    },
    /// Rule TR-06.
    #[error("a frame announces a payload of {len} bytes, expected a multiple of 4")]
    Unaligned {
        /// The announced length in bytes.
        len: usize,
    },
    /// Source: "Full", rule TR-01.
    #[error("a frame has the sequence number {got}, expected {expected}")]
    SequenceNumber {
        /// How many frames came before.
        expected: u32,
        /// What the frame says.
        got: u32,
    },
    /// Source: "Full", rule TR-01.
    #[error("a frame ends with the CRC32 {got:08x}, expected {expected:08x}")]
    Crc {
        /// The checksum of what arrived.
        expected: u32,
        /// What the frame says.
        got: u32,
    },
    /// Source: "Transport errors", rule TR-05.
    #[error("a payload of 4 bytes is the number {value}, expected a negative error code or 0")]
    PositiveCode {
        /// The payload, read little-endian.
        value: i32,
    },
}

/// Why nothing was sent: our own misuse, or a source of randomness that failed. The stream is as it was before.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Nothing can be sent to a client before its first bytes have shown its transport.
    #[error("the client has not shown its transport yet")]
    NotDetected,
    /// The payload is longer than this end may send (rule TR-06).
    #[error("a payload of {len} bytes is to be sent, the peer takes at most {limit}")]
    TooLong {
        /// The payload's length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Payloads are whole words, and there is at least one.
    #[error("a payload of {len} bytes is to be sent, expected a positive multiple of 4")]
    Unaligned {
        /// The payload's length in bytes.
        len: usize,
    },
    /// Transport errors are negative (rule TR-05).
    #[error("the transport error {code} is to be sent, expected a negative code")]
    NotNegative {
        /// The code.
        code: i32,
    },
    /// Full has no tag that an init could carry (rule TR-03).
    #[error("the full transport has no obfuscated form")]
    FullIsNeverObfuscated,
    /// No padding and no init without random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl TransportError {
    /// Whether a bound was crossed, which the peer is told by -429 before its connection is closed (rule TR-06).
    #[must_use]
    pub fn is_flood(self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::PlainTooLong { .. })
    }
}
