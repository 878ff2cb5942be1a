//! The change from one temporary key to the next.

use dayfly_core::client::Event;
use dayfly_core::session::server::Answer;
use dayfly_tl::{api, to_bytes};

use crate::pair::Pair;
use crate::peers::seconds;

/// Answers the calls that the server holds from the `first` on.
fn answer_from(pair: &mut Pair, first: usize) {
    let owed: Vec<_> = pair.rig.calls[first..].iter().map(|call| call.id).collect();
    for call in owed {
        pair.rig.answer(call, Answer::Result(to_bytes(&api::BoolTrue)));
    }
    pair.settle();
}

/// A client with one call in flight, at the moment at which its next key is made.
fn draining() -> (Pair, dayfly_core::client::CallId) {
    let mut pair = Pair::with_perm().started();
    pair.rig.hold_calls = true;
    let owed = pair.call(1);
    pair.pass_until(seconds(4000), |pair| !pair.made().is_empty());
    (pair, owed)
}

/// Cuts the connection under the key that is still in use.
fn cut_old(pair: &mut Pair) {
    let made = pair.made();
    let old = pair.links_of.iter().find(|(key, _)| !made.contains(key)).map(|(_, link)| *link);
    pair.cut(old.expect("the key in use has a connection"));
}

// rule: PF-13
#[test]
fn the_next_key_is_made_and_bound_before_the_current_one_ends() {
    let mut pair = Pair::with_perm().started();
    let took = pair.pass_until(seconds(3999), |pair| !pair.bound().is_empty());
    assert!((seconds(2300)..seconds(3100)).contains(&took), "{took:?}");
    let replaced = pair.pick(|event| match event {
        Event::Bound { replaced, .. } => *replaced,
        _ => None,
    });
    assert_eq!(replaced.len(), 1);
    let call = pair.call(1);
    assert!(pair.is_answered(call));
}

// rule: PF-13
#[test]
fn a_binding_waits_for_the_answers_owed_under_the_key_before() {
    let (mut pair, owed) = draining();
    pair.pass(seconds(9));
    assert!(pair.bound().is_empty() && pair.rig.store.binds.len() == 1);
    answer_from(&mut pair, 0);
    assert!(pair.is_answered(owed));
    assert_eq!(pair.bound(), pair.made());
}

// rule: PF-13
#[test]
fn new_calls_wait_for_the_new_key_and_are_run_once_under_it() {
    let (mut pair, owed) = draining();
    let new = [pair.call(2), pair.call(3)];
    assert_eq!(pair.rig.calls.len(), 1, "they are held");
    pair.rig.hold_calls = false;
    answer_from(&mut pair, 0);
    assert!(pair.is_answered(owed) && new.iter().all(|call| pair.is_answered(*call)));
    let bodies: Vec<_> = pair.rig.calls.iter().map(|call| call.body.clone()).collect();
    assert_eq!(bodies, (1..=3).map(crate::peers::call).collect::<Vec<_>>());
    assert_ne!(pair.rig.calls[0].session_id, pair.rig.calls[1].session_id);
}

// rule: PF-13
#[test]
fn calls_do_not_wait_while_the_next_key_is_only_being_made() {
    let mut pair = Pair::with_perm().started();
    pair.hold_connects = true;
    pair.pass_until(seconds(4000), |pair| pair.wanted.len() == 2);
    let call = pair.call(1);
    assert!(pair.is_answered(call));
}

// rule: PF-13
#[test]
fn answers_that_come_after_the_binding_still_count() {
    let (mut pair, owed) = draining();
    pair.pass(seconds(12));
    assert_eq!(pair.bound(), pair.made(), "it waited long enough");
    answer_from(&mut pair, 0);
    assert!(pair.is_answered(owed));
    assert_eq!(pair.rig.calls.len(), 1, "and the call was not sent again");
}

