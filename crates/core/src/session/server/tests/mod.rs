//! A server's session under a hand that sends what it likes.

mod calls;
mod containers;
mod delivery;
mod order;
mod salts;

use dayfly_tl::api::{AuthBindTempAuthKey, HelpGetConfig, HelpGetNearestDc, InvokeWithLayer};
use dayfly_tl::mtproto::*;
use dayfly_tl::{Read, read_exact};

use super::*;
use crate::NoObserver;
use crate::session::container::Inner;
use crate::session::testing::{Broken, Counting, START, Sent, at, read, unpack};
use crate::session::{Opened, window};

const SESSION: SessionId = SessionId(77);
const SALT: i64 = 1234;

struct Rig {
    session: ServerSession,
    salts: KeySalts,
    random: Counting,
    millis: u64,
    /// What came back where the refused messages came from.
    notices: Vec<Sent>,
}

impl Rig {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        Self {
            session: ServerSession::new(SESSION, Arc::new(limits)),
            salts: KeySalts::new(SALT, START),
            random: Counting::default(),
            millis: 1000,
            notices: Vec::new(),
        }
    }

    /// A session that has said its new_session_created.
    fn greeted() -> Self {
        Self::greeted_with(Limits::default())
    }

    fn greeted_with(limits: Limits) -> Self {
        let mut rig = Self::with(limits);
        rig.send(id(0), 0, &ping(0)).unwrap();
        let ids: Vec<i64> = rig.sent().iter().map(|sent| sent.msg_id.to_long()).collect();
        rig.send(id(1), 0, &to_bytes(&MsgsAck { msg_ids: ids.into() })).unwrap();
        assert_eq!(rig.sent(), []);
        rig
    }

    fn env<R>(&mut self, act: impl FnOnce(&mut ServerSession, &mut KeySalts, &mut Env<'_>) -> R) -> R {
        let mut observer = NoObserver;
        let mut env = Env::new(at(self.millis), &mut self.random, &mut observer);
        act(&mut self.session, &mut self.salts, &mut env)
    }

    fn give(&mut self, opened: Opened<'_>) -> Result<(), CloseReason> {
        if let Reception::Refused { notice } = self.receive(opened)? {
            self.notices.extend(unpack(&notice));
        }
        Ok(())
    }

    fn receive(&mut self, opened: Opened<'_>) -> Result<Reception, CloseReason> {
        self.env(|session, salts, env| session.handle_message(&opened, salts, env))
    }

    fn send(&mut self, msg_id: MsgId, seqno: i32, body: &[u8]) -> Result<(), CloseReason> {
        self.give(Opened { salt: SALT, session_id: SESSION, msg_id, seqno, body, quick_ack: 0 })
    }

    fn send_all(&mut self, msg_id: MsgId, seqno: i32, inners: &[Inner<'_>]) -> Result<(), CloseReason> {
        self.send(msg_id, seqno, &container::pack(inners))
    }

    fn sent(&mut self) -> Vec<Sent> {
        let mut all = std::mem::take(&mut self.notices);
        while let Some(packet) = self.env(|session, salts, env| session.poll_transmit(salts, env)) {
            all.extend(unpack(&packet));
        }
        all
    }

    fn calls(&mut self) -> Vec<MsgId> {
        core::iter::from_fn(|| self.session.poll_call()).map(|call| call.msg_id).collect()
    }

    fn answer(&mut self, call: MsgId, result: &[u8]) {
        let answer = Answer::Result(result.to_vec());
        self.env(|session, _, env| session.answer(call, answer, env)).unwrap();
    }

    /// The code of the one notice that was sent.
    fn refusal(&mut self) -> Option<(MsgId, i32)> {
        let notices = self.sent().into_iter().filter_map(|sent| {
            let notice: BadMsgNotificationPlain = read_exact(&sent.body).ok()?;
            Some((MsgId::from_long(notice.bad_msg_id), notice.error_code))
        });
        let notices: Vec<_> = notices.collect();
        assert!(notices.len() <= 1, "{notices:?}");
        notices.first().copied()
    }
}

/// The msg_id of the client's n-th message, all within the first second.
fn id(n: u64) -> MsgId {
    MsgId((START << 32) + 4 + 4 * n)
}

fn ping(ping_id: i64) -> Vec<u8> {
    to_bytes(&Ping { ping_id })
}

fn call() -> Vec<u8> {
    to_bytes(&HelpGetConfig)
}

fn inner(msg_id: MsgId, seqno: i32, body: &[u8]) -> Inner<'_> {
    Inner { msg_id, seqno, body }
}

fn of<'a, T: Read<'a>>(sent: &'a [Sent]) -> Vec<T> {
    sent.iter().filter_map(|sent| read_exact(&sent.body).ok()).collect()
}
