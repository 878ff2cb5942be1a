//! `auth.bindTempAuthKey` and `auth.dropTempAuthKeys`: from the request over the store to the answer.

use std::sync::Arc;

use dayfly_crypto::AuthKeyId;
use dayfly_tl::{api, read_exact, to_bytes};

use crate::env::{Env, Now};
use crate::keys::bind::{self, BindCheck, BindContext, BindRefusal};
use crate::keys::kind::PermKey;
use crate::keys::requests::{
    BindOutcome, BindRequest, KeyRecord, Lifetime, Slot, StoreOutcome, StoreRequest,
};
use crate::observer::Observer;
use crate::session::SessionId;
use crate::session::server::Answer;
use crate::{holds, mutant};

use super::endpoint::{Purpose, ServerEndpoint};
use super::event::{EndReason, Event};
use super::live::{PendingBind, Standing};
use super::routing::refusal;
use super::sessions::Origin;

/// A store that cannot be asked. Never ENCRYPTED_MESSAGE_INVALID: clients destroy keys on that (rule PF-08).
const STORE_SILENT: (i32, &str) = (500, "AUTH_KEY_STORE_UNAVAILABLE");
/// Nothing is bound on a CDN DC (rule PF-24).
const CDN: (i32, &str) = (400, "CDN_METHOD_INVALID");

fn bool_true() -> Answer {
    Answer::Result(to_bytes(&api::BoolTrue {}))
}

