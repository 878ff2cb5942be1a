//! The server's side of one session, without I/O and without keys.
//!
//! In: opened messages, answers, updates. Out: calls to run, questions to the owner, plaintexts to seal.
//! Whatever a client can repeat, forge under its own key or send out of order ends here in a notice, in
//! silence, or in a [`CloseReason`]; no call comes out of [`ServerSession::poll_call`] twice.

mod calls;
mod incoming;
mod long_poll;
mod outbox;
mod service;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use dayfly_tl::mtproto::{MsgsAck, RpcError, RpcResult};
use dayfly_tl::{LongVec, to_bytes};

use self::calls::Calls;
pub use self::calls::IncomingCall;
pub use self::incoming::Reception;
pub use self::long_poll::LongPoll;
use self::outbox::{Outbox, Outgoing};
use super::container::{self, MAX_MESSAGES};
use super::envelope::plaintext;
use super::msg_id::{MadeFor, MsgId, MsgIdClock};
use super::salt::KeySalts;
use super::seqno::SeqNo;
use super::window::Window;
use super::{CloseReason, Limits, SessionId, gzip};
use crate::env::{Env, Now};
use crate::mutant;
use crate::observer::Observer;

/// What a call is answered with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The serialized result.
    Result(Vec<u8>),
    /// An `rpc_error`.
    Error {
        /// `error_code`, such as 400.
        code: i32,
        /// `error_message`, such as `INPUT_METHOD_INVALID`.
        message: String,
    },
}

/// A service message that only the session's owner can answer, by [`ServerSession::answer_bare`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OwnerRequest {
    /// `destroy_session`: forget another session of the key.
    DestroySession {
        /// The msg_id to answer.
        msg_id: MsgId,
        /// The session to forget.
        session: SessionId,
    },
    /// `destroy_auth_key`: end the key.
    DestroyAuthKey {
        /// The msg_id to answer.
        msg_id: MsgId,
    },
}

/// A session as a server keeps it, one for each (key, session_id). The salts of the key are lent to it.
#[derive(Debug)]
pub struct ServerSession {
    id: SessionId,
    limits: Arc<Limits>,
    clock: MsgIdClock,
    seqno: SeqNo,
    window: Window,
    calls: Calls,
    outbox: Outbox,
    /// What is to be acknowledged, and when at the latest.
    acks: BTreeMap<MsgId, Duration>,
    /// The lowest msg_id announced by new_session_created.
    first: Option<MsgId>,
    unique_id: i64,
    requests: VecDeque<OwnerRequest>,
    disconnect_after: Option<Duration>,
    http_wait: Option<LongPoll>,
}

impl ServerSession {
    /// A session that nothing was received in yet.
    #[must_use]
    pub fn new(id: SessionId, limits: Arc<Limits>) -> Self {
        Self {
            id,
            clock: MsgIdClock::new(0),
            seqno: SeqNo::default(),
            window: Window::new(limits.window),
            calls: Calls::default(),
            outbox: Outbox::default(),
            acks: BTreeMap::new(),
            first: None,
            unique_id: 0,
            requests: VecDeque::new(),
            disconnect_after: None,
            http_wait: None,
            limits,
        }
    }

    /// Its session_id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The next call to run, in the order of arrival, but a bind before the calls that came with it: who runs
    /// a bind leaves the rest here until it is answered (rule PF-18).
    pub fn poll_call(&mut self) -> Option<IncomingCall> {
        self.calls.next()
    }

    /// The next question to the owner.
    pub fn poll_request(&mut self) -> Option<OwnerRequest> {
        self.requests.pop_front()
    }

    /// After how long the connection of the message just handled is to be closed, unless it says so again
    /// (`ping_delay_disconnect`, rule MS-16).
    pub fn poll_disconnect(&mut self) -> Option<Duration> {
        self.disconnect_after.take()
    }

    /// Answers a call. Without effect if it was answered before, or its answer is not wanted any more.
    ///
    /// # Errors
    /// [`CloseReason::Flood`] if more waits for this client than it is allowed to leave unread.
    pub fn answer<O: Observer>(
        &mut self,
        call: MsgId,
        answer: Answer,
        env: &mut Env<'_, O>,
    ) -> Result<(), CloseReason> {
        if !self.calls.is_running(call) {
            return Ok(());
        }
        self.answer_anew(call, &answer, env.now)
    }

    /// Answers an [`OwnerRequest`] with a bare object (rule MS-14).
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn answer_bare<O: Observer>(
        &mut self,
        body: Vec<u8>,
        env: &mut Env<'_, O>,
    ) -> Result<(), CloseReason> {
        self.say(body, MadeFor::Answer, false, env.now).map(drop)
    }

