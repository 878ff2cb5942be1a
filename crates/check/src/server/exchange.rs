//! A key exchange of which a case decides every byte.

use std::sync::Arc;

use dayfly_crypto::dh::{GroupCache, PublicValue, SafePrimeGroup};
use dayfly_crypto::digest::{sha1, sha256};
use dayfly_crypto::rsa_key::PublicKey;
use dayfly_crypto::{AesKeyIv, AuthKey, Exponent, NewNonce, ige, kdf, pq};
use dayfly_tl::mtproto::{
    ClientDhInnerData, PQInnerDataDc, PQInnerDataPlain, PQInnerDataTemp, PQInnerDataTempDc, ReqDhParams,
    ReqPqMulti, ResPq, ServerDhInnerData, ServerDhParamsOk, SetClientDhParams,
};
use dayfly_tl::{read_prefix, to_bytes};

use super::talk::Made;
use crate::dice::Dice;
use crate::verdict::{Outcome, Stop, failed, not_reached};

/// Bytes of the data in RSA_PAD, with its padding.
const PADDED: usize = 192;
/// Of 256 draws one begins with a zero: that none of so many does happens once in 10^13 runs.
const MOST_DRAWS: usize = 8192;

/// A run as the client knows it. Fields are for cases to change.
pub(crate) struct Exchange {
    pub(crate) key: PublicKey,
    pub(crate) nonce: [u8; 16],
    pub(crate) server_nonce: [u8; 16],
    pub(crate) pq: Vec<u8>,
    pub(crate) p: Vec<u8>,
    pub(crate) q: Vec<u8>,
    pub(crate) fingerprints: Vec<i64>,
    pub(crate) new_nonce: [u8; 32],
    pub(crate) group: Option<Arc<SafePrimeGroup>>,
    pub(crate) g_a: Vec<u8>,
    pub(crate) server_time: i32,
    pub(crate) b: Option<Exponent>,
    pub(crate) g_b: Vec<u8>,
}

/// What is wrong with the suite and not with its peer.
pub(crate) fn misuse(error: impl std::fmt::Display) -> Stop {
    Stop::NotReached(format!("the suite itself: {error}"))
}

impl Exchange {
    pub(crate) fn new(key: PublicKey, dice: &mut Dice) -> Self {
        Self {
            key,
            nonce: dice.bytes(),
            new_nonce: dice.bytes(),
            server_nonce: [0; 16],
            pq: Vec::new(),
            p: Vec::new(),
            q: Vec::new(),
            fingerprints: Vec::new(),
            group: None,
            g_a: Vec::new(),
            server_time: 0,
            b: None,
            g_b: Vec::new(),
        }
    }

    pub(crate) fn req_pq(&self) -> Vec<u8> {
        to_bytes(&ReqPqMulti { nonce: self.nonce })
    }

