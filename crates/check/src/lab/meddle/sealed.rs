//! Encrypted messages, opened, altered and sealed again.

use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use dayfly_core::session::container::{self, Inner};
use dayfly_core::session::{MsgId, SessionId, envelope};
use dayfly_crypto::kdf::{self, Side};
use dayfly_crypto::{AuthKey, ige};
use dayfly_tl::mtproto::{
    BadMsgNotificationPlain, BadServerSalt, GzipPacked, MsgsStateReq, RpcError, RpcResult,
};
use dayfly_tl::{BOOL_FALSE, LongVec, Reader, read_exact, to_bytes};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Call;
use crate::dice::Dice;
use crate::lab::fault::Fault;

/// Bytes of the header inside, and of a block.
const HEADER: usize = 32;
const BLOCK: usize = 16;
/// An update that says nothing: `updatesTooLong#e317af7e`.
const UPDATE: u32 = 0xe317_af7e;
/// What the bomb unpacks to, in bytes.
const BOMB: usize = 64 << 20;

/// A message, out of its packet.
#[derive(Clone)]
pub(in crate::lab) struct Message {
    pub(in crate::lab) key: Arc<AuthKey>,
    pub(in crate::lab) salt: i64,
    pub(in crate::lab) session_id: i64,
    pub(in crate::lab) msg_id: i64,
    pub(in crate::lab) seqno: i32,
    pub(in crate::lab) body: Vec<u8>,
    /// Bytes that followed it.
    pub(in crate::lab) padding: usize,
}

