//! What a client does with what the server sends.

use dayfly_tl::mtproto::{
    BadMsgNotificationPlain, BadServerSalt, FutureSalts, GzipPacked, MsgDetailedInfoPlain,
    MsgNewDetailedInfo, MsgResendReqPlain, MsgsAck, MsgsAllInfo, MsgsStateInfo, MsgsStateReq,
    NewSessionCreated, Ping, Pong, RpcError, RpcResult,
};
use dayfly_tl::{LongVec, Read, Reader, read_exact, to_bytes};

use super::notices::Notice;
use super::{Asked, ClientEvent, ClientSession, RpcFailure};
use crate::env::{Env, Now};
use crate::observer::Observer;
use crate::session::container::{self, ContainerError, Inner};
use crate::session::msg_id::{Age, MsgId};
use crate::session::seqno::is_content_related;
use crate::session::window::Known;
use crate::session::{CloseReason, Opened, gzip};
use crate::{enforce, holds, mutant};

impl ClientSession {
    /// Takes one opened message. Afterwards drain `poll_event` and `poll_transmit`.
    ///
    /// What is not timely, not odd or not readable is ignored, as the specification asks; notices about what
    /// was recently sent are taken at any time (rules MS-18, MS-20). One that is ahead of time is ignored too,
    /// but shows that our clock went back, and its time is taken: else all that follows would be ignored.
    ///
    /// # Errors
    /// [`CloseReason::ForeignSession`] if it is of another session, [`CloseReason::Flood`] beyond the limits
    /// of a container.
    pub fn handle_message<O: Observer>(
        &mut self,
        opened: &Opened<'_>,
        env: &mut Env<'_, O>,
    ) -> Result<(), CloseReason> {
        enforce!("MS-08.client", opened.session_id == self.id, CloseReason::ForeignSession);
        let message = Inner { msg_id: opened.msg_id, seqno: opened.seqno, body: opened.body };
        let messages = match contents(&message) {
            Ok(messages) => messages,
            Err(ContainerError::TooMany) => return Err(CloseReason::Flood),
            Err(_) => return Ok(()),
        };
        let odd = messages.iter().chain([&message]).all(|inner| inner.msg_id.is_of_server());
        if !holds!("MS-20.odd", odd) {
            return Ok(());
        }
        let age = opened.msg_id.age(self.server_seconds(env.now));
        let timely = holds!("MS-20.time", age == Age::Timely);
        if !holds!("MS-20.behind", age != Age::TooHigh) {
            self.catch_up(opened.msg_id, env.now);
        }
        for inner in messages {
            if let Some(notice) = notice(&inner) {
                self.on_notice(notice, env.now);
            } else if timely {
                self.take(&inner, env.now);
            }
        }
        Ok(())
    }

    fn take(&mut self, message: &Inner<'_>, now: Now) {
        if is_content_related(message.seqno) {
            self.acknowledge(message.msg_id, now); // a repeat too: the first acknowledgement may be lost
        }
        if self.window.knows(message.msg_id) != Known::New {
            return;
        }
        self.window.insert(message.msg_id, message.seqno);
        self.dispatch(message.msg_id, message.body, now);
    }

