//! A client's session under a hand that answers what it likes.

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

// rule: MS-14
#[test]
fn a_call_goes_out_alone_and_ends_with_its_result() {
    let mut rig = Rig::new();
    let call = rig.call();
    let packet = rig.packet().unwrap();
    assert_eq!((read(&packet).salt, read(&packet).session_id), (SALT, SESSION));
    let sent = unpack(&packet);
    assert_eq!((sent[0].seqno, sent[0].in_container, sent[0].msg_id.0 & 3), (1, false, 0));
    rig.result(sent[0].msg_id, &[1; 4]);
    assert_eq!(rig.events(), [answer(call, &[1; 4])]);
    assert_eq!(rig.session.in_flight(), 0);
    rig.result(sent[0].msg_id, &[1; 4]);
    assert_eq!(rig.events(), []);
}

// rule: MS-12, MS-14
#[test]
fn errors_and_packed_results_are_read() {
    let mut rig = Rig::new();
    let calls = [rig.call(), rig.call(), rig.call()];
    let sent = rig.sent();
    let error = to_bytes(&RpcError { error_code: 400, error_message: b"NO" });
    rig.result(sent[0].msg_id, &error);
    rig.result(sent[1].msg_id, &crate::session::gzip::pack(&[7; 1000]).unwrap());
    rig.result(sent[2].msg_id, &to_bytes(&GzipPacked { packed_data: &[1, 2, 3] }));
    let failed = |call, failure| ClientEvent::Answer { call, result: Err(failure) };
    let expected = [
        failed(calls[0], RpcFailure::Error { code: 400, message: "NO".into() }),
        answer(calls[1], &[7; 1000]),
        failed(calls[2], RpcFailure::Result(GzipError::Damaged)),
    ];
    assert_eq!(rig.events(), expected);
}

