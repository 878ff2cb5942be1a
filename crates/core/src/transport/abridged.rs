//! Abridged: the length in words of 4 bytes, in 1 byte or, from 127 on, in 4.

use dayfly_crypto::mutant;

use super::codec::{Envelope, Head, QUICK_ACK_BIT, Role};

/// Stands in the first byte when the length follows in three more.
const LONG: u8 = 0x7f;
/// The top bit of the first byte: a client asks for a quick acknowledgement, or the server gives one.
const TOP: u8 = 0x80;

/// Reads what stands before a payload. A server's token comes without an envelope, its bytes swapped.
///
/// The documentation does not say whether a length below 127 may be written in four bytes; it is taken.
pub(super) fn head(bytes: &[u8], role: Role) -> Option<Head> {
    let first = *bytes.first()?;
    if role == Role::Client && first & TOP != 0 {
        return bytes.first_chunk().map(|token| Head::Token(u32::from_be_bytes(*token)));
    }
    let (before, words) = match first & !TOP {
        LONG => match *bytes.first_chunk()? {
            [_, a, b, c] => (4, u32::from_le_bytes([a, b, c, 0])),
        },
        words => (1, u32::from(words)),
    };
    let quick_ack = mutant!("TR-04.abridged", first & TOP != 0, false);
    Some(Head::Envelope(Envelope { quick_ack, before, len: (words as usize).saturating_mul(4), after: 0 }))
}

/// Appends the shortest envelope for a payload of `len` bytes, a multiple of 4 below 2^26.
pub(super) fn write_head(len: usize, quick_ack: bool, out: &mut Vec<u8>) {
    let top = if quick_ack { TOP } else { 0 };
    let [a, b, c, ..] = (len / 4).to_le_bytes();
    let short = mutant!("TR-01.shortest", len / 4 < usize::from(LONG), false);
    if short { out.push(a | top) } else { out.extend_from_slice(&[LONG | top, a, b, c]) }
}

/// Appends the token of a quick acknowledgement: four bytes, swapped so that its top bit comes first.
pub(super) fn write_token(token: u32, out: &mut Vec<u8>) {
    let token = token | QUICK_ACK_BIT;
    out.extend_from_slice(&mutant!("TR-04.swapped", token.to_be_bytes(), token.to_le_bytes()));
}
