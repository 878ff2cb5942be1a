//! The server without I/O: bytes in, bytes out; jobs, store requests and calls in between.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use dayfly_crypto::AuthKeyId;

use crate::agenda::Agenda;
use crate::env::{Env, Now};
use crate::handshake::server::{self as handshake, ServerHandshakes};
use crate::job::{Job, JobResult};
use crate::keys::requests::{BindRequest, StoreOutcome, StoreRequest, Ticket};
use crate::observer::Observer;
use crate::session::{self, SessionId};
use crate::transport::{Limits, ProxySecret};

use super::config::EndpointConfig;
use super::connection::{Connection, ConnectionId, Lookups, Outbox, Output};
use super::destroying::{RevokeId, Revoked};
use super::event::{EndReason, Event};
use super::http::Parked;
use super::live::LiveKey;
use super::sessions::{Asker, Origin};
use super::upstream::{Awaited, CallId, UpstreamCall};

pub(super) const NOT_FOUND: i32 = -404;
pub(super) const FLOOD: i32 = -429;

/// The reason of a transport error that answers a query of the key exchange; which check failed is the event's before it.
pub const KEY_EXCHANGE: &str = "a query of the key exchange";

/// Why a request to the store was made; its outcome finds its way back by this.
pub(super) enum Purpose {
    /// The key exchange asked, under its own ticket.
    Handshake(Ticket),
    /// Frames wait for this key.
    Frames(AuthKeyId),
    /// A binding of this temporary key waits for its permanent key.
    PermForBind(AuthKeyId),
    /// The binding itself.
    Bind(BindRequest),
    /// This call of `auth.dropTempAuthKeys` waits.
    Drop(Origin),
    /// This session's `destroy_auth_key` waits for the end of this key.
    Destroy(Asker, AuthKeyId),
    /// Somebody beside the client waits for the end of this key.
    Revoke(RevokeId, AuthKeyId),
    /// This permanent key is to be marked; nobody waits.
    MarkUsed(AuthKeyId),
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Timer {
    /// The key's last second is over (rule PF-15).
    KeyEnd(AuthKeyId),
    /// What was owed under a replaced key had its time (rule PF-10).
    KeyRetired(AuthKeyId),
    /// A store that was silent is asked once more (rule HS-36).
    AskAgain(AuthKeyId),
    /// The session wants to be called.
    Session(AuthKeyId, SessionId),
    /// The session had no connection for long enough.
    SessionForgotten(AuthKeyId, SessionId),
    /// The connection said nothing since it was opened.
    FirstFrame(ConnectionId),
    /// The request that waits on the connection is to be answered (rule TR-07).
    Request(ConnectionId),
    /// `ping_delay_disconnect` (rule MS-16).
    Disconnect(ConnectionId),
    /// The back end had its time for the call.
    CallLate(CallId),
}

/// Everything of a server that is not I/O.
///
/// A driver feeds it with [`handle_connected`](Self::handle_connected), [`handle_bytes`](Self::handle_bytes),
/// [`handle_websocket`](Self::handle_websocket), [`handle_request`](Self::handle_request),
/// [`handle_closed`](Self::handle_closed), [`handle_job`](Self::handle_job), [`handle_store`](Self::handle_store),
/// [`handle_answer`](Self::handle_answer), [`handle_push`](Self::handle_push),
/// [`handle_revoke`](Self::handle_revoke), [`handle_ended`](Self::handle_ended) and
/// [`handle_timeout`](Self::handle_timeout), and after each of them takes everything that
/// [`poll_output`](Self::poll_output), [`poll_job`](Self::poll_job), [`poll_store`](Self::poll_store),
/// [`poll_call`](Self::poll_call), [`poll_revoked`](Self::poll_revoked) and [`poll_event`](Self::poll_event) give. It comes back by itself at
/// [`poll_timeout`](Self::poll_timeout).
pub struct ServerEndpoint {
    pub(super) config: EndpointConfig,
    pub(super) transport_limits: Arc<Limits>,
    pub(super) session_limits: Arc<session::Limits>,
    pub(super) handshakes: ServerHandshakes<ConnectionId>,
    pub(super) connections: BTreeMap<ConnectionId, Box<Connection>>,
    pub(super) parked: Parked,
    pub(super) keys: BTreeMap<AuthKeyId, Box<LiveKey>>,
    /// The keys in use that are bound, each after the permanent key that it is bound to.
    pub(super) bound: BTreeSet<(AuthKeyId, AuthKeyId)>,
    pub(super) lookups: Lookups,
    pub(super) purposes: BTreeMap<Ticket, Purpose>,
    pub(super) next_ticket: u64,
    pub(super) requests: VecDeque<(Ticket, StoreRequest)>,
    pub(super) calls: VecDeque<UpstreamCall>,
    /// Calls that the back end has: until it answers, or its time is up, whatever became of the caller.
    pub(super) awaited: BTreeMap<CallId, Awaited>,
    pub(super) next_call: u64,
    /// What became of keys that were to be revoked.
    pub(super) revoked: VecDeque<(RevokeId, Revoked)>,
    pub(super) timers: Agenda<Timer>,
    pub(super) outbox: Outbox,
    pub(super) events: VecDeque<Event>,
    /// Permanent keys that were marked as used since the start (rule PF-26); forgotten when they become many.
    pub(super) marked: BTreeSet<AuthKeyId>,
    pub(super) now: Duration,
}

impl ServerEndpoint {
    /// A server that has no connections yet.
    #[must_use]
    pub fn new(config: EndpointConfig, handshakes: handshake::ServerConfig) -> Self {
        Self {
            transport_limits: Arc::new(Limits { max_frame: config.frame_bytes, ..Limits::default() }),
            session_limits: Arc::new(session::Limits::default()),
            config,
            handshakes: ServerHandshakes::new(handshakes),
            connections: BTreeMap::new(),
            parked: Parked::default(),
            keys: BTreeMap::new(),
            bound: BTreeSet::new(),
            lookups: Lookups::default(),
            purposes: BTreeMap::new(),
            next_ticket: 0,
            requests: VecDeque::new(),
            calls: VecDeque::new(),
            awaited: BTreeMap::new(),
            next_call: 0,
            revoked: VecDeque::new(),
            timers: Agenda::default(),
            outbox: Outbox::default(),
            events: VecDeque::new(),
            marked: BTreeSet::new(),
            now: Duration::ZERO,
        }
    }

