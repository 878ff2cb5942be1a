//! Intermediate: the length in bytes as 4 little-endian ones.

use super::codec::{Envelope, Head, QUICK_ACK_BIT, Role, word};

/// Reads what stands before a payload. A server's token comes without an envelope; its top bit tells it from a length.
pub(super) fn head(bytes: &[u8], role: Role) -> Option<Head> {
    let first = word(bytes)?;
    if role == Role::Client && first & QUICK_ACK_BIT != 0 {
        return Some(Head::Token(first));
    }
    let len = (first & !QUICK_ACK_BIT) as usize;
    Some(Head::Envelope(Envelope { quick_ack: first & QUICK_ACK_BIT != 0, before: 4, len, after: 0 }))
}

/// Appends the length of what follows: `len` bytes, below 2^31.
pub(super) fn write_head(len: usize, quick_ack: bool, out: &mut Vec<u8>) {
    let [a, b, c, d, ..] = len.to_le_bytes();
    let [.., top] = if quick_ack { QUICK_ACK_BIT } else { 0 }.to_le_bytes();
    out.extend_from_slice(&[a, b, c, d | top]);
}

/// Appends the token of a quick acknowledgement: four bytes without a length.
pub(super) fn write_token(token: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&(token | QUICK_ACK_BIT).to_le_bytes());
}
