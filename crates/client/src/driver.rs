//! The task that owns the endpoint of a client.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dayfly_core::client::{CallId, ClientEndpoint, Event, LinkId, Output};
use dayfly_core::env::{Clock, Env, SecureRandom};
use dayfly_core::handshake::client::HandshakeError;
use dayfly_core::job::{Job, JobResult, perform_all};
use dayfly_core::observer::Observer;
use dayfly_core::session::client::RpcFailure;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time;

use crate::client::Happened;
use crate::link::{Link, LinkEvent};
use crate::route::Route;
use crate::session_store::SessionStore;

/// However far off the next deadline, the clocks are looked at this often: a clock may jump.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(1);
/// Where so many connections ended and no key was made, none will be: two come at the start, and one of three may end by
/// accident.
const MOST_ENDED: u32 = 3;

pub(crate) type Answer = Result<Vec<u8>, RpcFailure>;

/// What the owner asks for.
pub(crate) enum Command {
    Call(Ticket, Vec<u8>, oneshot::Sender<Answer>),
}

/// Names a call for its owner, before the endpoint has a name for it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Ticket(pub(crate) u64);

/// A call that its owner waits for.
pub(crate) struct Waiting {
    ticket: Ticket,
    answer: oneshot::Sender<Answer>,
}

/// Why a client is not ready (yet).
#[derive(Debug)]
pub(crate) enum Trouble {
    Connect(io::Error),
    Handshake(HandshakeError),
    Session(io::Error),
    /// Connection after connection ended.
    Ended,
}

/// Encrypted messages sent, for anyone who wants to look.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) under_temp: AtomicU64,
    pub(crate) under_perm: AtomicU64,
}

pub(crate) struct Driver<C, R, O> {
    pub(crate) endpoint: ClientEndpoint,
    pub(crate) clock: C,
    pub(crate) random: R,
    pub(crate) observer: O,
    pub(crate) route: Arc<Route>,
    /// Connections that ended since the last key was made.
    pub(crate) ended: u32,
    pub(crate) session: Box<dyn SessionStore>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) events: mpsc::UnboundedSender<Happened>,
    pub(crate) ready: Option<oneshot::Sender<Result<(), Trouble>>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    /// Calls that nobody waits for any more.
    pub(crate) given_up: mpsc::UnboundedReceiver<Ticket>,
    pub(crate) updates: broadcast::Sender<Arc<[u8]>>,
    pub(crate) waiting: BTreeMap<CallId, Waiting>,
    pub(crate) calls: BTreeMap<Ticket, CallId>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) working: Option<JoinHandle<Vec<JobResult>>>,
}

impl<C: Clock, R: SecureRandom, O: Observer> Driver<C, R, O> {
    /// Runs until the owner is gone.
    pub(crate) async fn run(mut self) {
        let (to_me, mut links) = mpsc::channel(64);
        self.with_endpoint(|endpoint, env| endpoint.start(env));
        self.turn(&to_me);
        loop {
            let deadline = self.until_deadline();
            tokio::select! {
                Some(event) = links.recv() => self.on_link(event),
                results = finished(&mut self.working) => self.on_results(results),
                command = self.commands.recv() => match command {
                    Some(Command::Call(ticket, body, answer)) => self.on_call(ticket, body, answer),
                    None => return,
                },
                Some(ticket) = self.given_up.recv() => self.on_given_up(ticket),
                () = time::sleep(deadline) => {}
            }
            self.turn(&to_me);
        }
    }

    fn with_endpoint<T>(&mut self, act: impl FnOnce(&mut ClientEndpoint, &mut Env<'_, O>) -> T) -> T {
        let mut env = Env::new(self.clock.now(), &mut self.random, &mut self.observer);
        act(&mut self.endpoint, &mut env)
    }

    fn until_deadline(&self) -> Duration {
        let now = self.clock.now().monotonic;
        let wait = self.endpoint.poll_timeout().map_or(LOOK_AT_CLOCK, |at| at.saturating_sub(now));
        self.clock.wait_for(wait.min(LOOK_AT_CLOCK))
    }

    fn on_link(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Connected(link) => {
                self.with_endpoint(|endpoint, env| endpoint.handle_connected(link, env))
            }
            LinkEvent::Bytes(link, bytes) => {
                self.with_endpoint(|endpoint, env| endpoint.handle_bytes(link, &bytes, env));
            }
            LinkEvent::Failed(link, error) => {
                self.not_ready(Trouble::Connect(error));
                self.on_closed(link);
            }
            LinkEvent::Closed(link, error) => {
                tracing::debug!(%error, "connection ended");
                self.on_ended();
                self.on_closed(link);
            }
        }
    }

    /// A connection was ended, by either side.
    fn on_ended(&mut self) {
        self.ended = self.ended.saturating_add(1);
        if self.ended >= MOST_ENDED {
            self.not_ready(Trouble::Ended);
        }
    }

