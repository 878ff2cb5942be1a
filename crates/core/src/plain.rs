//! Plain messages: those of key creation, before there is a key to encrypt with.
//!
//! `auth_key_id` (8 zero bytes), `msg_id` (8 bytes), length (4 bytes), body; integers little-endian.
//!
//! Source: Mobile Protocol: Detailed Description, "Unencrypted Message" (rule HS-34).

use dayfly_crypto::{enforce, mutant};

/// `auth_key_id`, `msg_id` and length.
pub const HEADER_LEN: usize = 20;

/// A plain message, lent from its frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PlainMessage<'a> {
    /// The sender's `msg_id`. Of a client any value is taken; some send 0 and 1.
    pub msg_id: i64,
    /// As many bytes as the length says: one TL object, and perhaps random bytes after it.
    pub body: &'a [u8],
}

/// Which check a plain message failed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlainError {
    /// Shorter than its header.
    #[error("a plain message has {len} bytes, expected at least 20")]
    TooShort {
        /// Length of the frame in bytes.
        len: usize,
    },
    /// Encrypted, so no plain message at all.
    #[error("the auth_key_id of a plain message is not 0")]
    AuthKeyId,
    /// The length points beyond the frame.
    #[error("a plain message says that its body has {announced} bytes, {present} are there")]
    Length {
        /// What the length field says.
        announced: u32,
        /// How many bytes follow it.
        present: usize,
    },
    /// A server's message with a `msg_id` that is no answer's.
    #[error("the msg_id of a server's plain message is {msg_id:#018x}, expected 1 modulo 4")]
    MsgId {
        /// The `msg_id`.
        msg_id: i64,
    },
    /// A server's message with bytes after the body.
    #[error("{len} bytes follow the body of a server's plain message, expected none")]
    Trailing {
        /// How many.
        len: usize,
    },
}

impl<'a> PlainMessage<'a> {
    /// Reads a client's message, the server's way: any `msg_id`, and bytes after the body are left alone.
    ///
    /// # Errors
    /// The check that failed; the server answers each with -404.
    pub fn from_client(frame: &'a [u8]) -> Result<Self, PlainError> {
        split(frame).map(|(message, _)| message)
    }

    /// Reads a server's message, the client's way: a `msg_id` that is 1 modulo 4, and nothing after the body.
    ///
    /// # Errors
    /// The check that failed.
    pub fn from_server(frame: &'a [u8]) -> Result<Self, PlainError> {
        let (message, rest) = split(frame)?;
        let msg_id = message.msg_id;
        enforce!("HS-34.msg_id", msg_id.rem_euclid(4) == 1, PlainError::MsgId { msg_id });
        enforce!("HS-34.exact", rest.is_empty(), PlainError::Trailing { len: rest.len() });
        Ok(message)
    }
}

/// A whole plain message around `body`, which is shorter than 2^32 bytes: its length is exact.
#[must_use]
pub fn write(msg_id: i64, body: &[u8]) -> Vec<u8> {
    let [a, b, c, d, ..] = body.len().to_le_bytes();
    let mut frame = Vec::with_capacity(HEADER_LEN.saturating_add(body.len()));
    frame.extend_from_slice(&[0; 8]);
    frame.extend_from_slice(&msg_id.to_le_bytes());
    frame.extend_from_slice(&[a, b, c, d]);
    frame.extend_from_slice(body);
    frame
}

/// Whether a frame begins with the `auth_key_id` of a plain message. Its first eight bytes suffice.
#[must_use]
pub fn is_plain(frame: &[u8]) -> bool {
    frame.first_chunk() == Some(&[0; 8])
}

/// The header's 20 bytes and as many as it announces; `None` while the header is not whole.
pub(crate) fn announced_len(frame: &[u8]) -> Option<usize> {
    let announced: &[u8; 4] = frame.get(16..)?.first_chunk()?;
    Some(HEADER_LEN.saturating_add(u32::from_le_bytes(*announced) as usize))
}

