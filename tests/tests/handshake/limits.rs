//! Bounds on what peers may take up.

use core::time::Duration;
use std::collections::BTreeMap;

use dayfly_core::handshake::server::{HandshakeEvent, PeerAddr, PutOff, ServerLimits};
use dayfly_core::keys::requests::Lifetime;

use super::support::{ClientPuppet, Rig};

const OTHER: PeerAddr = PeerAddr::V4(99);

fn puppets(rig: &mut Rig, seeds: core::ops::Range<u64>) -> Vec<ClientPuppet> {
    let mut puppets: Vec<_> = seeds.map(ClientPuppet::new).collect();
    puppets.iter_mut().for_each(|puppet| puppet.open(rig, 1));
    puppets
}

fn proves(rig: &mut Rig, puppet: &mut ClientPuppet) -> Result<Vec<u8>, i32> {
    let inner = puppet.inner(|_| {});
    let query = puppet.req_dh_params(&inner);
    rig.ask(1, &query)
}

// rule: HS-35
#[test]
fn when_the_table_is_full_the_oldest_run_without_factors_goes() {
    let mut rig = Rig::new(|config| config.limits.unproven_runs = 3);
    let mut puppets = puppets(&mut rig, 0..5);
    assert_eq!(rig.server.unfinished(), 3);
    let outcomes: Vec<_> = puppets.iter_mut().map(|puppet| proves(&mut rig, puppet).is_ok()).collect();
    assert_eq!(outcomes, [false, false, true, true, true]);
    let gone = rig.events.iter().filter(|event| **event == HandshakeEvent::GaveWay).count();
    assert_eq!(gone, 2);
}

// rule: HS-35
#[test]
fn an_address_that_opens_too_many_runs_loses_its_own() {
    let mut rig = Rig::new(|config| config.limits.unproven_runs_per_address = 2);
    let mut first = ClientPuppet::new(50);
    first.open(&mut rig, 1);
    rig.peer = OTHER;
    let mut others = puppets(&mut rig, 0..4);
    assert_eq!(rig.server.unfinished(), 3);
    assert!(proves(&mut rig, &mut first).is_ok(), "the oldest of all, but of another address");
    let outcomes: Vec<_> = others.iter_mut().map(|puppet| proves(&mut rig, puppet).is_ok()).collect();
    assert_eq!(outcomes, [false, false, true, true]);
}

// rule: HS-35
#[test]
fn runs_past_the_factors_are_bounded_and_beyond_it_put_off() {
    let mut rig = Rig::new(|config| config.limits.proven_runs = 2);
    let mut puppets = puppets(&mut rig, 0..3);
    proves(&mut rig, &mut puppets[0]).unwrap();
    let answer = proves(&mut rig, &mut puppets[1]).unwrap();
    assert_eq!(proves(&mut rig, &mut puppets[2]), Err(-429));
    assert_eq!(rig.events, [HandshakeEvent::PutOff { reason: PutOff::Runs }]);
    puppets[1].take_dh_params(&answer);
    rig.ask(1, &puppets[1].finish(0)).unwrap();
    assert!(proves(&mut rig, &mut puppets[2]).is_ok(), "it was not spent, and now there is room");
}

// rule: HS-35
#[test]
fn runs_past_the_factors_are_bounded_for_each_address() {
    let mut rig = Rig::new(|config| config.limits.proven_runs_per_address = 1);
    let mut puppets = puppets(&mut rig, 0..2);
    proves(&mut rig, &mut puppets[0]).unwrap();
    assert_eq!(proves(&mut rig, &mut puppets[1]), Err(-429));
    assert_eq!(rig.events, [HandshakeEvent::PutOff { reason: PutOff::AddressRuns }]);
    rig.peer = OTHER;
    let mut other = ClientPuppet::new(9);
    other.open(&mut rig, 1);
    assert!(proves(&mut rig, &mut other).is_ok());
}

// rule: HS-35
#[test]
fn private_key_operations_of_an_address_are_bounded_in_rate() {
    let mut rig = Rig::new(|config| config.limits.private_operations_per_minute = Some(2));
    let mut puppets = puppets(&mut rig, 0..3);
    proves(&mut rig, &mut puppets[0]).unwrap();
    proves(&mut rig, &mut puppets[1]).unwrap();
    assert_eq!(proves(&mut rig, &mut puppets[2]), Err(-429));
    assert_eq!(rig.events, [HandshakeEvent::PutOff { reason: PutOff::AddressRate }]);
    assert_eq!(rig.work_done, 4, "two private-key operations, two g_a");
    rig.pass(Duration::from_secs(30));
    assert!(proves(&mut rig, &mut puppets[2]).is_ok());
}

