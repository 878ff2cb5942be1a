//! What becomes of a call: answered here, refused, held behind a binding, or passed to the back end.

use dayfly_crypto::AuthKeyId;
use dayfly_tl::api;

use crate::env::Env;
use crate::holds;
use crate::keys::requests::StoreRequest;
use crate::observer::Observer;
use crate::session::query::{self, ClientInfo, Peeled};
use crate::session::server::{Answer, IncomingCall};
use crate::session::{MsgId, SessionId};

use super::endpoint::{Purpose, ServerEndpoint};
use super::event::{Event, KeyUse};
use super::live::{LiveKey, Standing};

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
    /// The innermost query, constructor first, without the wrappers around it.
    pub body: Vec<u8>,
}

impl UpstreamCall {
    /// The constructor of the query.
    #[must_use]
    pub fn method(&self) -> u32 {
        method_of(&self.body)
    }
}

const PERM_EMPTY: &str = "AUTH_KEY_PERM_EMPTY";
pub(super) const TEMP_EMPTY: &str = "TEMP_AUTH_KEY_EMPTY";
const TOO_MANY: &str = "FLOOD_WAIT_1";

pub(super) fn method_of(body: &[u8]) -> u32 {
    body.first_chunk().map_or(0, |id| u32::from_le_bytes(*id))
}

/// An rpc_error of the server's own.
pub(super) fn refusal(code: i32, message: &str) -> Answer {
    Answer::Error { code, message: message.to_owned() }
}

impl ServerEndpoint {
    pub(super) fn route<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        call: &IncomingCall,
        env: &mut Env<'_, O>,
    ) {
        let msg_id = call.msg_id;
        let Some(live) = self.keys.get_mut(&key) else { return };
        let peeled = match query::peel(&call.body, self.session_limits.unpacked_bytes) {
            Ok(peeled) => peeled,
            Err(error) => {
                let (code, message) = error.rpc_error();
                return self.refuse_call(
                    key,
                    session_id,
                    msg_id,
                    method_of(&call.body),
                    (code, message),
                    env,
                );
            }
        };
        // rule PF-11: client info is taken wherever it stands.
        if let Some(client) = &peeled.client {
            live.client = Some(client.clone());
        }
        live.layer = peeled.layer.or(live.layer);
        match peeled.constructor() {
            api::AuthBindTempAuthKey::CONSTRUCTOR => {
                self.start_bind(key, session_id, msg_id, peeled.query(), env);
            }
            method => match permission(live, method, self.config.allow_no_pfs) {
                Ok(()) if self.awaited.len() < self.config.calls => {
                    self.dispatch(key, session_id, msg_id, &peeled, env);
                }
                Ok(()) => self.refuse_call(key, session_id, msg_id, method, (420, TOO_MANY), env),
                Err(error) => self.refuse_call(key, session_id, msg_id, method, error, env),
            },
        }
    }

    fn dispatch<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        msg_id: MsgId,
        peeled: &Peeled<'_>,
        env: &mut Env<'_, O>,
    ) {
        let Some(live) = self.keys.get(&key) else { return };
        let key_use = live.standing.key_use();
        self.tell(Event::Call { key, key_use, session_id, method: peeled.constructor() });
        if peeled.constructor() == api::AuthDropTempAuthKeys::CONSTRUCTOR {
            return self.start_drop(key, session_id, msg_id, peeled.query(), env);
        }
        let Some(live) = self.keys.get(&key) else { return };
        let id = CallId(self.next_call);
        self.next_call = self.next_call.wrapping_add(1);
        self.calls.push_back(UpstreamCall {
            id,
            key: live.caller(key),
            key_use,
            session_id,
            msg_id,
            layer: live.layer,
            client: live.client.clone(),
            body: peeled.query().to_vec(),
        });
        self.awaited.insert(id, (key, session_id, msg_id));
        self.mark_used(key);
    }

    /// Rule PF-26: a permanent key that calls came under, or that was bound to, is never swept.
    pub(super) fn mark_used(&mut self, key: AuthKeyId) {
        let Some(live) = self.keys.get(&key) else { return };
        let perm = match live.standing {
            Standing::Permanent => key,
            Standing::Bound { perm, .. } => perm,
            Standing::Unbound { .. } => return,
        };
        if self.marked.len() > 100_000 {
            self.marked.clear();
        }
        if self.marked.insert(perm) {
            self.ask(Purpose::Nothing, StoreRequest::MarkUsed(perm));
        }
    }

    fn refuse_call<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        msg_id: MsgId,
        method: u32,
        (code, error): (i32, &'static str),
        env: &mut Env<'_, O>,
    ) {
        self.tell(Event::CallRefused { key, method, error });
        self.put_answer(key, session_id, msg_id, refusal(code, error), env);
    }
}

/// Whether `method` may be called under this key.
fn permission(live: &LiveKey, method: u32, allow_no_pfs: bool) -> Result<(), (i32, &'static str)> {
    let open_to_all = [api::HelpGetConfig::CONSTRUCTOR, api::HelpGetNearestDc::CONSTRUCTOR].contains(&method);
    match live.standing {
        Standing::Bound { .. } => Ok(()),
        // rule PF-05: an unbound key may ask for these two and bind; the only 401 of the server's own.
        Standing::Unbound { .. } if holds!("PF-05.unbound", open_to_all) => Ok(()),
        Standing::Unbound { .. } => Err((401, PERM_EMPTY)),
        // rule PF-23: without forward secrecy only where the operator says so; never a 401.
        Standing::Permanent if holds!("PF-23.policy", allow_no_pfs) => Ok(()),
        Standing::Permanent => Err((400, TEMP_EMPTY)),
    }
}
