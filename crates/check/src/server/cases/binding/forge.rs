//! A binding message of which a case decides every byte.

use std::sync::Arc;

use dayfly_crypto::kdf::{self, Side};
use dayfly_crypto::{AuthKey, ige};
use dayfly_tl::api::AuthBindTempAuthKey;
use dayfly_tl::mtproto::BindAuthKeyInner;
use dayfly_tl::to_bytes;

use crate::dice::Dice;
use crate::server::exchange::misuse;
use crate::server::probe::{Line, Probe, Told};
use crate::server::talk::{Answer, Made, Said};
use crate::verdict::{Outcome, not_reached};

/// A bind request before it is made, right in everything. Fields are for cases to change.
pub(super) struct Forged {
    /// What the permanent key is to vouch for.
    pub(super) inner: BindAuthKeyInner,
    /// The header inside.
    pub(super) msg_id: i64,
    pub(super) seqno: i32,
    pub(super) length: i32,
    /// Bytes behind the 72 of the message.
    pub(super) padding: usize,
    /// The key that encrypts.
    pub(super) key: Arc<AuthKey>,
    /// The side by which key and vector are derived.
    pub(super) side: Side,
    /// The key that stands in front.
    pub(super) front: i64,
    /// What stands openly in the request.
    pub(super) perm_auth_key_id: i64,
    pub(super) nonce: i64,
    pub(super) expires_at: i32,
    /// Whether the msg_key covers the padding too.
    pub(super) hash_padding: bool,
    /// A change of the bytes inside, after the msg_key was computed.
    pub(super) change_inside: fn(&mut [u8]),
    /// A change of what goes out.
    pub(super) change: fn(&mut Vec<u8>),
}

impl Forged {
    /// A right one for the message that will carry it.
    pub(super) fn right(line: &Line, said: &Said, perm: &Made, expires_at: i64, dice: &mut Dice) -> Self {
        let expires_at = i32::try_from(expires_at).unwrap_or(i32::MAX);
        let (nonce, perm_auth_key_id) = (dice.long(), perm.key.id().to_long());
        let inner = BindAuthKeyInner {
            nonce,
            temp_auth_key_id: line.talk.key.id().to_long(),
            perm_auth_key_id,
            temp_session_id: line.talk.session,
            expires_at,
        };
        Self {
            inner,
            msg_id: said.msg_id,
            seqno: 0,
            length: 40,
            padding: 8,
            key: Arc::clone(&perm.key),
            side: Side::Client,
            front: perm_auth_key_id,
            perm_auth_key_id,
            nonce,
            expires_at,
            hash_padding: false,
            change_inside: |_| {},
            change: |_| {},
        }
    }

    /// `encrypted_message`.
    fn encrypted_message(&self, dice: &mut Dice) -> Outcome<Vec<u8>> {
        let mut plaintext = dice.bytes::<16>().to_vec();
        plaintext.extend_from_slice(&self.msg_id.to_le_bytes());
        plaintext.extend_from_slice(&self.seqno.to_le_bytes());
        plaintext.extend_from_slice(&self.length.to_le_bytes());
        plaintext.extend_from_slice(&to_bytes(&self.inner));
        let message = plaintext.len();
        let padding: [u8; 64] = dice.bytes();
        plaintext.extend_from_slice(padding.get(..self.padding).unwrap_or(&padding));
        let hashed = if self.hash_padding { plaintext.len() } else { message };
        let msg_key = kdf::v1_msg_key(plaintext.get(..hashed).unwrap_or_default());
        (self.change_inside)(&mut plaintext);
        let aes = kdf::v1_aes(&self.key, &msg_key, self.side);
        ige::encrypt(&mut plaintext, &aes.key, &aes.iv).map_err(misuse)?;
        let mut out = [&self.front.to_le_bytes()[..], &msg_key, &plaintext].concat();
        (self.change)(&mut out);
        Ok(out)
    }

    /// The whole request.
    pub(super) fn request(&self, dice: &mut Dice) -> Outcome<Vec<u8>> {
        let encrypted_message = self.encrypted_message(dice)?;
        Ok(to_bytes(&AuthBindTempAuthKey {
            perm_auth_key_id: self.perm_auth_key_id,
            nonce: self.nonce,
            expires_at: self.expires_at,
            encrypted_message: &encrypted_message,
        }))
    }
}

/// Sends a bind on a line after `change`, and gives the answer.
pub(super) async fn forged_bind(
    probe: &mut Probe,
    line: &mut Line,
    perm: &Made,
    what: &str,
    change: impl Fn(&mut Forged),
) -> Outcome<Answer> {
    let expires_at = line.ends;
    for _ in 0..2 {
        let mut said = line.talk.say(Vec::new());
        let mut forged = Forged::right(line, &said, perm, expires_at, &mut probe.dice);
        change(&mut forged);
        said.body = forged.request(&mut probe.dice)?;
        match line.answer(&said, what, &mut probe.dice).await? {
            Told::Answer(answer) => return Ok(answer),
            // The request names its msg_id: it is made anew.
            Told::Salt => {}
            Told::Nothing(heard) => return not_reached(format!("{what} got {}", heard.told())),
        }
    }
    not_reached("bad_server_salt came twice in a row")
}