// rule: MS-13
#[test]
fn acknowledgements_travel_with_a_call_or_go_alone_in_time() {
    let mut rig = Rig::new();
    rig.call();
    let first = rig.sent()[0].msg_id;
    let answered = rig.result(first, &[1; 4]);
    assert_eq!(rig.sent(), []);
    assert_eq!(rig.session.poll_timeout(), Some(at(11_000).monotonic));
    rig.call();
    let sent = rig.sent();
    let acks = of::<MsgsAck<'_>>(&sent);
    assert!(sent.len() == 2 && sent.iter().all(|sent| sent.in_container));
    assert_eq!(acks[0].msg_ids.iter().collect::<Vec<_>>(), [answered.to_long()]);
    rig.result(sent[0].msg_id, &[1; 4]);
    rig.later(10_000);
    let alone = rig.sent();
    assert_eq!((alone.len(), of::<MsgsAck<'_>>(&alone).len(), alone[0].seqno & 1), (1, 1, 0));
}

// rule: MS-03, MS-13
#[test]
fn a_repeat_is_not_processed_again_but_acknowledged_again() {
    let mut rig = Rig::new();
    let msg_id = rig.server_id();
    for _ in 0..2 {
        rig.give(msg_id, 1, &[1; 4]).unwrap();
        rig.later(10_000);
        assert_eq!(of::<MsgsAck<'_>>(&rig.sent()).len(), 1);
    }
    assert_eq!(rig.events(), [ClientEvent::Update(vec![1; 4])]);
}

// rule: MS-13
#[test]
fn on_a_new_connection_what_was_not_acknowledged_goes_out_again() {
    let mut rig = Rig::new();
    rig.call();
    rig.call();
    let first = rig.sent();
    rig.say(&to_bytes(&MsgsAck { msg_ids: vec![first[0].msg_id.to_long()].into() }));
    rig.env(|session, env| session.handle_reconnected(env));
    let again = rig.sent();
    assert_eq!((again.len(), again[0].msg_id, again[0].seqno), (1, first[1].msg_id, first[1].seqno));
    assert!(again[0].in_container);
}

// rule: MS-15
#[test]
fn a_silent_call_is_asked_after_and_sent_again_if_it_was_lost() {
    let mut rig = Rig::new();
    rig.call();
    let first = rig.sent();
    rig.later(5000);
    let asked = rig.sent();
    let ask = &of::<MsgsStateReq<'_>>(&asked)[0];
    assert_eq!(ask.msg_ids.iter().collect::<Vec<_>>(), [first[0].msg_id.to_long()]);
    rig.say(&to_bytes(&MsgsStateInfo { req_msg_id: asked[0].msg_id.to_long(), info: &[3] }));
    let again = rig.sent();
    assert_eq!((again[0].msg_id, again[0].in_container), (first[0].msg_id, true));
}

// rule: MS-15
#[test]
fn a_call_that_is_in_work_is_waited_for_and_a_lost_answer_asked_for() {
    let mut rig = Rig::new();
    rig.call();
    let first = rig.sent();
    for (state, resent) in [(4 + 32, 0), (4 + 32 + 64, 1)] {
        rig.later(60_000);
        let asked = rig.sent();
        rig.say(&to_bytes(&MsgsStateInfo { req_msg_id: asked[0].msg_id.to_long(), info: &[state] }));
        let again = rig.sent();
        assert_eq!(again.len(), resent);
        assert!(again.iter().all(|sent| sent.msg_id == first[0].msg_id));
    }
}

// rule: MS-18
#[test]
fn a_wrong_clock_is_set_by_the_notice_and_the_call_sent_anew() {
    for (offset, code) in [(3600, 17), (-3600, 16)] {
        let mut rig = Rig::new();
        rig.session.clock = MsgIdClock::new(offset);
        let call = rig.call();
        let first = rig.sent()[0].msg_id;
        rig.notice(first, code);
        assert_eq!(rig.events(), [ClientEvent::TimeChanged(0)]);
        let again = rig.sent();
        assert_eq!(again[0].msg_id.unix_seconds(), START + 1);
        rig.result(again[0].msg_id, &[1; 4]);
        assert_eq!(rig.events(), [answer(call, &[1; 4])]);
    }
}

// rule: MS-18
#[test]
fn a_wrong_salt_is_replaced_and_the_call_sent_anew() {
    let mut rig = Rig::new();
    rig.call();
    let first = rig.sent()[0].msg_id;
    let bad =
        BadServerSalt { bad_msg_id: first.to_long(), bad_msg_seqno: 1, error_code: 48, new_server_salt: 99 };
    rig.say(&to_bytes(&bad));
    assert_eq!(rig.events(), [ClientEvent::SaltChanged(99)]);
    let packet = rig.packet().unwrap();
    assert_eq!(read(&packet).salt, 99);
    assert!(read(&packet).msg_id > first);
    rig.say(&to_bytes(&bad));
    assert_eq!(rig.packet(), None, "the notice is about a msg_id that is not in use any more");
}

// rule: MS-18
#[test]
fn a_notice_about_a_message_never_sent_is_ignored() {
    let mut rig = Rig::new();
    rig.call();
    let first = rig.sent()[0].msg_id;
    let about = MsgId(first.0 + 4).to_long();
    rig.say(&to_bytes(&BadServerSalt {
        bad_msg_id: about,
        bad_msg_seqno: 1,
        error_code: 48,
        new_server_salt: 99,
    }));
    rig.notice(MsgId::from_long(about), 17);
    rig.notice(MsgId::from_long(about), 35);
    assert_eq!((rig.events(), rig.sent()), (vec![], vec![]));
}

// rule: MS-18
#[test]
fn codes_20_and_64_send_again_under_a_new_msg_id() {
    for code in [20, 64] {
        let mut rig = Rig::new();
        rig.call();
        let first = rig.sent()[0].msg_id;
        rig.notice(first, code);
        let again = rig.sent();
        assert!(again.len() == 1 && again[0].msg_id > first);
    }
}

// rule: MS-18
#[test]
fn any_other_code_ends_the_call_and_names_the_code() {
    let mut rig = Rig::new();
    let call = rig.call();
    let first = rig.sent()[0].msg_id;
    rig.notice(first, 35);
    assert_eq!(rig.events(), [ClientEvent::Answer { call, result: Err(RpcFailure::Refused { code: 35 }) }]);
}

// rule: MS-18
#[test]
fn a_call_that_is_refused_for_ever_ends() {
    let mut rig = Rig::new();
    let call = rig.call();
    for _ in 0..20 {
        let Some(sent) = rig.sent().first().cloned() else { break };
        rig.notice(sent.msg_id, 17);
    }
    let over = ClientEvent::Answer { call, result: Err(RpcFailure::Refused { code: 17 }) };
    assert_eq!(rig.events().last(), Some(&over));
}

// rule: MS-18
#[test]
fn a_call_that_may_have_run_keeps_its_msg_id_when_its_container_is_refused() {
    let mut rig = Rig::new();
    rig.call();
    let first = rig.sent()[0].msg_id;
    rig.env(|session, env| session.handle_reconnected(env));
    let packet = rig.packet().unwrap();
    let container = read(&packet).msg_id;
    assert_ne!(container, first);
    rig.notice(container, 16);
    assert_eq!(rig.sent()[0].msg_id, first);
}

// rule: MS-18
#[test]
fn a_container_that_came_twice_is_asked_after_and_not_sent_again() {
    let mut rig = Rig::new();
    rig.call();
    rig.call();
    let packet = rig.packet().unwrap();
    rig.notice(read(&packet).msg_id, 19);
    let sent = rig.sent();
    assert_eq!((sent.len(), of::<MsgsStateReq<'_>>(&sent)[0].msg_ids.len()), (1, 2));
}

// rule: PF-21
#[test]
fn a_bind_is_built_anew_for_a_new_msg_id_and_sent_as_it_was_under_the_old() {
    let mut rig = Rig::new();
    let built = |msg_id: MsgId, session: SessionId, _: &mut dyn crate::SecureRandom| {
        assert_eq!(session, SESSION);
        Ok(msg_id.0.to_le_bytes().to_vec())
    };
    rig.session.call_built(Box::new(built));
    let first = rig.sent();
    rig.env(|session, env| session.handle_reconnected(env));
    assert_eq!(rig.sent()[0].body, first[0].body);
    rig.notice(first[0].msg_id, 20);
    let again = rig.sent();
    assert_ne!(again[0].msg_id, first[0].msg_id);
    assert_eq!(again[0].body, again[0].msg_id.0.to_le_bytes());
}

#[test]
fn a_call_that_cannot_be_built_fails() {
    let mut rig = Rig::new();
    let call = rig.session.call_built(Box::new(|_, _, _| Err(RandomError)));
    assert_eq!(rig.sent(), []);
    let failed = ClientEvent::Answer { call, result: Err(RpcFailure::Random(RandomError)) };
    assert_eq!(rig.events(), [failed]);
}

// rule: MS-08
#[test]
fn a_message_of_another_session_is_refused() {
    let mut rig = Rig::new();
    let body = [1; 4];
    let opened = Opened {
        salt: SALT,
        session_id: SessionId(78),
        msg_id: rig.server_id(),
        seqno: 0,
        body: &body,
        quick_ack: 0,
    };
    let refused = rig.env(|session, env| session.handle_message(&opened, env));
    assert_eq!((refused, rig.events()), (Err(CloseReason::ForeignSession), vec![]));
}

// rule: MS-20
#[test]
fn an_even_msg_id_is_ignored_also_inside_a_container() {
    let mut rig = Rig::new();
    let odd = rig.server_id();
    let even = MsgId(odd.0 + 1);
    rig.give(even, 0, &[1; 4]).unwrap();
    let inside = container::pack(&[Inner { msg_id: even, seqno: 0, body: &[1; 4] }]);
    rig.give(MsgId(odd.0 + 4), 0, &inside).unwrap();
    assert_eq!(rig.events(), []);
}

/// The client's clock goes back by 100 seconds while a call is out.
// rule: MS-20
#[test]
fn an_answer_ahead_of_time_is_ignored_and_taken_when_it_comes_again() {
    let mut rig = Rig::new();
    rig.millis = 200_000;
    let call = rig.call();
    let first = rig.sent()[0].msg_id;
    rig.millis = 100_000;
    let result = to_bytes(&RpcResult { req_msg_id: first.to_long(), result: &[1; 4] });
    let msg_id = MsgId(((START + 200) << 32) + 1);
    rig.give(msg_id, 1, &result).unwrap();
    assert_eq!(rig.events(), [ClientEvent::TimeChanged(100)]);
    rig.give(msg_id, 1, &result).unwrap();
    assert_eq!(rig.events(), [answer(call, &[1; 4])]);
    rig.call();
    assert!(rig.sent()[0].msg_id > first, "ids go on growing");
}

// rule: MS-18, MS-20
#[test]
fn an_untimely_message_is_ignored_but_for_a_notice_about_ours() {
    let mut rig = Rig::new();
    rig.call();
    let first = rig.sent()[0].msg_id;
    let server_id = |second: u64| MsgId(((START + second) << 32) + 1);
    rig.millis = 400_000;
    rig.give(server_id(99), 0, &[1; 4]).unwrap();
    assert_eq!(rig.events(), []);
    rig.give(server_id(431), 0, &[2; 4]).unwrap();
    assert_eq!(rig.events(), [ClientEvent::TimeChanged(31)]);
    let notice = BadMsgNotificationPlain { bad_msg_id: first.to_long(), bad_msg_seqno: 1, error_code: 16 };
    rig.give(server_id(2000), 0, &to_bytes(&notice)).unwrap();
    assert_eq!(rig.events(), [ClientEvent::TimeChanged(1600)]);
}

// rule: MS-10
#[test]
fn future_salts_are_asked_for_in_company_and_taken_by_their_msg_id() {
    let options = ClientOptions { ping_every: None, ..ClientOptions::default() };
    let mut rig = Rig::with(options);
    rig.call();
    let first = rig.sent();
    assert_eq!(first.len(), 1);
    rig.result(first[0].msg_id, &[1; 4]);
    rig.call();
    let sent = rig.sent();
    let asked = sent.iter().find(|sent| read_exact::<GetFutureSalts>(&sent.body).is_ok()).unwrap();
    let begins = i32::try_from(START).unwrap();
    let salts = |req_msg_id, salt| {
        let salts = vec![FutureSalt { valid_since: begins, valid_until: begins + 3600, salt }];
        to_bytes(&FutureSalts { req_msg_id, now: begins, salts })
    };
    rig.say(&salts(asked.msg_id.to_long() + 4, 55));
    rig.call();
    assert_eq!(read(&rig.packet().unwrap()).salt, SALT);
    rig.say(&salts(asked.msg_id.to_long(), 66));
    rig.call();
    assert_eq!(read(&rig.packet().unwrap()).salt, 66);
}

// rule: MS-11
#[test]
fn a_new_session_has_the_calls_below_its_first_sent_again() {
    let mut rig = Rig::new();
    rig.call();
    let lost = rig.sent()[0].msg_id;
    rig.call();
    let taken = rig.sent()[0].msg_id;
    let created = NewSessionCreated { first_msg_id: taken.to_long(), unique_id: 5, server_salt: 99 };
    rig.say(&to_bytes(&created));
    rig.say(&to_bytes(&created));
    let expected =
        [ClientEvent::SaltChanged(99), ClientEvent::NewSession { first_msg_id: taken, unique_id: 5 }];
    assert_eq!(rig.events(), expected);
    let again = rig.sent();
    assert_eq!((again.len(), again[0].msg_id), (1, lost));
}

// rule: MS-16
#[test]
fn a_ping_that_is_not_answered_tells_the_connection_is_dead() {
    let mut rig = Rig::with(ClientOptions::default());
    rig.millis = 0;
    rig.later(60_000);
    let sent = rig.sent();
    let ping = of::<PingDelayDisconnect>(&sent)[0];
    assert_eq!(ping.disconnect_delay, 75);
    let other = Pong { msg_id: sent[0].msg_id.to_long(), ping_id: ping.ping_id + 1 };
    rig.say(&to_bytes(&other));
    rig.later(15_000);
    assert_eq!(rig.events(), [ClientEvent::Silent]);
    rig.later(45_000);
    let sent = rig.sent();
    let ping = of::<PingDelayDisconnect>(&sent)[0];
    rig.say(&to_bytes(&Pong { msg_id: sent[0].msg_id.to_long(), ping_id: ping.ping_id }));
    rig.later(15_000);
    assert_eq!(rig.events(), []);
}

// rule: MS-15, MS-16
#[test]
fn what_the_server_asks_is_answered() {
    let mut rig = Rig::new();
    let asked = rig.say(&to_bytes(&Ping { ping_id: 9 }));
    rig.say(&to_bytes(&MsgsStateReq { msg_ids: vec![asked.to_long(), 1].into() }));
    rig.say(&to_bytes(&MsgNewDetailedInfo { answer_msg_id: 5, bytes: 4, status: 0 }));
    let sent = rig.sent();
    let pong = of::<Pong>(&sent)[0];
    assert_eq!((pong.msg_id, pong.ping_id), (asked.to_long(), 9));
    assert_eq!(of::<MsgsStateInfo<'_>>(&sent)[0].info, [4, 2]);
    assert_eq!(of::<MsgResendReqPlain<'_>>(&sent)[0].msg_ids.iter().collect::<Vec<_>>(), [5]);
}

// rule: PF-14
#[test]
fn calls_can_be_taken_to_another_session() {
    let mut rig = Rig::new();
    let first = rig.call();
    rig.sent();
    rig.session.call_built(Box::new(|_, _, _| Ok(vec![0; 4])));
    let second = rig.session.call(vec![5; 4]);
    let drained = rig.session.drain();
    assert_eq!(drained, [(first, to_bytes(&HelpGetConfig)), (second, vec![5; 4])]);
    assert_eq!((rig.session.in_flight(), rig.sent(), rig.session.poll_timeout()), (0, vec![], None));
}

#[test]
fn unreadable_messages_are_dropped() {
    let mut rig = Rig::new();
    rig.say(&to_bytes(&Pong { msg_id: 4, ping_id: 4 })[..8]);
    rig.say(&to_bytes(&GzipPacked { packed_data: &[0x78, 0x9c, 1] }));
    let cut = container::pack(&[Inner { msg_id: MsgId(1), seqno: 0, body: &[1; 4] }]);
    rig.say(&cut[..cut.len() - 4]);
    assert_eq!((rig.events(), rig.sent()), (vec![], vec![]));
}

#[test]
fn a_call_that_is_given_up_before_it_went_out_does_not_go_out() {
    let mut rig = Rig::new();
    let (kept, given_up) = (rig.call(), rig.call());
    rig.session.cancel(given_up);
    assert_eq!(rig.sent().len(), 1);
    assert_eq!(rig.session.in_flight(), 1);
    rig.session.cancel(kept);
    rig.session.cancel(kept);
    assert_eq!(rig.session.in_flight(), 0);
}

// rule: MS-14
#[test]
fn of_a_call_that_is_given_up_after_it_went_out_the_answer_is_to_be_dropped() {
    let mut rig = Rig::new();
    let call = rig.call();
    let asked = rig.sent()[0].msg_id;
    rig.session.cancel(call);
    let sent = rig.sent();
    let [drop] = &sent[..] else { panic!("one message, not {sent:?}") };
    assert_eq!(read_exact::<RpcDropAnswerCall>(&drop.body).unwrap().req_msg_id, asked.to_long());
    assert_eq!(drop.seqno & 1, 1, "it is a call itself");
    rig.say(&to_bytes(&RpcResult { req_msg_id: asked.to_long(), result: &[1, 2, 3, 4] }));
    rig.say(&to_bytes(&RpcResult {
        req_msg_id: drop.msg_id.to_long(),
        result: &to_bytes(&RpcAnswerUnknown),
    }));
    assert_eq!(rig.session.poll_event(), None, "a late answer is nobody's");
    rig.env(|session, env| session.handle_reconnected(env));
    assert_eq!(rig.sent(), [], "and nothing goes out again");
}
