//! The binding message: sealed well under the right key, whatever it says, and believed only if all of it is right.

use std::sync::Arc;

use dayfly_core::keys::bind::{BindContext, BindRefusal, VerifiedBinding, verify};
use dayfly_core::keys::kind::PermKey;
use dayfly_core::session::{MsgId, SessionId};
use dayfly_crypto::{AuthKey, AuthKeyId, ige, kdf, kdf::Side};
use dayfly_tl::api::AuthBindTempAuthKey;
use dayfly_tl::mtproto::BindAuthKeyInner;
use dayfly_tl::to_bytes;

use crate::input::Input;
use crate::world::START;

const TEMP: AuthKeyId = AuthKeyId(0x1122_3344_5566_7788);
const SESSION: i64 = -99;
const MSG_ID: i64 = (START as i64) << 32 | 4;
const NONCE: i64 = 5;
const EXPIRES_AT: i32 = START as i32 + 1000;

/// Bytes of an encrypted message that is right.
const RIGHT_LEN: usize = 104;

/// A request in its parts. Of each the script may make something else.
struct Parts {
    outer_id: i64,
    front_id: i64,
    inner_id: i64,
    outer_nonce: i64,
    inner_nonce: i64,
    outer_expires_at: i32,
    inner_expires_at: i32,
    temp: i64,
    session: i64,
    msg_id: i64,
    seqno: i32,
    length: i32,
    constructor: u32,
    /// Bytes after the 72 of the message, and what they are.
    padding: Vec<u8>,
    spoiled: Vec<u8>,
}

/// The first two bytes say which parts are other than they should be.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let parts = Parts::read(&mut input);
    let bound_to = (input.u8() % 4 == 1).then(|| AuthKeyId::from_long(input.i64()));
    let context = BindContext {
        carrier: TEMP,
        carrier_is_temporary: input.u8() % 8 != 1,
        bound_to,
        session: SessionId(SESSION),
        msg_id: MsgId::from_long(MSG_ID),
    };
    let outcome = parts.verify(&context);
    let right =
        parts.is_right() && context.carrier_is_temporary && bound_to.is_none_or(|id| id == perm().id());
    if right && u64::try_from(parts.outer_expires_at).is_ok_and(|at| at > START) {
        let verified = outcome.expect("every part is right");
        let VerifiedBinding { perm: found, temp, expires_at, .. } = verified;
        assert_eq!((found, temp), (perm().id(), TEMP));
        assert_eq!(Ok(expires_at), u64::try_from(parts.outer_expires_at));
    } else {
        refused_as_one(outcome.expect_err("a part is wrong"), &parts);
    }
}

/// What is wrong inside looks the same from outside, whichever part it is.
fn refused_as_one(refusal: BindRefusal, parts: &Parts) {
    let (code, message) = refusal.rpc_error();
    assert_eq!(code, 400);
    if !matches!(refusal, BindRefusal::UnderPermanentKey) && !parts.is_right() {
        assert_eq!(message, "ENCRYPTED_MESSAGE_INVALID");
    }
}

fn perm() -> PermKey {
    PermKey::new(Arc::new(secret()))
}

fn secret() -> AuthKey {
    AuthKey::copy_of(&[9; 256])
}

impl Parts {
    fn read(input: &mut Input<'_>) -> Self {
        let wrong = input.u16();
        let right_id = secret().id().to_long();
        let mut long = |bit: u32, right| if wrong & 1 << bit != 0 { input.i64() } else { right };
        let (outer_id, front_id, inner_id) = (long(0, right_id), long(1, right_id), long(2, right_id));
        let (outer_nonce, inner_nonce) = (long(3, NONCE), long(4, NONCE));
        let (temp, session, msg_id) = (long(5, TEMP.to_long()), long(6, SESSION), long(7, MSG_ID));
        let mut int = |bit: u32, right| if wrong & 1 << bit != 0 { input.i32() } else { right };
        let (outer_expires_at, inner_expires_at) = (int(8, EXPIRES_AT), int(9, EXPIRES_AT));
        let (seqno, length) = (int(10, 0), int(11, 40));
        let constructor = int(12, BindAuthKeyInner::CONSTRUCTOR.cast_signed()).cast_unsigned();
        let padding = if wrong & 1 << 13 == 0 { vec![0xaa; 8] } else { input.short().to_vec() };
        let spoiled = if wrong & 1 << 14 == 0 { Vec::new() } else { input.short().to_vec() };
        Self {
            outer_id,
            front_id,
            inner_id,
            outer_nonce,
            inner_nonce,
            outer_expires_at,
            inner_expires_at,
            temp,
            session,
            msg_id,
            seqno,
            length,
            constructor,
            padding,
            spoiled,
        }
    }

    /// The rule, said once more: everything inside is what it is outside.
    fn is_right(&self) -> bool {
        let id = secret().id().to_long();
        [self.outer_id, self.front_id, self.inner_id] == [id; 3]
            && self.outer_nonce == self.inner_nonce
            && self.outer_expires_at == self.inner_expires_at
            && (self.temp, self.session, self.msg_id) == (TEMP.to_long(), SESSION, MSG_ID)
            && (self.seqno, self.length, self.constructor) == (0, 40, BindAuthKeyInner::CONSTRUCTOR)
            && self.padding.len() <= 8 // filled up to whole blocks, which makes it 8
            && self.spoiled.iter().take(RIGHT_LEN).all(|byte| *byte == 0)
    }

    fn verify(&self, context: &BindContext) -> Result<VerifiedBinding, BindRefusal> {
        let encrypted_message = self.encrypted_message();
        let request = AuthBindTempAuthKey {
            perm_auth_key_id: self.outer_id,
            nonce: self.outer_nonce,
            expires_at: self.outer_expires_at,
            encrypted_message: &encrypted_message,
        };
        assert!(verify(&request, None, context, START).is_err(), "bound to a key that is not there");
        verify(&request, Some(&perm()), context, START)
    }

    /// By the letter of the specification; then the bytes that the script spoils are flipped.
    fn encrypted_message(&self) -> Vec<u8> {
        let mut plaintext = vec![3; 16];
        plaintext.extend_from_slice(&self.msg_id.to_le_bytes());
        plaintext.extend_from_slice(&self.seqno.to_le_bytes());
        plaintext.extend_from_slice(&self.length.to_le_bytes());
        plaintext.extend_from_slice(&self.inner());
        let msg_key = kdf::v1_msg_key(&plaintext);
        plaintext.extend_from_slice(&self.padding);
        plaintext.resize(plaintext.len().next_multiple_of(16), 0);
        let aes = kdf::v1_aes(&secret(), &msg_key, Side::Client);
        ige::encrypt(&mut plaintext, &aes.key, &aes.iv).expect("whole blocks");
        let mut message = [&self.front_id.to_le_bytes()[..], &msg_key, &plaintext].concat();
        message.iter_mut().zip(&self.spoiled).for_each(|(byte, with)| *byte ^= with);
        message
    }

    fn inner(&self) -> Vec<u8> {
        let mut inner = to_bytes(&BindAuthKeyInner {
            nonce: self.inner_nonce,
            temp_auth_key_id: self.temp,
            perm_auth_key_id: self.inner_id,
            temp_session_id: self.session,
            expires_at: self.inner_expires_at,
        });
        inner[..4].copy_from_slice(&self.constructor.to_le_bytes());
        inner
    }
}
