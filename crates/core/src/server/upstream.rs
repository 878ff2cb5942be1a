//! The side of the back end: calls go to it, answers come from it in time or not at all, and updates at any time.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeSet;

use dayfly_crypto::AuthKeyId;

use crate::env::Env;
use crate::observer::Observer;
use crate::session::server::Answer;
use crate::session::{MsgId, SessionId};

use super::endpoint::{ServerEndpoint, Timer};
use super::event::{Event, KeyUse};
use super::routing::refusal;
use super::sessions::Origin;
use crate::session::query::ClientInfo;

/// Names a call until its answer comes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CallId(pub u64);

/// A call for the back end.
#[derive(Clone, Debug)]
pub struct UpstreamCall {
    /// Comes back with the answer.
    pub id: CallId,
    /// The permanent key of the caller, or the unbound key that the call came under.
    pub key: AuthKeyId,
    /// Which kind of key it came under.
    pub key_use: KeyUse,
    /// The session.
    pub session_id: SessionId,
    /// The message.
    pub msg_id: MsgId,
    /// The layer of the API that the client speaks, if it said so, in this call or before.
    pub layer: Option<i32>,
    /// What the client said of itself, in this call or before.
    pub client: Option<ClientInfo>,
    /// The `dc` that the key was made with: negative for media, 10000 added for a test server, 0 if the client named none.
    pub dc: i32,
    /// From where the session speaks now; `None` if its connection is gone already.
    pub peer: Option<IpAddr>,
    /// When the caller is told that there was no answer in time, by the server's monotonic clock.
    pub deadline: Duration,
    /// The innermost query, constructor first, without the wrappers around it.
    pub body: Vec<u8>,
}

impl UpstreamCall {
    /// The constructor of the query.
    #[must_use]
    pub fn method(&self) -> u32 {
        super::routing::method_of(&self.body)
    }
}

/// A call that the back end has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited {
    pub(super) origin: Origin,
    pub(super) key_use: KeyUse,
    pub(super) since: Duration,
}

/// Whom an update is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recipient {
    /// Every session of this permanent key that has a connection.
    Key(AuthKeyId),
    /// This session of this permanent key, whether it has a connection or is remembered without one.
    Session(AuthKeyId, SessionId),
}

/// Why an update cannot be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// It is no object of TL.
    #[error("an update of {len} bytes: a multiple of 4 was expected, and at least 4")]
    Malformed {
        /// Its length.
        len: usize,
    },
    /// Clients take no frame that long.
    #[error("an update of {len} bytes: at most {most} were expected")]
    TooLong {
        /// Its length.
        len: usize,
        /// The most that is sent.
        most: usize,
    },
}

/// What the back end may send at once: Android takes no frame over 2 MiB (rule TR-06), and the envelope, the container and
/// the padding around it need some of that.
const MOST_BYTES: usize = (2 << 20) - 4096;

fn fits(bytes: &[u8]) -> Result<(), PushError> {
    let len = bytes.len();
    match len {
        0 => Err(PushError::Malformed { len }),
        _ if !len.is_multiple_of(4) => Err(PushError::Malformed { len }),
        _ if len > MOST_BYTES => Err(PushError::TooLong { len, most: MOST_BYTES }),
        _ => Ok(()),
    }
}

/// What is said in the place of a result that no client could read.
fn readable(answer: Answer) -> Answer {
    let Answer::Result(bytes) = &answer else { return answer };
    match fits(bytes) {
        Ok(()) => answer,
        Err(PushError::Malformed { .. }) => refusal(500, "BACKEND_RESULT_MALFORMED"),
        Err(PushError::TooLong { .. }) => refusal(500, "BACKEND_RESULT_TOO_LONG"),
    }
}

impl ServerEndpoint {
    /// A back end answered a call. An answer that comes a second time, after the deadline, or to a call whose key has ended
    /// meanwhile, is dropped.
    pub fn handle_answer<O: Observer>(&mut self, call: CallId, answer: Answer, env: &mut Env<'_, O>) {
        self.handle_answers([(call, answer)], env);
    }