    fn on_closed(&mut self, link: LinkId) {
        self.links.remove(&link);
        self.with_endpoint(|endpoint, env| endpoint.handle_closed(link, env));
    }

    /// A call whose owner left while it was on its way here is not made.
    fn on_call(&mut self, ticket: Ticket, body: Vec<u8>, answer: oneshot::Sender<Answer>) {
        if answer.is_closed() {
            return;
        }
        let call = self.with_endpoint(|endpoint, env| endpoint.call(body, env));
        self.calls.insert(ticket, call);
        self.waiting.insert(call, Waiting { ticket, answer });
    }

    fn on_given_up(&mut self, ticket: Ticket) {
        if let Some(call) = self.calls.remove(&ticket) {
            self.waiting.remove(&call);
            self.with_endpoint(|endpoint, env| endpoint.cancel(call, env));
        }
    }

    fn on_results(&mut self, results: Vec<JobResult>) {
        self.working = None;
        for result in results {
            self.with_endpoint(|endpoint, env| endpoint.handle_job(result, env));
        }
    }

    /// Does what is due, then takes what the endpoint has until it has nothing more.
    fn turn(&mut self, links: &mpsc::Sender<LinkEvent>) {
        let now = self.clock.now().monotonic;
        if self.endpoint.poll_timeout().is_some_and(|at| at <= now) {
            self.with_endpoint(|endpoint, env| endpoint.handle_timeout(env));
        }
        while let Some(output) = self.endpoint.poll_output() {
            self.act(output, links);
        }
        while let Some(job) = self.endpoint.poll_job() {
            self.jobs.push(job);
        }
        // One batch at a time: jobs of the two handshakes that come meanwhile are joined in the next one.
        if self.working.is_none() && !self.jobs.is_empty() {
            let jobs = std::mem::take(&mut self.jobs);
            self.working = Some(tokio::task::spawn_blocking(move || perform_all(jobs)));
        }
        let sent = self.endpoint.sent();
        self.counters.under_temp.store(sent.under_temp, Ordering::Relaxed);
        self.counters.under_perm.store(sent.under_perm, Ordering::Relaxed);
    }

    fn act(&mut self, output: Output, links: &mpsc::Sender<LinkEvent>) {
        match output {
            Output::Connect { link } => {
                self.links.insert(link, Link::open(link, Arc::clone(&self.route), links.clone()));
            }
            Output::Send { link, bytes } => {
                if let Some(link) = self.links.get(&link) {
                    link.write(bytes);
                }
            }
            Output::Close { link } => {
                self.links.remove(&link);
                self.on_ended();
            }
            Output::Answer { call, result } => {
                if let Some(Waiting { ticket, answer }) = self.waiting.remove(&call) {
                    self.calls.remove(&ticket);
                    // The caller may have stopped waiting.
                    let _ = answer.send(result);
                }
            }
            // Nobody may be listening.
            Output::Update(bytes) => drop(self.updates.send(bytes.into())),
            Output::Event(event) => self.on_event(event),
        }
    }

    fn on_event(&mut self, event: Event) {
        if matches!(event, Event::PermKeyMade(_) | Event::TempKeyMade { .. }) {
            self.ended = 0;
        }
        let kept = match &event {
            Event::PermKeyMade(saved) => self.session.save(saved),
            Event::PermKeyLost { .. } => self.session.forget(),
            _ => Ok(()),
        };
        if let Err(error) = kept {
            tracing::error!(%error, "the permanent key could not be kept");
            self.not_ready(Trouble::Session(error));
        }
        let outcome = match &event {
            Event::Bound { .. } => Some(Ok(())),
            Event::HandshakeFailed { error } => Some(Err(Trouble::Handshake(*error))),
            _ => None,
        };
        // First the event, so that whoever waits for `connect` finds it there. The owner may not listen.
        let _ = self.events.send(Happened { at: Instant::now(), event });
        if let Some(outcome) = outcome {
            self.tell_ready(outcome);
        }
    }

    /// Before the first binding trouble is the answer to `connect`; later it passes.
    fn not_ready(&mut self, trouble: Trouble) {
        self.tell_ready(Err(trouble));
    }

    fn tell_ready(&mut self, outcome: Result<(), Trouble>) {
        if let Some(ready) = self.ready.take() {
            // The owner may have stopped waiting.
            let _ = ready.send(outcome);
        }
    }
}

/// The results of the work in hand; never ready while there is none.
async fn finished(working: &mut Option<JoinHandle<Vec<JobResult>>>) -> Vec<JobResult> {
    match working {
        // A panic of the arithmetic is a bug; its handshakes time out and begin again.
        Some(handle) => handle.await.unwrap_or_default(),
        None => std::future::pending().await,
    }
}
