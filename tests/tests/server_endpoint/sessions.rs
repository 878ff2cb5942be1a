//! Sessions: where they answer, how long they are remembered, and that they hold nothing for ever.

use dayfly_core::server::{ConnectionId, Event, Output};
use dayfly_core::session::server::Answer;
use dayfly_tl::mtproto::{
    BadServerSalt, DestroySession, DestroySessionNone, DestroySessionOk, PingDelayDisconnect,
};
use dayfly_tl::{api, to_bytes};

use crate::peers::{Heard, Key, Rig, Speaker, call, seconds};
use crate::permission::bool_true;

fn rig_with_client() -> (Rig, ConnectionId, Speaker) {
    let mut rig = Rig::new(|config| config.allow_no_pfs = true);
    let perm = rig.perm(1);
    let connection = rig.connect();
    (rig, connection, Speaker::client(&perm, 5))
}

#[test]
fn an_answer_goes_to_the_connection_that_its_session_used_last() {
    let (mut rig, first, mut client) = rig_with_client();
    rig.hold_calls = true;
    let asked = rig.say(first, &mut client, call(1));
    let second = rig.connect();
    rig.say(second, &mut client, call(2));
    let owed = rig.calls[0].id;
    rig.answer(owed, Answer::Result(to_bytes(&api::BoolTrue)));
    assert_eq!(rig.answer_to(first, asked), None);
    assert_eq!(rig.answer_to(second, asked), Some(bool_true()));
}

#[test]
fn closing_the_connection_that_a_session_left_changes_nothing() {
    let (mut rig, first, mut client) = rig_with_client();
    rig.ask(first, &mut client, call(1)).unwrap();
    let second = rig.connect();
    rig.ask(second, &mut client, call(2)).unwrap();
    rig.close(first);
    rig.pass(seconds(700));
    assert_eq!(rig.ask(second, &mut client, call(3)), bool_true());
    assert_eq!(rig.store.finds.len(), 1, "the session was there all the time");
}

#[test]
fn an_answer_waits_for_a_client_that_comes_back() {
    let (mut rig, first, mut client) = rig_with_client();
    rig.hold_calls = true;
    let asked = rig.say(first, &mut client, call(1));
    rig.close(first);
    let owed = rig.calls[0].id;
    rig.answer(owed, Answer::Result(to_bytes(&api::BoolTrue)));
    let second = rig.connect();
    rig.say(second, &mut client, call(2));
    assert_eq!(rig.answer_to(second, asked), Some(bool_true()));
}

#[test]
fn a_session_that_lost_its_connection_with_an_acknowledgement_due_lets_the_timers_rest() {
    let (mut rig, connection, mut client) = rig_with_client();
    rig.say(connection, &mut client, to_bytes(&DestroySession { session_id: 99 }));
    rig.close(connection);
    rig.pass(seconds(5));
    rig.pass(seconds(600));
    assert_eq!(rig.server.poll_timeout(), None, "the session is forgotten");
    let again = rig.connect();
    rig.say(again, &mut client, call(1));
    assert_eq!(rig.store.finds.len(), 2, "and its key with it");
}

#[test]
fn sessions_that_come_and_go_on_one_connection_leave_nothing_behind() {
    let (mut rig, connection, _) = rig_with_client();
    for session in 100..400 {
        let mut other = Speaker::client(&Key::perm(1), session);
        rig.say(connection, &mut other, to_bytes(&DestroySession { session_id: 99 }));
    }
    rig.close(connection);
    rig.pass(seconds(601));
    assert_eq!(rig.server.poll_timeout(), None);
}

// rule: MS-08
#[test]
fn session_0_closes_the_connection_without_a_word() {
    let (mut rig, connection, _) = rig_with_client();
    rig.say(connection, &mut Speaker::client(&Key::perm(1), 0), call(1));
    assert_eq!(rig.heard(connection), [Heard::Closed]);
    assert!(rig.calls.is_empty());
}

// rule: MS-17
#[test]
fn a_session_can_be_destroyed_from_another_one_of_its_key() {
    let (mut rig, connection, mut client) = rig_with_client();
    let mut other = Speaker::client(&Key::perm(1), 6);
    rig.ask(connection, &mut other, call(1)).unwrap();
    rig.ask(connection, &mut client, call(2)).unwrap();
    for expected in [DestroySessionOk::CONSTRUCTOR, DestroySessionNone::CONSTRUCTOR] {
        rig.heard(connection);
        rig.say(connection, &mut client, to_bytes(&DestroySession { session_id: 6 }));
        let heard = rig.heard(connection);
        assert!(heard.iter().any(|heard| heard.constructor() == expected), "{heard:?}");
    }
    rig.say(connection, &mut client, to_bytes(&DestroySession { session_id: 5 }));
    let heard = rig.heard(connection);
    assert!(heard.iter().any(|heard| heard.constructor() == DestroySessionNone::CONSTRUCTOR), "not its own");
}

