//! A server's session under a hand that sends what it likes.

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

// rule: MS-14
#[test]
fn a_call_is_given_out_once_and_answered_by_its_msg_id() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    assert_eq!(rig.session.poll_call(), Some(IncomingCall { msg_id: id(5), body: call() }));
    assert_eq!(rig.session.poll_call(), None);
    rig.answer(id(5), &[1, 2, 3, 4]);
    let sent = rig.sent();
    assert_eq!((sent.len(), sent[0].msg_id.0 & 3, sent[0].seqno & 1), (1, 1, 1));
    let result: RpcResult<'_> = read_exact(&sent[0].body).unwrap();
    assert_eq!((result.req_msg_id, result.result), (id(5).to_long(), &[1, 2, 3, 4][..]));
}

// rule: MS-14
#[test]
fn an_error_comes_inside_the_result() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    let answer = Answer::Error { code: 400, message: "NO".into() };
    rig.env(|session, _, env| session.answer(id(5), answer, env)).unwrap();
    let sent = rig.sent();
    let result: RpcResult<'_> = read_exact(&sent[0].body).unwrap();
    let error: RpcError<'_> = read_exact(result.result).unwrap();
    assert_eq!((error.error_code, error.error_message), (400, &b"NO"[..]));
}

// rule: MS-03
#[test]
fn a_repeat_of_a_running_call_is_not_run_again() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    rig.send(id(5), 1, &call()).unwrap();
    assert_eq!(rig.calls(), [id(5)]);
}

// rule: MS-03
#[test]
fn a_repeat_of_an_answered_call_gets_the_same_answer() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    assert_eq!(rig.calls(), [id(5)]);
    rig.answer(id(5), &[1, 2, 3, 4]);
    let first = rig.sent();
    rig.send(id(5), 1, &call()).unwrap();
    let again = rig.sent();
    assert_eq!((first.len(), again.len()), (1, 1));
    assert_eq!(
        (first[0].msg_id, first[0].seqno, &first[0].body),
        (again[0].msg_id, again[0].seqno, &again[0].body)
    );
    assert!(again[0].in_container && !first[0].in_container);
    assert_eq!(rig.calls(), []);
}

// rule: MS-03
#[test]
fn a_repeat_is_known_though_it_is_old_and_its_salt_is_wrong() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    rig.answer(id(5), &[1, 2, 3, 4]);
    rig.sent();
    rig.millis = 400_000;
    rig.give(Opened { salt: 1, session_id: SESSION, msg_id: id(5), seqno: 1, body: &call(), quick_ack: 0 })
        .unwrap();
    assert_eq!(of::<RpcResult<'_>>(&rig.sent()).len(), 1);
}

#[test]
fn a_repeat_whose_answer_was_forgotten_is_told_so_and_not_run() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    rig.calls();
    rig.answer(id(5), &[1, 2, 3, 4]);
    rig.sent();
    rig.millis += 601_000;
    let now = at(rig.millis);
    rig.session.handle_timeout(now);
    rig.send(id(5), 1, &call()).unwrap();
    let sent = rig.sent();
    let result: RpcResult<'_> = read_exact(&sent[0].body).unwrap();
    assert_eq!(read_exact::<RpcError<'_>>(result.result).unwrap().error_code, 500);
    assert_eq!(rig.calls(), []);
}

// rule: MS-02
#[test]
fn a_msg_id_over_300_s_old_gets_code_16() {
    let mut rig = Rig::greeted();
    rig.millis = 301_500;
    rig.send(id(5), 1, &call()).unwrap();
    assert_eq!((rig.refusal(), rig.calls()), (Some((id(5), 16)), vec![]));
}

// rule: MS-02
#[test]
fn a_msg_id_over_30_s_ahead_gets_code_17() {
    let mut rig = Rig::greeted();
    let ahead = MsgId(((START + 32) << 32) + 4);
    rig.send(ahead, 1, &call()).unwrap();
    assert_eq!((rig.refusal(), rig.calls()), (Some((ahead, 17)), vec![]));
}

// rule: MS-02
#[test]
fn a_msg_id_not_divisible_by_4_gets_code_18() {
    let mut rig = Rig::greeted();
    let odd = MsgId(id(5).0 + 2);
    rig.send(odd, 1, &call()).unwrap();
    assert_eq!((rig.refusal(), rig.calls()), (Some((odd, 18)), vec![]));
}

