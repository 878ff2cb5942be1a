//! Steps 7 to 9: b, `set_client_DH_params` and the key.

use std::sync::Arc;

use dayfly_crypto::dh::{PublicValue, SafePrimeGroup};
use dayfly_crypto::{AesKeyIv, AuthKey, Exponent, NewNonce, ige, kdf};
use dayfly_tl::mtproto::{ClientDhInnerData, SetClientDhParams};
use dayfly_tl::to_bytes;

use super::{Exchange, hashed, misuse};
use crate::dice::Dice;
use crate::server::talk::Made;
use crate::verdict::{Outcome, Stop, not_reached};

/// Of 256 draws one begins with a zero: that none of so many does happens once in 10^13 runs.
const MOST_DRAWS: usize = 8192;

impl Exchange {
    /// A new b, with its g_b.
    pub(crate) fn draw_b(&mut self, dice: &mut Dice) -> Outcome {
        loop {
            let b = Exponent::draw(2048, dice).map_err(misuse)?;
            let value = self.group()?.raise_generator(&[&b]).map_err(misuse)?.into_iter().next();
            if let Some(Ok(value)) = value {
                self.g_b = value.bytes().to_vec();
                self.b = Some(b);
                return Ok(());
            }
        }
    }

    /// Draws b again and again until g_b is as `wanted`.
    pub(crate) fn draw_b_until(&mut self, dice: &mut Dice, wanted: impl Fn(&[u8]) -> bool) -> Outcome {
        for _ in 0..MOST_DRAWS {
            self.draw_b(dice)?;
            if wanted(&self.g_b) {
                return Ok(());
            }
        }
        not_reached(format!("{MOST_DRAWS} draws gave no such g_b"))
    }

    /// Draws b until the key begins with a zero.
    pub(crate) fn draw_key_with_leading_zero(&mut self, dice: &mut Dice) -> Outcome {
        let g_a = self.server_public()?;
        for _ in 0..MOST_DRAWS {
            let b = Exponent::draw(2048, dice).map_err(misuse)?;
            let keys = self.group()?.shared_keys(&[(&g_a, &b)]).map_err(misuse)?;
            if !keys.iter().any(|key| key.expose().starts_with(&[0])) {
                continue;
            }
            let value = self.group()?.raise_generator(&[&b]).map_err(misuse)?.into_iter().next();
            if let Some(Ok(value)) = value {
                self.g_b = value.bytes().to_vec();
                self.b = Some(b);
                return Ok(());
            }
        }
        not_reached(format!("{MOST_DRAWS} draws gave no such key"))
    }

    fn server_public(&self) -> Outcome<PublicValue> {
        PublicValue::parse(&self.g_a, self.group()?).map_err(|error| Stop::Failed(format!("g_a: {error}")))
    }

    /// The group of the run.
    pub(crate) fn group(&self) -> Outcome<&Arc<SafePrimeGroup>> {
        self.group.as_ref().ok_or_else(|| misuse("the group before server_DH_params_ok"))
    }

    pub(crate) fn tmp_aes(&self) -> AesKeyIv {
        kdf::tmp_aes(&NewNonce::copy_of(&self.new_nonce), &self.server_nonce)
    }

    /// `client_DH_inner_data` after `change`.
    pub(crate) fn client_inner<'v>(&'v self, change: impl FnOnce(&mut ClientDhInnerData<'v>)) -> Vec<u8> {
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        let mut inner = ClientDhInnerData { nonce, server_nonce, retry_id: 0, g_b: &self.g_b };
        change(&mut inner);
        to_bytes(&inner)
    }

    /// `set_client_DH_params` around data that is hashed and padded already.
    pub(crate) fn set_client(&self, hashed: &[u8]) -> Outcome<Vec<u8>> {
        Ok(self.set_client_raw(&self.encrypt(hashed)?))
    }

    /// Whole blocks under the tmp keys of the run.
    pub(crate) fn encrypt(&self, plain: &[u8]) -> Outcome<Vec<u8>> {
        let mut encrypted = plain.to_vec();
        let keys = self.tmp_aes();
        ige::encrypt(&mut encrypted, &keys.key, &keys.iv).map_err(misuse)?;
        Ok(encrypted)
    }

    /// encrypted_data of a right `set_client_DH_params`.
    pub(crate) fn client_data(&self) -> Outcome<Vec<u8>> {
        self.encrypt(&hashed(&self.client_inner(|_| {}), 0))
    }

    /// `set_client_DH_params` around these bytes.
    pub(crate) fn set_client_raw(&self, encrypted_data: &[u8]) -> Vec<u8> {
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        to_bytes(&SetClientDhParams { nonce, server_nonce, encrypted_data })
    }

    /// A right `set_client_DH_params`.
    pub(crate) fn finish(&self, retry_id: i64) -> Outcome<Vec<u8>> {
        self.set_client(&hashed(&self.client_inner(|inner| inner.retry_id = retry_id), 0))
    }

    /// The key of this attempt.
    pub(crate) fn auth_key(&self) -> Outcome<AuthKey> {
        let (group, Some(b)) = (self.group()?, &self.b) else { return Err(misuse("a key before b")) };
        let g_a = self.server_public()?;
        let key = group.shared_keys(&[(&g_a, b)]).map_err(misuse)?.pop();
        key.ok_or_else(|| misuse("no key"))
    }

    /// What is kept of the key; `expires_in`, in seconds, of a temporary one.
    pub(crate) fn made(&self, expires_in: Option<i64>) -> Outcome<Made> {
        let server_time = i64::from(self.server_time);
        Ok(Made {
            key: Arc::new(self.auth_key()?),
            salt: self.server_salt(),
            server_time,
            expires_at: expires_in.map(|seconds| server_time + seconds),
        })
    }

    /// The first salt of the key.
    pub(crate) fn server_salt(&self) -> i64 {
        kdf::server_salt(&NewNonce::copy_of(&self.new_nonce), &self.server_nonce)
    }

    /// new_nonce_hash1, 2 or 3 of this attempt.
    pub(crate) fn hash(&self, number: u8, key: &AuthKey) -> [u8; 16] {
        kdf::new_nonce_hash(&NewNonce::copy_of(&self.new_nonce), number, &key.aux_hash())
    }
}
