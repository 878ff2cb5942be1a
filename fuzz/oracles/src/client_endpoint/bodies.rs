//! What the server says inside its envelopes.

use dayfly_core::session::MsgId;
use dayfly_core::session::container::{self, Inner};
use dayfly_tl::mtproto::{
    BadMsgNotificationPlain, BadServerSalt, FutureSalt, FutureSalts, MsgDetailedInfoPlain,
    MsgNewDetailedInfo, MsgResendReqPlain, MsgsAck, MsgsStateInfo, MsgsStateReq, NewSessionCreated, Ping,
    Pong, RpcError, RpcResult,
};
use dayfly_tl::{BOOL_TRUE, LongVec, to_bytes};

use super::Play;
use crate::input::Input;
use crate::messages::pack;

impl Play {
    /// `rpc_result` for a message of the client's: true, an error, or anything.
    pub(super) fn answer_call(&mut self, how: u8, input: &mut Input<'_>) {
        let pick = input.u8();
        let Some(link) = self.link(how) else { return };
        let Some(at) = usize::from(pick >> 3).checked_rem(link.asked.len()) else { return };
        let req_msg_id = link.asked[link.asked.len() - 1 - at].to_long();
        let result = match pick & 7 {
            0..3 => BOOL_TRUE.to_le_bytes().to_vec(),
            3 | 4 => rpc_error(input),
            5 => pack(pick, &rpc_error(input)),
            6 => pack(pick, &input.words()),
            _ => input.words(),
        };
        self.encrypt(how, true, &to_bytes(&RpcResult { req_msg_id, result: &result }));
    }

    pub(super) fn say(&mut self, how: u8, input: &mut Input<'_>) {
        let body = self.body(how, input, 3);
        self.encrypt(how, input.u8() & 1 == 0, &body);
    }

    /// What a server may say, or anything.
    fn body(&mut self, how: u8, input: &mut Input<'_>, depth: u8) -> Vec<u8> {
        let pick = input.u8();
        let asked = self.link(how).and_then(|link| link.asked.last().copied());
        let msg_id = if pick & 64 == 0 { asked.map_or(0, MsgId::to_long) } else { input.i64() };
        let ids = [msg_id, input.i64()];
        let msg_ids = LongVec::from_slice(&ids);
        match pick % 18 {
            0 => to_bytes(&MsgsAck { msg_ids }),
            1 => to_bytes(&Pong { msg_id, ping_id: input.i64() }),
            2 => {
                to_bytes(&NewSessionCreated { first_msg_id: msg_id, unique_id: 1, server_salt: input.i64() })
            }
            3 => to_bytes(&bad_msg(msg_id, input)),
            4 => to_bytes(&BadServerSalt {
                bad_msg_id: msg_id,
                bad_msg_seqno: input.i32(),
                error_code: 48,
                new_server_salt: input.i64(),
            }),
            5 => to_bytes(&future_salts(msg_id, input)),
            6 => to_bytes(&MsgsStateInfo { req_msg_id: msg_id, info: input.short() }),
            7 => to_bytes(&MsgDetailedInfoPlain { msg_id, answer_msg_id: input.i64(), bytes: 4, status: 0 }),
            8 => to_bytes(&MsgNewDetailedInfo { answer_msg_id: input.i64(), bytes: input.i32(), status: 1 }),
            9 => to_bytes(&MsgsStateReq { msg_ids }),
            10 => to_bytes(&MsgResendReqPlain { msg_ids }),
            11 => to_bytes(&Ping { ping_id: 3 }),
            12 | 13 if depth > 0 => self.container(how, input, depth - 1),
            14 if depth > 0 => pack(pick, &self.body(how, input, depth - 1)),
            15 => to_bytes(&RpcResult { req_msg_id: msg_id, result: &rpc_error(input) }),
            16 => [&0x1234_5678_u32.to_le_bytes()[..], &input.words()].concat(),
            _ => input.words(),
        }
    }

    fn container(&mut self, how: u8, input: &mut Input<'_>, depth: u8) -> Vec<u8> {
        let mut bodies = Vec::new();
        for _ in 0..input.u8() % 6 {
            let body = self.body(how, input, depth);
            bodies.push((self.next_msg_id(true), body));
        }
        let messages: Vec<_> =
            bodies.iter().map(|(msg_id, body)| Inner { msg_id: *msg_id, seqno: 1, body }).collect();
        container::pack(&messages)
    }
}

/// An error that the client knows, or any.
fn rpc_error(input: &mut Input<'_>) -> Vec<u8> {
    let (error_code, error_message): (i32, &[u8]) = match input.u8() % 8 {
        0 => (400, b"ENCRYPTED_MESSAGE_INVALID"),
        1 => (400, b"EXPIRES_AT_INVALID"),
        2 => (400, b"TEMP_AUTH_KEY_EMPTY"),
        3 => (400, b"TEMP_AUTH_KEY_ALREADY_BOUND"),
        4 => (400, b"CONNECTION_NOT_INITED"),
        5 => (401, b"AUTH_KEY_PERM_EMPTY"),
        6 => (500, b"INTERNAL"),
        _ => (input.i32(), input.short()),
    };
    to_bytes(&RpcError { error_code, error_message })
}

fn bad_msg(bad_msg_id: i64, input: &mut Input<'_>) -> BadMsgNotificationPlain {
    let error_code = 16 + i32::from(input.u8() % 50);
    BadMsgNotificationPlain { bad_msg_id, bad_msg_seqno: input.i32(), error_code }
}

fn future_salts(req_msg_id: i64, input: &mut Input<'_>) -> FutureSalts {
    let salt = |input: &mut Input<'_>| FutureSalt {
        valid_since: input.i32(),
        valid_until: input.i32(),
        salt: input.i64(),
    };
    let salts = (0..input.u8() % 8).map(|_| salt(input)).collect();
    FutureSalts { req_msg_id, now: input.i32(), salts }
}