// rule: MS-02
#[test]
fn a_container_under_a_msg_id_seen_before_gets_code_19() {
    let mut rig = Rig::greeted();
    rig.send_all(id(9), 2, &[inner(id(5), 1, &call())]).unwrap();
    rig.calls();
    rig.send_all(id(9), 2, &[inner(id(6), 1, &call())]).unwrap();
    assert_eq!((rig.refusal(), rig.calls()), (Some((id(9), 19)), vec![]));
}

// rule: MS-02, MS-03
#[test]
fn one_lower_than_all_that_are_kept_gets_code_20() {
    let mut rig = Rig::greeted();
    for n in 10..10 + window::MIN_CAPACITY as u64 {
        rig.send(id(n), 0, &ping(1)).unwrap();
    }
    rig.sent();
    rig.send(id(9), 0, &call()).unwrap();
    assert_eq!((rig.refusal(), rig.calls()), (Some((id(9), 20)), vec![]));
}

// rule: MS-02
#[test]
fn a_message_in_a_container_may_be_old() {
    let mut rig = Rig::greeted();
    rig.millis = 1_000_000;
    let outer = MsgId(((START + 1000) << 32) + 4);
    rig.send_all(outer, 2, &[inner(id(5), 1, &call())]).unwrap();
    assert_eq!(rig.calls(), [id(5)]);
}

// rule: MS-04
#[test]
fn an_api_call_with_an_even_seqno_gets_code_35() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 2, &call()).unwrap();
    assert_eq!((rig.refusal(), rig.calls()), (Some((id(5), 35)), vec![]));
}

// rule: MS-04
#[test]
fn a_packed_call_counts_as_what_it_holds() {
    let packed = gzip::pack(&[&call()[..], &[0; 500]].concat()).unwrap();
    let mut rig = Rig::greeted();
    rig.send(id(5), 2, &packed).unwrap();
    assert_eq!((rig.refusal(), rig.calls()), (Some((id(5), 35)), vec![]));
    rig.send(id(6), 1, &packed).unwrap();
    assert_eq!(rig.session.poll_call().unwrap().body.len(), 504);
}

// rule: MS-04
#[test]
fn an_odd_seqno_on_an_ack_gets_code_34_only_where_the_policy_is_strict() {
    for (strict_seqno, expected) in [(false, None), (true, Some((id(5), 34)))] {
        let mut rig = Rig::greeted_with(Limits { strict_seqno, ..Limits::default() });
        rig.send(id(5), 1, &to_bytes(&MsgsAck { msg_ids: vec![5].into() })).unwrap();
        assert_eq!(rig.refusal(), expected);
    }
}

// rule: MS-04
#[test]
fn seqnos_out_of_order_get_codes_32_and_33() {
    let mut rig = Rig::greeted();
    rig.send(id(10), 5, &call()).unwrap();
    rig.send(id(11), 5, &call()).unwrap();
    assert_eq!(rig.refusal(), Some((id(11), 32)));
    rig.send(id(9), 7, &call()).unwrap();
    assert_eq!(rig.refusal(), Some((id(9), 33)));
    assert_eq!(rig.calls(), [id(10)]);
}

// rule: MS-08
#[test]
fn session_0_and_another_session_end_the_connection() {
    let mut rig = Rig::greeted();
    let (msg_id, body) = (id(5), call());
    let to = |session_id| Opened { salt: SALT, session_id, msg_id, seqno: 1, body: &body, quick_ack: 0 };
    assert_eq!(rig.give(to(SessionId(78))), Err(CloseReason::ForeignSession));
    assert_eq!(rig.calls(), []);
    let mut zero = Rig { session: ServerSession::new(SessionId(0), Arc::default()), ..Rig::new() };
    assert_eq!(zero.give(to(SessionId(0))), Err(CloseReason::ForeignSession));
}

