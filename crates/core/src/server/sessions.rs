//! Sessions: on which connection each answers, what it has to say, and when it is forgotten.

use std::sync::Arc;

use dayfly_crypto::AuthKeyId;
use dayfly_crypto::kdf::Side;
use dayfly_tl::{mtproto, to_bytes};

use crate::env::Env;
use crate::observer::Observer;
use crate::session::server::{Answer, IncomingCall, OwnerRequest, Reception, ServerSession};
use crate::session::{CloseReason, MsgId, Opened, SessionId, envelope};
use crate::{holds, mutant};

use super::connection::ConnectionId;
use super::endpoint::{ServerEndpoint, Timer};
use super::event::Event;
use super::live::Attached;

/// Where a call came from, and so where its answer goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Origin {
    pub(super) key: AuthKeyId,
    pub(super) session_id: SessionId,
    pub(super) msg_id: MsgId,
}

/// Which session asked something that the endpoint answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Asker {
    pub(super) key: AuthKeyId,
    pub(super) session_id: SessionId,
}

impl ServerEndpoint {
    /// Gives a message to its session. A session begins with the first message that is taken: one that was recorded long
    /// ago and is sent again by someone else opens nothing, and pushes no session out.
    pub(super) fn receive<O: Observer>(
        &mut self,
        key: AuthKeyId,
        opened: &Opened<'_>,
        env: &mut Env<'_, O>,
    ) -> Result<Reception, CloseReason> {
        let session_id = opened.session_id;
        let Some(live) = self.keys.get_mut(&key) else { return Err(CloseReason::ForeignSession) };
        if let Some(attached) = live.sessions.get_mut(&session_id) {
            attached.last_message = self.now;
            return attached.session.handle_message(opened, &mut live.salts, env);
        }
        let mut session = ServerSession::new(session_id, Arc::clone(&self.session_limits));
        let reception = session.handle_message(opened, &mut live.salts, env)?;
        if reception == Reception::Taken {
            self.open_session(key, session);
        }
        Ok(reception)
    }

    /// Opens the session, in the place of another one if there are too many.
    fn open_session(&mut self, key: AuthKeyId, session: ServerSession) {
        let stalest = self.keys.get(&key).and_then(|live| live.stalest_of(self.config.sessions_per_key));
        if let Some(stalest) = stalest {
            self.drop_session(key, stalest);
        }
        let (session_id, last_message) = (session.id(), self.now);
        let Some(live) = self.keys.get_mut(&key) else { return };
        let attached = Box::new(Attached { session, connection: None, last_message });
        live.sessions.insert(session_id, attached);
        self.tell(Event::SessionCreated { key, session_id });
    }

    /// After a message on `connection`: its session answers there from now on if the message was new. Anyone may have
    /// recorded another one and sent it again, so that moves a session only where it cannot speak.
    pub(super) fn follow(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        connection: ConnectionId,
        reception: &Reception,
    ) {
        let is_new = mutant!("MS-03.follow", *reception == Reception::Taken, true);
        if is_new || !self.can_speak(key, session_id) {
            self.attach(key, session_id, connection);
        }
    }

    /// Whether a session has a connection on which something can be said now.
    fn can_speak(&mut self, key: AuthKeyId, session_id: SessionId) -> bool {
        self.answers_on(key, session_id).is_some_and(|connection| {
            !self.is_http(connection) || self.turn_of(connection, key, session_id).is_some()
        })
    }

    /// The connection that a session answers on.
    pub(super) fn answers_on(&mut self, key: AuthKeyId, session_id: SessionId) -> Option<ConnectionId> {
        self.attached(key, session_id)?.connection
    }

    /// From now on a session answers on `connection`.
    pub(super) fn attach(&mut self, key: AuthKeyId, session_id: SessionId, connection: ConnectionId) {
        let Some(attached) = self.attached(key, session_id) else { return };
        let before = attached.connection.replace(connection);
        if before == Some(connection) {
            return;
        }
        if !self.stays_on_http(before, connection)
            && let Some(session) = self.session(key, session_id)
        {
            session.handle_new_connection();
        }
        self.untie(key, session_id, before);
        if let Some(open) = self.connections.get_mut(&connection) {
            open.sessions.insert((key, session_id), ());
        }
    }

