//! The shipped [`ServerEndpoint`] where nothing but a recording moves it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use dayfly_core::handshake::server::{KeyRing, ServerConfig, ServerKey};
use dayfly_core::job::{Job, perform_all};
use dayfly_core::keys::requests::{StoreOutcome, StoreRequest};
use dayfly_core::server::{ConnectionId, EndpointConfig, Event, Output, ServerEndpoint, UpstreamCall};
use dayfly_core::{Env, Now, Observer};
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::{AuthKey, AuthKeyId};

use super::back_end::BackEnd;
use super::{Act, Setup, Step};
use crate::random::SortedRandom;
use crate::store::MemoryStore;
use crate::test_key;

/// Every derived value that the server showed, by name, in order.
#[derive(Default)]
struct Values(Vec<(&'static str, Vec<u8>)>);

impl Observer for Values {
    fn value(&mut self, name: &'static str, bytes: &[u8]) {
        self.0.push((name, bytes.to_vec()));
    }
}

/// A server, its store, its back end, its clock and its randomness. Jobs are done, the store and the back end answer, all
/// before a call returns; each timer is served at its very time. So the same steps get the same answers.
pub struct Stage {
    /// The server.
    pub server: ServerEndpoint,
    /// Everything that happened.
    pub events: Vec<Event>,
    /// Every call that reached the back end.
    pub calls: Vec<UpstreamCall>,
    /// Every key that was to be kept, by its id.
    pub keys: BTreeMap<AuthKeyId, Arc<AuthKey>>,
    /// Both places where keys are kept.
    pub store: MemoryStore,
    /// Keys that the store cannot be asked for.
    pub silent_about: BTreeSet<AuthKeyId>,
    /// Whether calls wait for [`answer_held`](Self::answer_held).
    pub hold_calls: bool,
    held: VecDeque<UpstreamCall>,
    taken: u32,
    unconfirmed: u32,
    back_end: BackEnd,
    start: Duration,
    now: Now,
    random: SortedRandom,
    values: Values,
}

impl Stage {
    /// The server of a recording.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        Self::with(setup, |_, _| {})
    }

    /// The server of a recording, changed.
    ///
    /// # Panics
    /// If the test key is damaged.
    #[must_use]
    pub fn with(setup: &Setup, change: impl FnOnce(&mut EndpointConfig, &mut ServerConfig)) -> Self {
        let defaults = EndpointConfig::default();
        let mut config = EndpointConfig {
            allow_no_pfs: setup.no_pfs,
            tmp_sessions: setup.tmp_sessions.max(defaults.tmp_sessions),
            ..defaults
        };
        let key = ServerKey { key: test_key(), old_rsa: setup.old_rsa };
        let ring = KeyRing::new(vec![key]).unwrap_or_else(|error| panic!("{error}"));
        let mut handshakes = ServerConfig::new(Arc::new(ring), SafePrimeGroup::published());
        change(&mut config, &mut handshakes);
        let start = Duration::from_millis(setup.unix_ms);
        Self {
            server: ServerEndpoint::new(config, handshakes),
            events: Vec::new(),
            calls: Vec::new(),
            keys: BTreeMap::new(),
            store: MemoryStore::new(),
            silent_about: BTreeSet::new(),
            hold_calls: false,
            held: VecDeque::new(),
            taken: setup.taken,
            unconfirmed: setup.unconfirmed,
            back_end: BackEnd::new(setup),
            start,
            now: Now { monotonic: Duration::ZERO, unix: start },
            random: SortedRandom::new(setup.seed),
            values: Values::default(),
        }
    }

    /// The time on the stage.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Every value of this name that the server derived, in order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.values.0.iter().filter(move |(of, _)| *of == name).map(|(_, bytes)| bytes.as_slice())
    }

    /// Lets time pass until this long after the start, and the server do what is due, each thing at its time.
    pub fn pass_until(&mut self, at: Duration) {
        while let Some(due) = self.server.poll_timeout().filter(|due| *due <= at) {
            self.set_time(due.max(self.now.monotonic));
            let mut env = Env::new(self.now, &mut self.random, &mut self.values);
            self.server.handle_timeout(&mut env);
            self.settle();
        }
        self.set_time(at.max(self.now.monotonic));
    }

    /// The same, counted from now.
    pub fn pass(&mut self, time: Duration) {
        self.pass_until(self.now.monotonic.saturating_add(time));
    }

    fn set_time(&mut self, at: Duration) {
        self.now = Now { monotonic: at, unix: self.start.saturating_add(at) };
    }

    /// Plays one step, at its time.
    pub fn play(&mut self, step: &Step) {
        self.pass_until(step.time());
        let connection = ConnectionId(step.on);
        match step.act {
            Act::Connects => self.connect(connection),
            Act::Sends => self.send(connection, &step.bytes),
            Act::Posts => self.post(connection, step.bytes.to_vec()),
            Act::Closes => self.close(connection),
        }
    }

    /// Somebody connects now, from the loopback address.
    pub fn connect(&mut self, connection: ConnectionId) {
        self.server.handle_connected(connection, IpAddr::V4(Ipv4Addr::LOCALHOST), self.now);
        self.settle();
    }

    /// Bytes come now.
    pub fn send(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let mut env = Env::new(self.now, &mut self.random, &mut self.values);
        self.server.handle_bytes(connection, bytes, &mut env);
        self.settle();
    }

    /// The body of a request comes now.
    pub fn post(&mut self, connection: ConnectionId, body: Vec<u8>) {
        let mut env = Env::new(self.now, &mut self.random, &mut self.values);
        self.server.handle_request(connection, body, &mut env);
        self.settle();
    }

    /// A connection is gone.
    pub fn close(&mut self, connection: ConnectionId) {
        self.server.handle_closed(connection, self.now);
        self.settle();
    }

    /// What the server wants written or closed.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.server.poll_output()
    }

    /// The back end answers now what it held.
    pub fn answer_held(&mut self) {
        while let Some(call) = self.held.pop_front() {
            self.answer(&call);
        }
        self.settle();
    }

    fn answer(&mut self, call: &UpstreamCall) {
        let answer = self.back_end.answer(call, self.now);
        let mut env = Env::new(self.now, &mut self.random, &mut self.values);
        self.server.handle_answer(call.id, answer, &mut env);
    }

    /// Does all work that was given out, until nothing is left.
    fn settle(&mut self) {
        loop {
            let jobs: Vec<Job> = core::iter::from_fn(|| self.server.poll_job()).collect();
            let idle = jobs.is_empty();
            for result in perform_all(jobs) {
                let mut env = Env::new(self.now, &mut self.random, &mut self.values);
                self.server.handle_job(result, &mut env);
            }
            let asked = self.ask_store();
            let called = self.pass_calls();
            if idle && !asked && !called {
                break;
            }
        }
        self.events.extend(core::iter::from_fn(|| self.server.poll_event()));
    }

    fn ask_store(&mut self) -> bool {
        let mut any = false;
        while let Some((ticket, request)) = self.server.poll_store() {
            any = true;
            let outcome = self.store_says(request);
            let mut env = Env::new(self.now, &mut self.random, &mut self.values);
            self.server.handle_store(ticket, outcome, &mut env);
        }
        any
    }

    fn store_says(&mut self, request: StoreRequest) -> StoreOutcome {
        match &request {
            StoreRequest::Find(id) if self.silent_about.contains(id) => return StoreOutcome::Unavailable,
            StoreRequest::Insert(record) => {
                self.keys.insert(record.id, Arc::clone(&record.key));
                if let Some(left) = self.taken.checked_sub(1) {
                    self.taken = left;
                    return StoreOutcome::Taken;
                }
            }
            StoreRequest::Bind(_) if self.unconfirmed > 0 => {
                self.unconfirmed -= 1;
                self.store.answer(request);
                return StoreOutcome::Unavailable;
            }
            _ => {}
        }
        self.store.answer(request)
    }

    fn pass_calls(&mut self) -> bool {
        let mut any = false;
        while let Some(call) = self.server.poll_call() {
            any = true;
            self.calls.push(call.clone());
            if self.hold_calls {
                self.held.push_back(call);
            } else {
                self.answer(&call);
            }
        }
        any
    }
}
