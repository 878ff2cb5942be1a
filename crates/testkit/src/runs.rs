//! Handshakes recorded from our own machines: the files of `vectors/runs`, and how they are made.
//!
//! Both sides run with randomness from a seed, on a clock that moves by fixed steps. The server's draws are written down,
//! so that the file alone makes the server machine say the same bytes again. The client is our own machine too, but for
//! what it never does by itself: opening with `req_pq`, inner data without a dc, the RSA scheme of before 2021.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use dayfly_core::handshake::client::{self, ClientConfig, ClientHandshake, HandshakeError, Wrap};
use dayfly_core::handshake::server::{self, KeyRing, PeerAddr, ServerConfig, ServerHandshakes, ServerKey};
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::keys::requests::StoreOutcome;
use dayfly_core::observer::{Direction, Seen};
use dayfly_core::{Env, Observer, SecureRandom};
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::rsa_key::{Fingerprint, PublicKey};
use dayfly_crypto::{rsa_old, rsa_pad};
use dayfly_tl::mtproto::{PQInnerData, PQInnerDataPlain, PQInnerDataTemp, ReqPq};
use dayfly_tl::{Constructor, read_exact, to_bytes};
use serde::{Deserialize, Serialize};

use crate::TestClock;
use crate::random::{Draw, RecordingRandom, ScriptedRandom, SeededRandom};
use crate::test_key;
use crate::vectors::{Hex, Message, Scheme, Sender};

/// What the store says of a key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeping {
    /// It is kept.
    Inserted,
    /// Another key has its id.
    Taken,
    /// It cannot be kept, now or later.
    Refused,
}

impl Keeping {
    /// As the server machine is told.
    #[must_use]
    pub fn outcome(self) -> StoreOutcome {
        match self {
            Self::Inserted => StoreOutcome::Inserted,
            Self::Taken => StoreOutcome::Taken,
            Self::Refused => StoreOutcome::Refused,
        }
    }
}

/// Bytes that the server drew.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Drawn {
    /// By which method.
    pub draw: Draw,
    /// The bytes.
    pub bytes: Hex,
}

/// One `set_client_DH_params` and what came of it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "the fields are the specification's, and are explained in vectors/runs/README.md"
)]
pub struct Attempt {
    pub b: Hex,
    pub g_b: Hex,
    pub auth_key: Hex,
    pub auth_key_id: Hex,
    pub auth_key_aux_hash: Hex,
    pub verdict: String,
}

/// A recorded run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "the fields are the specification's, and are explained in vectors/runs/README.md"
)]
pub struct Run {
    pub id: String,
    pub what: String,
    pub rsa_key: String,
    pub scheme: Scheme,
    /// The server's clock at the first query, in Unix milliseconds, and how far it moves on with each further one.
    pub server_unix_ms: u64,
    pub step_ms: u64,
    pub server_random: Vec<Drawn>,
    pub store: Vec<Keeping>,
    pub nonce: Hex,
    pub server_nonce: Hex,
    pub new_nonce: Hex,
    pub dc: Option<i32>,
    pub expires_in: Option<u32>,
    pub inner_data_constructor: String,
    pub tmp_aes_key: Hex,
    pub tmp_aes_iv: Hex,
    pub a: Hex,
    pub g_a: Hex,
    pub server_time: u64,
    pub server_salt: Hex,
    pub attempts: Vec<Attempt>,
    pub messages: Vec<Message>,
}

impl Run {
    /// The server's clock when it takes the query of this number, the first being 0.
    #[must_use]
    pub fn clock(&self, query: u64) -> TestClock {
        TestClock::at(Duration::from_millis(self.server_unix_ms + query * self.step_ms))
    }

    /// What the server drew, to be drawn again.
    #[must_use]
    pub fn script(&self) -> ScriptedRandom {
        self.server_random.iter().fold(ScriptedRandom::new(), |script, drawn| match drawn.draw {
            Draw::Public => script.public(drawn.bytes.0.clone()),
            Draw::Secret => script.secret(drawn.bytes.0.clone()),
        })
    }
}

/// A server with the test key, which takes the older scheme too if that is asked for; all else by default.
///
/// # Panics
/// If the test key is damaged.
#[must_use]
pub fn server_config(scheme: Scheme) -> ServerConfig {
    let key = ServerKey { key: test_key(), old_rsa: scheme == Scheme::Sha1 };
    let ring = KeyRing::new(vec![key]).unwrap_or_else(|error| panic!("{error}"));
    ServerConfig::new(Arc::new(ring), SafePrimeGroup::published())
}

