//! A client and a server joined in memory: no socket, no disk, no thread, and time that passes only when both wait.
//!
//! Everything follows from one seed: the bytes that each side draws, how the links misbehave, how long jobs take. A digest
//! of all frames with their times says whether two runs were the same. The tap on the links reads the auth_key_id of
//! every frame, so a message under a permanent key is seen, whoever sends it.

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::collections::BTreeMap;

use dayfly_core::client::{self, ClientConfig, ClientEndpoint, LinkId};
use dayfly_core::handshake::server::ServerConfig;
use dayfly_core::job::{JobResult, perform_all};
use dayfly_core::keys::requests::StoreOutcome;
use dayfly_core::server::{self, ConnectionId, EndpointConfig, ServerEndpoint};
use dayfly_core::session::client::RpcFailure;
use dayfly_core::session::server::Answer;
use dayfly_core::transport::{Kind, Obfuscation};
use dayfly_core::{Env, NoObserver, Now};
use dayfly_crypto::{AuthKeyId, digest};

use crate::SeededRandom;
use crate::link::{Arrival, End, Faults, LossyLink};
use crate::store::MemoryStore;

/// Both sides and what is between them.
#[derive(Clone, Debug)]
pub struct PairConfig {
    /// From which everything follows.
    pub seed: u64,
    /// The client; its transport is set to the intermediate one, not obfuscated, which the links can read.
    pub client: ClientConfig,
    /// The server's side of the key exchange.
    pub handshakes: ServerConfig,
    /// The server's side of messages.
    pub endpoint: EndpointConfig,
    /// How the links misbehave at first.
    pub faults: Faults,
    /// The longest time that a job takes.
    pub job_time: Duration,
    /// How often the store cannot be asked while there are faults.
    pub store_fails: f64,
    /// By how many seconds the client's clock is ahead of the server's.
    pub client_ahead: i64,
}

/// A client and a server joined in memory.
pub struct Pair {
    /// The client.
    pub client: ClientEndpoint,
    /// The server.
    pub server: ServerEndpoint,
    /// Where the server keeps its keys.
    pub store: MemoryStore,
    /// What the client said of its keys, and when.
    pub events: Vec<(Duration, client::Event)>,
    /// What the server said, and when.
    pub server_events: Vec<(Duration, server::Event)>,
    /// The answers to the client's calls.
    pub answers: BTreeMap<client::CallId, Result<Vec<u8>, RpcFailure>>,
    /// The bodies of the calls that reached the back end, each as often as it was run.
    pub calls_run: Vec<Vec<u8>>,
    /// Encrypted frames that were written, by either side.
    pub encrypted_frames: u64,
    /// Frames under a permanent key, by either side.
    pub frames_under_permanent: u64,
    faults: Faults,
    store_fails: f64,
    job_time: Duration,
    client_ahead: i64,
    now: Duration,
    client_random: SeededRandom,
    server_random: SeededRandom,
    world: SeededRandom,
    links: BTreeMap<LinkId, LossyLink>,
    /// Results that are on their way.
    results: BTreeMap<(Duration, u64), (End, JobResult)>,
    next_result: u64,
    transcript: [u8; 32],
}

/// The server's clock when time begins.
const SERVER_UNIX: Duration = Duration::from_secs(1_790_000_000);
/// Nothing may happen this often without time passing.
const MOST_AT_ONCE: u32 = 100_000;

impl Pair {
    /// Both sides, not yet started.
    #[must_use]
    pub fn new(config: PairConfig) -> Self {
        let mut seeds = SeededRandom::new(config.seed);
        let transport = Kind::Intermediate;
        let client = ClientConfig { transport, obfuscation: Obfuscation::None.into(), ..config.client };
        Self {
            client: ClientEndpoint::new(client, None),
            server: ServerEndpoint::new(config.endpoint, config.handshakes),
            store: MemoryStore::new(),
            events: Vec::new(),
            server_events: Vec::new(),
            answers: BTreeMap::new(),
            calls_run: Vec::new(),
            encrypted_frames: 0,
            frames_under_permanent: 0,
            faults: config.faults,
            store_fails: config.store_fails,
            job_time: config.job_time,
            client_ahead: config.client_ahead,
            now: Duration::ZERO,
            client_random: seeds.fork(),
            server_random: seeds.fork(),
            world: seeds,
            links: BTreeMap::new(),
            results: BTreeMap::new(),
            next_result: 0,
            transcript: [0; 32],
        }
    }

    /// Starts the client.
    pub fn start(&mut self) {
        self.with_client(ClientEndpoint::start);
    }

