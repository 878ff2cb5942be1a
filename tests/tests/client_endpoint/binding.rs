//! What the client makes of the answers to its binding.

use core::time::Duration;

use dayfly_core::client::Event;
use dayfly_tl::{api, to_bytes};

use crate::pair::{Pair, saved};
use crate::peers::seconds;
use crate::wire::{Catch, Caught};

const INVALID: &str = "ENCRYPTED_MESSAGE_INVALID";

/// A client whose first binding is out and was caught; its permanent key is so many seconds old.
fn caught_at_the_first_bind(age: u64) -> (Pair, Caught) {
    let mut pair = Pair::with(Some(saved(age)), |_| {});
    pair.catch = Catch::Bindings;
    pair.start();
    let bind = pair.caught_bind().expect("a binding");
    (pair, bind)
}

// rule: PF-06
#[test]
fn only_bool_true_is_success() {
    for answer in [to_bytes(&api::BoolFalse), vec![1, 2, 3, 4], Vec::new()] {
        let (mut pair, bind) = caught_at_the_first_bind(1000);
        pair.answer(&bind, &answer);
        assert!(!pair.client.is_ready() && pair.bound().is_empty());
        let (again, _) = pair.wait_for_bind(seconds(10));
        assert_ne!(again.key, bind.key, "another temporary key was made");
        assert!(!pair.perm_lost());
        pair.answer(&again, &to_bytes(&api::BoolTrue));
        assert_eq!(pair.bound(), [again.key]);
    }
}

// rule: PF-12
#[test]
fn an_invalid_binding_of_an_old_permanent_key_drops_both_keys() {
    let (mut pair, bind) = caught_at_the_first_bind(61);
    pair.catch = Catch::Nothing;
    pair.refuse(&bind, 400, INVALID);
    assert!(pair.perm_lost());
    let renewed = pair.pick(|event| match event {
        Event::PermKeyMade(saved) => Some(saved.key.id()),
        _ => None,
    });
    assert_eq!(renewed.len(), 1);
    assert_ne!(renewed[0], crate::peers::Key::perm(1).id);
    assert_ne!(pair.bound(), [bind.key]);
    assert!(pair.client.is_ready());
}

// rule: PF-12
#[test]
fn an_invalid_binding_of_a_young_permanent_key_is_tried_again_with_growing_delay() {
    let (mut pair, first) = caught_at_the_first_bind(0);
    let (mut bind, mut waits) = (first.clone(), Vec::new());
    for _ in 0..4 {
        pair.refuse(&bind, 400, INVALID);
        let (next, waited) = pair.wait_for_bind(seconds(20));
        assert_eq!(next.key, first.key, "both keys stay");
        assert_ne!(next.msg_id, bind.msg_id);
        assert_ne!(next.body, bind.body, "sealed anew");
        bind = next;
        waits.push(waited);
    }
    assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
    assert!(!pair.perm_lost());
    pair.answer(&bind, &to_bytes(&api::BoolTrue));
    assert_eq!(pair.bound(), [first.key]);
}

// rule: PF-12
#[test]
fn the_permanent_keys_age_is_by_the_servers_clock() {
    let mut pair = Pair::with(Some(saved(30)), |_| {});
    pair.world.now.unix += seconds(7200);
    pair.catch = Catch::Bindings;
    pair.start();
    let bind = pair.caught_bind().expect("a binding");
    pair.refuse(&bind, 400, INVALID);
    assert!(!pair.perm_lost());
}

// rule: PF-12
#[test]
fn calls_in_flight_survive_the_loss_of_both_keys() {
    let mut pair = Pair::with_perm().started();
    pair.rig.hold_calls = true;
    let call = pair.call(1);
    let bind = pair.renewing();
    pair.rig.hold_calls = false;
    pair.refuse(&bind, 400, INVALID);
    pair.pass(seconds(5));
    assert!(pair.perm_lost() && pair.is_answered(call), "{:?}", pair.events);
}

// rule: PF-22
#[test]
fn other_refusals_cost_the_temporary_key_and_not_the_permanent_one() {
    for error in
        ["EXPIRES_AT_INVALID", "TEMP_AUTH_KEY_EMPTY", "TEMP_AUTH_KEY_ALREADY_BOUND", "SOMETHING_ELSE"]
    {
        let (mut pair, bind) = caught_at_the_first_bind(1000);
        pair.refuse(&bind, 400, error);
        let (again, waited) = pair.wait_for_bind(seconds(10));
        assert_ne!(again.key, bind.key, "{error}");
        assert!(!pair.perm_lost(), "{error}");
        assert!(waited > Duration::from_millis(300), "not at once: {waited:?}");
    }
}

// rule: PF-22
#[test]
fn a_server_that_cannot_say_is_asked_again_for_the_same_key() {
    for (code, error) in [(500, "AUTH_KEY_STORE_UNAVAILABLE"), (420, "FLOOD_WAIT_1")] {
        let (mut pair, bind) = caught_at_the_first_bind(1000);
        pair.refuse(&bind, code, error);
        let (again, _) = pair.wait_for_bind(seconds(10));
        assert_eq!(again.key, bind.key, "{error}");
        assert!(!pair.perm_lost());
    }
}

// rule: PF-22
#[test]
fn while_a_binding_is_put_off_the_key_before_goes_on_serving() {
    let mut pair = Pair::with_perm().started();
    pair.call(0);
    let bind = pair.renewing();
    let held = pair.call(1);
    assert!(!pair.client.is_ready(), "new calls wait for the binding");
    pair.catch = Catch::Bindings;
    pair.refuse(&bind, 500, "AUTH_KEY_STORE_UNAVAILABLE");
    let next = pair.call(2);
    assert!(pair.is_answered(held) && pair.is_answered(next), "and no longer");
    for number in 0..50 {
        pair.call(100 + number); // each answer finds the next key unbound and no call in flight
    }
    assert!(pair.caught_bind().is_none(), "the delay holds all the same");
    let (again, _) = pair.wait_for_bind(seconds(1));
    pair.catch = Catch::Nothing;
    pair.refuse(&again, 500, "AUTH_KEY_STORE_UNAVAILABLE");
    pair.pass(seconds(2));
    assert_eq!(pair.bound(), [bind.key]);
}

// rule: PF-22
#[test]
fn calls_held_for_a_binding_go_on_under_the_old_key_when_the_new_one_is_given_up() {
    let mut pair = Pair::with_perm().started();
    let bind = pair.renewing();
    let held = pair.call(1);
    pair.refuse(&bind, 400, "TEMP_AUTH_KEY_EMPTY");
    assert!(pair.is_answered(held));
    pair.pass(seconds(10));
    assert_eq!(pair.bound().len(), 1);
}
