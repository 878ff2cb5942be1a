//! Calls of the owner: held until a key is bound, wrapped with client info until the server has it, answered once.

use dayfly_tl::{api, to_bytes};

use crate::env::Env;
use crate::mutant;
use crate::observer::Observer;
use crate::session::client::{ClientEvent, RpcFailure};

use super::config::ClientInfo;
use super::endpoint::ClientEndpoint;
use super::event::{CallId, Output};
use super::line::{Line, LineId, Standing};

/// The server has no client info for this key.
const NOT_INITED: &str = "CONNECTION_NOT_INITED";

impl ClientEndpoint {
    /// Sends a call now, or holds it until a key is bound.
    pub(super) fn issue<O: Observer>(&mut self, call: CallId, env: &mut Env<'_, O>) {
        if self.is_holding() {
            self.held.push_back(call);
            return;
        }
        self.hand_over(call);
        self.serve(LineId::Active, env);
    }

    pub(super) fn issue_held<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        if self.is_holding() {
            return;
        }
        for call in core::mem::take(&mut self.held) {
            self.hand_over(call);
        }
        self.serve(LineId::Active, env);
    }

    /// Gives a call to the session of the bound key (rule PF-04).
    fn hand_over(&mut self, call: CallId) {
        let Some(pending) = self.pending.get(&call) else { return };
        let Some(traffic) = self.lines.get_mut(&LineId::Active).and_then(Line::traffic) else {
            self.held.push_back(call);
            return;
        };
        // rule PF-11: after each binding the client info comes first, and with each call until one was answered.
        let bare = mutant!("PF-11.info", traffic.greeted, true);
        let body =
            if bare { pending.body.clone() } else { with_client_info(&pending.body, &self.config.info) };
        let inner = traffic.session.call(body);
        traffic.calls.insert(inner, call);
    }

    /// Takes what the session of a line has to say.
    pub(super) fn take_session_events<O: Observer>(&mut self, line_id: LineId, env: &mut Env<'_, O>) {
        while let Some(event) = self.next_session_event(line_id) {
            match event {
                ClientEvent::Answer { call, result } => self.on_session_answer(line_id, call, result, env),
                ClientEvent::Update(bytes) => self.outputs.push_back(Output::Update(bytes)),
                ClientEvent::Silent => self.drop_link_of(line_id, env),
                _ => {}
            }
        }
    }

    fn next_session_event(&mut self, line_id: LineId) -> Option<ClientEvent> {
        self.lines.get_mut(&line_id)?.traffic()?.session.poll_event()
    }

    fn on_session_answer<O: Observer>(
        &mut self,
        line_id: LineId,
        inner: crate::session::client::CallId,
        result: Result<Vec<u8>, RpcFailure>,
        env: &mut Env<'_, O>,
    ) {
        let Some(traffic) = self.lines.get_mut(&line_id).and_then(Line::traffic) else { return };
        if matches!(&traffic.standing, Standing::Binding(_, bind) if *bind == inner) {
            return self.on_bind_answer(result, env);
        }
        let Some(call) = traffic.calls.remove(&inner) else { return };
        self.conclude(line_id, call, result, env);
        if line_id == LineId::Active {
            self.bind_when_ready(env);
        } else if line_id == LineId::Draining && self.is_drained() {
            self.abandon_draining(env);
        }
    }

    fn is_drained(&mut self) -> bool {
        let traffic = self.lines.get_mut(&LineId::Draining).and_then(Line::traffic);
        traffic.is_some_and(|traffic| traffic.calls.is_empty())
    }

    fn conclude<O: Observer>(
        &mut self,
        line_id: LineId,
        call: CallId,
        result: Result<Vec<u8>, RpcFailure>,
        env: &mut Env<'_, O>,
    ) {
        let refused_for_info =
            matches!(&result, Err(RpcFailure::Error { message, .. }) if message == NOT_INITED);
        if let Some(traffic) = self.lines.get_mut(&line_id).and_then(Line::traffic) {
            let was_greeted = traffic.greeted;
            traffic.greeted = !refused_for_info;
            if refused_for_info && was_greeted {
                return self.issue(call, env);
            }
        }
        if self.pending.remove(&call).is_some() {
            self.outputs.push_back(Output::Answer { call, result });
        }
    }
}

/// `invokeWithLayer(initConnection(query))`.
fn with_client_info(query: &[u8], info: &ClientInfo) -> Vec<u8> {
    let init = to_bytes(&api::InitConnection {
        api_id: info.api_id,
        device_model: info.device_model.as_bytes(),
        system_version: info.system_version.as_bytes(),
        app_version: info.app_version.as_bytes(),
        system_lang_code: info.lang_code.as_bytes(),
        lang_pack: b"",
        lang_code: info.lang_code.as_bytes(),
        proxy: None,
        params: None,
        query,
    });
    to_bytes(&api::InvokeWithLayer { layer: info.layer, query: &init })
}
