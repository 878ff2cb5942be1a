//! Recorded handshakes with Telegram's own servers, replayed through the shipped server machine, as far as that needs
//! neither Telegram's RSA key nor a.
//!
//! The server runs with a test key and with a pq of its own (both primes of a recorded one have 31 bits only by chance).
//! g_a and auth_key are handed to it as the results of its jobs. Then everything that follows from the nonces, g_a, g_b
//! and auth_key is its own work and is compared with the recording: the tmp keys, `server_DH_params_ok` byte for byte, the
//! g_b that it takes out of the recorded `set_client_DH_params`, the key as it asks the store to keep it, and the verdict.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use dayfly_core::env::RandomError;
use dayfly_core::handshake::server::{
    HandshakeEvent, KeyRing, Output, PeerAddr, ServerConfig, ServerHandshakes, ServerKey,
};
use dayfly_core::job::{Job, JobId, JobResult, Outcome, Work};
use dayfly_core::keys::requests::{KeyRecord, Lifetime, StoreOutcome, Ticket};
use dayfly_core::{Env, Now, Observer, SecureRandom, plain};
use dayfly_crypto::dh::{GroupCache, PublicValue, SafePrimeGroup};
use dayfly_crypto::rsa_key::PrivateKey;
use dayfly_crypto::{AuthKey, pq, rsa_old, rsa_pad};
use dayfly_testkit::vectors::{Recording, Scheme, recordings};
use dayfly_testkit::{ScriptedRandom, SeededRandom, test_key};
use dayfly_tl::mtproto::{
    PQInnerData, PQInnerDataDc, PQInnerDataPlain, PQInnerDataTemp, PQInnerDataTempDc, ReqDhParams, ResPq,
};
use dayfly_tl::{read_exact, to_bytes};

const PEER: PeerAddr = PeerAddr::V4(0x7f00_0001);
const CONNECTION: u8 = 1;

/// What is seen on the wire is scripted, what is secret comes from a seed: the factors of pq, and an a that nobody uses.
struct Random {
    public: ScriptedRandom,
    secret: SeededRandom,
}

impl SecureRandom for Random {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.public.fill_public(out)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.secret.fill_secret(out)
    }
}

/// The derived values that the machine shows.
#[derive(Default)]
struct Values(BTreeMap<&'static str, Vec<u8>>);

impl Observer for Values {
    fn value(&mut self, name: &'static str, bytes: &[u8]) {
        self.0.insert(name, bytes.to_vec());
    }
}

struct Replay<'a> {
    recording: &'a Recording,
    key: Arc<PrivateKey>,
    group: Arc<SafePrimeGroup>,
    random: Random,
    values: Values,
    machine: ServerHandshakes<u8>,
}

impl<'a> Replay<'a> {
    /// The recorded group; for the recording whose g is to be refused, which no server can be configured with, the
    /// published one.
    fn new(recording: &'a Recording) -> Self {
        let configured = SafePrimeGroup::check(&recording.dh_prime, recording.g, &GroupCache::new());
        assert_eq!(configured.is_ok(), recording.client_must_accept, "{}", recording.id);
        let group = configured.unwrap_or_else(|_| SafePrimeGroup::published());
        let key = test_key();
        let ring =
            KeyRing::new(vec![ServerKey { key: key.clone(), old_rsa: recording.scheme == Scheme::Sha1 }]);
        let public = ScriptedRandom::new()
            .public(recording.server_nonce.0.clone())
            .public(recording.answer_padding.0.clone());
        Self {
            recording,
            machine: ServerHandshakes::new(ServerConfig::new(Arc::new(ring.unwrap()), group.clone())),
            key,
            group,
            random: Random { public, secret: SeededRandom::new(recording.server_time) },
            values: Values::default(),
        }
    }

