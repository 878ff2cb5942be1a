//! The task that owns the endpoint: everything that happens to the server goes through it, one thing after another.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dayfly_core::env::{Clock, Env, Now, SecureRandom};
use dayfly_core::job::JobResult;
use dayfly_core::keys::requests::{StoreOutcome, Ticket};
use dayfly_core::observer::Observer;
use dayfly_core::server::{CallId, ConnectionId, Output, RevokeId, Revoked, ServerEndpoint};
use dayfly_core::session::server::Answer;
use dayfly_crypto::AuthKeyId;
use dayfly_store::{KeyStore, Keys, TempKeys};
use tokio::sync::{mpsc, oneshot};
use tokio::time;

use crate::advice::Advice;
use crate::event_log::EventLog;
use crate::metrics::Metrics;
use crate::queue::Outgoing;
use crate::settings::Settings;
use crate::survey::{Question, Refusals};
use crate::upstream::{EdgeRequest, Reply, Upstream};
use crate::workers::Workers;

/// However far off the next deadline, the clocks are looked at this often: a clock may jump.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(1);
/// How often temporary keys that nobody uses are looked through.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);
/// What was brought back and is taken in one turn.
const DONE_AT_ONCE: usize = 256;

/// What can happen to the engine.
pub(crate) enum Command {
    Connected(ConnectionId, SocketAddr, Outgoing),
    Bytes(ConnectionId, Vec<u8>),
    /// What follows came in WebSocket messages.
    WebSocket(ConnectionId),
    /// The body of a request.
    Request(ConnectionId, Vec<u8>),
    Closed(ConnectionId),
    /// The back end has an update or a question; or it, or the operator, ends a key.
    Edge(EdgeRequest),
    /// The operator asks.
    Ask(Question),
    /// Other settings, and another place for events, from now on.
    Reconfigure {
        settings: Box<Settings>,
        events: EventLog,
    },
    /// No more connections; answer what is owed, then end.
    Drain {
        patience: Duration,
    },
}

/// What worker threads, store tasks and the back end bring back. Never held up: what they bring makes room.
pub(crate) enum Done {
    Jobs(Vec<JobResult>),
    Store(Vec<(Ticket, StoreOutcome)>),
    Ended(Vec<AuthKeyId>),
    Answer(CallId, Answer),
}

/// What the embedder brings: time, randomness, somebody who watches.
pub(crate) struct World<C, R, O> {
    pub(crate) clock: C,
    pub(crate) random: R,
    pub(crate) observer: O,
}

pub(crate) struct Engine<C, R, O, K, T, U> {
    pub(crate) endpoint: ServerEndpoint,
    pub(crate) world: World<C, R, O>,
    pub(crate) keys: Arc<Keys<K, T>>,
    pub(crate) upstream: U,
    pub(crate) workers: Workers,
    pub(crate) events: EventLog,
    pub(crate) advice: Advice,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) refusals: Refusals,
    /// It was told to end, and answers what is owed.
    pub(crate) draining: bool,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) done: mpsc::UnboundedReceiver<Done>,
    pub(crate) deliver: mpsc::UnboundedSender<Done>,
    pub(crate) connections: BTreeMap<ConnectionId, Outgoing>,
    /// Who waits for the end of a key.
    pub(crate) revoking: BTreeMap<RevokeId, oneshot::Sender<Revoked>>,
    pub(crate) next_revoke: u64,
}

