//! The binding message as the specification lays it out, and each way to get it wrong.

use std::sync::Arc;

use dayfly_crypto::{AuthKey, digest};

use super::*;
use crate::session::testing::{Broken, Counting};

const NOW: u64 = 1_700_000_000;
const EXPIRES_AT: i32 = 1_700_086_400;
const TEMP: AuthKeyId = AuthKeyId(0x1122_3344_5566_7788);
const SESSION: SessionId = SessionId(-99);
const MSG_ID: MsgId = MsgId(NOW << 32 | 4);

fn perm() -> PermKey {
    perm_of(9)
}

fn perm_of(byte: u8) -> PermKey {
    let bytes = core::array::from_fn(|at| byte.wrapping_add(at as u8)); // no two parts of it are the same
    PermKey::new(Arc::new(AuthKey::copy_of(&bytes)))
}

fn context() -> BindContext {
    BindContext {
        carrier: TEMP,
        carrier_is_temporary: true,
        bound_to: None,
        session: SESSION,
        msg_id: MSG_ID,
    }
}

/// A request in its parts, so that a test can spoil one of them.
#[derive(Clone)]
struct Parts {
    outer_id: i64,
    nonce: i64,
    expires_at: i32,
    front_id: i64,
    msg_id: i64,
    seqno: i32,
    length: i32,
    constructor: u32,
    inner: BindAuthKeyInner,
    padding: usize,
    spoil_msg_key: bool,
}

impl Parts {
    fn right() -> Self {
        let perm_auth_key_id = perm().id().to_long();
        let inner = BindAuthKeyInner {
            nonce: 5,
            temp_auth_key_id: TEMP.to_long(),
            perm_auth_key_id,
            temp_session_id: SESSION.0,
            expires_at: EXPIRES_AT,
        };
        Self {
            outer_id: perm_auth_key_id,
            nonce: 5,
            expires_at: EXPIRES_AT,
            front_id: perm_auth_key_id,
            msg_id: MSG_ID.to_long(),
            seqno: 0,
            length: 40,
            constructor: BindAuthKeyInner::CONSTRUCTOR,
            inner,
            padding: 8,
            spoil_msg_key: false,
        }
    }

    fn with(spoil: impl FnOnce(&mut Self)) -> Self {
        let mut parts = Self::right();
        spoil(&mut parts);
        parts
    }

    fn encrypted_message(&self) -> Vec<u8> {
        let mut plaintext = vec![3; 16];
        plaintext.extend_from_slice(&self.msg_id.to_le_bytes());
        plaintext.extend_from_slice(&self.seqno.to_le_bytes());
        plaintext.extend_from_slice(&self.length.to_le_bytes());
        let mut inner = to_bytes(&self.inner);
        inner[..4].copy_from_slice(&self.constructor.to_le_bytes());
        plaintext.extend_from_slice(&inner);
        let mut msg_key: [u8; 16] = digest::sha1(&[&plaintext])[4..].try_into().unwrap();
        msg_key[0] ^= u8::from(self.spoil_msg_key);
        plaintext.resize(72 + self.padding, 0);
        let aes = kdf::v1_aes(perm().auth_key(), &msg_key, Side::Client);
        ige::encrypt(&mut plaintext, &aes.key, &aes.iv).unwrap();
        [&self.front_id.to_le_bytes()[..], &msg_key, &plaintext].concat()
    }

    fn verified(&self, context: &BindContext) -> Result<VerifiedBinding, BindRefusal> {
        self.verified_with(&self.encrypted_message(), Some(&perm()), context)
    }

    fn verified_with(
        &self,
        encrypted_message: &[u8],
        perm: Option<&PermKey>,
        context: &BindContext,
    ) -> Result<VerifiedBinding, BindRefusal> {
        let request = AuthBindTempAuthKey {
            perm_auth_key_id: self.outer_id,
            nonce: self.nonce,
            expires_at: self.expires_at,
            encrypted_message,
        };
        verify(&request, perm, context, NOW)
    }
}

fn refused(parts: &Parts) -> Option<BindRefusal> {
    parts.verified(&context()).err()
}

fn invalid(check: BindCheck) -> Option<BindRefusal> {
    Some(BindRefusal::Invalid(check))
}

// rule: PF-06, PF-07, PF-08
#[test]
fn what_the_client_builds_the_server_takes() {
    let binding = Binding { temp: TEMP, expires_at: EXPIRES_AT };
    let body = binding.request(&perm(), MSG_ID, SESSION, &mut Counting::default()).unwrap();
    let request: AuthBindTempAuthKey<'_> = read_exact(&body).unwrap();
    assert_eq!(request.encrypted_message.len(), 104);
    assert_eq!(request.encrypted_message[..8], perm().id().to_wire());
    let verified = verify(&request, Some(&perm()), &context(), NOW).unwrap();
    let expected = VerifiedBinding { perm: perm().id(), temp: TEMP, expires_at: EXPIRES_AT as u64 };
    assert_eq!(verified, expected);
}

