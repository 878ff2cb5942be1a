//! The last steps of the engine: what goes over the wire, and what is told of it.

use dayfly_core::observer::Direction;
use dayfly_core::plain;
use dayfly_core::session::envelope;
use dayfly_crypto::kdf::Side;
use dayfly_tl::Reader;
use dayfly_tl::mtproto::{
    DhGenFail, DhGenOk, DhGenRetry, MsgsAck, ReqDhParams, ReqPq, ReqPqMulti, ResPq, ServerDhParamsFail,
    ServerDhParamsOk, SetClientDhParams,
};

use super::engine::Engine;
use super::event::What;
use super::fault::Fault;
use super::meddle::{Act, Message};

impl Engine {
    /// Does what the meddler made of a payload of the server's.
    pub(super) fn on_act(&mut self, number: u64, act: Act) {
        let direction = Direction::Out;
        match act {
            Act::Send { payload, fault } => self.send(number, &payload, fault),
            Act::Later { after, payload, fault } => self.late(after, number, payload, fault),
            Act::Nothing { fault, honest } => {
                self.tell(Some(number), What::Meddled { fault, direction, honest });
            }
            Act::Error { code, fault, honest } => {
                self.tell(Some(number), What::Meddled { fault, direction, honest });
                self.send_error(number, code, Some(fault));
            }
            Act::Close { fault, honest } => {
                self.tell(Some(number), What::Meddled { fault, direction, honest });
                self.close(number, fault.describe());
            }
        }
    }

    /// Sends a payload to the client, with the fault that made it what it is and the honest one.
    pub(super) fn send(&mut self, number: u64, payload: &[u8], fault: Option<(Fault, Vec<u8>)>) {
        let direction = Direction::Out;
        let Some(connection) = self.connections.get_mut(&number) else { return };
        // Of a connection whose transport is not known nothing was asked.
        if connection.send(payload, &mut self.random).is_err() {
            return;
        }
        let by = fault.as_ref().map(|(fault, _)| *fault);
        if let Some((fault, honest)) = fault {
            self.tell(Some(number), What::Meddled { fault, direction, honest });
        }
        let bytes = payload.to_vec();
        self.tell(Some(number), What::Payload { direction, bytes, quick_ack: false, fault: by });
        self.dissect(number, direction, payload);
    }

    pub(super) fn send_error(&mut self, number: u64, code: i32, fault: Option<Fault>) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        if connection.send_error(code).is_ok() {
            self.tell(Some(number), What::TransportError { code, fault });
        }
    }

    pub(super) fn send_quick_ack(&mut self, number: u64, token: u32) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        if connection.send_quick_ack(token, &mut self.random).is_ok() {
            self.tell(Some(number), What::QuickAck { token });
        }
    }

    /// Ends a connection.
    pub(super) fn close(&mut self, number: u64, reason: &str) {
        if let Some(connection) = self.connections.remove(&number) {
            connection.close();
            self.closed(number, false, reason);
        }
    }

    /// A connection has ended.
    pub(super) fn closed(&mut self, number: u64, by_client: bool, reason: &str) {
        self.tell(Some(number), What::Closed { by_client, reason: reason.to_owned() });
        self.forget(number);
    }

    /// Tells what a payload holds.
    pub(super) fn dissect(&mut self, number: u64, direction: Direction, payload: &[u8]) {
        let what = match payload.split_at_checked(plain::HEADER_LEN) {
            Some((head, body)) if plain::is_plain(head) => {
                let msg_id = head.get(8..).and_then(<[u8]>::first_chunk).copied();
                let msg_id = msg_id.map(i64::from_le_bytes).unwrap_or_default();
                What::Plain { direction, msg_id, name: name_of(body), body: body.to_vec() }
            }
            _ => match self.opened(direction, payload) {
                Some(what) => what,
                None => return,
            },
        };
        self.tell(Some(number), what);
    }

    fn opened(&self, direction: Direction, payload: &[u8]) -> Option<What> {
        let key = envelope::key_id(payload)?;
        let side = if direction == Direction::In { Side::Client } else { Side::Server };
        let unopened = |why: &str| Some(What::Unopened { direction, key, why: why.to_owned() });
        let Some(secret) = self.store.secret(key) else { return unopened("no such key was made here") };
        match Message::open(secret, side, payload) {
            Err(why) => unopened(why),
            Ok(Message { salt, session_id, msg_id, seqno, body, padding, .. }) => {
                Some(What::Sealed { direction, key, salt, session_id, msg_id, seqno, body, padding })
            }
        }
    }
}

/// The names of the key exchange's constructors.
fn name_of(body: &[u8]) -> &'static str {
    match Reader::new(body).peek_id().unwrap_or_default() {
        ReqPq::CONSTRUCTOR => "req_pq",
        ReqPqMulti::CONSTRUCTOR => "req_pq_multi",
        ResPq::CONSTRUCTOR => "resPQ",
        ReqDhParams::CONSTRUCTOR => "req_DH_params",
        ServerDhParamsOk::CONSTRUCTOR => "server_DH_params_ok",
        ServerDhParamsFail::CONSTRUCTOR => "server_DH_params_fail",
        SetClientDhParams::CONSTRUCTOR => "set_client_DH_params",
        DhGenOk::CONSTRUCTOR => "dh_gen_ok",
        DhGenRetry::CONSTRUCTOR => "dh_gen_retry",
        DhGenFail::CONSTRUCTOR => "dh_gen_fail",
        MsgsAck::CONSTRUCTOR => "msgs_ack",
        _ => "",
    }
}
