//! Answers that break one rule, and a client that refuses them.

use dayfly_core::handshake::SpecCheck;
use dayfly_core::handshake::client::HandshakeError;
use dayfly_core::keys::kind::KeyKind;
use dayfly_crypto::dh::{GroupCache, SafePrimeGroup};
use dayfly_tl::LongVec;
use dayfly_tl::mtproto::{ResPq, ServerDhInnerData};

use super::support::{ClientRig, ServerPuppet, forever, hashed, plain, public_key};

fn client() -> (ClientRig, ServerPuppet) {
    let mut rig = ClientRig::new(KeyKind::Perm);
    let puppet = ServerPuppet::new(&mut rig);
    (rig, puppet)
}

fn proving() -> (ClientRig, ServerPuppet) {
    let (mut rig, mut puppet) = client();
    puppet.prove(&mut rig);
    (rig, puppet)
}

fn agreeing() -> (ClientRig, ServerPuppet) {
    let (mut rig, mut puppet) = client();
    puppet.agree(&mut rig);
    (rig, puppet)
}

/// The answer is refused for this one reason, nothing more is sent, and the machine stays failed.
fn assert_refused(rig: &mut ClientRig, answer: &[u8], check: SpecCheck) {
    let error = HandshakeError::PeerMisbehaved(check);
    assert_eq!(rig.take(answer), Err(error));
    rig.world.seen.assert_only(check);
    assert!(rig.sent.is_empty() && rig.jobs.is_empty() && rig.created.is_none());
    assert_eq!(rig.take(answer), Err(error), "it stays failed");
    assert_eq!((rig.client.error(), rig.client.poll_timeout()), (Some(error), None));
}

