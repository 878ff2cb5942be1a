//! Keys and connections that are lost.

use core::time::Duration;

use dayfly_core::client::{Event, LinkId};

use dayfly_crypto::AuthKeyId;

use crate::pair::Pair;
use crate::peers::{Key, seconds};

fn lost(pair: &Pair) -> usize {
    pair.pick(|event| matches!(event, Event::TempKeyLost { .. }).then_some(())).len()
}

// rule: PF-14
#[test]
fn a_lost_temporary_key_is_replaced_and_what_was_in_flight_is_sent_again() {
    let mut pair = Pair::with_perm().started();
    pair.rig.hold_calls = true;
    let calls = [pair.call(1), pair.call(2)];
    let key = *pair.links_of.keys().next().unwrap();
    pair.rig.hold_calls = false;
    pair.lose(key);
    assert_eq!(lost(&pair), 1);
    let held = pair.call(3);
    assert!(!pair.answers.contains_key(&held));
    pair.pass(seconds(2));
    assert!(calls.iter().chain([&held]).all(|call| pair.is_answered(*call)));
    assert!(!pair.perm_lost());
    assert_eq!(pair.callers(), [Key::perm(1).id].into(), "bound to the same permanent key");
}

// rule: PF-14
#[test]
fn the_delay_grows_when_keys_are_lost_again_and_again() {
    let mut pair = Pair::with_perm().started();
    let mut waits = Vec::new();
    for _ in 0..4 {
        let key = pair.bound().last().copied().unwrap_or_else(|| *pair.links_of.keys().next().unwrap());
        let bound = pair.bound().len();
        pair.lose(key);
        waits.push(pair.pass_until(seconds(60), |pair| pair.bound().len() > bound));
    }
    assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
}

// rule: PF-14
#[test]
fn a_key_that_served_for_long_ends_the_series() {
    let mut pair = Pair::with_perm().started();
    let mut waits = Vec::new();
    for number in 0..4 {
        pair.pass(seconds(40));
        let call = pair.call(number);
        assert!(pair.is_answered(call));
        let key = newest_key(&pair);
        let bound = pair.bound().len();
        pair.lose(key);
        waits.push(pair.pass_until(seconds(60), |pair| pair.bound().len() > bound));
    }
    assert!(waits.iter().all(|wait| *wait < seconds(1)), "{waits:?}");
}

/// The one that was spoken under last.
fn newest_key(pair: &Pair) -> AuthKeyId {
    *pair.links_of.iter().max_by_key(|(_, link)| **link).unwrap().0
}

// rule: PF-14
#[test]
fn a_forged_404_after_each_answer_drives_no_loop() {
    let mut pair = Pair::with_perm().started();
    let start = pair.world.now.monotonic;
    let mut number = 0;
    while pair.world.now.monotonic - start < seconds(600) {
        number += 1;
        let call = pair.call(number);
        pair.pass_until(seconds(60), |pair| pair.is_answered(call));
        // Whoever forges it lets the binding and an answer through first; the server knows nothing of it.
        let link = pair.links_of[&newest_key(&pair)];
        pair.transport_error(link, -404);
    }
    let made = pair.made().len();
    assert!((10..40).contains(&made), "{made} key exchanges in ten minutes");
    assert!(!pair.perm_lost());
}

// rule: PF-14
#[test]
fn a_next_key_that_is_lost_while_it_is_bound_does_not_disturb_the_one_in_use() {
    let mut pair = Pair::with_perm().started();
    let bind = pair.renewing();
    let held = pair.call(1);
    pair.transport_error(bind.link, -404);
    assert!(pair.is_answered(held), "held for the binding, and sent when there was none");
    assert_eq!(lost(&pair), 1);
    pair.pass(seconds(5));
    assert_eq!(pair.bound().len(), 1);
}

