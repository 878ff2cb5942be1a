//! A client whose every byte a test decides.

use dayfly_core::env::SecureRandom;
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::digest::{sha1, sha256};
use dayfly_crypto::rsa_key::PublicKey;
use dayfly_crypto::{AesKeyIv, AuthKey, Exponent, NewNonce, ige, kdf, pq};
use dayfly_tl::mtproto::{
    ClientDhInnerData, PQInnerDataDc, PQInnerDataTempDc, ReqDhParams, ReqPqMulti, ResPq, ServerDhInnerData,
    ServerDhParamsOk, SetClientDhParams,
};
use dayfly_tl::{read_exact, read_prefix, to_bytes};

use super::rig::Rig;
use super::world::{Seeded, public_key};

pub(crate) struct ClientPuppet {
    pub(crate) random: Seeded,
    pub(crate) nonce: [u8; 16],
    pub(crate) server_nonce: [u8; 16],
    pub(crate) pq: Vec<u8>,
    pub(crate) p: Vec<u8>,
    pub(crate) q: Vec<u8>,
    pub(crate) fingerprint: i64,
    pub(crate) new_nonce: [u8; 32],
    pub(crate) g_a: Vec<u8>,
    pub(crate) b: Exponent,
    pub(crate) g_b: Vec<u8>,
}