// rule: MS-03, MS-09, TR-04
#[test]
fn it_is_told_whether_a_message_was_new_and_was_taken() {
    let mut rig = Rig::greeted();
    let body = call();
    let with =
        |salt, seqno| Opened { salt, session_id: SESSION, msg_id: id(5), seqno, body: &body, quick_ack: 0 };
    assert!(matches!(rig.receive(with(SALT + 1, 1)), Ok(Reception::Refused { .. })), "a wrong salt");
    assert!(matches!(rig.receive(with(SALT, 2)), Ok(Reception::Refused { .. })), "an even seqno");
    assert_eq!(rig.sent(), [], "a notice goes back at once, and not where the session answers");
    assert_eq!(rig.receive(with(SALT, 1)), Ok(Reception::Taken));
    assert_eq!(rig.receive(with(SALT, 1)), Ok(Reception::Repeated));
    assert_eq!(
        rig.receive(with(SALT + 1, 1)),
        Ok(Reception::Repeated),
        "a repeat is known by its msg_id alone"
    );
}

// rule: MS-09
#[test]
fn a_wrong_salt_gets_the_right_one_and_nothing_is_run() {
    let mut rig = Rig::greeted();
    let opened =
        Opened { salt: 1, session_id: SESSION, msg_id: id(5), seqno: 1, body: &call(), quick_ack: 0 };
    rig.give(opened).unwrap();
    let sent = rig.sent();
    let notice: BadServerSalt = read_exact(&sent[0].body).unwrap();
    assert_eq!((notice.error_code, notice.bad_msg_id, notice.new_server_salt), (48, id(5).to_long(), SALT));
    assert_eq!(rig.calls(), []);
    rig.send(id(6), 1, &call()).unwrap();
    assert_eq!(rig.calls(), [id(6)]);
}

// rule: MS-09
#[test]
fn the_servers_messages_carry_the_current_salt() {
    let mut rig = Rig::new();
    rig.send(id(5), 0, &ping(1)).unwrap();
    let packet = rig.env(|session, salts, env| session.poll_transmit(salts, env)).unwrap();
    assert_eq!((read(&packet).salt, read(&packet).session_id), (SALT, SESSION));
}

// rule: MS-10
#[test]
fn future_salts_come_bare_with_the_msg_id_that_asked() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 0, &to_bytes(&GetFutureSalts { num: 3 })).unwrap();
    let sent = rig.sent();
    let salts: FutureSalts = read_exact(&sent[0].body).unwrap();
    assert_eq!((salts.req_msg_id, salts.salts.len(), salts.salts[0].salt), (id(5).to_long(), 3, SALT));
    assert_eq!(sent[0].seqno & 1, 0);
}

// rule: MS-11
#[test]
fn a_new_session_is_announced_once_with_the_lowest_msg_id() {
    let mut rig = Rig::new();
    rig.send_all(id(9), 2, &[inner(id(6), 1, &call()), inner(id(4), 0, &ping(1))]).unwrap();
    let sent = rig.sent();
    let [created] = of::<NewSessionCreated>(&sent)[..] else { panic!("{sent:?}") };
    assert_eq!((created.first_msg_id, created.server_salt), (id(4).to_long(), SALT));
    assert!(sent.iter().any(|sent| sent.seqno & 1 == 1));
    rig.send(id(10), 2, &ping(2)).unwrap();
    assert_eq!(of::<NewSessionCreated>(&rig.sent()), []);
}

// rule: MS-11
#[test]
fn a_message_below_the_first_is_announced_again_with_the_same_unique_id() {
    let mut rig = Rig::new();
    rig.send(id(6), 0, &ping(1)).unwrap();
    let first = of::<NewSessionCreated>(&rig.sent())[0];
    rig.send(id(5), 0, &ping(1)).unwrap();
    let second = of::<NewSessionCreated>(&rig.sent())[0];
    assert_eq!((second.first_msg_id, second.unique_id), (id(5).to_long(), first.unique_id));
}

#[test]
fn without_randomness_the_first_message_is_not_taken() {
    let mut rig = Rig::new();
    let body = call();
    let opened =
        Opened { salt: SALT, session_id: SESSION, msg_id: id(5), seqno: 1, body: &body, quick_ack: 0 };
    let mut env = Env { now: at(1000), random: &mut Broken, observer: &mut NoObserver };
    let refused = rig.session.handle_message(&opened, &mut rig.salts, &mut env);
    assert!(matches!(refused, Err(CloseReason::Random(_))));
    rig.give(opened).unwrap();
    assert_eq!(rig.calls(), [id(5)]);
}

