//! What sessions have to say: calls to be routed, answers and notices to be sent.

use dayfly_crypto::AuthKeyId;
use dayfly_crypto::kdf::Side;
use dayfly_tl::{mtproto, to_bytes};

use crate::env::Env;
use crate::holds;
use crate::observer::Observer;
use crate::session::server::{Answer, IncomingCall, OwnerRequest, ServerSession};
use crate::session::{CloseReason, MsgId, SessionId, envelope};

use super::endpoint::{ServerEndpoint, Timer};

impl ServerEndpoint {
    /// Takes what a session has: calls to be routed, then messages to be sent.
    pub(super) fn serve_session<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        env: &mut Env<'_, O>,
    ) {
        while let Some(call) = self.next_call(key, session_id) {
            self.route(key, session_id, &call, env);
        }
        while let Some(request) = self.session(key, session_id).and_then(ServerSession::poll_request) {
            self.on_owner_request(key, session_id, request, env);
        }
        self.transmit(key, session_id, env);
        let Some(attached) = self.keys.get_mut(&key).and_then(|live| live.sessions.get_mut(&session_id))
        else {
            return;
        };
        let (connection, timeout) = (attached.connection, attached.session.poll_timeout());
        let disconnect = attached.session.poll_disconnect();
        if let (Some(connection), Some(after)) = (connection, disconnect) {
            self.timers.set(Timer::Disconnect(connection), self.later(after));
        }
        if let Some(at) = timeout {
            self.timers.set(Timer::Session(key, session_id), at);
        }
    }

    /// Rule PF-18: what came beside a binding is run after it, so nothing is taken while one is being decided.
    pub(super) fn next_call(&mut self, key: AuthKeyId, session_id: SessionId) -> Option<IncomingCall> {
        let binding = self.keys.get(&key)?.bind.is_some();
        if !holds!("PF-18.after-bind", !binding) {
            return None;
        }
        self.session(key, session_id)?.poll_call()
    }

    /// What a session cannot answer by itself.
    pub(super) fn on_owner_request<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        request: OwnerRequest,
        env: &mut Env<'_, O>,
    ) {
        let body = match request {
            OwnerRequest::DestroySession { session, .. } => {
                let other = self.keys.get_mut(&key).filter(|_| session != session_id);
                let known = other.is_some_and(|live| live.sessions.remove(&session).is_some());
                self.timers.clear(Timer::Session(key, session));
                let session_id = session.0;
                if known {
                    to_bytes(&mtproto::DestroySessionOk { session_id })
                } else {
                    to_bytes(&mtproto::DestroySessionNone { session_id })
                }
            }
            // Ending a permanent key belongs to a later version; a client that is told so keeps its key.
            OwnerRequest::DestroyAuthKey { .. } => to_bytes(&mtproto::DestroyAuthKeyFail {}),
        };
        let told = self.session(key, session_id).map(|session| session.answer_bare(body, env));
        self.end_if_flooded(key, session_id, told);
    }

    pub(super) fn end_if_flooded(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        told: Option<Result<(), CloseReason>>,
    ) {
        let Some(Err(reason)) = told else { return };
        let attached = self.keys.get(&key).and_then(|live| live.sessions.get(&session_id));
        if let Some(connection) = attached.and_then(|attached| attached.connection) {
            self.close_for(connection, reason);
        }
    }

    pub(super) fn session(&mut self, key: AuthKeyId, session_id: SessionId) -> Option<&mut ServerSession> {
        let attached = self.keys.get_mut(&key)?.sessions.get_mut(&session_id)?;
        Some(&mut attached.session)
    }

    pub(super) fn answer<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        msg_id: MsgId,
        answer: Answer,
        env: &mut Env<'_, O>,
    ) {
        self.put_answer(key, session_id, msg_id, answer, env);
        self.serve_session(key, session_id, env);
    }

    /// Gives an answer to its session; it goes out when the session is served.
    pub(super) fn put_answer<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        msg_id: MsgId,
        answer: Answer,
        env: &mut Env<'_, O>,
    ) {
        let told = self.session(key, session_id).map(|session| session.answer(msg_id, answer, env));
        self.end_if_flooded(key, session_id, told);
    }

    /// Seals and sends what a session has ready, on the connection that it uses.
    pub(super) fn transmit<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        env: &mut Env<'_, O>,
    ) {
        let Some(live) = self.keys.get_mut(&key) else { return };
        let Some(attached) = live.sessions.get_mut(&session_id) else { return };
        let Some(connection) = attached.connection else { return };
        let Some(open) = self.connections.get_mut(&connection) else { return };
        let mut bytes = Vec::new();
        while let Some(plaintext) = attached.session.poll_transmit(&mut live.salts, env) {
            let sealed = envelope::seal(&live.traffic, Side::Server, &plaintext, env.random);
            let sent = sealed.is_ok_and(|frame| open.transport.send(&frame, &mut bytes, env.random).is_ok());
            if !sent {
                return self.close(connection, "the source of randomness failed".to_owned());
            }
        }
        self.outbox.send(connection, bytes);
    }
}
