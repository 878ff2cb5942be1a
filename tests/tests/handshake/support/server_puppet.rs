//! A client in a scripted world, and a server whose every byte a test decides.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use dayfly_core::handshake::client::{ClientConfig, ClientHandshake, Created, HandshakeError, Output};
use dayfly_core::job::{Job, perform_all};
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::plain::PlainMessage;
use dayfly_crypto::dh::{PublicValue, SafePrimeGroup};
use dayfly_crypto::rsa_key::Ciphertext;
use dayfly_crypto::{AesKeyIv, AuthKey, Exponent, NewNonce, ige, kdf, rsa_pad};
use dayfly_tl::mtproto::{
    ClientDhInnerData, DhGenFail, DhGenOk, DhGenRetry, PQInnerData, ReqDhParams, ReqPqMulti, ResPq,
    ServerDhInnerData, ServerDhParamsOk, SetClientDhParams,
};
use dayfly_tl::{LongVec, read_exact, read_prefix, to_bytes};

use super::client_puppet::hashed;
use super::world::{Seeded, World, plain, private_key, public_key};

pub(crate) struct ClientRig {
    pub(crate) client: ClientHandshake,
    pub(crate) world: World,
    /// Queries sent and not looked at yet, whole plain messages.
    pub(crate) sent: VecDeque<Vec<u8>>,
    pub(crate) created: Option<Created>,
    /// Jobs are left lying about.
    pub(crate) hold: bool,
    pub(crate) jobs: Vec<Job>,
    msg_id: i64,
}

impl ClientRig {
    pub(crate) fn new(kind: KeyKind) -> Self {
        Self::with(kind, 11, |_| {})
    }

    pub(crate) fn with(kind: KeyKind, seed: u64, change: impl FnOnce(&mut ClientConfig)) -> Self {
        let mut config = ClientConfig::new(Arc::from([public_key()]), kind, 2);
        config.exponent_bits = 256;
        change(&mut config);
        let mut world = World::new(seed);
        let client = ClientHandshake::new(config, &mut world.env()).unwrap();
        let mut rig = Self {
            client,
            world,
            sent: VecDeque::new(),
            created: None,
            hold: false,
            jobs: Vec::new(),
            msg_id: 0x6000_0000_0000_0001,
        };
        rig.settle().unwrap();
        rig
    }

    /// Hands the client an answer, in a right plain message.
    pub(crate) fn take(&mut self, answer: &[u8]) -> Result<(), HandshakeError> {
        self.msg_id += 4;
        let message = plain(self.msg_id, answer);
        let taken = self.client.handle_message(&message, &mut self.world.env());
        self.settle()?;
        taken
    }

    pub(crate) fn error(&mut self, code: i32) -> Result<(), HandshakeError> {
        let taken = self.client.handle_transport_error(code, &mut self.world.env());
        self.settle()?;
        taken
    }

    /// Lets time pass, and the client notice it.
    pub(crate) fn pass(&mut self, time: Duration) -> Result<(), HandshakeError> {
        let until = self.world.now.monotonic + time;
        while let Some(at) = self.client.poll_timeout().filter(|at| *at <= until) {
            let step = at.saturating_sub(self.world.now.monotonic);
            self.world.pass(step);
            self.client.handle_timeout(&mut self.world.env())?;
            self.settle()?;
        }
        let rest = until - self.world.now.monotonic;
        self.world.pass(rest);
        Ok(())
    }

    pub(crate) fn settle(&mut self) -> Result<(), HandshakeError> {
        loop {
            self.drain();
            if self.hold || self.jobs.is_empty() {
                return Ok(());
            }
            self.work()?;
        }
    }

    pub(crate) fn work(&mut self) -> Result<(), HandshakeError> {
        for result in perform_all(std::mem::take(&mut self.jobs)) {
            self.client.handle_job(result, &mut self.world.env())?;
        }
        Ok(())
    }

    fn drain(&mut self) {
        self.jobs.extend(std::iter::from_fn(|| self.client.poll_job()));
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Send(message) => self.sent.push_back(message),
                Output::Done(created) => self.created = Some(created),
            }
        }
    }

    /// The body of the next query sent.
    pub(crate) fn query(&mut self) -> Vec<u8> {
        let message = self.sent.pop_front().expect("a query");
        PlainMessage::from_client(&message).unwrap().body.to_vec()
    }
}

pub(crate) struct ServerPuppet {
    pub(crate) nonce: [u8; 16],
    pub(crate) server_nonce: [u8; 16],
    pub(crate) new_nonce: [u8; 32],
    pub(crate) a: Exponent,
    pub(crate) group: Arc<SafePrimeGroup>,
    pub(crate) g_a: Vec<u8>,
    pub(crate) g_b: Vec<u8>,
    pub(crate) retry_id: i64,
    pub(crate) server_time: i32,
}

/// Two primes of 31 bits.
const P: u64 = 1_073_741_827;
const Q: u64 = 2_147_483_647;

impl ServerPuppet {
    /// Takes the client's `req_pq_multi`.
    pub(crate) fn new(rig: &mut ClientRig) -> Self {
        Self::with_group(rig, SafePrimeGroup::published())
    }

    pub(crate) fn with_group(rig: &mut ClientRig, group: Arc<SafePrimeGroup>) -> Self {
        let query = rig.query();
        let m: ReqPqMulti = read_exact(&query).unwrap();
        let mut random = Seeded::new(99);
        let a = Exponent::draw(256, &mut random).unwrap();
        let g_a = group.raise_generator(&[&a]).unwrap().pop().unwrap().unwrap().bytes().to_vec();
        Self {
            nonce: m.nonce,
            server_nonce: [0x51; 16],
            new_nonce: [0; 32],
            a,
            group,
            g_a,
            g_b: Vec::new(),
            retry_id: 0,
            server_time: 1_790_000_100,
        }
    }