// rule: MS-12
#[test]
fn a_broken_container_is_refused_as_a_whole_with_code_64() {
    let nested = container::pack(&[]);
    let body = call();
    let broken: [&[Inner<'_>]; 3] = [
        &[inner(id(5), 1, &body), inner(id(6), 2, &nested)],
        &[inner(id(5), 1, &body), inner(id(10), 3, &body)],
        &[inner(id(5), 1, &body), inner(MsgId(id(6).0 + 1), 3, &body)],
    ];
    for inners in broken {
        let mut rig = Rig::greeted();
        rig.send_all(id(9), 4, inners).unwrap();
        assert_eq!((rig.refusal(), rig.calls()), (Some((id(9), 64)), vec![]));
    }
}

// rule: MS-12
#[test]
fn more_than_1024_messages_in_a_container_end_the_connection() {
    let mut rig = Rig::greeted();
    let body = ping(1);
    let many: Vec<_> = (10..1035).map(|n| inner(id(n), 0, &body)).collect();
    assert_eq!(rig.send_all(id(2000), 0, &many), Err(CloseReason::Flood));
    assert_eq!(rig.send_all(id(2000), 0, &many[..1024]), Ok(()));
}

// rule: MS-12
#[test]
fn a_call_that_unpacks_to_too_much_fails_alone() {
    let mut rig = Rig::greeted_with(Limits { unpacked_bytes: 1000, ..Limits::default() });
    let bomb = gzip::pack(&[&call()[..], &[0; 100_000]].concat()).unwrap();
    rig.send_all(id(9), 4, &[inner(id(5), 1, &bomb), inner(id(6), 3, &call())]).unwrap();
    assert_eq!(rig.calls(), [id(6)]);
    let sent = rig.sent();
    let results = of::<RpcResult<'_>>(&sent);
    assert_eq!(results[0].req_msg_id, id(5).to_long());
    assert_eq!(read_exact::<RpcError<'_>>(results[0].result).unwrap().error_code, 400);
}

// rule: MS-12
#[test]
fn more_calls_than_there_is_room_for_end_the_connection_and_can_be_sent_again() {
    let mut rig = Rig::greeted_with(Limits { calls: 1, ..Limits::default() });
    rig.send(id(5), 1, &call()).unwrap();
    assert_eq!(rig.send(id(6), 3, &call()), Err(CloseReason::Flood));
    rig.answer(id(5), &[0; 4]);
    rig.send(id(6), 3, &call()).unwrap();
    assert_eq!(rig.calls(), [id(6)]);
}

// rule: MS-12
#[test]
fn a_long_result_goes_out_packed() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    rig.answer(id(5), &[7; 10_000]);
    let sent = rig.sent();
    let result: RpcResult<'_> = read_exact(&sent[0].body).unwrap();
    assert!(result.result.len() < 1000);
    assert_eq!(gzip::unpack(result.result, 10_000).unwrap(), [7; 10_000]);
}

// rule: MS-13
#[test]
fn a_call_without_an_answer_is_acknowledged_in_time() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    assert_eq!(rig.sent(), []);
    assert_eq!(rig.session.poll_timeout(), Some(at(1500).monotonic));
    rig.millis = 1500;
    let sent = rig.sent();
    let ack: MsgsAck<'_> = read_exact(&sent[0].body).unwrap();
    assert_eq!(ack.msg_ids.iter().collect::<Vec<_>>(), [id(5).to_long()]);
    assert_eq!(rig.session.poll_timeout(), None);
}

// rule: MS-13
#[test]
fn what_was_not_acknowledged_goes_out_again_on_a_new_connection() {
    let mut rig = Rig::greeted();
    rig.env(|session, _, env| session.push(vec![1, 2, 3, 4], env)).unwrap();
    let first = rig.sent();
    assert_eq!((first[0].msg_id.0 & 3, first[0].seqno & 1), (3, 1));
    rig.session.handle_new_connection();
    let again = rig.sent();
    assert_eq!((again[0].msg_id, again[0].in_container), (first[0].msg_id, true));
    rig.send(id(5), 0, &to_bytes(&MsgsAck { msg_ids: vec![first[0].msg_id.to_long()].into() })).unwrap();
    rig.session.handle_new_connection();
    assert_eq!(rig.sent(), []);
}