// rule: PF-14
#[test]
fn a_key_in_use_that_is_lost_while_the_next_one_waits_for_it_lets_that_be_bound_at_once() {
    let mut pair = Pair::with_perm().started();
    let old = *pair.links_of.keys().next().unwrap();
    pair.rig.hold_calls = true;
    let owed = pair.call(1);
    pair.pass_until(seconds(4000), |pair| !pair.made().is_empty());
    pair.rig.hold_calls = false;
    pair.lose(old);
    assert_eq!(pair.bound(), pair.made());
    assert!(pair.is_answered(owed));
}

#[test]
fn a_lost_connection_is_made_again_under_the_same_key() {
    let mut pair = Pair::with_perm().started();
    pair.rig.hold_calls = true;
    let call = pair.call(1);
    let key = *pair.links_of.keys().next().unwrap();
    pair.cut(pair.links_of[&key]);
    pair.pass(seconds(1));
    let owed = pair.rig.calls[0].id;
    let answer = dayfly_core::session::server::Answer::Result(dayfly_tl::to_bytes(&dayfly_tl::api::BoolTrue));
    pair.rig.answer(owed, answer);
    pair.settle();
    assert!(pair.is_answered(call));
    assert_eq!((pair.rig.calls.len(), pair.links_of.len(), lost(&pair)), (1, 1, 0));
}

#[test]
fn a_server_that_hangs_up_without_a_word_is_called_more_and_more_rarely() {
    let mut pair = Pair::with_perm().started();
    pair.stalled.extend((0..1000).map(LinkId));
    let before = pair.wanted.len();
    for _ in 0..1200 {
        if let Some(link) = pair.wanted.last().copied() {
            pair.cut(link);
        }
        pair.pass(Duration::from_millis(100));
    }
    let tries = pair.wanted.len() - before;
    assert!((3..16).contains(&tries), "{tries} connections in two minutes");
}

#[test]
fn a_server_that_is_told_to_be_busy_is_left_alone_for_a_while() {
    let mut pair = Pair::with_perm().started();
    let key = *pair.links_of.keys().next().unwrap();
    let before = pair.wanted.len();
    pair.transport_error(pair.links_of[&key], -429);
    pair.pass(seconds(2));
    assert_eq!(pair.wanted.len(), before);
    pair.pass(seconds(3));
    assert_eq!(pair.wanted.len(), before + 1);
    let call = pair.call(1);
    assert!(pair.is_answered(call));
}

#[test]
fn a_packet_that_does_not_open_costs_the_connection_and_nothing_else() {
    let mut pair = Pair::with_perm().started();
    let key = *pair.links_of.keys().next().unwrap();
    pair.inject(pair.links_of[&key], &[7; 88]);
    pair.pass(seconds(1));
    let call = pair.call(1);
    assert!(pair.is_answered(call));
    assert_eq!((lost(&pair), pair.links_of.len()), (0, 1));
}

#[test]
fn a_client_without_a_connection_lets_its_timers_rest() {
    let mut pair = Pair::with_perm().started();
    let call = pair.call(1);
    assert!(pair.is_answered(call), "and its acknowledgement is due in ten seconds");
    let key = *pair.links_of.keys().next().unwrap();
    pair.hold_connects = true;
    pair.cut(pair.links_of[&key]);
    pair.pass(seconds(300));
    assert_eq!(pair.wanted.len(), 2);
}

#[test]
fn the_work_of_a_key_exchange_that_was_given_up_reaches_no_other_one() {
    let mut pair = Pair::new();
    pair.hold_jobs = true;
    pair.start();
    assert!(!pair.jobs.is_empty());
    let stale = std::mem::take(&mut pair.jobs);
    for link in pair.wanted.clone() {
        pair.transport_error(link, -444);
    }
    pair.pass_until(seconds(20), |pair| pair.jobs.len() >= stale.len());
    for result in dayfly_core::job::perform_all(stale) {
        pair.client.handle_job(result, &mut pair.world.env());
    }
    pair.settle();
    assert!(pair.made().is_empty(), "it went to nobody");
    pair.hold_jobs = false;
    pair.work();
    pair.settle();
    assert!(pair.client.is_ready(), "{:?}", pair.events);
}