    /// `resPQ` after `change`.
    pub(crate) fn res_pq(&self, change: impl FnOnce(&mut ResPq<'_>)) -> Vec<u8> {
        let pq = (P * Q).to_be_bytes();
        let fingerprints = [public_key().fingerprint().0];
        let mut answer = ResPq {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            pq: &pq,
            server_public_key_fingerprints: LongVec::from_slice(&fingerprints),
        };
        change(&mut answer);
        to_bytes(&answer)
    }

    /// Takes the client's `req_DH_params`; returns the inner data.
    pub(crate) fn unwrap(&mut self, query: &[u8]) -> Vec<u8> {
        let m: ReqDhParams<'_> = read_exact(query).unwrap();
        let key = private_key();
        let block = Ciphertext::parse(m.encrypted_data, key.public()).unwrap();
        let raw = key.raw(&[&block]).unwrap();
        let data = rsa_pad::unwrap(raw[0].try_into().unwrap()).unwrap();
        let (inner, len) = read_prefix::<PQInnerData<'_>>(&data).unwrap();
        self.new_nonce = match inner {
            PQInnerData::PQInnerDataDc(m) => *m.new_nonce,
            PQInnerData::PQInnerDataTempDc(m) => *m.new_nonce,
            other => panic!("{other:?}"),
        };
        data[..len].to_vec()
    }

    pub(crate) fn tmp_aes(&self) -> AesKeyIv {
        kdf::tmp_aes(&NewNonce::copy_of(&self.new_nonce), &self.server_nonce)
    }

    /// `server_DH_inner_data` after `change`.
    pub(crate) fn inner(&self, change: impl FnOnce(&mut ServerDhInnerData<'_>)) -> Vec<u8> {
        let mut inner = ServerDhInnerData {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            g: self.group.g(),
            dh_prime: self.group.prime(),
            g_a: &self.g_a,
            server_time: self.server_time,
        };
        change(&mut inner);
        to_bytes(&inner)
    }

    /// `server_DH_params_ok` around an answer that was hashed and padded.
    pub(crate) fn dh_params(&self, hashed: &[u8]) -> Vec<u8> {
        let mut encrypted = hashed.to_vec();
        let keys = self.tmp_aes();
        ige::encrypt(&mut encrypted, &keys.key, &keys.iv).unwrap();
        self.dh_params_with(&encrypted, |_| {})
    }

    pub(crate) fn dh_params_with(
        &self,
        encrypted_answer: &[u8],
        change: impl FnOnce(&mut ServerDhParamsOk<'_>),
    ) -> Vec<u8> {
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        let mut answer = ServerDhParamsOk { nonce, server_nonce, encrypted_answer };
        change(&mut answer);
        to_bytes(&answer)
    }

    /// A right `server_DH_params_ok`.
    pub(crate) fn right_dh_params(&self) -> Vec<u8> {
        self.dh_params(&hashed(&self.inner(|_| {}), 0))
    }

    /// Takes the client's `set_client_DH_params`.
    pub(crate) fn take_client_params(&mut self, query: &[u8]) {
        let m: SetClientDhParams<'_> = read_exact(query).unwrap();
        let mut plain = m.encrypted_data.to_vec();
        let keys = self.tmp_aes();
        ige::decrypt(&mut plain, &keys.key, &keys.iv).unwrap();
        let (inner, _) = read_prefix::<ClientDhInnerData<'_>>(&plain[20..]).unwrap();
        self.g_b = inner.g_b.to_vec();
        self.retry_id = inner.retry_id;
    }

    pub(crate) fn auth_key(&self) -> AuthKey {
        let g_b = PublicValue::parse(&self.g_b, &self.group).unwrap();
        self.group.shared_keys(&[(&g_b, &self.a)]).unwrap().pop().unwrap()
    }

    pub(crate) fn hash(&self, number: u8) -> [u8; 16] {
        kdf::new_nonce_hash(&NewNonce::copy_of(&self.new_nonce), number, &self.auth_key().aux_hash())
    }

    pub(crate) fn dh_gen_ok(&self, change: impl FnOnce(&mut DhGenOk)) -> Vec<u8> {
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        let mut answer = DhGenOk { nonce, server_nonce, new_nonce_hash1: self.hash(1) };
        change(&mut answer);
        to_bytes(&answer)
    }

    pub(crate) fn dh_gen_retry(&self, change: impl FnOnce(&mut DhGenRetry)) -> Vec<u8> {
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        let mut answer = DhGenRetry { nonce, server_nonce, new_nonce_hash2: self.hash(2) };
        change(&mut answer);
        to_bytes(&answer)
    }

    pub(crate) fn dh_gen_fail(&self, change: impl FnOnce(&mut DhGenFail)) -> Vec<u8> {
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        let mut answer = DhGenFail { nonce, server_nonce, new_nonce_hash3: self.hash(3) };
        change(&mut answer);
        to_bytes(&answer)
    }

    /// Goes on until `req_DH_params` was taken.
    pub(crate) fn prove(&mut self, rig: &mut ClientRig) {
        rig.take(&self.res_pq(|_| {})).unwrap();
        let query = rig.query();
        self.unwrap(&query);
    }

    /// Goes on until `set_client_DH_params` was taken.
    pub(crate) fn agree(&mut self, rig: &mut ClientRig) {
        self.prove(rig);
        rig.take(&self.right_dh_params()).unwrap();
        let query = rig.query();
        self.take_client_params(&query);
    }
}
