//! Queries that come more than once.

use core::time::Duration;

use dayfly_core::handshake::SpecCheck;
use dayfly_core::handshake::server::HandshakeEvent;

use super::support::{ClientPuppet, Rig};

fn opened() -> (Rig, ClientPuppet) {
    let mut rig = Rig::new(|_| {});
    let mut puppet = ClientPuppet::new(1);
    puppet.open(&mut rig, 1);
    (rig, puppet)
}

// rule: HS-31
#[test]
fn every_step_repeated_over_another_connection_gets_the_same_answer() {
    let mut rig = Rig::new(|_| {});
    let mut puppet = ClientPuppet::new(1);
    let res_pq = rig.ask(1, &puppet.req_pq()).unwrap();
    puppet.take_res_pq(&res_pq);
    assert_eq!(rig.ask(2, &puppet.req_pq()).unwrap(), res_pq);
    let (query, dh_params) = puppet.prove(&mut rig, 3);
    assert_eq!(rig.ask(4, &query).unwrap(), dh_params);
    assert_eq!(rig.ask(4, &puppet.req_pq()).unwrap(), res_pq, "an unfinished run forgets nothing");
    let finish = puppet.finish(0);
    let verdict = rig.ask(5, &finish).unwrap();
    let work_done = rig.work_done;
    for connection in 6..9 {
        let padded = [finish.clone(), vec![connection as u8; 9]].concat();
        assert_eq!(rig.ask(connection, &padded).unwrap(), verdict);
    }
    assert_eq!(rig.work_done, work_done, "nothing is computed anew");
    assert_eq!((rig.kept.len(), rig.server.finished()), (1, 1));
}

// rule: HS-31, HS-33
#[test]
fn ten_minutes_after_its_opening_a_finished_run_is_forgotten() {
    let (mut rig, mut puppet) = opened();
    puppet.prove(&mut rig, 1);
    let finish = puppet.finish(0);
    let verdict = rig.ask(1, &finish).unwrap();
    rig.pass(Duration::from_secs(599));
    assert_eq!(rig.ask(2, &finish).unwrap(), verdict);
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.ask(2, &finish), Err(-404));
    assert_eq!(rig.server.memory_in_use(), 0);
}

// rule: HS-33, HS-35
#[test]
fn ten_minutes_after_its_opening_an_unfinished_run_is_forgotten() {
    let (mut rig, mut puppet) = opened();
    puppet.prove(&mut rig, 1);
    rig.pass(Duration::from_secs(599));
    assert_eq!(rig.server.unfinished(), 1);
    rig.pass(Duration::from_secs(1));
    assert_eq!((rig.server.unfinished(), rig.server.memory_in_use()), (0, 0));
    assert_eq!(rig.ask(1, &puppet.finish(0)), Err(-404));
}

// rule: HS-32
#[test]
fn an_earlier_query_of_a_finished_run_gets_not_found_and_does_not_spend_it() {
    let (mut rig, mut puppet) = opened();
    let (query, _) = puppet.prove(&mut rig, 1);
    let finish = puppet.finish(0);
    let verdict = rig.ask(1, &finish).unwrap();
    assert_eq!(rig.ask(2, &query), Err(-404));
    assert_eq!(rig.events.last(), Some(&HandshakeEvent::Refused { check: SpecCheck::EarlierQuery }));
    assert_eq!(rig.ask(2, &finish).unwrap(), verdict);
}

// rule: HS-32
#[test]
fn the_opening_of_a_finished_run_may_open_a_new_one() {
    let (mut rig, mut puppet) = opened();
    puppet.prove(&mut rig, 1);
    rig.ask(1, &puppet.finish(0)).unwrap();
    let mut again = ClientPuppet::new(1);
    again.open(&mut rig, 1);
    assert_ne!(again.server_nonce, puppet.server_nonce);
}

// rule: HS-15
#[test]
fn an_altered_repeat_after_the_verdict_spends_the_run() {
    let (mut rig, mut puppet) = opened();
    puppet.prove(&mut rig, 1);
    let finish = puppet.finish(0);
    rig.ask(1, &finish).unwrap();
    puppet.draw_b();
    assert_eq!(rig.ask(2, &puppet.finish(0)), Err(-404));
    assert_eq!(rig.events.last(), Some(&HandshakeEvent::Refused { check: SpecCheck::SecondQuery }));
    assert_eq!(rig.ask(1, &finish), Err(-404), "the right one too");
    assert_eq!((rig.kept.len(), rig.server.finished()), (1, 0));
}

// rule: HS-15
#[test]
fn the_same_query_waits_for_the_one_private_key_operation() {
    let (mut rig, mut puppet) = opened();
    let inner = puppet.inner(|_| {});
    let query = puppet.req_dh_params(&inner);
    rig.hold = true;
    for connection in 1..4 {
        rig.send(connection, &query);
    }
    assert_eq!(rig.jobs.len(), 1);
    rig.hold = false;
    rig.settle();
    let answers: Vec<_> = (1..4).map(|connection| rig.reply(connection).unwrap().unwrap()).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(rig.work_done, 2);
}

// rule: HS-15
#[test]
fn a_different_query_while_the_private_key_is_at_work_spends_the_run_for_all() {
    let (mut rig, mut puppet) = opened();
    let inner = puppet.inner(|_| {});
    let (one, two) = (puppet.req_dh_params(&inner), puppet.req_dh_params(&inner));
    rig.hold = true;
    rig.send(1, &one);
    rig.send(2, &two);
    assert_eq!(rig.jobs.len(), 1, "no second private-key operation");
    assert_eq!((rig.reply(1), rig.reply(2)), (Some(Err(-404)), Some(Err(-404))));
    rig.hold = false;
    rig.settle();
    assert_eq!((rig.reply(1), rig.reply(2)), (None, None), "the result is dropped");
    assert_eq!(rig.ask(1, &one), Err(-404));
}

// rule: HS-15
#[test]
fn a_different_query_while_auth_key_is_computed_spends_the_run() {
    let (mut rig, mut puppet) = opened();
    puppet.prove(&mut rig, 1);
    let one = puppet.finish(0);
    puppet.draw_b();
    let two = puppet.finish(0);
    rig.hold = true;
    rig.send(1, &one);
    rig.send(1, &one);
    rig.send(2, &two);
    assert_eq!((rig.reply(1), rig.reply(2)), (Some(Err(-404)), Some(Err(-404))));
    rig.hold = false;
    rig.settle();
    assert!(rig.kept.is_empty());
    assert_eq!(rig.server.unfinished(), 0);
}

// rule: HS-31
#[test]
fn a_repeat_of_dh_params_while_auth_key_is_computed_gets_its_answer() {
    let (mut rig, mut puppet) = opened();
    let (query, answer) = puppet.prove(&mut rig, 1);
    rig.hold = true;
    rig.send(1, &puppet.finish(0));
    assert_eq!(rig.ask(2, &query).unwrap(), answer);
    rig.hold = false;
    rig.settle();
    assert!(rig.reply(1).unwrap().is_ok());
}

// rule: HS-31
#[test]
fn an_answer_waits_for_whoever_asks_again_when_its_connection_is_gone() {
    let (mut rig, mut puppet) = opened();
    let inner = puppet.inner(|_| {});
    let query = puppet.req_dh_params(&inner);
    rig.hold = true;
    rig.send(1, &query);
    rig.server.forget_connection(1);
    rig.hold = false;
    rig.settle();
    assert_eq!(rig.reply(1), None);
    assert!(rig.ask(2, &query).is_ok());
    assert_eq!(rig.work_done, 2);
}
