//! Salts, and the announcement of a new session.

use super::*;

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
