//! The client's handshake against a server that the bytes play. The server knows `new_nonce`, as the real one would, so
//! that what it says is encrypted and hashed as it should be, unless the script wants it otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dayfly_core::SecureRandom;
use dayfly_core::handshake::client::{
    ClientConfig, ClientHandshake, Created, HandshakeError, Output, Patience, Wrap,
};
use dayfly_core::job::Job;
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::plain::{self, PlainMessage};
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::rsa_key::Fingerprint;
use dayfly_crypto::{AuthKey, NewNonce, kdf};
use dayfly_tl::mtproto::{
    DhGenFail, DhGenOk, DhGenRetry, ReqDhParams, ReqPqMulti, ResPq, ServerDhInnerData, ServerDhParamsFail,
    ServerDhParamsOk, SetClientDhParams,
};
use dayfly_tl::{LongVec, Reader, read_exact, to_bytes};

use crate::handshake::{seal, spoil};
use crate::input::Input;
use crate::jobs::{made_up, public_value};
use crate::world::World;

/// Restarts, retries and floods that are followed.
const BOUND: u32 = 2;
/// The most that a script does.
const MOST_ACTIONS: usize = 200;
/// Of a key that nobody has.
const FINGERPRINT: i64 = 0x0123_4567_89ab_cdef;
/// 101 * 103, which is soon factored.
const PQ: [u8; 2] = 10_403_u16.to_be_bytes();

/// What a script came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Whether a key was made.
    pub done: bool,
    /// Whether the machine failed.
    pub failed: bool,
    /// Distinct queries that were sent.
    pub queries: usize,
}

/// Plays the script.
pub fn check(data: &[u8]) {
    let _: Report = play(data);
}

/// Plays the script, and says what it came to.
#[must_use = "what a script came to; `check` plays it for its panics alone"]
pub fn play(data: &[u8]) -> Report {
    let mut input = Input::new(data);
    let mut play = Play::new(input.u8());
    input.in_turn(MOST_ACTIONS, |input| play.act(input));
    play.report
}

/// Stands in for an RSA key: what it wraps nobody has to open.
#[derive(Clone, Debug)]
struct Unopened;

impl Wrap for Unopened {
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint(FINGERPRINT)
    }

    fn wrap(&self, data: &[u8], random: &mut dyn SecureRandom) -> Result<[u8; 256], HandshakeError> {
        assert!(data.len() <= 144, "inner data of {} bytes", data.len());
        let mut block = [0; 256];
        random.fill_secret(&mut block)?;
        Ok(block)
    }
}

/// The query that the server has to answer.
#[derive(Clone, Copy)]
enum Asked {
    ReqPq { nonce: [u8; 16] },
    DhParams { nonce: [u8; 16], server_nonce: [u8; 16] },
    ClientParams { nonce: [u8; 16], server_nonce: [u8; 16] },
}

struct Play {
    world: World,
    machine: ClientHandshake<Unopened>,
    kind: KeyKind,
    asked: Asked,
    /// The last answer, at least 20 bytes of it: a constructor and a nonce.
    answered: Vec<u8>,
    jobs: Vec<Job>,
    /// The distinct queries of each step of each run.
    queries: BTreeMap<(u32, [u8; 16]), BTreeSet<Vec<u8>>>,
    failed: Option<HandshakeError>,
    report: Report,
}

impl Play {
    fn new(seed: u8) -> Self {
        let mut world = World::new(seed);
        let kind = if seed & 1 == 0 { KeyKind::Perm } else { KeyKind::Temp { expires_in: 86_400 } };
        let patience =
            Patience { max_restarts: BOUND, max_retries: BOUND, max_floods: BOUND, ..Patience::default() };
        let keys: Arc<[Unopened]> = Arc::from([Unopened]);
        let config = ClientConfig { exponent_bits: 256, patience, ..ClientConfig::new(keys, kind, 2) };
        let machine = ClientHandshake::new(config, &mut world.env()).expect("a source that works");
        let mut play = Self {
            world,
            machine,
            kind,
            asked: Asked::ReqPq { nonce: [0; 16] },
            answered: vec![0; 20],
            jobs: Vec::new(),
            queries: BTreeMap::new(),
            failed: None,
            report: Report::default(),
        };
        play.settle(Ok(()));
        play
    }

    /// The lower half of a byte says what happens, the upper half what is wrong with it.
    fn act(&mut self, input: &mut Input<'_>) {
        let action = input.u8();
        let wrong = action >> 4;
        match action & 15 {
            0..6 => self.answer(wrong, input),
            6..9 => self.finish_job(wrong),
            9 => self.let_time_pass(input.u16()),
            10 => drop(self.say(&self.answered.clone())),
            11 => drop(self.say_frame(input.short())),
            12 => drop(self.say(&[&self.answered[..20], input.short()].concat())),
            13 => self.refuse(wrong, input),
            14 => {
                self.machine.handle_reconnected(&mut self.world.env());
                self.settle(Ok(()));
            }
            _ => self.world.chance.fails = wrong == 15,
        }
    }

