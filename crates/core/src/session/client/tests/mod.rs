//! A client's session under a hand that answers what it likes.

mod calls;
mod delivery;
mod notices;
mod taking;

use dayfly_tl::api::HelpGetConfig;
use dayfly_tl::mtproto::*;
use dayfly_tl::{Read, read_exact, to_bytes};

use super::*;
use crate::NoObserver;
use crate::session::container::{self, Inner};
use crate::session::testing::{Counting, START, Sent, at, read, unpack};
use crate::session::{CloseReason, Opened};

const SESSION: SessionId = SessionId(77);
const SALT: i64 = 1234;

struct Rig {
    session: ClientSession,
    random: Counting,
    millis: u64,
    /// How many messages the server sent.
    count: u64,
}

impl Rig {
    fn new() -> Self {
        Self::with(ClientOptions { ping_every: None, future_salts: 0, ..ClientOptions::default() })
    }

    fn with(options: ClientOptions) -> Self {
        let (mut random, mut observer) = (Counting::default(), NoObserver);
        let env = Env::new(at(0), &mut random, &mut observer);
        let session = ClientSession::new(SESSION, SALT, 0, options, &env);
        Self { session, random, millis: 1000, count: 0 }
    }

    fn env<R>(&mut self, act: impl FnOnce(&mut ClientSession, &mut Env<'_>) -> R) -> R {
        let mut observer = NoObserver;
        act(&mut self.session, &mut Env::new(at(self.millis), &mut self.random, &mut observer))
    }

    fn call(&mut self) -> CallId {
        self.session.call(to_bytes(&HelpGetConfig))
    }

    fn packet(&mut self) -> Option<Vec<u8>> {
        self.env(|session, env| session.poll_transmit(env))
    }

    fn sent(&mut self) -> Vec<Sent> {
        core::iter::from_fn(|| self.packet()).flat_map(|packet| unpack(&packet)).collect()
    }

    fn later(&mut self, millis: u64) {
        self.millis += millis;
        self.env(|session, env| session.handle_timeout(env));
    }

    /// A new msg_id of the server, made now.
    fn server_id(&mut self) -> MsgId {
        self.count += 1;
        MsgId((at(self.millis).unix_seconds() << 32) + 4 * self.count + 1)
    }

    fn give(&mut self, msg_id: MsgId, seqno: i32, body: &[u8]) -> Result<(), CloseReason> {
        let opened = Opened { salt: SALT, session_id: SESSION, msg_id, seqno, body, quick_ack: 0 };
        self.env(|session, env| session.handle_message(&opened, env))
    }

    fn say(&mut self, body: &[u8]) -> MsgId {
        let msg_id = self.server_id();
        self.give(msg_id, 0, body).unwrap();
        msg_id
    }

    fn result(&mut self, call: MsgId, result: &[u8]) -> MsgId {
        let msg_id = self.server_id();
        self.give(msg_id, 1, &to_bytes(&RpcResult { req_msg_id: call.to_long(), result })).unwrap();
        msg_id
    }

    fn notice(&mut self, about: MsgId, error_code: i32) {
        self.say(&to_bytes(&BadMsgNotificationPlain {
            bad_msg_id: about.to_long(),
            bad_msg_seqno: 1,
            error_code,
        }));
    }

    fn events(&mut self) -> Vec<ClientEvent> {
        core::iter::from_fn(|| self.session.poll_event()).collect()
    }
}

fn of<'a, T: Read<'a>>(sent: &'a [Sent]) -> Vec<T> {
    sent.iter().filter_map(|sent| read_exact(&sent.body).ok()).collect()
}

fn answer(call: CallId, result: &[u8]) -> ClientEvent {
    ClientEvent::Answer { call, result: Ok(result.to_vec()) }
}
