//! What the clients say inside their envelopes.

use std::sync::Arc;

use dayfly_core::keys::bind::Binding;
use dayfly_core::keys::kind::PermKey;
use dayfly_core::session::container::{self, Inner};
use dayfly_core::session::{MsgId, SessionId};
use dayfly_tl::api::{
    AuthDropTempAuthKeys, HelpGetConfig, HelpGetNearestDc, InitConnection69796de9, InvokeAfterMsg,
    InvokeWithLayer,
};
use dayfly_tl::mtproto::{
    DestroyAuthKey, DestroySession, GetFutureSalts, HttpWait, MsgResendReqPlain, MsgsAck, MsgsStateReq, Ping,
    PingDelayDisconnect, RpcDropAnswerCall,
};
use dayfly_tl::{LongVec, to_bytes};

use super::known::Known;
use super::{EXPIRES_AT, Play};
use crate::input::Input;
use crate::messages::pack;

impl Play {
    /// What a client may say, or anything.
    pub(super) fn body(
        &mut self,
        known: Known,
        session: SessionId,
        input: &mut Input<'_>,
        depth: u8,
    ) -> Vec<u8> {
        match input.u8() % 20 {
            0 => to_bytes(&HelpGetConfig),
            1 => to_bytes(&HelpGetNearestDc),
            2 => to_bytes(&Ping { ping_id: 7 }),
            3 => to_bytes(&PingDelayDisconnect { ping_id: 8, disconnect_delay: input.i32() }),
            4 => to_bytes(&GetFutureSalts { num: input.i32() }),
            5 => to_bytes(&MsgsAck { msg_ids: LongVec::from_slice(&longs(input)) }),
            6 => to_bytes(&MsgsStateReq { msg_ids: LongVec::from_slice(&longs(input)) }),
            7 => to_bytes(&MsgResendReqPlain { msg_ids: LongVec::from_slice(&longs(input)) }),
            8 => to_bytes(&RpcDropAnswerCall { req_msg_id: self.last_msg_id.cast_signed() }),
            9 => to_bytes(&DestroySession { session_id: session.0 ^ i64::from(input.u8() & 1) }),
            10 => to_bytes(&DestroyAuthKey),
            11 => to_bytes(&HttpWait { max_delay: input.i32(), wait_after: 0, max_wait: 0 }),
            12 => to_bytes(&AuthDropTempAuthKeys { except_auth_keys: LongVec::from_slice(&longs(input)) }),
            13 => self.bind(known, session),
            14 | 15 if depth > 0 => self.container(known, session, input, depth - 1),
            16 if depth > 0 => pack(input.u8(), &self.body(known, session, input, depth - 1)),
            17 if depth > 0 => wrapped(&self.body(known, session, input, depth - 1)),
            18 => [&0x1234_5678_u32.to_le_bytes()[..], &input.words()].concat(),
            _ => input.words(),
        }
    }

    fn container(&mut self, known: Known, session: SessionId, input: &mut Input<'_>, depth: u8) -> Vec<u8> {
        let mut bodies = Vec::new();
        for _ in 0..input.u8() % 6 {
            let body = self.body(known, session, input, depth);
            bodies.push((self.next_msg_id(), self.next_seqno(), body));
        }
        let messages: Vec<_> = bodies
            .iter()
            .map(|(msg_id, seqno, body)| Inner { msg_id: *msg_id, seqno: *seqno, body })
            .collect();
        container::pack(&messages)
    }

    /// A binding that is right if it goes out at once and bare.
    fn bind(&mut self, known: Known, session: SessionId) -> Vec<u8> {
        let binding = Binding { temp: known.id(), expires_at: i32::try_from(EXPIRES_AT).unwrap_or(i32::MAX) };
        let perm = PermKey::new(Arc::new(Known::Perm.secret()));
        let msg_id = MsgId((self.last_msg_id + 4).max(self.world.now.unix_seconds() << 32));
        binding.request(&perm, msg_id, session, &mut self.world.chance).unwrap_or_default()
    }
}

fn longs(input: &mut Input<'_>) -> Vec<i64> {
    (0..input.u8() % 8).map(|_| input.i64()).collect()
}

/// The client info of an old client, and a layer; after a message that never came.
fn wrapped(query: &[u8]) -> Vec<u8> {
    let query = &to_bytes(&InvokeAfterMsg { msg_id: 4, query });
    let init = InitConnection69796de9 {
        api_id: 1,
        device_model: b"fuzzer",
        system_version: b"1",
        app_version: b"1",
        lang_code: b"en",
        query,
    };
    to_bytes(&InvokeWithLayer { layer: 100, query: &to_bytes(&init) })
}
