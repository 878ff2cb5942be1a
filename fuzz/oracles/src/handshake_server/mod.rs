//! The server's table of runs against clients that the bytes play. What RSA gives back of an `encrypted_data` is supplied by
//! the script, so that inner data of any kind gets as far as it would with the right key, and no RSA is computed.

mod blocks;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use dayfly_core::env::SecureRandom as _;
use dayfly_core::handshake::server::{Output, PeerAddr, ServerConfig, ServerHandshakes, ServerLimits};
use dayfly_core::job::{Job, Work};
use dayfly_core::keys::requests::{KeyRecord, StoreOutcome, Ticket};
use dayfly_core::plain::{self, PlainMessage};
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::pq::{self, PqFactors};
use dayfly_crypto::{NewNonce, kdf};
use dayfly_tl::mtproto::{
    ClientDhInnerData, MsgsAck, ReqDhParams, ReqPq, ReqPqMulti, ResPq, ServerDhParams, SetClientDhParams,
    SetClientDhParamsAnswer,
};
use dayfly_tl::{LongVec, read_exact, to_bytes};

use self::blocks::{ciphertext, inner_data, rsa_old, rsa_pad};
use crate::handshake::{seal, spoil};
use crate::input::Input;
use crate::jobs::{made_up, public_value};
use crate::keys::{private_key, ring};
use crate::world::{Chance, World};

/// Small bounds, so that the fuzzer reaches them.
const LIMITS: ServerLimits = ServerLimits {
    unproven_runs: 4,
    unproven_runs_per_address: 3,
    proven_runs: 3,
    proven_runs_per_address: 2,
    waiting_jobs: 3,
    private_operations_per_minute: Some(8),
    run_lifetime: Duration::from_secs(600),
    store_patience: Duration::from_secs(4),
    waiters: 2,
    answer_memory: 1024,
};
/// What a finished run takes up at most.
const FINISHED_BYTES: usize = 192;
/// The most that a script does.
const MOST_ACTIONS: usize = 200;
/// The newest runs, to which queries go.
const NEWEST: usize = 8;

/// What a script came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// dh_gen_ok, repeats included.
    pub made: usize,
    /// dh_gen_retry.
    pub retried: usize,
    /// dh_gen_fail.
    pub failed: usize,
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

/// nonce and server_nonce.
type RunName = ([u8; 16], [u8; 16]);

/// A run as a client sees it.
struct Run {
    name: RunName,
    pq: Vec<u8>,
    p: Vec<u8>,
    q: Vec<u8>,
    /// What the server took from the inner data.
    new_nonce: [u8; 32],
    /// Of the key that was refused last.
    retry_id: i64,
}

struct Play {
    world: World,
    table: ServerHandshakes<u8>,
    runs: Vec<Run>,
    /// For which run it was and what RSA gives back, by what was sent.
    opened: BTreeMap<Vec<u8>, (RunName, [u8; 256])>,
    jobs: Vec<Job>,
    tickets: Vec<(Ticket, KeyRecord)>,
    last_query: Vec<u8>,
    /// The source of randomness as it was when the last query came.
    chance_before: Chance,
    /// Runs that bought their private-key operation.
    bought: BTreeSet<RunName>,
    /// What was answered, which stays so: the one server_DH_params_ok and the one verdict of a run.
    dh_params: BTreeMap<RunName, Vec<u8>>,
    verdicts: BTreeMap<RunName, Vec<u8>>,
    /// new_nonce_hash1 of keys that the store has.
    kept: BTreeSet<[u8; 16]>,
    report: Report,
}

impl Play {
    fn new(seed: u8) -> Self {
        let keys = if seed & 1 == 0 { ring(false) } else { ring(true) };
        let config = ServerConfig {
            exponent_bits: 256,
            max_retries: 2,
            limits: LIMITS,
            ..ServerConfig::new(keys, SafePrimeGroup::published())
        };
        Self {
            world: World::new(seed),
            table: ServerHandshakes::new(config),
            runs: Vec::new(),
            opened: BTreeMap::new(),
            jobs: Vec::new(),
            tickets: Vec::new(),
            last_query: Vec::new(),
            chance_before: Chance::new(seed),
            bought: BTreeSet::new(),
            dh_params: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            kept: BTreeSet::new(),
            report: Report::default(),
        }
    }

