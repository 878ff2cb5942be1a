//! A back end that is late, answers twice or answers nonsense, and the updates that it sends.

use dayfly_core::server::{ConnectionId, PushError, Recipient};
use dayfly_core::session::SessionId;
use dayfly_core::session::server::Answer;
use dayfly_tl::{api, to_bytes};

use crate::peers::{Heard, Key, PEER, Rig, Speaker, call, seconds};
use crate::permission::bool_true;

fn update() -> Vec<u8> {
    to_bytes(&api::NearestDc { country: b"ZZ", this_dc: 2, nearest_dc: 2 })
}

/// A client in session `session` that was answered once.
fn client(rig: &mut Rig, key: &Key, session: i64) -> (ConnectionId, Speaker) {
    let (connection, mut speaker) = (rig.connect(), Speaker::client(key, session));
    assert_eq!(rig.ask(connection, &mut speaker, call(1)), bool_true());
    rig.heard(connection);
    (connection, speaker)
}

fn push(rig: &mut Rig, to: Recipient) -> usize {
    let reached = rig.server.handle_push(to, &update(), &mut rig.world.env()).unwrap();
    rig.settle();
    reached
}

/// How many updates came on a connection.
fn updates(rig: &mut Rig, connection: ConnectionId) -> usize {
    let is_update = |heard: &Heard| matches!(heard, Heard::Message { body, .. } if *body == update());
    rig.heard(connection).iter().filter(|heard| is_update(heard)).count()
}

#[test]
fn a_call_says_from_where_it_came_and_for_which_dc_its_key_was_made() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let media = Key::temp(2, 3600);
    rig.keep(&media, -2, Some(perm.id));
    client(&mut rig, &media, 5);
    let call = rig.calls.last().unwrap();
    assert_eq!((call.key, call.session_id), (perm.id, SessionId(5)));
    assert_eq!((call.dc, call.peer), (-2, Some(PEER)));
}

#[test]
fn a_back_end_that_is_late_is_named_and_its_answer_comes_too_late() {
    let mut rig = Rig::new(|config| config.call_deadline = seconds(30));
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (connection, mut speaker) = client(&mut rig, &temp, 5);
    rig.hold_calls = true;
    let asked = rig.say(connection, &mut speaker, call(2));
    let owed = rig.calls.last().unwrap().id;
    assert_eq!(rig.server.answers_owed(), 1);
    rig.pass(seconds(29));
    assert_eq!(rig.answer_to(connection, asked), None);
    rig.pass(seconds(2));
    assert_eq!(rig.answer_to(connection, asked), Some(Err((500, "BACKEND_TIMEOUT".into()))));
    assert_eq!((rig.server.calls_owed(), rig.server.answers_owed()), (0, 0));
    rig.heard(connection);
    rig.answer(owed, Answer::Result(to_bytes(&api::BoolTrue)));
    assert_eq!(rig.heard(connection), []);
    rig.hold_calls = false;
    assert_eq!(rig.ask(connection, &mut speaker, call(3)), bool_true(), "the session goes on");
}

#[test]
fn answers_that_come_together_travel_in_one_packet_for_each_session() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (connection, mut speaker) = client(&mut rig, &temp, 5);
    rig.hold_calls = true;
    let asked = [2, 3, 4].map(|number| rig.say(connection, &mut speaker, call(number)));
    let owed: Vec<_> = rig.calls.iter().rev().take(3).map(|call| call.id).collect();
    let answers: Vec<_> = owed.iter().map(|call| (*call, Answer::Result(bool_true().unwrap()))).collect();
    let before = rig.packets;
    rig.server.handle_answers(answers.clone(), &mut rig.world.env());
    rig.settle();
    assert_eq!(rig.packets, before + 1);
    assert_eq!(asked.map(|call| rig.answer_to(connection, call)), [(); 3].map(|()| Some(bool_true())));
    assert_eq!(rig.server.calls_owed(), 0);
    rig.server.handle_answers(answers, &mut rig.world.env());
    rig.settle();
    assert_eq!(rig.packets, before + 1, "each is answered once");
}

#[test]
fn a_call_is_answered_once_and_in_a_form_that_clients_read() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (connection, mut speaker) = client(&mut rig, &temp, 5);
    rig.hold_calls = true;
    let asked = rig.say(connection, &mut speaker, call(2));
    let owed = rig.calls.last().unwrap().id;
    rig.answer(owed, Answer::Result(vec![1, 2, 3]));
    assert_eq!(rig.answer_to(connection, asked), Some(Err((500, "BACKEND_RESULT_MALFORMED".into()))));
    rig.heard(connection);
    rig.answer(owed, Answer::Result(to_bytes(&api::BoolTrue)));
    assert_eq!(rig.heard(connection), []);
    assert_eq!(rig.server.poll_timeout().map(|at| at > rig.world.now.monotonic), Some(true));
}

#[test]
fn an_update_reaches_every_connected_session_of_its_key_and_nobody_else() {
    let mut rig = Rig::new(|config| config.tmp_sessions = 2);
    let (perm, stranger) = (rig.perm(1), rig.perm(9));
    let (first, second, foreign) = (rig.bound(2, &perm), rig.bound(3, &perm), rig.bound(8, &stranger));
    let (one, _) = client(&mut rig, &first, 5);
    let (two, _) = client(&mut rig, &second, 6);
    let (gone, _) = client(&mut rig, &second, 7);
    let (apart, _) = client(&mut rig, &foreign, 8);
    rig.close(gone);
    assert_eq!(rig.server.sessions_of(perm.id).len(), 2);
    assert_eq!(push(&mut rig, Recipient::Key(perm.id)), 2);
    assert_eq!([one, two, apart].map(|connection| updates(&mut rig, connection)), [1, 1, 0]);
    assert_eq!(push(&mut rig, Recipient::Session(perm.id, SessionId(6))), 1);
    assert_eq!([one, two, apart].map(|connection| updates(&mut rig, connection)), [0, 1, 0]);
    assert_eq!(push(&mut rig, Recipient::Session(perm.id, SessionId(8))), 0, "a session of another key");
    assert_eq!(push(&mut rig, Recipient::Key(Key::perm(77).id)), 0);
}

#[test]
fn an_update_for_a_session_without_a_connection_waits_for_it() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (first, mut speaker) = client(&mut rig, &temp, 5);
    rig.close(first);
    assert_eq!(push(&mut rig, Recipient::Session(perm.id, SessionId(5))), 1);
    let again = rig.connect();
    rig.say(again, &mut speaker, call(2));
    assert_eq!(updates(&mut rig, again), 1);
}

// rule: PF-10
#[test]
fn a_key_that_was_replaced_gets_no_updates() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let (old, new) = (rig.bound(2, &perm), rig.temp(3, 3600));
    let (before, _) = client(&mut rig, &old, 5);
    let (after, mut speaker) = (rig.connect(), Speaker::client(&new, 6));
    rig.bind(after, &mut speaker, &perm).unwrap();
    assert_eq!(push(&mut rig, Recipient::Key(perm.id)), 1);
    assert_eq!([before, after].map(|connection| updates(&mut rig, connection)), [0, 1]);
}

#[test]
fn an_update_that_no_client_could_read_is_refused_by_name() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let mut refused =
        |update: &[u8]| rig.server.handle_push(Recipient::Key(perm.id), update, &mut rig.world.env());
    for len in [0, 5] {
        assert_eq!(refused(&vec![0; len]), Err(PushError::Malformed { len }));
    }
    assert!(matches!(refused(&vec![0; 2 << 20]), Err(PushError::TooLong { .. })));
}
