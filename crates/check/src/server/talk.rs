//! An encrypted session of which a case decides every byte.

use std::sync::Arc;

use dayfly_core::session::container::{self, Inner};
use dayfly_core::session::{MsgId, envelope};
use dayfly_crypto::kdf::{self, Side};
use dayfly_crypto::{AuthKey, ige};
use dayfly_tl::mtproto::{RpcError, RpcResult};
use dayfly_tl::{Reader, read_exact};

use crate::dice::Dice;
use crate::verdict::{Outcome, failed};

/// A key that the peer made with us.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) key: Arc<AuthKey>,
    /// The first salt.
    pub(crate) salt: i64,
    /// The server's time of the exchange, in Unix seconds.
    pub(crate) server_time: i64,
    /// When a temporary key ends, by the server's clock; `None` for a permanent one.
    pub(crate) expires_at: Option<i64>,
}

/// A message that was made, not sealed yet. Fields are for cases to change.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) salt: i64,
    pub(crate) session: i64,
    pub(crate) msg_id: i64,
    pub(crate) seqno: i32,
    pub(crate) body: Vec<u8>,
}

/// A message of the server's, out of its packet and container.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Message {
    pub(crate) session: i64,
    pub(crate) salt: i64,
    pub(crate) msg_id: i64,
    pub(crate) seqno: i32,
    pub(crate) body: Vec<u8>,
}

/// The result of a call, or its error.
pub(crate) type Answer = Result<Vec<u8>, (i32, String)>;

impl Message {
    /// The constructor of its body; 0 if there is none.
    pub(crate) fn constructor(&self) -> u32 {
        Reader::new(&self.body).peek_id().unwrap_or(0)
    }

    /// What `msg_id` was answered, if this is its `rpc_result`.
    pub(crate) fn answer_to(&self, msg_id: i64) -> Option<Answer> {
        let result: RpcResult<'_> = read_exact(&self.body).ok()?;
        if result.req_msg_id != msg_id {
            return None;
        }
        Some(match read_exact::<RpcError<'_>>(result.result) {
            Ok(error) => Err((error.error_code, String::from_utf8_lossy(error.error_message).into_owned())),
            Err(_) => Ok(result.result.to_vec()),
        })
    }
}

/// One session under one key.
pub(crate) struct Talk {
    pub(crate) key: Arc<AuthKey>,
    pub(crate) session: i64,
    pub(crate) salt: i64,
    /// The server's clock minus ours, in seconds.
    pub(crate) skew: i64,
    last: i64,
    content: i32,
}

impl Talk {
    /// A session that has said nothing.
    pub(crate) fn new(made: &Made, session: i64) -> Self {
        let skew = made.server_time - unix_now().0;
        Self { key: Arc::clone(&made.key), session, salt: made.salt, skew, last: 0, content: 0 }
    }

    /// Another session under the same key, which has said nothing.
    pub(crate) fn another(&self, session: i64) -> Self {
        Self { key: Arc::clone(&self.key), session, salt: self.salt, skew: self.skew, last: 0, content: 0 }
    }

    /// A content-related message.
    pub(crate) fn say(&mut self, body: Vec<u8>) -> Said {
        let seqno = self.content * 2 + 1;
        self.content += 1;
        self.with_seqno(seqno, body)
    }

    /// The next content-related messages are counted as if so many had come before them.
    pub(crate) fn skip_content(&mut self, count: i32) {
        self.content += count;
    }

    /// A message that wants no acknowledgement.
    pub(crate) fn mention(&mut self, body: Vec<u8>) -> Said {
        self.with_seqno(self.content * 2, body)
    }

    /// A message with a seqno of the case's own.
    pub(crate) fn with_seqno(&mut self, seqno: i32, body: Vec<u8>) -> Said {
        Said { salt: self.salt, session: self.session, msg_id: self.next_id(), seqno, body }
    }

    /// Several messages in a container.
    pub(crate) fn together(&mut self, messages: &[Said]) -> Said {
        let inner = |said: &Said| (MsgId::from_long(said.msg_id), said.seqno);
        let inners: Vec<_> = messages
            .iter()
            .map(|said| (inner(said), said.body.as_slice()))
            .map(|((msg_id, seqno), body)| Inner { msg_id, seqno, body })
            .collect();
        self.mention(container::pack(&inners))
    }

    /// The next msg_id, by the server's clock.
    pub(crate) fn next_id(&mut self) -> i64 {
        let (seconds, nanos) = unix_now();
        let of_now = ((seconds + self.skew) << 32) | (i64::from(nanos) << 2);
        self.last = (self.last + 4).max(of_now & !3);
        self.last
    }

