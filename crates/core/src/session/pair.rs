//! A client's and a server's session over a link that loses, repeats, reorders and cuts, with clocks that
//! disagree.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dayfly_crypto::kdf::Side;
use dayfly_crypto::{AuthKey, SecureRandom as _};

use super::client::{CallId, ClientEvent, ClientOptions};
use super::envelope::{open, seal};
use super::salt::KeySalts;
use super::server::Answer;
use super::server::Reception;
use super::testing::{Counting, START};
use super::{ClientSession, Limits, MsgId, ServerSession, SessionId};
use crate::keys::kind::{TrafficKey, UnboundTempKey};
use crate::{Env, NoObserver, Now};

/// How bad the link is, in hundredths, and how far the client's clock is off, in seconds.
#[derive(Clone, Copy, Debug)]
struct Faults {
    lose: u32,
    repeat: u32,
    late: u32,
    cut: u32,
    skew: i64,
}

const QUIET: Faults = Faults { lose: 0, repeat: 0, late: 0, cut: 0, skew: 0 };
const SESSION: SessionId = SessionId(-5);

struct World {
    client: ClientSession,
    server: ServerSession,
    salts: KeySalts,
    key: TrafficKey,
    random: Counting,
    faults: Faults,
    now: Duration,
    /// When each packet arrives, to whom.
    link: BTreeMap<(Duration, u64), (Side, Vec<u8>)>,
    packets: u64,
    /// How often each call was run, by what it says.
    runs: BTreeMap<Vec<u8>, u32>,
    /// Calls that are being run, and when they are done.
    running: BTreeMap<(Duration, MsgId), Vec<u8>>,
    answers: BTreeMap<CallId, Vec<u8>>,
    called: BTreeMap<CallId, Vec<u8>>,
}

impl World {
    fn new(seed: u64, faults: Faults) -> Self {
        let mut random = Counting::default();
        for _ in 0..seed {
            random.fill_public(&mut [0; 3]).unwrap();
        }
        let client_now = Now { monotonic: Duration::ZERO, unix: Duration::from_secs(START) };
        let mut observer = NoObserver;
        let env = Env::new(client_now, &mut random, &mut observer);
        let client = ClientSession::new(SESSION, 1, faults.skew, ClientOptions::default(), &env);
        let key = AuthKey::copy_of(&core::array::from_fn(|at| at as u8));
        Self {
            client,
            server: ServerSession::new(SESSION, Arc::new(Limits::default())),
            salts: KeySalts::new(2, START),
            key: TrafficKey::from(&UnboundTempKey::new(Arc::new(key), u64::MAX)),
            random,
            faults,
            now: Duration::ZERO,
            link: BTreeMap::new(),
            packets: 0,
            runs: BTreeMap::new(),
            running: BTreeMap::new(),
            answers: BTreeMap::new(),
            called: BTreeMap::new(),
        }
    }

