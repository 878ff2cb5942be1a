//! What came over a connection, taken apart.

use dayfly_core::keys::kind::TrafficKey;
use dayfly_core::session::container::{self, Inner};
use dayfly_core::session::{MsgId, SessionId, envelope};
use dayfly_crypto::AuthKeyId;
use dayfly_crypto::kdf::Side;
use dayfly_tl::mtproto::{RpcError, RpcResult};
use dayfly_tl::{Reader, read_exact};

/// The result of a call, or its error.
pub(crate) type Outcome = Result<Vec<u8>, (i32, String)>;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    /// A transport error.
    Error(i32),
    /// A plain message of the key exchange.
    Plain(Vec<u8>),
    /// A message out of its packet and container.
    Message { key: AuthKeyId, session: SessionId, msg_id: MsgId, body: Vec<u8> },
    /// A response came; the messages of its packet follow.
    Response { status: u16, empty: bool },
    /// The connection was closed.
    Closed,
}

impl Heard {
    /// The constructor of a message, 0 for anything else.
    pub(crate) fn constructor(&self) -> u32 {
        match self {
            Self::Message { body, .. } => Reader::new(body).peek_id().unwrap(),
            _ => 0,
        }
    }

    /// What `msg_id` was answered, if this is the answer.
    pub(crate) fn answer_to(&self, msg_id: MsgId) -> Option<Outcome> {
        let Self::Message { body, .. } = self else { return None };
        let result: RpcResult<'_> = read_exact(body).ok()?;
        if result.req_msg_id != msg_id.to_long() {
            return None;
        }
        Some(match read_exact::<RpcError<'_>>(result.result) {
            Ok(error) => Err((error.error_code, String::from_utf8(error.error_message.to_vec()).unwrap())),
            Err(_) => Ok(result.result.to_vec()),
        })
    }
}

/// Takes the whole frames off a stream of the intermediate transport.
pub(crate) fn frames(stream: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some(length) = stream.first_chunk().map(|length| u32::from_le_bytes(*length) as usize) {
        if stream.len() < 4 + length {
            break;
        }
        frames.push(stream[4..4 + length].to_vec());
        stream.drain(..4 + length);
    }
    frames
}

/// A payload as a frame of the intermediate transport.
pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [&length.to_le_bytes()[..], payload].concat()
}

/// What a payload says, under whichever of `keys` it is.
pub(crate) fn read<'a>(
    mut payload: Vec<u8>,
    sender: Side,
    keys: impl Fn(AuthKeyId) -> Option<&'a TrafficKey>,
) -> Vec<Heard> {
    if let [a, b, c, d] = payload[..] {
        return vec![Heard::Error(i32::from_le_bytes([a, b, c, d]))];
    }
    let id = envelope::key_id(&payload).unwrap();
    if id == AuthKeyId(0) {
        return vec![Heard::Plain(payload)];
    }
    let key = keys(id).expect("a message under a key that nobody has");
    let opened = envelope::open(key, sender, &mut payload).unwrap();
    let whole = Inner { msg_id: opened.msg_id, seqno: opened.seqno, body: opened.body };
    let inners = if container::is_container(opened.body) {
        container::open(opened.body, opened.msg_id).unwrap()
    } else {
        vec![whole]
    };
    let message = |inner: Inner<'_>| Heard::Message {
        key: id,
        session: opened.session_id,
        msg_id: inner.msg_id,
        body: inner.body.to_vec(),
    };
    inners.into_iter().map(message).collect()
}
