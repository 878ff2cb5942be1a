//! From bytes to opened messages.

use dayfly_crypto::AuthKeyId;
use dayfly_crypto::kdf::Side;

use crate::env::Env;
use crate::holds;
use crate::observer::Observer;
use crate::session::server::Reception;
use crate::session::{CloseReason, envelope};
use crate::transport::{Frame, TransportError};

use super::connection::{ConnectionId, EncryptedFrame};
use super::endpoint::{FLOOD, NOT_FOUND, ServerEndpoint, Timer};
use super::event::EndReason;

impl ServerEndpoint {
    /// Takes frames off a connection until there is none, or one waits for its key.
    pub(super) fn pump<O: Observer>(&mut self, connection: ConnectionId, env: &mut Env<'_, O>) {
        loop {
            let Some(open) = self.connections.get_mut(&connection) else { return };
            if open.parked.is_some() {
                return;
            }
            let Some(transport) = open.stream() else { return };
            match transport.poll_frame() {
                Ok(Some(frame)) => self.on_frame(connection, frame, env),
                Ok(None) => return,
                Err(error) => return self.refuse_bytes(connection, error),
            }
        }
    }

    /// Rule TR-06: bytes that are no frame end the connection; a frame over a bound is told so first.
    fn refuse_bytes(&mut self, connection: ConnectionId, error: TransportError) {
        if error.is_flood() {
            self.send_error(connection, FLOOD, "a frame over the limit");
        }
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
        // rule PF-10: a key that was replaced takes no query any more.
        if !holds!("PF-10.retired", !live.retired) {
            return self.send_error(connection, NOT_FOUND, "the key was replaced by a newer binding");
        }
        // rule PF-15: nor does one that has ended, whether its timer was served already or not.
        if !holds!("PF-15.late-frame", !live.standing.has_ended(env.now)) {
            self.end_key(key, EndReason::Expired, env);
            return self.close_ended(connection, EndReason::Expired.name());
        }
        if let Some(open) = self.connections.get_mut(&connection) {
            open.key = Some(key);
        }
        self.open_frame(connection, frame, env);
    }

    fn open_frame<O: Observer>(
        &mut self,
        connection: ConnectionId,
        mut frame: EncryptedFrame,
        env: &mut Env<'_, O>,
    ) {
        let key = frame.key;
        let Some(live) = self.keys.get(&key) else { return };
        let opened = match envelope::open(&live.traffic, Side::Client, &mut frame.bytes) {
            Ok(opened) => opened,
            Err(error) => {
                // rule MS-06: dropped, and the connection closed without a word.
                self.close(connection, error.to_string());
                return self.forget_if_idle(key);
            }
        };
        let session_id = opened.session_id;
        let reception = match self.receive(key, &opened, env) {
            Ok(reception) => reception,
            Err(reason) => {
                self.close_for(connection, reason);
                return self.forget_if_idle(key);
            }
        };
        self.follow(key, session_id, connection, &reception);
        match reception {
            Reception::Refused { notice } => self.send_sealed(key, connection, &notice, env),
            // rule TR-04: for what is accepted, now or before.
            Reception::Taken | Reception::Repeated if frame.quick_ack => {
                self.send_quick_ack(connection, opened.quick_ack, env);
            }
            Reception::Taken | Reception::Repeated => {}
        }
        if self.answers_on(key, session_id) == Some(connection) {
            self.park_request(connection, key, session_id);
        } else {
            // What someone recorded and sent again by HTTP waits for nothing.
            self.respond_plain(connection, &[]);
        }
        self.serve_session(key, session_id, env);
        self.forget_if_idle(key);
    }

    pub(super) fn close_for(&mut self, connection: ConnectionId, reason: CloseReason) {
        if reason == CloseReason::Flood {
            self.send_error(connection, FLOOD, "a bound of the message layer");
        }
        self.close(connection, reason.to_string());
    }
}
