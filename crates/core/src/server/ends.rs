//! The ends of keys, each at its time, and whatever else a timer brings.

use dayfly_crypto::AuthKeyId;

use crate::env::{Env, Now};
use crate::keys::requests::StoreRequest;
use crate::mutant;
use crate::observer::Observer;
use crate::session::SessionId;

use super::endpoint::{Purpose, ServerEndpoint, Timer};
use super::event::{EndReason, Event};
use super::live::{LiveKey, Standing};

impl ServerEndpoint {
    pub(super) fn on_timer<O: Observer>(&mut self, timer: Timer, env: &mut Env<'_, O>) {
        match timer {
            Timer::KeyEnd(key) => self.on_key_end(key, env),
            Timer::KeyRetired(key) => self.end_key(key, EndReason::Replaced, env),
            Timer::AskAgain(key) => self.ask(Purpose::Frames(key), StoreRequest::Find(key)),
            Timer::Session(key, session_id) => self.on_session_due(key, session_id, env),
            Timer::SessionForgotten(key, session_id) => {
                self.drop_session(key, session_id);
                self.forget_if_idle(key);
            }
            Timer::Request(connection) => self.on_request_due(connection, env),
            Timer::FirstFrame(connection) => self.close(connection, "no frame in time".to_owned()),
            Timer::CallLate(call) => self.on_call_late(call, env),
            Timer::Disconnect(connection) => {
                self.close(connection, "ping_delay_disconnect ran out".to_owned());
            }
        }
    }

    /// Rule PF-15: ready answers go out, then one -404 to each connection of the key, then they are closed.
    pub(super) fn end_key<O: Observer>(&mut self, key: AuthKeyId, reason: EndReason, env: &mut Env<'_, O>) {
        self.lookups.doubt(key);
        let Some(live) = self.keys.get(&key) else { return };
        let sessions: Vec<SessionId> = live.sessions.keys().copied().collect();
        for session_id in sessions {
            self.transmit(key, session_id, env);
        }
        let Some(live) = self.remove_key(key) else { return };
        self.tell(Event::KeyEnded { key, reason });
        for connection in live.connections().into_iter().chain(self.parked.under(key)) {
            // A connection that speaks under another key by now goes on.
            if self.connections.get(&connection).is_some_and(|open| open.key == Some(key)) {
                self.close_ended(connection, reason.name());
            }
        }
    }

    /// Rule PF-10: from now on no query under `key`, only the answers owed, for a while.
    pub(super) fn retire_key(&mut self, key: AuthKeyId) {
        self.lookups.doubt(key);
        let until = self.later(self.config.grace);
        if let Some(live) = self.keys.get_mut(&key) {
            live.retired = true;
            self.timers.set(Timer::KeyRetired(key), until);
        }
    }

    /// The timer runs on monotonic time; the key ends by the Unix clock, which may have been set back meanwhile.
    fn on_key_end<O: Observer>(&mut self, key: AuthKeyId, env: &mut Env<'_, O>) {
        let early = self.keys.get(&key).is_some_and(|live| !live.standing.has_ended(env.now));
        if mutant!("PF-15.not-before", early, false) {
            self.watch_end(key, env.now);
        } else {
            self.end_key(key, EndReason::Expired, env);
        }
    }

    /// Sets the timer of a key's end, which a binding may have brought forward (rule PF-09).
    pub(super) fn watch_end(&mut self, key: AuthKeyId, now: Now) {
        if let Some(at) = self.keys.get(&key).and_then(|live| live.standing.expires_at()) {
            self.timers.set(Timer::KeyEnd(key), self.at_unix(at, now));
        }
    }

    /// Forgets a key that nothing is remembered under; the store still has it.
    pub(super) fn forget_if_idle(&mut self, key: AuthKeyId) {
        if self.keys.get(&key).is_some_and(|live| live.is_idle()) {
            self.remove_key(key);
        }
    }

    /// Lets go of a key and of all that was said under it; its secret is wiped with the last holder, and no other secret
    /// of either side opens a recording of it (rule PF-16).
    fn remove_key(&mut self, key: AuthKeyId) -> Option<Box<LiveKey>> {
        let live = self.keys.remove(&key)?;
        self.leave_family(key, live.standing);
        self.timers.clear(Timer::KeyEnd(key));
        self.timers.clear(Timer::KeyRetired(key));
        for (session_id, attached) in live.sessions.iter() {
            self.untie(key, *session_id, attached.connection);
        }
        Some(live)
    }

    /// Notes what a key is bound to.
    pub(super) fn join_family(&mut self, key: AuthKeyId) {
        if let Some(perm) = self.keys.get(&key).and_then(|live| live.standing.bound_to()) {
            self.bound.insert((perm, key));
        }
    }

    fn leave_family(&mut self, key: AuthKeyId, standing: Standing) {
        if let Some(perm) = standing.bound_to() {
            self.bound.remove(&(perm, key));
        }
    }

    /// The keys in use that are bound to a permanent one.
    pub(super) fn family(&self, perm: AuthKeyId) -> impl Iterator<Item = AuthKeyId> {
        let all = (perm, AuthKeyId(u64::MIN))..=(perm, AuthKeyId(u64::MAX));
        self.bound.range(all).map(|(_, key)| *key)
    }
}
