//! Lost answers, transport errors and verdicts that lead to another run.

use core::time::Duration;
use std::collections::BTreeSet;

use dayfly_core::handshake::SpecCheck;
use dayfly_core::handshake::client::{HandshakeError, RunEnd};
use dayfly_core::keys::kind::KeyKind;
use dayfly_crypto::{NewNonce, kdf};
use dayfly_tl::mtproto::{DhGenFail, ReqPqMulti, ServerDhParamsFail};
use dayfly_tl::{read_exact, to_bytes};

use super::support::{ClientRig, ServerPuppet};

const SECOND: Duration = Duration::from_secs(1);

fn nonce(rig: &mut ClientRig) -> [u8; 16] {
    read_exact::<ReqPqMulti>(&rig.query()).unwrap().nonce
}

// rule: HS-30
#[test]
fn a_query_without_an_answer_is_sent_again_byte_for_byte() {
    let mut rig = ClientRig::new(KeyKind::Perm);
    let mut puppet = ServerPuppet::new(&mut rig);
    rig.take(&puppet.res_pq(|_| {})).unwrap();
    let first = rig.sent.pop_front().unwrap();
    rig.pass(Duration::from_millis(3_900)).unwrap();
    assert!(rig.sent.is_empty());
    rig.pass(13 * SECOND).unwrap();
    assert_eq!(rig.sent.len(), 2);
    assert!(rig.sent.drain(..).all(|again| again == first));
    rig.client.handle_reconnected(&mut rig.world.env());
    rig.settle().unwrap();
    assert_eq!(rig.sent.pop_front().unwrap(), first);
    puppet.unwrap(&first[20..]);
    rig.take(&puppet.right_dh_params()).unwrap();
    let query = rig.query();
    puppet.take_client_params(&query);
    rig.take(&puppet.dh_gen_ok(|_| {})).unwrap();
    assert!(rig.created.is_some());
}

// rule: HS-30
#[test]
fn a_query_that_waits_to_go_out_goes_out_once_on_a_new_connection() {
    let mut rig = ClientRig::new(KeyKind::Perm);
    let first = rig.sent.pop_front().unwrap();
    rig.world.pass(5 * SECOND);
    rig.client.handle_timeout(&mut rig.world.env()).unwrap();
    rig.client.handle_reconnected(&mut rig.world.env());
    rig.settle().unwrap();
    assert_eq!(rig.sent.drain(..).collect::<Vec<_>>(), [first]);
}

// rule: HS-30
#[test]
fn a_server_that_stays_silent_leads_to_a_new_run_and_then_to_an_error() {
    let mut rig = ClientRig::new(KeyKind::Perm);
    rig.pass(3 * 60 * SECOND).unwrap();
    assert!(rig.client.runs() > 1);
    let ended = rig.pass(3600 * SECOND);
    assert_eq!(ended, Err(HandshakeError::TooManyRestarts { runs: 6, last: RunEnd::Silence }));
}

// rule: HS-37, HS-38
#[test]
fn not_found_begins_a_new_run_with_a_new_nonce_after_a_growing_delay() {
    let mut rig = ClientRig::new(KeyKind::Perm);
    let mut nonces = vec![nonce(&mut rig)];
    let mut delays = Vec::new();
    for _ in 0..5 {
        rig.error(-404).unwrap();
        assert!(rig.sent.is_empty(), "not at once");
        let at = rig.client.poll_timeout().unwrap();
        delays.push(at - rig.world.now.monotonic);
        rig.pass(at - rig.world.now.monotonic).unwrap();
        nonces.push(nonce(&mut rig));
    }
    for (times, delay) in delays.iter().enumerate() {
        let base = Duration::from_millis(500) * 2u32.pow(times as u32);
        assert!(*delay >= base && *delay <= base * 3 / 2, "{times}: {delay:?}");
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 6);
    let last = HandshakeError::TooManyRestarts { runs: 6, last: RunEnd::NotFound };
    assert_eq!(rig.error(-404), Err(last));
}

// rule: HS-38
#[test]
fn the_delay_before_a_new_run_is_not_the_same_for_all_clients() {
    let delays: BTreeSet<Duration> = (1..=8)
        .map(|seed| {
            let mut rig = ClientRig::with(KeyKind::Perm, seed, |_| {});
            rig.error(-404).unwrap();
            rig.client.poll_timeout().unwrap() - rig.world.now.monotonic
        })
        .collect();
    assert_eq!(delays.len(), 8, "{delays:?}");
}

