//! The client's side of one session, without I/O and without keys: one for each temporary key in use.
//!
//! Every call ends in exactly one [`ClientEvent::Answer`], unless the owner takes it away with
//! [`ClientSession::drain`]. Loss, repeats, wrong salts and a wrong clock are dealt with in here: a call goes
//! out again under its old msg_id while the server may have run it, and under a new one only when the server
//! refused the old.

mod calls;
mod incoming;
mod notices;
mod salts;
mod transmit;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub use self::calls::{BuildCall, CallId};
use self::calls::{Calls, Source};
use self::salts::Salts;
use super::gzip::GzipError;
use super::msg_id::{MsgId, MsgIdClock};
use super::seqno::SeqNo;
use super::window::Window;
use super::{Limits, SessionId};
use crate::env::{Env, Now, RandomError};
use crate::observer::Observer;

/// How a client's session behaves.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The bounds of what a server can make it keep.
    pub limits: Arc<Limits>,
    /// How long an acknowledgement waits for a call to travel with.
    pub ack_delay: Duration,
    /// After how long without a word the server is asked what became of a call; doubled each time, up to a
    /// minute.
    pub ask_after: Duration,
    /// How often the connection is kept alive by `ping_delay_disconnect`; `None` never.
    pub ping_every: Option<Duration>,
    /// After how long without a pong the connection is given up.
    pub pong_within: Duration,
    /// How many future salts to ask for, along with other messages; 0 for none.
    pub future_salts: i32,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            limits: Arc::default(),
            ack_delay: Duration::from_secs(10),
            ask_after: Duration::from_secs(5),
            ping_every: Some(Duration::from_secs(60)),
            pong_within: Duration::from_secs(15),
            future_salts: 8,
        }
    }
}

/// Why a call did not succeed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RpcFailure {
    /// The server ran it, or refused to, and said so.
    #[error("rpc error {code}: {message}")]
    Error {
        /// `error_code`, such as 400.
        code: i32,
        /// `error_message`, such as `ENCRYPTED_MESSAGE_INVALID`; cut to 512 bytes.
        message: String,
    },
    /// The server refused its message and nothing that can be corrected helped (rule MS-18).
    #[error("the server refuses the message with code {code}")]
    Refused {
        /// `error_code` of bad_msg_notification.
        code: i32,
    },
    /// The result came compressed and does not unpack within the bound.
    #[error("the result cannot be unpacked: {0}")]
    Result(#[from] GzipError),
    /// The call could not be built.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// What a session tells its owner.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// A call is over.
    Answer {
        /// Which one.
        call: CallId,
        /// The serialized result, unpacked.
        result: Result<Vec<u8>, RpcFailure>,
    },
    /// An object that answers no call.
    Update(Vec<u8>),
    /// The server made the session anew: updates may have been missed (rule MS-11).
    NewSession {
        /// The lowest msg_id that the server took.
        first_msg_id: MsgId,
        /// New for each making.
        unique_id: i64,
    },
    /// The server named another salt.
    SaltChanged(i64),
    /// The server's clock is so many seconds ahead of ours (rule MS-18).
    TimeChanged(i64),
    /// A ping was not answered in time: a new connection is due.
    Silent,
}

/// A service message that the client sent and expects something of.
#[derive(Debug)]
enum Asked {
    Ping { ping_id: i64 },
    FutureSalts,
    States(Vec<MsgId>),
    Container(Vec<MsgId>),
}

/// A session as a client keeps it.
#[derive(Debug)]
pub struct ClientSession {
    id: SessionId,
    options: ClientOptions,
    clock: MsgIdClock,
    seqno: SeqNo,
    salts: Salts,
    window: Window,
    calls: Calls,
    /// Service messages sent, the latest ones.
    asked: BTreeMap<MsgId, Asked>,
    /// The highest msg_id that the server took for certain.
    accepted: Option<MsgId>,
    acks: BTreeSet<MsgId>,
    ack_due: Option<Duration>,
    /// msg_ids of calls to ask after, and of answers to ask for.
    states_wanted: BTreeSet<MsgId>,
    resends_wanted: BTreeSet<MsgId>,
    /// Answers to what the server asked.
    replies: VecDeque<Vec<u8>>,
    /// Messages whose answers nobody waits for any more.
    unwanted: VecDeque<MsgId>,
    ping_wanted: bool,
    next_ping: Option<Duration>,
    pong_due: Option<Duration>,
    next_salt_ask: Duration,
    unique_id: Option<i64>,
    events: VecDeque<ClientEvent>,
}

