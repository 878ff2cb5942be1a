//! `auth.bindTempAuthKey` and `auth.dropTempAuthKeys`: from the request over the store to the answer.

use std::sync::Arc;

use dayfly_crypto::AuthKeyId;
use dayfly_tl::{api, read_exact, to_bytes};

use crate::env::Env;
use crate::keys::bind::{self, BindCheck, BindContext, BindRefusal};
use crate::keys::kind::PermKey;
use crate::keys::requests::{
    BindOutcome, BindRequest, KeyRecord, Lifetime, Slot, StoreOutcome, StoreRequest,
};
use crate::mutant;
use crate::observer::Observer;
use crate::session::server::Answer;
use crate::session::{MsgId, SessionId};

use super::endpoint::{Purpose, ServerEndpoint};
use super::event::{EndReason, Event};
use super::live::{PendingBind, Standing};
use super::routing::refusal;

/// A store that cannot be asked. Never ENCRYPTED_MESSAGE_INVALID: clients destroy keys on that (rule PF-08).
const STORE_SILENT: &str = "AUTH_KEY_STORE_UNAVAILABLE";

fn bool_true() -> Answer {
    Answer::Result(to_bytes(&api::BoolTrue {}))
}

impl ServerEndpoint {
    pub(super) fn start_bind<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        msg_id: MsgId,
        request: &[u8],
        env: &mut Env<'_, O>,
    ) {
        let Some(live) = self.keys.get_mut(&key) else { return };
        let Ok(bind) = read_exact::<api::AuthBindTempAuthKey<'_>>(request) else {
            // What cannot be read is no binding message; under a permanent key that one is told first (rule PF-09).
            let refused = match live.standing {
                Standing::Permanent => BindRefusal::UnderPermanentKey,
                _ => BindRefusal::Invalid(BindCheck::Constructor),
            };
            return self.refuse_bind(key, session_id, msg_id, refused.rpc_error(), env);
        };
        let perm = AuthKeyId::from_long(bind.perm_auth_key_id);
        let pending = PendingBind { session_id, msg_id, request: request.to_vec(), perm, expires_at: 0 };
        live.bind = Some(pending);
        self.ask(Purpose::PermForBind(key), StoreRequest::Find(perm));
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
            _ => return self.finish_refused(temp, (500, STORE_SILENT), env),
        };
        match self.verify(temp, perm, env) {
            Some(Ok(request)) => self.ask(Purpose::Bind(temp), StoreRequest::Bind(request)),
            Some(Err(refused)) => self.finish_refused(temp, refused.rpc_error(), env),
            None => {}
        }
    }

    /// `None` if the key or its request is gone.
    fn verify<O: Observer>(
        &mut self,
        temp: AuthKeyId,
        perm: Option<&KeyRecord>,
        env: &mut Env<'_, O>,
    ) -> Option<Result<BindRequest, BindRefusal>> {
        let live = self.keys.get_mut(&temp)?;
        let (standing, dc) = (live.standing, live.dc);
        let pending = live.bind.as_mut()?;
        let context = BindContext {
            carrier: temp,
            carrier_is_temporary: standing != Standing::Permanent,
            bound_to: standing.bound_to(),
            session: pending.session_id,
            msg_id: pending.msg_id,
        };
        let perm_key = perm
            .filter(|record| record.lifetime == Lifetime::Permanent)
            .map(|record| PermKey::new(Arc::clone(&record.key)));
        let request = read_exact::<api::AuthBindTempAuthKey<'_>>(&pending.request)
            .map_err(|_| BindRefusal::Invalid(BindCheck::Constructor))
            .and_then(|request| bind::verify(&request, perm_key.as_ref(), &context, env.now.unix_seconds()));
        let own_end = standing.expires_at().unwrap_or(0);
        Some(request.map(|verified| {
            // rule PF-09: later than the key's own end is cut to it; earlier, the key ends then.
            let expires_at = mutant!("PF-09.cut", verified.expires_at.min(own_end), verified.expires_at);
            pending.expires_at = expires_at;
            let perm = pending.perm;
            let capacity = self.config.capacity(Slot { perm, dc });
            BindRequest { temp, perm, expires_at, capacity }
        }))
    }

    pub(super) fn on_bind_outcome<O: Observer>(
        &mut self,
        temp: AuthKeyId,
        outcome: StoreOutcome,
        env: &mut Env<'_, O>,
    ) {
        match outcome {
            StoreOutcome::Bind(BindOutcome::Bound { replaced }) => self.finish_bound(temp, replaced, env),
            StoreOutcome::Bind(BindOutcome::AlreadyBound) => self.finish_bind(temp, bool_true(), env),
            StoreOutcome::Bind(BindOutcome::BoundElsewhere) => {
                self.finish_refused(temp, BindRefusal::BoundElsewhere.rpc_error(), env);
            }
            StoreOutcome::Bind(BindOutcome::NoSuchKey) => self.end_key(temp, EndReason::Evicted, env),
            _ => self.finish_refused(temp, (500, STORE_SILENT), env),
        }
    }

    fn finish_bound<O: Observer>(&mut self, temp: AuthKeyId, replaced: Vec<AuthKeyId>, env: &mut Env<'_, O>) {
        for key in &replaced {
            self.retire_key(*key);
        }
        let Some(live) = self.keys.get_mut(&temp) else { return };
        let Some((perm, expires_at)) = live.bind.as_ref().map(|bind| (bind.perm, bind.expires_at)) else {
            return;
        };
        live.standing = Standing::Bound { expires_at, perm };
        self.watch_end(temp, env.now);
        self.mark_used(temp);
        self.tell(Event::Bound { temp, perm, expires_at, replaced });
        self.finish_bind(temp, bool_true(), env);
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

    /// Answers the binding and lets the calls that came with it go on.
    fn finish_bind<O: Observer>(&mut self, temp: AuthKeyId, answer: Answer, env: &mut Env<'_, O>) {
        let Some(live) = self.keys.get_mut(&temp) else { return };
        let Some(pending) = live.bind.take() else { return };
        let others: Vec<SessionId> =
            live.sessions.keys().copied().filter(|id| *id != pending.session_id).collect();
        self.answer(temp, pending.session_id, pending.msg_id, answer, env);
        for session_id in others {
            self.serve_session(temp, session_id, env);
        }
    }

    fn refuse_bind<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        msg_id: MsgId,
        (code, error): (i32, &'static str),
        env: &mut Env<'_, O>,
    ) {
        self.tell(Event::BindRefused { key, error });
        self.put_answer(key, session_id, msg_id, refusal(code, error), env);
    }

    /// Rule PF-19: ends the temporary keys of the caller's permanent key but its own and those named.
    pub(super) fn start_drop<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        msg_id: MsgId,
        request: &[u8],
        env: &mut Env<'_, O>,
    ) {
        let Some(live) = self.keys.get(&key) else { return };
        let perm = live.caller(key);
        let Ok(drop) = read_exact::<api::AuthDropTempAuthKeys<'_>>(request) else {
            return self.answer(key, session_id, msg_id, refusal(400, "INPUT_FETCH_ERROR"), env);
        };
        let named = drop.except_auth_keys.iter().map(AuthKeyId::from_long);
        let except = mutant!("PF-19.own", named.chain([key]).collect(), Vec::new());
        self.ask(Purpose::Drop { key, session_id, msg_id }, StoreRequest::DropTemp { perm, except });
    }

    pub(super) fn on_dropped<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        msg_id: MsgId,
        outcome: StoreOutcome,
        env: &mut Env<'_, O>,
    ) {
        let StoreOutcome::Dropped(ended) = outcome else {
            return self.answer(key, session_id, msg_id, refusal(500, STORE_SILENT), env);
        };
        for ended in ended {
            self.end_key(ended, EndReason::Dropped, env);
        }
        self.answer(key, session_id, msg_id, bool_true(), env);
    }
}
