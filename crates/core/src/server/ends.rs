//! The ends of keys, sessions and connections, each at its time.

use dayfly_crypto::AuthKeyId;

use crate::env::{Env, Now};
use crate::holds;
use crate::keys::requests::StoreRequest;
use crate::observer::Observer;
use crate::session::SessionId;

use super::connection::ConnectionId;
use super::endpoint::{NOT_FOUND, Purpose, ServerEndpoint, Timer};
use super::event::{EndReason, Event};

impl ServerEndpoint {
    /// Rule PF-15: ready answers go out, then one -404 to each connection of the key, then they are closed.
    pub(super) fn end_key<O: Observer>(&mut self, key: AuthKeyId, reason: EndReason, env: &mut Env<'_, O>) {
        let Some(live) = self.keys.get(&key) else { return };
        let sessions: Vec<SessionId> = live.sessions.keys().copied().collect();
        for session_id in sessions {
            self.transmit(key, session_id, env);
        }
        let Some(live) = self.keys.remove(&key) else { return };
        self.timers.clear(Timer::KeyEnd(key));
        self.timers.clear(Timer::KeyRetired(key));
        self.awaited.retain(|_, (of, _, _)| *of != key);
        self.tell(Event::KeyEnded { key, reason });
        for connection in live.connections() {
            if self.connections.get(&connection).is_some_and(|open| open.key == Some(key)) {
                self.send_error(connection, NOT_FOUND, "the key has ended");
                self.close(connection, format!("its key {}", reason.name()));
            }
        }
    }

    /// Rule PF-10: from now on no query under `key`, only the answers owed, for a while.
    pub(super) fn retire_key(&mut self, key: AuthKeyId) {
        let until = self.later(self.config.grace);
        if let Some(live) = self.keys.get_mut(&key) {
            live.retired = true;
            self.timers.set(Timer::KeyRetired(key), until);
        }
    }

    pub(super) fn on_timer<O: Observer>(&mut self, timer: Timer, env: &mut Env<'_, O>) {
        match timer {
            Timer::KeyEnd(key) => self.on_key_end(key, env),
            Timer::KeyRetired(key) => self.end_key(key, EndReason::Replaced, env),
            Timer::AskAgain(key) => self.ask(Purpose::Frames(key), StoreRequest::Find(key)),
            Timer::Session(key, session_id) => {
                if let Some(session) = self.session(key, session_id) {
                    session.handle_timeout(env.now);
                }
                self.serve_session(key, session_id, env);
            }
            Timer::SessionForgotten(key, session_id) => self.forget_session(key, session_id),
            Timer::FirstFrame(connection) => self.close(connection, "no frame in time".to_owned()),
            Timer::Disconnect(connection) => {
                self.close(connection, "ping_delay_disconnect ran out".to_owned());
            }
        }
    }

    /// The timer runs on monotonic time; the key ends by the Unix clock, not before.
    pub(super) fn on_key_end<O: Observer>(&mut self, key: AuthKeyId, env: &mut Env<'_, O>) {
        let Some(expires_at) = self.keys.get(&key).and_then(|live| live.standing.expires_at()) else {
            return;
        };
        if holds!("PF-15.not-before", env.now.unix_seconds() < expires_at)
            && env.now.unix_seconds() < expires_at
        {
            self.timers.set(Timer::KeyEnd(key), self.at_unix(expires_at, env.now));
        } else {
            self.end_key(key, EndReason::Expired, env);
        }
    }

    /// The binding may have brought the end of a key forward.
    pub(super) fn watch_end(&mut self, key: AuthKeyId, now: Now) {
        if let Some(at) = self.keys.get(&key).and_then(|live| live.standing.expires_at()) {
            self.timers.set(Timer::KeyEnd(key), self.at_unix(at, now));
        }
    }

    pub(super) fn forget_session(&mut self, key: AuthKeyId, session_id: SessionId) {
        let Some(live) = self.keys.get_mut(&key) else { return };
        if live.sessions.get(&session_id).is_some_and(|attached| attached.connection.is_none()) {
            live.sessions.remove(&session_id);
            self.timers.clear(Timer::Session(key, session_id));
        }
        if live.sessions.is_empty() && live.bind.is_none() {
            self.keys.remove(&key);
            self.timers.clear(Timer::KeyEnd(key));
        }
    }

    pub(super) fn close(&mut self, connection: ConnectionId, reason: String) {
        if self.connections.contains_key(&connection) {
            self.outbox.close(connection);
            self.tell(Event::Closed { connection: connection.0, reason });
            self.forget_connection(connection);
        }
    }

    pub(super) fn forget_connection(&mut self, connection: ConnectionId) {
        let Some(gone) = self.connections.remove(&connection) else { return };
        self.handshakes.forget_connection(connection);
        self.timers.clear(Timer::FirstFrame(connection));
        self.timers.clear(Timer::Disconnect(connection));
        let forget_at = self.later(self.config.session_memory);
        for (key, session_id) in gone.sessions {
            let Some(live) = self.keys.get_mut(&key) else { continue };
            let Some(attached) = live.sessions.get_mut(&session_id) else { continue };
            if attached.connection == Some(connection) {
                attached.connection = None;
                self.timers.set(Timer::SessionForgotten(key, session_id), forget_at);
            }
        }
    }
}