    /// The lower half of a byte says what happens, the upper half what is wrong with it, or where.
    fn act(&mut self, input: &mut Input<'_>) {
        let action = input.u8();
        let wrong = action >> 4;
        match action & 15 {
            0..2 => self.ask_pq(wrong),
            2..5 => self.ask_dh_params(wrong, input),
            5..8 => self.ask_client_params(wrong, input),
            8..10 => self.finish_job(wrong),
            10 | 11 => self.finish_insert(wrong),
            12 => self.say(wrong, &self.last_query.clone()),
            13 => self.say_something(wrong, input),
            14 => self.let_time_pass(input.u16()),
            _ if wrong < 8 => self.table.forget_connection(wrong & 3),
            _ => self.world.chance.fails = wrong == 15,
        }
    }

    /// One of the newest runs, if there is any.
    fn run(&self, pick: u8) -> Option<&Run> {
        let newest = &self.runs[self.runs.len().saturating_sub(NEWEST)..];
        newest.get(usize::from(pick).checked_rem(newest.len())?)
    }

    fn ask_pq(&mut self, wrong: u8) {
        let nonce = [wrong >> 1; 16];
        let query = if wrong & 1 == 0 { to_bytes(&ReqPqMulti { nonce }) } else { to_bytes(&ReqPq { nonce }) };
        self.say(wrong, &query);
    }

    /// `req_DH_params` for a run: bit 0 changes the inner data, bit 1 the query, bit 2 the block, bit 3 picks another form.
    fn ask_dh_params(&mut self, wrong: u8, input: &mut Input<'_>) {
        let pick = input.u8();
        let Some(run) = self.run(pick) else { return };
        let form = if wrong & 8 == 0 { 0 } else { input.u8() };
        let mut inner = inner_data(run, &[pick; 32], form);
        if wrong & 1 != 0 {
            spoil(&mut inner, input);
        }
        let mut block = if form & 8 == 0 { rsa_pad(&inner, pick) } else { rsa_old(&inner) };
        if wrong & 4 != 0 {
            block[usize::from(input.u8())] ^= input.u8();
        }
        let encrypted_data = ciphertext(&block);
        let mut query = to_bytes(&ReqDhParams {
            nonce: run.name.0,
            server_nonce: run.name.1,
            p: &run.p,
            q: &run.q,
            public_key_fingerprint: private_key().fingerprint().0,
            encrypted_data: &encrypted_data,
        });
        self.opened.insert(encrypted_data, (run.name, block));
        if wrong & 2 != 0 {
            spoil(&mut query, input);
        }
        self.say(pick, &query);
    }

    /// `set_client_DH_params` for a run: bit 0 changes the inner data, bit 1 the query, bit 2 hash and padding.
    fn ask_client_params(&mut self, wrong: u8, input: &mut Input<'_>) {
        let pick = input.u8();
        let Some(run) = self.run(pick) else { return };
        let (nonce, server_nonce) = run.name;
        let g_b = public_value(&[pick], &SafePrimeGroup::published());
        let inner = ClientDhInnerData { nonce, server_nonce, retry_id: run.retry_id, g_b: g_b.bytes() };
        let mut inner = to_bytes(&inner);
        if wrong & 1 != 0 {
            spoil(&mut inner, input);
        }
        let encrypted_data = seal(&inner, &run.new_nonce, &server_nonce, wrong & 4 != 0, input);
        let mut query = to_bytes(&SetClientDhParams { nonce, server_nonce, encrypted_data: &encrypted_data });
        if wrong & 2 != 0 {
            spoil(&mut query, input);
        }
        self.say(pick, &query);
    }

    fn say_something(&mut self, wrong: u8, input: &mut Input<'_>) {
        match wrong & 3 {
            0 => {
                let msg_ids = [input.i64()];
                self.say(wrong, &to_bytes(&MsgsAck { msg_ids: LongVec::from_slice(&msg_ids) }));
            }
            1 => self.say(wrong, input.short()),
            2 => self.say(wrong, &[&self.last_query, input.short()].concat()),
            _ => self.say_frame(wrong, input.short()),
        }
    }