/// What is to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The name of the file.
    pub id: &'static str,
    /// What it shows.
    pub what: &'static str,
    /// How inner data is encrypted.
    pub scheme: Scheme,
    /// The key asked for.
    pub kind: KeyKind,
    /// The dc in the inner data; without one, the forms of before there was one.
    pub dc: Option<i32>,
    /// Whether the run is opened by `req_pq`.
    pub older_opening: bool,
    /// What the store says, one key after the other.
    pub store: &'static [Keeping],
}

use Keeping::{Inserted, Refused, Taken};

const PERM: Scenario = Scenario {
    id: "perm",
    what: "a permanent key",
    scheme: Scheme::RsaPad,
    kind: KeyKind::Perm,
    dc: Some(2),
    older_opening: false,
    store: &[Inserted],
};

const DAY: KeyKind = KeyKind::Temp { expires_in: 86_400 };

/// All that is recorded.
pub const SCENARIOS: [Scenario; 7] = [
    PERM,
    Scenario {
        id: "temp",
        what: "a temporary key for a media DC of the test servers",
        kind: DAY,
        dc: Some(-10_004),
        ..PERM
    },
    Scenario {
        id: "dh-gen-retry",
        what: "two keys whose ids are taken, then one whose is not",
        kind: DAY,
        store: &[Taken, Taken, Inserted],
        ..PERM
    },
    Scenario {
        id: "dh-gen-fail",
        what: "one taken id more than the server has patience for",
        store: &[Taken, Taken, Taken, Taken, Taken, Taken],
        ..PERM
    },
    Scenario {
        id: "dh-gen-fail-refused",
        what: "a key that the store refuses for good",
        store: &[Refused],
        ..PERM
    },
    Scenario {
        id: "old-rsa",
        what: "the RSA scheme of before 2021, with inner data that has no dc",
        scheme: Scheme::Sha1,
        dc: None,
        ..PERM
    },
    Scenario {
        id: "req-pq",
        what: "a run opened by req_pq, for a temporary key without a dc",
        kind: DAY,
        dc: None,
        older_opening: true,
        ..PERM
    },
];

/// Runs a scenario; the same seed gives the same run.
///
/// # Panics
/// If a machine refuses what the other one sends.
#[must_use]
pub fn record(scenario: &Scenario, seed: u64) -> Run {
    Recorder::new(*scenario, seed).run()
}

/// The test key as a client of another age would use it.
struct ClientKey {
    key: PublicKey,
    scheme: Scheme,
    with_dc: bool,
    /// The constructor that was sent.
    sent: Arc<Mutex<&'static str>>,
}

impl Wrap for ClientKey {
    fn fingerprint(&self) -> Fingerprint {
        self.key.fingerprint()
    }

    fn wrap(&self, data: &[u8], random: &mut dyn SecureRandom) -> Result<[u8; 256], HandshakeError> {
        let (name, data) = if self.with_dc { with_dc(data) } else { without_dc(data) };
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = name;
        let wrap = match self.scheme {
            Scheme::RsaPad => rsa_pad::wrap,
            Scheme::Sha1 => rsa_old::wrap,
        };
        wrap(&data, &self.key, random).map_err(|_| HandshakeError::Arithmetic)
    }
}

fn with_dc(data: &[u8]) -> (&'static str, Vec<u8>) {
    let name = match read_exact(data) {
        Ok(PQInnerData::PQInnerDataDc(_)) => "p_q_inner_data_dc",
        Ok(PQInnerData::PQInnerDataTempDc(_)) => "p_q_inner_data_temp_dc",
        other => panic!("our client does not send {other:?}"),
    };
    (name, data.to_vec())
}

fn without_dc(data: &[u8]) -> (&'static str, Vec<u8>) {
    match read_exact(data) {
        Ok(PQInnerData::PQInnerDataDc(m)) => {
            let (pq, p, q) = (m.pq, m.p, m.q);
            let (nonce, server_nonce, new_nonce) = (m.nonce, m.server_nonce, m.new_nonce);
            let older = PQInnerDataPlain { pq, p, q, nonce, server_nonce, new_nonce };
            ("p_q_inner_data", to_bytes(&older))
        }
        Ok(PQInnerData::PQInnerDataTempDc(m)) => {
            let (pq, p, q, expires_in) = (m.pq, m.p, m.q, m.expires_in);
            let (nonce, server_nonce, new_nonce) = (m.nonce, m.server_nonce, m.new_nonce);
            let older = PQInnerDataTemp { pq, p, q, nonce, server_nonce, new_nonce, expires_in };
            ("p_q_inner_data_temp", to_bytes(&older))
        }
        other => panic!("our client does not send {other:?}"),
    }
}

