//! The task that owns everything of a lab: one thing after the other, so that a seed decides what is sent.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dayfly_core::Now;
use dayfly_core::env::Env;
use dayfly_core::handshake::server::{KeyRing, ServerConfig, ServerKey};
use dayfly_core::job::perform_all;
use dayfly_core::keys::requests::{Lifetime, StoreOutcome, StoreRequest};
use dayfly_core::server::{ConnectionId, EndpointConfig, Output, ServerEndpoint};
use dayfly_core::transport::Frame;
use dayfly_crypto::AuthKeyId;
use dayfly_crypto::dh::{GroupCache, SafePrimeGroup};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::answers::Answers;
use super::backend::{self, BackEnd};
use super::clock::LabClock;
use super::connection::{Arrived, Connection};
use super::event::{LabEvent, What};
use super::fault::Fault;
use super::handle::{Command, LabConfig};
use super::meddle::Meddler;
use super::random::LabRandom;
use super::store::LabStore;
use super::watch::Watch;
use crate::dice::Dice;

/// However far off the next deadline, it is looked for this often: the clock may be set.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(1);

/// Everything of a lab.
pub(super) struct Engine {
    pub(super) endpoint: ServerEndpoint,
    pub(super) config: EndpointConfig,
    pub(super) handshakes: ServerConfig,
    pub(super) groups: GroupCache,
    pub(super) answers: Answers,
    pub(super) backend: Option<BackEnd>,
    pub(super) clock: LabClock,
    pub(super) random: LabRandom,
    watch: Watch,
    pub(super) store: LabStore,
    pub(super) meddler: Meddler,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) accepted: u64,
    pub(super) to_me: mpsc::Sender<Arrived>,
    /// Payloads that are to go out later.
    late: Vec<(Instant, u64, Vec<u8>, Fault)>,
    events: mpsc::UnboundedSender<LabEvent>,
    told: u64,
}

impl Engine {
    pub(super) fn new(
        config: &LabConfig,
        address: SocketAddr,
        events: mpsc::UnboundedSender<LabEvent>,
        to_me: mpsc::Sender<Arrived>,
    ) -> io::Result<Self> {
        let key = ServerKey { key: Arc::clone(&config.key), old_rsa: true };
        let ring = Arc::new(KeyRing::new(vec![key]).map_err(io::Error::other)?);
        let mut handshakes = ServerConfig::new(ring, SafePrimeGroup::published());
        handshakes.max_retries = u32::MAX;
        handshakes.limits.private_operations_per_minute = None;
        let endpoint = EndpointConfig {
            allow_no_pfs: config.allow_no_pfs,
            tmp_sessions: config.tmp_sessions,
            ..EndpointConfig::default()
        };
        let answers = config.answers(address);
        let backend = config.backend.as_ref().map(|settings| BackEnd::start(settings, answers.own));
        let backend = backend.transpose().map_err(io::Error::other)?;
        Ok(Self {
            endpoint: ServerEndpoint::new(endpoint.clone(), handshakes.clone()),
            config: endpoint,
            handshakes,
            groups: GroupCache::new(),
            backend,
            answers,
            clock: config.clock.clone(),
            random: LabRandom::new(Dice::new(config.seed, "server")),
            watch: Watch::default(),
            store: LabStore::default(),
            meddler: Meddler::new(config.rules.clone(), config.manners, config.seed),
            connections: BTreeMap::new(),
            accepted: 0,
            to_me,
            late: Vec::new(),
            events,
            told: 0,
        })
    }

