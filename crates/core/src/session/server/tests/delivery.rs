//! Acks, states, what goes out again, pings, and peers that do not read.

use super::*;

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