// rule: PF-13
#[test]
fn a_binding_waits_on_while_the_connection_of_a_call_is_being_made_again() {
    let (mut pair, owed) = draining();
    pair.hold_connects = true;
    cut_old(&mut pair);
    pair.pass(seconds(12));
    assert!(pair.bound().is_empty(), "the answer could not be asked for any more");
    let again = *pair.wanted.last().unwrap();
    pair.connect(again);
    answer_from(&mut pair, 0);
    assert!(pair.is_answered(owed));
    assert_eq!(pair.bound(), pair.made());
    assert_eq!(pair.rig.calls.len(), 1, "and it was run once");
}

// rule: PF-13, PF-14
#[test]
fn a_binding_does_not_wait_for_a_connection_beyond_the_end_of_the_old_key() {
    let (mut pair, owed) = draining();
    pair.hold_connects = true;
    cut_old(&mut pair);
    pair.pass_until(seconds(4000), |pair| !pair.bound().is_empty());
    answer_from(&mut pair, 1);
    assert!(pair.is_answered(owed), "it is asked again under the new key");
}

// rule: PF-13, PF-14
#[test]
fn what_is_never_answered_under_the_old_key_is_asked_under_the_new_one() {
    let (mut pair, owed) = draining();
    pair.pass(seconds(25));
    assert_eq!(pair.rig.calls.len(), 2);
    answer_from(&mut pair, 1);
    assert!(pair.is_answered(owed));
}

// rule: PF-13
#[test]
fn nothing_is_sent_under_a_key_that_has_ended() {
    let mut pair = Pair::with_perm().started();
    let key = *pair.links_of.keys().next().unwrap();
    pair.hold_connects = true;
    pair.cut(pair.links_of[&key]);
    pair.pass(seconds(1));
    let link = *pair.wanted.last().unwrap();
    pair.sent.clear();
    // The end comes, and with it the connection, before the timers are looked at.
    pair.world.pass(seconds(4001));
    pair.connect(link);
    pair.settle();
    assert_eq!(pair.sent, []);
    let call = pair.call(1);
    assert_eq!((pair.sent.len(), pair.client.is_ready()), (0, false));
    pair.hold_connects = false;
    pair.client.handle_timeout(&mut pair.world.env());
    pair.settle();
    assert!(!pair.answers.contains_key(&call) || pair.is_answered(call));
}

// rule: PF-13
#[test]
fn a_renewal_that_fails_is_tried_again_while_the_key_still_serves() {
    let mut pair = Pair::with_perm().started();
    pair.pass(seconds(2200));
    pair.hold_connects = true;
    pair.pass_until(seconds(1000), |pair| pair.wanted.len() == 2);
    for _ in 0..3 {
        let link = *pair.wanted.last().unwrap();
        pair.connect(link);
        pair.transport_error(link, -444); // ends the handshake at once
        let call = pair.call(7);
        assert!(pair.is_answered(call), "the key in use is not disturbed");
        let wanted = pair.wanted.len();
        pair.pass_until(seconds(60), |pair| pair.wanted.len() > wanted);
    }
    let failed = pair.pick(|event| matches!(event, Event::HandshakeFailed { .. }).then_some(()));
    assert_eq!(failed.len(), 3);
    let link = *pair.wanted.last().unwrap();
    pair.connect(link);
    pair.settle();
    assert_eq!(pair.bound().len(), 1);
}

// rule: PF-13
#[test]
fn a_key_that_ends_without_a_next_one_leaves_calls_waiting_not_lost() {
    let mut pair = Pair::with_perm().started();
    let first = *pair.links_of.keys().next().unwrap();
    pair.offline = true;
    pair.cut(pair.links_of[&first]);
    pair.pass(seconds(4100));
    let call = pair.call(1);
    pair.pass(seconds(100));
    assert!(!pair.answers.contains_key(&call));
    pair.offline = false;
    pair.pass(seconds(60));
    assert!(pair.is_answered(call));
    assert_eq!((pair.callers().len(), pair.perm_lost()), (1, false));
}