    fn say(&mut self, place: u8, query: &[u8]) {
        self.last_query = query.to_vec();
        self.say_frame(place, &plain::write(i64::from(place), query));
    }

    fn say_frame(&mut self, place: u8, frame: &[u8]) {
        let (connection, peer) = (place & 3, PeerAddr::V4(u32::from(place & 1)));
        self.chance_before = self.world.chance.clone();
        self.table.handle_query(connection, peer, frame, &mut self.world.env());
        self.settle(true);
    }

    fn finish_job(&mut self, how: u8) {
        if self.jobs.is_empty() {
            return;
        }
        let job = self.jobs.remove(usize::from(how) % self.jobs.len());
        let raw = match &job.work {
            Work::RsaPrivate { block, .. } => self.opened.get(&block.bytes()[..]).copied(),
            _ => None,
        };
        let (name, raw) = raw.unwrap_or((Default::default(), [0x11; 256]));
        self.world.watcher.forget("new_nonce");
        self.table.handle_job(made_up(job, how / 2, &raw), &mut self.world.env());
        if let Some(new_nonce) = self.world.watcher.last("new_nonce") {
            let run = self.runs.iter_mut().find(|run| run.name == name);
            run.into_iter().for_each(|run| run.new_nonce = new_nonce);
        }
        self.settle(false);
    }

    fn finish_insert(&mut self, how: u8) {
        if self.tickets.is_empty() {
            return;
        }
        let (ticket, record) = self.tickets.remove(usize::from(how) % self.tickets.len());
        let outcome = match how / 2 {
            0..3 => StoreOutcome::Inserted,
            3 | 4 => StoreOutcome::Taken,
            5 => StoreOutcome::Refused,
            6 => StoreOutcome::Unavailable,
            _ => StoreOutcome::Missing,
        };
        self.learn_of(&record, matches!(outcome, StoreOutcome::Inserted));
        self.table.handle_insert(ticket, &outcome, &mut self.world.env());
        self.settle(false);
    }

    /// The clients come to know the key, as they would have computed it.
    fn learn_of(&mut self, record: &KeyRecord, kept: bool) {
        let aux_hash = record.key.aux_hash();
        for run in &mut self.runs {
            let new_nonce = NewNonce::copy_of(&run.new_nonce);
            if record.first_salt == kdf::server_salt(&new_nonce, &run.name.1) {
                run.retry_id = i64::from_le_bytes(aux_hash);
                if kept {
                    self.kept.insert(kdf::new_nonce_hash(&new_nonce, 1, &aux_hash));
                }
            }
        }
    }

    /// Some seconds, or until the table wants to be called.
    fn let_time_pass(&mut self, seconds: u16) {
        self.world.wait_or_until(seconds, self.table.poll_timeout());
        self.table.handle_timeout(&mut self.world.env());
        self.settle(false);
        let stuck = self.world.is_due(self.table.poll_timeout());
        assert!(!stuck, "the table wants to be called again at once");
    }

    /// Takes what came out of a call, and checks what must hold after each.
    fn settle(&mut self, of_query: bool) {
        let mut outputs = 0;
        while let Some(output) = self.table.poll_output() {
            outputs += 1;
            match output {
                Output::Reply { payload, .. } => self.on_reply(&payload),
                Output::TransportError { code, .. } => assert!([-404, -429, -444].contains(&code), "{code}"),
                Output::Insert { ticket, record } => self.tickets.push((ticket, record)),
                Output::Event(_) => {}
            }
        }
        assert!(outputs <= 64, "{outputs} outputs of one call");
        self.take_jobs(of_query);
        let (unfinished, finished) = (self.table.unfinished(), self.table.finished());
        assert!(unfinished <= LIMITS.unproven_runs + LIMITS.proven_runs, "{unfinished} unfinished runs");
        assert!(finished * FINISHED_BYTES <= LIMITS.answer_memory, "{finished} finished runs");
    }

