//! The binding message: a permanent key's word that a temporary key is its own.
//!
//! ```text
//! encrypted_message, 104 bytes:
//!   perm_auth_key_id 8 | msg_key 16 | AES-256-IGE, MTProto 1.0, x = 0, under the permanent key:
//!     random 16 | msg_id 8 | seqno 4 = 0 | length 4 = 40 | bind_auth_key_inner 40 | padding 8
//! msg_key: the last 16 bytes of SHA1 over the 72 bytes before the padding
//! ```
//!
//! Source: auth.bindTempAuthKey; Mobile Protocol v1.0 (rules PF-06 to PF-09). This is the only use of MTProto
//! 1.0 (rule MS-19).

use dayfly_crypto::{AuthKeyId, RandomError, SecureRandom, ige, kdf, kdf::Side};
use dayfly_tl::api::AuthBindTempAuthKey;
use dayfly_tl::mtproto::BindAuthKeyInner;
use dayfly_tl::{BOOL_TRUE, Reader, read_exact, to_bytes};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::kind::PermKey;
use crate::session::{MsgId, SessionId};
use crate::{enforce, mutant};

/// What a client wants bound to its permanent key, and until when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Binding {
    /// The temporary key, under which the request travels.
    pub temp: AuthKeyId,
    /// When the temporary key ends: a Unix second by the server's clock (rule PF-02).
    pub expires_at: i32,
}

impl Binding {
    /// The serialized `auth.bindTempAuthKey` for one msg_id; another msg_id needs another one (rule PF-21).
    ///
    /// `msg_id` is that of the message that carries the call, inside a container its own and not the
    /// container's; `session` is the session in which it travels.
    ///
    /// # Errors
    /// [`RandomError`] if nonce, random or padding could not be drawn.
    pub fn request(
        &self,
        perm: &PermKey,
        msg_id: MsgId,
        session: SessionId,
        random: &mut dyn SecureRandom,
    ) -> Result<Vec<u8>, RandomError> {
        let mut nonce = [0; 8];
        random.fill_public(&mut nonce)?;
        let inner = BindAuthKeyInner {
            nonce: i64::from_le_bytes(nonce),
            temp_auth_key_id: self.temp.to_long(),
            perm_auth_key_id: perm.id().to_long(),
            temp_session_id: session.0,
            expires_at: self.expires_at,
        };
        let encrypted_message = seal(&inner, perm, msg_id, random)?;
        Ok(to_bytes(&AuthBindTempAuthKey {
            perm_auth_key_id: perm.id().to_long(),
            nonce: inner.nonce,
            expires_at: self.expires_at,
            encrypted_message: &encrypted_message,
        }))
    }

    /// Reads the result of the request: only `boolTrue#997275b5` is success (rule PF-06); `None` otherwise.
    #[must_use]
    pub fn confirm(&self, perm: &PermKey, result: &[u8]) -> Option<BindConfirmed> {
        let success = mutant!("PF-06.bool-true", result == BOOL_TRUE.to_le_bytes(), result.len() == 4);
        let expires_at = u64::try_from(self.expires_at).unwrap_or(0);
        success.then_some(BindConfirmed { perm: perm.id(), expires_at })
    }
}

/// The server's `boolTrue`. Made by [`Binding::confirm`] alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BindConfirmed {
    perm: AuthKeyId,
    expires_at: u64,
}

impl BindConfirmed {
    /// The permanent key.
    #[must_use]
    pub fn perm(&self) -> AuthKeyId {
        self.perm
    }

    /// When the binding ends, in Unix seconds by the server's clock.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }
}

/// Under what a bind request came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BindContext {
    /// The key of the message that carries it.
    pub carrier: AuthKeyId,
    /// Whether that key is a temporary one.
    pub carrier_is_temporary: bool,
    /// What that key is bound to already.
    pub bound_to: Option<AuthKeyId>,
    /// The session of the message.
    pub session: SessionId,
    /// The msg_id of the message itself, not of a container around it.
    pub msg_id: MsgId,
}

/// A binding that passed every check; what is left is to make it stand in the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct VerifiedBinding {
    /// The permanent key.
    pub perm: AuthKeyId,
    /// The temporary key.
    pub temp: AuthKeyId,
    /// When the client wants it to end, in Unix seconds; the key's own end cuts it (rule PF-09).
    pub expires_at: u64,
}