// rule: HS-35
#[test]
fn work_that_waits_is_bounded_and_what_was_begun_comes_to_its_end() {
    let mut rig = Rig::new(|config| config.limits.waiting_jobs = 2);
    let mut puppets = puppets(&mut rig, 0..4);
    let (_, answer) = puppets[0].prove(&mut rig, 1);
    rig.hold = true;
    for (connection, puppet) in (2..).zip(&mut puppets[1..]) {
        let query = puppet.inner(|_| {});
        let query = puppet.req_dh_params(&query);
        rig.send(connection, &query);
    }
    assert_eq!([rig.reply(2), rig.reply(3), rig.reply(4)], [None, None, Some(Err(-429))]);
    assert_eq!(rig.server.working(), 2);
    assert_eq!(rig.events, [HandshakeEvent::PutOff { reason: PutOff::Jobs }]);
    puppets[0].take_dh_params(&answer);
    rig.send(1, &puppets[0].finish(0));
    rig.hold = false;
    rig.settle();
    assert!([1, 2, 3].map(|connection| rig.reply(connection).unwrap()).iter().all(Result::is_ok));
    assert_eq!(rig.kept.len(), 1, "the third job was taken: its run had shown its factors");
    assert!(proves(&mut rig, &mut puppets[3]).is_ok(), "it was not spent, and now there is room");
}

/// One thread that takes 2 ms for a job, as many jobs waiting at most as the server sets for one thread, and twice the queries that
/// it can answer, so that the queue stays full.
// rule: HS-40
#[test]
fn who_is_admitted_to_a_full_queue_is_answered_within_a_second() {
    const JOB: Duration = Duration::from_millis(2);
    let mut rig = Rig::new(|config| config.limits.waiting_jobs = ServerLimits::WAITING_JOBS_PER_THREAD);
    let queries: Vec<_> = puppets(&mut rig, 0..900)
        .iter_mut()
        .map(|puppet| {
            let inner = puppet.inner(|_| {});
            puppet.req_dh_params(&inner)
        })
        .collect();
    rig.hold = true;
    let mut came = BTreeMap::new();
    let (mut longest, mut answered, mut put_off) = (Duration::ZERO, 0, 0);
    let mut coming = (2..).zip(&queries);
    // The first 500 at once, then one for each job that is done.
    let mut next = coming.by_ref().take(500).collect::<Vec<_>>();
    while !(next.is_empty() && rig.jobs.is_empty()) {
        for (connection, query) in next.drain(..) {
            came.insert(connection, rig.world.now.monotonic);
            rig.send(connection, query);
        }
        rig.world.pass(JOB);
        rig.work_first();
        for (connection, reply) in rig.all_replies() {
            let waited = rig.world.now.monotonic - came[&connection];
            match reply {
                Ok(_) => (longest, answered) = (longest.max(waited), answered + 1),
                Err(code) => {
                    assert_eq!(code, -429);
                    put_off += 1;
                }
            }
        }
        next.extend(coming.next());
    }
    assert!(longest <= Duration::from_secs(1), "{longest:?}");
    assert!(answered >= 400 && put_off >= 250, "{answered} answered, {put_off} put off");
    assert_eq!(answered + put_off, queries.len());
}

// rule: HS-35
#[test]
fn abandoned_probes_are_no_attack() {
    let mut rig = Rig::new(|config| config.limits.private_operations_per_minute = Some(1));
    let mut puppets = puppets(&mut rig, 0..500);
    assert!(rig.events.is_empty());
    assert!(proves(&mut rig, &mut puppets[0]).is_ok(), "500 probes cost the address nothing");
}

// rule: PF-25
#[test]
fn a_lifetime_is_cut_to_the_operators_longest() {
    let mut rig = Rig::new(|config| config.longest_expires_in = 3600);
    let mut puppet = ClientPuppet::new(1);
    puppet.open(&mut rig, 1);
    let inner = puppet.inner_temp(86_400);
    puppet.prove_with(&mut rig, 1, &inner);
    rig.ask(1, &puppet.finish(0)).unwrap();
    let expires_at = rig.kept[0].created_at + 3600;
    assert_eq!(rig.kept[0].lifetime, Lifetime::Temporary { expires_at });
}

// rule: HS-21
#[test]
fn an_exponent_is_never_shorter_than_256_bits() {
    let mut rig = Rig::new(|config| config.exponent_bits = 8);
    let mut puppet = ClientPuppet::new(1);
    puppet.open(&mut rig, 1);
    puppet.prove(&mut rig, 1);
    assert_eq!(rig.world.seen.values["a"].len(), 32);
}

// rule: HS-35
#[test]
fn only_so_many_connections_wait_for_one_answer() {
    let mut rig = Rig::new(|config| config.limits.waiters = 2);
    let mut puppet = ClientPuppet::new(1);
    puppet.open(&mut rig, 1);
    let inner = puppet.inner(|_| {});
    let query = puppet.req_dh_params(&inner);
    rig.hold = true;
    for connection in 1..6 {
        rig.send(connection, &query);
    }
    rig.hold = false;
    rig.settle();
    let answered: Vec<_> = (1..6).filter(|connection| rig.reply(*connection).is_some()).collect();
    assert_eq!(answered, [4, 5]);
}
