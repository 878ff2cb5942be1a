//! What is checked of a message before anything in it is done.

use dayfly_tl::Reader;
use dayfly_tl::mtproto::{BadMsgNotificationPlain, BadServerSalt, GzipPacked, MsgCopy, NewSessionCreated};
use dayfly_tl::to_bytes;

use super::calls::{IncomingCall, Progress};
use super::service::{self, Kind};
use super::{Answer, ServerSession};
use crate::env::{Env, Now};
use crate::observer::Observer;
use crate::session::container::{self, ContainerError, Inner};
use crate::session::msg_id::{Age, MadeFor, MsgId};
use crate::session::salt::KeySalts;
use crate::session::seqno::is_content_related;
use crate::session::window::{Disorder, Known};
use crate::session::{CloseReason, Opened, SessionId, gzip, query};
use crate::{enforce, holds, mutant};

/// What became of a message. All three came from whoever holds the key, but the last two may have been recorded and sent
/// again by someone else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reception {
    /// It was new, and is taken.
    Taken,
    /// It was taken before; what answered it waits to be sent again.
    Repeated,
    /// It is not taken.
    Refused {
        /// The plaintext that says why, for [`crate::session::envelope::seal`], to be sent where the message came from.
        notice: Vec<u8>,
    },
}

/// What is to be done with a message.
enum Verdict {
    Take,
    /// It was taken before.
    Repeat,
    /// `bad_msg_notification` with this code.
    Refuse(i32),
    /// `bad_server_salt`.
    BadSalt,
}

