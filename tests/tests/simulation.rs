//! Ten thousand clients make both keys and bind them, each with a server of its own, over links that do their worst.
//!
//! A run is one client from its start until a call of its own is answered under a bound temporary key. All of it follows
//! from the run's number: what both sides draw, their clocks (up to a year apart; one client's in five jumps on the way),
//! how long jobs and bytes take, when the store cannot be asked, and the faults of `dayfly_testkit::link`: connections
//! refused, cut at any byte or gone dead, bytes in pieces, and an adversary who drops, repeats and reorders whole frames,
//! plain and encrypted ones. The faults of one run are up to eight times as frequent as those of another; after
//! [`FAULTS_END`] there are none.
//!
//! Shown is: once the faults have stopped, every client is bound and answered within [`PATIENCE`] of virtual time; at
//! least 95 of 100 runs get there without a key exchange that ended with an error, and what ended those of the others has
//! a name; a key whose id is taken is made anew through `dh_gen_retry`; no frame ever goes under a permanent key; the same
//! number gives the same frames at the same times.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use dayfly_core::client::{CallId, ClientConfig, Event};
use dayfly_core::handshake::server::{HandshakeEvent, ServerConfig};
use dayfly_core::server::{EndpointConfig, Event as ServerEvent};
use dayfly_crypto::AuthKeyId;
use dayfly_testkit::link::Faults;
use dayfly_testkit::runs::server_config;
use dayfly_testkit::vectors::Scheme;
use dayfly_testkit::{Pair, PairConfig, SeededRandom};
use dayfly_tl::{api, to_bytes};

/// Virtual time after which nothing goes wrong any more.
const FAULTS_END: Duration = Duration::from_secs(15);
/// How long after that a client may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// One run in so many finds the id of one of its keys taken.
const ONE_PLANTED_IN: u64 = 50;
/// Of as many runs, that many may see a key exchange end with an error.
const MAY_FAIL: (u64, u64) = (5, 100);
const YEAR: u64 = 365 * 86_400;

/// What a run is made of, beside its number.
#[derive(Clone)]
struct Setting {
    client: ClientConfig,
    handshakes: ServerConfig,
}

impl Setting {
    fn new(exponent_bits: usize) -> Self {
        let handshakes = ServerConfig { exponent_bits, ..server_config(Scheme::RsaPad) };
        let keys = handshakes.keys.keys().iter().map(|key| key.key.public().clone()).collect();
        Self { client: ClientConfig { exponent_bits, ..ClientConfig::new(keys) }, handshakes }
    }
}

/// One client on its way.
struct Run {
    pair: Pair,
    call: CallId,
    /// When the client's clock jumps, and by how much.
    jump: Option<(Duration, i64)>,
}

impl Run {
    fn start(seed: u64, setting: &Setting, planted: Option<AuthKeyId>) -> Self {
        let mut random = SeededRandom::new(seed ^ 0x5eed_0000_0000);
        let degree = [0.5, 1.0, 2.0, 4.0][usize::try_from(random.below(4)).unwrap()];
        let mut pair = Pair::new(PairConfig {
            seed,
            client: setting.client.clone(),
            handshakes: setting.handshakes.clone(),
            endpoint: EndpointConfig::default(),
            faults: Faults::bad(degree),
            job_time: Duration::from_millis(50),
            store_fails: 0.05 * degree,
            client_ahead: signed(&mut random, YEAR),
        });
        let jump_at = Duration::from_millis(random.below(10_000));
        let jump = random.happens(0.2).then(|| (jump_at, signed(&mut random, 3600)));
        planted.into_iter().for_each(|id| pair.store.plant(id));
        pair.start();
        let call = pair.call(to_bytes(&api::HelpGetNearestDc {}));
        Self { pair, call, jump }
    }

    fn is_done(pair: &Pair, call: CallId) -> bool {
        pair.bound().is_some() && pair.answers.contains_key(&call)
    }

    /// Goes on until a call was answered; when that was.
    fn finish(&mut self) -> Option<Duration> {
        let call = self.call;
        let done = |pair: &Pair| Self::is_done(pair, call);
        if let Some((at, seconds)) = self.jump
            && !self.pair.run_until(at, done)
        {
            self.pair.move_client_clock(seconds);
        }
        if !self.pair.run_until(FAULTS_END, done) {
            self.pair.end_faults();
        }
        self.pair.run_until(FAULTS_END + PATIENCE, done).then(|| self.pair.now())
    }
}