    fn with<R>(&mut self, work: impl FnOnce(&mut ServerHandshakes<u8>, &mut Env<'_, Values>) -> R) -> R {
        let unix = Duration::from_secs(self.recording.server_time);
        let now = Now { monotonic: Duration::from_secs(1), unix };
        work(&mut self.machine, &mut Env::new(now, &mut self.random, &mut self.values))
    }

    fn query(&mut self, message: &[u8]) {
        self.with(|machine, env| machine.handle_query(CONNECTION, PEER, message, env));
    }

    /// Takes the job that is out, and hands back what comes of it.
    fn job(&mut self, perform: impl FnOnce(&Self, Work) -> Outcome) {
        let job = self.machine.poll_job().expect("a job");
        let result = JobResult { id: job.id, outcome: perform(self, job.work) };
        self.with(|machine, env| machine.handle_job(result, env));
    }

    fn output(&mut self) -> Output<u8> {
        loop {
            match self.machine.poll_output().expect("an output") {
                Output::Event(HandshakeEvent::KeyMade { .. } | HandshakeEvent::Refused { .. }) => {}
                Output::Event(HandshakeEvent::RefusedAfterDecryption) => {}
                output => return output,
            }
        }
    }

    /// The TL object of the answer.
    fn answer(&mut self) -> Vec<u8> {
        match self.output() {
            Output::Reply { connection: CONNECTION, payload } => {
                plain::PlainMessage::from_server(&payload).unwrap().body.to_vec()
            }
            Output::TransportError { code, .. } => panic!("{}: {code}", self.recording.id),
            _ => panic!("{}: something else than an answer", self.recording.id),
        }
    }

    /// Opens the run by the recorded query.
    fn open(&mut self) -> u64 {
        self.query(&self.recording.message("req_pq").received());
        let answer = self.answer();
        let res_pq: ResPq<'_> = read_exact(&answer).unwrap();
        assert_eq!(res_pq.nonce, self.recording.nonce.array());
        assert_eq!(res_pq.server_nonce, self.recording.server_nonce.array());
        pq::number(res_pq.pq).unwrap()
    }

    /// Sends the recorded inner data, but with the pq of this run, to the test key.
    fn agree(&mut self, pq: u64) -> Vec<u8> {
        let factors = pq::factorize(pq).unwrap();
        let [pq, p, q] = [pq, factors.p(), factors.q()].map(pq::minimal_be);
        let inner = self.inner_data(&pq, &p, &q);
        let wrap = match self.recording.scheme {
            Scheme::RsaPad => rsa_pad::wrap,
            Scheme::Sha1 => rsa_old::wrap,
        };
        let encrypted_data = wrap(&inner, self.key.public(), &mut SeededRandom::new(1)).unwrap();
        let query = ReqDhParams {
            nonce: self.recording.nonce.array(),
            server_nonce: self.recording.server_nonce.array(),
            p: &p,
            q: &q,
            public_key_fingerprint: self.key.fingerprint().0,
            encrypted_data: &encrypted_data,
        };
        self.query(&plain::write(0, &to_bytes(&query)));
        self.job(|_, work| perform(work));
        self.job(|replay, work| {
            let Work::NewPair { exponent, .. } = work else { panic!("{work:?}") };
            let public = PublicValue::parse(&replay.recording.g_a, &replay.group).map(Box::new);
            Outcome::NewPair { exponent, public }
        });
        self.answer()
    }

    fn inner_data(&self, pq: &[u8], p: &[u8], q: &[u8]) -> Vec<u8> {
        match read_exact(&self.recording.p_q_inner_data).unwrap() {
            PQInnerData::PQInnerDataPlain(m) => to_bytes(&PQInnerDataPlain { pq, p, q, ..m }),
            PQInnerData::PQInnerDataDc(m) => to_bytes(&PQInnerDataDc { pq, p, q, ..m }),
            PQInnerData::PQInnerDataTemp(m) => to_bytes(&PQInnerDataTemp { pq, p, q, ..m }),
            PQInnerData::PQInnerDataTempDc(m) => to_bytes(&PQInnerDataTempDc { pq, p, q, ..m }),
        }
    }

    /// Sends the recorded `set_client_DH_params`, and hands in the recorded auth_key for the g_b that the server finds.
    fn exchange(&mut self) -> (Ticket, KeyRecord) {
        self.query(&self.recording.message("set_client_DH_params").received());
        self.job(|replay, work| {
            let Work::Power { base, exponent, .. } = work else { panic!("{work:?}") };
            assert_eq!(base.bytes(), &replay.recording.g_b.array(), "{}", replay.recording.id);
            Outcome::Power { exponent, key: AuthKey::take(&mut replay.recording.auth_key.array()) }
        });
        match self.output() {
            Output::Insert { ticket, record } => (ticket, record),
            _ => panic!("{}: the store is not asked", self.recording.id),
        }
    }
}

fn perform(work: Work) -> Outcome {
    Job { id: JobId(0), work }.perform().outcome
}

// rule: HS-16, HS-23, HS-24, HS-27, HS-28
#[test]
fn vector_server_answers_what_was_recorded_and_keeps_the_recorded_key() {
    for recording in recordings() {
        let mut replay = Replay::new(&recording);
        let pq = replay.open();
        let answer = replay.agree(pq);
        for (name, recorded) in
            [("tmp_aes_key", &recording.tmp_aes_key), ("tmp_aes_iv", &recording.tmp_aes_iv)]
        {
            assert_eq!(replay.values.0[name], recorded.0, "{}: {name}", recording.id);
        }
        if recording.client_must_accept {
            assert_eq!(answer, recording.message("server_DH_params_ok").body(), "{}", recording.id);
        }
        let (ticket, record) = replay.exchange();
        compare(&record, &recording);
        replay.with(|machine, env| machine.handle_insert(ticket, &StoreOutcome::Inserted, env));
        assert_eq!(replay.answer(), recording.message("dh_gen_ok").body(), "{}", recording.id);
        assert_eq!(replay.random.public.left(), (0, 0), "{}", recording.id);
    }
}

fn compare(record: &KeyRecord, recording: &Recording) {
    assert_eq!(record.id.to_wire(), recording.auth_key_id.array(), "{}", recording.id);
    assert_eq!(record.key.aux_hash(), recording.auth_key_aux_hash.array(), "{}", recording.id);
    assert_eq!(record.first_salt.to_le_bytes(), recording.server_salt.array(), "{}", recording.id);
    assert_eq!(record.lifetime, lifetime(recording), "{}", recording.id);
    assert_eq!(record.dc, recording.dc.unwrap_or_default(), "{}", recording.id);
    assert_eq!(record.created_at, recording.server_time, "{}", recording.id);
}

fn lifetime(recording: &Recording) -> Lifetime {
    let expires_in = match read_exact(&recording.p_q_inner_data).unwrap() {
        PQInnerData::PQInnerDataTemp(m) => m.expires_in,
        PQInnerData::PQInnerDataTempDc(m) => m.expires_in,
        PQInnerData::PQInnerDataPlain(_) | PQInnerData::PQInnerDataDc(_) => return Lifetime::Permanent,
    };
    let expires_at = recording.server_time + u64::try_from(expires_in).unwrap();
    Lifetime::Temporary { expires_at }
}

// rule: HS-23
#[test]
fn vector_server_refuses_recorded_client_data_in_which_one_bit_is_wrong() {
    for recording in recordings() {
        let mut replay = Replay::new(&recording);
        let pq = replay.open();
        replay.agree(pq);
        let mut damaged = recording.message("set_client_DH_params").received();
        *damaged.last_mut().unwrap() ^= 1; // the last block of encrypted_data, which ends the object
        replay.query(&damaged);
        assert!(replay.machine.poll_job().is_none(), "{}: nothing is computed", recording.id);
        assert!(matches!(replay.output(), Output::TransportError { code: -404, .. }), "{}", recording.id);
    }
}
