//! One end of an encrypted session whose every message a test decides.

use dayfly_core::env::Now;
use dayfly_core::keys::bind::Binding;
use dayfly_core::keys::kind::TrafficKey;
use dayfly_core::session::container::{self, Inner};
use dayfly_core::session::envelope;
use dayfly_core::session::{MsgId, SessionId};
use dayfly_crypto::AuthKeyId;
use dayfly_crypto::kdf::Side;

use super::world::{Key, World};

/// A message that was made, not sealed yet.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) msg_id: MsgId,
    pub(crate) seqno: i32,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Speaker {
    pub(crate) key: TrafficKey,
    pub(crate) session: SessionId,
    pub(crate) salt: i64,
    side: Side,
    last: u64,
    content: i32,
}

impl Speaker {
    /// A client under `key`.
    pub(crate) fn client(key: &Key, session: i64) -> Self {
        Self::new(key.traffic(), SessionId(session), Side::Client)
    }

    /// A server under `key`, in the session of its client.
    pub(crate) fn server(key: TrafficKey, session: SessionId) -> Self {
        Self::new(key, session, Side::Server)
    }

    fn new(key: TrafficKey, session: SessionId, side: Side) -> Self {
        Self { key, session, salt: 77, side, last: 0, content: 0 }
    }

    /// A content-related message.
    pub(crate) fn say(&mut self, body: Vec<u8>, now: Now) -> Said {
        let seqno = self.content * 2 + 1;
        self.content += 1;
        Said { msg_id: self.next_id(now), seqno, body }
    }

    /// `auth.bindTempAuthKey` for the key that is spoken under, as it would go out now.
    pub(crate) fn bind(&mut self, perm: &Key, expires_at: u64, world: &mut World) -> Said {
        let mut said = self.say(Vec::new(), world.now);
        said.body = self.bind_body(perm, expires_at, said.msg_id, world);
        said
    }

    /// The request for a message of this msg_id.
    pub(crate) fn bind_body(&self, perm: &Key, expires_at: u64, msg_id: MsgId, world: &mut World) -> Vec<u8> {
        let binding = Binding { temp: self.key.id(), expires_at: i32::try_from(expires_at).unwrap() };
        binding.request(&perm.as_perm(), msg_id, self.session, world.env().random).unwrap()
    }

    /// Several messages as one.
    pub(crate) fn together(&mut self, messages: &[Said], now: Now) -> Said {
        let inners: Vec<_> = messages
            .iter()
            .map(|said| Inner { msg_id: said.msg_id, seqno: said.seqno, body: &said.body })
            .collect();
        let body = container::pack(&inners);
        Said { msg_id: self.next_id(now), seqno: self.content * 2, body }
    }

    /// The packet of a message.
    pub(crate) fn seal(&self, said: &Said, world: &mut World) -> Vec<u8> {
        let plaintext = envelope::plaintext(self.salt, self.session, said.msg_id, said.seqno, &said.body);
        envelope::seal(&self.key, self.side, &plaintext, world.env().random).unwrap()
    }

    pub(crate) fn id(&self) -> AuthKeyId {
        self.key.id()
    }

    fn next_id(&mut self, now: Now) -> MsgId {
        let of_now = (now.unix.as_secs() << 32) | (u64::from(now.unix.subsec_nanos()) << 2);
        self.last = (self.last + 4).max(of_now & !3);
        MsgId(if self.side == Side::Client { self.last } else { self.last + 1 })
    }
}
