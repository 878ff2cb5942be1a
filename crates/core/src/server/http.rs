//! HTTP: one packet a request, one packet a response, and a request waits until there is something to say (rule TR-07).
//!
//! A session answers on one connection at a time. Over HTTP that is the newest of those whose request came from it and
//! waits; when it is answered, the next newest takes its place. A request that is not a session's, because it is of the
//! key exchange or its key is still being looked up, gets what is for it and nothing else.
//!
//! Source: Transports, "HTTP"; Service Messages, "HTTP Wait/Long Poll".

use core::time::Duration;
use std::collections::BTreeMap;

use dayfly_crypto::AuthKeyId;
use dayfly_crypto::kdf::Side;
use dayfly_tl::Reader;
use dayfly_tl::mtproto::MsgsAck;

use crate::env::Env;
use crate::observer::Observer;
use crate::plain::{self, PlainMessage};
use crate::session::server::LongPoll;
use crate::session::{SessionId, envelope};
use crate::transport::{Frame, Limits, MAX_FROM_SERVER, ServerTransport};
use crate::{holds, mutant};

use super::connection::{Channel, ConnectionId};
use super::endpoint::{ServerEndpoint, Timer};
use super::event::Event;

/// Whose packet a request brought.
type Caller = (AuthKeyId, SessionId);

// Status codes of responses; a transport error becomes the status of its number (rule TR-05).
const OK: u16 = 200;
const BAD_REQUEST: u16 = 400;
const CONTENT_TOO_LARGE: u16 = 413;

/// A connection whose payloads are the bodies of requests and responses.
#[derive(Default)]
pub(super) struct Http {
    /// The request that has no response yet.
    turn: Option<Turn>,
    /// Whom the last response was for: until another request comes, nobody knows whether it arrived.
    answered: Option<Caller>,
}

/// A request until its response.
pub(super) struct Turn {
    since: Duration,
    /// `None` as long as no session is known to have sent it.
    caller: Option<Caller>,
    wait: LongPoll,
    /// What was ready at the last look, since when there is anything, and since when there is as much.
    ready: usize,
    first: Option<Duration>,
    latest: Duration,
}

impl Turn {
    fn new(now: Duration) -> Self {
        Self { since: now, caller: None, wait: LongPoll::default(), ready: 0, first: None, latest: now }
    }

    /// When the request is answered whatever happens.
    fn end(&self) -> Duration {
        self.since.saturating_add(self.wait.max_wait)
    }

    /// When it is to be answered, given that so many messages are ready; a message more starts `wait_after` anew.
    fn due(&mut self, ready: usize, now: Duration) -> Duration {
        if ready > self.ready {
            self.latest = now;
        }
        self.ready = ready;
        let first = *self.first.get_or_insert(now);
        let patient = first.saturating_add(self.wait.max_delay);
        patient.min(self.latest.saturating_add(self.wait.wait_after)).min(self.end())
    }
}

/// The requests of sessions that wait for a response, the newest last.
#[derive(Default)]
pub(super) struct Parked {
    waiting: BTreeMap<Caller, Vec<ConnectionId>>,
}

impl Parked {
    fn add(&mut self, caller: Caller, connection: ConnectionId) {
        self.waiting.entry(caller).or_default().push(connection);
    }

    fn remove(&mut self, caller: Caller, connection: ConnectionId) {
        if let Some(waiting) = self.waiting.get_mut(&caller) {
            waiting.retain(|other| *other != connection);
            if waiting.is_empty() {
                self.waiting.remove(&caller);
            }
        }
    }

    pub(super) fn newest(&self, key: AuthKeyId, session_id: SessionId) -> Option<ConnectionId> {
        self.waiting.get(&(key, session_id))?.last().copied()
    }

    /// Every connection with a request under `key`.
    pub(super) fn under(&self, key: AuthKeyId) -> Vec<ConnectionId> {
        let range = (key, SessionId(i64::MIN))..=(key, SessionId(i64::MAX));
        self.waiting.range(range).flat_map(|(_, waiting)| waiting).copied().collect()
    }
}

impl ServerEndpoint {
    /// A connection turned out to hold WebSocket messages: what is in them comes by
    /// [`handle_bytes`](Self::handle_bytes), and has to be obfuscated (rule TR-09).
    pub fn handle_websocket(&mut self, connection: ConnectionId) {
        let limits = self.transport_limits.clone();
        let only = mutant!("TR-09.obfuscated", ServerTransport::obfuscated_only, ServerTransport::new);
        if let Some(open) = self.connections.get_mut(&connection) {
            open.channel = Channel::Stream(only(limits));
            open.websocket = true;
        }
    }