// rule: MS-16
#[test]
fn a_connection_is_closed_when_its_client_does_not_ping_again_in_time() {
    let (mut rig, connection, mut client) = rig_with_client();
    let ping = |ping_id| to_bytes(&PingDelayDisconnect { ping_id, disconnect_delay: 30 });
    rig.say(connection, &mut client, ping(1));
    rig.pass(seconds(20));
    rig.say(connection, &mut client, ping(2));
    rig.pass(seconds(29));
    assert_eq!(rig.signals(connection), []);
    rig.pass(seconds(2));
    assert_eq!(rig.signals(connection), [Heard::Closed]);
}

// rule: MS-03
#[test]
fn a_packet_that_someone_recorded_and_sends_again_diverts_no_answers() {
    let (mut rig, own, mut client) = rig_with_client();
    rig.hold_calls = true;
    let asked = client.say(call(1), rig.world.now);
    rig.post(own, &client, &asked);
    let foreign = rig.connect();
    rig.post(foreign, &client, &asked);
    let owed = rig.calls[0].id;
    rig.answer(owed, Answer::Result(to_bytes(&api::BoolTrue)));
    assert_eq!(rig.answer_to(own, asked.msg_id), Some(bool_true()));
    assert_eq!(rig.heard(foreign), []);
    assert_eq!(rig.calls.len(), 1);
}

#[test]
fn a_repeat_is_answered_where_it_came_from_once_the_connection_of_its_session_is_gone() {
    let (mut rig, first, mut client) = rig_with_client();
    let asked = client.say(call(1), rig.world.now);
    rig.post(first, &client, &asked);
    rig.close(first);
    let second = rig.connect();
    rig.post(second, &client, &asked);
    assert_eq!(rig.answer_to(second, asked.msg_id), Some(bool_true()));
    assert_eq!(rig.calls.len(), 1);
}

// rule: MS-09
#[test]
fn a_refusal_goes_where_the_message_came_from_and_the_session_stays_where_it_is() {
    let (mut rig, own, mut client) = rig_with_client();
    rig.ask(own, &mut client, call(1)).unwrap();
    rig.hold_calls = true;
    let asked = rig.say(own, &mut client, call(2));
    let elsewhere = rig.connect();
    client.salt += 1;
    rig.say(elsewhere, &mut client, call(3));
    let told: Vec<u32> = rig.heard(elsewhere).iter().map(Heard::constructor).collect();
    assert_eq!(told, [BadServerSalt::CONSTRUCTOR]);
    let owed = rig.calls[1].id;
    rig.answer(owed, Answer::Result(to_bytes(&api::BoolTrue)));
    assert_eq!(rig.answer_to(own, asked), Some(bool_true()));
}

#[test]
fn a_session_whose_first_message_is_refused_is_not_opened() {
    let (mut rig, connection, mut client) = rig_with_client();
    client.salt += 1;
    rig.say(connection, &mut client, call(1));
    let told: Vec<u32> = rig.heard(connection).iter().map(Heard::constructor).collect();
    assert_eq!(told, [BadServerSalt::CONSTRUCTOR]);
    assert!(!rig.events.iter().any(|event| matches!(event, Event::SessionCreated { .. })));
    client.salt -= 1;
    assert_eq!(rig.ask(connection, &mut client, call(2)), bool_true());
}

// rule: TR-04
#[test]
fn a_quick_acknowledgement_comes_for_a_message_that_is_taken_and_for_no_other() {
    let (mut rig, connection, mut client) = rig_with_client();
    rig.ask(connection, &mut client, call(1)).unwrap();
    rig.is_raw = true;
    let mut tokens_for = |client: &mut Speaker| {
        let said = client.say(call(2), rig.world.now);
        let mut frame = client.seal(&said, &mut rig.world);
        let length = u32::try_from(frame.len()).unwrap() | 1 << 31;
        frame.splice(..0, length.to_le_bytes());
        rig.bytes(connection, &frame);
        let alone = |output: Output| match output {
            Output::Send { bytes, .. } if bytes.len() == 4 => Some(bytes[3] >> 7),
            _ => None,
        };
        std::mem::take(&mut rig.raw).into_iter().filter_map(alone).collect::<Vec<_>>()
    };
    assert_eq!(tokens_for(&mut client), [1], "four bytes with bit 31 set");
    client.salt += 1;
    assert_eq!(tokens_for(&mut client), [] as [u8; 0], "a wrong salt");
}