// rule: PF-07
#[test]
fn the_layout_is_that_of_the_specification() {
    let binding = Binding { temp: TEMP, expires_at: EXPIRES_AT };
    let body = binding.request(&perm(), MSG_ID, SESSION, &mut Counting::default()).unwrap();
    let request: AuthBindTempAuthKey<'_> = read_exact(&body).unwrap();
    let (front, encrypted) = request.encrypted_message.split_at(24);
    let msg_key = front[8..].try_into().unwrap();
    let aes = kdf::v1_aes(perm().auth_key(), msg_key, Side::Client);
    let mut plaintext = encrypted.to_vec();
    ige::decrypt(&mut plaintext, &aes.key, &aes.iv).unwrap();
    assert_eq!(digest::sha1(&[&plaintext[..72]])[4..], msg_key[..]);
    assert_eq!(plaintext[16..24], MSG_ID.0.to_le_bytes());
    assert_eq!(plaintext[24..32], [0, 0, 0, 0, 40, 0, 0, 0]);
    assert_eq!(plaintext[32..36], [0x65, 0xf7, 0xa3, 0x75]);
    assert_eq!(plaintext[36..44], request.nonce.to_le_bytes());
    assert_eq!(plaintext[44..52], TEMP.to_wire());
    assert_eq!(plaintext[52..60], perm().id().to_wire());
    assert_eq!(plaintext[60..68], SESSION.0.to_le_bytes());
    assert_eq!(plaintext[68..72], EXPIRES_AT.to_le_bytes());
}

// rule: PF-06, PF-21
#[test]
fn every_request_is_built_anew() {
    let binding = Binding { temp: TEMP, expires_at: EXPIRES_AT };
    let mut random = Counting::default();
    let mut nonce = || {
        let body = binding.request(&perm(), MSG_ID, SESSION, &mut random).unwrap();
        read_exact::<AuthBindTempAuthKey<'_>>(&body).unwrap().nonce
    };
    assert_ne!(nonce(), nonce());
}

#[test]
fn without_randomness_there_is_no_request() {
    let binding = Binding { temp: TEMP, expires_at: EXPIRES_AT };
    assert_eq!(binding.request(&perm(), MSG_ID, SESSION, &mut Broken), Err(RandomError));
}

// rule: PF-06
#[test]
fn only_bool_true_is_success() {
    let binding = Binding { temp: TEMP, expires_at: EXPIRES_AT };
    let confirmed = binding.confirm(&perm(), &to_bytes(&true)).unwrap();
    assert_eq!((confirmed.perm(), confirmed.expires_at()), (perm().id(), EXPIRES_AT as u64));
    assert_eq!(binding.confirm(&perm(), &to_bytes(&false)), None);
    assert_eq!(binding.confirm(&perm(), &[0xb5, 0x75, 0x72]), None);
    assert_eq!(binding.confirm(&perm(), &[]), None);
}

#[test]
fn the_parts_are_right_to_begin_with() {
    assert_eq!(refused(&Parts::right()), None);
}

// rule: PF-08
#[test]
fn an_unknown_permanent_key_is_refused() {
    let parts = Parts::right();
    let outcome = parts.verified_with(&parts.encrypted_message(), None, &context());
    assert_eq!(outcome.err(), invalid(BindCheck::PermKey));
}

// rule: PF-08
#[test]
fn another_outer_id_is_refused() {
    // The ids inside and in front are right; the inner one is compared with the outer one, so it has to
    // follow.
    let parts = Parts::with(|parts| {
        parts.outer_id = 77;
        parts.inner.perm_auth_key_id = 77;
    });
    assert_eq!(refused(&parts), invalid(BindCheck::OuterId));
}

// rule: PF-08
#[test]
fn another_id_in_front_is_refused() {
    assert_eq!(refused(&Parts::with(|parts| parts.front_id ^= 1)), invalid(BindCheck::FrontId));
}

// rule: PF-08
#[test]
fn another_inner_id_is_refused() {
    let parts = Parts::with(|parts| parts.inner.perm_auth_key_id ^= 1);
    assert_eq!(refused(&parts), invalid(BindCheck::InnerId));
}

// rule: PF-08
#[test]
fn a_wrong_msg_key_is_refused() {
    // Everything decrypts to what it should be, for the cipher's key was derived from the wrong msg_key too.
    let parts = Parts::with(|parts| parts.spoil_msg_key = true);
    assert_eq!(refused(&parts), invalid(BindCheck::MsgKey));
}

