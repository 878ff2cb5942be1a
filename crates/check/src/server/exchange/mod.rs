//! A key exchange of which a case decides every byte.

mod end;
mod proof;

use std::sync::Arc;

use dayfly_crypto::dh::{GroupCache, SafePrimeGroup};
use dayfly_crypto::digest::sha1;
use dayfly_crypto::rsa_key::PublicKey;
use dayfly_crypto::{Exponent, ige, pq};
use dayfly_tl::mtproto::{ReqPqMulti, ResPq, ServerDhInnerData, ServerDhParamsOk};
use dayfly_tl::{read_prefix, to_bytes};

use crate::dice::Dice;
use crate::verdict::{Outcome, Stop, failed, not_reached};

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
}

/// SHA1(data) + data + padding to 16, and `more` bytes beyond.
pub(crate) fn hashed(data: &[u8], more: usize) -> Vec<u8> {
    let mut out = [sha1(&[data]).as_slice(), data].concat();
    out.resize(out.len().next_multiple_of(16) + more, 0x5a);
    out
}
