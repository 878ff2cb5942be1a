//! The client without I/O: makes both keys, binds, renews, recovers, and carries calls under temporary keys alone.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::agenda::Agenda;
use crate::env::Env;
use crate::handshake::client::ClientHandshake;
use crate::job::{Job, JobId, JobResult};
use crate::keys::kind::PermKey;
use crate::keys::rotation::ServerClock;
use crate::mutant;
use crate::observer::Observer;
use crate::transport::ClientTransport;

use super::config::{ClientConfig, SavedKey};
use super::event::{CallId, Event, LinkId, Output, Sent};
use super::line::{Line, LineId, Work};

/// The permanent key and what is known of it.
pub(super) struct Perm {
    pub(super) key: PermKey,
    pub(super) created_at: u64,
}

/// A call that has no answer yet. At any time it is either held or in one session.
pub(super) struct Pending {
    /// The query, without the client info that the first one after a binding carries.
    pub(super) body: Vec<u8>,
    /// The server asked for client info: it goes with it from now on.
    pub(super) with_info: bool,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Timer {
    /// Open a connection for this line.
    Reconnect(LineId),
    /// The machine of this line wants to be called.
    Line(LineId),
    /// Begin a key exchange on this line.
    Begin(LineId),
    /// Begin the next temporary key (rule PF-13).
    Renew,
    /// The key of this line ends (rule PF-13).
    End(LineId),
    /// The calls in flight had their time: bind.
    DrainedEnough,
    /// The answers owed under the old key had their time.
    GraceOver,
    /// Send the binding again (rules PF-12, PF-22).
    BindAgain,
}

/// Everything of a client that is not I/O.
///
/// [`start`](Self::start) it, then feed it with [`handle_connected`](Self::handle_connected),
/// [`handle_bytes`](Self::handle_bytes), [`handle_closed`](Self::handle_closed), [`handle_job`](Self::handle_job) and
/// [`handle_timeout`](Self::handle_timeout); after each call take everything that [`poll_output`](Self::poll_output) and
/// [`poll_job`](Self::poll_job) give, and come back at [`poll_timeout`](Self::poll_timeout). Jobs that are out at the
/// same time belong to the two handshakes of one client: do them together.
pub struct ClientEndpoint {
    pub(super) config: ClientConfig,
    pub(super) perm: Option<Perm>,
    pub(super) lines: BTreeMap<LineId, Line>,
    pub(super) links: BTreeMap<LinkId, LineId>,
    pub(super) next_link: u64,
    pub(super) pending: BTreeMap<CallId, Pending>,
    /// Calls that wait for a bound key.
    pub(super) held: BTreeSet<CallId>,
    next_call: u64,
    pub(super) jobs: BTreeMap<JobId, (LineId, JobId)>,
    next_job: u64,
    pub(super) timers: Agenda<Timer>,
    pub(super) outputs: VecDeque<Output>,
    pub(super) sent: Sent,
    /// Temporary keys lost soon after their binding, and key exchanges failed, in a row: the delay before the next one grows.
    pub(super) losses: u32,
    pub(super) now: Duration,
}

impl ClientEndpoint {
    /// A client that has done nothing yet. `saved` is the permanent key of an earlier run.
    #[must_use]
    pub fn new(config: ClientConfig, saved: Option<SavedKey>) -> Self {
        let perm = saved.map(|saved| Perm { key: PermKey::new(saved.key), created_at: saved.created_at });
        Self {
            config,
            perm,
            lines: BTreeMap::new(),
            links: BTreeMap::new(),
            next_link: 0,
            pending: BTreeMap::new(),
            held: BTreeSet::new(),
            next_call: 0,
            jobs: BTreeMap::new(),
            next_job: 0,
            timers: Agenda::default(),
            outputs: VecDeque::new(),
            sent: Sent::default(),
            losses: 0,
            now: Duration::ZERO,
        }
    }

    /// Begins: both keys in parallel over two connections when both are missing (rule PF-03).
    pub fn start<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        if self.perm.is_none() {
            self.begin(LineId::Perm, env);
        }
        if mutant!("PF-03.parallel", true, self.perm.is_some()) {
            self.begin(LineId::Next, env);
        }
    }

