//! `msg_container`: several messages in one packet, taken or refused as a whole.

use dayfly_tl::Reader;
use dayfly_tl::mtproto::{Message, MsgContainer, MsgCopy};

use super::msg_id::MsgId;
use crate::enforce;

/// A message with its header, lent or owned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Inner<'a> {
    /// Its identifier.
    pub msg_id: MsgId,
    /// Its sequence number.
    pub seqno: i32,
    /// The serialized object.
    pub body: &'a [u8],
}

/// Why a container is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// More than 1024 messages.
    #[error("the container holds more than 1024 messages")]
    TooMany,
    /// It is cut, a length is wrong, or bytes follow the last message.
    #[error("the container does not come apart")]
    Malformed,
    /// It holds a container.
    #[error("the container holds a container")]
    Nested,
    /// It holds a message whose msg_id is not lower than its own.
    #[error("a message in the container has a msg_id not lower than the container's")]
    Order,
}

/// Whether the object is a container.
#[must_use]
pub fn is_container(body: &[u8]) -> bool {
    Reader::new(body).peek_id() == Ok(MsgContainer::CONSTRUCTOR)
}

/// Takes a container apart; `outer` is its own msg_id. An empty one is legal.
///
/// Source: Service Messages, "Simple Container" (rule MS-12).
///
/// # Errors
/// [`ContainerError`], one variant for each rule of its structure.
pub fn open(body: &[u8], outer: MsgId) -> Result<Vec<Inner<'_>>, ContainerError> {
    let mut reader = Reader::new(body);
    reader.expect_id(MsgContainer::CONSTRUCTOR).map_err(|_| ContainerError::Malformed)?;
    let count = reader.u32().map_err(|_| ContainerError::Malformed)?;
    enforce!("MS-12.count", count <= MAX_MESSAGES, ContainerError::TooMany);
    let mut messages = Vec::new();
    for _ in 0..count {
        messages.push(one(&mut reader, outer)?);
    }
    enforce!("MS-12.trailing", reader.remaining() == 0, ContainerError::Malformed);
    Ok(messages)
}

/// Takes a `msg_copy` apart: an old message, sent again inside a new one; `outer` is the msg_id of the new
/// one.
///
/// Source: Service Messages, "Message Copies".
///
/// # Errors
/// As [`open`], for what is inside is held to the same.
pub fn open_copy(body: &[u8], outer: MsgId) -> Result<Inner<'_>, ContainerError> {
    let mut reader = Reader::new(body);
    reader.expect_id(MsgCopy::CONSTRUCTOR).map_err(|_| ContainerError::Malformed)?;
    reader.expect_id(Message::CONSTRUCTOR).map_err(|_| ContainerError::Malformed)?;
    let inner = one(&mut reader, outer)?;
    if reader.remaining() == 0 { Ok(inner) } else { Err(ContainerError::Malformed) }
}

fn one<'a>(reader: &mut Reader<'a>, outer: MsgId) -> Result<Inner<'a>, ContainerError> {
    let msg_id = MsgId::from_long(reader.i64().map_err(|_| ContainerError::Malformed)?);
    let seqno = reader.i32().map_err(|_| ContainerError::Malformed)?;
    let body = reader.sized_object().map_err(|_| ContainerError::Malformed)?;
    enforce!("MS-12.nested", !is_container(body), ContainerError::Nested);
    enforce!("MS-12.order", msg_id < outer, ContainerError::Order);
    Ok(Inner { msg_id, seqno, body })
}

/// The bytes of a container. At most [`MAX_MESSAGES`] messages; the caller sees to it.
#[must_use]
pub fn pack(messages: &[Inner<'_>]) -> Vec<u8> {
    let bodies: usize = messages.iter().map(|inner| inner.body.len().saturating_add(INNER_HEADER)).sum();
    let mut out = Vec::with_capacity(bodies.saturating_add(8));
    out.extend_from_slice(&MsgContainer::CONSTRUCTOR.to_le_bytes());
    out.extend_from_slice(&u32::try_from(messages.len()).unwrap_or(u32::MAX).to_le_bytes());
    for inner in messages {
        out.extend_from_slice(&inner.msg_id.0.to_le_bytes());
        out.extend_from_slice(&inner.seqno.to_le_bytes());
        out.extend_from_slice(&i32::try_from(inner.body.len()).unwrap_or(i32::MAX).to_le_bytes());
        out.extend_from_slice(inner.body);
    }
    out
}

/// How many messages a container may hold.
pub const MAX_MESSAGES: u32 = 1024;
/// Bytes of msg_id, seqno and length before each body.
pub const INNER_HEADER: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inner(id: u64) -> Inner<'static> {
        Inner { msg_id: MsgId(id), seqno: 1, body: &[1, 2, 3, 4] }
    }

    // rule: MS-12
    #[test]
    fn what_is_packed_comes_apart_and_nothing_is_a_container_too() {
        let messages = [inner(4), inner(8)];
        assert_eq!(open(&pack(&messages), MsgId(12)).unwrap(), messages);
        assert_eq!(open(&pack(&[]), MsgId(12)).unwrap(), []);
    }

    // rule: MS-12
    #[test]
    fn more_than_1024_messages_are_refused() {
        let many: Vec<_> = (0..1025).map(inner).collect();
        assert!(open(&pack(&many[..1024]), MsgId(9000)).is_ok());
        assert_eq!(open(&pack(&many), MsgId(9000)), Err(ContainerError::TooMany));
    }

    // rule: MS-12
    #[test]
    fn a_container_in_a_container_is_refused() {
        let nested = pack(&[]);
        let outer = pack(&[Inner { body: &nested, ..inner(4) }]);
        assert_eq!(open(&outer, MsgId(12)), Err(ContainerError::Nested));
    }

    // rule: MS-12
    #[test]
    fn a_message_not_lower_than_its_container_is_refused() {
        assert_eq!(open(&pack(&[inner(12)]), MsgId(12)), Err(ContainerError::Order));
        assert_eq!(open(&pack(&[inner(16)]), MsgId(12)), Err(ContainerError::Order));
    }

    // rule: MS-12
    #[test]
    fn bytes_after_the_last_message_are_refused() {
        let mut bytes = pack(&[inner(4)]);
        bytes.extend_from_slice(&[0; 4]);
        assert_eq!(open(&bytes, MsgId(12)), Err(ContainerError::Malformed));
    }

    #[test]
    fn a_cut_or_lying_container_is_malformed() {
        let bytes = pack(&[inner(4), inner(8)]);
        for len in 0..bytes.len() {
            assert_eq!(open(&bytes[..len], MsgId(12)), Err(ContainerError::Malformed), "{len} bytes");
        }
        let mut negative = pack(&[inner(4)]);
        negative[20..24].copy_from_slice(&(-4i32).to_le_bytes());
        assert_eq!(open(&negative, MsgId(12)), Err(ContainerError::Malformed));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..100)) {
            let bytes = [&MsgContainer::CONSTRUCTOR.to_le_bytes()[..], &tail].concat();
            drop(open(&bytes, MsgId(u64::MAX)));
        }
    }
}