    /// Sends an update.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn push<O: Observer>(&mut self, update: Vec<u8>, env: &mut Env<'_, O>) -> Result<(), CloseReason> {
        self.say(update, MadeFor::Notice, true, env.now).map(drop)
    }

    /// The plaintext of the next packet, for [`super::envelope::seal`]; several messages travel in a
    /// container.
    pub fn poll_transmit<O: Observer>(
        &mut self,
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Option<Vec<u8>> {
        let due = self.acks.values().any(|due| *due <= env.now.monotonic);
        if !due && !self.outbox.has_ready() {
            return None;
        }
        let acks = self.acknowledgement(env.now);
        let count = MAX_MESSAGES as usize;
        let mut messages = self.outbox.take(count.saturating_sub(1), self.limits.packet_bytes);
        messages.extend(acks);
        Some(self.packet(&messages, salts, env))
    }

    /// The client opened a new connection: all that it did not acknowledge goes out again (rule MS-13).
    pub fn handle_new_connection(&mut self) {
        self.outbox.all_again();
    }

    /// Forgets what has become too old. Acknowledgements that are due come out of `poll_transmit`.
    pub fn handle_timeout(&mut self, now: Now) {
        self.outbox.forget_before(now.monotonic.saturating_sub(self.limits.forget_after));
    }

    /// When `handle_timeout` and `poll_transmit` should be called at the latest, in monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let ack = self.acks.values().min().copied();
        let forget = self.outbox.oldest().map(|since| since.saturating_add(self.limits.forget_after));
        [ack, forget.map(|at| at.saturating_add(Duration::from_millis(1)))].into_iter().flatten().min()
    }

    fn answer_anew(&mut self, call: MsgId, answer: &Answer, now: Now) -> Result<(), CloseReason> {
        let result = match answer {
            Answer::Result(result) => self.packed(result),
            Answer::Error { code, message } => {
                Some(to_bytes(&RpcError { error_code: *code, error_message: message.as_bytes() }))
            }
        };
        let result = match (&result, answer) {
            (Some(made), _) | (None, Answer::Result(made)) => made.as_slice(),
            (None, Answer::Error { .. }) => &[],
        };
        let body =
            to_bytes(&RpcResult { req_msg_id: mutant!("MS-14.req-msg-id", call.to_long(), 0), result });
        let message = self.message(body, MadeFor::Answer, true, now);
        let msg_id = message.msg_id;
        // Also if there is no room for the answer: a repeat is then told that it is forgotten.
        self.calls.answered(call, msg_id);
        self.acks.remove(&call); // rule MS-13: the answer acknowledges the call
        self.shrink_acks();
        self.outbox.add(message, Some(call), now.monotonic, &self.limits)
    }

    /// The result in compressed form, where that is wanted and shorter.
    fn packed(&self, result: &[u8]) -> Option<Vec<u8>> {
        let above = self.limits.gzip_above?;
        if result.len() > above { gzip::pack(result) } else { None }
    }

    /// Queues a message of our own.
    fn say(
        &mut self,
        body: Vec<u8>,
        made_for: MadeFor,
        content_related: bool,
        now: Now,
    ) -> Result<MsgId, CloseReason> {
        let message = self.message(body, made_for, content_related, now);
        let msg_id = message.msg_id;
        self.outbox.add(message, None, now.monotonic, &self.limits)?;
        Ok(msg_id)
    }

    fn message(&mut self, body: Vec<u8>, made_for: MadeFor, content_related: bool, now: Now) -> Outgoing {
        let msg_id = self.clock.next(made_for, now);
        Outgoing { msg_id, seqno: self.seqno.next(content_related), body, again: false }
    }

    /// All that is to be acknowledged, in one message.
    fn acknowledgement(&mut self, now: Now) -> Option<Outgoing> {
        let some = self.acks.keys().take(MAX_IDS).copied().collect::<Vec<_>>();
        self.acks.retain(|id, _| some.binary_search(id).is_err());
        self.shrink_acks();
        let msg_ids: LongVec<'_> = some.iter().map(|id| id.to_long()).collect();
        let body = to_bytes(&MsgsAck { msg_ids });
        (!some.is_empty()).then(|| self.message(body, MadeFor::Notice, false, now))
    }

    fn packet<O: Observer>(
        &mut self,
        messages: &[Outgoing],
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Vec<u8> {
        let salt = salts.current(env);
        if let [Outgoing { msg_id, seqno, body, again: false }] = messages {
            return plaintext(salt, self.id, *msg_id, *seqno, body);
        }
        let inners: Vec<_> = messages.iter().map(Outgoing::inner).collect();
        let msg_id = self.clock.next(MadeFor::Notice, env.now);
        plaintext(salt, self.id, msg_id, self.seqno.next(false), &container::pack(&inners))
    }

    /// An empty map keeps its last node.
    fn shrink_acks(&mut self) {
        if self.acks.is_empty() {
            self.acks = BTreeMap::new();
        }
    }

    /// Notes that a message wants to be acknowledged: a call by its answer, if that comes in time.
    fn acknowledge(&mut self, msg_id: MsgId, now: Now) {
        let delay = if self.acks.len() < MANY_ACKS { self.limits.ack_delay } else { Duration::ZERO };
        let due = now.monotonic.saturating_add(delay);
        self.acks.entry(msg_id).or_insert(mutant!("MS-13.ack", due, Duration::MAX));
    }
}

/// How many ids one message may hold (rule MS-13).
const MAX_IDS: usize = 8192;
/// With so many, acknowledgements wait for nothing to travel with.
const MANY_ACKS: usize = 1024;

#[cfg(test)]
mod tests;
