//! What goes out on a connection, and the end of one.

use crate::env::Env;
use crate::observer::Observer;
use crate::transport::{SendError, ServerTransport};

use super::connection::{Channel, ConnectionId};
use super::endpoint::{NOT_FOUND, ServerEndpoint, Timer};
use super::event::Event;

impl ServerEndpoint {
    pub(super) fn send_frame<O: Observer>(
        &mut self,
        connection: ConnectionId,
        payload: &[u8],
        env: &mut Env<'_, O>,
    ) {
        if self.is_http(connection) {
            return self.respond_plain(connection, payload);
        }
        self.write(connection, |transport, out| transport.send(payload, out, env.random));
    }

    pub(super) fn send_quick_ack<O: Observer>(
        &mut self,
        connection: ConnectionId,
        token: u32,
        env: &mut Env<'_, O>,
    ) {
        self.write(connection, |transport, out| transport.send_quick_ack(token, out, env.random));
    }

    pub(super) fn send_error(&mut self, connection: ConnectionId, code: i32, reason: &'static str) {
        let said = if self.is_http(connection) {
            self.respond_error(connection, code)
        } else {
            self.write(connection, |transport, out| transport.send_error(code, out))
        };
        if said {
            self.tell(Event::TransportError { connection: connection.0, code, reason });
        }
    }

    /// Whether it is on its way: a connection on which nothing can be said is closed.
    fn write(
        &mut self,
        connection: ConnectionId,
        frame: impl FnOnce(&mut ServerTransport, &mut Vec<u8>) -> Result<(), SendError>,
    ) -> bool {
        let Some(open) = self.connections.get_mut(&connection) else { return false };
        let Some(transport) = open.stream() else { return false };
        let mut bytes = Vec::new();
        match frame(transport, &mut bytes) {
            Ok(()) => {
                self.outbox.send(connection, bytes);
                true
            }
            Err(error) => {
                self.close(connection, error.to_string());
                false
            }
        }
    }

    /// Rule PF-15: one -404, then the connection is closed.
    pub(super) fn close_ended(&mut self, connection: ConnectionId, why: &'static str) {
        self.send_error(connection, NOT_FOUND, "the key has ended");
        self.close(connection, format!("its key {why}"));
    }

    pub(super) fn tell_transport(&mut self, connection: ConnectionId) {
        let Some(open) = self.connections.get_mut(&connection) else { return };
        let Some(transport) = open.stream() else { return };
        if let Some(kind) = transport.kind() {
            let obfuscated = transport.obfuscated();
            self.tell(Event::Transport { connection: connection.0, name: kind.name(), obfuscated });
        }
    }

    pub(super) fn close(&mut self, connection: ConnectionId, reason: String) {
        if self.connections.contains_key(&connection) {
            self.outbox.close(connection);
            self.tell(Event::Closed { connection: connection.0, reason });
            self.forget_connection(connection);
        }
    }

    pub(super) fn forget_connection(&mut self, connection: ConnectionId) {
        let Some(gone) = self.connections.remove(&connection) else { return };
        self.handshakes.forget_connection(connection);
        self.timers.clear(Timer::FirstFrame(connection));
        self.timers.clear(Timer::Disconnect(connection));
        if let Channel::Http(http) = gone.channel {
            self.forget_http(connection, http);
        }
        for (key, session_id) in gone.sessions.keys().copied() {
            self.detach(key, session_id);
        }
    }
}
