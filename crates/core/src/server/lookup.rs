//! Keys that are not at hand: asked of the store, while the frames under them wait.

use core::time::Duration;

use dayfly_crypto::AuthKeyId;

use crate::env::{Env, Now};
use crate::keys::requests::{KeyRecord, StoreOutcome, StoreRequest};
use crate::observer::Observer;
use crate::session::salt::KeySalts;
use crate::{holds, mutant};

use super::connection::{ConnectionId, EncryptedFrame};
use super::endpoint::{FLOOD, NOT_FOUND, Purpose, ServerEndpoint, Timer};
use super::live::LiveKey;

/// How often a store that cannot be asked is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(250);

impl ServerEndpoint {
    pub(super) fn look_up(&mut self, connection: ConnectionId, frame: EncryptedFrame) {
        let key = frame.key;
        if let Some(open) = self.connections.get_mut(&connection) {
            open.parked = Some(frame);
        }
        if self.lookups.begin(key, connection, self.now) {
            self.ask(Purpose::Frames(key), StoreRequest::Find(key));
        }
    }

    pub(super) fn on_found<O: Observer>(
        &mut self,
        key: AuthKeyId,
        outcome: StoreOutcome,
        env: &mut Env<'_, O>,
    ) {
        match outcome {
            // Found before it ended, told after: a key that lost its place must not come back (rules PF-10, PF-15).
            StoreOutcome::Found(_) if !holds!("PF-10.late-find", !self.lookups.take_doubt(key)) => {
                self.ask(Purpose::Frames(key), StoreRequest::Find(key));
            }
            StoreOutcome::Found(record) => {
                self.make_live(&record, env.now);
                let waiting = self.lookups.end(key);
                self.resume(waiting, env);
                // Whoever asked may have left.
                self.forget_if_idle(key);
            }
            // rule HS-36: only "there is none" becomes a -404.
            StoreOutcome::Missing => {
                let waiting = self.lookups.end(key);
                self.refuse_parked(waiting, NOT_FOUND, "there is no such key", env);
            }
            _ => self.on_store_silent(key, env),
        }
    }

    /// Rule HS-36: while the store cannot be asked a frame waits a bounded time, then gets -429, never -404.
    fn on_store_silent<O: Observer>(&mut self, key: AuthKeyId, env: &mut Env<'_, O>) {
        let waited = self.lookups.since(key).map_or(Duration::MAX, |since| self.now.saturating_sub(since));
        if waited < self.config.store_patience {
            self.timers.set(Timer::AskAgain(key), self.later(ASK_AGAIN));
            return;
        }
        let waiting = self.lookups.end(key);
        let code = mutant!("HS-36.silent", FLOOD, NOT_FOUND);
        self.refuse_parked(waiting, code, "the store cannot be asked", env);
    }

    fn make_live(&mut self, record: &KeyRecord, now: Now) {
        let id = record.id;
        let salts = KeySalts::new(record.first_salt, record.created_at);
        self.keys.insert(id, Box::new(LiveKey::new(record, salts)));
        self.join_family(id);
        self.watch_end(id, now);
    }

    /// Goes on with the connections whose frames waited for a key.
    fn resume<O: Observer>(&mut self, waiting: Vec<ConnectionId>, env: &mut Env<'_, O>) {
        for connection in waiting {
            let frame = self.connections.get_mut(&connection).and_then(|open| open.parked.take());
            if let Some(frame) = frame {
                self.on_encrypted(connection, frame, env);
                self.pump(connection, env);
            }
        }
    }

    fn refuse_parked<O: Observer>(
        &mut self,
        waiting: Vec<ConnectionId>,
        code: i32,
        reason: &'static str,
        env: &mut Env<'_, O>,
    ) {
        for connection in waiting {
            if let Some(open) = self.connections.get_mut(&connection) {
                open.parked = None;
            }
            self.send_error(connection, code, reason);
            self.pump(connection, env);
        }
    }
}
