//! Bindings that take each other's place.

use dayfly_core::server::{ConnectionId, Event};
use dayfly_core::session::server::Answer;
use dayfly_tl::{api, to_bytes};

use crate::peers::{Heard, Key, Rig, START, Speaker, call, seconds};
use crate::permission::bool_true;

/// A key that is made, spoken under on a connection of its own, and bound.
fn join(rig: &mut Rig, number: u8, dc: i32, perm: &Key) -> (ConnectionId, Speaker) {
    let temp = Key::temp(number, 3600);
    rig.keep(&temp, dc, None);
    let (connection, mut client) = (rig.connect(), Speaker::client(&temp, 5));
    assert_eq!(rig.bind(connection, &mut client, perm), bool_true());
    (connection, client)
}

fn serves(rig: &mut Rig, (connection, client): &mut (ConnectionId, Speaker)) -> bool {
    let msg_id = rig.say(*connection, client, call(1));
    rig.answer_to(*connection, msg_id).is_some()
}

// rule: PF-10
#[test]
fn a_key_that_was_replaced_takes_no_query_on_its_open_connection() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let mut old = join(&mut rig, 2, 2, &perm);
    let mut new = join(&mut rig, 3, 2, &perm);
    rig.heard(old.0);
    let calls = rig.calls.len();
    rig.say(old.0, &mut old.1, call(1));
    assert_eq!(rig.heard(old.0), [Heard::Error(-404)]);
    assert_eq!(rig.calls.len(), calls);
    assert!(serves(&mut rig, &mut new));
}

// rule: PF-10
#[test]
fn answers_owed_under_a_replaced_key_go_out_for_ten_seconds() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let mut old = join(&mut rig, 2, 2, &perm);
    rig.hold_calls = true;
    let first = rig.say(old.0, &mut old.1, call(1));
    let second = rig.say(old.0, &mut old.1, call(2));
    join(&mut rig, 3, 2, &perm);
    let owed: Vec<_> = rig.calls.iter().map(|call| call.id).collect();
    rig.pass(seconds(9));
    rig.answer(owed[0], Answer::Result(to_bytes(&api::BoolTrue)));
    assert_eq!(rig.answer_to(old.0, first), Some(bool_true()));
    rig.pass(seconds(1));
    assert_eq!(rig.signals(old.0), [Heard::Error(-404), Heard::Closed]);
    rig.answer(owed[1], Answer::Result(to_bytes(&api::BoolTrue)));
    assert_eq!(rig.answer_to(old.0, second), None);
    assert_eq!(rig.server.calls_owed(), 0);
}

// rule: PF-10
#[test]
fn of_two_bindings_that_race_exactly_one_stands() {
    for newer_first in [false, true] {
        let mut rig = Rig::new(|_| {});
        let perm = rig.perm(1);
        let mut both = Vec::new();
        for number in [2, 3] {
            let temp = rig.temp(number, 3600);
            let mut one = (rig.connect(), Speaker::client(&temp, 5));
            rig.ask(one.0, &mut one.1, to_bytes(&api::HelpGetConfig)).unwrap();
            both.push(one);
        }
        rig.hold_store = true;
        for (connection, client) in &mut both {
            let bind = client.bind(&perm, START + 3600, &mut rig.world);
            rig.post(*connection, client, &bind);
        }
        rig.perform_one();
        rig.perform_one();
        let mut outcomes: Vec<_> = std::mem::take(&mut rig.requests)
            .into_iter()
            .map(|(ticket, request)| (ticket, rig.store.perform(request)))
            .collect();
        if newer_first {
            outcomes.reverse();
        }
        for (ticket, outcome) in outcomes {
            rig.store_says(ticket, outcome);
        }
        rig.hold_store = false;
        rig.settle();
        let serving = both.iter_mut().map(|one| serves(&mut rig, one)).collect::<Vec<_>>();
        assert_eq!(serving, [false, true], "newer first: {newer_first}");
    }
}