    /// The same, which takes clients that obfuscate with one of these secrets too (rule TR-03).
    #[must_use]
    pub fn with_proxy_secrets(mut self, proxy_secrets: Vec<ProxySecret>) -> Self {
        self.limit_transports(proxy_secrets);
        self
    }

    /// Works by other settings from now on. What is open goes on: connections with the frame limit and the proxy secrets of their
    /// beginning, sessions, keys, and runs of the key exchange with the RSA keys that they were offered.
    pub fn handle_reconfigured(
        &mut self,
        config: EndpointConfig,
        handshakes: handshake::ServerConfig,
        proxy_secrets: Vec<ProxySecret>,
    ) {
        self.config = config;
        self.handshakes.reconfigure(handshakes);
        self.limit_transports(proxy_secrets);
    }

    fn limit_transports(&mut self, proxy_secrets: Vec<ProxySecret>) {
        let max_frame = self.config.frame_bytes;
        self.transport_limits = Arc::new(Limits { max_frame, proxy_secrets, ..Limits::default() });
    }

    /// A connection was accepted.
    pub fn handle_connected(&mut self, connection: ConnectionId, peer: IpAddr, now: Now) {
        self.now = now.monotonic;
        let open = Box::new(Connection::new(peer, Arc::clone(&self.transport_limits)));
        self.connections.insert(connection, open);
        self.timers.set(Timer::FirstFrame(connection), self.later(self.config.first_frame));
        self.tell(Event::Connected { connection: connection.0, peer });
    }

    /// Bytes came on a connection.
    pub fn handle_bytes<O: Observer>(
        &mut self,
        connection: ConnectionId,
        bytes: &[u8],
        env: &mut Env<'_, O>,
    ) {
        self.now = env.now.monotonic;
        let Some(open) = self.connections.get_mut(&connection) else { return };
        let parked = open.parked.is_some();
        let Some(transport) = open.stream() else { return };
        let known = transport.kind().is_some();
        transport.receive(bytes);
        if parked && transport.buffered_capacity() > self.config.parked_bytes() {
            return self.close(connection, "too much came while its key was being looked up".to_owned());
        }
        self.pump(connection, env);
        if !known {
            self.tell_transport(connection);
        }
    }

    /// The other end of a connection is gone.
    pub fn handle_closed(&mut self, connection: ConnectionId, now: Now) {
        self.now = now.monotonic;
        self.forget_connection(connection);
    }

