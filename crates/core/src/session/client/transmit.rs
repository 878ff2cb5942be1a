//! What a client sends: calls, what goes with them, and all of it in one container.

use core::time::Duration;

use dayfly_tl::mtproto::{
    GetFutureSalts, MsgResendReqPlain, MsgsAck, MsgsStateReq, PingDelayDisconnect, RpcDropAnswerCall,
};
use dayfly_tl::{LongVec, to_bytes};

use super::calls::{CallId, Source};
use super::{Asked, ClientEvent, ClientSession, RpcFailure};
use crate::env::{Env, Now};
use crate::mutant;
use crate::observer::Observer;
use crate::session::container::{self, Inner};
use crate::session::envelope::plaintext;
use crate::session::msg_id::{MadeFor, MsgId};

/// A message on its way out.
struct Outgoing {
    msg_id: MsgId,
    seqno: i32,
    body: Vec<u8>,
    /// It was sent before, so it must not travel on its own.
    again: bool,
}

impl ClientSession {
    /// The plaintext of the next packet, for [`crate::session::envelope::seal`]: calls, questions and
    /// acknowledgements in one container, or a single message as it is.
    pub fn poll_transmit<O: Observer>(&mut self, env: &mut Env<'_, O>) -> Option<Vec<u8>> {
        let now = env.now;
        let mut messages = self.ready_calls(env);
        self.questions(&mut messages, now);
        if messages.is_empty() && !self.must_acknowledge(now) {
            return None;
        }
        self.company(&mut messages, now);
        Some(self.packet(&messages, now))
    }

    fn ready_calls<O: Observer>(&mut self, env: &mut Env<'_, O>) -> Vec<Outgoing> {
        let (mut messages, mut bytes) = (Vec::new(), 0_usize);
        while let Some(call) = self.calls.first_ready() {
            if messages.len() >= MAX_CALLS || bytes >= self.options.limits.packet_bytes {
                break;
            }
            let Some(message) = self.ready_call(call, env) else { continue };
            bytes = bytes.saturating_add(message.body.len());
            messages.push(message);
        }
        messages
    }

    /// The message of a call: as it was, or under its first or a new msg_id. `None` if it could not be built.
    fn ready_call<O: Observer>(&mut self, id: CallId, env: &mut Env<'_, O>) -> Option<Outgoing> {
        if self.calls.get_mut(id)?.message.is_none() {
            let (msg_id, seqno) = (self.clock.next(MadeFor::Client, env.now), self.seqno.next(true));
            let built = match &mut self.calls.get_mut(id)?.source {
                Source::Built { build, last } if mutant!("PF-21.anew", true, last.is_empty()) => {
                    build(msg_id, self.id, env.random).map(|body| *last = body)
                }
                Source::Built { .. } | Source::Body(_) => Ok(()),
            };
            if let Err(error) = built {
                self.calls.remove(id);
                self.events
                    .push_back(ClientEvent::Answer { call: id, result: Err(RpcFailure::Random(error)) });
                return None;
            }
            self.calls.named(id, msg_id, seqno);
        }
        self.calls.sent(id, env.now.monotonic);
        let call = self.calls.get_mut(id)?;
        let (msg_id, seqno) = call.message?;
        Some(Outgoing { msg_id, seqno, body: call.source.body().to_vec(), again: call.sent > 1 })
    }

    /// What is sent for its own sake.
    fn questions(&mut self, messages: &mut Vec<Outgoing>, now: Now) {
        let states = take_ids(&mut self.states_wanted);
        if !states.is_empty() {
            let msg_id = self.say(messages, to_bytes(&MsgsStateReq { msg_ids: longs(&states) }), now);
            self.expect(msg_id, Asked::States(states));
        }
        let resends = take_ids(&mut self.resends_wanted);
        if !resends.is_empty() {
            self.say(messages, to_bytes(&MsgResendReqPlain { msg_ids: longs(&resends) }), now);
        }
        for msg_id in core::mem::take(&mut self.unwanted) {
            let body = to_bytes(&RpcDropAnswerCall { req_msg_id: msg_id.to_long() });
            let (msg_id, seqno) = (self.clock.next(MadeFor::Client, now), self.seqno.next(true));
            messages.push(Outgoing { msg_id, seqno, body, again: false });
        }
        while let Some(reply) = self.replies.pop_front() {
            self.say(messages, reply, now);
        }
        if core::mem::take(&mut self.ping_wanted) {
            self.ping(messages, now);
        }
    }