// rule: HS-38
#[test]
fn late_answers_of_a_run_that_is_over_mean_nothing() {
    let mut rig = ClientRig::new(KeyKind::Perm);
    let old = ServerPuppet::new(&mut rig);
    rig.error(-404).unwrap();
    rig.take(&old.res_pq(|_| {})).unwrap();
    rig.pass(SECOND).unwrap();
    let mut new = ServerPuppet::new(&mut rig);
    rig.take(&old.res_pq(|_| {})).unwrap();
    new.agree(&mut rig);
    rig.take(&new.dh_gen_ok(|_| {})).unwrap();
    assert!(rig.created.is_some());
}

// rule: HS-38
#[test]
fn flood_waits_and_sends_the_same_query_again() {
    let mut rig = ClientRig::new(KeyKind::Perm);
    let first = rig.sent.pop_front().unwrap();
    rig.error(-429).unwrap();
    rig.client.handle_reconnected(&mut rig.world.env());
    rig.settle().unwrap();
    assert!(rig.sent.is_empty(), "not before the delay");
    rig.pass(SECOND).unwrap();
    assert_eq!(rig.sent.pop_front(), Some(first));
    assert_eq!(rig.client.runs(), 1);
}

// rule: HS-38
#[test]
fn a_server_that_always_floods_is_left_in_the_end() {
    let mut rig = ClientRig::new(KeyKind::Perm);
    let errors: Vec<_> = (0..9).map(|_| rig.error(-429)).collect();
    assert!(errors[..8].iter().all(Result::is_ok));
    assert_eq!(errors[8], Err(HandshakeError::TooManyFloods(8)));
}

// rule: HS-38
#[test]
fn a_dc_that_is_not_served_is_named() {
    let mut rig = ClientRig::with(KeyKind::Perm, 1, |config| config.dc = -4);
    let error = rig.error(-444).unwrap_err();
    assert_eq!(error, HandshakeError::WrongDc { dc: -4 });
    assert_eq!(error.to_string(), "the server does not serve dc -4 (transport error -444)");
}

#[test]
fn an_unknown_transport_error_ends_the_handshake() {
    let mut rig = ClientRig::new(KeyKind::Perm);
    assert_eq!(rig.error(-500), Err(HandshakeError::Transport(-500)));
    assert_eq!(rig.error(-404), Err(HandshakeError::Transport(-500)), "it stays failed");
}

// rule: HS-38
#[test]
fn the_older_refusal_ends_the_run_if_it_knows_our_new_nonce() {
    for (flip, right) in [(0, true), (1, false)] {
        let mut rig = ClientRig::new(KeyKind::Perm);
        let mut puppet = ServerPuppet::new(&mut rig);
        puppet.prove(&mut rig);
        let mut new_nonce_hash = kdf::new_nonce_fail_hash(&NewNonce::copy_of(&puppet.new_nonce));
        new_nonce_hash[0] ^= flip;
        let (nonce, server_nonce) = (puppet.nonce, puppet.server_nonce);
        let taken = rig.take(&to_bytes(&ServerDhParamsFail { nonce, server_nonce, new_nonce_hash }));
        if right {
            taken.unwrap();
            rig.pass(SECOND).unwrap();
            assert_eq!(rig.sent.len(), 1, "a new run");
        } else {
            assert_eq!(taken, Err(HandshakeError::PeerMisbehaved(SpecCheck::DhParamsFailHash)));
        }
    }
}

// rule: HS-27
#[test]
fn after_dh_gen_fail_a_new_run_begins() {
    let mut rig = ClientRig::new(KeyKind::Perm);
    let mut first = ServerPuppet::new(&mut rig);
    first.agree(&mut rig);
    rig.take(&first.dh_gen_fail(|_: &mut DhGenFail| {})).unwrap();
    rig.pass(SECOND).unwrap();
    let mut second = ServerPuppet::new(&mut rig);
    assert_ne!(first.nonce, second.nonce);
    second.agree(&mut rig);
    rig.take(&second.dh_gen_ok(|_| {})).unwrap();
    assert_eq!(rig.created.unwrap().key.expose(), second.auth_key().expose());
}

// rule: HS-21, HS-22, HS-27
#[test]
fn after_dh_gen_retry_the_client_sends_a_new_g_b_with_the_refused_keys_aux_hash() {
    let mut rig = ClientRig::new(KeyKind::Perm);
    let mut puppet = ServerPuppet::new(&mut rig);
    puppet.agree(&mut rig);
    assert_eq!(puppet.retry_id, 0);
    for _ in 0..5 {
        let (g_b, aux_hash) = (puppet.g_b.clone(), puppet.auth_key().aux_hash());
        rig.take(&puppet.dh_gen_retry(|_| {})).unwrap();
        let query = rig.query();
        puppet.take_client_params(&query);
        assert_ne!(puppet.g_b, g_b);
        assert_eq!(puppet.retry_id, i64::from_le_bytes(aux_hash));
    }
    assert_eq!(rig.take(&puppet.dh_gen_retry(|_| {})), Err(HandshakeError::TooManyRetries(6)));
}