    /// A msg_id of so many seconds from now.
    pub(crate) fn id_at(&self, seconds: i64) -> i64 {
        ((unix_now().0 + self.skew + seconds) << 32) | 0x4000_0000
    }

    /// The packet of a message, with the shortest padding.
    pub(crate) fn seal(&self, said: &Said, dice: &mut Dice) -> Outcome<Vec<u8>> {
        let padding = 12 + (16 - (said.body.len() + 32 + 12) % 16) % 16;
        self.seal_padded(said, padding, dice)
    }

    /// The same, with so much padding: the whole has to be whole blocks.
    pub(crate) fn seal_padded(&self, said: &Said, padding: usize, dice: &mut Dice) -> Outcome<Vec<u8>> {
        let mut plaintext = plaintext(said);
        plaintext.extend((0..padding).map(|_| dice.bytes::<1>()[0]));
        self.seal_plaintext(plaintext)
    }

    /// The packet of a plaintext that is padded already.
    pub(crate) fn seal_plaintext(&self, plaintext: Vec<u8>) -> Outcome<Vec<u8>> {
        let msg_key = kdf::v2_msg_key(&self.key, &plaintext, Side::Client).msg_key();
        self.seal_under(msg_key, plaintext)
    }

    /// The packet with a msg_key of the case's own.
    pub(crate) fn seal_under(&self, msg_key: [u8; 16], mut plaintext: Vec<u8>) -> Outcome<Vec<u8>> {
        let aes = kdf::v2_aes(&self.key, &msg_key, Side::Client);
        if ige::encrypt(&mut plaintext, &aes.key, &aes.iv).is_err() {
            return failed("the suite itself: the plaintext is no whole blocks");
        }
        Ok([&self.key.id().to_wire()[..], &msg_key, &plaintext].concat())
    }

    /// What a packet of the server's says, out of its container.
    pub(crate) fn open(&self, payload: &[u8]) -> Outcome<Vec<Message>> {
        let (Some(id), Some(msg_key)) =
            (envelope::key_id(payload), payload.get(8..).and_then(<[u8]>::first_chunk))
        else {
            return failed("the packet is too short");
        };
        if id != self.key.id() {
            return failed(format!("a packet came under key {id}, of which this connection does not speak"));
        }
        let mut plain = payload.get(24..).unwrap_or_default().to_vec();
        let aes = kdf::v2_aes(&self.key, msg_key, Side::Server);
        if ige::decrypt(&mut plain, &aes.key, &aes.iv).is_err() {
            return failed("the encrypted part is no whole blocks");
        }
        if kdf::v2_msg_key(&self.key, &plain, Side::Server).msg_key() != *msg_key {
            return failed("the msg_key of a packet is wrong");
        }
        let mut fields = Reader::new(&plain);
        let mut header = || {
            Some((
                fields.i64().ok()?,
                fields.i64().ok()?,
                fields.i64().ok()?,
                fields.i32().ok()?,
                fields.i32().ok()?,
            ))
        };
        let Some((salt, session, msg_id, seqno, length)) = header() else {
            return failed("the header is not whole");
        };
        let rest = plain.get(32..).unwrap_or_default();
        let Some((body, padding)) =
            usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length))
        else {
            return failed(format!("the length {length} goes beyond the packet"));
        };
        if !(12..=1024).contains(&padding.len()) {
            return failed(format!("{} bytes of padding", padding.len()));
        }
        if !container::is_container(body) {
            return Ok(vec![Message { session, salt, msg_id, seqno, body: body.to_vec() }]);
        }
        let inners = match container::open(body, MsgId::from_long(msg_id)) {
            Ok(inners) => inners,
            Err(error) => return failed(format!("a container: {error}")),
        };
        let message = |inner: Inner<'_>| Message {
            session,
            salt,
            msg_id: inner.msg_id.to_long(),
            seqno: inner.seqno,
            body: inner.body.to_vec(),
        };
        Ok(inners.into_iter().map(message).collect())
    }
}

/// A message without its padding.
pub(crate) fn plaintext(said: &Said) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + said.body.len());
    out.extend_from_slice(&said.salt.to_le_bytes());
    out.extend_from_slice(&said.session.to_le_bytes());
    out.extend_from_slice(&said.msg_id.to_le_bytes());
    out.extend_from_slice(&said.seqno.to_le_bytes());
    let length = u32::try_from(said.body.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&said.body);
    out
}

/// Seconds since the Unix epoch, and nanoseconds.
pub(crate) fn unix_now() -> (i64, u32) {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
}
