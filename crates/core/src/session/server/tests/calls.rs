//! Calls: run once, answered by their msg_id, dropped, repeated.

use super::*;

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
