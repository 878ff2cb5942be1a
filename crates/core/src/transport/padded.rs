//! Padded intermediate: intermediate with random bytes after the payload, and no word on where the payload ends.

use dayfly_crypto::{RandomError, SecureRandom, mutant};

use super::codec::{Envelope, Head, QUICK_ACK_BIT, Role, word};
use super::intermediate;
use crate::plain;

/// The most padding that is taken: the documents allow it.
pub(super) const MAX_PADDING: usize = 15;
/// The most padding that is sent. Payloads are whole words, and gotd and Telethon cut off what a length has over a multiple
/// of 4 and no more; MTProxy's own server keeps to 3 as well.
const MOST_SENT: usize = 3;
/// The longest quick acknowledgement: -1, the token, and 8 bytes of padding.
const MAX_TOKEN: usize = 16;
/// What stands before the token of a quick acknowledgement.
const TOKEN_MARK: u32 = u32::MAX;
/// `auth_key_id` and `msg_key`: what stands before the encrypted part, whose length is a multiple of [`BLOCK`].
const ENCRYPTED_HEADER: usize = 24;
/// A block of AES.
const BLOCK: usize = 16;

/// Reads what stands before a payload and its padding. Only a client's length has a top bit with a meaning.
pub(super) fn head(bytes: &[u8], role: Role) -> Option<Head> {
    match role {
        Role::Server => intermediate::head(bytes, role),
        Role::Client => {
            let len = word(bytes)? as usize;
            Some(Head::Envelope(Envelope { quick_ack: false, before: 4, len, after: 0 }))
        }
    }
}

/// The token, if a server's frame is a quick acknowledgement: -1, the token, up to 8 bytes more.
pub(super) fn token(contents: &[u8]) -> Option<u32> {
    let (mark, rest) = contents.split_first_chunk()?;
    let marked = u32::from_le_bytes(*mark) == TOKEN_MARK && contents.len() <= MAX_TOKEN;
    if marked { word(rest) } else { None }
}

/// Cuts the padding off: a plain message has 20 bytes and as many as it says, an encrypted one 24 and whole blocks.
///
/// A plain message that says more than is there stays as it is, for its reader to refuse.
pub(super) fn cut(contents: &[u8]) -> &[u8] {
    let len = if plain::is_plain(contents) {
        plain::announced_len(contents).unwrap_or(contents.len())
    } else {
        let blocks = contents.len().saturating_sub(ENCRYPTED_HEADER) / BLOCK;
        ENCRYPTED_HEADER.saturating_add(blocks.saturating_mul(BLOCK))
    };
    let cut = contents.get(..len).unwrap_or(contents);
    mutant!("TR-01.cut", cut, contents)
}

/// Up to 3 random bytes to stand after a payload.
pub(super) fn padding(random: &mut dyn SecureRandom) -> Result<Padding, RandomError> {
    Padding::draw(random, MOST_SENT)
}

/// Appends a quick acknowledgement with its length and up to 8 bytes of padding.
pub(super) fn write_token(
    token: u32,
    out: &mut Vec<u8>,
    random: &mut dyn SecureRandom,
) -> Result<(), RandomError> {
    let padding = Padding::draw(random, 8)?;
    intermediate::write_head(padding.bytes().len().saturating_add(8), false, out);
    out.extend_from_slice(&TOKEN_MARK.to_le_bytes());
    out.extend_from_slice(&(token | QUICK_ACK_BIT).to_le_bytes());
    out.extend_from_slice(padding.bytes());
    Ok(())
}

/// Random bytes of a random number.
pub(super) struct Padding {
    drawn: [u8; MAX_PADDING + 1],
    len: usize,
}

impl Padding {
    /// `0..=most` bytes, `most` being at most 15. One draw gives both the number and the bytes.
    fn draw(random: &mut dyn SecureRandom, most: usize) -> Result<Self, RandomError> {
        let mut drawn = [0; MAX_PADDING + 1];
        random.fill_public(&mut drawn)?;
        let [first, ..] = drawn;
        let len = usize::from(first).checked_rem(most.saturating_add(1)).unwrap_or(0);
        Ok(Self { drawn, len })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        let [_, rest @ ..] = &self.drawn;
        rest.get(..self.len).unwrap_or_default()
    }
}