// rule: MS-13
#[test]
fn more_than_8192_ids_end_the_connection() {
    let many = |count| vec![4_i64; count].into();
    for body in [
        to_bytes(&MsgsAck { msg_ids: many(8193) }),
        to_bytes(&MsgsStateReq { msg_ids: many(8193) }),
        to_bytes(&MsgResendReqPlain { msg_ids: many(8193) }),
    ] {
        assert_eq!(Rig::greeted().send(id(5), 0, &body), Err(CloseReason::Flood));
    }
    let mut rig = Rig::greeted();
    rig.env(|session, _, env| session.push(vec![1; 4], env)).unwrap();
    let pushed = rig.sent()[0].msg_id.to_long();
    let resend = to_bytes(&MsgResendReqPlain { msg_ids: vec![pushed; 8193].into() });
    assert_eq!(rig.send(id(5), 0, &resend), Err(CloseReason::Flood));
    let most = to_bytes(&MsgsStateReq { msg_ids: many(8192) });
    assert_eq!(Rig::greeted().send(id(5), 0, &most), Ok(()));
}

// rule: MS-14
#[test]
fn dropping_an_answer_has_three_outcomes() {
    let drop_answer = |msg_id: MsgId| to_bytes(&RpcDropAnswerCall { req_msg_id: msg_id.to_long() });
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    rig.send(id(6), 3, &call()).unwrap();
    rig.answer(id(6), &[1; 4]);
    rig.sent();
    for (n, call) in [(7, id(4)), (8, id(5)), (9, id(6))] {
        rig.send(id(n), 2 * n as i32 - 9, &drop_answer(call)).unwrap();
    }
    let sent = rig.sent();
    let outcomes: Vec<_> = of::<RpcResult<'_>>(&sent);
    let of_call =
        |msg_id: MsgId| outcomes.iter().find(|result| result.req_msg_id == msg_id.to_long()).unwrap().result;
    assert!(read_exact::<RpcAnswerUnknown>(of_call(id(7))).is_ok());
    assert!(read_exact::<RpcAnswerDroppedRunning>(of_call(id(8))).is_ok());
    assert!(read_exact::<RpcAnswerDroppedRunning>(of_call(id(5))).is_ok());
    assert!(read_exact::<RpcAnswerDropped>(of_call(id(9))).is_ok());
    rig.answer(id(5), &[2; 4]);
    rig.session.handle_new_connection();
    let again = of::<RpcResult<'_>>(&rig.sent()).iter().map(|result| result.req_msg_id).collect::<Vec<_>>();
    assert!(!again.contains(&id(6).to_long()));
}

// rule: MS-15
#[test]
fn states_tell_what_became_of_messages() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &call()).unwrap();
    rig.send(id(7), 3, &call()).unwrap();
    rig.answer(id(7), &[1; 4]);
    rig.sent();
    let ids = [id(5), id(6), id(7), id(90), MsgId(5)].map(MsgId::to_long);
    rig.send(id(8), 4, &to_bytes(&MsgsStateReq { msg_ids: ids[..].into() })).unwrap();
    let sent = rig.sent();
    let info: MsgsStateInfo<'_> = read_exact(&sent[0].body).unwrap();
    assert_eq!((info.req_msg_id, info.info), (id(8).to_long(), &[4 + 32, 2, 4 + 32 + 64, 3, 1][..]));
}