/// The message, and what follows its body in the frame.
fn split(frame: &[u8]) -> Result<(PlainMessage<'_>, &[u8]), PlainError> {
    let too_short = PlainError::TooShort { len: frame.len() };
    let (auth_key_id, rest) = frame.split_first_chunk::<8>().ok_or(too_short)?;
    let (msg_id, rest) = rest.split_first_chunk().ok_or(too_short)?;
    let (announced, present) = rest.split_first_chunk().ok_or(too_short)?;
    enforce!("HS-34.auth_key_id", *auth_key_id == [0; 8], PlainError::AuthKeyId);
    let announced = u32::from_le_bytes(*announced);
    let split = present.split_at_checked(announced as usize);
    let (body, rest) = mutant!("HS-34.length", split, split.or(Some((present, &[]))))
        .ok_or(PlainError::Length { announced, present: present.len() })?;
    Ok((PlainMessage { msg_id: i64::from_le_bytes(*msg_id), body }, rest))
}

#[cfg(test)]
mod tests {
    use super::{PlainError, PlainMessage, is_plain, write};

    const BODY: &[u8] = &[0xf1, 0x8e, 0x7e, 0xbe, 1, 2, 3, 4];

    /// The id of an answer: 1 modulo 4.
    const ANSWER: i64 = 0x51e5_7ac9_1e83_c801;

    // rule: HS-34
    #[test]
    fn a_message_is_written_with_its_exact_length() {
        let frame = write(ANSWER, BODY);
        let expected = "000000000000000001c8831ec97ae55108000000f18e7ebe01020304";
        assert_eq!(hex::encode(&frame), expected);
        assert!(is_plain(&frame));
        assert!(!is_plain(&frame[..7]));
        assert_eq!(PlainMessage::from_server(&frame), Ok(PlainMessage { msg_id: ANSWER, body: BODY }));
    }

    // rule: HS-34
    #[test]
    fn a_client_may_send_any_msg_id() {
        for msg_id in [0, 1, 2, 3, -1, i64::MIN, i64::MAX] {
            let frame = write(msg_id, BODY);
            assert_eq!(PlainMessage::from_client(&frame), Ok(PlainMessage { msg_id, body: BODY }));
        }
    }

    // rule: HS-34
    #[test]
    fn bytes_after_the_object_inside_the_length_belong_to_the_body() {
        for len in [1, 104, 255] {
            let body = [BODY, &vec![0x77; len]].concat();
            let frame = write(ANSWER, &body);
            assert_eq!(PlainMessage::from_client(&frame).map(|message| message.body), Ok(&body[..]));
            assert_eq!(PlainMessage::from_server(&frame).map(|message| message.body), Ok(&body[..]));
        }
    }

    // rule: HS-34
    #[test]
    fn bytes_after_the_length_are_ignored_of_a_client_and_refused_of_a_server() {
        let frame = [&write(ANSWER, BODY)[..], &[0; 4]].concat();
        assert_eq!(PlainMessage::from_client(&frame).map(|message| message.body), Ok(BODY));
        assert_eq!(PlainMessage::from_server(&frame), Err(PlainError::Trailing { len: 4 }));
    }

    // rule: HS-34
    #[test]
    fn a_length_beyond_the_frame_is_refused() {
        for announced in [9, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
            let mut frame = write(ANSWER, BODY);
            frame[16..20].copy_from_slice(&announced.to_le_bytes());
            let refused = Err(PlainError::Length { announced, present: 8 });
            assert_eq!(PlainMessage::from_client(&frame), refused);
            assert_eq!(PlainMessage::from_server(&frame), refused);
        }
    }

    // rule: HS-34
    #[test]
    fn a_server_answers_under_an_id_that_is_1_modulo_4() {
        for msg_id in [ANSWER - 1, ANSWER + 1, ANSWER + 2, 0, -1] {
            let frame = write(msg_id, BODY);
            assert_eq!(PlainMessage::from_server(&frame), Err(PlainError::MsgId { msg_id }));
        }
    }

    // rule: HS-34
    #[test]
    fn another_auth_key_id_is_no_plain_message() {
        for at in 0..8 {
            let mut frame = write(ANSWER, BODY);
            frame[at] = 1;
            assert_eq!(PlainMessage::from_client(&frame), Err(PlainError::AuthKeyId));
        }
    }

    // rule: HS-34
    #[test]
    fn a_frame_shorter_than_the_header_is_refused() {
        let frame = write(ANSWER, &[]);
        assert_eq!(PlainMessage::from_client(&frame), Ok(PlainMessage { msg_id: ANSWER, body: &[] }));
        for len in 0..20 {
            assert_eq!(PlainMessage::from_client(&frame[..len]), Err(PlainError::TooShort { len }));
        }
    }
}
