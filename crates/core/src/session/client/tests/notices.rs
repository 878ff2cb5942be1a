//! What the server refuses, and what is sent again.

use super::*;

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