    /// Takes `resPQ` and factors its pq.
    pub(crate) fn take_res_pq(&mut self, answer: &[u8]) -> Outcome {
        let Ok((answer, _)) = read_prefix::<ResPq<'_>>(answer) else {
            return failed("the answer is no resPQ");
        };
        if answer.nonce != self.nonce {
            return failed("resPQ has another nonce");
        }
        self.server_nonce = answer.server_nonce;
        self.pq = answer.pq.to_vec();
        self.fingerprints = answer.server_public_key_fingerprints.iter().collect();
        let Some(number) = pq::number(answer.pq) else { return failed("pq is above 2^63 - 1") };
        let Ok(factors) = pq::factorize(number) else {
            return failed("pq is not the product of two odd primes");
        };
        (self.p, self.q) = (pq::minimal_be(factors.p()), pq::minimal_be(factors.q()));
        if !self.fingerprints.contains(&self.key.fingerprint().0) {
            return not_reached("resPQ does not list the fingerprint of the RSA key given for the server");
        }
        Ok(())
    }

    /// Inner data for a permanent key, after `change`.
    pub(crate) fn inner<'v>(&'v self, change: impl FnOnce(&mut PQInnerDataDc<'v>)) -> Vec<u8> {
        let mut inner = self.inner_fields();
        change(&mut inner);
        to_bytes(&inner)
    }

    /// The fields of right inner data for a permanent key.
    pub(crate) fn inner_fields(&self) -> PQInnerDataDc<'_> {
        PQInnerDataDc {
            pq: &self.pq,
            p: &self.p,
            q: &self.q,
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            new_nonce: &self.new_nonce,
            dc: 2,
        }
    }

    /// Inner data for a temporary key, after `change`.
    pub(crate) fn inner_temp<'v>(
        &'v self,
        expires_in: i32,
        change: impl FnOnce(&mut PQInnerDataTempDc<'v>),
    ) -> Vec<u8> {
        let mut inner = PQInnerDataTempDc {
            pq: &self.pq,
            p: &self.p,
            q: &self.q,
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            new_nonce: &self.new_nonce,
            dc: 2,
            expires_in,
        };
        change(&mut inner);
        to_bytes(&inner)
    }

    /// Inner data of the two forms that name no dc: for a temporary key if `expires_in` is there.
    pub(crate) fn inner_without_dc(&self, expires_in: Option<i32>) -> Vec<u8> {
        let Self { pq, p, q, new_nonce, .. } = self;
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        match expires_in {
            None => to_bytes(&PQInnerDataPlain { pq, p, q, nonce, server_nonce, new_nonce }),
            Some(expires_in) => {
                to_bytes(&PQInnerDataTemp { pq, p, q, nonce, server_nonce, new_nonce, expires_in })
            }
        }
    }

    /// RSA_PAD of up to 192 bytes.
    pub(crate) fn rsa_pad(&self, data: &[u8], dice: &mut Dice) -> Outcome<[u8; 256]> {
        self.rsa_pad_with(data, dice, |_| {})
    }

    /// The same, with the 224 bytes of data_with_hash changed before they are encrypted.
    pub(crate) fn rsa_pad_with(
        &self,
        data: &[u8],
        dice: &mut Dice,
        change: impl Fn(&mut [u8]),
    ) -> Outcome<[u8; 256]> {
        let mut padded = data.to_vec();
        let filling: [u8; PADDED] = dice.bytes();
        padded.extend_from_slice(filling.get(data.len()..).unwrap_or_default());
        loop {
            let temp_key: [u8; 32] = dice.bytes();
            let hash = sha256(&[&temp_key, &padded]);
            let mut block: Vec<u8> = padded.iter().rev().copied().chain(hash).collect();
            change(&mut block);
            ige::encrypt(&mut block, &temp_key, &[0; 32]).map_err(misuse)?;
            let mask = sha256(&[&block]);
            let head = temp_key.iter().zip(mask).map(|(key, mask)| key ^ mask);
            let whole: Vec<u8> = head.chain(block).collect();
            if whole.as_slice() < self.key.n() {
                let whole: [u8; 256] = whole.try_into().map_err(|_| misuse("RSA_PAD has not 256 bytes"))?;
                return self.key.raw(&whole).map_err(misuse);
            }
        }
    }

    /// `req_DH_params` around encrypted data, after `change`.
    pub(crate) fn req_dh_params<'v>(
        &'v self,
        encrypted_data: &'v [u8],
        change: impl FnOnce(&mut ReqDhParams<'v>),
    ) -> Vec<u8> {
        let mut query = self.query(encrypted_data);
        change(&mut query);
        to_bytes(&query)
    }

    /// The fields of a right `req_DH_params`.
    pub(crate) fn query<'v>(&'v self, encrypted_data: &'v [u8]) -> ReqDhParams<'v> {
        ReqDhParams {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            p: &self.p,
            q: &self.q,
            public_key_fingerprint: self.key.fingerprint().0,
            encrypted_data,
        }
    }

    /// A right `req_DH_params` around this inner data.
    pub(crate) fn proof(&self, inner: &[u8], dice: &mut Dice) -> Outcome<Vec<u8>> {
        let encrypted_data = self.rsa_pad(inner, dice)?;
        Ok(self.req_dh_params(&encrypted_data, |_| {}))
    }

    /// Takes `server_DH_params_ok` and draws b.
    pub(crate) fn take_dh_params(&mut self, answer: &[u8], groups: &GroupCache, dice: &mut Dice) -> Outcome {
        let Ok((answer, _)) = read_prefix::<ServerDhParamsOk<'_>>(answer) else {
            return failed("the answer is no server_DH_params_ok");
        };
        if (answer.nonce, answer.server_nonce) != (self.nonce, self.server_nonce) {
            return failed("server_DH_params_ok has other nonces");
        }
        let mut plain = answer.encrypted_answer.to_vec();
        let keys = self.tmp_aes();
        if ige::decrypt(&mut plain, &keys.key, &keys.iv).is_err() {
            return failed("the length of encrypted_answer is no multiple of 16");
        }
        let (hash, object) = plain.split_at_checked(20).unwrap_or_default();
        let Ok((inner, len)) = read_prefix::<ServerDhInnerData<'_>>(object) else {
            return failed("encrypted_answer holds no server_DH_inner_data");
        };
        if sha1(&[object.get(..len).unwrap_or_default()]).as_slice() != hash {
            return failed("the SHA1 of the encrypted answer is wrong");
        }
        if object.len() - len >= 16 {
            return failed("16 or more bytes follow the encrypted answer");
        }
        if (inner.nonce, inner.server_nonce) != (self.nonce, self.server_nonce) {
            return failed("server_DH_inner_data has other nonces");
        }
        let group = SafePrimeGroup::check(inner.dh_prime, inner.g, groups);
        let group = group.map_err(|error| Stop::Failed(format!("dh_prime and g: {error}")))?;
        self.g_a = inner.g_a.to_vec();
        self.server_time = inner.server_time;
        self.group = Some(group);
        self.draw_b(dice)
    }

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

/// SHA1(data) + data + padding to 16, and `more` bytes beyond.
pub(crate) fn hashed(data: &[u8], more: usize) -> Vec<u8> {
    let mut out = [sha1(&[data]).as_slice(), data].concat();
    out.resize(out.len().next_multiple_of(16) + more, 0x5a);
    out
}