impl ServerSession {
    /// Takes one opened message; tells what became of it. Afterwards drain the `poll_*` methods.
    ///
    /// A repeat is known before its age and salt are looked at: it is answered as it was, and a client is
    /// never led to send a call that already ran under a new msg_id.
    ///
    /// # Errors
    /// [`CloseReason`] if the connection is to be closed.
    pub fn handle_message<O: Observer>(
        &mut self,
        opened: &Opened<'_>,
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Result<Reception, CloseReason> {
        enforce!("MS-08.session-zero", opened.session_id != SessionId(0), CloseReason::ForeignSession);
        enforce!("MS-08.session", opened.session_id == self.id, CloseReason::ForeignSession);
        let message = Inner { msg_id: opened.msg_id, seqno: opened.seqno, body: opened.body };
        match self.judge(&message, opened.salt, salts, env) {
            Verdict::Take => self.take(&message, salts, env),
            Verdict::Repeat => self.repeat(&message, env.now).map(|()| Reception::Repeated),
            Verdict::Refuse(code) => Ok(self.refused(notice(&message, code), salts, env)),
            Verdict::BadSalt => Ok(self.refused(salt_notice(&message, salts, env), salts, env)),
        }
    }

    /// The notice as a packet of its own: it belongs on the connection of what it refuses, wherever the session answers.
    fn refused<O: Observer>(
        &mut self,
        notice: Vec<u8>,
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Reception {
        let message = self.message(notice, MadeFor::Answer, false, env.now);
        Reception::Refused { notice: self.packet(&[message], salts, env) }
    }

    /// Source: Service Messages about Messages, "Notice of Ignored Error Message" (rules MS-02, MS-03, MS-04,
    /// MS-09).
    fn judge<O: Observer>(
        &self,
        message: &Inner<'_>,
        salt: i64,
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Verdict {
        if !holds!("MS-02.of-client", message.msg_id.is_of_client()) {
            return Verdict::Refuse(NOT_OF_CLIENT);
        }
        let known = self.window.knows(message.msg_id);
        if known == Known::Repeat {
            let container = container::is_container(message.body);
            return if holds!("MS-02.container", !container) {
                Verdict::Repeat
            } else {
                Verdict::Refuse(CONTAINER_REPEATED)
            };
        }
        match message.msg_id.age(env.now.unix_seconds()) {
            Age::TooLow => return Verdict::Refuse(ID_TOO_LOW),
            Age::TooHigh => return Verdict::Refuse(ID_TOO_HIGH),
            Age::Timely => {}
        }
        if !salts.accepts(salt, env) {
            return Verdict::BadSalt;
        }
        if known == Known::TooOld {
            return Verdict::Refuse(TOO_OLD);
        }
        self.seqno_refusal(message).map_or(Verdict::Take, Verdict::Refuse)
    }

    /// Rule MS-04.
    fn seqno_refusal(&self, message: &Inner<'_>) -> Option<i32> {
        let content_related = is_content_related(message.seqno);
        match service::kind(message.body, self.limits.unpacked_bytes) {
            Kind::Call if !holds!("MS-04.call", content_related) => return Some(ODD_EXPECTED),
            Kind::NeverContent if self.limits.strict_seqno && !holds!("MS-04.service", !content_related) => {
                return Some(EVEN_EXPECTED);
            }
            _ => {}
        }
        match self.window.disorder(message.msg_id, message.seqno)? {
            Disorder::TooLow => Some(SEQNO_TOO_LOW),
            Disorder::TooHigh => Some(SEQNO_TOO_HIGH),
        }
    }

    /// Takes a message that passed: a container whole, or not at all.
    fn take<O: Observer>(
        &mut self,
        message: &Inner<'_>,
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Result<Reception, CloseReason> {
        let inners = match contents(message) {
            Ok(inners) => inners,
            Err(ContainerError::TooMany) => return Err(CloseReason::Flood),
            Err(_) => return Ok(self.refused(notice(message, BAD_CONTAINER), salts, env)),
        };
        // Before anything is taken: what was taken and not run would be lost.
        let calls = inners.iter().filter(|inner| self.is_call(inner.body));
        let room = self.calls.has_room(calls.map(|inner| inner.body.len()), &self.limits);
        enforce!("MS-12.room", room, CloseReason::Flood);
        let lowest = inners.iter().map(|inner| inner.msg_id).chain([message.msg_id]).min();
        self.announce(lowest.unwrap_or(message.msg_id), salts, env)?;
        let mut calls = Vec::new();
        for inner in &inners {
            self.take_inner(inner, &mut calls, salts, env)?;
        }
        if container::is_container(message.body) || is_copy(message.body) {
            self.window.insert(message.msg_id, message.seqno);
        }
        self.calls.forget_below(self.window.lowest());
        self.queue(calls);
        Ok(Reception::Taken)
    }

    fn is_call(&self, body: &[u8]) -> bool {
        service::kind(body, self.limits.unpacked_bytes) == Kind::Call
    }

    /// Takes one message of a container, or the one that came alone. Its age does not count any more.
    fn take_inner<O: Observer>(
        &mut self,
        inner: &Inner<'_>,
        calls: &mut Vec<IncomingCall>,
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Result<(), CloseReason> {
        match self.window.knows(inner.msg_id) {
            Known::Repeat => return self.repeat(inner, env.now),
            Known::TooOld => return self.refuse_inner(inner, TOO_OLD, env.now),
            Known::New => {}
        }
        if let Some(code) = self.seqno_refusal(inner) {
            return self.refuse_inner(inner, code, env.now);
        }
        self.window.insert(inner.msg_id, inner.seqno);
        if is_content_related(inner.seqno) {
            self.acknowledge(inner.msg_id, env.now);
        }
        if packed(inner.body) {
            return self.take_packed(inner, calls, salts, env);
        }
        match service::kind(inner.body, self.limits.unpacked_bytes) {
            Kind::Call => calls.push(IncomingCall { msg_id: inner.msg_id, body: inner.body.to_vec() }),
            Kind::Service | Kind::NeverContent => self.handle_service(inner, salts, env)?,
        }
        Ok(())
    }

    /// Unpacks a message as a whole; one that does not unpack is a call that fails alone (rule MS-12).
    fn take_packed<O: Observer>(
        &mut self,
        inner: &Inner<'_>,
        calls: &mut Vec<IncomingCall>,
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Result<(), CloseReason> {
        let pending: usize = calls.iter().map(|call| call.body.len()).sum();
        let room = self.calls.room(&self.limits).saturating_sub(pending);
        let body = match gzip::unpack(inner.body, self.limits.unpacked_bytes.min(room)) {
            Ok(body) => body,
            Err(error) => {
                let (code, message) = query::PeelError::Gzip(error).rpc_error();
                return self.answer_anew(
                    inner.msg_id,
                    &Answer::Error { code, message: message.into() },
                    env.now,
                );
            }
        };
        match service::kind(&body, self.limits.unpacked_bytes) {
            Kind::Call => calls.push(IncomingCall { msg_id: inner.msg_id, body }),
            Kind::Service | Kind::NeverContent => {
                self.handle_service(&Inner { body: &body, ..*inner }, salts, env)?;
            }
        }
        Ok(())
    }

    /// Queues the calls of one packet, a bind first (rule PF-18).
    fn queue(&mut self, mut calls: Vec<IncomingCall>) {
        if calls.len() > 1 {
            let limit = self.limits.unpacked_bytes;
            calls.sort_by_key(|call| mutant!("PF-18.bind-first", !query::is_bind(&call.body, limit), true));
        }
        calls.into_iter().for_each(|call| self.calls.add(call));
    }

    /// Does not process a message again, but answers again (rule MS-03).
    fn repeat(&mut self, message: &Inner<'_>, now: Now) -> Result<(), CloseReason> {
        match self.calls.progress(message.msg_id) {
            Some(Progress::Answered { by }) if self.outbox.again(by) => Ok(()),
            Some(Progress::Answered { .. }) => {
                let forgotten = Answer::Error { code: 500, message: "ANSWER_FORGOTTEN".into() };
                self.answer_anew(message.msg_id, &forgotten, now)
            }
            _ if is_content_related(message.seqno) => {
                self.acknowledge(message.msg_id, now);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Refuses one message of a container: the rest of it is taken, so the notice goes where the answers go.
    fn refuse_inner(&mut self, inner: &Inner<'_>, code: i32, now: Now) -> Result<(), CloseReason> {
        self.say(notice(inner, code), MadeFor::Answer, false, now).map(drop)
    }

    /// Says new_session_created for the first message, and for one below all before it.
    ///
    /// Source: Service Messages, "New Session Creation Notification" (rule MS-11).
    fn announce<O: Observer>(
        &mut self,
        lowest: MsgId,
        salts: &mut KeySalts,
        env: &mut Env<'_, O>,
    ) -> Result<(), CloseReason> {
        if mutant!("MS-11.once", self.first.is_some_and(|first| lowest >= first), false) {
            return Ok(());
        }
        if self.first.is_none() {
            self.unique_id = i64::from_le_bytes(env.public_bytes()?);
        }
        let notice = NewSessionCreated {
            first_msg_id: lowest.to_long(),
            unique_id: self.unique_id,
            server_salt: salts.current(env),
        };
        self.say(to_bytes(&notice), MadeFor::Notice, true, env.now)?;
        self.first = Some(lowest);
        Ok(())
    }
}

/// `bad_msg_notification`.
fn notice(message: &Inner<'_>, error_code: i32) -> Vec<u8> {
    to_bytes(&BadMsgNotificationPlain {
        bad_msg_id: message.msg_id.to_long(),
        bad_msg_seqno: message.seqno,
        error_code,
    })
}

/// `bad_server_salt`.
fn salt_notice<O: Observer>(message: &Inner<'_>, salts: &mut KeySalts, env: &mut Env<'_, O>) -> Vec<u8> {
    to_bytes(&BadServerSalt {
        bad_msg_id: message.msg_id.to_long(),
        bad_msg_seqno: message.seqno,
        error_code: WRONG_SALT,
        new_server_salt: salts.current(env),
    })
}

/// The messages in a container or copy; anything else is one message.
fn contents<'a>(message: &Inner<'a>) -> Result<Vec<Inner<'a>>, ContainerError> {
    let inners = if container::is_container(message.body) {
        container::open(message.body, message.msg_id)?
    } else if is_copy(message.body) {
        vec![container::open_copy(message.body, message.msg_id)?]
    } else {
        return Ok(vec![*message]);
    };
    let of_client = inners.iter().all(|inner| inner.msg_id.is_of_client());
    enforce!("MS-12.of-client", of_client, ContainerError::Order);
    Ok(inners)
}

fn packed(body: &[u8]) -> bool {
    Reader::new(body).peek_id() == Ok(GzipPacked::CONSTRUCTOR)
}

fn is_copy(body: &[u8]) -> bool {
    Reader::new(body).peek_id() == Ok(MsgCopy::CONSTRUCTOR)
}

// Codes of bad_msg_notification. Source: Service Messages about Messages.
const ID_TOO_LOW: i32 = 16;
const ID_TOO_HIGH: i32 = 17;
const NOT_OF_CLIENT: i32 = 18;
const CONTAINER_REPEATED: i32 = 19;
const TOO_OLD: i32 = 20;
const SEQNO_TOO_LOW: i32 = 32;
const SEQNO_TOO_HIGH: i32 = 33;
const EVEN_EXPECTED: i32 = 34;
const ODD_EXPECTED: i32 = 35;
const WRONG_SALT: i32 = 48;
const BAD_CONTAINER: i32 = 64;