    /// One flat list.
    fn dispatch(&mut self, msg_id: MsgId, body: &[u8], now: Now) {
        match Reader::new(body).peek_id().unwrap_or(0) {
            RpcResult::CONSTRUCTOR => with(body, |result| self.on_result(&result)),
            MsgsAck::CONSTRUCTOR => with(body, |ack: MsgsAck<'_>| self.on_ack(&ack.msg_ids)),
            Pong::CONSTRUCTOR => with(body, |pong| self.on_pong(&pong)),
            NewSessionCreated::CONSTRUCTOR => with(body, |notice| self.on_new_session(&notice)),
            FutureSalts::CONSTRUCTOR => with(body, |salts| self.on_future_salts(&salts)),
            MsgsStateInfo::CONSTRUCTOR => with(body, |info| self.on_states(&info)),
            MsgDetailedInfoPlain::CONSTRUCTOR => with(body, |info| self.on_detailed_info(&info, now)),
            MsgNewDetailedInfo::CONSTRUCTOR => with(body, |info: MsgNewDetailedInfo| {
                self.want(MsgId::from_long(info.answer_msg_id), now);
            }),
            MsgsStateReq::CONSTRUCTOR => {
                with(body, |ask: MsgsStateReq<'_>| self.on_state_req(msg_id, &ask.msg_ids));
            }
            MsgResendReqPlain::CONSTRUCTOR => with(body, |ask| self.on_resend_req(msg_id, &ask)),
            Ping::CONSTRUCTOR => with(body, |ping: Ping| {
                self.reply(to_bytes(&Pong { msg_id: msg_id.to_long(), ping_id: ping.ping_id }));
            }),
            GzipPacked::CONSTRUCTOR => self.on_packed(msg_id, body, now),
            MsgsAllInfo::CONSTRUCTOR => {} // Told of its own accord; what matters of it is asked for.
            _ => self.events.push_back(ClientEvent::Update(body.to_vec())),
        }
    }

    /// A message that is packed as a whole; what does not unpack is dropped, and one in another is none.
    fn on_packed(&mut self, msg_id: MsgId, body: &[u8], now: Now) {
        let Ok(unpacked) = gzip::unpack(body, self.options.limits.unpacked_bytes) else { return };
        if Reader::new(&unpacked).peek_id() != Ok(GzipPacked::CONSTRUCTOR) {
            self.dispatch(msg_id, &unpacked, now);
        }
    }

    /// Source: Service Messages, "Response to an RPC query" (rule MS-14).
    fn on_result(&mut self, result: &RpcResult<'_>) {
        let answered = MsgId::from_long(result.req_msg_id);
        let Some(call) = self.calls.find(answered) else { return };
        self.accept(answered);
        let result = read_result(result.result, self.options.limits.unpacked_bytes);
        self.finish(call, result);
    }

    fn on_ack(&mut self, msg_ids: &LongVec<'_>) {
        for msg_id in msg_ids.iter().take(MAX_IDS).map(MsgId::from_long) {
            self.acknowledged(msg_id);
        }
    }

    /// The server took one of our calls.
    fn acknowledged(&mut self, msg_id: MsgId) {
        if self.calls.current(msg_id).is_some() {
            self.calls.acknowledge(msg_id);
            self.accept(msg_id);
        }
    }

    fn accept(&mut self, msg_id: MsgId) {
        self.accepted = self.accepted.max(Some(msg_id));
    }

    fn on_pong(&mut self, pong: &Pong) {
        let msg_id = MsgId::from_long(pong.msg_id);
        let ours =
            matches!(self.asked.get(&msg_id), Some(Asked::Ping { ping_id }) if *ping_id == pong.ping_id);
        if holds!("MS-16.client-pong", ours) {
            self.asked.remove(&msg_id);
            self.pong_due = None;
            self.accept(msg_id);
        }
    }

    /// Source: Service Messages, "New Session Creation Notification" (rule MS-11).
    fn on_new_session(&mut self, notice: &NewSessionCreated) {
        let first_msg_id = MsgId::from_long(notice.first_msg_id);
        self.take_salt(notice.server_salt);
        let lost = mutant!("MS-11.below", self.calls.below(first_msg_id), Vec::new());
        lost.into_iter().for_each(|call| self.calls.again(call));
        if self.unique_id.replace(notice.unique_id) != Some(notice.unique_id) {
            let unique_id = notice.unique_id;
            self.events.push_back(ClientEvent::NewSession { first_msg_id, unique_id });
        }
    }

    /// Source: Service Messages, "Request for several future salts" (rule MS-10).
    fn on_future_salts(&mut self, salts: &FutureSalts) {
        let asked = MsgId::from_long(salts.req_msg_id);
        let ours = matches!(self.asked.get(&asked), Some(Asked::FutureSalts));
        if holds!("MS-10.req-msg-id", ours) {
            self.asked.remove(&asked);
            self.accept(asked);
            self.salts.promise(&salts.salts);
        }
    }

    /// What became of calls that were asked after (rule MS-15).
    fn on_states(&mut self, info: &MsgsStateInfo<'_>) {
        let asked = MsgId::from_long(info.req_msg_id);
        let Some(Asked::States(ids)) = self.asked.get(&asked) else { return };
        let ids = ids.clone();
        self.asked.remove(&asked);
        self.accept(asked);
        for (msg_id, state) in ids.into_iter().zip(info.info) {
            let Some(call) = self.calls.current(msg_id) else { continue };
            let received = state & 7 == RECEIVED;
            if received {
                self.acknowledged(msg_id);
            }
            // Not received, or answered and the answer lost: the same msg_id again asks for both.
            if mutant!("MS-15.lost", !received || state & ANSWERED != 0, false) {
                self.calls.again(call);
            }
        }
    }

    fn on_detailed_info(&mut self, info: &MsgDetailedInfoPlain, now: Now) {
        self.acknowledged(MsgId::from_long(info.msg_id));
        self.want(MsgId::from_long(info.answer_msg_id), now);
    }

    /// Asks for an announced message, or acknowledges it if it came before (rule MS-15).
    fn want(&mut self, msg_id: MsgId, now: Now) {
        if self.window.knows(msg_id) != Known::New {
            self.acknowledge(msg_id, now);
        } else if self.resends_wanted.len() < MAX_IDS {
            self.resends_wanted.insert(msg_id);
        }
    }

    fn on_state_req(&mut self, msg_id: MsgId, ids: &LongVec<'_>) {
        let info: Vec<u8> =
            ids.iter().take(MAX_IDS).map(|id| self.window.status(MsgId::from_long(id))).collect();
        self.reply(to_bytes(&MsgsStateInfo { req_msg_id: msg_id.to_long(), info: &info }));
    }

    fn on_resend_req(&mut self, msg_id: MsgId, ask: &MsgResendReqPlain<'_>) {
        let calls: Vec<_> =
            ask.msg_ids.iter().take(MAX_IDS).map(|id| self.calls.current(MsgId::from_long(id))).collect();
        if calls.iter().any(Option::is_none) {
            return self.on_state_req(msg_id, &ask.msg_ids);
        }
        calls.into_iter().flatten().for_each(|call| self.calls.again(call));
    }

    fn reply(&mut self, body: Vec<u8>) {
        if self.replies.len() < MAX_REPLIES {
            self.replies.push_back(body);
        }
    }

    fn acknowledge(&mut self, msg_id: MsgId, now: Now) {
        self.acks.insert(msg_id);
        self.ack_due.get_or_insert(now.monotonic.saturating_add(self.options.ack_delay));
    }
}

/// The messages in a container, or the one message.
fn contents<'a>(message: &Inner<'a>) -> Result<Vec<Inner<'a>>, ContainerError> {
    if container::is_container(message.body) {
        container::open(message.body, message.msg_id)
    } else {
        Ok(vec![*message])
    }
}

