//! Calls: what they end with, given up, taken along, built late.

use super::*;

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