fn res_pq(check: SpecCheck, change: impl FnOnce(&mut ResPq<'_>)) {
    let (mut rig, puppet) = client();
    assert_refused(&mut rig, &puppet.res_pq(change), check);
}

fn inner(check: SpecCheck, change: impl FnOnce(&mut ServerDhInnerData<'_>)) {
    let (mut rig, puppet) = proving();
    let answer = puppet.dh_params(&hashed(&puppet.inner(change), 0));
    assert_refused(&mut rig, &answer, check);
}

// rule: HS-06
#[test]
fn a_res_pq_with_another_nonce_is_refused() {
    res_pq(SpecCheck::NonceMismatch, |m| m.nonce[15] ^= 1);
}

// rule: HS-07
#[test]
fn a_pq_above_63_bits_is_refused() {
    let pq = forever(&(4_294_967_291_u64 * 4_294_967_279).to_be_bytes());
    res_pq(SpecCheck::PqTooLarge, |m| m.pq = pq);
    res_pq(SpecCheck::PqTooLarge, |m| m.pq = &[1; 9]);
}

// rule: HS-07
#[test]
fn a_pq_that_is_no_product_of_two_different_odd_primes_is_refused() {
    let prime = 9_223_372_036_854_775_783_u64;
    let square = 2_147_483_647_u64.pow(2);
    let three = 1_048_583_u64 * 1_048_589 * 1_048_601;
    for pq in [prime, square, three, 2 * 2_147_483_647, 1, 0] {
        let pq = forever(&pq.to_be_bytes());
        res_pq(SpecCheck::PqNotTwoPrimes, |m| m.pq = pq);
    }
}

// rule: HS-07
#[test]
fn a_server_with_none_of_our_keys_is_refused() {
    let other = public_key().fingerprint().0 ^ 1;
    res_pq(SpecCheck::NoTrustedKey, |m| m.server_public_key_fingerprints = LongVec::from(vec![other]));
    res_pq(SpecCheck::NoTrustedKey, |m| m.server_public_key_fingerprints = LongVec::default());
}

// rule: HS-07
#[test]
fn a_trusted_key_counts_wherever_it_stands() {
    let (mut rig, puppet) = client();
    let list = vec![1, 2, public_key().fingerprint().0, 3];
    rig.take(&puppet.res_pq(|m| m.server_public_key_fingerprints = LongVec::from(list))).unwrap();
    assert_eq!(rig.sent.len(), 1);
}

// rule: HS-01
#[test]
fn a_pq_with_leading_zeros_is_taken() {
    let (mut rig, mut puppet) = client();
    let mut pq = Vec::new();
    puppet.res_pq(|m| pq = [&[0, 0], m.pq].concat());
    let pq = forever(&pq);
    rig.take(&puppet.res_pq(|m| m.pq = pq)).unwrap();
    let query = rig.query();
    puppet.unwrap(&query);
}

// rule: HS-06
#[test]
fn a_dh_params_with_another_nonce_is_refused() {
    let (mut rig, puppet) = proving();
    let whole = puppet.right_dh_params();
    let mut answer = whole.clone();
    answer[4] ^= 1;
    assert_refused(&mut rig, &answer, SpecCheck::NonceMismatch);
}

// rule: HS-06
#[test]
fn a_dh_params_with_another_server_nonce_is_refused() {
    let (mut rig, puppet) = proving();
    let mut answer = puppet.right_dh_params();
    answer[20] ^= 1;
    assert_refused(&mut rig, &answer, SpecCheck::ServerNonceMismatch);
}

// rule: HS-06
#[test]
fn an_inner_answer_with_another_nonce_is_refused() {
    inner(SpecCheck::InnerAnswerNonce, |m| m.nonce[0] ^= 1);
}

// rule: HS-06
#[test]
fn an_inner_answer_with_another_server_nonce_is_refused() {
    inner(SpecCheck::InnerAnswerServerNonce, |m| m.server_nonce[0] ^= 1);
}

// rule: HS-17
#[test]
fn an_encrypted_answer_of_no_whole_blocks_is_refused() {
    for cut in [1, 15, 592] {
        let (mut rig, puppet) = proving();
        let mut bytes = Vec::new();
        let whole = puppet.right_dh_params();
        let m: dayfly_tl::mtproto::ServerDhParamsOk<'_> = dayfly_tl::read_exact(&whole).unwrap();
        bytes.extend_from_slice(&m.encrypted_answer[cut..]);
        let answer = puppet.dh_params_with(&bytes, |_| {});
        assert_refused(&mut rig, &answer, SpecCheck::AnswerLength);
    }
}

// rule: HS-17
#[test]
fn an_encrypted_answer_with_a_wrong_hash_is_refused() {
    let (mut rig, puppet) = proving();
    let mut data = hashed(&puppet.inner(|_| {}), 0);
    data[19] ^= 1;
    assert_refused(&mut rig, &puppet.dh_params(&data), SpecCheck::AnswerHash);
}

// rule: HS-17
#[test]
fn an_encrypted_answer_with_a_whole_block_of_padding_is_refused() {
    let (mut rig, puppet) = proving();
    let data = hashed(&puppet.inner(|_| {}), 16);
    assert_refused(&mut rig, &puppet.dh_params(&data), SpecCheck::AnswerPadding);
}

// rule: HS-17
#[test]
fn an_encrypted_answer_that_holds_something_else_is_refused() {
    let (mut rig, puppet) = proving();
    let data = hashed(&puppet.res_pq(|_| {}), 0);
    let error = HandshakeError::PeerMisbehaved(SpecCheck::AnswerMalformed);
    assert_eq!(rig.take(&puppet.dh_params(&data)), Err(error));
}

// rule: HS-18
#[test]
fn a_dh_prime_of_another_size_is_refused() {
    let prime = forever(&SafePrimeGroup::published().prime()[1..]);
    inner(SpecCheck::DhPrime, |m| m.dh_prime = prime);
}

// rule: HS-18
#[test]
fn a_dh_prime_that_is_no_safe_prime_is_refused_after_the_proof() {
    let mut prime = *SafePrimeGroup::published().prime();
    // 24 more: the residues that g = 3 and 2048 bits ask for stay as they are.
    prime[255] = prime[255].wrapping_add(24);
    let prime = forever(&prime);
    let (mut rig, puppet) = proving();
    rig.hold = true;
    rig.take(&puppet.dh_params(&hashed(&puppet.inner(|m| m.dh_prime = prime), 0))).unwrap();
    assert_eq!(rig.jobs.len(), 1, "the proof is a job");
    assert!(rig.sent.is_empty());
    assert_eq!(rig.work(), Err(HandshakeError::PeerMisbehaved(SpecCheck::DhPrime)));
    rig.world.seen.assert_only(SpecCheck::DhPrime);
}

// rule: HS-18
#[test]
fn an_unknown_safe_prime_is_proven_once_and_remembered() {
    let group = group_14();
    let cache = GroupCache::new();
    for jobs in [1, 0] {
        let mut rig = ClientRig::with(KeyKind::Perm, 5, |config| config.groups = cache.clone());
        let mut puppet = ServerPuppet::with_group(&mut rig, group.clone());
        puppet.prove(&mut rig);
        rig.hold = true;
        rig.take(&puppet.right_dh_params()).unwrap();
        let proofs = rig.jobs.iter().filter(|job| format!("{:?}", job.work) == "SafePrime(..)").count();
        assert_eq!(proofs, jobs);
        rig.hold = false;
        rig.settle().unwrap();
        let query = rig.query();
        puppet.take_client_params(&query);
        rig.take(&puppet.dh_gen_ok(|_| {})).unwrap();
        assert_eq!(rig.created.unwrap().key.expose(), puppet.auth_key().expose());
    }
}

/// The 2048-bit group of RFC 3526, with g = 2.
fn group_14() -> std::sync::Arc<SafePrimeGroup> {
    let cases = include_str!("../../../vectors/dh_groups.json");
    let at = cases.find("group 14 of RFC 3526").unwrap();
    let prime = cases[at..].split('"').nth(4).unwrap();
    SafePrimeGroup::check(&hex::decode(prime).unwrap(), 2, &GroupCache::new()).unwrap()
}

// rule: HS-19
#[test]
fn a_generator_of_the_wrong_group_is_refused() {
    for g in [0, 1, 2, 5, 6, 8, -3, i32::MIN] {
        inner(SpecCheck::Generator, |m| m.g = g);
    }
}

// rule: HS-20
#[test]
fn a_g_a_out_of_range_is_refused() {
    let group = SafePrimeGroup::published();
    let mut low = [0; 256];
    low[8..].fill(0xff);
    let low = forever(&low);
    inner(SpecCheck::GAOutOfRange, |m| m.g_a = low);
    let mut high = *group.prime();
    high[7] -= 1;
    high[255] += 1;
    let high = forever(&high);
    inner(SpecCheck::GAOutOfRange, |m| m.g_a = high);
    inner(SpecCheck::GAOutOfRange, |m| m.g_a = &[1]);
    inner(SpecCheck::GAOutOfRange, |m| m.g_a = &[]);
}

// rule: HS-27
#[test]
fn a_dh_gen_ok_with_another_hash_is_refused() {
    let (mut rig, puppet) = agreeing();
    let answer = puppet.dh_gen_ok(|m| m.new_nonce_hash1[15] ^= 1);
    assert_refused(&mut rig, &answer, SpecCheck::NewNonceHash1);
}

// rule: HS-27
#[test]
fn a_dh_gen_retry_with_the_hash_of_an_ok_is_refused() {
    let (mut rig, puppet) = agreeing();
    let hash = puppet.hash(1);
    let answer = puppet.dh_gen_retry(|m| m.new_nonce_hash2 = hash);
    assert_refused(&mut rig, &answer, SpecCheck::NewNonceHash2);
}

// rule: HS-27
#[test]
fn a_dh_gen_fail_with_another_hash_is_refused() {
    let (mut rig, puppet) = agreeing();
    let answer = puppet.dh_gen_fail(|m| m.new_nonce_hash3[0] ^= 1);
    assert_refused(&mut rig, &answer, SpecCheck::NewNonceHash3);
}

// rule: HS-06
#[test]
fn a_verdict_with_another_nonce_or_server_nonce_is_refused() {
    let (mut rig, puppet) = agreeing();
    assert_refused(&mut rig, &puppet.dh_gen_ok(|m| m.nonce[3] ^= 1), SpecCheck::NonceMismatch);
    let (mut rig, puppet) = agreeing();
    let answer = puppet.dh_gen_retry(|m| m.server_nonce[3] ^= 1);
    assert_refused(&mut rig, &answer, SpecCheck::ServerNonceMismatch);
}

// rule: HS-06
#[test]
fn a_repeat_of_an_answer_already_taken_is_ignored_in_every_later_step() {
    let (mut rig, mut puppet) = client();
    let res_pq = puppet.res_pq(|_| {});
    puppet.prove(&mut rig);
    rig.take(&res_pq).unwrap();
    let dh_params = puppet.right_dh_params();
    rig.take(&dh_params).unwrap();
    rig.take(&res_pq).unwrap();
    rig.take(&dh_params).unwrap();
    let query = rig.query();
    assert!(rig.sent.is_empty(), "the repeats led to nothing");
    puppet.take_client_params(&query);
    rig.take(&puppet.dh_gen_ok(|_| {})).unwrap();
    assert!(rig.created.is_some());
}

// rule: HS-06
#[test]
fn an_answer_like_one_already_taken_but_not_the_same_is_refused() {
    let (mut rig, puppet) = proving();
    let other = puppet.res_pq(|m| m.server_nonce[0] ^= 1);
    let error = HandshakeError::UnexpectedAnswer { state: "server_DH_params_ok", got: "resPQ" };
    assert_eq!(rig.take(&other), Err(error));
}

#[test]
fn an_answer_out_of_its_turn_is_refused() {
    let (mut rig, puppet) = client();
    let answer = puppet.dh_params(&hashed(&puppet.inner(|_| {}), 0));
    let error = HandshakeError::UnexpectedAnswer { state: "resPQ", got: "server_DH_params_ok" };
    assert_eq!(rig.take(&answer), Err(error));
}

// rule: HS-34
#[test]
fn what_is_no_answer_is_refused() {
    let malformed = Err(HandshakeError::PeerMisbehaved(SpecCheck::Malformed));
    for garbage in [vec![], vec![1, 2], vec![0x63, 0x24, 0x16, 0x05, 1, 2, 3], vec![0xff; 64]] {
        let (mut rig, _) = client();
        assert_eq!(rig.take(&garbage), malformed, "{garbage:02x?}");
    }
    let (mut rig, puppet) = client();
    let wrong_id = plain(0x6000_0000_0000_0003, &puppet.res_pq(|_| {}));
    assert_eq!(rig.client.handle_message(&wrong_id, &mut rig.world.env()), malformed);
}

#[test]
fn answers_that_arrive_while_a_job_is_out_are_kept_in_order() {
    let (mut rig, mut puppet) = proving();
    rig.hold = true;
    rig.take(&puppet.right_dh_params()).unwrap();
    rig.take(&puppet.res_pq(|_| {})).unwrap();
    rig.work().unwrap();
    rig.settle().unwrap();
    let query = rig.query();
    puppet.take_client_params(&query);
    rig.take(&puppet.dh_gen_ok(|_| {})).unwrap();
    assert!(rig.created.is_none(), "auth_key is not computed yet");
    rig.work().unwrap();
    rig.settle().unwrap();
    assert!(rig.created.is_some());
}

#[test]
fn a_result_that_nobody_waits_for_is_dropped() {
    let (mut rig, puppet) = proving();
    rig.hold = true;
    rig.take(&puppet.right_dh_params()).unwrap();
    rig.error(-404).unwrap();
    rig.work().unwrap();
    rig.settle().unwrap();
    assert!(rig.sent.is_empty());
    assert_eq!(rig.client.error(), None);
}

#[test]
fn a_source_of_randomness_that_fails_ends_the_handshake() {
    let (mut rig, puppet) = client();
    rig.world.random.broken = true;
    assert!(matches!(rig.take(&puppet.res_pq(|_| {})), Err(HandshakeError::Random(_))));
}