/// Every derived value that a machine showed, in order, and the name of the last message that it saw go out.
#[derive(Debug, Default)]
struct Values {
    shown: BTreeMap<&'static str, Vec<Hex>>,
    sent: &'static str,
}

impl Values {
    fn all(&self, name: &str) -> &[Hex] {
        self.shown.get(name).map_or(&[], Vec::as_slice)
    }

    fn only(&self, name: &str) -> Hex {
        self.all(name).first().cloned().unwrap_or_else(|| panic!("{name} was never shown"))
    }
}

impl Observer for Values {
    fn value(&mut self, name: &'static str, bytes: &[u8]) {
        self.shown.entry(name).or_default().push(bytes.into());
    }

    fn message(&mut self, seen: Seen<'_>) {
        if seen.direction == Direction::Out {
            self.sent = seen.name;
        }
    }
}

const PEER: PeerAddr = PeerAddr::V4(0x7f00_0001);

struct Recorder {
    scenario: Scenario,
    clock: TestClock,
    step: Duration,
    client: ClientHandshake<ClientKey>,
    client_random: SeededRandom,
    client_values: Values,
    inner_data: Arc<Mutex<&'static str>>,
    server: ServerHandshakes<u8>,
    server_random: RecordingRandom<SeededRandom>,
    server_values: Values,
    store: Vec<Keeping>,
    kept: Option<i64>,
    messages: Vec<Message>,
}

/// What the recorded client's clock is behind.
const CLIENT_BEHIND: Duration = Duration::from_secs(42);

impl Recorder {
    fn new(scenario: Scenario, seed: u64) -> Self {
        let mut seeds = SeededRandom::new(seed);
        let clock =
            TestClock::at(Duration::from_secs(1_790_000_000) + Duration::from_millis(seeds.below(1_000)));
        let mut client_random = seeds.fork();
        let mut client_values = Values::default();
        let inner_data = Arc::new(Mutex::new(""));
        let key = ClientKey {
            key: test_key().public().clone(),
            scheme: scenario.scheme,
            with_dc: scenario.dc.is_some(),
            sent: inner_data.clone(),
        };
        let config = ClientConfig::new(Arc::from([key]), scenario.kind, scenario.dc.unwrap_or(2));
        let mut now = clock.now();
        now.unix -= CLIENT_BEHIND;
        let mut env = Env::new(now, &mut client_random, &mut client_values);
        let client = ClientHandshake::new(config, &mut env).unwrap_or_else(|error| panic!("{error}"));
        Self {
            scenario,
            clock,
            step: Duration::from_millis(130),
            client,
            client_random,
            client_values,
            inner_data,
            server: ServerHandshakes::new(server_config(scenario.scheme)),
            server_random: RecordingRandom::new(seeds),
            server_values: Values::default(),
            store: scenario.store.iter().rev().copied().collect(),
            kept: None,
            messages: Vec::new(),
        }
    }

    fn run(mut self) -> Run {
        let (start, mut queries) = (self.clock, 0);
        while let Some(query) = self.next_query() {
            self.note(Sender::Client, query_name(&query), &query);
            let answer = self.answer(&query);
            self.note(Sender::Server, self.server_values.sent, &answer);
            self.hand_to_client(&answer);
            self.clock.advance(self.step);
            queries += 1;
        }
        assert_eq!(queries, 2 + self.scenario.store.len(), "{}", self.scenario.id);
        self.file(start)
    }

    /// What the client sends now, which after the verdict is nothing.
    fn next_query(&mut self) -> Option<Vec<u8>> {
        match self.client.poll_output()? {
            client::Output::Send(mut query) => {
                if self.scenario.older_opening && self.messages.is_empty() {
                    query[20..24].copy_from_slice(&ReqPq::ID.to_le_bytes());
                }
                Some(query)
            }
            client::Output::Done(_) => None,
        }
    }