    /// The same for several calls; the answers for one session travel together.
    pub fn handle_answers<O: Observer>(
        &mut self,
        answers: impl IntoIterator<Item = (CallId, Answer)>,
        env: &mut Env<'_, O>,
    ) {
        self.now = env.now.monotonic;
        let mut sessions = BTreeSet::new();
        for (call, answer) in answers {
            self.timers.clear(Timer::CallLate(call));
            if let Some(origin) = self.finish_call(call, readable(answer), env) {
                sessions.insert((origin.key, origin.session_id));
            }
        }
        for (key, session_id) in sessions {
            self.serve_session(key, session_id, env);
        }
    }

    /// The back end had its time. It may have run the call, so the client is not told to try again.
    pub(super) fn on_call_late<O: Observer>(&mut self, call: CallId, env: &mut Env<'_, O>) {
        if let Some(origin) = self.finish_call(call, refusal(500, "BACKEND_TIMEOUT"), env) {
            self.serve_session(origin.key, origin.session_id, env);
        }
    }

    /// Gives the answer to the session of the call, which is to be served then; `None` if nobody waits for it.
    fn finish_call<O: Observer>(
        &mut self,
        call: CallId,
        answer: Answer,
        env: &mut Env<'_, O>,
    ) -> Option<Origin> {
        let Awaited { origin, key_use, since } = self.awaited.remove(&call)?;
        let error = match &answer {
            Answer::Result(_) => None,
            Answer::Error { message, .. } => Some(message.clone()),
        };
        self.tell(Event::Answered { key_use, took: self.now.saturating_sub(since), error });
        self.put_answer(origin, answer, env);
        Some(origin)
    }

    /// The back end has an update. It gives to how many sessions it goes.
    ///
    /// # Errors
    /// [`PushError`] if no client could read it.
    pub fn handle_push<O: Observer>(
        &mut self,
        to: Recipient,
        update: &[u8],
        env: &mut Env<'_, O>,
    ) -> Result<usize, PushError> {
        self.now = env.now.monotonic;
        fits(update)?;
        let sessions = match to {
            Recipient::Key(perm) => self.sessions_of(perm),
            Recipient::Session(perm, session_id) => self.all_sessions_of(perm, |id, _| id == session_id),
        };
        for (key, session_id) in &sessions {
            self.push(*key, *session_id, update.to_vec(), env);
        }
        Ok(sessions.len())
    }

    /// The sessions of a permanent key that have a connection, each with the key that it speaks under.
    #[must_use]
    pub fn sessions_of(&self, perm: AuthKeyId) -> Vec<(AuthKeyId, SessionId)> {
        self.all_sessions_of(perm, |_, connected| connected)
    }

    /// Of a key that was replaced only answers that are owed still go out (rule PF-10).
    fn all_sessions_of(
        &self,
        perm: AuthKeyId,
        wanted: impl Fn(SessionId, bool) -> bool,
    ) -> Vec<(AuthKeyId, SessionId)> {
        let bound = self.family(perm);
        let mut found = Vec::new();
        for key in bound.chain([perm]) {
            let Some(live) = self.keys.get(&key).filter(|live| !live.retired) else { continue };
            let sessions = live.sessions.iter();
            let sessions = sessions.filter(|(id, attached)| wanted(**id, attached.connection.is_some()));
            found.extend(sessions.map(|(session_id, _)| (key, *session_id)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_no_client_could_read_becomes_an_error_with_a_name() {
        let named = |bytes: Vec<u8>| match readable(Answer::Result(bytes)) {
            Answer::Error { code, message } => (code, message),
            Answer::Result(_) => (0, String::new()),
        };
        assert_eq!(named(vec![0; 8]), (0, String::new()));
        assert_eq!(named(vec![0; MOST_BYTES]), (0, String::new()));
        for length in [0, 3, 7] {
            assert_eq!(named(vec![0; length]), (500, "BACKEND_RESULT_MALFORMED".into()));
        }
        assert_eq!(named(vec![0; MOST_BYTES + 4]), (500, "BACKEND_RESULT_TOO_LONG".into()));
    }
}
