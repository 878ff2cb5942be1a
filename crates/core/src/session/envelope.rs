//! The encrypted message: `auth_key_id`, `msg_key`, and under AES-256-IGE the header, the body and the
//! padding.
//!
//! ```text
//! auth_key_id 8 | msg_key 16 | encrypted: salt 8 | session_id 8 | msg_id 8 | seqno 4 | length 4 | body | padding 12..1024
//! ```
//!
//! Source: Mobile Protocol: Detailed Description, "Encrypted Message" (rules MS-05, MS-06, MS-07).

use dayfly_crypto::{AuthKeyId, RandomError, SecureRandom, ige, kdf, kdf::Side};
use subtle::ConstantTimeEq as _;

use super::SessionId;
use super::msg_id::MsgId;
use crate::keys::kind::TrafficKey;
use crate::{enforce, mutant};

/// A message whose msg_key was right; the body is lent from the packet.
#[derive(Clone, Copy, Debug)]
pub struct Opened<'a> {
    /// `server_salt`, the little-endian number of its bytes.
    pub salt: i64,
    /// The session it belongs to; a server refuses 0 (rule MS-08).
    pub session_id: SessionId,
    /// Its identifier.
    pub msg_id: MsgId,
    /// Its sequence number.
    pub seqno: i32,
    /// The serialized object, as long as the header says.
    pub body: &'a [u8],
    /// What a quick acknowledgement of the packet says (rule TR-04).
    pub quick_ack: u32,
}

/// Why a packet is no message under this key. Whatever it is, the connection is closed without a word.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is shorter than the shortest message.
    #[error("the packet is too short for an encrypted message")]
    TooShort,
    /// It names another key.
    #[error("the packet is under another key")]
    OtherKey,
    /// Rule MS-07: the encrypted part is not a multiple of 16 bytes.
    #[error("the encrypted part is not whole blocks")]
    PartialBlock,
    /// Rule MS-06: the msg_key is not that of the plaintext.
    #[error("the msg_key does not fit the plaintext")]
    MsgKey,
    /// Rule MS-07: the length is negative, not divisible by 4, or beyond the plaintext.
    #[error("the message length is out of range")]
    Length,
    /// Rule MS-07: the padding is not 12..1024 bytes.
    #[error("the padding is out of range")]
    Padding,
}

/// Our own misuse, or a random source that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The plaintext is not whole words, or has no header.
    #[error("the plaintext is not a message")]
    NotAMessage,
    /// No padding without randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// The `auth_key_id` that a packet names; `None` if it is shorter than that.
#[must_use]
pub fn key_id(packet: &[u8]) -> Option<AuthKeyId> {
    packet.first_chunk().copied().map(AuthKeyId::from_wire)
}

/// Encrypts one message: `plaintext` is what `poll_transmit` of a session gave.
///
/// The padding is the shortest of 12 bytes and more that fills the last block. `sender` is the side that we
/// are.
///
/// # Errors
/// [`SealError::NotAMessage`] if the plaintext is no message, [`SealError::Random`] if there was no padding
/// to be had.
pub fn seal(
    key: &TrafficKey,
    sender: Side,
    plaintext: &[u8],
    random: &mut dyn SecureRandom,
) -> Result<Vec<u8>, SealError> {
    if plaintext.len() < HEADER || !plaintext.len().is_multiple_of(4) {
        return Err(SealError::NotAMessage);
    }
    let filled = plaintext.len().saturating_add(MIN_PADDING).next_multiple_of(BLOCK);
    let mut packet = vec![0; filled.saturating_add(OUTER)];
    let (outer, encrypted) = packet.split_at_mut(OUTER);
    let (message, padding) = encrypted.split_at_mut(plaintext.len());
    message.copy_from_slice(plaintext);
    random.fill_public(padding)?;
    let msg_key = kdf::v2_msg_key(key.auth_key(), encrypted, sender).msg_key();
    let aes = kdf::v2_aes(key.auth_key(), &msg_key, sender);
    ige::encrypt(encrypted, &aes.key, &aes.iv).map_err(|_| SealError::NotAMessage)?;
    let (id, tail) = outer.split_at_mut(KEY_ID);
    id.copy_from_slice(&key.id().to_wire());
    tail.copy_from_slice(&msg_key);
    Ok(packet)
}