impl ClientPuppet {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Seeded::new(1000 + seed);
        let (mut nonce, mut new_nonce) = ([0; 16], [0; 32]);
        random.fill_public(&mut nonce).unwrap();
        random.fill_secret(&mut new_nonce).unwrap();
        let b = Exponent::draw(256, &mut random).unwrap();
        let g_b = public(&b);
        Self {
            nonce,
            new_nonce,
            server_nonce: [0; 16],
            pq: Vec::new(),
            p: Vec::new(),
            q: Vec::new(),
            fingerprint: 0,
            g_a: Vec::new(),
            b,
            g_b,
            random,
        }
    }

    pub(crate) fn req_pq(&self) -> Vec<u8> {
        to_bytes(&ReqPqMulti { nonce: self.nonce })
    }

    /// Opens a run and factors its pq.
    pub(crate) fn open(&mut self, rig: &mut Rig, connection: u32) {
        let answer = rig.ask(connection, &self.req_pq()).unwrap();
        self.take_res_pq(&answer);
    }

    pub(crate) fn take_res_pq(&mut self, answer: &[u8]) {
        let m: ResPq<'_> = read_exact(answer).unwrap();
        assert_eq!(m.nonce, self.nonce);
        self.server_nonce = m.server_nonce;
        self.pq = m.pq.to_vec();
        let factors = pq::factorize(pq::number(m.pq).unwrap()).unwrap();
        (self.p, self.q) = (pq::minimal_be(factors.p()), pq::minimal_be(factors.q()));
        self.fingerprint = m.server_public_key_fingerprints.iter().next().unwrap();
    }

    /// Inner data for a permanent key, after `change`.
    pub(crate) fn inner(&self, change: impl FnOnce(&mut PQInnerDataDc<'_>)) -> Vec<u8> {
        let mut inner = PQInnerDataDc {
            pq: &self.pq,
            p: &self.p,
            q: &self.q,
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            new_nonce: &self.new_nonce,
            dc: 2,
        };
        change(&mut inner);
        to_bytes(&inner)
    }

    /// Inner data for a temporary key.
    pub(crate) fn inner_temp(&self, expires_in: i32) -> Vec<u8> {
        to_bytes(&PQInnerDataTempDc {
            pq: &self.pq,
            p: &self.p,
            q: &self.q,
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            new_nonce: &self.new_nonce,
            dc: -2,
            expires_in,
        })
    }

    /// `req_DH_params` around inner data.
    pub(crate) fn req_dh_params(&mut self, inner: &[u8]) -> Vec<u8> {
        let encrypted_data = rsa_pad(inner, &mut self.random);
        self.req_dh_params_with(&encrypted_data, |_| {})
    }

    /// `req_DH_params` after `change`.
    pub(crate) fn req_dh_params_with(
        &self,
        encrypted_data: &[u8],
        change: impl FnOnce(&mut ReqDhParams<'_>),
    ) -> Vec<u8> {
        let mut query = ReqDhParams {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            p: &self.p,
            q: &self.q,
            public_key_fingerprint: self.fingerprint,
            encrypted_data,
        };
        change(&mut query);
        to_bytes(&query)
    }

    /// Goes on until `server_DH_params_ok`; returns the query and the answer.
    pub(crate) fn prove(&mut self, rig: &mut Rig, connection: u32) -> (Vec<u8>, Vec<u8>) {
        let inner = self.inner(|_| {});
        self.prove_with(rig, connection, &inner)
    }

    pub(crate) fn prove_with(&mut self, rig: &mut Rig, connection: u32, inner: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let query = self.req_dh_params(inner);
        let answer = rig.ask(connection, &query).unwrap();
        self.take_dh_params(&answer);
        (query, answer)
    }

    pub(crate) fn take_dh_params(&mut self, answer: &[u8]) {
        let m: ServerDhParamsOk<'_> = read_exact(answer).unwrap();
        let mut plain = m.encrypted_answer.to_vec();
        let keys = self.tmp_aes();
        ige::decrypt(&mut plain, &keys.key, &keys.iv).unwrap();
        let (inner, len) = read_prefix::<ServerDhInnerData<'_>>(&plain[20..]).unwrap();
        assert_eq!(sha1(&[&plain[20..20 + len]]), plain[..20]);
        assert!(plain.len() - 20 - len < 16);
        self.g_a = inner.g_a.to_vec();
    }

    pub(crate) fn tmp_aes(&self) -> AesKeyIv {
        kdf::tmp_aes(&NewNonce::copy_of(&self.new_nonce), &self.server_nonce)
    }

    /// `client_DH_inner_data` after `change`.
    pub(crate) fn client_inner(&self, change: impl FnOnce(&mut ClientDhInnerData<'_>)) -> Vec<u8> {
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        let mut inner = ClientDhInnerData { nonce, server_nonce, retry_id: 0, g_b: &self.g_b };
        change(&mut inner);
        to_bytes(&inner)
    }

    /// `set_client_DH_params` around inner data that was hashed and padded.
    pub(crate) fn set_client(&self, hashed: &[u8]) -> Vec<u8> {
        let mut encrypted = hashed.to_vec();
        let keys = self.tmp_aes();
        ige::encrypt(&mut encrypted, &keys.key, &keys.iv).unwrap();
        self.set_client_raw(&encrypted)
    }

    pub(crate) fn set_client_raw(&self, encrypted_data: &[u8]) -> Vec<u8> {
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        to_bytes(&SetClientDhParams { nonce, server_nonce, encrypted_data })
    }

    /// A right `set_client_DH_params`.
    pub(crate) fn finish(&self, retry_id: i64) -> Vec<u8> {
        self.set_client(&hashed(&self.client_inner(|m| m.retry_id = retry_id), 0))
    }

    /// auth_key of this attempt.
    pub(crate) fn auth_key(&self) -> AuthKey {
        let group = SafePrimeGroup::published();
        let g_a = dayfly_crypto::dh::PublicValue::parse(&self.g_a, &group).unwrap();
        group.shared_keys(&[(&g_a, &self.b)]).unwrap().pop().unwrap()
    }

    /// A new b for a retry.
    pub(crate) fn draw_b(&mut self) {
        self.b = Exponent::draw(256, &mut self.random).unwrap();
        self.g_b = public(&self.b);
    }

    /// new_nonce_hash1, 2 or 3 of this attempt.
    pub(crate) fn hash(&self, number: u8) -> [u8; 16] {
        kdf::new_nonce_hash(&NewNonce::copy_of(&self.new_nonce), number, &self.auth_key().aux_hash())
    }
}

fn public(b: &Exponent) -> Vec<u8> {
    let values = SafePrimeGroup::published().raise_generator(&[b]).unwrap();
    values.into_iter().next().unwrap().unwrap().bytes().to_vec()
}

/// SHA1(data) + data + padding to 16 and `more` bytes beyond.
pub(crate) fn hashed(data: &[u8], more: usize) -> Vec<u8> {
    let mut out = [sha1(&[data]).as_slice(), data].concat();
    out.resize(out.len().next_multiple_of(16) + more, 0x5a);
    out
}

/// RSA_PAD of up to 192 bytes, by hand: more than the shipped code lets through.
pub(crate) fn rsa_pad(data: &[u8], random: &mut Seeded) -> [u8; 256] {
    rsa_pad_with(data, random, |_| {})
}

/// The same, with the 224 bytes of data_with_hash changed before they are encrypted.
pub(crate) fn rsa_pad_with(data: &[u8], random: &mut Seeded, change: impl Fn(&mut [u8])) -> [u8; 256] {
    let key: PublicKey = public_key();
    let mut padded = data.to_vec();
    padded.resize(192, 0x33);
    loop {
        let mut temp_key = [0; 32];
        random.fill_secret(&mut temp_key).unwrap();
        let hash = sha256(&[&temp_key, &padded]);
        let mut block: Vec<u8> = padded.iter().rev().copied().chain(hash).collect();
        change(&mut block);
        ige::encrypt(&mut block, &temp_key, &[0; 32]).unwrap();
        let mask = sha256(&[&block]);
        let head = temp_key.iter().zip(mask).map(|(key, mask)| key ^ mask);
        let whole: Vec<u8> = head.chain(block).collect();
        if whole.as_slice() < key.n() {
            return key.raw(whole.as_slice().try_into().unwrap()).unwrap();
        }
    }
}