    /// The connection of a session is gone: it is remembered for a while, for the client may come back.
    pub(super) fn detach(&mut self, key: AuthKeyId, session_id: SessionId) {
        if let Some(next) = self.parked.newest(key, session_id) {
            // It goes on with another request, and with what the lost connection may have swallowed.
            self.attach(key, session_id, next);
            return self.timers.set(Timer::Session(key, session_id), self.now);
        }
        let forget_at = self.later(self.config.session_memory);
        if let Some(attached) = self.attached(key, session_id) {
            attached.connection = None;
            self.timers.clear(Timer::Session(key, session_id));
            self.timers.set(Timer::SessionForgotten(key, session_id), forget_at);
        }
    }

    /// Forgets a session with all that waits in it; whether there was one.
    pub(super) fn drop_session(&mut self, key: AuthKeyId, session_id: SessionId) -> bool {
        let live = self.keys.get_mut(&key);
        let Some(attached) = live.and_then(|live| live.sessions.remove(&session_id)) else { return false };
        self.untie(key, session_id, attached.connection);
        true
    }

    /// Clears what is kept of a session outside of its key.
    pub(super) fn untie(&mut self, key: AuthKeyId, session_id: SessionId, connection: Option<ConnectionId>) {
        self.timers.clear(Timer::Session(key, session_id));
        self.timers.clear(Timer::SessionForgotten(key, session_id));
        if let Some(open) = connection.and_then(|connection| self.connections.get_mut(&connection)) {
            open.sessions.remove(&(key, session_id));
        }
    }