    /// Answers the last query: rightly if nothing is wrong, and a right answer is taken.
    fn answer(&mut self, wrong: u8, input: &mut Input<'_>) {
        let choice = if wrong & 8 == 0 { 0 } else { input.u8() };
        let mut body = match self.asked {
            Asked::ReqPq { nonce } => res_pq(nonce, wrong, input),
            Asked::DhParams { nonce, server_nonce } if choice == 0 => {
                self.dh_params(nonce, server_nonce, wrong, input)
            }
            Asked::DhParams { nonce, server_nonce } => self.dh_params_fail(nonce, server_nonce),
            Asked::ClientParams { nonce, server_nonce } => self.verdict(choice, nonce, server_nonce),
        };
        if wrong & 2 != 0 {
            spoil(&mut body, input);
        }
        let expected = wrong & 7 == 0 && self.is_waiting() && body != self.answered;
        self.answered.clone_from(&body);
        self.answered.resize(body.len().max(20), 0);
        match self.say(&body) {
            Err(error) if expected => assert!(is_bound(error), "a right answer was refused: {error}"),
            Ok(()) | Err(_) => {}
        }
    }

    fn is_waiting(&self) -> bool {
        self.jobs.is_empty() && self.failed.is_none() && !self.world.chance.fails
    }

    fn new_nonce(&self) -> [u8; 32] {
        self.world.watcher.last("new_nonce").expect("a run that is past resPQ")
    }

    fn dh_params(
        &self,
        nonce: [u8; 16],
        server_nonce: [u8; 16],
        wrong: u8,
        input: &mut Input<'_>,
    ) -> Vec<u8> {
        let group = SafePrimeGroup::published();
        let mut prime = group.prime().to_vec();
        let mut g_a = public_value(&nonce, &group).bytes().to_vec();
        let (mut g, mut server_time) = (3, i32::try_from(self.world.now.unix_seconds()).unwrap_or(i32::MAX));
        if wrong & 1 != 0 {
            (g, server_time) = (input.i32(), input.i32());
            spoil(&mut prime, input);
            spoil(&mut g_a, input);
        }
        let inner = ServerDhInnerData { nonce, server_nonce, g, dh_prime: &prime, g_a: &g_a, server_time };
        let mut inner = to_bytes(&inner);
        if wrong & 1 != 0 {
            spoil(&mut inner, input);
        }
        let encrypted_answer = seal(&inner, &self.new_nonce(), &server_nonce, wrong & 4 != 0, input);
        to_bytes(&ServerDhParamsOk { nonce, server_nonce, encrypted_answer: &encrypted_answer })
    }

    fn dh_params_fail(&self, nonce: [u8; 16], server_nonce: [u8; 16]) -> Vec<u8> {
        let new_nonce_hash = kdf::new_nonce_fail_hash(&NewNonce::copy_of(&self.new_nonce()));
        to_bytes(&ServerDhParamsFail { nonce, server_nonce, new_nonce_hash })
    }

    /// The verdict on the key that the client computed last.
    fn verdict(&self, choice: u8, nonce: [u8; 16], server_nonce: [u8; 16]) -> Vec<u8> {
        let hash = |number| {
            let aux_hash = self.auth_key().aux_hash();
            kdf::new_nonce_hash(&NewNonce::copy_of(&self.new_nonce()), number, &aux_hash)
        };
        match choice % 3 {
            0 => to_bytes(&DhGenOk { nonce, server_nonce, new_nonce_hash1: hash(1) }),
            1 => to_bytes(&DhGenRetry { nonce, server_nonce, new_nonce_hash2: hash(2) }),
            _ => to_bytes(&DhGenFail { nonce, server_nonce, new_nonce_hash3: hash(3) }),
        }
    }

    fn auth_key(&self) -> AuthKey {
        AuthKey::take(&mut self.world.watcher.last("auth_key").unwrap_or([0; 256]))
    }

    /// An answer in its plain message.
    fn say(&mut self, body: &[u8]) -> Result<(), HandshakeError> {
        self.say_frame(&plain::write(0x6000_0001, body))
    }

    fn say_frame(&mut self, frame: &[u8]) -> Result<(), HandshakeError> {
        let outcome = self.machine.handle_message(frame, &mut self.world.env());
        self.settle(outcome);
        outcome
    }

    fn finish_job(&mut self, how: u8) {
        if self.jobs.is_empty() {
            return;
        }
        let job = self.jobs.remove(usize::from(how) % self.jobs.len());
        let outcome = self.machine.handle_job(made_up(job, how / 2, &[0; 256]), &mut self.world.env());
        self.settle(outcome);
    }

    /// Some seconds, or until the machine wants to be called.
    fn let_time_pass(&mut self, seconds: u16) {
        self.world.wait_or_until(seconds, self.machine.poll_timeout());
        let outcome = self.machine.handle_timeout(&mut self.world.env());
        self.settle(outcome);
    }

