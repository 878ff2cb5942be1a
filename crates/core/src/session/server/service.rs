//! Service messages of the client, and what the server says to them.

use core::time::Duration;

use dayfly_tl::mtproto::{
    DestroyAuthKey, DestroySession, FutureSalts, GetFutureSalts, GzipPacked, HttpWait, MsgContainer, MsgCopy,
    MsgDetailedInfoPlain, MsgNewDetailedInfo, MsgResendAnsReq, MsgResendReqPlain, MsgsAck, MsgsAllInfo,
    MsgsStateInfo, MsgsStateReq, Ping, PingDelayDisconnect, Pong, RpcAnswerDropped, RpcAnswerDroppedRunning,
    RpcAnswerUnknown, RpcDropAnswerCall,
};
use dayfly_tl::{LongVec, Read, Reader, read_exact, to_bytes};

use super::calls::Progress;
use super::{Answer, MAX_IDS, OwnerRequest, ServerSession};
use crate::env::{Env, Now};
use crate::observer::Observer;
use crate::session::container::Inner;
use crate::session::msg_id::{MadeFor, MsgId};
use crate::session::salt::KeySalts;
use crate::session::{CloseReason, SessionId, gzip};
use crate::{enforce, mutant};

/// How a message counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// An API call, which has an odd seqno.
    Call,
    /// A service message that may be content-related or not.
    Service,
    /// An acknowledgement or container, which has an even seqno.
    NeverContent,
}

/// Tells calls from service messages; a packed one counts as what it holds (rule MS-04).
pub(super) fn kind(body: &[u8], unpacked_bytes: usize) -> Kind {
    match Reader::new(body).peek_id().unwrap_or(0) {
        MsgsAck::CONSTRUCTOR | MsgContainer::CONSTRUCTOR | MsgCopy::CONSTRUCTOR => Kind::NeverContent,
        GzipPacked::CONSTRUCTOR => match gzip::first_word(body, unpacked_bytes) {
            Some(word) => kind(&word, 0),
            None => Kind::Service, // It does not unpack; what it wanted to be is not known.
        },
        id if SERVICE.contains(&id) => Kind::Service,
        _ => Kind::Call,
    }
}