impl Message {
    /// Opens a packet of `side`'s.
    pub(in crate::lab) fn open(key: Arc<AuthKey>, side: Side, packet: &[u8]) -> Result<Self, &'static str> {
        let (outer, encrypted) = packet.split_at_checked(24).ok_or("the packet is too short")?;
        let msg_key = outer.last_chunk::<16>().ok_or("the packet is too short")?;
        let mut plain = encrypted.to_vec();
        let aes = kdf::v2_aes(&key, msg_key, side);
        ige::decrypt(&mut plain, &aes.key, &aes.iv).map_err(|_| "the encrypted part is not whole blocks")?;
        if kdf::v2_msg_key(&key, &plain, side).msg_key() != *msg_key {
            return Err("the msg_key does not fit the plaintext");
        }
        let mut fields = Reader::new(&plain);
        let mut header = || -> Result<_, dayfly_tl::Error> {
            Ok((fields.i64()?, fields.i64()?, fields.i64()?, fields.i32()?, fields.i32()?))
        };
        let (salt, session_id, msg_id, seqno, length) = header().map_err(|_| "the header is not whole")?;
        let rest = plain.get(HEADER..).unwrap_or_default();
        let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
        let (body, padding) = split.ok_or("the length goes beyond the packet")?;
        Ok(Self { key, salt, session_id, msg_id, seqno, body: body.to_vec(), padding: padding.len() })
    }

    /// The messages of a container, or the one itself.
    pub(in crate::lab) fn parts(&self) -> Vec<Self> {
        let whole = || vec![self.clone()];
        if !container::is_container(&self.body) {
            return whole();
        }
        let Ok(inners) = container::open(&self.body, MsgId::from_long(self.msg_id)) else { return whole() };
        inners
            .into_iter()
            .map(|Inner { msg_id, seqno, body }| Self {
                msg_id: msg_id.to_long(),
                seqno,
                body: body.to_vec(),
                ..self.clone()
            })
            .collect()
    }

    /// The msg_id of the call that it answers, if it is an rpc_result.
    pub(in crate::lab) fn answers(&self) -> Option<i64> {
        read_exact::<RpcResult<'_>>(&self.body).ok().map(|result| result.req_msg_id)
    }

    /// Its packet, as the server seals it.
    pub(in crate::lab) fn seal(&self, dice: &mut Dice) -> Option<Vec<u8>> {
        self.seal_with(None, dice)
    }

    /// The same, with a fault of the packet itself.
    fn seal_with(&self, fault: Option<Fault>, dice: &mut Dice) -> Option<Vec<u8>> {
        let said = said_length(fault, self.body.len());
        let mut plain = self.plaintext();
        plain.get_mut(HEADER - 4..HEADER)?.copy_from_slice(&said.to_le_bytes());
        let padding = padding(fault, plain.len());
        plain.extend((0..padding).map(|_| dice.bytes::<1>()[0]));
        let mut msg_key = kdf::v2_msg_key(&self.key, &plain, Side::Server).msg_key();
        if fault == Some(Fault::MsgKey) {
            msg_key[7] ^= 1;
        }
        let aes = kdf::v2_aes(&self.key, &msg_key, Side::Server);
        ige::encrypt(&mut plain, &aes.key, &aes.iv).ok()?;
        let mut id = self.key.id().to_wire();
        match fault {
            Some(Fault::OtherKey) => id[2] ^= 1,
            Some(Fault::PartialBlock) => plain.truncate(plain.len().saturating_sub(4)),
            _ => {}
        }
        Some([&id[..], &msg_key, &plain].concat())
    }

    fn plaintext(&self) -> Vec<u8> {
        let (session, msg_id) = (SessionId(self.session_id), MsgId::from_long(self.msg_id));
        envelope::plaintext(self.salt, session, msg_id, self.seqno, &self.body)
    }

    /// The packets as this fault has them: the altered one, and what comes before it. `None` if it does not act here.
    pub(super) fn altered(&self, fault: Fault, call: &Call, dice: &mut Dice) -> Option<Vec<Vec<u8>>> {
        let mut message = self.clone();
        match fault {
            Fault::StrangeNotice | Fault::Push | Fault::AskState => {
                let before = self.before(fault, dice)?;
                return Some(vec![before.seal(dice)?, self.seal(dice)?]);
            }
            Fault::OtherSession => message.session_id ^= 1 << 40,
            Fault::EvenMsgId => message.msg_id &= !1,
            Fault::OldMsgId => message.msg_id -= 400 << 32,
            Fault::FutureMsgId => message.msg_id += 60 << 32,
            Fault::PaddingShort if padding(Some(fault), HEADER + self.body.len()) == 12 => {
                message = message.contained();
            }
            Fault::ContainerNested => message = message.contained().contained(),
            _ => message.body = body(fault, self, call).unwrap_or(message.body),
        }
        Some(vec![message.seal_with(Some(fault), dice)?])
    }

    /// The message inside a container.
    fn contained(&self) -> Self {
        let msg_id = MsgId::from_long(self.msg_id);
        let body = container::pack(&[Inner { msg_id, seqno: self.seqno, body: &self.body }]);
        Self { msg_id: self.msg_id + 4, seqno: self.seqno & !1, body, ..self.clone() }
    }

    /// What comes before the answer.
    fn before(&self, fault: Fault, dice: &mut Dice) -> Option<Self> {
        let (body, seqno) = match fault {
            Fault::StrangeNotice => {
                let notice = BadServerSalt {
                    bad_msg_id: (self.msg_id - (3 << 32)) & !3,
                    bad_msg_seqno: 1,
                    error_code: 48,
                    new_server_salt: dice.long(),
                };
                (to_bytes(&notice), self.seqno & !1)
            }
            Fault::Push => (UPDATE.to_le_bytes().to_vec(), self.seqno | 1),
            Fault::AskState => {
                let ids = [self.answers()?];
                (to_bytes(&MsgsStateReq { msg_ids: LongVec::from_slice(&ids) }), self.seqno | 1)
            }
            _ => return None,
        };
        // 3 modulo 4, and lower than the answer's.
        Some(Self { msg_id: self.msg_id - 2, seqno, body, ..self.clone() })
    }

    /// The error that follows an altered answer.
    pub(super) fn follow_up(&self) -> Option<Self> {
        let body = result(self.answers()?, &error(500, "LAB_FOLLOW_UP"));
        Some(Self { msg_id: self.msg_id + 8, seqno: self.seqno + 2, body, ..self.clone() })
    }
}