    fn ping(&mut self, messages: &mut Vec<Outgoing>, now: Now) {
        let ping_id = self.clock.next(MadeFor::Client, now).to_long(); // unlike any before
        let kept_alive = self.options.ping_every.unwrap_or_default().saturating_add(self.options.pong_within);
        let disconnect_delay = i32::try_from(kept_alive.as_secs()).unwrap_or(i32::MAX);
        let msg_id = self.say(messages, to_bytes(&PingDelayDisconnect { ping_id, disconnect_delay }), now);
        self.expect(msg_id, Asked::Ping { ping_id });
        self.pong_due.get_or_insert(now.monotonic.saturating_add(self.options.pong_within));
    }

    /// What travels with the rest: acknowledgements, and the question for salts.
    fn company(&mut self, messages: &mut Vec<Outgoing>, now: Now) {
        let acks = take_ids(&mut self.acks);
        if self.acks.is_empty() {
            self.ack_due = None;
        }
        if !acks.is_empty() {
            self.say(messages, to_bytes(&MsgsAck { msg_ids: longs(&acks) }), now);
        }
        if self.wants_salts(now) {
            self.next_salt_ask = now.monotonic.saturating_add(SALT_ASK_EVERY);
            let msg_id =
                self.say(messages, to_bytes(&GetFutureSalts { num: self.options.future_salts }), now);
            self.expect(msg_id, Asked::FutureSalts);
        }
    }

    fn wants_salts(&mut self, now: Now) -> bool {
        let server_now = self.server_seconds(now);
        self.salts.current(server_now);
        // Not before the server took something: a first message should be as small as it can.
        self.options.future_salts > 0
            && self.accepted.is_some()
            && !self.salts.knows_the_next()
            && now.monotonic >= self.next_salt_ask
    }

    fn must_acknowledge(&self, now: Now) -> bool {
        let many = self.acks.len() >= MANY_ACKS;
        let due = self.ack_due.is_some_and(|due| due <= now.monotonic);
        mutant!("MS-13.client-ack", many || due, false) && !self.acks.is_empty()
    }

    /// Adds a message that is not content-related.
    fn say(&mut self, messages: &mut Vec<Outgoing>, body: Vec<u8>, now: Now) -> MsgId {
        let msg_id = self.clock.next(MadeFor::Client, now);
        messages.push(Outgoing { msg_id, seqno: self.seqno.next(false), body, again: false });
        msg_id
    }

    fn packet(&mut self, messages: &[Outgoing], now: Now) -> Vec<u8> {
        let server_now = self.server_seconds(now);
        let salt = self.salts.current(server_now);
        if let [Outgoing { msg_id, seqno, body, again: false }] = messages {
            return plaintext(salt, self.id, *msg_id, *seqno, body);
        }
        let inners: Vec<_> = messages.iter().map(Outgoing::inner).collect();
        // The clock may have been set back since an old message was named.
        inners.iter().for_each(|inner| self.clock.raise_above(inner.msg_id));
        let msg_id = self.clock.next(MadeFor::Client, now);
        self.expect(msg_id, Asked::Container(messages.iter().map(|message| message.msg_id).collect()));
        plaintext(salt, self.id, msg_id, self.seqno.next(false), &container::pack(&inners))
    }
}

impl Outgoing {
    fn inner(&self) -> Inner<'_> {
        Inner { msg_id: self.msg_id, seqno: self.seqno, body: &self.body }
    }
}

/// Takes as many ids as one message may hold.
fn take_ids(ids: &mut std::collections::BTreeSet<MsgId>) -> Vec<MsgId> {
    let mut taken = Vec::new();
    while taken.len() < MAX_IDS {
        let Some(id) = ids.pop_first() else { break };
        taken.push(id);
    }
    taken
}

fn longs(ids: &[MsgId]) -> LongVec<'static> {
    ids.iter().map(|id| id.to_long()).collect()
}

/// Calls in one container; what goes with them fits beside.
const MAX_CALLS: usize = 1000;
/// Ids in one message (rule MS-13).
const MAX_IDS: usize = 8192;
/// With so many, acknowledgements wait for nothing to travel with.
const MANY_ACKS: usize = 16;
/// How often the server is asked for future salts at most.
const SALT_ASK_EVERY: Duration = Duration::from_secs(600);