    /// Makes a call; `body` is the serialized query, constructor first. Its answer comes as [`Output::Answer`].
    pub fn call<O: Observer>(&mut self, body: Vec<u8>, env: &mut Env<'_, O>) -> CallId {
        self.now = env.now.monotonic;
        let call = CallId(self.next_call);
        self.next_call = self.next_call.wrapping_add(1);
        self.pending.insert(call, Pending { body, with_info: false });
        self.issue(call, env);
        call
    }

    /// The connection is up.
    pub fn handle_connected<O: Observer>(&mut self, link: LinkId, env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        let Some(line_id) = self.links.get(&link).copied() else { return };
        let Ok((transport, opening)) =
            ClientTransport::new(self.config.transport, &self.config.obfuscation, env.random)
        else {
            return self.drop_link(link, line_id, env);
        };
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        line.transport = Some(transport);
        self.send(link, opening);
        if line_id == LineId::Active {
            self.drain_anew();
        }
        match self.lines.get_mut(&line_id).map(|line| &mut line.work) {
            Some(Work::Handshake(handshake)) => handshake.handle_reconnected(env),
            Some(Work::Traffic(traffic)) => traffic.session.handle_reconnected(env),
            None => {}
        }
        self.serve(line_id, env);
    }

    /// Bytes came.
    pub fn handle_bytes<O: Observer>(&mut self, link: LinkId, bytes: &[u8], env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        if let Some(transport) = self.transport(link) {
            transport.receive(bytes);
        }
        loop {
            let Some(line_id) = self.links.get(&link).copied() else { return };
            let Some(transport) = self.transport(link) else { return };
            match transport.poll_frame() {
                Ok(Some(frame)) => self.on_frame(link, line_id, frame, env),
                Ok(None) => return,
                Err(_) => return self.drop_link(link, line_id, env),
            }
        }
    }

    /// The connection could not be opened, or is gone.
    pub fn handle_closed<O: Observer>(&mut self, link: LinkId, env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        if let Some(line_id) = self.links.remove(&link) {
            self.on_link_gone(line_id, env);
        }
    }

    /// A job is done.
    pub fn handle_job<O: Observer>(&mut self, mut result: JobResult, env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        let Some((line_id, inner)) = self.jobs.remove(&result.id) else { return };
        result.id = inner;
        if let Some(handshake) = self.lines.get_mut(&line_id).and_then(Line::handshake) {
            // An error is found by `serve`, which asks the machine for it.
            let _ = handshake.handle_job(result, env);
        }
        self.serve(line_id, env);
    }

    /// Does what is due.
    pub fn handle_timeout<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        while let Some(timer) = self.timers.pop_due(self.now) {
            self.on_timer(timer, env);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is wanted next, in monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// What is to be done, and what happened.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Exponentiations to be done elsewhere.
    pub fn poll_job(&mut self) -> Option<Job> {
        let (line_id, job) = self.lines.iter_mut().find_map(|(line_id, line)| {
            line.handshake().and_then(ClientHandshake::poll_job).map(|job| (*line_id, job))
        })?;
        let id = JobId(self.next_job);
        self.next_job = self.next_job.wrapping_add(1);
        self.jobs.insert(id, (line_id, job.id));
        Some(Job { id, work: job.work })
    }

    /// How many encrypted messages went out, by kind of key.
    #[must_use]
    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// Whether calls go out now, or are held for a key.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.is_holding()
    }

    fn transport(&mut self, link: LinkId) -> Option<&mut ClientTransport> {
        let line_id = self.links.get(&link)?;
        self.lines.get_mut(line_id)?.transport.as_mut()
    }

    pub(super) fn send(&mut self, link: LinkId, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.outputs.push_back(Output::Send { link, bytes });
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn later(&self, after: Duration) -> Duration {
        self.now.saturating_add(after)
    }

    /// The server's clock as the newest temporary key knows it.
    pub(super) fn server_clock(&mut self) -> Option<ServerClock> {
        [LineId::Next, LineId::Active].into_iter().find_map(|line_id| {
            self.lines.get_mut(&line_id).and_then(Line::traffic).map(|traffic| traffic.clock)
        })
    }
}