    fn refuse(&mut self, choice: u8, input: &mut Input<'_>) {
        let code = match choice {
            0..6 => -404,
            6..10 => -429,
            10 => -444,
            _ => input.i32(),
        };
        let outcome = self.machine.handle_transport_error(code, &mut self.world.env());
        self.settle(outcome);
    }

    /// Takes what came out of a call, and checks what must hold after each.
    fn settle(&mut self, outcome: Result<(), HandshakeError>) {
        if let Some(error) = self.failed {
            assert_eq!(self.machine.error(), Some(error), "the machine recovered");
            assert!(self.machine.poll_output().is_none(), "a failed machine still speaks");
            return;
        }
        assert_eq!(self.machine.error(), outcome.err(), "an error that is not told, or told and not kept");
        let mut outputs = 0;
        while let Some(output) = self.machine.poll_output() {
            outputs += 1;
            match output {
                Output::Send(message) => self.on_query(&message),
                Output::Done(created) => self.on_created(&created),
            }
        }
        assert!(outputs <= 9, "{outputs} outputs of one call");
        self.jobs.extend(self.machine.poll_job());
        assert!(self.machine.poll_job().is_none(), "two jobs of one call");
        if let Err(error) = outcome {
            self.failed = Some(error);
            self.report.failed = true;
        }
        if self.report.done || self.report.failed {
            assert_eq!(self.machine.poll_timeout(), None, "an ended machine wants to be called");
        }
        assert!(self.machine.runs() <= BOUND + 1, "{} runs", self.machine.runs());
    }

    fn on_query(&mut self, message: &[u8]) {
        assert!(!self.report.done, "a query after the key was made");
        let body = PlainMessage::from_client(message).expect("a plain message").body;
        let id = Reader::new(body).u32().expect("a constructor");
        let (asked, nonce, distinct) = match id {
            ReqPqMulti::CONSTRUCTOR => {
                let m: ReqPqMulti = read_exact(body).expect("req_pq_multi");
                (Asked::ReqPq { nonce: m.nonce }, m.nonce, 1)
            }
            ReqDhParams::CONSTRUCTOR => {
                let m: ReqDhParams<'_> = read_exact(body).expect("req_DH_params");
                (Asked::DhParams { nonce: m.nonce, server_nonce: m.server_nonce }, m.nonce, 1)
            }
            _ => {
                let m: SetClientDhParams<'_> = read_exact(body).expect("set_client_DH_params");
                let asked = Asked::ClientParams { nonce: m.nonce, server_nonce: m.server_nonce };
                (asked, m.nonce, BOUND as usize + 1)
            }
        };
        self.asked = asked;
        let queries = self.queries.entry((id, nonce)).or_default();
        self.report.queries += usize::from(queries.insert(body.to_vec()));
        // rule HS-30: the same bytes again, or a new run.
        assert!(queries.len() <= distinct, "{} different queries of one step", queries.len());
    }

    fn on_created(&mut self, created: &Created) {
        assert!(!self.report.done, "two keys of one machine");
        self.report.done = true;
        assert_eq!(created.key.expose(), self.auth_key().expose(), "another key than the one computed");
        assert_eq!((created.kind, created.dc), (self.kind, 2));
        let ends = matches!(self.kind, KeyKind::Temp { .. });
        assert_eq!(created.expires_at.is_some(), ends);
        assert_eq!(created.expires_at.unwrap_or(created.created_at + 86_400), created.created_at + 86_400);
    }
}

fn is_bound(error: HandshakeError) -> bool {
    matches!(error, HandshakeError::TooManyRetries(_) | HandshakeError::TooManyRestarts { .. })
}

fn res_pq(nonce: [u8; 16], wrong: u8, input: &mut Input<'_>) -> Vec<u8> {
    let (mut pq, mut longs) = (PQ.to_vec(), vec![FINGERPRINT]);
    if wrong & 1 != 0 {
        pq = input.short().to_vec();
    }
    if wrong & 4 != 0 {
        longs = (0..input.u8() % 8).map(|_| input.i64()).collect();
        longs.push(FINGERPRINT);
    }
    let server_public_key_fingerprints = LongVec::from_slice(&longs);
    to_bytes(&ResPq { nonce, server_nonce: nonce.map(|byte| !byte), pq: &pq, server_public_key_fingerprints })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_answers_lead_to_a_key() {
        // Perm; resPQ, server_DH_params_ok, g_b, auth_key, dh_gen_ok.
        let report = play(&[0, 0, 0, 6, 6, 0]);
        assert_eq!(report, Report { done: true, failed: false, queries: 3 });
    }

    #[test]
    fn a_refused_key_leads_to_another_one() {
        let report = play(&[1, 0, 0, 6, 6, 0x80, 1, 6, 6, 0]);
        assert_eq!(report, Report { done: true, failed: false, queries: 4 });
    }

    #[test]
    fn a_spoiled_answer_ends_it() {
        let report = play(&[0, 0, 0x20, 1, 60, 0, 1]);
        assert_eq!(report, Report { done: false, failed: true, queries: 2 });
    }
}