impl ClientSession {
    /// A session under a new key: `id` is random and not 0, `salt` and `server_time_offset` (the server's
    /// clock minus ours, in seconds) are those of the key's handshake (rule HS-28).
    #[must_use]
    pub fn new<O: Observer>(
        id: SessionId,
        salt: i64,
        server_time_offset: i64,
        options: ClientOptions,
        env: &Env<'_, O>,
    ) -> Self {
        Self {
            id,
            clock: MsgIdClock::new(server_time_offset),
            seqno: SeqNo::default(),
            salts: Salts::new(salt),
            window: Window::new(options.limits.window),
            calls: Calls::default(),
            asked: BTreeMap::new(),
            accepted: None,
            acks: BTreeSet::new(),
            ack_due: None,
            states_wanted: BTreeSet::new(),
            resends_wanted: BTreeSet::new(),
            replies: VecDeque::new(),
            unwanted: VecDeque::new(),
            ping_wanted: false,
            next_ping: options.ping_every.map(|every| env.now.monotonic.saturating_add(every)),
            pong_due: None,
            next_salt_ask: Duration::ZERO,
            unique_id: None,
            events: VecDeque::new(),
            options,
        }
    }

    /// Its session_id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The server's clock minus ours, in seconds, as far as it is known by now.
    #[must_use]
    pub fn server_time_offset(&self) -> i64 {
        self.clock.offset()
    }

    /// Sends a call. The number of calls is the owner's to bound.
    pub fn call(&mut self, body: Vec<u8>) -> CallId {
        self.calls.add(Source::Body(body), self.options.ask_after)
    }

    /// Sends a call whose body depends on its msg_id: a bind (rule PF-21).
    pub fn call_built(&mut self, build: BuildCall) -> CallId {
        self.calls.add(Source::Built { build, last: Vec::new() }, self.options.ask_after)
    }

    /// Nobody waits for the call any more: it gives no answer and is not sent again. If it went out the server is asked,
    /// once, to drop its answer (`rpc_drop_answer`); whether it runs the call or not is not known.
    pub fn cancel(&mut self, call: CallId) {
        let Some(call) = self.calls.remove(call) else { return };
        let sent = call.message.filter(|_| call.sent > 0);
        if let Some((msg_id, _)) = sent.filter(|_| self.unwanted.len() < MAX_UNWANTED) {
            self.unwanted.push_back(msg_id);
        }
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// How many calls are not answered.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Takes away the calls that are not answered, in their order, for a session under another key (rule
    /// PF-14). What the server ran already it then runs again; a call made by
    /// [`call_built`](Self::call_built) is of this session alone and ends here.
    pub fn drain(&mut self) -> Vec<(CallId, Vec<u8>)> {
        let ids = self.calls.ids();
        let taken = ids.into_iter().filter_map(|id| match self.calls.remove(id)?.source {
            Source::Body(body) => Some((id, body)),
            Source::Built { .. } => None,
        });
        taken.collect()
    }

    /// A new connection: what was not acknowledged goes out again, under its msg_id and in a container (rule
    /// MS-13).
    pub fn handle_reconnected<O: Observer>(&mut self, env: &Env<'_, O>) {
        self.calls.all_again();
        self.pong_due = None;
        self.next_ping = self.options.ping_every.map(|every| env.now.monotonic.saturating_add(every));
        self.ping_wanted = self.options.ping_every.is_some();
    }

    /// Does what time has come for. Afterwards drain `poll_transmit` and `poll_event`.
    pub fn handle_timeout<O: Observer>(&mut self, env: &Env<'_, O>) {
        let now = env.now.monotonic;
        while let Some(call) = self.calls.next_due(now) {
            let message = self.calls.get_mut(call).and_then(|call| call.message);
            self.states_wanted.extend(message.map(|(msg_id, _)| msg_id));
            self.calls.wait(call, now);
        }
        if self.pong_due.is_some_and(|due| due <= now) {
            self.pong_due = None;
            self.events.push_back(ClientEvent::Silent);
        }
        if self.next_ping.is_some_and(|due| due <= now) {
            self.ping_wanted = true;
            self.next_ping = self.options.ping_every.map(|every| now.saturating_add(every));
        }
    }

    /// When to call `handle_timeout` and `poll_transmit` at the latest, in monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.calls.first_due(), self.ack_due, self.next_ping, self.pong_due].into_iter().flatten().min()
    }

    fn server_seconds(&self, now: Now) -> u64 {
        self.clock.server_seconds(now)
    }

    /// Remembers a service message that something is expected of; the oldest one is forgotten for it.
    fn expect(&mut self, msg_id: MsgId, asked: Asked) {
        self.asked.insert(msg_id, asked);
        while self.asked.len() > MAX_ASKED {
            self.asked.pop_first();
        }
    }
}

/// Answers that the server is yet to be asked to drop; more are let come, and passed over.
const MAX_UNWANTED: usize = 256;
/// Service messages and containers that a notice can still be about.
const MAX_ASKED: usize = 1024;

#[cfg(test)]
mod tests;
