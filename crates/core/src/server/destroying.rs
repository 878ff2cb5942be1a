//! `destroy_auth_key`: the end of a permanent key and of everything bound to it.

use dayfly_crypto::AuthKeyId;
use dayfly_tl::{mtproto, to_bytes};

use crate::env::Env;
use crate::keys::requests::{StoreOutcome, StoreRequest};
use crate::mutant;
use crate::observer::Observer;

use super::endpoint::{Purpose, ServerEndpoint};
use super::event::{EndReason, Event};
use super::sessions::Asker;

impl ServerEndpoint {
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
                self.end_all_of(target, ended, env);
            }
            StoreOutcome::Missing => self.say_bare(asker, to_bytes(&mtproto::DestroyAuthKeyNone {}), env),
            // The client keeps its key, and may ask again.
            _ => self.say_bare(asker, to_bytes(&mtproto::DestroyAuthKeyFail {}), env),
        }
    }

    /// Ends what is in use of a destroyed key: what the store named, the key itself, and whatever is bound to it here.
    fn end_all_of<O: Observer>(&mut self, target: AuthKeyId, ended: Vec<AuthKeyId>, env: &mut Env<'_, O>) {
        let bound = self.bound.get(&target).into_iter().flatten().copied().collect();
        self.marked.remove(&target);
        for key in mutant!("MS-17.live", [vec![target], ended, bound].concat(), Vec::new()) {
            self.end_key(key, EndReason::Destroyed, env);
        }
    }

    fn say_bare<O: Observer>(&mut self, asker: Asker, body: Vec<u8>, env: &mut Env<'_, O>) {
        self.answer_bare(asker, body, env);
        self.serve_session(asker.key, asker.session_id, env);
    }
}
