//! Queries that break one rule, and a server that refuses them and spends the run.

use std::collections::BTreeSet;

use dayfly_core::handshake::SpecCheck;
use dayfly_core::handshake::server::{DcPolicy, HandshakeEvent, KeyRing, KeyRingError, ServerKey};
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_tl::mtproto::{ClientDhInnerData, PQInnerDataDc, Ping, ReqDhParams};
use dayfly_tl::to_bytes;

use super::support::{
    ClientPuppet, Rig, forever, hashed, plain, private_key, public_key, rsa_pad, rsa_pad_with,
};

fn opened() -> (Rig, ClientPuppet) {
    let mut rig = Rig::new(|_| {});
    let mut puppet = ClientPuppet::new(1);
    puppet.open(&mut rig, 1);
    (rig, puppet)
}

fn proven() -> (Rig, ClientPuppet) {
    let (mut rig, mut puppet) = opened();
    puppet.prove(&mut rig, 1);
    (rig, puppet)
}

/// A right `req_DH_params` gets -404 too, over any connection: the run is spent.
fn assert_spent(rig: &mut Rig, puppet: &mut ClientPuppet) {
    let inner = puppet.inner(|_| {});
    let right = puppet.req_dh_params(&inner);
    assert_eq!(rig.ask(9, &right), Err(-404));
    assert_eq!(rig.events.last(), Some(&HandshakeEvent::Refused { check: SpecCheck::UnknownRun }));
    assert_eq!((rig.server.unfinished(), rig.server.finished()), (0, 0));
}