// rule: PF-10
#[test]
fn a_key_that_is_replaced_while_it_is_looked_up_does_not_come_back() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let old = rig.bound(2, &perm);
    let new = rig.temp(3, 3600);
    let mut winner = (rig.connect(), Speaker::client(&new, 5));
    rig.ask(winner.0, &mut winner.1, to_bytes(&api::HelpGetConfig)).unwrap();

    rig.hold_store = true;
    let mut loser = (rig.connect(), Speaker::client(&old, 5));
    let asked = rig.say(loser.0, &mut loser.1, call(1));
    let (ticket, request) = rig.requests.pop_front().unwrap();
    let found = rig.store.perform(request);
    let bind = winner.1.bind(&perm, START + 3600, &mut rig.world);
    rig.post(winner.0, &winner.1, &bind);
    rig.perform_one();
    rig.perform_one();
    rig.hold_store = false;
    rig.store_says(ticket, found);

    assert_eq!(rig.answer_to(loser.0, asked), None);
    assert_eq!(rig.heard(loser.0), [Heard::Error(-404)]);
}

// rule: PF-10
#[test]
fn calls_that_waited_behind_a_binding_are_not_run_once_their_key_is_replaced() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let mut old = join(&mut rig, 2, 2, &perm);
    let new = rig.temp(3, 3600);
    let mut winner = (rig.connect(), Speaker::client(&new, 5));
    rig.ask(winner.0, &mut winner.1, to_bytes(&api::HelpGetConfig)).unwrap();
    let calls = rig.calls.len();

    rig.hold_store = true;
    let wrong = old.1.bind(&Key::perm(9), START + 3600, &mut rig.world);
    rig.post(old.0, &old.1, &wrong);
    let behind = rig.say(old.0, &mut old.1, call(1));
    let waiting = rig.requests.pop_front().unwrap();
    let bind = winner.1.bind(&perm, START + 3600, &mut rig.world);
    rig.post(winner.0, &winner.1, &bind);
    rig.perform_one();
    rig.perform_one();
    rig.hold_store = false;
    let outcome = rig.store.perform(waiting.1);
    rig.store_says(waiting.0, outcome);

    assert!(rig.answer_to(old.0, wrong.msg_id).unwrap().is_err(), "owed before, so answered");
    assert_eq!(rig.answer_to(old.0, behind), None);
    assert_eq!(rig.calls.len(), calls);
}

// rule: PF-10
#[test]
fn each_slot_has_its_own_number_of_places() {
    for (dc, places) in [(2, 1), (-2, 3), (0, 2), (10_002, 1)] {
        let mut rig = Rig::new(|config| config.media_sessions = 3);
        let perm = rig.perm(1);
        let mut members: Vec<_> = (2..7).map(|number| join(&mut rig, number, dc, &perm)).collect();
        let serving = members.iter_mut().map(|member| serves(&mut rig, member)).collect::<Vec<_>>();
        let expected: Vec<_> = (0..5).map(|at| at >= 5 - places).collect();
        assert_eq!(serving, expected, "dc {dc}");
    }
}

// rule: PF-10
#[test]
fn a_media_key_and_a_main_key_do_not_take_each_others_place() {
    let mut rig = Rig::new(|_| {});
    let perm = rig.perm(1);
    let mut members = [join(&mut rig, 2, 2, &perm), join(&mut rig, 3, -2, &perm)];
    assert!(members.iter_mut().all(|member| serves(&mut rig, member)));
}

// rule: PF-10
#[test]
fn the_operator_can_allow_parallel_keys_in_the_main_slot() {
    let mut rig = Rig::new(|config| config.tmp_sessions = 2);
    let perm = rig.perm(1);
    let mut members: Vec<_> = (2..5).map(|number| join(&mut rig, number, 2, &perm)).collect();
    let serving = members.iter_mut().map(|member| serves(&mut rig, member)).collect::<Vec<_>>();
    assert_eq!(serving, [false, true, true]);
    let replaced = rig.events.iter().filter_map(|event| match event {
        Event::Bound { replaced, .. } => Some(replaced.len()),
        _ => None,
    });
    assert_eq!(replaced.collect::<Vec<_>>(), [0, 0, 1]);
}