    /// A request came on a connection, which speaks HTTP from now on. It is answered by
    /// [`Output::Respond`](super::Output::Respond), or by closing the connection; until then no other one may come.
    pub fn handle_request<O: Observer>(
        &mut self,
        connection: ConnectionId,
        body: Vec<u8>,
        env: &mut Env<'_, O>,
    ) {
        self.now = env.now.monotonic;
        if !self.begin_turn(connection) {
            return;
        }
        if let Some(status) = refusal(&body, &self.transport_limits) {
            self.respond(connection, status, Vec::new());
            return;
        }
        let swallowed = is_plain_ack(&body);
        self.on_frame(connection, Frame::Payload { bytes: body, quick_ack: false }, env);
        if swallowed {
            self.respond(connection, OK, Vec::new());
        }
    }

    fn begin_turn(&mut self, connection: ConnectionId) -> bool {
        let now = self.now;
        let Some(open) = self.connections.get_mut(&connection) else { return false };
        if let Channel::Stream(_) = open.channel {
            open.channel = Channel::Http(Http::default());
            self.tell(Event::Transport { connection: connection.0, name: "http", obfuscated: false });
        }
        let Some(http) = self.http(connection) else { return false };
        if http.turn.is_some() {
            self.close(connection, "a request before the response to the one before".to_owned());
            return false;
        }
        (http.turn, http.answered) = (Some(Turn::new(now)), None);
        self.timers.set(Timer::Request(connection), now.saturating_add(LongPoll::default().max_wait));
        true
    }

    /// The request that waits on `connection` brought a packet of this session, and waits for what it has to say.
    /// Anywhere but over HTTP an `http_wait` means nothing (rule MS-16).
    pub(super) fn park_request(&mut self, connection: ConnectionId, key: AuthKeyId, session_id: SessionId) {
        let asked = self.session(key, session_id).and_then(|session| session.poll_http_wait());
        let Some(turn) = self.http(connection).and_then(|http| http.turn.as_mut()) else { return };
        turn.wait = asked.unwrap_or_default();
        turn.caller = Some((key, session_id));
        let end = turn.end();
        self.parked.add((key, session_id), connection);
        self.timers.set(Timer::Request(connection), end);
    }

    /// Answers the session's request if it is time; it stays parked else. Rule TR-07: only a request of this very key and
    /// session, and only while it waits.
    pub(super) fn transmit_http<O: Observer>(
        &mut self,
        connection: ConnectionId,
        key: AuthKeyId,
        session_id: SessionId,
        env: &mut Env<'_, O>,
    ) {
        let now = self.now;
        let ready = self.session(key, session_id).map_or(0, |session| session.ready_count(env.now));
        let Some(turn) = self.turn_of(connection, key, session_id) else { return };
        if ready == 0 {
            return;
        }
        let due = turn.due(ready, now);
        if due > now {
            return self.timers.set(Timer::Request(connection), due);
        }
        self.answer_request(connection, key, session_id, env);
        // What did not fit may go out by the next request that waits.
        self.transmit(key, session_id, env);
    }

    /// One packet, the empty one if there is nothing to say.
    fn answer_request<O: Observer>(
        &mut self,
        connection: ConnectionId,
        key: AuthKeyId,
        session_id: SessionId,
        env: &mut Env<'_, O>,
    ) {
        let Some(live) = self.keys.get_mut(&key) else { return };
        let Some(attached) = live.sessions.get_mut(&session_id) else { return };
        let waiting = attached.session.poll_transmit(&mut live.salts, env);
        let plaintext = waiting.unwrap_or_else(|| attached.session.empty_packet(&mut live.salts, env));
        match envelope::seal(&live.traffic, Side::Server, &plaintext, env.random) {
            // rule TR-06
            Ok(packet) if packet.len() > MAX_FROM_SERVER => {
                self.close(connection, format!("a packet of {} bytes, which no client takes", packet.len()));
            }
            Ok(packet) => {
                self.respond(connection, OK, packet);
            }
            Err(_) => self.close(connection, "the source of randomness failed".to_owned()),
        }
    }

    /// An answer of the key exchange; without effect if the request that waits is a session's.
    pub(super) fn respond_plain(&mut self, connection: ConnectionId, payload: &[u8]) {
        let turn = self.http(connection).and_then(|http| http.turn.as_ref());
        if turn.is_some_and(|turn| turn.caller.is_none()) {
            self.respond(connection, OK, payload.to_vec());
        }
    }

    /// A transport error is a status; whether there was a request to tell it to.
    pub(super) fn respond_error(&mut self, connection: ConnectionId, code: i32) -> bool {
        let status = u16::try_from(code.unsigned_abs()).unwrap_or(BAD_REQUEST);
        self.respond(connection, mutant!("TR-05.http", status, OK), Vec::new())
    }