    /// Makes a call; the back end answers each with its own body.
    pub fn call(&mut self, body: Vec<u8>) -> client::CallId {
        self.with_client(|client, env| client.call(body, env))
    }

    /// Virtual time since the beginning.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Moves the client's own clock. Monotonic time does not notice.
    pub fn move_client_clock(&mut self, seconds: i64) {
        self.client_ahead += seconds;
    }

    /// From now on nothing goes wrong.
    pub fn end_faults(&mut self) {
        self.faults = Faults::none();
        self.store_fails = 0.0;
        let now = self.now;
        self.links.values_mut().for_each(|link| link.heal(now));
    }

    /// Digest of every frame that was written, with its connection, its direction and its time.
    #[must_use]
    pub fn transcript(&self) -> [u8; 32] {
        self.transcript
    }

    /// The temporary key that calls go under, and the permanent one that it is bound to, as the client was told last.
    #[must_use]
    pub fn bound(&self) -> Option<(AuthKeyId, AuthKeyId)> {
        self.events.iter().rev().find_map(|(_, event)| match event {
            client::Event::Bound { temp, perm, .. } => Some((*temp, *perm)),
            _ => None,
        })
    }

    /// Lets time pass until `done`, or until `deadline`; whether it was `done`.
    ///
    /// # Panics
    /// If the machines keep each other busy without time passing.
    pub fn run_until(&mut self, deadline: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let mut at_once = 0;
        while !done(self) {
            let Some(next) = self.next_moment().filter(|next| *next <= deadline) else {
                self.now = self.now.max(deadline);
                return false;
            };
            at_once = if next > self.now { 0 } else { at_once + 1 };
            assert!(at_once < MOST_AT_ONCE, "time stands still at {:?}", self.now);
            self.now = self.now.max(next);
            self.step();
        }
        true
    }

    fn next_moment(&self) -> Option<Duration> {
        let machines = [self.client.poll_timeout(), self.server.poll_timeout()].into_iter().flatten();
        let links = self.links.values().filter_map(LossyLink::poll_timeout);
        let results = self.results.keys().next().map(|(at, _)| *at);
        machines.chain(links).chain(results).min()
    }