impl ServerSession {
    /// One flat list; what cannot be read is dropped, for there is no form in which to complain of it.
    pub(super) fn handle_service<O: Observer>(
        &mut self,
        message: &Inner<'_>,
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Result<(), CloseReason> {
        let (body, now) = (message.body, env.now);
        match Reader::new(body).peek_id().unwrap_or(0) {
            MsgsAck::CONSTRUCTOR => with(body, |ack: MsgsAck<'_>| self.on_ack(&ack.msg_ids)),
            Ping::CONSTRUCTOR => with(body, |ping: Ping| self.on_ping(message, ping.ping_id, now)),
            PingDelayDisconnect::CONSTRUCTOR => with(body, |ping| self.on_ping_delay(message, &ping, now)),
            GetFutureSalts::CONSTRUCTOR => {
                with(body, |ask| self.on_get_future_salts(message, &ask, salts, env))
            }
            MsgsStateReq::CONSTRUCTOR => {
                with(body, |ask: MsgsStateReq<'_>| self.on_state_req(message, &ask.msg_ids, now))
            }
            MsgResendReqPlain::CONSTRUCTOR => {
                with(body, |ask: MsgResendReqPlain<'_>| self.on_resend_req(message, &ask.msg_ids, now))
            }
            MsgResendAnsReq::CONSTRUCTOR => {
                with(body, |ask: MsgResendAnsReq<'_>| self.on_resend_req(message, &ask.msg_ids, now))
            }
            RpcDropAnswerCall::CONSTRUCTOR => with(body, |ask: RpcDropAnswerCall| {
                self.on_drop_answer(message.msg_id, MsgId::from_long(ask.req_msg_id), now)
            }),
            DestroySession::CONSTRUCTOR => with(body, |ask: DestroySession| {
                let session = SessionId(ask.session_id);
                self.ask_owner(OwnerRequest::DestroySession { msg_id: message.msg_id, session })
            }),
            DestroyAuthKey::CONSTRUCTOR => {
                self.ask_owner(OwnerRequest::DestroyAuthKey { msg_id: message.msg_id })
            }
            HttpWait::CONSTRUCTOR => with(body, |asked: HttpWait| self.on_http_wait(asked)),
            // Of the states that a client tells, none changes what we do.
            _ => Ok(()),
        }
    }

    fn on_ack(&mut self, msg_ids: &LongVec<'_>) -> Result<(), CloseReason> {
        enforce!("MS-13.ids", msg_ids.len() <= MAX_IDS, CloseReason::Flood);
        for msg_id in msg_ids.iter().map(MsgId::from_long) {
            let Some(kept) = self.outbox.remove(msg_id) else { continue };
            kept.answers.iter().for_each(|call| self.calls.settled(*call));
        }
        Ok(())
    }

    fn on_ping(&mut self, message: &Inner<'_>, ping_id: i64, now: Now) -> Result<(), CloseReason> {
        self.acks.remove(&message.msg_id); // the pong acknowledges it
        let ping_id = mutant!("MS-16.ping-id", ping_id, 0);
        self.say(to_bytes(&Pong { msg_id: message.msg_id.to_long(), ping_id }), MadeFor::Answer, false, now)
            .map(drop)
    }

    fn on_ping_delay(
        &mut self,
        message: &Inner<'_>,
        ping: &PingDelayDisconnect,
        now: Now,
    ) -> Result<(), CloseReason> {
        let seconds = u64::try_from(ping.disconnect_delay).unwrap_or(0);
        self.disconnect_after = mutant!("MS-16.disconnect", Some(Duration::from_secs(seconds)), None);
        self.on_ping(message, ping.ping_id, now)
    }

    fn on_get_future_salts<O: Observer>(
        &mut self,
        message: &Inner<'_>,
        ask: &GetFutureSalts,
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Result<(), CloseReason> {
        self.acks.remove(&message.msg_id); // the answer acknowledges it
        let now = i32::try_from(env.now.unix_seconds()).unwrap_or(i32::MAX);
        let salts = salts.future(ask.num, env)?;
        let body = to_bytes(&FutureSalts { req_msg_id: message.msg_id.to_long(), now, salts });
        self.say(body, MadeFor::Answer, false, env.now).map(drop)
    }

    fn on_state_req(&mut self, message: &Inner<'_>, ids: &LongVec<'_>, now: Now) -> Result<(), CloseReason> {
        enforce!("MS-13.state-ids", ids.len() <= MAX_IDS, CloseReason::Flood);
        self.acks.remove(&message.msg_id); // the answer acknowledges it
        let info: Vec<u8> = ids.iter().map(|id| self.state(MsgId::from_long(id))).collect();
        let body = to_bytes(&MsgsStateInfo { req_msg_id: message.msg_id.to_long(), info: &info });
        self.say(body, MadeFor::Answer, false, now).map(drop)
    }

    /// Sends the messages again or, if one is not known, the states of all (rule MS-15).
    fn on_resend_req(&mut self, message: &Inner<'_>, ids: &LongVec<'_>, now: Now) -> Result<(), CloseReason> {
        enforce!("MS-13.resend-ids", ids.len() <= MAX_IDS, CloseReason::Flood);
        if !ids.iter().all(|id| self.outbox.knows(MsgId::from_long(id))) {
            return self.on_state_req(message, ids, now);
        }
        for msg_id in ids.iter().map(MsgId::from_long) {
            self.outbox.again(msg_id);
        }
        Ok(())
    }

    /// One byte of msgs_state_info (rule MS-15).
    fn state(&self, msg_id: MsgId) -> u8 {
        if !msg_id.is_of_client() {
            return 1; // Ours, or nobody's.
        }
        let call = match self.calls.progress(msg_id) {
            Some(Progress::Running { .. }) => IN_WORK,
            Some(Progress::Answered { .. }) => IN_WORK | ANSWERED,
            Some(Progress::Settled) => IN_WORK | ANSWERED | TAKEN,
            None => 0,
        };
        mutant!("MS-15.state", self.window.status(msg_id) | call, 1)
    }

    /// Source: Service Messages, "Cancellation of an RPC Query" (rule MS-14).
    fn on_drop_answer(&mut self, ask: MsgId, call: MsgId, now: Now) -> Result<(), CloseReason> {
        let outcome = match self.calls.progress(call) {
            Some(Progress::Running { .. }) => {
                let dropped = to_bytes(&RpcAnswerDroppedRunning);
                self.answer_anew(call, &Answer::Result(dropped.clone()), now)?;
                dropped
            }
            Some(Progress::Answered { by }) => self.drop_answer(call, by),
            Some(Progress::Settled) | None => to_bytes(&RpcAnswerUnknown),
        };
        self.answer_anew(ask, &Answer::Result(outcome), now)
    }

    fn drop_answer(&mut self, call: MsgId, by: MsgId) -> Vec<u8> {
        self.calls.settled(call);
        let Some(kept) = self.outbox.remove(by) else { return to_bytes(&RpcAnswerUnknown) };
        let bytes = i32::try_from(kept.body.len()).unwrap_or(i32::MAX);
        to_bytes(&RpcAnswerDropped { msg_id: by.to_long(), seq_no: kept.seqno, bytes })
    }

    fn ask_owner(&mut self, request: OwnerRequest) -> Result<(), CloseReason> {
        if self.requests.len() >= MAX_REQUESTS {
            return Err(CloseReason::Flood);
        }
        self.requests.push_back(request);
        Ok(())
    }
}

/// Does something with a message if it can be read.
fn with<'a, T: Read<'a>>(
    body: &'a [u8],
    act: impl FnOnce(T) -> Result<(), CloseReason>,
) -> Result<(), CloseReason> {
    read_exact(body).map_or(Ok(()), act)
}

/// Constructors that are no API calls.
const SERVICE: [u32; 16] = [
    Ping::CONSTRUCTOR,
    PingDelayDisconnect::CONSTRUCTOR,
    Pong::CONSTRUCTOR,
    GetFutureSalts::CONSTRUCTOR,
    HttpWait::CONSTRUCTOR,
    MsgsStateReq::CONSTRUCTOR,
    MsgsStateInfo::CONSTRUCTOR,
    MsgsAllInfo::CONSTRUCTOR,
    MsgDetailedInfoPlain::CONSTRUCTOR,
    MsgNewDetailedInfo::CONSTRUCTOR,
    MsgResendReqPlain::CONSTRUCTOR,
    MsgResendAnsReq::CONSTRUCTOR,
    RpcDropAnswerCall::CONSTRUCTOR,
    DestroySession::CONSTRUCTOR,
    DestroyAuthKey::CONSTRUCTOR,
    0, // no constructor at all
];

/// The query is in work, or done.
const IN_WORK: u8 = 32;
/// There is an answer to it.
const ANSWERED: u8 = 64;
/// The client has it for certain.
const TAKEN: u8 = 128;
/// Questions that may wait for the owner at once.
const MAX_REQUESTS: usize = 64;