    /// A request waited for as long as it may: for a message, or for others beside the first.
    pub(super) fn on_request_due<O: Observer>(&mut self, connection: ConnectionId, env: &mut Env<'_, O>) {
        let Some(turn) = self.http(connection).and_then(|http| http.turn.as_ref()) else { return };
        let caller = turn.caller;
        match caller {
            Some((key, session_id)) if self.session(key, session_id).is_some() => {
                self.answer_request(connection, key, session_id, env);
                self.serve_session(key, session_id, env);
            }
            // Its session was destroyed meanwhile: there is nobody to speak for.
            Some(_) => {
                self.respond(connection, OK, Vec::new());
            }
            None => self.close(connection, "a request was not answered in time".to_owned()),
        }
    }

    /// Ends the turn of a connection with a response; `false` if it is not its turn.
    fn respond(&mut self, connection: ConnectionId, status: u16, body: Vec<u8>) -> bool {
        let Some(http) = self.http(connection) else { return false };
        let Some(turn) = http.turn.take() else { return false };
        http.answered = turn.caller;
        self.timers.clear(Timer::Request(connection));
        self.outbox.respond(connection, status, body);
        if let Some((key, session_id)) = turn.caller {
            self.parked.remove((key, session_id), connection);
            self.hand_on(key, session_id, connection);
        }
        true
    }

    /// A session that answered on `from` goes on with the newest of its requests that still wait.
    fn hand_on(&mut self, key: AuthKeyId, session_id: SessionId, from: ConnectionId) {
        let Some(next) = self.parked.newest(key, session_id) else { return };
        if self.attached(key, session_id).is_some_and(|attached| attached.connection == Some(from)) {
            self.attach(key, session_id, next);
        }
    }

    /// A connection is gone: its request waits no more, and its last response may not have arrived (rule MS-13).
    pub(super) fn forget_http(&mut self, connection: ConnectionId, http: Http) {
        self.timers.clear(Timer::Request(connection));
        if let Some(caller) = http.turn.and_then(|turn| turn.caller) {
            self.parked.remove(caller, connection);
        }
        let Some((key, session_id)) = http.answered else { return };
        let Some(attached) = self.attached(key, session_id) else { return };
        let goes_on = attached.connection.filter(|other| *other != connection);
        // Over a stream it was all sent again when the session moved there.
        if goes_on.is_some_and(|other| self.is_http(other))
            && let Some(session) = self.session(key, session_id)
        {
            session.handle_new_connection();
            self.timers.set(Timer::Session(key, session_id), self.now);
        }
    }

    /// When a session that answers on `connection` is to be looked after: over HTTP never while it may not speak, for what
    /// is due would stay so.
    pub(super) fn may_speak_at(
        &mut self,
        connection: ConnectionId,
        (key, session_id): Caller,
        at: Duration,
    ) -> Option<Duration> {
        let now = self.now;
        if self.http(connection).is_none() {
            return Some(at);
        }
        self.turn_of(connection, key, session_id).filter(|_| at > now).map(|_| at)
    }

    /// Whether a session moves between connections that both speak HTTP: no reason to send anything again.
    pub(super) fn stays_on_http(&self, before: Option<ConnectionId>, connection: ConnectionId) -> bool {
        before.is_some_and(|before| self.is_http(before)) && self.is_http(connection)
    }

    /// The turn of a request that is this session's.
    pub(super) fn turn_of(
        &mut self,
        connection: ConnectionId,
        key: AuthKeyId,
        session_id: SessionId,
    ) -> Option<&mut Turn> {
        let turn = self.http(connection)?.turn.as_mut()?;
        holds!("TR-07.caller", turn.caller == Some((key, session_id))).then_some(turn)
    }

    pub(super) fn is_http(&self, connection: ConnectionId) -> bool {
        self.connections.get(&connection).is_some_and(|open| matches!(open.channel, Channel::Http(_)))
    }

    fn http(&mut self, connection: ConnectionId) -> Option<&mut Http> {
        match &mut self.connections.get_mut(&connection)?.channel {
            Channel::Http(http) => Some(http),
            Channel::Stream(_) => None,
        }
    }
}

/// The status that a body gets for its length alone (rule TR-06).
fn refusal(body: &[u8], limits: &Limits) -> Option<u16> {
    let limit = if plain::is_plain(body) { limits.max_plain } else { limits.max_frame };
    if !holds!("TR-06.http-limit", body.len() <= limit) {
        return Some(CONTENT_TOO_LARGE);
    }
    let whole = body.len() >= 8 && body.len().is_multiple_of(4);
    (!holds!("TR-06.http-aligned", whole)).then_some(BAD_REQUEST)
}

/// Whether it is a plain `msgs_ack`, the one query without an answer (rule HS-34).
fn is_plain_ack(body: &[u8]) -> bool {
    let query = PlainMessage::from_client(body).ok().filter(|_| plain::is_plain(body));
    query.is_some_and(|query| Reader::new(query.body).peek_id() == Ok(MsgsAck::CONSTRUCTOR))
}
