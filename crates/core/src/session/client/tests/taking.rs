//! Which messages of the server are taken.

use super::*;

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
