//! The bounds of a session.

use core::time::Duration;

/// How much one session may hold. Nothing in it grows beyond these on the word of a peer.
#[derive(Clone, Debug)]
pub struct Limits {
    /// msg_ids kept of the other side, at least 1025 (rule MS-03).
    pub window: usize,
    /// Bytes that one gzip_packed may unpack to (rule MS-12).
    pub unpacked_bytes: usize,
    /// Calls that wait or run at once on a server, in number.
    pub calls: usize,
    /// Calls that wait or run at once on a server, in bytes.
    pub call_bytes: usize,
    /// Messages that wait to be sent or acknowledged, in number.
    pub outbox: usize,
    /// Messages that wait to be sent or acknowledged, in bytes.
    pub outbox_bytes: usize,
    /// Bytes of plaintext in one packet, unless a single message is longer.
    pub packet_bytes: usize,
    /// Results longer than this go out gzip_packed if that makes them shorter; `None` packs nothing.
    pub gzip_above: Option<usize>,
    /// How long an acknowledgement waits for something to travel with.
    pub ack_delay: Duration,
    /// After this a server forgets what was sent and not acknowledged (rule MS-13).
    pub forget_after: Duration,
    /// Refuse an odd seqno on messages that must have an even one with code 34 (rule MS-04); else let it
    /// pass.
    pub strict_seqno: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window: super::window::MIN_CAPACITY,
            unpacked_bytes: 4 << 20,
            calls: 2048,
            call_bytes: 4 << 20,
            outbox: 4096,
            outbox_bytes: 4 << 20,
            packet_bytes: 256 << 10,
            gzip_above: Some(4096),
            ack_delay: Duration::from_millis(500),
            forget_after: Duration::from_secs(600),
            strict_seqno: false,
        }
    }
}
