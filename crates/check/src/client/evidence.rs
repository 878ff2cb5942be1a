//! What a client did, told from what came over the wire.

use std::collections::BTreeSet;

use dayfly_core::observer::Direction;
use dayfly_core::session::{MsgId, container, query};
use dayfly_crypto::AuthKeyId;
use dayfly_tl::api::AuthBindTempAuthKey;
use dayfly_tl::mtproto::{MsgsAck, MsgsStateInfo};
use dayfly_tl::read_exact;

use crate::lab::{Fault, LabEvent, What};

/// What no compressed call may unpack beyond.
const UNPACKED: usize = 16 << 20;

/// Messages that are no calls of the API.
const SERVICE: [u32; 16] = [
    0x62d6_b459, // msgs_ack
    0x7abe_77ec, // ping
    0xf342_7b8c, // ping_delay_disconnect
    0xb921_bd04, // get_future_salts
    0x9299_359f, // http_wait
    0xda69_fb52, // msgs_state_req
    0x04de_b57d, // msgs_state_info
    0x8cc0_d131, // msgs_all_info
    0x7d86_1a08, // msg_resend_req
    0x8610_baeb, // msg_resend_ans_req
    0x58e4_a740, // rpc_drop_answer
    0xe751_2126, // destroy_session
    0xd143_5160, // destroy_auth_key
    0x0347_73c5, // pong
    0xae50_0895, // future_salts
    0x73f1_f8dc, // msg_container
];

/// Something that the client did.
#[derive(Clone, Debug)]
pub(super) enum Did {
    /// It sent `req_pq_multi` or `req_pq`.
    Began {
        /// Not for a nonce that came before.
        anew: bool,
    },
    /// It sent `req_DH_params` or `set_client_DH_params`.
    Asked(Asked),
    /// It sent an encrypted packet that opens.
    Sealed(Vec<Said>),
    /// It sent one that does not.
    Unopened(String),
    /// It closed the connection.
    Closed,
}

/// A query of a run.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: &'static str,
    pub(super) nonce: [u8; 16],
    pub(super) server_nonce: [u8; 16],
    /// The same bytes came before.
    pub(super) repeat: bool,
}

/// A message, out of its packet and container.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) key: AuthKeyId,
    pub(super) salt: i64,
    pub(super) msg_id: i64,
    pub(super) content: Content,
}

/// What it says.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// `msgs_ack`.
    Acks(Vec<i64>),
    /// `msgs_state_info` for this request.
    States(i64),
    /// A call of the API.
    Call {
        /// The constructor of the innermost query.
        method: u32,
        /// Whether `initConnection` stands around it.
        introduced: bool,
        /// The query itself.
        query: Vec<u8>,
    },
    /// Any other message.
    Service,
}

impl Said {
    /// The method, if it is a call.
    pub(super) fn method(&self) -> Option<u32> {
        if let Content::Call { method, .. } = self.content { Some(method) } else { None }
    }

    /// Whether it is auth.bindTempAuthKey.
    pub(super) fn is_bind(&self) -> bool {
        self.method() == Some(AuthBindTempAuthKey::CONSTRUCTOR)
    }

    /// Whether it acknowledges this message.
    pub(super) fn acknowledges(&self, msg_id: i64) -> bool {
        matches!(&self.content, Content::Acks(ids) if ids.contains(&msg_id))
    }
}

/// What came before.
#[derive(Default)]
pub(super) struct Ledger {
    nonces: BTreeSet<[u8; 16]>,
    queries: BTreeSet<Vec<u8>>,
    /// The runs of which req_DH_params came.
    pub(super) proven: BTreeSet<[u8; 16]>,
}

impl Ledger {
    /// How many runs were begun.
    pub(super) fn begun(&self) -> usize {
        self.nonces.len()
    }

    /// What the client did, if this is something that it did.
    pub(super) fn read(&mut self, event: &LabEvent) -> Option<Did> {
        match &event.what {
            What::Plain { direction: Direction::In, name, body, .. } => self.query(name, body),
            What::Sealed { direction: Direction::In, key, salt, msg_id, body, .. } => {
                Some(Did::Sealed(messages(*key, *salt, *msg_id, body)))
            }
            What::Unopened { direction: Direction::In, why, .. } => Some(Did::Unopened(why.clone())),
            What::Closed { by_client: true, .. } => Some(Did::Closed),
            _ => None,
        }
    }