    /// A job is done.
    pub fn handle_job<O: Observer>(&mut self, result: JobResult, env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        self.handshakes.handle_job(result, env);
        self.take_from_handshakes(env);
    }

    /// The store answered.
    pub fn handle_store<O: Observer>(&mut self, ticket: Ticket, outcome: StoreOutcome, env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        match self.purposes.remove(&ticket) {
            Some(Purpose::Handshake(inner)) => {
                self.handshakes.handle_insert(inner, &outcome, env);
                self.take_from_handshakes(env);
            }
            Some(Purpose::Frames(key)) => self.on_found(key, outcome, env),
            Some(Purpose::PermForBind(temp)) => self.on_perm_for_bind(temp, outcome, env),
            Some(Purpose::Bind(request)) => self.on_bind_outcome(&request, outcome, env),
            Some(Purpose::Drop(origin)) => self.on_dropped(origin, outcome, env),
            Some(Purpose::Destroy(asker, key)) => self.on_destroyed(asker, key, outcome, env),
            Some(Purpose::Revoke(id, key)) => self.on_revoked(id, key, outcome, env),
            Some(Purpose::MarkUsed(perm)) => self.on_marked(perm, &outcome),
            None => {}
        }
    }

    /// The place of temporary keys let these go by itself (rule PF-25).
    pub fn handle_ended<O: Observer>(&mut self, keys: &[AuthKeyId], env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        for key in keys {
            let expired = self.keys.get(key).and_then(|live| live.standing.expires_at());
            let reason = match expired {
                Some(at) if at <= env.now.unix_seconds() => EndReason::Expired,
                _ => EndReason::Evicted,
            };
            self.end_key(*key, reason, env);
        }
    }

    /// Does what is due.
    pub fn handle_timeout<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        self.now = env.now.monotonic;
        self.handshakes.handle_timeout(env);
        self.take_from_handshakes(env);
        while let Some(timer) = self.timers.pop_due(self.now) {
            self.on_timer(timer, env);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is wanted next, in monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.timers.next(), self.handshakes.poll_timeout()].into_iter().flatten().min()
    }

    /// What is to be done with connections.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop()
    }

    /// Private-key operations and exponentiations to be done elsewhere.
    pub fn poll_job(&mut self) -> Option<Job> {
        self.handshakes.poll_job()
    }

    /// Requests for the places where keys are kept.
    pub fn poll_store(&mut self) -> Option<(Ticket, StoreRequest)> {
        self.requests.pop_front()
    }

    /// Calls for the back end.
    pub fn poll_call(&mut self) -> Option<UpstreamCall> {
        self.calls.pop_front()
    }

    /// What became of the keys that [`handle_revoke`](Self::handle_revoke) was to end.
    pub fn poll_revoked(&mut self) -> Option<(RevokeId, Revoked)> {
        self.revoked.pop_front()
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// How many connections are open.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.connections.len()
    }

    /// How many calls wait for the back end's answer.
    #[must_use]
    pub fn calls_owed(&self) -> usize {
        self.awaited.len()
    }

    /// How much is under way at whose end somebody has an answer to come: calls, requests to the store, jobs of the key exchange.
    #[must_use]
    pub fn answers_owed(&self) -> usize {
        let stored = self.awaited.len().saturating_add(self.purposes.len());
        stored.saturating_add(self.handshakes.working())
    }

    pub(super) fn take_from_handshakes<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        while let Some(output) = self.handshakes.poll_output() {
            match output {
                handshake::Output::Reply { connection, payload } => {
                    self.send_frame(connection, &payload, env);
                }
                handshake::Output::TransportError { connection, code } => {
                    self.send_error(connection, code, KEY_EXCHANGE);
                }
                handshake::Output::Insert { ticket, record } => {
                    self.ask(Purpose::Handshake(ticket), StoreRequest::Insert(record));
                }
                handshake::Output::Event(event) => self.tell(Event::Handshake(event)),
            }
        }
    }

    pub(super) fn ask(&mut self, purpose: Purpose, request: StoreRequest) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.wrapping_add(1);
        self.purposes.insert(ticket, purpose);
        self.requests.push_back((ticket, request));
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(super) fn later(&self, after: Duration) -> Duration {
        self.now.saturating_add(after)
    }

    /// The monotonic time at which the Unix second `at` begins, if the clock does not jump.
    pub(super) fn at_unix(&self, at: u64, now: Now) -> Duration {
        self.later(Duration::from_secs(at).saturating_sub(now.unix))
    }
}