    /// Runs until the owner is gone.
    pub(super) async fn run(
        mut self,
        mut arrived: mpsc::Receiver<Arrived>,
        mut commands: mpsc::Receiver<Command>,
    ) {
        loop {
            let due = self.next_due();
            tokio::select! {
                Some(arrived) = arrived.recv() => self.on_arrived(arrived),
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => return,
                },
                heard = backend::hear(&mut self.backend) => self.on_heard(heard),
                () = sleep_until(due) => {}
            }
            self.on_due();
        }
    }

    fn next_due(&self) -> Instant {
        let now = self.clock.now().monotonic;
        let wait = self.endpoint.poll_timeout().map_or(LOOK_AT_CLOCK, |at| at.saturating_sub(now));
        let due = Instant::now() + wait.min(LOOK_AT_CLOCK);
        self.late.iter().map(|(at, ..)| *at).fold(due, Instant::min)
    }

    fn on_command(&mut self, command: Command) {
        // Whoever asked may have stopped waiting.
        match command {
            Command::Rules(rules, done) => {
                self.meddler.set_rules(rules);
                let _ = done.send(());
            }
            Command::Answers(canned, done) => {
                self.answers.canned = canned;
                let _ = done.send(());
            }
            Command::Advance(by, done) => {
                self.clock.advance(by);
                self.tell(None, What::ClockSet);
                self.on_due();
                let _ = done.send(());
            }
            Command::SetClock(unix, done) => {
                self.clock.set(unix);
                self.tell(None, What::ClockSet);
                self.on_due();
                let _ = done.send(());
            }
            Command::EndKeys(done) => {
                let ended = self.store.temporary();
                self.end_keys(&ended);
                let _ = done.send(ended);
            }
        }
    }

    fn on_due(&mut self) {
        let now = Instant::now();
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(at, ..)| *at <= now);
        self.late = late;
        for (_, connection, payload, fault) in Vec::from_iter::<Vec<_>>(due) {
            self.send(connection, &payload, Some((fault, Vec::new())));
        }
        let expired = self.store.expire(self.clock.now().unix_seconds());
        if !expired.is_empty() {
            self.end_keys(&expired);
        }
        if self.endpoint.poll_timeout().is_some_and(|at| at <= self.clock.now().monotonic) {
            self.with_endpoint(None, |endpoint, env| endpoint.handle_timeout(env));
        }
    }

    pub(super) fn end_keys(&mut self, keys: &[AuthKeyId]) {
        self.store.end(keys);
        self.with_endpoint(None, |endpoint, env| endpoint.handle_ended(keys, env));
    }

    /// Gives the server something, then does everything that comes of it.
    pub(super) fn with_endpoint(
        &mut self,
        connection: Option<u64>,
        act: impl FnOnce(&mut ServerEndpoint, &mut Env<'_, Watch>),
    ) {
        act(&mut self.endpoint, &mut Env::new(self.clock.now(), &mut self.random, &mut self.watch));
        self.told_by_watch(connection);
        while self.step(connection) {}
    }

    /// Takes everything that the server wants done once; whether there was anything.
    fn step(&mut self, connection: Option<u64>) -> bool {
        let now = self.clock.now();
        let mut busy = false;
        while let Some(event) = self.endpoint.poll_event() {
            self.tell(connection, What::Server(event));
        }
        let jobs: Vec<_> = std::iter::from_fn(|| self.endpoint.poll_job()).collect();
        for result in perform_all(jobs) {
            busy = true;
            self.feed(connection, now, |endpoint, env| endpoint.handle_job(result, env));
        }
        while let Some((ticket, request)) = self.endpoint.poll_store() {
            busy = true;
            let outcome = self.stored(request);
            self.feed(connection, now, |endpoint, env| endpoint.handle_store(ticket, outcome, env));
        }
        while let Some(call) = self.endpoint.poll_call() {
            busy = true;
            self.on_call(connection, call, now);
        }
        while let Some((id, revoked)) = self.endpoint.poll_revoked() {
            self.on_revoked(id, revoked);
        }
        while let Some(output) = self.endpoint.poll_output() {
            busy = true;
            self.on_output(output);
        }
        busy
    }

    pub(super) fn feed(
        &mut self,
        connection: Option<u64>,
        now: Now,
        act: impl FnOnce(&mut ServerEndpoint, &mut Env<'_, Watch>),
    ) {
        act(&mut self.endpoint, &mut Env::new(now, &mut self.random, &mut self.watch));
        self.told_by_watch(connection);
    }

    fn told_by_watch(&mut self, connection: Option<u64>) {
        for what in std::mem::take(&mut self.watch.seen) {
            if let What::Value { name, bytes } = &what {
                self.meddler.on_value(name, bytes);
            }
            self.tell(connection, what);
        }
    }

    /// The store, and the faults that act through it.
    fn stored(&mut self, request: StoreRequest) -> StoreOutcome {
        let StoreRequest::Insert(mut record) = request else { return self.store.answer(request) };
        let plans = |fault| self.meddler.plans(fault);
        let permanent = record.lifetime == Lifetime::Permanent;
        let another = permanent && record.key.expose().first() != Some(&0);
        if plans(Fault::DhGenFail) || plans(Fault::DhGenFailHash) {
            return StoreOutcome::Refused;
        }
        let retries = [Fault::DhGenRetry, Fault::DhGenRetryHash, Fault::DhGenRetryOkHash];
        if retries.into_iter().any(plans) || (plans(Fault::ZeroKey) && another) {
            return StoreOutcome::Taken;
        }
        if plans(Fault::Salt) {
            record.first_salt = record.first_salt.wrapping_add(1);
        }
        self.store.answer(StoreRequest::Insert(record))
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::Send { connection, bytes } => {
                let Some(open) = self.connections.get_mut(&connection.0) else { return };
                open.receive_from_server(&bytes);
                self.pump(connection.0);
            }
            Output::Close { connection } => self.close(connection.0, "the lab's server ended it"),
            // HTTP is not spoken here.
            Output::Respond { .. } => {}
        }
    }

    /// What the server sent, on its way to the client.
    fn pump(&mut self, number: u64) {
        loop {
            let Some(connection) = self.connections.get_mut(&number) else { return };
            match connection.next_of_server() {
                Ok(Some(Frame::Payload { bytes, .. })) => {
                    for act in self.meddler.outgoing(number, bytes, &self.store) {
                        self.on_act(number, act);
                    }
                }
                Ok(Some(Frame::Error(code))) => self.send_error(number, code, None),
                Ok(Some(Frame::QuickAck(token))) => self.send_quick_ack(number, token),
                Ok(Some(Frame::Nop)) => {}
                Ok(None) => return,
                Err(error) => return self.close(number, &error.to_string()),
            }
        }
    }

    pub(super) fn late(&mut self, after: Duration, connection: u64, payload: Vec<u8>, fault: Fault) {
        self.late.push((Instant::now() + after, connection, payload, fault));
    }

    pub(super) fn forget(&mut self, connection: u64) {
        let now = self.clock.now();
        self.endpoint.handle_closed(ConnectionId(connection), now);
    }

    /// Tells what happened; nobody may be listening.
    pub(super) fn tell(&mut self, connection: Option<u64>, what: What) {
        self.told += 1;
        let (at, since_start) = (self.clock.now().unix, self.clock.running());
        let _ = self.events.send(LabEvent { number: self.told, at, since_start, connection, what });
    }
}
