//! The end of a permanent key and of everything bound to it: by its client's `destroy_auth_key`, or revoked by others.

use dayfly_crypto::AuthKeyId;
use dayfly_tl::{mtproto, to_bytes};

use crate::env::{Env, Now};
use crate::keys::requests::{StoreOutcome, StoreRequest};
use crate::mutant;
use crate::observer::Observer;

use super::endpoint::{Purpose, ServerEndpoint};
use super::event::{EndReason, Event};
use super::sessions::Asker;

/// Names a request to revoke a key until its outcome comes back.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RevokeId(pub u64);

/// What became of a key that was to be revoked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Revoked {
    /// It is gone for good, and what was bound to it; connections under it were told -404.
    Ended,
    /// There is no such key.
    Unknown,
    /// The store cannot be asked now; nothing changed.
    Unavailable,
}

impl ServerEndpoint {
    /// Ends a key for good, of whichever kind, with everything bound to it: an operator or a back end wants it. The
    /// outcome comes by [`poll_revoked`](Self::poll_revoked) under the same `id`.
    pub fn handle_revoke(&mut self, id: RevokeId, key: AuthKeyId, now: Now) {
        self.now = now.monotonic;
        self.ask(Purpose::Revoke(id, key), StoreRequest::Destroy(key));
    }

    pub(super) fn on_revoked<O: Observer>(
        &mut self,
        id: RevokeId,
        key: AuthKeyId,
        outcome: StoreOutcome,
        env: &mut Env<'_, O>,
    ) {
        let revoked = match outcome {
            StoreOutcome::Destroyed(ended) => {
                self.tell(Event::KeyRevoked { key });
                self.end_all_of(key, ended, EndReason::Revoked, env);
                Revoked::Ended
            }
            StoreOutcome::Missing => Revoked::Unknown,
            _ => Revoked::Unavailable,
        };
        self.revoked.push_back((id, revoked));
    }

    /// Rule MS-17: under a permanent key or one bound to it that permanent key ends, under an unbound one that key alone.
    pub(super) fn start_destroy(&mut self, asker: Asker) {
        let Some(live) = self.keys.get(&asker.key) else { return };
        let target = live.caller(asker.key);
        self.ask(Purpose::Destroy(asker, target), StoreRequest::Destroy(target));
    }

    pub(super) fn on_destroyed<O: Observer>(
        &mut self,
        asker: Asker,
        target: AuthKeyId,
        outcome: StoreOutcome,
        env: &mut Env<'_, O>,
    ) {
        match outcome {
            StoreOutcome::Destroyed(ended) => {
                self.answer_bare(asker, to_bytes(&mtproto::DestroyAuthKeyOk {}), env);
                self.tell(Event::KeyDestroyed { key: target });
                self.end_all_of(target, ended, EndReason::Destroyed, env);
            }
            StoreOutcome::Missing => self.say_bare(asker, to_bytes(&mtproto::DestroyAuthKeyNone {}), env),
            // The client keeps its key, and may ask again.
            _ => self.say_bare(asker, to_bytes(&mtproto::DestroyAuthKeyFail {}), env),
        }
    }

    /// Ends what is in use of a destroyed key: what the store named, the key itself, and whatever is bound to it here.
    fn end_all_of<O: Observer>(
        &mut self,
        target: AuthKeyId,
        ended: Vec<AuthKeyId>,
        reason: EndReason,
        env: &mut Env<'_, O>,
    ) {
        let bound = self.family(target).collect();
        self.marked.remove(&target);
        for key in mutant!("MS-17.live", [vec![target], ended, bound].concat(), Vec::new()) {
            self.end_key(key, reason, env);
        }
    }

    fn say_bare<O: Observer>(&mut self, asker: Asker, body: Vec<u8>, env: &mut Env<'_, O>) {
        self.answer_bare(asker, body, env);
        self.serve_session(asker.key, asker.session_id, env);
    }
}