fn notice(message: &Inner<'_>) -> Option<Notice> {
    let msg_id = message.msg_id;
    match Reader::new(message.body).peek_id().ok()? {
        BadMsgNotificationPlain::CONSTRUCTOR => {
            let BadMsgNotificationPlain { bad_msg_id, error_code: code, .. } =
                read_exact(message.body).ok()?;
            Some(Notice { msg_id, about: MsgId::from_long(bad_msg_id), code, salt: None })
        }
        BadServerSalt::CONSTRUCTOR => {
            let bad: BadServerSalt = read_exact(message.body).ok()?;
            let about = MsgId::from_long(bad.bad_msg_id);
            Some(Notice { msg_id, about, code: bad.error_code, salt: Some(bad.new_server_salt) })
        }
        _ => None,
    }
}

/// A result unpacked, or the error in its place; an error may be packed too.
fn read_result(result: &[u8], limit: usize) -> Result<Vec<u8>, RpcFailure> {
    let result = match Reader::new(result).peek_id() {
        Ok(GzipPacked::CONSTRUCTOR) => gzip::unpack(result, limit)?,
        _ => result.to_vec(),
    };
    match Reader::new(&result).peek_id() {
        Ok(RpcError::CONSTRUCTOR) => Err(read_error(&result)),
        _ => Ok(result),
    }
}

fn read_error(error: &[u8]) -> RpcFailure {
    let Ok(RpcError { error_code: code, error_message }) = read_exact(error) else {
        return RpcFailure::Error { code: 500, message: "UNREADABLE_ERROR".into() };
    };
    let text = error_message.get(..MAX_TEXT).unwrap_or(error_message);
    RpcFailure::Error { code, message: String::from_utf8_lossy(text).into_owned() }
}

/// Does something with a message if it can be read.
fn with<'a, T: Read<'a>>(body: &'a [u8], act: impl FnOnce(T)) {
    if let Ok(message) = read_exact(body) {
        act(message);
    }
}

/// The lower bits of a state: the other side has the message.
const RECEIVED: u8 = 4;
/// The flag of a state: there is an answer.
const ANSWERED: u8 = 64;
/// Ids looked at in one message (rule MS-13).
const MAX_IDS: usize = 8192;
/// Bytes kept of an error's text.
const MAX_TEXT: usize = 512;
/// Replies that wait to be sent.
const MAX_REPLIES: usize = 64;