/// Refused before the private-key operation.
fn early(check: SpecCheck, change: impl FnOnce(&mut ReqDhParams<'_>)) {
    let (mut rig, mut puppet) = opened();
    let encrypted_data = rsa_pad(&puppet.inner(|_| {}), &mut puppet.random);
    let query = puppet.req_dh_params_with(&encrypted_data, change);
    assert_eq!(rig.ask(1, &query), Err(-404));
    rig.assert_early(check);
    assert_spent(&mut rig, &mut puppet);
}

/// Refused after the private-key operation.
fn late(check: SpecCheck, query: impl FnOnce(&mut ClientPuppet) -> Vec<u8>) {
    let (mut rig, mut puppet) = opened();
    let query = query(&mut puppet);
    assert_eq!(rig.ask(1, &query), Err(-404));
    rig.assert_late(check);
    assert_eq!(rig.work_done, 1);
    assert_spent(&mut rig, &mut puppet);
}

fn inner(check: SpecCheck, change: impl FnOnce(&mut PQInnerDataDc<'_>)) {
    late(check, |puppet| {
        let inner = puppet.inner(change);
        puppet.req_dh_params(&inner)
    });
}

/// `set_client_DH_params` is refused, and no key made.
fn client_params(check: SpecCheck, query: impl FnOnce(&ClientPuppet) -> Vec<u8>) {
    let (mut rig, mut puppet) = proven();
    let query = query(&puppet);
    assert_eq!(rig.ask(1, &query), Err(-404));
    rig.assert_late(check);
    assert!(rig.kept.is_empty());
    assert_eq!(rig.ask(2, &puppet.finish(0)), Err(-404));
    assert_spent(&mut rig, &mut puppet);
}

fn client_inner(check: SpecCheck, change: impl FnOnce(&mut ClientDhInnerData<'_>)) {
    client_params(check, |puppet| puppet.set_client(&hashed(&puppet.client_inner(change), 0)));
}

// rule: HS-10, HS-15
#[test]
fn a_fingerprint_of_another_server_is_refused() {
    early(SpecCheck::UnknownFingerprint, |m| m.public_key_fingerprint ^= 1);
}

// rule: HS-10, HS-15
#[test]
fn factors_that_are_not_those_of_this_run_are_refused() {
    let whole = forever(&1_u64.to_be_bytes());
    early(SpecCheck::WrongFactors, |m| m.p = whole);
    early(SpecCheck::WrongFactors, |m| std::mem::swap(&mut m.p, &mut m.q));
    early(SpecCheck::WrongFactors, |m| m.q = &[0x7f, 0xff, 0xff, 0xff]);
    early(SpecCheck::WrongFactors, |m| m.p = &[]);
}

// rule: HS-10
#[test]
fn one_and_pq_are_no_factors() {
    let (mut rig, mut puppet) = opened();
    let encrypted_data = rsa_pad(&puppet.inner(|_| {}), &mut puppet.random);
    let pq = forever(&puppet.pq);
    let query = puppet.req_dh_params_with(&encrypted_data, |m| (m.p, m.q) = (&[1], pq));
    assert_eq!(rig.ask(1, &query), Err(-404));
    rig.assert_early(SpecCheck::WrongFactors);
}

// rule: HS-12, HS-15
#[test]
fn encrypted_data_of_another_length_is_refused_without_the_private_key() {
    early(SpecCheck::DataLength, |m| m.encrypted_data = forever(&m.encrypted_data[1..]));
    early(SpecCheck::DataLength, |m| {
        m.encrypted_data = forever(&[&[0], m.encrypted_data].concat());
    });
    early(SpecCheck::DataLength, |m| m.encrypted_data = &[]);
}

// rule: HS-12, HS-15
#[test]
fn encrypted_data_not_below_the_modulus_is_refused_without_the_private_key() {
    let modulus = forever(public_key().n());
    early(SpecCheck::DataTooLarge, |m| m.encrypted_data = modulus);
    early(SpecCheck::DataTooLarge, |m| m.encrypted_data = &[0xff; 256]);
}

// rule: HS-12
#[test]
fn encrypted_data_with_a_wrong_hash_is_refused() {
    for place in [0, 191, 192, 223] {
        late(SpecCheck::DataHash, |puppet| {
            let inner = puppet.inner(|_| {});
            let data = rsa_pad_with(&inner, &mut puppet.random, |block| block[place] ^= 1);
            puppet.req_dh_params_with(&data, |_| {})
        });
    }
}

// rule: HS-12
#[test]
fn inner_data_of_another_constructor_is_refused() {
    late(SpecCheck::InnerMalformed, |puppet| {
        let other = puppet.req_pq();
        puppet.req_dh_params(&other)
    });
}

// rule: HS-12
#[test]
fn inner_data_that_reaches_beyond_144_bytes_is_refused() {
    late(SpecCheck::InnerMalformed, |puppet| {
        let pq = forever(&[vec![0; 60], puppet.pq.clone()].concat());
        let inner = puppet.inner(|m| m.pq = pq);
        assert!(inner.len() > 144 && inner.len() < 192);
        puppet.req_dh_params(&inner)
    });
}

// rule: HS-09
#[test]
fn a_lifetime_below_one_second_is_refused() {
    for expires_in in [0, -1, i32::MIN] {
        late(SpecCheck::ExpiresIn, |puppet| {
            let inner = puppet.inner_temp(expires_in);
            puppet.req_dh_params(&inner)
        });
    }
}

// rule: HS-14
#[test]
fn an_inner_pq_p_or_q_that_differs_is_refused() {
    inner(SpecCheck::InnerPq, |m| m.pq = forever(&[&m.pq[..7], &[m.pq[7] ^ 2]].concat()));
    inner(SpecCheck::InnerP, |m| m.p = forever(&[&m.p[..3], &[m.p[3] ^ 2]].concat()));
    inner(SpecCheck::InnerQ, |m| m.q = forever(&[&m.q[..3], &[m.q[3] ^ 2]].concat()));
}

// rule: HS-14
#[test]
fn an_inner_nonce_or_server_nonce_that_differs_is_refused() {
    inner(SpecCheck::InnerNonce, |m| m.nonce[15] ^= 1);
    inner(SpecCheck::InnerServerNonce, |m| m.server_nonce[0] ^= 1);
}

// rule: HS-14
#[test]
fn under_the_strict_policy_a_dc_that_is_not_served_gets_its_own_error_and_spends_the_run() {
    for (dc, reply) in [(2, true), (-2, true), (4, false), (10_002, false)] {
        let served = BTreeSet::from([2]);
        let mut rig = Rig::new(|config| config.dc_policy = DcPolicy::Strict { served, test: false });
        let mut puppet = ClientPuppet::new(1);
        puppet.open(&mut rig, 1);
        let inner = puppet.inner(|m| m.dc = dc);
        let query = puppet.req_dh_params(&inner);
        let answer = rig.ask(1, &query);
        assert_eq!(answer.is_ok(), reply, "{dc}");
        if !reply {
            assert_eq!(answer, Err(-444));
            assert_eq!(rig.events, [HandshakeEvent::WrongDc { dc }]);
            rig.world.seen.assert_only(SpecCheck::Dc);
            assert_spent(&mut rig, &mut puppet);
        }
    }
}

// rule: HS-14
#[test]
fn the_dc_is_looked_at_last() {
    let served = BTreeSet::from([2]);
    let mut rig = Rig::new(|config| config.dc_policy = DcPolicy::Strict { served, test: false });
    let mut puppet = ClientPuppet::new(1);
    puppet.open(&mut rig, 1);
    let inner = puppet.inner(|m| (m.dc, m.nonce) = (7, [0; 16]));
    let query = puppet.req_dh_params(&inner);
    assert_eq!(rig.ask(1, &query), Err(-404));
    rig.assert_late(SpecCheck::InnerNonce);
}

/// SHA1(data) + data + random bytes, 255 in all, raw RSA, with a byte of the hash or of the lead changed.
fn old_rsa(data: &[u8], flip: Option<usize>) -> Vec<u8> {
    let mut block = [0x44; 256];
    block[0] = 0;
    block[1..21].copy_from_slice(&dayfly_crypto::digest::sha1(&[data]));
    block[21..21 + data.len()].copy_from_slice(data);
    if let Some(place) = flip {
        block[place] ^= 1;
    }
    public_key().raw(&block).unwrap().to_vec()
}

// rule: HS-13
#[test]
fn the_older_scheme_is_taken_only_under_a_key_for_which_it_is_switched_on() {
    for (allowed, flip, taken) in
        [(true, None, true), (false, None, false), (true, Some(1), false), (true, Some(20), false)]
    {
        let key = ServerKey { key: private_key(), old_rsa: allowed };
        let mut rig = Rig::with_key(key, |_| {});
        let mut puppet = ClientPuppet::new(1);
        puppet.open(&mut rig, 1);
        let data = old_rsa(&puppet.inner(|_| {}), flip);
        let answer = rig.ask(1, &puppet.req_dh_params_with(&data, |_| {}));
        assert_eq!(answer.is_ok(), taken, "{allowed} {flip:?}");
        if taken {
            puppet.take_dh_params(&answer.unwrap());
            rig.ask(1, &puppet.finish(0)).unwrap();
            assert_eq!(puppet.auth_key().expose(), rig.kept[0].key.expose());
        } else {
            assert_eq!(answer, Err(-404));
            rig.assert_late(SpecCheck::DataHash);
        }
    }
}

// rule: HS-13
#[test]
fn under_a_key_for_old_clients_the_new_scheme_is_taken_too() {
    let mut rig = Rig::with_key(ServerKey { key: private_key(), old_rsa: true }, |_| {});
    let mut puppet = ClientPuppet::new(1);
    puppet.open(&mut rig, 1);
    puppet.prove(&mut rig, 1);
}

// rule: HS-23
#[test]
fn client_data_of_no_whole_blocks_is_refused() {
    for len in [0, 1, 335] {
        client_params(SpecCheck::ClientDataLength, |puppet| puppet.set_client_raw(&vec![7; len]));
    }
}

// rule: HS-23
#[test]
fn client_data_with_a_wrong_hash_is_refused() {
    client_params(SpecCheck::ClientDataHash, |puppet| {
        let mut data = hashed(&puppet.client_inner(|_| {}), 0);
        data[0] ^= 1;
        puppet.set_client(&data)
    });
}

// rule: HS-23
#[test]
fn client_data_with_a_hash_over_its_padding_is_refused() {
    client_params(SpecCheck::ClientDataHash, |puppet| {
        let mut data = hashed(&puppet.client_inner(|_| {}), 0);
        let hash = dayfly_crypto::digest::sha1(&[&data[20..]]);
        data[..20].copy_from_slice(&hash);
        puppet.set_client(&data)
    });
}

// rule: HS-23
#[test]
fn client_data_with_a_whole_block_of_padding_is_refused() {
    client_params(SpecCheck::ClientDataPadding, |puppet| {
        puppet.set_client(&hashed(&puppet.client_inner(|_| {}), 16))
    });
}

// rule: HS-23
#[test]
fn client_data_that_holds_something_else_is_refused() {
    client_params(SpecCheck::ClientDataMalformed, |puppet| puppet.set_client(&hashed(&puppet.req_pq(), 0)));
}

// rule: HS-23
#[test]
fn a_client_nonce_or_server_nonce_that_differs_is_refused() {
    client_inner(SpecCheck::ClientNonce, |m| m.nonce[7] ^= 1);
    client_inner(SpecCheck::ClientServerNonce, |m| m.server_nonce[7] ^= 1);
}

// rule: HS-22, HS-23
#[test]
fn a_retry_id_in_the_first_attempt_is_refused() {
    client_inner(SpecCheck::RetryId, |m| m.retry_id = 1);
}

// rule: HS-20, HS-23
#[test]
fn a_g_b_out_of_range_is_refused_without_dh_gen_fail() {
    let mut low = [0; 256];
    low[8..].fill(0xff);
    let mut high = *SafePrimeGroup::published().prime();
    high[7] -= 1;
    high[255] += 1;
    for g_b in [&low[..], &high, &[1], &[], &[0xff; 257]] {
        let g_b = forever(g_b);
        client_inner(SpecCheck::GBOutOfRange, |m| m.g_b = g_b);
    }
}

// rule: HS-15
#[test]
fn a_query_out_of_its_turn_spends_the_run() {
    let (mut rig, mut puppet) = opened();
    assert_eq!(rig.ask(1, &puppet.finish(0)), Err(-404));
    rig.assert_early(SpecCheck::OutOfTurn);
    assert_spent(&mut rig, &mut puppet);
}

// rule: HS-15
#[test]
fn a_second_different_dh_params_spends_the_run() {
    let (mut rig, mut puppet) = proven();
    let inner = puppet.inner(|_| {});
    let other = puppet.req_dh_params(&inner);
    assert_eq!(rig.ask(2, &other), Err(-404));
    assert_eq!(rig.ask(1, &puppet.finish(0)), Err(-404));
    assert!(rig.kept.is_empty());
    assert_spent(&mut rig, &mut puppet);
}

// rule: HS-15
#[test]
fn a_spent_run_leaves_other_runs_and_the_connection_alone() {
    let (mut rig, puppet) = proven();
    let mut other = ClientPuppet::new(2);
    other.open(&mut rig, 1);
    assert_eq!(rig.ask(1, &other.finish(0)), Err(-404));
    rig.ask(1, &puppet.finish(0)).unwrap();
    assert_eq!(rig.kept.len(), 1);
}

// rule: HS-33
#[test]
fn an_unknown_run_gets_not_found() {
    let (mut rig, mut puppet) = opened();
    puppet.server_nonce[0] ^= 1;
    let inner = puppet.inner(|_| {});
    let query = puppet.req_dh_params(&inner);
    assert_eq!(rig.ask(1, &query), Err(-404));
    rig.assert_early(SpecCheck::UnknownRun);
    assert_eq!(rig.server.unfinished(), 1, "the run of that nonce stays");
}

// rule: HS-34
#[test]
fn plain_messages_that_are_no_query_get_not_found() {
    let (mut rig, puppet) = opened();
    let cut = &puppet.req_pq()[..19];
    for body in [&to_bytes(&Ping { ping_id: 1 })[..], cut, &[], &[1, 2, 3], &[0xff; 40]] {
        assert_eq!(rig.ask(1, body), Err(-404), "{body:02x?}");
    }
    assert_eq!(rig.ask(1, &to_bytes(&Ping { ping_id: 1 })), Err(-404));
    rig.assert_early(SpecCheck::UnknownQuery);
    let mut beyond = plain(0, &puppet.req_pq());
    beyond[16] += 1;
    rig.send_raw(1, &beyond);
    assert_eq!(rig.reply(1), Some(Err(-404)));
    rig.send_raw(1, &[0; 12]);
    assert_eq!(rig.reply(1), Some(Err(-404)));
    rig.assert_early(SpecCheck::Malformed);
}

// rule: HS-05
#[test]
fn a_ring_has_keys_and_none_twice() {
    assert_eq!(KeyRing::new(Vec::new()).unwrap_err(), KeyRingError::Empty);
    let key = ServerKey { key: private_key(), old_rsa: false };
    let twice = KeyRing::new(vec![key.clone(), key.clone()]).unwrap_err();
    assert_eq!(twice, KeyRingError::Twice(key.key.fingerprint().0));
}

#[test]
fn a_source_of_randomness_that_fails_puts_the_opening_off() {
    let mut rig = Rig::new(|_| {});
    rig.world.random.broken = true;
    assert_eq!(rig.ask(1, &ClientPuppet::new(1).req_pq()), Err(-429));
    rig.world.random.broken = false;
    assert!(rig.ask(1, &ClientPuppet::new(1).req_pq()).is_ok());
}