/// Up to `most` seconds, either way.
fn signed(random: &mut SeededRandom, most: u64) -> i64 {
    random.below(2 * most).cast_signed() - most.cast_signed()
}

/// What became of all runs.
#[derive(Default)]
struct Tally {
    runs: u64,
    /// Done while there were faults.
    under_faults: u64,
    /// Not done in time.
    late: BTreeSet<u64>,
    /// In which a key exchange ended with an error.
    disturbed: u64,
    /// Those errors.
    failures: BTreeMap<String, u64>,
    /// In which an id was taken.
    planted: u64,
    encrypted_frames: u64,
    under_permanent: u64,
    /// The longest time from the end of the faults.
    slowest: Duration,
    transcripts: BTreeSet<[u8; 32]>,
}

impl Tally {
    fn add(&mut self, seed: u64, run: &Run, done: Option<Duration>) {
        self.runs += 1;
        self.encrypted_frames += run.pair.encrypted_frames;
        self.under_permanent += run.pair.frames_under_permanent;
        assert!(self.transcripts.insert(run.pair.transcript()), "run {seed} went like another one");
        match done {
            Some(at) => {
                self.under_faults += u64::from(at < FAULTS_END);
                self.slowest = self.slowest.max(at.saturating_sub(FAULTS_END));
            }
            None => drop(self.late.insert(seed)),
        }
        let failures: Vec<_> = run.pair.events.iter().filter_map(failure).collect();
        self.disturbed += u64::from(!failures.is_empty());
        for failure in failures {
            *self.failures.entry(failure).or_default() += 1;
        }
    }

    fn join(&mut self, other: Self) {
        self.runs += other.runs;
        self.under_faults += other.under_faults;
        self.late.extend(other.late);
        self.disturbed += other.disturbed;
        other.failures.into_iter().for_each(|(name, count)| *self.failures.entry(name).or_default() += count);
        self.planted += other.planted;
        self.encrypted_frames += other.encrypted_frames;
        self.under_permanent += other.under_permanent;
        self.slowest = self.slowest.max(other.slowest);
        self.transcripts.extend(other.transcripts);
    }
}

/// What ended a key exchange.
fn failure((_, event): &(Duration, Event)) -> Option<String> {
    match event {
        Event::HandshakeFailed { error } => Some(error.to_string()),
        _ => None,
    }
}

/// Runs a number, and again with the id of one of its keys taken, if it is its turn.
fn simulate(seed: u64, setting: &Setting, tally: &mut Tally) {
    let mut run = Run::start(seed, setting, None);
    let done = run.finish();
    if !seed.is_multiple_of(ONE_PLANTED_IN) {
        if seed % ONE_PLANTED_IN == 1 {
            assert_goes_the_same_way_again(seed, setting, &run);
        }
        check(seed, &run, done);
        return tally.add(seed, &run, done);
    }
    // Which key it will be is known from having seen it made.
    let made = run.pair.store.inserted();
    let planted = made[usize::from(seed.is_multiple_of(2 * ONE_PLANTED_IN)) % made.len()];
    let mut again = Run::start(seed, setting, Some(planted));
    let done = again.finish();
    check(seed, &again, done);
    check_retry(seed, &again, planted);
    tally.planted += 1;
    tally.add(seed, &again, done);
}

fn assert_goes_the_same_way_again(seed: u64, setting: &Setting, first: &Run) {
    let mut again = Run::start(seed, setting, None);
    again.finish();
    assert_eq!(
        again.pair.transcript(),
        first.pair.transcript(),
        "run {seed} went another way the second time"
    );
}

fn check(seed: u64, run: &Run, done: Option<Duration>) {
    let pair = &run.pair;
    assert_eq!(pair.frames_under_permanent, 0, "run {seed}: frames under a permanent key");
    assert_eq!(pair.client.sent().under_perm, 0, "run {seed}: the client sent under the permanent key");
    if done.is_none() {
        return; // counted, and judged with all the others
    }
    let (temp, perm) = pair.bound().expect("a run that is done is bound");
    assert_eq!(pair.store.bound_to(temp), Some(perm), "run {seed}: the server knows the binding");
    assert!(pair.store.is_permanent(perm) && !pair.store.is_permanent(temp), "run {seed}");
    let body = to_bytes(&api::HelpGetNearestDc {});
    assert_eq!(pair.answers[&run.call].as_ref(), Ok(&body), "run {seed}: the call's answer");
    let lost = pair.events.iter().any(|(_, event)| matches!(event, Event::TempKeyLost { .. }));
    assert!(lost || pair.calls_run == [body], "run {seed}: the call was run once, not {:?}", pair.calls_run);
}

