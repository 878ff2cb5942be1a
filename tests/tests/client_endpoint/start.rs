//! From no keys to the first answers.

use std::collections::BTreeSet;

use dayfly_core::client::{Event, LinkId};
use dayfly_core::server::KeyUse;
use dayfly_core::session::client::RpcFailure;
use dayfly_tl::{api, to_bytes};

use crate::pair::Pair;
use crate::peers::{call, seconds};
use crate::wire::Catch;

// rule: PF-03
#[test]
fn both_keys_are_made_in_parallel_over_two_connections() {
    let mut pair = Pair::new();
    pair.hold_connects = true;
    pair.start();
    assert_eq!(pair.wanted.len(), 2, "both are asked for before either is there");
    for link in pair.wanted.clone() {
        pair.connect(link);
    }
    pair.settle();
    assert!(pair.client.is_ready());
    assert_eq!((pair.made().len(), pair.bound().len()), (1, 1));
}

// rule: PF-03
#[test]
fn with_a_saved_permanent_key_only_a_temporary_one_is_made() {
    let pair = Pair::with_perm().started();
    assert_eq!(pair.wanted.len(), 1);
    assert_eq!(pair.rig.store.keys.len(), 2);
}

// rule: PF-03
#[test]
fn whichever_key_is_made_first_the_other_one_is_waited_for() {
    for slow in [LinkId(0), LinkId(1)] {
        let mut pair = Pair::new();
        pair.stalled.insert(slow);
        pair.start();
        assert!(!pair.client.is_ready());
        pair.stalled.clear();
        pair.pass(seconds(5));
        assert!(pair.client.is_ready(), "{slow:?}: {:?}", pair.events);
    }
}

// rule: PF-04, PF-05
#[test]
fn no_call_goes_out_before_the_key_is_bound() {
    let mut pair = Pair::new();
    pair.stalled.insert(LinkId(0)); // the permanent key's
    pair.start();
    assert_eq!(pair.made().len(), 1);
    let early = pair.call(1);
    assert!(!pair.answers.contains_key(&early) && pair.rig.calls.is_empty());
    pair.stalled.clear();
    pair.pass(seconds(5));
    assert!(pair.is_answered(early));
    assert!(pair.rig.calls.iter().all(|call| call.key_use == KeyUse::Bound));
}

// rule: PF-04
#[test]
fn nothing_is_ever_sent_under_the_permanent_key() {
    let mut pair = Pair::new();
    pair.start();
    for number in 0..5 {
        pair.call(number);
    }
    pair.pass(seconds(9000)); // two renewals
    let made: BTreeSet<_> = pair.made().into_iter().collect();
    assert!(pair.links_of.keys().all(|key| made.contains(key)));
    assert_eq!(pair.client.sent().under_perm, 0);
    assert!(pair.client.sent().under_temp > 5);
}

// rule: PF-20
#[test]
fn all_calls_share_one_session_and_one_bound_key() {
    let mut pair = Pair::new();
    pair.start();
    for number in 0..20 {
        pair.call(number);
    }
    let sessions: BTreeSet<_> = pair.rig.calls.iter().map(|call| call.session_id).collect();
    assert_eq!((sessions.len(), pair.bound().len()), (1, 1));
    pair.pass(seconds(4000));
    let bound = pair.rig.store.keys.values().filter(|record| record.bound_to.is_some());
    assert_eq!(bound.count(), 1);
}

// rule: PF-11
#[test]
fn client_info_comes_with_the_first_call_after_each_binding() {
    let mut pair = Pair::with_perm().started();
    pair.call(1);
    pair.pass(seconds(3900));
    assert_eq!(pair.bound().len(), 1, "the key was renewed");
    pair.call(2);
    assert!(pair.rig.calls.iter().all(|call| call.client.is_some()));
    pair.catch = Catch::Everything;
    pair.call(3);
    assert!(
        pair.caught.iter().any(|caught| caught.body == call(3)),
        "once the server has it, calls go without"
    );
}

// rule: PF-11
#[test]
fn calls_that_went_without_client_info_and_are_refused_for_it_go_again_with_it() {
    let mut pair = Pair::with_perm().started();
    pair.call(0);
    pair.catch = Catch::Everything;
    let calls = [pair.call(1), pair.call(2)];
    let bare: Vec<_> = pair.caught.drain(..).filter(|caught| caught.body.len() == 8).collect();
    assert_eq!(bare.len(), 2);
    bare.iter().for_each(|caught| pair.refuse(caught, 400, "CONNECTION_NOT_INITED"));
    let layer = api::InvokeWithLayer::CONSTRUCTOR.to_le_bytes();
    let again: Vec<_> = pair.caught.drain(..).filter(|caught| caught.body.starts_with(&layer)).collect();
    assert_eq!(again.len(), 2);
    pair.answer(&again[0], &to_bytes(&api::BoolTrue));
    pair.refuse(&again[1], 400, "CONNECTION_NOT_INITED");
    assert!(pair.is_answered(calls[0]));
    assert!(
        matches!(&pair.answers[&calls[1]], Err(RpcFailure::Error { code: 400, .. })),
        "it went with the info, so that is the answer"
    );
}

#[test]
fn calls_made_before_anything_else_are_answered_once_each_and_in_order() {
    let mut pair = Pair::new();
    let calls: Vec<_> = (0..50).map(|number| pair.call(number)).collect();
    pair.start();
    assert!(calls.iter().all(|call| pair.is_answered(*call)));
    let bodies: Vec<_> = pair.rig.calls.iter().map(|call| call.body.clone()).collect();
    assert_eq!(bodies, (0..50).map(call).collect::<Vec<_>>());
}

#[test]
fn a_permanent_key_that_was_made_is_told_with_the_servers_time() {
    let mut pair = Pair::new();
    pair.world.now.unix += seconds(5000); // the client's clock is wrong
    pair.start();
    let saved = pair.pick(|event| match event {
        Event::PermKeyMade(saved) => Some((saved.created_at, saved.dc)),
        _ => None,
    });
    assert_eq!(saved, [(crate::peers::START, 2)]);
}