    pub(super) fn on_session_due<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        env: &mut Env<'_, O>,
    ) {
        if let Some(session) = self.session(key, session_id) {
            session.handle_timeout(env.now);
        }
        self.serve_session(key, session_id, env);
    }

    /// Takes what a session has: calls to be routed, then messages to be sent.
    pub(super) fn serve_session<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        env: &mut Env<'_, O>,
    ) {
        while let Some(call) = self.next_call(key, session_id) {
            self.route(Origin { key, session_id, msg_id: call.msg_id }, &call.body, env);
        }
        while let Some(request) = self.session(key, session_id).and_then(ServerSession::poll_request) {
            self.on_owner_request(key, session_id, request, env);
        }
        self.transmit(key, session_id, env);
        self.set_session_timers(key, session_id);
    }

    pub(super) fn set_session_timers(&mut self, key: AuthKeyId, session_id: SessionId) {
        let Some(attached) = self.attached(key, session_id) else { return };
        // Without a connection nothing can be sent, so nothing is due: the timer would come back at once, for ever.
        let Some(connection) = attached.connection else { return };
        let (timeout, disconnect) = (attached.session.poll_timeout(), attached.session.poll_disconnect());
        match timeout.and_then(|at| self.may_speak_at(connection, (key, session_id), at)) {
            Some(at) => self.timers.set(Timer::Session(key, session_id), at),
            None => self.timers.clear(Timer::Session(key, session_id)),
        }
        if let Some(after) = disconnect {
            self.timers.set(Timer::Disconnect(connection), self.later(after));
        }
    }

    /// Rule PF-18: what came beside a binding is run after it, so nothing is taken while one is being decided. Rule
    /// PF-10: nothing is taken under a key that was replaced meanwhile.
    fn next_call(&mut self, key: AuthKeyId, session_id: SessionId) -> Option<IncomingCall> {
        let live = self.keys.get(&key)?;
        let (binding, retired) = (live.bind.is_some(), live.retired);
        if !holds!("PF-18.after-bind", !binding) || !holds!("PF-10.queued", !retired) {
            return None;
        }
        self.session(key, session_id)?.poll_call()
    }

    /// What a session cannot answer by itself.
    fn on_owner_request<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        request: OwnerRequest,
        env: &mut Env<'_, O>,
    ) {
        let body = match request {
            OwnerRequest::DestroySession { session, .. } => {
                let known = session != session_id && self.drop_session(key, session);
                let session_id = session.0;
                if known {
                    to_bytes(&mtproto::DestroySessionOk { session_id })
                } else {
                    to_bytes(&mtproto::DestroySessionNone { session_id })
                }
            }
            OwnerRequest::DestroyAuthKey { .. } => return self.start_destroy(Asker { key, session_id }),
        };
        self.answer_bare(Asker { key, session_id }, body, env);
    }

    /// Gives an object without a call around it to its session; it goes out when the session is served.
    pub(super) fn answer_bare<O: Observer>(&mut self, asker: Asker, body: Vec<u8>, env: &mut Env<'_, O>) {
        let Asker { key, session_id } = asker;
        let told = self.session(key, session_id).map(|session| session.answer_bare(body, env));
        self.end_if_flooded(key, session_id, told);
    }

    /// Gives an update to a session and sends it.
    pub(super) fn push<O: Observer>(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        update: Vec<u8>,
        env: &mut Env<'_, O>,
    ) {
        let told = self.session(key, session_id).map(|session| session.push(update, env));
        self.end_if_flooded(key, session_id, told);
        self.serve_session(key, session_id, env);
    }

    fn end_if_flooded(
        &mut self,
        key: AuthKeyId,
        session_id: SessionId,
        told: Option<Result<(), CloseReason>>,
    ) {
        let Some(Err(reason)) = told else { return };
        if let Some(connection) = self.attached(key, session_id).and_then(|attached| attached.connection) {
            self.close_for(connection, reason);
        }
    }

    pub(super) fn attached(&mut self, key: AuthKeyId, session_id: SessionId) -> Option<&mut Attached> {
        self.keys.get_mut(&key)?.sessions.get_mut(&session_id).map(Box::as_mut)
    }

    pub(super) fn session(&mut self, key: AuthKeyId, session_id: SessionId) -> Option<&mut ServerSession> {
        self.attached(key, session_id).map(|attached| &mut attached.session)
    }

    /// Answers a call. Without effect if its key or its session is gone.
    pub(super) fn answer<O: Observer>(&mut self, origin: Origin, answer: Answer, env: &mut Env<'_, O>) {
        self.put_answer(origin, answer, env);
        self.serve_session(origin.key, origin.session_id, env);
    }

    /// Gives an answer to its session; it goes out when the session is served.
    pub(super) fn put_answer<O: Observer>(&mut self, origin: Origin, answer: Answer, env: &mut Env<'_, O>) {
        let Origin { key, session_id, msg_id } = origin;
        let told = self.session(key, session_id).map(|session| session.answer(msg_id, answer, env));
        self.end_if_flooded(key, session_id, told);
    }

    /// Seals and sends one packet on a connection, whichever its session uses.
    pub(super) fn send_sealed<O: Observer>(
        &mut self,
        key: AuthKeyId,
        connection: ConnectionId,
        plaintext: &[u8],
        env: &mut Env<'_, O>,
    ) {
        let Some(live) = self.keys.get(&key) else { return };
        match envelope::seal(&live.traffic, Side::Server, plaintext, env.random) {
            Ok(frame) => self.send_frame(connection, &frame, env),
            Err(error) => self.close(connection, error.to_string()),
        }
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
        let Some(transport) = open.stream() else {
            return self.transmit_http(connection, key, session_id, env);
        };
        let mut bytes = Vec::new();
        while let Some(plaintext) = attached.session.poll_transmit(&mut live.salts, env) {
            let sealed = envelope::seal(&live.traffic, Side::Server, &plaintext, env.random);
            let sent = sealed.is_ok_and(|frame| transport.send(&frame, &mut bytes, env.random).is_ok());
            if !sent {
                return self.close(connection, "the source of randomness failed".to_owned());
            }
        }
        self.outbox.send(connection, bytes);
    }
}