    fn happens(&mut self, hundredths: u32) -> bool {
        u32::from(self.byte()) * 100 < hundredths * 256
    }

    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.random.fill_public(&mut byte).unwrap();
        byte[0]
    }

    fn now(&self) -> Now {
        Now { monotonic: self.now, unix: Duration::from_secs(START) + self.now }
    }

    /// Puts a packet on the link, which does with it what it likes.
    fn post(&mut self, sender: Side, plaintext: &[u8]) {
        let packet = seal(&self.key, sender, plaintext, &mut self.random).unwrap();
        let copies =
            if self.happens(self.faults.lose) { 0 } else { 1 + u32::from(self.happens(self.faults.repeat)) };
        for _ in 0..copies {
            let slow = if self.happens(self.faults.late) { 20 * u64::from(self.byte()) } else { 0 };
            self.packets += 1;
            let arrives = self.now + Duration::from_millis(20 + slow);
            self.link.insert((arrives, self.packets), (sender, packet.clone()));
        }
    }

    fn arrive(&mut self, sender: Side, mut packet: Vec<u8>) {
        let opened = open(&self.key, sender, &mut packet).unwrap();
        let (now, mut observer) = (self.now(), NoObserver);
        let mut env = Env::new(now, &mut self.random, &mut observer);
        match sender {
            Side::Client => {
                let reception = self.server.handle_message(&opened, &mut self.salts, &mut env).unwrap();
                if let Reception::Refused { notice } = reception {
                    self.post(Side::Server, &notice);
                }
            }
            Side::Server => self.client.handle_message(&opened, &mut env).unwrap(),
        }
    }

    /// The server runs what came in: each call takes 100 ms, and its answer is what it said.
    fn serve(&mut self) {
        while let Some(call) = self.server.poll_call() {
            *self.runs.entry(call.body.clone()).or_default() += 1;
            self.running.insert((self.now + Duration::from_millis(100), call.msg_id), call.body);
        }
        while let Some(entry) = self.running.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let ((_, msg_id), body) = entry.remove_entry();
            let (now, mut observer) = (self.now(), NoObserver);
            let mut env = Env::new(now, &mut self.random, &mut observer);
            self.server.answer(msg_id, Answer::Result(body), &mut env).unwrap();
        }
    }

    fn step(&mut self) {
        self.now += Duration::from_millis(10);
        while let Some(entry) = self.link.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (sender, packet) = entry.remove();
            self.arrive(sender, packet);
        }
        self.serve();
        if self.happens(self.faults.cut) {
            self.link.clear();
            self.reconnect();
        }
        self.timeouts();
        self.transmit();
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Answer { call, result } => {
                    assert!(
                        self.answers.insert(call, result.unwrap()).is_none(),
                        "{call:?} is answered twice"
                    );
                }
                ClientEvent::Silent => self.reconnect(),
                _ => {}
            }
        }
    }

    fn reconnect(&mut self) {
        let (now, mut observer) = (self.now(), NoObserver);
        self.client.handle_reconnected(&Env::new(now, &mut self.random, &mut observer));
        self.server.handle_new_connection();
    }

    fn timeouts(&mut self) {
        let (now, mut observer) = (self.now(), NoObserver);
        let env = Env::new(now, &mut self.random, &mut observer);
        if self.client.poll_timeout().is_some_and(|due| due <= self.now) {
            self.client.handle_timeout(&env);
        }
        if self.server.poll_timeout().is_some_and(|due| due <= self.now) {
            self.server.handle_timeout(now);
        }
    }

    fn transmit(&mut self) {
        let (now, mut observer) = (self.now(), NoObserver);
        let client = |world: &mut Self, observer: &mut NoObserver| {
            world.client.poll_transmit(&mut Env::new(now, &mut world.random, observer))
        };
        while let Some(plaintext) = client(self, &mut observer) {
            self.post(Side::Client, &plaintext);
        }
        let server = |world: &mut Self, observer: &mut NoObserver| {
            world.server.poll_transmit(&mut world.salts, &mut Env::new(now, &mut world.random, observer))
        };
        while let Some(plaintext) = server(self, &mut observer) {
            self.post(Side::Server, &plaintext);
        }
    }

    /// Makes calls for a while, lets the faults stop, and waits for the answers.
    fn play(&mut self, calls: u32) {
        for number in 0..calls {
            let body = [0xc0, 0xff, 0xee, 1].into_iter().chain(number.to_le_bytes()).collect::<Vec<_>>();
            self.called.insert(self.client.call(body.clone()), body);
            for _ in 0..self.byte() / 4 {
                self.step();
            }
        }
        self.faults = QUIET;
        let patience = self.now + Duration::from_secs(150);
        while self.client.in_flight() > 0 && self.now < patience {
            self.step();
        }
    }

    fn check(&self, seed: u64) {
        assert_eq!(self.answers, self.called, "seed {seed}");
        let run: BTreeSet<_> = self.runs.iter().filter(|(_, times)| **times != 1).collect();
        assert!(run.is_empty(), "seed {seed}: run more than once: {run:?}");
        assert_eq!(self.runs.len(), self.called.len(), "seed {seed}");
    }
}

fn all_is_answered_once(seeds: core::ops::Range<u64>, faults: Faults) {
    for seed in seeds {
        let mut world = World::new(seed, faults);
        world.play(20);
        world.check(seed);
    }
}

// rule: MS-09, MS-14, MS-18
#[test]
fn over_a_good_link_calls_are_answered_though_the_salt_is_wrong_at_first() {
    all_is_answered_once(0..3, QUIET);
}

// rule: MS-03, MS-13, MS-15
#[test]
fn loss_costs_time_and_no_call() {
    all_is_answered_once(0..20, Faults { lose: 30, ..QUIET });
}

// rule: MS-02, MS-03
#[test]
fn repeats_are_run_once() {
    all_is_answered_once(0..20, Faults { repeat: 50, late: 30, ..QUIET });
}

// rule: MS-03, MS-13
#[test]
fn cut_connections_lose_nothing() {
    all_is_answered_once(0..20, Faults { cut: 5, late: 20, ..QUIET });
}

// rule: MS-02, MS-18, MS-20
#[test]
fn a_wrong_clock_is_set_and_nothing_is_run_twice() {
    for skew in [-100_000, -400, 40, 100_000] {
        all_is_answered_once(0..5, Faults { skew, ..QUIET });
        all_is_answered_once(0..5, Faults { skew, lose: 20, repeat: 20, late: 20, cut: 1 });
    }
}

// rule: MS-03
#[test]
fn everything_at_once_from_many_seeds() {
    all_is_answered_once(100..160, Faults { lose: 25, repeat: 25, late: 25, cut: 2, skew: 3 });
}

#[test]
fn the_same_seed_makes_the_same_run() {
    let transcript = |seed| {
        let mut world = World::new(seed, Faults { lose: 25, repeat: 25, late: 25, cut: 2, skew: 500 });
        world.play(10);
        (world.packets, world.now, world.byte())
    };
    assert_eq!(transcript(7), transcript(7));
}