// rule: PF-08
#[test]
fn sixteen_bytes_of_padding_are_refused() {
    assert_eq!(refused(&Parts::with(|parts| parts.padding = 24)), invalid(BindCheck::Padding));
}

// rule: PF-08
#[test]
fn another_msg_id_is_refused() {
    assert_eq!(refused(&Parts::with(|parts| parts.msg_id += 4)), invalid(BindCheck::MsgId));
}

// rule: PF-08
#[test]
fn a_seqno_other_than_0_is_refused() {
    assert_eq!(refused(&Parts::with(|parts| parts.seqno = 1)), invalid(BindCheck::Seqno));
}

// rule: PF-08
#[test]
fn a_length_other_than_40_is_refused() {
    for length in [-4, 0, 36, 44, i32::MAX] {
        assert_eq!(refused(&Parts::with(|parts| parts.length = length)), invalid(BindCheck::Length));
    }
}

// rule: PF-08
#[test]
fn another_nonce_is_refused() {
    assert_eq!(refused(&Parts::with(|parts| parts.nonce += 1)), invalid(BindCheck::Nonce));
}

// rule: PF-08
#[test]
fn another_temporary_key_is_refused() {
    let parts = Parts::with(|parts| parts.inner.temp_auth_key_id ^= 1);
    assert_eq!(refused(&parts), invalid(BindCheck::TempKey));
}

// rule: PF-08
#[test]
fn another_session_is_refused() {
    let parts = Parts::with(|parts| parts.inner.temp_session_id ^= 1);
    assert_eq!(refused(&parts), invalid(BindCheck::Session));
}

// rule: PF-08
#[test]
fn another_expires_at_is_refused() {
    assert_eq!(refused(&Parts::with(|parts| parts.expires_at += 1)), invalid(BindCheck::ExpiresAt));
}

#[test]
fn another_constructor_is_refused() {
    assert_eq!(refused(&Parts::with(|parts| parts.constructor ^= 1)), invalid(BindCheck::Constructor));
}

#[test]
fn cut_and_overlong_messages_are_refused() {
    let parts = Parts::right();
    let whole = parts.encrypted_message();
    for len in [0, 7, 8, 23, 24, 25, 40, 88, 103] {
        let outcome = parts.verified_with(&whole[..len], Some(&perm()), &context());
        assert_eq!(outcome.err(), invalid(BindCheck::Size), "{len} bytes");
    }
    let long = [whole, vec![0; 1 << 20]].concat();
    assert_eq!(parts.verified_with(&long, Some(&perm()), &context()).err(), invalid(BindCheck::Size));
}

// rule: PF-08
#[test]
fn all_of_it_looks_the_same_to_the_client() {
    for check in BindCheck::ALL {
        assert_eq!(BindRefusal::Invalid(check).rpc_error(), (400, "ENCRYPTED_MESSAGE_INVALID"));
    }
}

// rule: PF-09
#[test]
fn a_bind_under_a_permanent_key_is_refused_before_all_else() {
    let context = BindContext { carrier_is_temporary: false, ..context() };
    let parts = Parts::right();
    let refusal = parts.verified(&context).unwrap_err();
    assert_eq!((refusal, refusal.rpc_error().1), (BindRefusal::UnderPermanentKey, "TEMP_AUTH_KEY_EMPTY"));
    let wrong = Parts::with(|parts| parts.nonce += 1);
    assert_eq!(wrong.verified(&context).err(), Some(BindRefusal::UnderPermanentKey));
}

// rule: PF-09
#[test]
fn an_expires_at_that_has_passed_is_refused_after_the_message_is_checked() {
    let ends = |second: u64| {
        Parts::with(|parts| {
            parts.expires_at = second as i32;
            parts.inner.expires_at = second as i32;
        })
    };
    assert_eq!(refused(&ends(NOW + 1)), None);
    assert_eq!(refused(&ends(NOW)), Some(BindRefusal::Expired));
    let mut wrong = ends(NOW);
    wrong.nonce += 1;
    assert_eq!(refused(&wrong), invalid(BindCheck::Nonce));
    let negative = Parts::with(|parts| (parts.expires_at, parts.inner.expires_at) = (-1, -1));
    assert_eq!(refused(&negative).map(|refusal| refusal.rpc_error().1), Some("EXPIRES_AT_INVALID"));
}

// rule: PF-09
#[test]
fn a_key_bound_elsewhere_is_refused_and_one_bound_here_passes() {
    let parts = Parts::right();
    let here = BindContext { bound_to: Some(perm().id()), ..context() };
    assert!(parts.verified(&here).is_ok());
    let elsewhere = BindContext { bound_to: Some(perm_of(8).id()), ..context() };
    let refusal = parts.verified(&elsewhere).unwrap_err();
    assert_eq!(refusal.rpc_error().1, "TEMP_AUTH_KEY_ALREADY_BOUND");
}
