//! The ends of temporary keys: in their time, dropped, evicted.

use dayfly_core::server::{EndReason, Event};
use dayfly_core::session::server::Answer;
use dayfly_tl::{api, to_bytes};

use crate::peers::{Heard, Rig, START, Speaker, call, seconds};
use crate::permission::bool_true;

fn ends(rig: &Rig) -> Vec<EndReason> {
    let reason = |event: &Event| match event {
        Event::KeyEnded { reason, .. } => Some(*reason),
        _ => None,
    };
    rig.events.iter().filter_map(reason).collect()
}

// rule: PF-15
#[test]
fn at_its_end_a_key_gets_one_404_on_each_connection_which_is_then_closed() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(2, 100);
    let (first, second) = (rig.connect(), rig.connect());
    for (connection, session) in [(first, 5), (first, 6), (second, 7)] {
        let mut client = Speaker::client(&temp, session);
        rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    }
    rig.pass(seconds(99));
    assert_eq!((rig.signals(first), rig.signals(second)), (vec![], vec![]));
    rig.pass(seconds(1));
    let end = vec![Heard::Error(-404), Heard::Closed];
    assert_eq!((rig.signals(first), rig.signals(second)), (end.clone(), end));
    assert_eq!(ends(&rig), [EndReason::Expired]);
}

// rule: PF-15
#[test]
fn an_answer_that_comes_after_the_end_goes_nowhere() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(2, 100);
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.hold_calls = true;
    rig.say(connection, &mut client, to_bytes(&api::HelpGetConfig));
    rig.pass(seconds(100));
    rig.heard(connection);
    let owed = rig.calls[0].id;
    rig.answer(owed, Answer::Result(to_bytes(&api::BoolTrue)));
    assert_eq!(rig.heard(connection), []);
    assert_eq!((rig.server.calls_owed(), rig.server.poll_timeout()), (0, None));
}

// rule: PF-15
#[test]
fn a_clock_that_is_set_back_ends_no_key_before_its_second() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(2, 100);
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.world.now.unix -= seconds(20);
    rig.pass(seconds(110));
    assert_eq!(rig.signals(connection), []);
    rig.pass(seconds(10));
    assert_eq!(rig.signals(connection), [Heard::Error(-404), Heard::Closed]);
}

// rule: PF-15
#[test]
fn a_frame_after_the_end_is_not_taken_even_if_the_timer_is_late() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(2, 100);
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.heard(connection);
    let other = rig.connect();
    rig.world.now.unix += seconds(100);
    let late = rig.say(other, &mut client, to_bytes(&api::HelpGetConfig));
    assert_eq!(rig.answer_to(other, late), None);
    // The one that it came on never answered under the key, the other one did.
    for connection in [other, connection] {
        assert_eq!(rig.heard(connection), [Heard::Error(-404), Heard::Closed]);
    }
}

// rule: PF-15
#[test]
fn a_connection_that_speaks_under_another_key_by_now_goes_on() {
    let mut rig = Rig::new(|_| {});
    let (old, new) = (rig.temp(2, 100), rig.temp(3, 3600));
    let connection = rig.connect();
    let (mut before, mut after) = (Speaker::client(&old, 5), Speaker::client(&new, 6));
    rig.ask(connection, &mut before, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.ask(connection, &mut after, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.pass(seconds(101));
    assert_eq!(rig.signals(connection), []);
    assert_eq!(rig.ask(connection, &mut after, to_bytes(&api::HelpGetConfig)), bool_true());
}

// rule: PF-19
#[test]
fn a_client_ends_its_other_temporary_keys_but_those_it_names() {
    let mut rig = Rig::new(|_| {});
    let (perm, stranger) = (rig.perm(1), rig.perm(9));
    let keys = [2, 3, 4].map(|number| rig.bound(number, &perm));
    let foreign = rig.bound(8, &stranger);
    let mut clients =
        [&keys[0], &keys[1], &keys[2], &foreign].map(|key| (rig.connect(), Speaker::client(key, 5)));
    for (connection, client) in &mut clients {
        assert_eq!(rig.ask(*connection, client, call(1)), bool_true());
        rig.heard(*connection);
    }
    let except = vec![keys[1].id.to_long()];
    let drop = to_bytes(&api::AuthDropTempAuthKeys { except_auth_keys: except.into() });
    let (connection, client) = &mut clients[0];
    assert_eq!(rig.ask(*connection, client, drop), bool_true());
    assert_eq!(rig.signals(clients[2].0), [Heard::Error(-404), Heard::Closed]);
    for at in [0, 1, 3] {
        let (connection, client) = &mut clients[at];
        assert_eq!(rig.ask(*connection, client, call(2)), bool_true(), "client {at}");
    }
    assert_eq!(ends(&rig), [EndReason::Dropped]);
}

// rule: PF-19
#[test]
fn dropping_keys_from_a_store_that_cannot_be_asked_is_an_error_of_the_servers() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let temp = rig.bound(2, &perm);
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.ask(connection, &mut client, call(1)).unwrap();
    rig.store.silent = true;
    let drop = to_bytes(&api::AuthDropTempAuthKeys { except_auth_keys: vec![].into() });
    assert_eq!(rig.ask(connection, &mut client, drop).unwrap_err().0, 500);
    let torn = api::AuthDropTempAuthKeys::CONSTRUCTOR.to_le_bytes().to_vec();
    assert_eq!(rig.ask(connection, &mut client, torn).unwrap_err().0, 400);
}

// rule: PF-25
#[test]
fn a_key_that_had_to_make_room_ends_like_any_other() {
    let mut rig = Rig::new(|_| {});
    let temp = rig.temp(2, 3600);
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.store.forget(temp.id);
    rig.server.handle_ended(&[temp.id], &mut rig.world.env());
    rig.settle();
    assert_eq!(rig.signals(connection), [Heard::Error(-404), Heard::Closed]);
    assert_eq!(ends(&rig), [EndReason::Evicted]);
    let again = rig.connect();
    rig.say(again, &mut client, to_bytes(&api::HelpGetConfig));
    assert_eq!(rig.heard(again), [Heard::Error(-404)]);
}

#[test]
fn a_key_that_is_evicted_under_a_binding_ends() {
    let mut rig = Rig::new(|_| {});
    let (perm, temp) = (rig.perm(1), rig.temp(2, 3600));
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    rig.ask(connection, &mut client, to_bytes(&api::HelpGetConfig)).unwrap();
    rig.hold_store = true;
    let bind = client.bind(&perm, START + 3600, &mut rig.world);
    rig.post(connection, &client, &bind);
    rig.perform_one();
    rig.store.forget(temp.id);
    rig.perform_one();
    assert_eq!(rig.answer_to(connection, bind.msg_id), None);
    assert_eq!(rig.signals(connection), [Heard::Error(-404), Heard::Closed]);
}