    fn hand_to_client(&mut self, answer: &[u8]) {
        let mut now = self.clock.now();
        now.unix -= CLIENT_BEHIND;
        let mut env = Env::new(now, &mut self.client_random, &mut self.client_values);
        self.client.handle_message(answer, &mut env).unwrap_or_else(|error| panic!("{error}"));
        while let Some(job) = self.client.poll_job() {
            self.client.handle_job(job.perform(), &mut env).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    /// The server's answer, its jobs done and its store asked on the way.
    fn answer(&mut self, query: &[u8]) -> Vec<u8> {
        let mut env = Env::new(self.clock.now(), &mut self.server_random, &mut self.server_values);
        self.server.handle_query(0, PEER, query, &mut env);
        loop {
            while let Some(job) = self.server.poll_job() {
                self.server.handle_job(job.perform(), &mut env);
            }
            match self.server.poll_output() {
                Some(server::Output::Reply { payload, .. }) => return payload,
                Some(server::Output::Insert { ticket, record }) => {
                    self.kept = Some(record.first_salt);
                    let verdict = self.store.pop().unwrap_or_else(|| panic!("the store has no verdict left"));
                    self.server.handle_insert(ticket, &verdict.outcome(), &mut env);
                }
                Some(server::Output::Event(_)) => {}
                Some(server::Output::TransportError { code, .. }) => panic!("{}: {code}", self.scenario.id),
                None => panic!("{}: no answer", self.scenario.id),
            }
        }
    }

    fn note(&mut self, dir: Sender, name: &str, payload: &[u8]) {
        let payload = Hex::from(payload);
        self.messages.push(Message { dir, name: name.to_owned(), payload, declared_extra_bytes: 0 });
    }

    fn file(self, start: TestClock) -> Run {
        let Self { scenario, client_values: client, server_values: server, .. } = self;
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or_default();
        let drawn = self.server_random.drawn.into_iter();
        // The second query is answered with server_time.
        let mut answered = start;
        answered.advance(self.step);
        Run {
            id: scenario.id.to_owned(),
            what: scenario.what.to_owned(),
            rsa_key: "test_rsa.pem".to_owned(),
            scheme: scenario.scheme,
            server_unix_ms: milliseconds(start.now().unix),
            step_ms: milliseconds(self.step),
            server_random: drawn.map(|(draw, bytes)| Drawn { draw, bytes: bytes.into() }).collect(),
            store: scenario.store.to_vec(),
            nonce: self.messages[1].payload[24..40].into(),
            server_nonce: self.messages[1].payload[40..56].into(),
            new_nonce: client.only("new_nonce"),
            dc: scenario.dc,
            expires_in: match scenario.kind {
                KeyKind::Perm => None,
                KeyKind::Temp { expires_in } => Some(expires_in),
            },
            inner_data_constructor: (*self.inner_data.lock().unwrap_or_else(PoisonError::into_inner))
                .to_owned(),
            tmp_aes_key: server.only("tmp_aes_key"),
            tmp_aes_iv: server.only("tmp_aes_iv"),
            a: server.only("a"),
            g_a: server.only("g_a"),
            server_time: answered.now().unix_seconds(),
            server_salt: self.kept.unwrap_or_default().to_le_bytes().into(),
            attempts: attempts(&client, &server, &self.messages),
            messages: self.messages,
        }
    }
}

fn attempts(client: &Values, server: &Values, messages: &[Message]) -> Vec<Attempt> {
    let verdicts = messages.iter().skip(5).step_by(2); // the sixth message, and each second one after it
    let values = client.all("b").iter().zip(client.all("g_b")).zip(server.all("auth_key"));
    let attempt = |(((b, g_b), auth_key), verdict): (((&Hex, &Hex), &Hex), &Message)| {
        let key = dayfly_crypto::AuthKey::copy_of(&auth_key.array());
        Attempt {
            b: b.clone(),
            g_b: g_b.clone(),
            auth_key: auth_key.clone(),
            auth_key_id: key.id().to_wire().into(),
            auth_key_aux_hash: key.aux_hash().into(),
            verdict: verdict.name.clone(),
        }
    };
    values.zip(verdicts).map(attempt).collect()
}

/// The name of a query in the schema.
fn query_name(query: &[u8]) -> &'static str {
    use dayfly_tl::mtproto::{ReqDhParams, ReqPqMulti, SetClientDhParams};
    let id = query.get(20..24).and_then(|id| id.try_into().ok()).map(u32::from_le_bytes);
    let named = [
        (ReqPq::ID, ReqPq::NAME),
        (ReqPqMulti::ID, ReqPqMulti::NAME),
        (ReqDhParams::ID, ReqDhParams::NAME),
        (SetClientDhParams::ID, SetClientDhParams::NAME),
    ];
    let found = named.iter().find(|(known, _)| Some(*known) == id);
    found.map_or_else(|| panic!("{id:x?} is no query"), |(_, name)| *name)
}
