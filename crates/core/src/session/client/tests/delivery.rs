//! Acks, repeats, states, pings, new sessions.

use super::*;

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