    /// At most one job of a call, and of a run at most one private-key operation.
    fn take_jobs(&mut self, of_query: bool) {
        let Some(job) = self.table.poll_job() else { return };
        assert!(self.table.poll_job().is_none(), "two jobs of one call");
        if let Work::RsaPrivate { .. } = job.work {
            assert!(of_query, "a private-key operation that no query asked for");
            let (query, _) =
                dayfly_tl::read_prefix::<ReqDhParams<'_>>(&self.last_query).expect("req_DH_params");
            let first = self.bought.insert((query.nonce, query.server_nonce));
            assert!(first, "two private-key operations of one run");
        }
        self.jobs.push(job);
    }

    fn on_reply(&mut self, payload: &[u8]) {
        let body = PlainMessage::from_server(payload).expect("a plain message of a server").body;
        if let Ok(m) = read_exact::<ResPq<'_>>(body) {
            self.on_res_pq(&m);
        } else if let Ok(ServerDhParams::ServerDhParamsOk(m)) = read_exact(body) {
            let first = self.dh_params.entry((m.nonce, m.server_nonce)).or_insert_with(|| body.to_vec());
            assert_eq!(first, body, "another server_DH_params_ok of one run");
        } else {
            self.on_verdict(body);
        }
    }

    fn on_res_pq(&mut self, m: &ResPq<'_>) {
        let name = (m.nonce, m.server_nonce);
        if self.runs.iter().any(|run| run.name == name) {
            return;
        }
        assert_eq!(m.pq.len(), 8, "pq of {} bytes", m.pq.len());
        let factors = self.factors(m.pq);
        let (p, q) = (pq::minimal_be(factors.p()), pq::minimal_be(factors.q()));
        self.runs.push(Run { name, pq: m.pq.to_vec(), p, q, new_nonce: [0; 32], retry_id: 0 });
    }

    /// The factors of what the server has just drawn: drawn once more from the same bytes, which is faster than to search
    /// for them, and searched for if that gives something else.
    fn factors(&self, pq: &[u8]) -> PqFactors {
        let number = pq::number(pq).expect("8 bytes");
        let mut chance = self.chance_before.clone();
        let drawn = chance.fill_public(&mut [0; 16]).and_then(|()| pq::random(&mut chance));
        let fits = drawn.ok().filter(|factors| factors.product() == number);
        fits.unwrap_or_else(|| pq::factorize(number).expect("a product of two primes"))
    }

    fn on_verdict(&mut self, body: &[u8]) {
        let name = match read_exact(body).expect("an answer of the key exchange") {
            SetClientDhParamsAnswer::DhGenRetry(_) => {
                self.report.retried += 1;
                return;
            }
            SetClientDhParamsAnswer::DhGenOk(m) => {
                self.report.made += 1;
                assert!(self.kept.contains(&m.new_nonce_hash1), "dh_gen_ok for a key that is not kept");
                (m.nonce, m.server_nonce)
            }
            SetClientDhParamsAnswer::DhGenFail(m) => {
                self.report.failed += 1;
                (m.nonce, m.server_nonce)
            }
        };
        let first = self.verdicts.entry(name).or_insert_with(|| body.to_vec());
        assert_eq!(first, body, "another verdict on one run");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_queries_lead_to_a_key() {
        // req_pq_multi; req_DH_params, RSA, g_a; set_client_DH_params, auth_key; the store.
        let report = play(&[0, 0, 2, 0, 8, 8, 5, 0, 8, 10]);
        assert_eq!(report, Report { made: 1, retried: 0, failed: 0 });
    }

    #[test]
    fn the_older_scheme_works_where_it_is_allowed() {
        let of = |seed| play(&[seed, 0, 0x82, 0, 9, 8, 8, 5, 0, 8, 10]).made;
        assert_eq!((of(0), of(1)), (0, 1));
    }

    #[test]
    fn a_taken_id_leads_to_another_key_and_at_last_to_none() {
        let retry = [0x6a, 5, 1, 8];
        let script = [&[0, 0, 2, 0, 8, 8, 5, 0, 8][..], &retry, &retry, &[0x6a]].concat();
        assert_eq!(play(&script), Report { made: 0, retried: 2, failed: 1 });
        let kept = [&[0, 0, 2, 0, 8, 8, 5, 0, 8][..], &retry, &[10]].concat();
        assert_eq!(play(&kept), Report { made: 1, retried: 1, failed: 0 });
    }
}
