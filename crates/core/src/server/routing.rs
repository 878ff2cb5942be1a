//! What becomes of a call: answered here, refused, held behind a binding, or passed to the back end.

use dayfly_crypto::AuthKeyId;
use dayfly_tl::api;

use crate::env::Env;
use crate::keys::requests::{StoreOutcome, StoreRequest};
use crate::observer::Observer;
use crate::session::query::{self, Peeled};
use crate::session::server::Answer;
use crate::{holds, mutant};

use super::endpoint::{Purpose, ServerEndpoint, Timer};
use super::event::{Event, KeyUse};
use super::live::Standing;
use super::sessions::Origin;
use super::upstream::{Awaited, CallId, UpstreamCall};

const PERM_EMPTY: &str = "AUTH_KEY_PERM_EMPTY";
pub(super) const TEMP_EMPTY: &str = "TEMP_AUTH_KEY_EMPTY";
const TOO_MANY: &str = "FLOOD_WAIT_1";
/// How many permanent keys are remembered as marked; beyond it some are marked once more.
const MOST_MARKED: usize = 100_000;

pub(super) fn method_of(body: &[u8]) -> u32 {
    body.first_chunk().map_or(0, |id| u32::from_le_bytes(*id))
}

/// An rpc_error of the server's own.
pub(super) fn refusal(code: i32, message: &str) -> Answer {
    Answer::Error { code, message: message.to_owned() }
}

impl ServerEndpoint {
    pub(super) fn route<O: Observer>(&mut self, origin: Origin, body: &[u8], env: &mut Env<'_, O>) {
        let peeled = match query::peel(body, self.session_limits.unpacked_bytes) {
            Ok(peeled) => peeled,
            Err(error) => return self.refuse_call(origin, method_of(body), error.rpc_error(), env),
        };
        self.note_client(origin.key, &peeled);
        let method = peeled.constructor();
        if method == api::AuthBindTempAuthKey::CONSTRUCTOR {
            return self.start_bind(origin, peeled.query(), env);
        }
        match self.permission(origin.key, method) {
            Ok(()) => self.dispatch(origin, &peeled, env),
            Err(error) => self.refuse_call(origin, method, error, env),
        }
    }

    /// Rule PF-11: client info is taken wherever it stands, around the binding too.
    fn note_client(&mut self, key: AuthKeyId, peeled: &Peeled<'_>) {
        let Some(live) = self.keys.get_mut(&key) else { return };
        if let Some(client) = &peeled.client {
            live.client = Some(client.clone());
        }
        live.layer = peeled.layer.or(live.layer);
    }

    /// Whether `method` may be called under this key now.
    fn permission(&self, key: AuthKeyId, method: u32) -> Result<(), (i32, &'static str)> {
        let Some(live) = self.keys.get(&key) else { return Ok(()) };
        let open_to_all =
            [api::HelpGetConfig::CONSTRUCTOR, api::HelpGetNearestDc::CONSTRUCTOR].contains(&method);
        match live.standing {
            Standing::Bound { .. } => {}
            // rule PF-24: nothing is bound on a CDN DC.
            Standing::Unbound { .. } if mutant!("PF-24.unbound", self.config.cdn, false) => {}
            // rule PF-05: an unbound key may ask for these two and bind; the only 401 of the server's own.
            Standing::Unbound { .. } if holds!("PF-05.unbound", open_to_all) => {}
            Standing::Unbound { .. } => return Err((401, PERM_EMPTY)),
            // rule PF-23: without forward secrecy only where the operator says so; never a 401.
            Standing::Permanent if holds!("PF-23.policy", self.config.allow_no_pfs) => {}
            Standing::Permanent => return Err((400, TEMP_EMPTY)),
        }
        if self.awaited.len() < self.config.calls { Ok(()) } else { Err((420, TOO_MANY)) }
    }

    fn dispatch<O: Observer>(&mut self, origin: Origin, peeled: &Peeled<'_>, env: &mut Env<'_, O>) {
        let Origin { key, session_id, msg_id } = origin;
        let Some(live) = self.keys.get(&key) else { return };
        let (standing, caller) = (live.standing, live.caller(key));
        let key_use = standing.key_use();
        let connection = live.sessions.get(&session_id).and_then(|attached| attached.connection);
        let peer = connection.and_then(|connection| self.connections.get(&connection)).map(|open| open.peer);
        let call = UpstreamCall {
            id: CallId(self.next_call),
            key: caller,
            key_use,
            session_id,
            msg_id,
            layer: live.layer,
            client: live.client.clone(),
            dc: live.dc,
            peer,
            deadline: self.later(self.config.call_deadline),
            body: peeled.query().to_vec(),
        };
        self.tell(Event::Call { key, key_use, session_id, method: peeled.constructor() });
        if key_use != KeyUse::Unbound {
            self.mark_used(caller);
        }
        if peeled.constructor() == api::AuthDropTempAuthKeys::CONSTRUCTOR {
            return self.start_drop(origin, caller, peeled.query(), env);
        }
        self.next_call = self.next_call.wrapping_add(1);
        self.awaited.insert(call.id, Awaited { origin, key_use, since: self.now });
        self.timers.set(Timer::CallLate(call.id), call.deadline);
        self.calls.push_back(call);
    }

    /// Rule PF-26: a permanent key that calls came under, or that was bound to, is never swept.
    pub(super) fn mark_used(&mut self, perm: AuthKeyId) {
        if self.marked.len() >= MOST_MARKED {
            self.marked.clear();
        }
        if self.marked.insert(perm) {
            self.ask(Purpose::MarkUsed(perm), StoreRequest::MarkUsed(perm));
        }
    }

    /// What could not be marked is marked at its next use, else the key would be swept although it was used.
    pub(super) fn on_marked(&mut self, perm: AuthKeyId, outcome: &StoreOutcome) {
        if mutant!("PF-26.mark-again", !matches!(outcome, StoreOutcome::Done), false) {
            self.marked.remove(&perm);
        }
    }

    fn refuse_call<O: Observer>(
        &mut self,
        origin: Origin,
        method: u32,
        (code, error): (i32, &'static str),
        env: &mut Env<'_, O>,
    ) {
        let key_use = self.keys.get(&origin.key).map_or(KeyUse::Unbound, |live| live.standing.key_use());
        self.tell(Event::CallRefused { key: origin.key, key_use, method, error });
        self.put_answer(origin, refusal(code, error), env);
    }
}