    /// Everything that is due now.
    fn step(&mut self) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            while let Some((end, arrival)) = self.arrival(link) {
                self.arrive(link, end, arrival);
            }
        }
        self.links.retain(|_, link| !link.is_over());
        while let Some(entry) = self.results.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                (End::Client, result) => self.with_client(|client, env| client.handle_job(result, env)),
                (End::Server, result) => self.with_server(|server, env| server.handle_job(result, env)),
            }
        }
        if self.client.poll_timeout().is_some_and(|at| at <= self.now) {
            self.with_client(ClientEndpoint::handle_timeout);
        }
        if self.server.poll_timeout().is_some_and(|at| at <= self.now) {
            self.with_server(ServerEndpoint::handle_timeout);
        }
    }

    fn arrival(&mut self, link: LinkId) -> Option<(End, Arrival)> {
        self.links.get_mut(&link)?.poll(self.now, &self.faults)
    }

    fn arrive(&mut self, link: LinkId, end: End, arrival: Arrival) {
        let connection = ConnectionId(link.0);
        let now = self.server_now();
        match (end, arrival) {
            (End::Client, Arrival::Connected) => {
                self.with_client(|client, env| client.handle_connected(link, env))
            }
            (End::Client, Arrival::Bytes(bytes)) => {
                self.with_client(|client, env| client.handle_bytes(link, &bytes, env));
            }
            (End::Client, Arrival::Closed) => self.with_client(|client, env| client.handle_closed(link, env)),
            (End::Server, Arrival::Connected) => {
                let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
                self.with_server(|server, _| server.handle_connected(connection, peer, now));
            }
            (End::Server, Arrival::Bytes(bytes)) => {
                self.with_server(|server, env| server.handle_bytes(connection, &bytes, env));
            }
            (End::Server, Arrival::Closed) => {
                self.with_server(|server, _| server.handle_closed(connection, now))
            }
        }
    }

    fn client_now(&self) -> Now {
        let server = self.server_now();
        let ahead = Duration::from_secs(self.client_ahead.unsigned_abs());
        let unix = if self.client_ahead < 0 { server.unix - ahead } else { server.unix + ahead };
        Now { unix, ..server }
    }

    fn server_now(&self) -> Now {
        Now { monotonic: self.now, unix: SERVER_UNIX + self.now }
    }

    /// Does something with the client, and what it asks for thereupon.
    fn with_client<R>(&mut self, work: impl FnOnce(&mut ClientEndpoint, &mut Env<'_>) -> R) -> R {
        let mut observer = NoObserver;
        let mut env = Env::new(self.client_now(), &mut self.client_random, &mut observer);
        let result = work(&mut self.client, &mut env);
        self.take_from_client();
        result
    }

    fn with_server(&mut self, work: impl FnOnce(&mut ServerEndpoint, &mut Env<'_>)) {
        let mut observer = NoObserver;
        let mut env = Env::new(self.server_now(), &mut self.server_random, &mut observer);
        work(&mut self.server, &mut env);
        self.take_from_server();
    }

    fn take_from_client(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                client::Output::Connect { link } => {
                    let opened = LossyLink::open(self.now, &self.faults, self.world.fork());
                    self.links.insert(link, opened);
                }
                client::Output::Send { link, bytes } => self.send(link, End::Client, &bytes),
                client::Output::Close { link } => self.close(link, End::Client),
                client::Output::Answer { call, result } => {
                    self.answers.insert(call, result);
                }
                client::Output::Update(_) => {}
                client::Output::Event(event) => self.events.push((self.now, event)),
            }
        }
        let jobs = core::iter::from_fn(|| self.client.poll_job()).collect();
        self.promise(End::Client, perform_all(jobs));
    }

    /// The store and the back end answer at once, which may lead to more.
    fn take_from_server(&mut self) {
        self.take_server_outputs();
        while let Some((ticket, request)) = self.server.poll_store() {
            let failed = self.world.happens(self.store_fails);
            let outcome = if failed { StoreOutcome::Unavailable } else { self.store.answer(request) };
            self.with_server(|server, env| server.handle_store(ticket, outcome, env));
        }
        while let Some(call) = self.server.poll_call() {
            let answer = Answer::Result(call.body.clone());
            self.calls_run.push(call.body);
            self.with_server(|server, env| server.handle_answer(call.id, answer, env));
        }
    }

    fn take_server_outputs(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                server::Output::Send { connection, bytes } => {
                    self.send(LinkId(connection.0), End::Server, &bytes);
                }
                server::Output::Respond { .. } => unreachable!("a pair has streams alone"),
                server::Output::Close { connection } => self.close(LinkId(connection.0), End::Server),
            }
        }
        while let Some(event) = self.server.poll_event() {
            self.server_events.push((self.now, event));
        }
        let jobs = core::iter::from_fn(|| self.server.poll_job()).collect();
        self.promise(End::Server, perform_all(jobs));
    }

    /// Results are there at once, and arrive after as long as jobs take.
    fn promise(&mut self, end: End, results: Vec<JobResult>) {
        for result in results {
            let most = u64::try_from(self.job_time.as_micros()).unwrap_or(u64::MAX);
            let at = self.now + Duration::from_micros(self.world.below(most.max(1)));
            self.next_result += 1;
            self.results.insert((at, self.next_result), (end, result));
        }
    }

    fn send(&mut self, link: LinkId, from: End, bytes: &[u8]) {
        self.tap(link, from, bytes);
        if let Some(open) = self.links.get_mut(&link) {
            open.send(from, bytes, self.now, &self.faults);
        }
    }

    fn close(&mut self, link: LinkId, end: End) {
        if let Some(open) = self.links.get_mut(&link) {
            open.close(end, self.now, &self.faults);
        }
    }

    /// Notes what is written: endpoints write whole frames.
    fn tap(&mut self, link: LinkId, from: End, bytes: &[u8]) {
        let time = self.now.as_nanos().to_le_bytes();
        let side = [u8::from(from == End::Server)];
        self.transcript = digest::sha256(&[&self.transcript, &time, &link.0.to_le_bytes(), &side, bytes]);
        let mut rest = if bytes.starts_with(&[0xee; 4]) { &bytes[4..] } else { bytes };
        while let Some((length, after)) = rest.split_first_chunk() {
            let length = u32::from_le_bytes(*length) as usize;
            assert!(length >> 31 == 0, "nobody asks for a quick acknowledgement");
            let (payload, following) = after.split_at_checked(length).expect("endpoints write whole frames");
            self.note_frame(payload);
            rest = following;
        }
    }

    fn note_frame(&mut self, payload: &[u8]) {
        let Some(id) = payload.first_chunk().map(|id| AuthKeyId::from_wire(*id)) else {
            return; // a transport error
        };
        self.encrypted_frames += u64::from(id != AuthKeyId(0));
        self.frames_under_permanent += u64::from(self.store.is_permanent(id));
    }
}