/// The taken id led to `dh_gen_retry` and to another key.
fn check_retry(seed: u64, run: &Run, planted: AuthKeyId) {
    let retry = ServerEvent::Handshake(HandshakeEvent::Retry { id: planted });
    assert!(
        run.pair.server_events.iter().any(|(_, event)| *event == retry),
        "run {seed}: no dh_gen_retry for {planted}"
    );
    assert!(!run.pair.store.inserted().contains(&planted), "run {seed}: a key was kept under {planted}");
    let (temp, perm) = run.pair.bound().unwrap_or_else(|| panic!("run {seed}: not bound"));
    assert!(planted != temp && planted != perm, "run {seed}: {planted} belongs to somebody else");
}

/// Simulates all these numbers, on every processor there is.
fn simulate_all(seeds: core::ops::Range<u64>, exponent_bits: usize) -> Tally {
    let setting = Setting::new(exponent_bits);
    let next = Arc::new(AtomicU64::new(seeds.start));
    let total = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..workers() {
            scope.spawn(|| {
                let mut tally = Tally::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    simulate(seed, &setting, &mut tally);
                }
                total.lock().unwrap().join(tally);
            });
        }
    });
    total.into_inner().unwrap()
}

fn judge(what: &str, runs: u64, tally: &Tally, started: Instant) {
    report(what, tally, started.elapsed());
    assert_eq!(tally.runs, runs);
    assert!(tally.late.is_empty(), "not bound {PATIENCE:?} after the faults stopped: runs {:?}", tally.late);
    let (may_fail, of) = MAY_FAIL;
    assert!(
        tally.disturbed * of <= runs * may_fail,
        "{} of {runs} runs saw a key exchange fail",
        tally.disturbed
    );
    // The numbers begin with one of them.
    assert_eq!(tally.planted, runs.div_ceil(ONE_PLANTED_IN));
    assert_eq!(tally.transcripts.len() as u64, runs, "each run went its own way");
    assert!(tally.under_faults > 0 && tally.under_faults < runs, "the faults hold up some and not all");
}

#[expect(clippy::print_stderr, reason = "the figures are what the simulation is for")]
fn report(what: &str, tally: &Tally, took: Duration) {
    eprintln!(
        "{what}: {} clients bound ({} while there were faults, the slowest {:.1} s after them), {} dh_gen_retry, \
         {} with a failed key exchange, {} encrypted frames, {} under a permanent key; {:.1} s",
        tally.runs - tally.late.len() as u64,
        tally.under_faults,
        tally.slowest.as_secs_f64(),
        tally.planted,
        tally.disturbed,
        tally.encrypted_frames,
        tally.under_permanent,
        took.as_secs_f64(),
    );
    for (name, count) in &tally.failures {
        eprintln!("  {count} x {name}");
    }
}

/// Processor time of this process so far, in all its threads; from Linux's count of hundredths of a second.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?; // the name in front may hold anything
    let ticks: Option<u64> =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks? * 10))
}

/// The time that it takes, or would take if nothing else ran on the machine.
fn undisturbed(started: Instant) -> Duration {
    let threads = u32::try_from(workers()).unwrap_or(1);
    let share = processor_time().map_or(Duration::MAX, |time| time / threads);
    share.min(started.elapsed())
}

fn workers() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Unoptimized, a tenth of the runs has to do.
const SHARE: u64 = if cfg!(debug_assertions) { 10 } else { 1 };
/// All runs together, optimized, on an idle machine of two processors.
const BAR: Duration = Duration::from_secs(60);

// rule: HS-04, HS-25, HS-30, HS-31, HS-38, PF-03, PF-04, PF-06, PF-21
#[test]
fn every_client_is_bound_once_the_faults_stop() {
    let (many, long) = (10_000 / SHARE, 200 / SHARE);
    let started = Instant::now();
    let tally = simulate_all(0..many, 256);
    judge("exponents of 256 bits", many, &tally, started);
    let long_started = Instant::now();
    let tally = simulate_all(1_000_000..1_000_000 + long, 2048);
    judge("exponents of 2048 bits", long, &tally, long_started);
    assert!(cfg!(debug_assertions) || undisturbed(started) < BAR, "slower than {BAR:?}");
}
