//! From bytes to opened messages.

use dayfly_crypto::AuthKeyId;
use dayfly_crypto::kdf::Side;

use std::sync::Arc;

use crate::env::Env;
use crate::holds;
use crate::observer::Observer;
use crate::session::server::ServerSession;
use crate::session::{CloseReason, SessionId, envelope};
use crate::transport::{Frame, TransportError};

use super::connection::{ConnectionId, EncryptedFrame};
use super::endpoint::{FLOOD, NOT_FOUND, ServerEndpoint, Timer};
use super::event::{EndReason, Event};
use super::live::Attached;

impl ServerEndpoint {
    /// Takes frames off a connection until there is none, or one waits for its key.
    pub(super) fn pump<O: Observer>(&mut self, connection: ConnectionId, env: &mut Env<'_, O>) {
        loop {
            let Some(open) = self.connections.get_mut(&connection) else { return };
            if open.parked.is_some() {
                return;
            }
            match open.transport.poll_frame() {
                Ok(Some(frame)) => self.on_frame(connection, frame, env),
                Ok(None) => return,
                Err(error) => return self.refuse_bytes(connection, error),
            }
        }
    }

    /// Rule TR-06: bytes that are no frame end the connection.
    pub(super) fn refuse_bytes(&mut self, connection: ConnectionId, error: TransportError) {
        self.close(connection, error.to_string());
    }

    pub(super) fn on_frame<O: Observer>(
        &mut self,
        connection: ConnectionId,
        frame: Frame,
        env: &mut Env<'_, O>,
    ) {
        let Frame::Payload { bytes, quick_ack } = frame else { return };
        let Some(open) = self.connections.get_mut(&connection) else { return };
        if !open.spoke {
            open.spoke = true;
            self.timers.clear(Timer::FirstFrame(connection));
        }
        let peer = open.peer;
        let Some(id) = bytes.first_chunk::<8>() else {
            return self.close(connection, "a frame of fewer than 8 bytes".to_owned());
        };
        let key = AuthKeyId::from_wire(*id);
        if key == AuthKeyId(0) {
            self.handshakes.handle_query(connection, peer.into(), &bytes, env);
            self.take_from_handshakes(env);
        } else {
            self.on_encrypted(connection, EncryptedFrame { key, bytes, quick_ack }, env);
        }
    }

    pub(super) fn on_encrypted<O: Observer>(
        &mut self,
        connection: ConnectionId,
        frame: EncryptedFrame,
        env: &mut Env<'_, O>,
    ) {
        let key = frame.key;
        let Some(live) = self.keys.get(&key) else {
            return self.look_up(connection, frame);
        };
        // rule PF-10: a key that was replaced takes no query any more. rule PF-15: nor does one that has ended.
        let ended = live.standing.expires_at().is_some_and(|at| at <= env.now.unix_seconds());
        if !holds!("PF-10.retired", !live.retired) {
            return self.send_error(connection, NOT_FOUND, "the key was replaced by a newer binding");
        }
        if ended {
            self.adopt(connection, key);
            return self.end_key(key, EndReason::Expired, env);
        }
        self.adopt(connection, key);
        self.open_frame(connection, frame, env);
    }

    /// Notes that `connection` speaks under `key` now.
    pub(super) fn adopt(&mut self, connection: ConnectionId, key: AuthKeyId) {
        if let Some(open) = self.connections.get_mut(&connection) {
            open.key = Some(key);
        }
    }

    pub(super) fn open_frame<O: Observer>(
        &mut self,
        connection: ConnectionId,
        mut frame: EncryptedFrame,
        env: &mut Env<'_, O>,
    ) {
        let key = frame.key;
        let Some(live) = self.keys.get_mut(&key) else { return };
        let opened = match envelope::open(&live.traffic, Side::Client, &mut frame.bytes) {
            Ok(opened) => opened,
            // rule MS-06: dropped, and the connection closed without a word.
            Err(error) => return self.close(connection, error.to_string()),
        };
        let session_id = opened.session_id;
        self.attach(key, session_id, connection);
        let Some(live) = self.keys.get_mut(&key) else { return };
        let Some(attached) = live.sessions.get_mut(&session_id) else {
            return self.close(connection, CloseReason::ForeignSession.to_string());
        };
        if let Err(reason) = attached.session.handle_message(&opened, &mut live.salts, env) {
            return self.close_for(connection, reason);
        }
        if frame.quick_ack {
            self.send_quick_ack(connection, opened.quick_ack, env);
        }
        self.serve_session(key, session_id, env);
    }

    /// From now on a session answers on `connection`. Session 0 is none (rule MS-08).
    pub(super) fn attach(&mut self, key: AuthKeyId, session_id: SessionId, connection: ConnectionId) {
        let Some(live) = self.keys.get_mut(&key) else { return };
        if !holds!("MS-08.zero", session_id != SessionId(0)) {
            return;
        }
        if !live.sessions.contains_key(&session_id) {
            live.make_room(self.config.sessions_per_key);
            let session = ServerSession::new(session_id, Arc::clone(&self.session_limits));
            live.sessions.insert(session_id, Attached { session, connection: None, last_message: self.now });
            self.events.push_back(Event::SessionCreated { key, session_id });
        }
        let Some(attached) = live.sessions.get_mut(&session_id) else { return };
        attached.last_message = self.now;
        if attached.connection == Some(connection) {
            return;
        }
        attached.connection = Some(connection);
        attached.session.handle_new_connection();
        self.timers.clear(Timer::SessionForgotten(key, session_id));
        if let Some(open) = self.connections.get_mut(&connection) {
            open.sessions.insert((key, session_id));
        }
    }

    pub(super) fn close_for(&mut self, connection: ConnectionId, reason: CloseReason) {
        if reason == CloseReason::Flood {
            self.send_error(connection, FLOOD, "a bound of the message layer");
        }
        self.close(connection, reason.to_string());
    }
}