/// The length that the header says.
fn said_length(fault: Option<Fault>, honest: usize) -> i32 {
    let honest = i32::try_from(honest).unwrap_or(i32::MAX);
    match fault {
        Some(Fault::LengthBeyond) => honest.saturating_add(4096),
        Some(Fault::LengthOdd) => honest.saturating_add(2),
        Some(Fault::LengthNegative) => -4,
        _ => honest,
    }
}

/// How many bytes follow a plaintext of this length.
fn padding(fault: Option<Fault>, length: usize) -> usize {
    let to_block = |length: usize| length.next_multiple_of(BLOCK) - length;
    match fault {
        Some(Fault::PaddingShort) => to_block(length),
        Some(Fault::PaddingLong) => 1025 + to_block(length + 1025),
        // Enough for the two bytes that the length takes of it.
        Some(Fault::LengthOdd) => 16 + to_block(length),
        _ => 12 + to_block(length + 12),
    }
}

/// Another body in the place of the answer's.
fn body(fault: Fault, message: &Message, call: &Call) -> Option<Vec<u8>> {
    use Fault as F;
    let answered: RpcResult<'_> = read_exact(&message.body).ok()?;
    let to = answered.req_msg_id;
    let refused = |code, text| Some(result(to, &error(code, text)));
    let notice = |error_code| {
        let (bad_msg_id, bad_msg_seqno) = (to, call.seqno);
        Some(to_bytes(&BadMsgNotificationPlain { bad_msg_id, bad_msg_seqno, error_code }))
    };
    match fault {
        F::BindInvalid => refused(400, "ENCRYPTED_MESSAGE_INVALID"),
        F::BindExpiresAt => refused(400, "EXPIRES_AT_INVALID"),
        F::BindTempEmpty => refused(400, "TEMP_AUTH_KEY_EMPTY"),
        F::BindAlreadyBound => refused(400, "TEMP_AUTH_KEY_ALREADY_BOUND"),
        F::Internal => refused(500, "INTERNAL"),
        F::NotInited => refused(400, "CONNECTION_NOT_INITED"),
        F::BindFalse => Some(result(to, &BOOL_FALSE.to_le_bytes())),
        F::BindNotBool => Some(result(to, &UPDATE.to_le_bytes())),
        F::Gzip => Some(result(to, &gzip(answered.result)?)),
        F::GzipBomb => Some(result(to, bomb())),
        F::BadMsgOld => notice(16),
        F::BadMsgAhead => notice(17),
        F::BadMsgForgotten => notice(20),
        F::BadMsgSeqno => notice(32),
        F::BadMsgContainer => notice(64),
        _ => None,
    }
}

fn result(req_msg_id: i64, result: &[u8]) -> Vec<u8> {
    to_bytes(&RpcResult { req_msg_id, result })
}

fn error(error_code: i32, text: &str) -> Vec<u8> {
    to_bytes(&RpcError { error_code, error_message: text.as_bytes() })
}

fn gzip(object: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(object).ok()?;
    Some(to_bytes(&GzipPacked { packed_data: &encoder.finish().ok()? }))
}