/// Decrypts one packet in place. `sender` is the other side.
///
/// The msg_key is compared, in constant time, before anything else of the plaintext is looked at.
///
/// Source: Security Guidelines, "Mandatory checks for MTProto encrypted messages" (rules MS-05 to MS-07).
///
/// # Errors
/// [`OpenError`], one variant a check.
pub fn open<'a>(key: &TrafficKey, sender: Side, packet: &'a mut [u8]) -> Result<Opened<'a>, OpenError> {
    let (id, rest) = packet.split_first_chunk_mut::<KEY_ID>().ok_or(OpenError::TooShort)?;
    let (msg_key, encrypted) = rest.split_first_chunk_mut::<MSG_KEY>().ok_or(OpenError::TooShort)?;
    enforce!("MS-06.key-id", AuthKeyId::from_wire(*id) == key.id(), OpenError::OtherKey);
    // rule MS-07: the cipher itself takes nothing but whole blocks.
    if !encrypted.len().is_multiple_of(BLOCK) {
        return Err(OpenError::PartialBlock);
    }
    let aes = kdf::v2_aes(key.auth_key(), msg_key, sender);
    ige::decrypt(encrypted, &aes.key, &aes.iv).map_err(|_| OpenError::PartialBlock)?;
    let large = kdf::v2_msg_key(key.auth_key(), encrypted, sender);
    let same = bool::from(large.msg_key().ct_eq(msg_key));
    enforce!("MS-06.msg-key", same, OpenError::MsgKey);
    parse(encrypted, large.quick_ack())
}

/// Takes the decrypted part apart.
fn parse(plaintext: &[u8], quick_ack: u32) -> Result<Opened<'_>, OpenError> {
    let (header, rest) = plaintext.split_first_chunk::<HEADER>().ok_or(OpenError::TooShort)?;
    let mut fields = dayfly_tl::Reader::new(header);
    let mut long = || fields.i64().map_err(|_| OpenError::TooShort);
    let (salt, session_id, msg_id) = (long()?, SessionId(long()?), MsgId::from_long(long()?));
    let seqno = fields.i32().map_err(|_| OpenError::TooShort)?;
    let length = fields.i32().map_err(|_| OpenError::TooShort)?;
    let length = usize::try_from(length).map_err(|_| OpenError::Length)?;
    enforce!("MS-07.words", length.is_multiple_of(4), OpenError::Length);
    let (body, padding) = rest.split_at_checked(length).ok_or(OpenError::Length)?;
    enforce!("MS-07.padding-min", padding.len() >= MIN_PADDING, OpenError::Padding);
    enforce!("MS-07.padding-max", padding.len() <= MAX_PADDING, OpenError::Padding);
    Ok(Opened { salt, session_id, msg_id, seqno, body, quick_ack })
}

/// The plaintext of one message without its padding: the input of [`seal`].
#[must_use]
pub fn plaintext(salt: i64, session_id: SessionId, msg_id: MsgId, seqno: i32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER.saturating_add(body.len()));
    out.extend_from_slice(&salt.to_le_bytes());
    out.extend_from_slice(&session_id.0.to_le_bytes());
    out.extend_from_slice(&msg_id.0.to_le_bytes());
    out.extend_from_slice(&seqno.to_le_bytes());
    // No body reaches 2 GiB; one that did would be cut off by the length check of whoever opens it.
    out.extend_from_slice(&mutant!("MS-07.sent-length", word(body.len()), 0).to_le_bytes());
    out.extend_from_slice(body);
    out
}

