//! Ids that are taken, keys that cannot be kept, stores that cannot be asked.

use core::time::Duration;

use dayfly_core::handshake::SpecCheck;
use dayfly_core::handshake::server::{HandshakeEvent, PutOff};
use dayfly_core::keys::kind::KeyKind;
use dayfly_tl::mtproto::SetClientDhParamsAnswer;
use dayfly_tl::read_exact;

use super::support::{ClientPuppet, ClientRig, Rig, Verdict};

fn proven() -> (Rig, ClientPuppet) {
    let mut rig = Rig::new(|_| {});
    let mut puppet = ClientPuppet::new(1);
    puppet.open(&mut rig, 1);
    puppet.prove(&mut rig, 1);
    (rig, puppet)
}

fn verdict(answer: &[u8]) -> SetClientDhParamsAnswer {
    read_exact(answer).unwrap()
}

fn assert_retry(puppet: &ClientPuppet, answer: &[u8]) {
    match verdict(answer) {
        SetClientDhParamsAnswer::DhGenRetry(m) => assert_eq!(m.new_nonce_hash2, puppet.hash(2)),
        other => panic!("{other:?}"),
    }
}

fn aux_hash(puppet: &ClientPuppet) -> i64 {
    i64::from_le_bytes(puppet.auth_key().aux_hash())
}

// rule: HS-25, HS-27
#[test]
fn a_taken_id_leads_both_machines_to_another_key() {
    let mut server = Rig::new(|_| {});
    server.store.extend([Verdict::Taken, Verdict::Taken]);
    let mut client = ClientRig::new(KeyKind::Perm);
    while let Some(message) = client.sent.pop_front() {
        server.send_raw(1, &message);
        let answer = server.reply(1).unwrap().unwrap();
        client.take(&answer).unwrap();
    }
    assert_eq!(client.created.unwrap().key.expose(), server.kept[0].key.expose());
    let retries = server.events.iter().filter(|event| matches!(event, HandshakeEvent::Retry { .. })).count();
    assert_eq!(retries, 2);
    // RSA, g_a, and one exponentiation for each attempt: a stays.
    assert_eq!(server.work_done, 5);
}

// rule: HS-25, HS-24
#[test]
fn a_retry_needs_the_aux_hash_of_the_refused_key() {
    for (right, flip) in [(true, 0), (false, 1)] {
        let (mut rig, mut puppet) = proven();
        rig.store.push_back(Verdict::Taken);
        let answer = rig.ask(1, &puppet.finish(0)).unwrap();
        assert_retry(&puppet, &answer);
        let retry_id = aux_hash(&puppet) ^ flip;
        puppet.draw_b();
        let reply = rig.ask(2, &puppet.finish(retry_id));
        if right {
            assert!(matches!(verdict(&reply.unwrap()), SetClientDhParamsAnswer::DhGenOk(_)));
            assert_eq!(rig.kept[0].key.expose(), puppet.auth_key().expose());
        } else {
            assert_eq!(reply, Err(-404));
            rig.assert_late(SpecCheck::RetryId);
        }
    }
}

// rule: HS-25
#[test]
fn a_client_that_begins_again_after_a_retry_is_served() {
    let (mut rig, puppet) = proven();
    rig.store.push_back(Verdict::Taken);
    rig.ask(1, &puppet.finish(0)).unwrap();
    let mut again = ClientPuppet::new(2);
    again.open(&mut rig, 1);
    again.prove(&mut rig, 1);
    rig.ask(1, &again.finish(0)).unwrap();
    assert_eq!(rig.kept[0].key.expose(), again.auth_key().expose());
}

// rule: HS-31, HS-32
#[test]
fn a_retry_is_repeated_and_the_attempt_before_it_forgotten() {
    let (mut rig, mut puppet) = proven();
    rig.store.extend([Verdict::Taken, Verdict::Taken]);
    let first = puppet.finish(0);
    let retry = rig.ask(1, &first).unwrap();
    assert_eq!(rig.ask(2, &first).unwrap(), retry);
    let retry_id = aux_hash(&puppet);
    puppet.draw_b();
    rig.ask(1, &puppet.finish(retry_id)).unwrap();
    assert_eq!(rig.ask(1, &first), Err(-404), "forgotten");
    let retry_id = aux_hash(&puppet);
    puppet.draw_b();
    rig.ask(1, &puppet.finish(retry_id)).unwrap();
    assert_eq!(rig.kept.len(), 1, "the run was not spent");
}

