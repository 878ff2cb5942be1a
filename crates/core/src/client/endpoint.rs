//! The client without I/O: makes both keys, binds, renews, recovers, and carries calls under temporary keys alone.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use dayfly_crypto::RandomError;
use dayfly_crypto::kdf::Side;

use crate::agenda::Agenda;
use crate::env::Env;
use crate::handshake::client::{self as handshake, ClientHandshake, Created};
use crate::job::{Job, JobId, JobResult};
use crate::keys::kind::{KeyKind, PermKey};
use crate::keys::rotation::{ServerClock, growing_delay};
use crate::observer::Observer;
use crate::session::envelope;
use crate::transport::{ClientTransport, Frame};

use super::config::{ClientConfig, SavedKey};
use super::event::{CallId, Event, LinkId, Output, Sent};
use super::line::{Line, LineId, Standing, Work};

const NOT_FOUND: i32 = -404;

/// The permanent key and what is known of it.
pub(super) struct Perm {
    pub(super) key: PermKey,
    pub(super) created_at: u64,
}

/// A call that has no answer yet.
pub(super) struct Pending {
    /// The query, without the client info that the first one after a binding carries.
    pub(super) body: Vec<u8>,
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
    links: BTreeMap<LinkId, LineId>,
    next_link: u64,
    pub(super) pending: BTreeMap<CallId, Pending>,
    /// Calls that wait for a bound key.
    pub(super) held: VecDeque<CallId>,
    next_call: u64,
    jobs: BTreeMap<JobId, (LineId, JobId)>,
    next_job: u64,
    pub(super) timers: Agenda<Timer>,
    pub(super) outputs: VecDeque<Output>,
    pub(super) sent: Sent,
    /// Temporary keys lost, and key exchanges failed, in a row: the delay before the next one grows.
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
            held: VecDeque::new(),
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
        self.begin(LineId::Next, env);
    }

    /// Makes a call; `body` is the serialized query, constructor first. Its answer comes as [`Output::Answer`].
    pub fn call<O: Observer>(&mut self, body: Vec<u8>, env: &mut Env<'_, O>) -> CallId {
        self.now = env.now.monotonic;
        let call = CallId(self.next_call);
        self.next_call = self.next_call.wrapping_add(1);
        self.pending.insert(call, Pending { body });
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
        line.failures = 0;
        self.send(link, opening);
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
        self.lines.contains_key(&LineId::Active) && !self.is_holding()
    }

    fn transport(&mut self, link: LinkId) -> Option<&mut ClientTransport> {
        let line_id = self.links.get(&link)?;
        self.lines.get_mut(line_id)?.transport.as_mut()
    }

    // Lines.

    /// Begins a key exchange on a line, in place of what was there.
    pub(super) fn begin<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        self.end_line(line_id);
        let kind = match line_id {
            LineId::Perm => KeyKind::Perm,
            _ => KeyKind::Temp { expires_in: self.config.expires_in },
        };
        let config = handshake::ClientConfig {
            exponent_bits: self.config.exponent_bits,
            groups: self.config.groups.clone(),
            patience: self.config.patience,
            ..handshake::ClientConfig::new(Arc::clone(&self.config.keys), kind, self.config.dc)
        };
        match ClientHandshake::new(config, env) {
            Ok(machine) => {
                self.lines.insert(line_id, Line::new(Work::Handshake(Box::new(machine))));
                self.connect(line_id);
            }
            Err(error) => {
                self.tell(Event::HandshakeFailed { error });
                self.begin_later(line_id, env);
            }
        }
    }

    /// Rules HS-38, PF-14: with a delay that grows while it goes on failing.
    pub(super) fn begin_later<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        self.end_line(line_id);
        let failures = self.losses;
        self.losses = self.losses.saturating_add(1);
        self.set_delayed(Timer::Begin(line_id), failures, env);
    }

    /// Sets a timer after a delay that grows with `failures`.
    pub(super) fn set_delayed<O: Observer>(&mut self, timer: Timer, failures: u32, env: &mut Env<'_, O>) {
        let delays = self.config.delays;
        let delay = growing_delay(delays.first, delays.longest, failures, env.random);
        self.timers.set(timer, self.later(delay.unwrap_or(delays.longest)));
    }

    /// Forgets a line, its connection and its timers.
    pub(super) fn end_line(&mut self, line_id: LineId) -> Option<Line> {
        let line = self.lines.remove(&line_id)?;
        if let Some(link) = line.link {
            self.links.remove(&link);
            self.outputs.push_back(Output::Close { link });
        }
        for timer in [Timer::Reconnect(line_id), Timer::Line(line_id), Timer::End(line_id)] {
            self.timers.clear(timer);
        }
        Some(line)
    }

    /// Gives what one line does to another, connection and all.
    pub(super) fn rename_line(&mut self, from: LineId, to: LineId) {
        let Some(line) = self.lines.remove(&from) else { return };
        for (old, new) in [
            (Timer::Reconnect(from), Timer::Reconnect(to)),
            (Timer::Line(from), Timer::Line(to)),
            (Timer::End(from), Timer::End(to)),
        ] {
            self.timers.rename(old, new);
        }
        if let Some(link) = line.link {
            self.links.insert(link, to);
        }
        self.lines.insert(to, line);
    }

    pub(super) fn connect(&mut self, line_id: LineId) {
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        let link = LinkId(self.next_link);
        self.next_link = self.next_link.wrapping_add(1);
        line.link = Some(link);
        self.links.insert(link, line_id);
        self.outputs.push_back(Output::Connect { link });
    }

    fn drop_link<O: Observer>(&mut self, link: LinkId, line_id: LineId, env: &mut Env<'_, O>) {
        self.links.remove(&link);
        self.outputs.push_back(Output::Close { link });
        self.on_link_gone(line_id, env);
    }

    /// The server has gone silent on a line: a new connection is due.
    pub(super) fn drop_link_of<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        if let Some(link) = self.lines.get(&line_id).and_then(|line| line.link) {
            self.drop_link(link, line_id, env);
        }
    }

    fn on_link_gone<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        line.link = None;
        line.transport = None;
        let failures = line.failures;
        line.failures = line.failures.saturating_add(1);
        if line_id == LineId::Draining {
            // Under a replaced key no new connection is served: what is owed is asked for under the new one.
            return self.abandon_draining(env);
        }
        self.set_delayed(Timer::Reconnect(line_id), failures, env);
    }

    // Frames.

    fn on_frame<O: Observer>(&mut self, link: LinkId, line_id: LineId, frame: Frame, env: &mut Env<'_, O>) {
        match frame {
            Frame::Payload { bytes, .. } => self.on_payload(link, line_id, bytes, env),
            Frame::Error(code) => self.on_transport_error(link, line_id, code, env),
            Frame::QuickAck(_) | Frame::Nop => {}
        }
    }

    fn on_payload<O: Observer>(
        &mut self,
        link: LinkId,
        line_id: LineId,
        mut bytes: Vec<u8>,
        env: &mut Env<'_, O>,
    ) {
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        let handled = match &mut line.work {
            Work::Handshake(handshake) => {
                // An error is found by `serve`, which asks the machine for it.
                let _ = handshake.handle_message(&bytes, env);
                true
            }
            // A late answer of the key exchange that this connection began with.
            Work::Traffic(_) if crate::plain::is_plain(&bytes) => true,
            Work::Traffic(traffic) => match envelope::open(&traffic.key, Side::Server, &mut bytes) {
                Ok(opened) => traffic.session.handle_message(&opened, env).is_ok(),
                Err(_) => false,
            },
        };
        if handled {
            self.serve(line_id, env);
        } else {
            // Security Guidelines, "Behavior in case of mismatch": discard, close, connect anew.
            self.drop_link(link, line_id, env);
        }
    }

    fn on_transport_error<O: Observer>(
        &mut self,
        link: LinkId,
        line_id: LineId,
        code: i32,
        env: &mut Env<'_, O>,
    ) {
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        match &mut line.work {
            Work::Handshake(handshake) => {
                let _ = handshake.handle_transport_error(code, env);
                self.serve(line_id, env);
            }
            Work::Traffic(_) if code == NOT_FOUND => self.on_key_lost(line_id, env),
            Work::Traffic(_) => {
                // -429 and whatever else: leave the server alone for a while.
                line.failures = line.failures.saturating_add(3);
                self.drop_link(link, line_id, env);
            }
        }
    }

    // What a line has to say.

    /// Takes everything that the machine of a line gives.
    pub(super) fn serve<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        match self.lines.get(&line_id).map(|line| &line.work) {
            Some(Work::Handshake(_)) => self.serve_handshake(line_id, env),
            Some(Work::Traffic(_)) => {
                self.take_session_events(line_id, env);
                self.transmit(line_id, env);
            }
            None => return,
        }
        let next = self.lines.get_mut(&line_id).and_then(|line| match &mut line.work {
            Work::Handshake(handshake) => handshake.poll_timeout(),
            Work::Traffic(traffic) => traffic.session.poll_timeout(),
        });
        match next {
            Some(at) => self.timers.set(Timer::Line(line_id), at),
            None => self.timers.clear(Timer::Line(line_id)),
        }
    }

    fn serve_handshake<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        let mut created = None;
        let mut bytes = Vec::new();
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        let Work::Handshake(handshake) = &mut line.work else { return };
        // Without a connection a query waits: `handle_reconnected` gives it again.
        while let Some(output) = handshake.poll_output() {
            match (output, &mut line.transport) {
                (handshake::Output::Send(payload), Some(transport)) => {
                    let _lost_like_a_datagram = transport.send(&payload, false, &mut bytes, env.random);
                }
                (handshake::Output::Send(_), None) => {}
                (handshake::Output::Done(key), _) => created = Some(key),
            }
        }
        let (link, error) = (line.link, handshake.error());
        if let Some(link) = link {
            self.send(link, bytes);
        }
        if let Some(created) = created {
            self.on_created(line_id, created, env);
        } else if let Some(error) = error {
            self.tell(Event::HandshakeFailed { error });
            self.begin_later(line_id, env);
        }
    }

    fn on_created<O: Observer>(&mut self, line_id: LineId, created: Created, env: &mut Env<'_, O>) {
        if line_id == LineId::Perm {
            let saved =
                SavedKey { key: Arc::clone(&created.key), created_at: created.created_at, dc: created.dc };
            self.perm = Some(Perm { key: PermKey::new(created.key), created_at: created.created_at });
            self.end_line(LineId::Perm);
            self.tell(Event::PermKeyMade(saved));
        } else if let Err(RandomError) = self.open_session(line_id, created, env) {
            return self.begin_later(line_id, env);
        }
        self.bind_when_ready(env);
    }

    /// Seals and sends what the session of a line has ready. Never under a key that has ended (rule PF-13).
    pub(super) fn transmit<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        let (Some(link), Some(transport)) = (line.link, &mut line.transport) else { return };
        let Work::Traffic(traffic) = &mut line.work else { return };
        if !crate::holds!("PF-13.ended", !traffic.has_ended(self.now)) {
            return;
        }
        let under_perm = self.perm.as_ref().is_some_and(|perm| perm.key.id() == traffic.id());
        let mut bytes = Vec::new();
        while let Some(plaintext) = traffic.session.poll_transmit(env) {
            let sealed = envelope::seal(&traffic.key, Side::Client, &plaintext, env.random);
            let sent =
                sealed.is_ok_and(|frame| transport.send(&frame, false, &mut bytes, env.random).is_ok());
            if !sent {
                return self.drop_link(link, line_id, env);
            }
            self.sent.count(under_perm);
        }
        self.send(link, bytes);
    }

    fn on_timer<O: Observer>(&mut self, timer: Timer, env: &mut Env<'_, O>) {
        match timer {
            Timer::Reconnect(line_id) => self.connect(line_id),
            Timer::Line(line_id) => self.on_line_due(line_id, env),
            Timer::Begin(line_id) => self.begin(line_id, env),
            Timer::Renew => self.renew(env),
            Timer::End(line_id) => self.on_key_end(line_id, env),
            Timer::DrainedEnough | Timer::BindAgain => self.bind_now(env),
            Timer::GraceOver => self.abandon_draining(env),
        }
    }

    fn on_line_due<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        match self.lines.get_mut(&line_id).map(|line| &mut line.work) {
            Some(Work::Handshake(handshake)) => {
                // An error is found by `serve`, which asks the machine for it.
                let _ = handshake.handle_timeout(env);
            }
            Some(Work::Traffic(traffic)) => traffic.session.handle_timeout(env),
            None => return,
        }
        self.serve(line_id, env);
    }

    // Small things.

    fn send(&mut self, link: LinkId, bytes: Vec<u8>) {
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

    /// Whether new calls wait: for a first key, or for the time of a binding (rule PF-13).
    pub(super) fn is_holding(&self) -> bool {
        let next_is_made = self.lines.get(&LineId::Next).is_some_and(|line| match &line.work {
            Work::Traffic(traffic) => !matches!(traffic.standing, Standing::Bound(_)),
            Work::Handshake(_) => false,
        });
        let active = self.lines.get(&LineId::Active).is_some_and(|line| match &line.work {
            Work::Traffic(traffic) => !traffic.has_ended(self.now),
            Work::Handshake(_) => false,
        });
        next_is_made || !active
    }

    /// The server's clock as the newest temporary key knows it.
    pub(super) fn server_clock(&mut self) -> Option<ServerClock> {
        [LineId::Next, LineId::Active].into_iter().find_map(|line_id| {
            self.lines.get_mut(&line_id).and_then(Line::traffic).map(|traffic| traffic.clock)
        })
    }
}