    fn query(&mut self, name: &'static str, body: &[u8]) -> Option<Did> {
        let nonce = nonce_at(body, 4)?;
        if matches!(name, "req_pq_multi" | "req_pq") {
            return Some(Did::Began { anew: self.nonces.insert(nonce) });
        }
        if !matches!(name, "req_DH_params" | "set_client_DH_params") {
            return None;
        }
        let server_nonce = nonce_at(body, 20)?;
        if name == "req_DH_params" {
            self.proven.insert(server_nonce);
        }
        let repeat = !self.queries.insert(body.to_vec());
        Some(Did::Asked(Asked { name, nonce, server_nonce, repeat }))
    }
}

/// The 16 bytes at `at`.
pub(super) fn nonce_at(body: &[u8], at: usize) -> Option<[u8; 16]> {
    body.get(at..)?.first_chunk().copied()
}

/// The messages of a packet.
pub(super) fn messages(key: AuthKeyId, salt: i64, msg_id: i64, body: &[u8]) -> Vec<Said> {
    let said = |msg_id, body: &[u8]| Said { key, salt, msg_id, content: content(body) };
    match container::open(body, MsgId::from_long(msg_id)) {
        Ok(inners) => inners.iter().map(|inner| said(inner.msg_id.to_long(), inner.body)).collect(),
        Err(_) => vec![said(msg_id, body)],
    }
}

fn content(body: &[u8]) -> Content {
    if let Ok(acks) = read_exact::<MsgsAck<'_>>(body) {
        return Content::Acks(acks.msg_ids.iter().collect());
    }
    if let Ok(info) = read_exact::<MsgsStateInfo<'_>>(body) {
        return Content::States(info.req_msg_id);
    }
    match query::peel(body, UNPACKED) {
        Ok(peeled) if !SERVICE.contains(&peeled.constructor()) => Content::Call {
            method: peeled.constructor(),
            introduced: peeled.client.is_some(),
            query: peeled.query().to_vec(),
        },
        _ => Content::Service,
    }
}

/// A run, by its nonce and its server_nonce.
pub(super) type RunName = ([u8; 16], [u8; 16]);

/// The fault that acted, and the run whose answer it altered.
pub(super) fn meddled(event: &LabEvent) -> Option<(Fault, Option<RunName>)> {
    let What::Meddled { fault, honest, .. } = &event.what else { return None };
    let body = honest.get(dayfly_core::plain::HEADER_LEN..).unwrap_or_default();
    let run = nonce_at(body, 4).zip(nonce_at(body, 20));
    Some((*fault, run.filter(|_| dayfly_core::plain::is_plain(honest))))
}

#[cfg(test)]
mod tests {
    use dayfly_core::client::ClientInfo;
    use dayfly_tl::api::HelpGetConfig;
    use dayfly_tl::{LongVec, to_bytes};

    use super::*;

    #[test]
    fn a_call_is_told_from_a_service_message_whatever_stands_around_it() {
        let bare = to_bytes(&HelpGetConfig {});
        assert!(matches!(content(&bare), Content::Call { introduced: false, .. }));
        let whole = ClientInfo::default().introduce(&bare);
        assert!(matches!(
            content(&whole),
            Content::Call { introduced: true, method: HelpGetConfig::CONSTRUCTOR, .. }
        ));
        let acks = to_bytes(&MsgsAck { msg_ids: LongVec::from_slice(&[5, 9]) });
        assert!(matches!(content(&acks), Content::Acks(ids) if ids == [5, 9]));
        assert!(matches!(content(&0x7abe_77ec_u32.to_le_bytes()), Content::Service));
        assert!(matches!(content(&[1, 2]), Content::Service));
    }

    #[test]
    fn the_same_query_again_is_a_repeat_and_the_same_nonce_no_new_run() {
        let mut ledger = Ledger::default();
        let body = [&[0; 4][..], &[1; 16], &[2; 16]].concat();
        assert!(matches!(ledger.query("req_pq_multi", &body), Some(Did::Began { anew: true })));
        assert!(matches!(ledger.query("req_pq_multi", &body), Some(Did::Began { anew: false })));
        for repeat in [false, true] {
            let Some(Did::Asked(asked)) = ledger.query("req_DH_params", &body) else { panic!("a query") };
            assert_eq!((asked.repeat, asked.server_nonce), (repeat, [2; 16]));
        }
        assert!(ledger.query("msgs_ack", &body).is_none());
    }
}