impl<C, R, O, K, T, U> Engine<C, R, O, K, T, U>
where
    C: Clock,
    R: SecureRandom,
    O: Observer,
    K: KeyStore,
    T: TempKeys,
    U: Upstream,
{
    /// Runs until it was told to drain and nothing is owed any more, or patience ran out.
    pub(crate) async fn run(mut self) {
        let mut expiry = time::interval(self.world.clock.wait_for(EXPIRE_EVERY));
        let mut drain_until = None;
        while !self.drained(drain_until) {
            let until_deadline = self.until_deadline();
            tokio::select! {
                biased;
                done = self.done.recv() => self.on_all_done(done),
                command = self.commands.recv() => match command {
                    Some(Command::Drain { patience }) => {
                        self.draining = true;
                        drain_until = Some(self.world.clock.now().monotonic.saturating_add(patience));
                    }
                    Some(command) => self.on_command(command),
                    None => break,
                },
                _ = expiry.tick() => self.expire(),
                () = time::sleep(until_deadline) => {}
            }
            self.turn();
        }
        self.connections.values().for_each(Outgoing::close);
        self.events.flush();
    }

    /// What else is there already is taken along: one turn for all of it, and one packet for the answers of a session.
    fn on_all_done(&mut self, first: Option<Done>) {
        let (mut next, mut answers) = (first, Vec::new());
        for left in (0..DONE_AT_ONCE).rev() {
            match next {
                Some(Done::Answer(call, answer)) => answers.push((call, answer)),
                Some(done) => {
                    self.on_answers(std::mem::take(&mut answers));
                    self.on_done(done);
                }
                None => break,
            }
            next = if left > 0 { self.done.try_recv().ok() } else { None };
        }
        self.on_answers(answers);
    }

    fn on_answers(&mut self, answers: Vec<(CallId, Answer)>) {
        let mut env = Env::new(self.world.clock.now(), &mut self.world.random, &mut self.world.observer);
        self.endpoint.handle_answers(answers, &mut env);
    }

    fn drained(&self, until: Option<Duration>) -> bool {
        until.is_some_and(|until| {
            self.endpoint.answers_owed() == 0 || self.world.clock.now().monotonic >= until
        })
    }

    fn until_deadline(&self) -> Duration {
        let now = self.world.clock.now().monotonic;
        let wait = self.endpoint.poll_timeout().map_or(LOOK_AT_CLOCK, |at| at.saturating_sub(now));
        self.world.clock.wait_for(wait.min(LOOK_AT_CLOCK))
    }

    fn on_command(&mut self, command: Command) {
        let now = self.world.clock.now();
        match command {
            Command::Connected(id, peer, outgoing) => {
                self.connections.insert(id, outgoing);
                self.endpoint.handle_connected(id, peer.ip(), now);
            }
            Command::Bytes(id, bytes) => {
                self.metrics.on_received(bytes.len());
                let mut env = Env::new(now, &mut self.world.random, &mut self.world.observer);
                self.endpoint.handle_bytes(id, &bytes, &mut env);
            }
            Command::WebSocket(id) => self.endpoint.handle_websocket(id),
            Command::Request(id, body) => {
                self.metrics.on_received(body.len());
                let mut env = Env::new(now, &mut self.world.random, &mut self.world.observer);
                self.endpoint.handle_request(id, body, &mut env);
            }
            Command::Closed(id) => {
                self.connections.remove(&id);
                self.endpoint.handle_closed(id, now);
            }
            Command::Edge(request) => self.on_edge(request, now),
            Command::Ask(question) => self.answer(question),
            Command::Reconfigure { settings, events } => {
                self.events.flush();
                self.events = events;
                let Settings { endpoint, handshakes, proxy_secrets } = *settings;
                self.endpoint.handle_reconfigured(endpoint, handshakes, proxy_secrets);
            }
            Command::Drain { .. } => {}
        }
    }

    fn on_edge(&mut self, request: EdgeRequest, now: Now) {
        match request {
            EdgeRequest::Push { to, update, tell } => {
                let mut env = Env::new(now, &mut self.world.random, &mut self.world.observer);
                let pushed = self.endpoint.handle_push(to, &update, &mut env);
                self.metrics.on_push(pushed.as_ref().ok().copied());
                // The back end may have stopped waiting.
                let _ = tell.send(pushed);
            }
            EdgeRequest::Sessions { perm, tell } => {
                let sessions = self.endpoint.sessions_of(perm);
                let _ = tell.send(sessions.into_iter().map(|(_, session_id)| session_id).collect());
            }
            EdgeRequest::Revoke { key, tell } => self.revoke(key, tell, now),
        }
    }

    fn revoke(&mut self, key: AuthKeyId, tell: oneshot::Sender<Revoked>, now: Now) {
        let id = RevokeId(self.next_revoke);
        self.next_revoke = self.next_revoke.wrapping_add(1);
        self.revoking.insert(id, tell);
        self.endpoint.handle_revoke(id, key, now);
    }

    fn on_done(&mut self, done: Done) {
        let now = self.world.clock.now();
        let mut env = Env::new(now, &mut self.world.random, &mut self.world.observer);
        match done {
            Done::Jobs(results) => {
                for result in results {
                    self.endpoint.handle_job(result, &mut env);
                }
            }
            Done::Store(outcomes) => {
                for (ticket, outcome) in outcomes {
                    self.endpoint.handle_store(ticket, outcome, &mut env);
                }
            }
            Done::Ended(keys) => self.endpoint.handle_ended(&keys, &mut env),
            Done::Answer(call, answer) => self.endpoint.handle_answers([(call, answer)], &mut env),
        }
    }

    /// Does what is due, then takes what the endpoint has until it has nothing more.
    fn turn(&mut self) {
        let now = self.world.clock.now();
        if self.endpoint.poll_timeout().is_some_and(|at| at <= now.monotonic) {
            let mut env = Env::new(now, &mut self.world.random, &mut self.world.observer);
            self.endpoint.handle_timeout(&mut env);
        }
        self.pass_calls();
        self.tell_revoked();
        self.start_jobs();
        self.ask_store();
        self.write_out();
        while let Some(event) = self.endpoint.poll_event() {
            if let Some(advice) = self.advice.on(&event, now) {
                tracing::warn!("{advice}");
            }
            self.note(&event, now);
            self.events.write(&event, now);
        }
        self.events.flush();
    }

    fn pass_calls(&mut self) {
        while let Some(call) = self.endpoint.poll_call() {
            let reply = Reply::new(call.id, self.deliver.clone());
            self.upstream.call(call, self.world.clock.now(), reply);
        }
    }

    fn tell_revoked(&mut self) {
        while let Some((id, revoked)) = self.endpoint.poll_revoked() {
            if let Some(tell) = self.revoking.remove(&id) {
                // Whoever wanted it may have stopped waiting.
                let _ = tell.send(revoked);
            }
        }
    }

    fn start_jobs(&mut self) {
        let mut jobs = Vec::new();
        while let Some(job) = self.endpoint.poll_job() {
            jobs.push(job);
        }
        if !jobs.is_empty() {
            self.workers.submit(jobs);
        }
    }

    fn ask_store(&mut self) {
        let mut requests = Vec::new();
        while let Some(request) = self.endpoint.poll_store() {
            requests.push(request);
        }
        if requests.is_empty() {
            return;
        }
        let (keys, deliver) = (Arc::clone(&self.keys), self.deliver.clone());
        let metrics = Arc::clone(&self.metrics);
        let now = self.world.clock.now().unix_seconds();
        tokio::spawn(async move {
            let began = Instant::now();
            let outcomes = keys.perform(requests, now).await;
            metrics.on_store(began.elapsed());
            // Fails only when the engine is gone.
            let _ = deliver.send(Done::Store(outcomes));
        });
    }

    /// Rule PF-15: temporary keys go at their second, also those that nobody uses now.
    fn expire(&self) {
        let (keys, deliver) = (Arc::clone(&self.keys), self.deliver.clone());
        let now = self.world.clock.now().unix_seconds();
        tokio::spawn(async move {
            match keys.expire(now).await {
                Ok(ended) if ended.is_empty() => {}
                Ok(ended) => drop(deliver.send(Done::Ended(ended))),
                Err(error) => tracing::error!(%error, "temporary keys could not be expired"),
            }
        });
    }

    fn write_out(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send { connection, bytes } => {
                    self.metrics.on_sent(bytes.len());
                    let Some(outgoing) = self.connections.get(&connection) else { continue };
                    if outgoing.write(bytes).is_err() {
                        outgoing.close();
                        self.connections.remove(&connection);
                        self.endpoint.handle_closed(connection, self.world.clock.now());
                    }
                }
                Output::Respond { connection, status, body } => {
                    self.metrics.on_sent(body.len());
                    if let Some(outgoing) = self.connections.get(&connection) {
                        outgoing.respond(status, body);
                    }
                }
                Output::Close { connection } => {
                    if let Some(outgoing) = self.connections.remove(&connection) {
                        outgoing.close();
                    }
                }
            }
        }
    }
}
