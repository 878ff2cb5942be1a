//! A server whose operator changes its settings while it runs.

use std::sync::{Arc, OnceLock};

use dayfly_core::handshake::server::{HandshakeEvent, KeyRing, PutOff, ServerConfig};
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::rsa_key::PrivateKey;

use super::support::{ClientPuppet, Rig, private_key};

/// A key beside the published one; making it takes a while, so it is made once.
fn new_key() -> Arc<PrivateKey> {
    static KEY: OnceLock<Arc<PrivateKey>> = OnceLock::new();
    Arc::clone(KEY.get_or_init(|| Arc::new(PrivateKey::generate().unwrap())))
}

fn config(keys: &[Arc<PrivateKey>]) -> ServerConfig {
    let ring = KeyRing::new(keys.iter().cloned().map(Into::into).collect()).unwrap();
    let mut config = ServerConfig::new(Arc::new(ring), SafePrimeGroup::published());
    config.exponent_bits = 256;
    config
}

fn fingerprints(res_pq: &[u8]) -> Vec<i64> {
    let m: dayfly_tl::mtproto::ResPq<'_> = dayfly_tl::read_exact(res_pq).unwrap();
    m.server_public_key_fingerprints.iter().collect()
}

// rule: HS-05
#[test]
fn new_runs_are_offered_the_new_keys_in_their_order() {
    let mut rig = Rig::new(|_| {});
    rig.server.reconfigure(config(&[new_key(), private_key()]));
    let answer = rig.ask(1, &ClientPuppet::new(1).req_pq()).unwrap();
    assert_eq!(fingerprints(&answer), [new_key().fingerprint().0, private_key().fingerprint().0]);
}

// rule: HS-31
#[test]
fn a_run_goes_on_with_the_keys_that_it_was_offered() {
    let mut rig = Rig::new(|_| {});
    let (mut before, mut after) = (ClientPuppet::new(1), ClientPuppet::new(2));
    let offered = rig.ask(1, &before.req_pq()).unwrap();
    before.take_res_pq(&offered);
    rig.server.reconfigure(config(&[new_key()]));
    assert_eq!(rig.ask(1, &before.req_pq()), Ok(offered), "a repeat gets the same answer");
    before.prove(&mut rig, 1);
    assert!(rig.ask(1, &before.finish(0)).is_ok());
    after.open(&mut rig, 1);
    assert_eq!(after.fingerprint, new_key().fingerprint().0);
    after.fingerprint = private_key().fingerprint().0;
    let inner = after.inner(|_| {});
    let query = after.req_dh_params(&inner);
    assert_eq!(rig.ask(1, &query), Err(-404), "a key that is no more is one of nobody");
}

#[test]
fn other_bounds_count_from_the_next_query_on() {
    let mut rig = Rig::new(|_| {});
    let mut puppets = [1, 2].map(ClientPuppet::new);
    puppets.iter_mut().for_each(|puppet| puppet.open(&mut rig, 1));
    puppets[0].prove(&mut rig, 1);
    let mut smaller = config(&[private_key()]);
    smaller.limits.proven_runs = 1;
    rig.server.reconfigure(smaller);
    let inner = puppets[1].inner(|_| {});
    let query = puppets[1].req_dh_params(&inner);
    assert_eq!(rig.ask(1, &query), Err(-429));
    assert_eq!(rig.events, [HandshakeEvent::PutOff { reason: PutOff::Runs }]);
    rig.server.reconfigure(config(&[private_key()]));
    assert!(rig.ask(1, &query).is_ok());
}