// rule: MS-15
#[test]
fn a_request_to_resend_gets_the_messages_or_the_states_of_all() {
    let mut rig = Rig::greeted();
    rig.env(|session, _, env| session.push(vec![1; 4], env)).unwrap();
    let pushed = rig.sent()[0].msg_id;
    let resend = |ids: &[i64]| to_bytes(&MsgResendReqPlain { msg_ids: ids.into() });
    rig.send(id(5), 0, &resend(&[pushed.to_long()])).unwrap();
    assert_eq!(rig.sent()[0].msg_id, pushed);
    rig.send(id(6), 0, &resend(&[pushed.to_long(), 3])).unwrap();
    assert_eq!(of::<MsgsStateInfo<'_>>(&rig.sent())[0].info.len(), 2);
}

// rule: MS-16
#[test]
fn a_ping_gets_a_bare_pong_whatever_its_seqno() {
    let mut rig = Rig::greeted();
    for (n, seqno) in [(5, 0), (6, 1)] {
        rig.send(id(n), seqno, &ping(-9)).unwrap();
        let sent = rig.sent();
        let pong: Pong = read_exact(&sent[0].body).unwrap();
        assert_eq!((pong.msg_id, pong.ping_id, sent.len()), (id(n).to_long(), -9, 1));
    }
}

// rule: MS-16
#[test]
fn ping_delay_disconnect_names_the_end_of_its_connection() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 0, &to_bytes(&PingDelayDisconnect { ping_id: 3, disconnect_delay: 75 })).unwrap();
    assert_eq!(rig.session.poll_disconnect(), Some(Duration::from_secs(75)));
    assert_eq!(rig.session.poll_disconnect(), None);
    assert_eq!(of::<Pong>(&rig.sent())[0].ping_id, 3);
}

#[test]
fn the_owner_answers_what_is_not_the_sessions_to_answer() {
    let mut rig = Rig::greeted();
    rig.send(id(5), 1, &to_bytes(&DestroySession { session_id: 9 })).unwrap();
    rig.send(id(6), 3, &to_bytes(&DestroyAuthKey)).unwrap();
    let asked = [rig.session.poll_request().unwrap(), rig.session.poll_request().unwrap()];
    let session = SessionId(9);
    let expected = [
        OwnerRequest::DestroySession { msg_id: id(5), session },
        OwnerRequest::DestroyAuthKey { msg_id: id(6) },
    ];
    assert_eq!(asked, expected);
    let answer = to_bytes(&DestroySessionNone { session_id: 9 });
    rig.env(|session, _, env| session.answer_bare(answer, env)).unwrap();
    assert_eq!(of::<DestroySessionNone>(&rig.sent()).len(), 1);
}

// rule: PF-18
#[test]
fn a_bind_is_run_before_the_calls_beside_it() {
    let bind = to_bytes(&AuthBindTempAuthKey {
        perm_auth_key_id: 1,
        nonce: 2,
        expires_at: 3,
        encrypted_message: &[0; 104],
    });
    let wrapped = to_bytes(&InvokeWithLayer { layer: 230, query: &bind });
    for bind in [bind, wrapped] {
        let mut rig = Rig::greeted();
        let (first, last) = (call(), to_bytes(&HelpGetNearestDc));
        let inners = [inner(id(5), 1, &first), inner(id(6), 3, &bind), inner(id(7), 5, &last)];
        rig.send_all(id(9), 6, &inners).unwrap();
        assert_eq!(rig.calls(), [id(6), id(5), id(7)]);
    }
}

#[test]
fn acks_and_empty_containers_and_http_wait_need_no_word() {
    let mut rig = Rig::greeted();
    rig.send_all(id(5), 0, &[]).unwrap();
    let wait = to_bytes(&HttpWait { max_delay: 0, wait_after: 0, max_wait: 25_000 });
    rig.send(id(6), 0, &wait).unwrap();
    rig.send(id(7), 0, &[]).unwrap();
    rig.send(id(8), 0, &to_bytes(&MsgsAck { msg_ids: vec![1].into() })[..8]).unwrap();
    assert_eq!((rig.sent(), rig.calls()), (vec![], vec![]));
}

#[test]
fn a_client_that_reads_nothing_is_cut_off() {
    let mut rig = Rig::greeted_with(Limits { outbox_bytes: 1000, ..Limits::default() });
    let push = |rig: &mut Rig| rig.env(|session, _, env| session.push(vec![0; 400], env));
    assert_eq!([push(&mut rig), push(&mut rig), push(&mut rig)], [Ok(()), Ok(()), Err(CloseReason::Flood)]);
}

#[test]
fn a_copy_of_an_old_message_is_taken_as_the_message() {
    let mut rig = Rig::greeted();
    let body = call();
    let copy =
        to_bytes(&MsgCopy { orig_message: Message { msg_id: id(5).to_long(), seqno: 1, body: &body } });
    rig.send(id(9), 2, &copy).unwrap();
    assert_eq!(rig.calls(), [id(5)]);
    rig.send(id(5), 1, &body).unwrap();
    assert_eq!(rig.calls(), []);
}