// rule: HS-26
#[test]
fn the_bound_on_retries_ends_the_run_with_dh_gen_fail() {
    let (mut rig, mut puppet) = proven();
    rig.store.extend([Verdict::Taken; 6]);
    let mut retry_id = 0;
    for _ in 0..5 {
        let answer = rig.ask(1, &puppet.finish(retry_id)).unwrap();
        assert_retry(&puppet, &answer);
        retry_id = aux_hash(&puppet);
        puppet.draw_b();
    }
    let last = puppet.finish(retry_id);
    let answer = rig.ask(1, &last).unwrap();
    match verdict(&answer) {
        SetClientDhParamsAnswer::DhGenFail(m) => assert_eq!(m.new_nonce_hash3, puppet.hash(3)),
        other => panic!("{other:?}"),
    }
    assert_eq!(rig.events.last(), Some(&HandshakeEvent::Failed { id: puppet.auth_key().id() }));
    assert_eq!(rig.ask(2, &last).unwrap(), answer, "and repeats it");
    assert_eq!(rig.server.unfinished(), 0);
}

// rule: HS-26
#[test]
fn a_key_that_the_store_refuses_ends_the_run_with_dh_gen_fail() {
    let (mut rig, puppet) = proven();
    rig.store.push_back(Verdict::Refused);
    let answer = rig.ask(1, &puppet.finish(0)).unwrap();
    assert!(matches!(verdict(&answer), SetClientDhParamsAnswer::DhGenFail(_)));
    let id = puppet.auth_key().id();
    assert_eq!(rig.events, [HandshakeEvent::Failed { id }]);
}

// rule: HS-26, PF-17
#[test]
fn a_query_waits_for_a_store_that_comes_back() {
    let (mut rig, puppet) = proven();
    rig.store.extend([Verdict::Unavailable, Verdict::Unavailable]);
    rig.send(1, &puppet.finish(0));
    assert_eq!(rig.reply(1), None, "no verdict before the key is kept");
    rig.pass(Duration::from_secs(1));
    let answer = rig.reply(1).unwrap().unwrap();
    assert!(matches!(verdict(&answer), SetClientDhParamsAnswer::DhGenOk(_)));
    assert_eq!(rig.kept.len(), 1);
}

// rule: HS-26
#[test]
fn a_query_that_waited_long_enough_is_put_off_and_may_be_repeated() {
    let (mut rig, puppet) = proven();
    rig.store.extend([Verdict::Unavailable; 40]);
    let query = puppet.finish(0);
    rig.send(1, &query);
    rig.pass(Duration::from_secs(5));
    assert_eq!(rig.reply(1), Some(Err(-429)));
    assert_eq!(rig.events, [HandshakeEvent::PutOff { reason: PutOff::Store }]);
    rig.store.clear();
    let work_done = rig.work_done;
    let answer = rig.ask(2, &query).unwrap();
    assert!(matches!(verdict(&answer), SetClientDhParamsAnswer::DhGenOk(_)));
    assert_eq!(rig.work_done, work_done, "nothing is computed anew");
    assert_eq!((rig.kept.len(), rig.reply(1)), (1, None));
}

// rule: HS-26
#[test]
fn a_store_that_never_answers_puts_the_query_off_and_its_late_answer_counts() {
    let (mut rig, puppet) = proven();
    rig.hold = true;
    let query = puppet.finish(0);
    rig.send(1, &query);
    rig.work();
    rig.pass(Duration::from_secs(5));
    assert_eq!(rig.reply(1), Some(Err(-429)));
    rig.work();
    let answer = rig.ask(1, &query).unwrap();
    assert!(matches!(verdict(&answer), SetClientDhParamsAnswer::DhGenOk(_)));
}