/// Zeros, packed in layers of nothing: made once.
fn bomb() -> &'static [u8] {
    static BOMB_BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB_BYTES.get_or_init(|| gzip(&vec![0; BOMB]).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: Vec<u8>) -> Message {
        let key = Arc::new(AuthKey::copy_of(&[7; 256]));
        let msg_id = (1_800_000_000 << 32) | 1;
        Message { key, salt: 1, session_id: 2, msg_id, seqno: 3, body, padding: 0 }
    }

    fn answer() -> Message {
        message(result(44, &BOOL_FALSE.to_le_bytes()))
    }

    fn opened(packet: &[u8]) -> Result<Message, &'static str> {
        Message::open(Arc::clone(&answer().key), Side::Server, packet)
    }

    fn altered(fault: Fault) -> Vec<Vec<u8>> {
        let call = Call { method: 0, seqno: 5 };
        answer().altered(fault, &call, &mut Dice::new(1, "test")).unwrap()
    }

    fn alone(fault: Fault) -> Vec<u8> {
        let mut packets = altered(fault);
        assert_eq!(packets.len(), 1, "{fault}");
        packets.remove(0)
    }

    #[test]
    fn what_is_sealed_opens_again() {
        let packet = answer().seal(&mut Dice::new(1, "test")).unwrap();
        let message = opened(&packet).unwrap();
        assert_eq!((message.salt, message.session_id, message.seqno), (1, 2, 3));
        assert_eq!((message.answers(), message.padding), (Some(44), 16));
    }

    #[test]
    fn each_fault_of_a_packet_is_what_it_says() {
        assert_eq!(opened(&alone(Fault::MsgKey)).err(), Some("the msg_key does not fit the plaintext"));
        assert_eq!(opened(&alone(Fault::PartialBlock)).err(), Some("the encrypted part is not whole blocks"));
        assert_eq!(opened(&alone(Fault::LengthBeyond)).err(), Some("the length goes beyond the packet"));
        assert_eq!(opened(&alone(Fault::LengthNegative)).err(), Some("the length goes beyond the packet"));
        assert!(opened(&alone(Fault::PaddingShort)).unwrap().padding < 12);
        assert!(opened(&alone(Fault::PaddingLong)).unwrap().padding > 1024);
        assert_eq!(opened(&alone(Fault::LengthOdd)).unwrap().body.len() % 4, 2);
        assert_eq!(opened(&alone(Fault::EvenMsgId)).unwrap().msg_id % 2, 0);
        assert_ne!(opened(&alone(Fault::OtherSession)).unwrap().session_id, 2);
        assert_ne!(alone(Fault::OtherKey)[..8], answer().key.id().to_wire());
    }

    #[test]
    fn padding_is_short_for_every_length_of_an_answer() {
        for words in 0..8 {
            let message = message(result(44, &[1; 4].repeat(words)));
            let call = Call { method: 0, seqno: 5 };
            let packets = message.altered(Fault::PaddingShort, &call, &mut Dice::new(1, "test")).unwrap();
            assert!(opened(&packets[0]).unwrap().padding < 12, "{words}");
        }
    }

    #[test]
    fn a_refusal_takes_the_place_of_the_result() {
        let message = opened(&alone(Fault::BindInvalid)).unwrap();
        let result: RpcResult<'_> = read_exact(&message.body).unwrap();
        let error: RpcError<'_> = read_exact(result.result).unwrap();
        assert_eq!((error.error_code, error.error_message), (400, &b"ENCRYPTED_MESSAGE_INVALID"[..]));
    }

    #[test]
    fn what_comes_before_has_a_lower_id_and_is_no_answer() {
        for fault in [Fault::StrangeNotice, Fault::Push, Fault::AskState] {
            let packets: Vec<_> = altered(fault).iter().map(|packet| opened(packet).unwrap()).collect();
            let [before, after] = packets.as_slice() else { panic!("{fault}") };
            assert!(before.msg_id < after.msg_id && before.msg_id % 4 == 3, "{fault}");
            assert_eq!((before.answers(), after.answers()), (None, Some(44)), "{fault}");
        }
    }

    #[test]
    fn a_nested_answer_comes_apart_by_two_containers() {
        let outer = opened(&alone(Fault::ContainerNested)).unwrap();
        assert!(container::is_container(&outer.body));
        assert!(container::open(&outer.body, MsgId::from_long(outer.msg_id)).is_err(), "nested");
    }
}
