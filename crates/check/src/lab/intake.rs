//! The first steps of the engine: what comes from clients, on its way to the lab's server.

use std::net::SocketAddr;
use std::sync::Arc;

use dayfly_core::observer::Direction;
use dayfly_core::plain;
use dayfly_core::server::ConnectionId;
use dayfly_core::session::query;
use dayfly_core::transport::Frame;
use dayfly_crypto::AuthKeyId;
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::kdf::Side;
use tokio::net::TcpStream;

use super::connection::{Arrived, Connection};
use super::engine::Engine;
use super::event::What;
use super::fault::Fault;
use super::meddle::Message;

/// What no compressed call may unpack beyond.
const UNPACKED: usize = 16 << 20;

impl Engine {
    pub(super) fn on_arrived(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Connected(stream, peer) => self.on_connected(stream, peer),
            Arrived::Bytes(connection, bytes) => self.on_bytes(connection, &bytes),
            Arrived::Closed(connection) => {
                if self.connections.remove(&connection).is_some() {
                    self.closed(connection, true, "");
                }
            }
        }
    }

    fn on_connected(&mut self, stream: TcpStream, peer: SocketAddr) {
        // A socket that is gone already tells so when it is read.
        let _ = stream.set_nodelay(true);
        self.accepted += 1;
        let number = self.accepted;
        let opened = Connection::open(number, stream, self.to_me.clone(), self.random.dice());
        let Ok((connection, opening)) = opened else { return };
        self.connections.insert(number, connection);
        self.tell(Some(number), What::Connected { peer });
        let now = self.clock.now();
        self.endpoint.handle_connected(ConnectionId(number), peer.ip(), now);
        self.with_endpoint(Some(number), |endpoint, env| {
            endpoint.handle_bytes(ConnectionId(number), &opening, env);
        });
    }

    fn on_bytes(&mut self, number: u64, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        connection.receive(bytes);
        loop {
            let Some(connection) = self.connections.get_mut(&number) else { return };
            let frame = connection.next_of_client();
            let told = connection.told;
            let transport = connection.transport().filter(|_| !told);
            connection.told |= transport.is_some();
            if let Some((name, obfuscated)) = transport {
                self.tell(Some(number), What::Transport { name, obfuscated });
            }
            match frame {
                Ok(Some(Frame::Payload { bytes, quick_ack })) => self.on_payload(number, bytes, quick_ack),
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(error) => return self.close(number, &error.to_string()),
            }
        }
    }

    /// A payload of the client's: told, looked into, and passed on to the server.
    fn on_payload(&mut self, number: u64, bytes: Vec<u8>, quick_ack: bool) {
        let direction = Direction::In;
        let payload = bytes.clone();
        self.tell(Some(number), What::Payload { direction, bytes: payload, quick_ack, fault: None });
        self.dissect(number, direction, &bytes);
        let mut ends = false;
        if plain::is_plain(&bytes) {
            self.plan(number, bytes.get(plain::HEADER_LEN..).unwrap_or_default());
        } else {
            ends = self.calls(number, &bytes);
        }
        let Some(connection) = self.connections.get_mut(&number) else { return };
        let Ok(framed) = connection.for_server(&bytes, quick_ack, &mut self.random) else { return };
        if ends {
            let (fault, honest) = (Fault::KeyEnded, Vec::new());
            self.tell(Some(number), What::Meddled { fault, direction, honest });
            let key = bytes.first_chunk().copied().map(AuthKeyId::from_wire);
            self.end_keys(key.as_slice());
        }
        self.with_endpoint(Some(number), |endpoint, env| {
            endpoint.handle_bytes(ConnectionId(number), &framed, env);
        });
    }

    /// What acts on the answer to this query, before the server draws anything for it.
    fn plan(&mut self, connection: u64, body: &[u8]) {
        self.meddler.on_query(connection, body);
        self.random.zero_nonce = self.meddler.plans(Fault::ServerNonceZero);
        let g = match (self.meddler.plans(Fault::GFour), self.meddler.plans(Fault::GSeven)) {
            (true, _) => 4,
            (_, true) => 7,
            _ => 3,
        };
        // The published prime is in the table of good ones: nothing is computed.
        if let Ok(group) = SafePrimeGroup::check(self.handshakes.group.prime(), g, &self.groups) {
            let zero = self.meddler.plans(Fault::GaLeadingZero) || self.meddler.plans(Fault::GaStripped);
            self.random.zero_g_a = zero.then(|| Arc::clone(&group));
            if g != self.handshakes.group.g() {
                self.handshakes.group = group;
                let handshakes = self.handshakes.clone();
                self.endpoint.handle_reconfigured(self.config.clone(), handshakes, Vec::new());
            }
        }
    }

    /// Notes the calls of an encrypted packet; whether its key is to end under one of them.
    fn calls(&mut self, connection: u64, packet: &[u8]) -> bool {
        let Some(key) = packet.first_chunk().copied().map(AuthKeyId::from_wire) else { return false };
        let Some(key) = self.store.secret(key) else { return false };
        let Ok(message) = Message::open(key, Side::Client, packet) else { return false };
        let mut ends = false;
        for part in message.parts() {
            let method = query::peel(&part.body, UNPACKED).map_or(0, |peeled| peeled.constructor());
            ends |= self.meddler.on_call(connection, &part, method);
        }
        ends
    }
}