/// One variant for each item of rule PF-08. The client learns none of them: see [`BindRefusal::rpc_error`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BindCheck {
    /// There is no permanent key with the outer id.
    #[error("the permanent key is not known, or is not permanent")]
    PermKey,
    /// The permanent key given for the check is not the one of the request.
    #[error("the outer perm_auth_key_id is not that of the permanent key")]
    OuterId,
    /// The 8 bytes in front of the message are not the outer id.
    #[error("the id in front of the message is not the outer perm_auth_key_id")]
    FrontId,
    /// The encrypted message is cut or not whole blocks.
    #[error("the encrypted message has a wrong size")]
    Size,
    /// The msg_key is not that of the plaintext.
    #[error("the msg_key does not fit the binding message")]
    MsgKey,
    /// 16 bytes or more follow the message.
    #[error("the padding of the binding message is too long")]
    Padding,
    /// The msg_id inside is not that of the request.
    #[error("the msg_id of the binding message is not that of the request")]
    MsgId,
    /// The seqno inside is not 0.
    #[error("the seqno of the binding message is not 0")]
    Seqno,
    /// The length inside is not 40.
    #[error("the length of the binding message is not 40")]
    Length,
    /// The message is no bind_auth_key_inner.
    #[error("the binding message is not a bind_auth_key_inner")]
    Constructor,
    /// The nonces differ.
    #[error("the nonces inside and outside differ")]
    Nonce,
    /// temp_auth_key_id is not the key that the request came under.
    #[error("temp_auth_key_id is not the key of the request")]
    TempKey,
    /// The perm_auth_key_id inside is not the outer one.
    #[error("the perm_auth_key_ids inside and outside differ")]
    InnerId,
    /// temp_session_id is not the session of the request.
    #[error("temp_session_id is not the session of the request")]
    Session,
    /// The expires_at differ.
    #[error("the expires_at inside and outside differ")]
    ExpiresAt,
}

impl BindCheck {
    /// All of them, for tests that walk them.
    pub const ALL: [Self; 15] = [
        Self::PermKey,
        Self::OuterId,
        Self::FrontId,
        Self::Size,
        Self::MsgKey,
        Self::Padding,
        Self::MsgId,
        Self::Seqno,
        Self::Length,
        Self::Constructor,
        Self::Nonce,
        Self::TempKey,
        Self::InnerId,
        Self::Session,
        Self::ExpiresAt,
    ];
}

/// Why a bind is refused, in the order in which it is (rule PF-09).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BindRefusal {
    /// The request came under a permanent key.
    #[error("a bind must come under a temporary key")]
    UnderPermanentKey,
    /// Rule PF-08.
    #[error("the binding message is wrong: {0}")]
    Invalid(#[from] BindCheck),
    /// expires_at is not in the future.
    #[error("expires_at has passed")]
    Expired,
    /// The temporary key is bound to another permanent key.
    #[error("the temporary key is bound to another permanent key")]
    BoundElsewhere,
}

impl BindRefusal {
    /// What the client is told: `error_code` and `error_message` of the rpc_error. All of PF-08 looks the
    /// same.
    #[must_use]
    pub fn rpc_error(self) -> (i32, &'static str) {
        match self {
            Self::UnderPermanentKey => (400, "TEMP_AUTH_KEY_EMPTY"),
            Self::Invalid(_) => (400, "ENCRYPTED_MESSAGE_INVALID"),
            Self::Expired => (400, "EXPIRES_AT_INVALID"),
            Self::BoundElsewhere => (400, "TEMP_AUTH_KEY_ALREADY_BOUND"),
        }
    }
}

/// Checks a bind request. `perm` is the permanent key that the store has under the request's
/// `perm_auth_key_id`, `None` if it says that there is none; while it cannot be asked, do not call this.
/// `now` is a Unix second.
///
/// Nothing has changed after an error. A key that is bound to the same permanent key passes: the table then
/// answers that it stands already.
///
/// # Errors
/// [`BindRefusal`], the first that applies.
pub fn verify(
    request: &AuthBindTempAuthKey<'_>,
    perm: Option<&PermKey>,
    context: &BindContext,
    now: u64,
) -> Result<VerifiedBinding, BindRefusal> {
    enforce!("PF-09.temporary", context.carrier_is_temporary, BindRefusal::UnderPermanentKey);
    let perm = perm.ok_or(BindCheck::PermKey)?;
    check(request, perm, context)?;
    let expires_at = u64::try_from(request.expires_at).unwrap_or(0);
    enforce!("PF-09.expires-at", expires_at > now, BindRefusal::Expired);
    let elsewhere = context.bound_to.is_some_and(|bound| bound != perm.id());
    enforce!("PF-09.bound-elsewhere", !elsewhere, BindRefusal::BoundElsewhere);
    Ok(VerifiedBinding { perm: perm.id(), temp: context.carrier, expires_at })
}

/// All of rule PF-08.
fn check(request: &AuthBindTempAuthKey<'_>, perm: &PermKey, context: &BindContext) -> Result<(), BindCheck> {
    enforce!("PF-08.outer-id", same(request.perm_auth_key_id, perm.id().to_long()), BindCheck::OuterId);
    let (message, inner) = open(request.encrypted_message, perm)?;
    enforce!("PF-08.msg-id", same(message.msg_id, context.msg_id.to_long()), BindCheck::MsgId);
    enforce!("PF-08.seqno", message.seqno == 0, BindCheck::Seqno);
    enforce!("PF-08.length", message.length == INNER_LEN, BindCheck::Length);
    enforce!("PF-08.nonce", same(inner.nonce, request.nonce), BindCheck::Nonce);
    enforce!("PF-08.temp-key", same(inner.temp_auth_key_id, context.carrier.to_long()), BindCheck::TempKey);
    enforce!("PF-08.inner-id", same(inner.perm_auth_key_id, request.perm_auth_key_id), BindCheck::InnerId);
    enforce!("PF-08.session", same(inner.temp_session_id, context.session.0), BindCheck::Session);
    enforce!("PF-08.expires-at", inner.expires_at == request.expires_at, BindCheck::ExpiresAt);
    Ok(())
}

