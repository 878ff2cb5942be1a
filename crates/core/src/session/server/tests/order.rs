//! Which messages are taken: their ids, their numbers, their session.

use super::*;

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