fn word(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

const KEY_ID: usize = 8;
const MSG_KEY: usize = 16;
const OUTER: usize = KEY_ID + MSG_KEY;
const HEADER: usize = 32;
const BLOCK: usize = 16;
const MIN_PADDING: usize = 12;
const MAX_PADDING: usize = 1024;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dayfly_crypto::AuthKey;
    use proptest::prelude::*;

    use super::*;
    use crate::keys::kind::UnboundTempKey;
    use crate::session::testing::Counting;

    fn key(byte: u8) -> TrafficKey {
        let bytes = core::array::from_fn(|at| byte.wrapping_add(at as u8)); // no two parts of it are the same
        TrafficKey::from(&UnboundTempKey::new(Arc::new(AuthKey::copy_of(&bytes)), 0))
    }

    /// Encrypts a plaintext with its padding as it stands, right or wrong.
    fn encrypted(plaintext: &[u8]) -> Vec<u8> {
        let key = key(1);
        let msg_key = kdf::v2_msg_key(key.auth_key(), plaintext, Side::Client).msg_key();
        let aes = kdf::v2_aes(key.auth_key(), &msg_key, Side::Client);
        let mut data = plaintext.to_vec();
        ige::encrypt(&mut data, &aes.key, &aes.iv).unwrap();
        [&key.id().to_wire()[..], &msg_key, &data].concat()
    }

    fn message(length: i32, rest: usize) -> Vec<u8> {
        let mut bytes = plaintext(1, SessionId(2), MsgId(4), 1, &[]);
        bytes[28..32].copy_from_slice(&length.to_le_bytes());
        bytes.resize(HEADER + rest, 0);
        bytes
    }

    fn outcome(plaintext: &[u8]) -> Option<OpenError> {
        open(&key(1), Side::Client, &mut encrypted(plaintext)).err()
    }

    // rule: MS-05, MS-07
    #[test]
    fn what_is_sealed_opens_on_the_other_side() {
        for sender in [Side::Client, Side::Server] {
            let plain = plaintext(-5, SessionId(77), MsgId(400), 3, b"body");
            let mut packet = seal(&key(1), sender, &plain, &mut Counting::default()).unwrap();
            assert_eq!(key_id(&packet), Some(key(1).id()));
            let opened = open(&key(1), sender, &mut packet).unwrap();
            assert_eq!((opened.salt, opened.session_id, opened.msg_id), (-5, SessionId(77), MsgId(400)));
            assert_eq!((opened.seqno, opened.body), (3, &b"body"[..]));
        }
    }

    // rule: MS-05
    #[test]
    fn a_packet_turned_back_to_its_sender_is_refused() {
        let plain = plaintext(0, SessionId(7), MsgId(4), 1, b"body");
        let mut packet = seal(&key(1), Side::Client, &plain, &mut Counting::default()).unwrap();
        assert_eq!(open(&key(1), Side::Server, &mut packet).err(), Some(OpenError::MsgKey));
    }

    // rule: MS-06
    #[test]
    fn one_changed_bit_of_the_msg_key_or_the_padding_is_refused() {
        let plain = plaintext(0, SessionId(7), MsgId(4), 1, b"body");
        let packet = seal(&key(1), Side::Client, &plain, &mut Counting::default()).unwrap();
        for at in [8, 23, 24, packet.len() - 1] {
            let mut changed = packet.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key(1), Side::Client, &mut changed).err(), Some(OpenError::MsgKey), "byte {at}");
        }
    }

    // rule: MS-06
    #[test]
    fn the_msg_key_is_checked_before_the_length_is_believed() {
        let mut packet = encrypted(&message(-4, 16));
        packet[8] ^= 1;
        assert_eq!(open(&key(1), Side::Client, &mut packet).err(), Some(OpenError::MsgKey));
    }

    // rule: MS-06
    #[test]
    fn a_packet_that_names_another_key_is_refused() {
        let mut packet = encrypted(&message(4, 16));
        packet[0] ^= 1;
        assert_eq!(open(&key(1), Side::Client, &mut packet).err(), Some(OpenError::OtherKey));
    }

    // rule: MS-06, MS-19
    #[test]
    fn a_message_of_mtproto_1_is_refused() {
        let (key, plain) = (key(1), message(16, 16));
        let msg_key = kdf::v1_msg_key(&plain);
        let aes = kdf::v1_aes(key.auth_key(), &msg_key, Side::Client);
        let mut data = plain;
        ige::encrypt(&mut data, &aes.key, &aes.iv).unwrap();
        let mut packet = [&key.id().to_wire()[..], &msg_key, &data].concat();
        assert_eq!(open(&key, Side::Client, &mut packet).err(), Some(OpenError::MsgKey));
    }

    // rule: MS-07
    #[test]
    fn a_length_that_is_not_whole_words_is_refused() {
        assert_eq!(outcome(&message(4, 16)), None);
        assert_eq!(outcome(&message(2, 16)), Some(OpenError::Length));
    }

    // rule: MS-07
    #[test]
    fn a_length_below_zero_or_past_the_end_is_refused() {
        assert_eq!(outcome(&message(-4, 16)), Some(OpenError::Length));
        assert_eq!(outcome(&message(20, 16)), Some(OpenError::Length));
        assert_eq!(outcome(&message(i32::MAX, 16)), Some(OpenError::Length));
    }

    // rule: MS-07
    #[test]
    fn padding_under_12_bytes_is_refused() {
        assert_eq!(outcome(&message(8, 16)), Some(OpenError::Padding));
        assert_eq!(outcome(&message(16, 16)), Some(OpenError::Padding));
    }

    // rule: MS-07
    #[test]
    fn padding_over_1024_bytes_is_refused() {
        assert_eq!(outcome(&message(0, 1024)), None);
        assert_eq!(outcome(&message(12, 1040)), Some(OpenError::Padding));
    }

    // rule: MS-07
    #[test]
    fn a_cut_packet_is_refused() {
        let packet = encrypted(&message(4, 32));
        for len in [0, 7, 8, 23, 24, 40] {
            assert!(open(&key(1), Side::Client, &mut packet[..len].to_vec()).is_err(), "{len} bytes");
        }
        assert_eq!(
            open(&key(1), Side::Client, &mut packet[..packet.len() - 1].to_vec()).err(),
            Some(OpenError::PartialBlock)
        );
    }

    #[test]
    fn half_a_word_is_not_sealed() {
        let plain = plaintext(0, SessionId(7), MsgId(4), 1, b"odd");
        let sealed = seal(&key(1), Side::Client, &plain, &mut Counting::default());
        assert_eq!(sealed.err(), Some(SealError::NotAMessage));
    }

    proptest! {
        #[test]
        fn any_length_keeps_to_the_rules_of_padding(words in 0usize..400) {
            let plain = plaintext(0, SessionId(7), MsgId(4), 1, &vec![9; words * 4]);
            let mut packet = seal(&key(1), Side::Server, &plain, &mut Counting::default()).unwrap();
            prop_assert_eq!(packet.len() % 16, 8);
            let opened = open(&key(1), Side::Server, &mut packet).unwrap();
            prop_assert_eq!(opened.body.len(), words * 4);
        }

        #[test]
        fn random_packets_never_panic(mut packet in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&key(1), Side::Client, &mut packet).is_err());
        }
    }
}