/// The header of the binding message.
struct Header {
    msg_id: i64,
    seqno: i32,
    length: i32,
}

/// Decrypts, and checks the id in front, msg_key and padding before anything inside is used.
fn open(encrypted_message: &[u8], perm: &PermKey) -> Result<(Header, BindAuthKeyInner), BindCheck> {
    let (front, rest) = encrypted_message.split_first_chunk::<8>().ok_or(BindCheck::Size)?;
    let front = AuthKeyId::from_wire(*front).to_long();
    enforce!("PF-08.front-id", same(front, perm.id().to_long()), BindCheck::FrontId);
    let (msg_key, encrypted) = rest.split_first_chunk::<16>().ok_or(BindCheck::Size)?;
    // rule PF-08: more than this is refused before it is copied; what is left may still carry too much
    // padding.
    let whole = encrypted.len().is_multiple_of(16) && encrypted.len() <= MAX_ENCRYPTED;
    if !whole {
        return Err(BindCheck::Size);
    }
    let mut plaintext = Zeroizing::new(encrypted.to_vec());
    let aes = kdf::v1_aes(perm.auth_key(), msg_key, Side::Client);
    ige::decrypt(&mut plaintext, &aes.key, &aes.iv).map_err(|_| BindCheck::Size)?;
    let (message, padding) = plaintext.split_at_checked(MESSAGE_LEN).ok_or(BindCheck::Size)?;
    let right = bool::from(kdf::v1_msg_key(message).ct_eq(msg_key));
    enforce!("PF-08.msg-key", right, BindCheck::MsgKey);
    enforce!("PF-08.padding", padding.len() < 16, BindCheck::Padding);
    parse(message)
}

fn parse(message: &[u8]) -> Result<(Header, BindAuthKeyInner), BindCheck> {
    let mut reader = Reader::new(message);
    let mut header = || {
        reader.take(RANDOM_LEN)?;
        Ok(Header { msg_id: reader.i64()?, seqno: reader.i32()?, length: reader.i32()? })
    };
    let header = header().map_err(|_: dayfly_tl::Error| BindCheck::Size)?;
    let inner = read_exact(reader.rest()).map_err(|_| BindCheck::Constructor)?;
    Ok((header, inner))
}

/// Encrypts the inner message: 104 bytes.
///
/// Source: auth.bindTempAuthKey, "Encrypting the binding message" (rule PF-07).
fn seal(
    inner: &BindAuthKeyInner,
    perm: &PermKey,
    msg_id: MsgId,
    random: &mut dyn SecureRandom,
) -> Result<Vec<u8>, RandomError> {
    let (mut front, mut padding) = ([0; RANDOM_LEN], [0; PADDING_LEN]);
    random.fill_public(&mut front)?;
    random.fill_public(&mut padding)?;
    let mut plaintext = Zeroizing::new(Vec::with_capacity(MESSAGE_LEN.saturating_add(PADDING_LEN)));
    plaintext.extend_from_slice(&front);
    plaintext.extend_from_slice(&msg_id.to_long().to_le_bytes());
    plaintext.extend_from_slice(&mutant!("PF-07.seqno", 0i32, 1).to_le_bytes());
    plaintext.extend_from_slice(&INNER_LEN.to_le_bytes());
    plaintext.extend_from_slice(&to_bytes(inner));
    let msg_key = kdf::v1_msg_key(&plaintext);
    plaintext.extend_from_slice(&padding);
    let side = mutant!("PF-07.side", Side::Client, Side::Server);
    let aes = kdf::v1_aes(perm.auth_key(), &msg_key, side);
    // 80 bytes are whole blocks, so the cipher has no reason to refuse them.
    ige::encrypt(&mut plaintext, &aes.key, &aes.iv).map_err(|_| RandomError)?;
    Ok([&perm.id().to_wire()[..], &msg_key, &plaintext].concat())
}

/// In constant time, for each of these is compared with what an attacker may be guessing at.
fn same(a: i64, b: i64) -> bool {
    a.ct_eq(&b).into()
}

const RANDOM_LEN: usize = 16;
const MESSAGE_LEN: usize = 72;
const PADDING_LEN: usize = 8;
/// `bind_auth_key_inner` with its constructor.
const INNER_LEN: i32 = 40;
/// No honest message comes near it.
const MAX_ENCRYPTED: usize = 1024;

#[cfg(test)]
mod tests;