impl ServerEndpoint {
    pub(super) fn start_bind<O: Observer>(&mut self, origin: Origin, request: &[u8], env: &mut Env<'_, O>) {
        let Some(live) = self.keys.get_mut(&origin.key) else { return };
        if !holds!("PF-24.bind", !self.config.cdn) {
            return self.refuse_bind(origin, CDN, env);
        }
        // rule PF-09: that comes first, whatever the store has to say.
        if live.standing == Standing::Permanent {
            return self.refuse_bind(origin, BindRefusal::UnderPermanentKey.rpc_error(), env);
        }
        let Ok(bind) = read_exact::<api::AuthBindTempAuthKey<'_>>(request) else {
            // What cannot be read is no binding message.
            return self.refuse_bind(origin, BindRefusal::Invalid(BindCheck::Constructor).rpc_error(), env);
        };
        live.bind = Some(PendingBind { origin, request: request.to_vec() });
        let perm = AuthKeyId::from_long(bind.perm_auth_key_id);
        self.ask(Purpose::PermForBind(origin.key), StoreRequest::Find(perm));
    }

    pub(super) fn on_perm_for_bind<O: Observer>(
        &mut self,
        temp: AuthKeyId,
        outcome: StoreOutcome,
        env: &mut Env<'_, O>,
    ) {
        let perm = match &outcome {
            StoreOutcome::Found(record) => Some(record),
            StoreOutcome::Missing => None,
            _ => {
                let error = mutant!("PF-08.store-silent", STORE_SILENT, (400, "ENCRYPTED_MESSAGE_INVALID"));
                return self.finish_refused(temp, error, env);
            }
        };
        match self.verify(temp, perm, env.now) {
            Some(Ok(request)) => self.ask(Purpose::Bind(request), StoreRequest::Bind(request)),
            Some(Err(refused)) => self.finish_refused(temp, refused.rpc_error(), env),
            None => {}
        }
    }

    /// `None` if the key or its request is gone.
    fn verify(
        &self,
        temp: AuthKeyId,
        perm: Option<&KeyRecord>,
        now: Now,
    ) -> Option<Result<BindRequest, BindRefusal>> {
        let live = self.keys.get(&temp)?;
        let pending = live.bind.as_ref()?;
        let context = BindContext {
            carrier: temp,
            carrier_is_temporary: live.standing != Standing::Permanent,
            bound_to: live.standing.bound_to(),
            session: pending.origin.session_id,
            msg_id: pending.origin.msg_id,
        };
        let perm_key = perm
            .filter(|record| record.lifetime == Lifetime::Permanent)
            .map(|record| PermKey::new(Arc::clone(&record.key)));
        let verified = read_exact::<api::AuthBindTempAuthKey<'_>>(&pending.request)
            .map_err(|_| BindRefusal::Invalid(BindCheck::Constructor))
            .and_then(|request| bind::verify(&request, perm_key.as_ref(), &context, now.unix_seconds()));
        Some(verified.map(|verified| {
            // rule PF-09: later than the key's own end is cut to it; earlier, the key ends then.
            let (wanted, own_end) = (verified.expires_at, live.standing.expires_at().unwrap_or(0));
            let expires_at = mutant!("PF-09.cut-request", wanted.min(own_end), wanted);
            let perm = verified.perm;
            let capacity = self.config.capacity(Slot { perm, dc: live.dc });
            BindRequest { temp, perm, expires_at, capacity }
        }))
    }

    pub(super) fn on_bind_outcome<O: Observer>(
        &mut self,
        request: &BindRequest,
        outcome: StoreOutcome,
        env: &mut Env<'_, O>,
    ) {
        let temp = request.temp;
        match outcome {
            StoreOutcome::Bind(BindOutcome::Bound { replaced }) => {
                replaced.iter().for_each(|key| self.retire_key(*key));
                self.settle(request, env.now);
                let BindRequest { perm, expires_at, .. } = *request;
                self.tell(Event::Bound { temp, perm, expires_at, replaced });
                self.mark_used(perm);
                self.finish_bind(temp, bool_true(), env);
            }
            StoreOutcome::Bind(BindOutcome::AlreadyBound) => {
                self.settle(request, env.now);
                self.finish_bind(temp, bool_true(), env);
            }
            StoreOutcome::Bind(BindOutcome::BoundElsewhere) => {
                self.finish_refused(temp, BindRefusal::BoundElsewhere.rpc_error(), env);
            }
            StoreOutcome::Bind(BindOutcome::PermGone) => self.end_key(temp, EndReason::Destroyed, env),
            StoreOutcome::Bind(BindOutcome::NoSuchKey) => self.end_key(temp, EndReason::Evicted, env),
            _ => self.finish_refused(temp, STORE_SILENT, env),
        }
    }

    /// The binding stands in the store. The key may be known as bound already, by a request before whose answer from
    /// the store was lost.
    fn settle(&mut self, request: &BindRequest, now: Now) {
        let BindRequest { temp, perm, expires_at, .. } = *request;
        let Some(live) = self.keys.get_mut(&temp) else { return };
        if let Standing::Unbound { .. } = live.standing {
            live.standing = Standing::Bound { expires_at, perm };
            self.join_family(temp);
            self.watch_end(temp, now);
        }
    }

    fn finish_refused<O: Observer>(
        &mut self,
        temp: AuthKeyId,
        (code, error): (i32, &'static str),
        env: &mut Env<'_, O>,
    ) {
        self.tell(Event::BindRefused { key: temp, error });
        self.finish_bind(temp, refusal(code, error), env);
    }

    /// Answers the binding and lets the calls that came with it go on, in every session.
    fn finish_bind<O: Observer>(&mut self, temp: AuthKeyId, answer: Answer, env: &mut Env<'_, O>) {
        let Some(live) = self.keys.get_mut(&temp) else { return };
        let Some(PendingBind { origin, .. }) = live.bind.take() else { return };
        let sessions: Vec<SessionId> = live.sessions.keys().copied().collect();
        self.answer(origin, answer, env);
        for session_id in sessions {
            self.serve_session(temp, session_id, env);
        }
        self.forget_if_idle(temp);
    }

    fn refuse_bind<O: Observer>(
        &mut self,
        origin: Origin,
        (code, error): (i32, &'static str),
        env: &mut Env<'_, O>,
    ) {
        self.tell(Event::BindRefused { key: origin.key, error });
        self.put_answer(origin, refusal(code, error), env);
    }

    /// Rule PF-19: ends the temporary keys of the caller's permanent key but its own and those named.
    pub(super) fn start_drop<O: Observer>(
        &mut self,
        origin: Origin,
        perm: AuthKeyId,
        request: &[u8],
        env: &mut Env<'_, O>,
    ) {
        let Ok(drop) = read_exact::<api::AuthDropTempAuthKeys<'_>>(request) else {
            return self.put_answer(origin, refusal(400, "INPUT_FETCH_ERROR"), env);
        };
        let named = drop.except_auth_keys.iter().map(AuthKeyId::from_long);
        let except = mutant!("PF-19.own", named.chain([origin.key]).collect(), named.collect());
        self.ask(Purpose::Drop(origin), StoreRequest::DropTemp { perm, except });
    }

    pub(super) fn on_dropped<O: Observer>(
        &mut self,
        origin: Origin,
        outcome: StoreOutcome,
        env: &mut Env<'_, O>,
    ) {
        let StoreOutcome::Dropped(ended) = outcome else {
            let (code, error) = STORE_SILENT;
            return self.answer(origin, refusal(code, error), env);
        };
        for key in ended {
            self.end_key(key, EndReason::Dropped, env);
        }
        self.answer(origin, bool_true(), env);
    }
}
