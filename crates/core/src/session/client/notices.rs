//! Notices of ignored messages: what the client corrects, and what it sends again.

use super::calls::CallId;
use super::{Asked, ClientEvent, ClientSession, RpcFailure};
use crate::env::Now;
use crate::session::msg_id::{Age, MsgId};
use crate::{holds, mutant};

/// `bad_msg_notification` or `bad_server_salt`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice {
    /// The msg_id of the notice itself, which tells the server's time.
    pub(super) msg_id: MsgId,
    /// The message that was ignored.
    pub(super) about: MsgId,
    pub(super) code: i32,
    /// Of `bad_server_salt` alone.
    pub(super) salt: Option<i64>,
}

impl ClientSession {
    /// Source: Service Messages about Messages, "Notice of Ignored Error Message" (rule MS-18).
    pub(super) fn on_notice(&mut self, notice: Notice, now: Now) {
        let Some(msg_ids) = self.sent_in(notice.about) else { return };
        match (notice.code, notice.salt) {
            (16 | 17, _) => self.correct_time(notice.msg_id, now),
            (48, Some(salt)) => self.take_salt(salt),
            (19, _) => {
                // A container that came twice. What was in it may have been taken the first time: ask.
                self.states_wanted.extend(msg_ids.iter().filter(|id| self.calls.current(**id).is_some()));
                return;
            }
            (20 | 64, _) => {}
            (code, _) => return self.fail(&msg_ids, code),
        }
        for call in self.calls_of(&msg_ids) {
            self.send_after(call, notice, now);
        }
    }

    /// The messages that went out under this msg_id: itself, or those of a container. `None` if nothing did:
    /// the notice is not believed.
    fn sent_in(&mut self, about: MsgId) -> Option<Vec<MsgId>> {
        let asked = self.asked.remove(&about);
        let known = asked.is_some() || self.calls.current(about).is_some();
        if !holds!("MS-18.recent", known) {
            return None;
        }
        Some(match asked {
            Some(Asked::Container(inside)) => inside,
            Some(Asked::Ping { .. }) => {
                self.ping_wanted = true;
                vec![about]
            }
            Some(Asked::States(ids)) => {
                self.states_wanted.extend(ids);
                vec![about]
            }
            Some(Asked::FutureSalts) | None => vec![about],
        })
    }

    fn calls_of(&self, msg_ids: &[MsgId]) -> Vec<CallId> {
        msg_ids.iter().filter_map(|id| self.calls.current(*id)).collect()
    }

    fn correct_time(&mut self, notice: MsgId, now: Now) {
        let before = self.clock.offset();
        let time = mutant!("MS-18.time", notice, MsgId(now.unix_seconds() << 32));
        self.clock.correct(time, self.accepted, now);
        self.tell_time(before);
    }

    /// The server makes no msg_id ahead of its own time, and nobody else makes one under the key: a message that
    /// is ahead of ours shows that we are behind (rule MS-20).
    pub(super) fn catch_up(&mut self, ahead: MsgId, now: Now) {
        let before = self.clock.offset();
        self.clock.catch_up(ahead, now);
        self.tell_time(before);
    }

    fn tell_time(&mut self, before: i64) {
        if self.clock.offset() != before {
            self.events.push_back(ClientEvent::TimeChanged(self.clock.offset()));
        }
    }

    pub(super) fn take_salt(&mut self, salt: i64) {
        if self.salts.set(salt) {
            self.events.push_back(ClientEvent::SaltChanged(salt));
        }
    }

    /// Sends a refused call again. Under its msg_id if it went out more than once, for then an earlier packet
    /// may have been taken; under a new one if this was the only one, or if its msg_id can never be taken.
    fn send_after(&mut self, call: CallId, notice: Notice, now: Now) {
        if !self.calls.refused(call) {
            return self.finish(call, Err(RpcFailure::Refused { code: notice.code }));
        }
        let server_now = self.clock.server_seconds(now);
        let Some(state) = self.calls.get_mut(call) else { return };
        let too_high = state.message.is_some_and(|(id, _)| id.age(server_now) == Age::TooHigh);
        let once = state.sent <= 1;
        if once || too_high || matches!(notice.code, 20 | 64) {
            self.calls.anew(call);
        } else {
            self.calls.again(call);
        }
    }

    fn fail(&mut self, msg_ids: &[MsgId], code: i32) {
        for call in self.calls_of(msg_ids) {
            self.finish(call, Err(RpcFailure::Refused { code }));
        }
    }

    /// Ends a call.
    pub(super) fn finish(&mut self, call: CallId, result: Result<Vec<u8>, RpcFailure>) {
        if self.calls.remove(call).is_some() {
            self.events.push_back(ClientEvent::Answer { call, result });
        }
    }
}
