//! Who stands between the lab's server and the wire: decides which faults act, and alters what goes out.

mod deliver;
mod numbers;
mod plain;
mod sealed;

use std::collections::BTreeMap;
use std::time::Duration;

use dayfly_core::plain as plain_message;
use dayfly_crypto::AuthKeyId;
use dayfly_crypto::kdf::Side;
use dayfly_tl::Reader;
use dayfly_tl::api::AuthBindTempAuthKey;
use dayfly_tl::mtproto::{
    DhGenFail, DhGenOk, DhGenRetry, ReqDhParams, ReqPq, ReqPqMulti, ResPq, ServerDhParamsOk,
    SetClientDhParams,
};

pub(super) use plain::Secrets;
pub(super) use sealed::Message;

use self::deliver::{altered_packets, framed};
use super::fault::{Fault, Rule, Step};
use super::manners::{Chooser, Manners};
use super::store::LabStore;
use crate::dice::Dice;

/// Calls that are remembered, so that their answers can be told apart.
const CALLS: usize = 4096;
/// Runs that are remembered.
const RUNS: usize = 4096;
/// By how much a late answer is late.
const LATE: Duration = Duration::from_millis(1500);

/// A call of the client's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// The constructor of the innermost query.
    pub(super) method: u32,
    /// The seqno of its message.
    pub(super) seqno: i32,
}

impl Call {
    fn step(self) -> Step {
        if self.method == AuthBindTempAuthKey::CONSTRUCTOR { Step::Bind } else { Step::Call }
    }
}

/// What is to be done with the wire, in this order.
#[derive(Debug)]
pub(super) enum Act {
    /// Send a payload.
    Send {
        payload: Vec<u8>,
        /// What altered it, and what it was; empty for what is new.
        fault: Option<(Fault, Vec<u8>)>,
    },
    /// Send it later.
    Later { after: Duration, payload: Vec<u8>, fault: Fault },
    /// Send a transport error in its place.
    Error { code: i32, fault: Fault, honest: Vec<u8> },
    /// Send nothing.
    Nothing { fault: Fault, honest: Vec<u8> },
    /// Close the connection.
    Close { fault: Fault, honest: Vec<u8> },
}

struct Active {
    rule: Rule,
    seen: u32,
    used: u32,
}

/// A fault that acts on the answer that is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Planned {
    pub(super) fault: Fault,
    pub(super) late: Duration,
    pub(super) follow_up: bool,
}

/// A run of the key exchange, as the meddler knows it.
#[derive(Default)]
struct Run {
    number: u64,
    secrets: Secrets,
    chosen: BTreeMap<Step, Vec<Fault>>,
}

/// Everything that it remembers.
pub(super) struct Meddler {
    rules: Vec<Active>,
    chooser: Chooser,
    seed: u64,
    dice: Dice,
    runs: BTreeMap<[u8; 16], Run>,
    begun: u64,
    calls: BTreeMap<(i64, i64), Call>,
    held: BTreeMap<u64, Vec<(Fault, Vec<u8>)>>,
    /// What acts on the plain answer that is due, and where.
    plan: Vec<Planned>,
    /// Values derived since the last payload of a client.
    fresh: Secrets,
}

/// The step that answers a plain query; `None` for what is none.
pub(super) fn answered_by(body: &[u8]) -> Option<Step> {
    match Reader::new(body).peek_id().ok()? {
        ReqPqMulti::CONSTRUCTOR | ReqPq::CONSTRUCTOR => Some(Step::ResPq),
        ReqDhParams::CONSTRUCTOR => Some(Step::DhParams),
        SetClientDhParams::CONSTRUCTOR => Some(Step::DhGen),
        _ => None,
    }
}

/// The step of a plain answer.
fn step_of(body: &[u8]) -> Option<Step> {
    match Reader::new(body).peek_id().ok()? {
        ResPq::CONSTRUCTOR => Some(Step::ResPq),
        ServerDhParamsOk::CONSTRUCTOR => Some(Step::DhParams),
        DhGenOk::CONSTRUCTOR | DhGenRetry::CONSTRUCTOR | DhGenFail::CONSTRUCTOR => Some(Step::DhGen),
        _ => None,
    }
}

/// The 16 bytes at `at` of a query or answer.
fn nonce_at(body: &[u8], at: usize) -> Option<[u8; 16]> {
    body.get(at..)?.first_chunk().copied()
}

impl Meddler {
    pub(super) fn new(rules: Vec<Rule>, manners: Manners, seed: u64) -> Self {
        Self {
            rules: Vec::new(),
            chooser: Chooser::new(manners, Dice::new(seed, "manners")),
            seed,
            dice: Dice::new(seed, "meddler"),
            runs: BTreeMap::new(),
            begun: 0,
            calls: BTreeMap::new(),
            held: BTreeMap::new(),
            plan: Vec::new(),
            fresh: Secrets::default(),
        }
        .with_rules(rules)
    }

    fn with_rules(mut self, rules: Vec<Rule>) -> Self {
        self.set_rules(rules);
        self
    }

    /// Other rules from now on; each begins to count anew.
    pub(super) fn set_rules(&mut self, rules: Vec<Rule>) {
        self.rules = rules.into_iter().map(|rule| Active { rule, seen: 0, used: 0 }).collect();
    }

    /// The faults that act on an answer of this step, now; with `ending`, those that act on the call itself.
    fn acting(&mut self, step: Step, connection: u64, run: Option<u64>, ending: bool) -> Vec<Planned> {
        let mut acting = Vec::new();
        for active in &mut self.rules {
            let rule = &active.rule;
            let here = rule.is_for(step)
                && (rule.fault == Fault::KeyEnded) == ending
                && rule.connection.is_none_or(|wanted| wanted == connection)
                && rule.run.is_none_or(|wanted| Some(wanted) == run);
            if !here {
                continue;
            }
            active.seen += 1;
            if active.seen > rule.skip && rule.times.is_none_or(|times| active.used < times) {
                active.used += 1;
                let late = rule.millis.map_or(LATE, Duration::from_millis);
                acting.push(Planned { fault: rule.fault, late, follow_up: rule.follow_up });
            }
        }
        acting
    }

    /// A plain query came: plans what becomes of its answer, and gives the plan.
    pub(super) fn on_query(&mut self, connection: u64, body: &[u8]) -> &[Planned] {
        self.plan.clear();
        self.fresh = Secrets::default();
        let Some(step) = answered_by(body) else { return &self.plan };
        let server_nonce = nonce_at(body, 20).filter(|_| step != Step::ResPq);
        let run = match server_nonce {
            Some(nonce) => self.runs.get(&nonce).map(|run| run.number),
            None => Some(self.begun + 1),
        };
        let chosen = self.choose(step, server_nonce);
        let planned = |fault| Planned { fault, late: LATE, follow_up: false };
        let acting = self.acting(step, connection, run, false);
        self.plan = chosen.into_iter().map(planned).chain(acting).collect();
        &self.plan
    }

    /// What the lab's manners are for this answer. The same query gets the same again.
    fn choose(&mut self, step: Step, server_nonce: Option<[u8; 16]>) -> Vec<Fault> {
        let run = server_nonce.and_then(|nonce| self.runs.get_mut(&nonce));
        let Some(run) = run else { return self.chooser.at_res_pq() };
        let first = run.secrets.aux_hash.is_none();
        if let Some(chosen) = run.chosen.get(&step).filter(|_| step != Step::DhGen || first) {
            return chosen.clone();
        }
        let chosen = match step {
            Step::DhParams => self.chooser.at_dh_params(),
            _ => self.chooser.at_dh_gen(first),
        };
        run.chosen.insert(step, chosen.clone());
        chosen
    }

    /// What acts on the answer that is due.
    pub(super) fn plans(&self, fault: Fault) -> bool {
        self.plan.iter().any(|planned| planned.fault == fault)
    }

    /// A value was derived.
    pub(super) fn on_value(&mut self, name: &str, bytes: &[u8]) {
        let tmp_aes = self.fresh.tmp_aes.get_or_insert(([0; 32], [0; 32]));
        match (name, bytes.first_chunk::<32>()) {
            ("tmp_aes_key", Some(key)) => tmp_aes.0 = *key,
            ("tmp_aes_iv", Some(iv)) => tmp_aes.1 = *iv,
            ("new_nonce", nonce) => self.fresh.new_nonce = nonce.copied(),
            ("auth_key", _) => {
                self.fresh.aux_hash = dayfly_crypto::digest::sha1(&[bytes]).first_chunk().copied();
            }
            _ => {}
        }
    }

    /// A call came: whether the key is to end under it.
    pub(super) fn on_call(&mut self, connection: u64, message: &Message, method: u32) -> bool {
        if self.calls.len() >= CALLS {
            self.calls.pop_first();
        }
        let call = Call { method, seqno: message.seqno };
        self.calls.insert((message.session_id, message.msg_id), call);
        call.step() == Step::Call && !self.acting(Step::Call, connection, None, true).is_empty()
    }

    /// What the lab's server sends, as it is to go out.
    pub(super) fn outgoing(&mut self, connection: u64, payload: Vec<u8>, store: &LabStore) -> Vec<Act> {
        let mut acts = if plain_message::is_plain(&payload) {
            self.plain(connection, payload)
        } else {
            self.sealed(connection, payload, store)
        };
        if acts.iter().any(|act| matches!(act, Act::Send { .. })) {
            let held = self.held.remove(&connection).unwrap_or_default();
            let send = |(fault, payload)| Act::Send { payload, fault: Some((fault, Vec::new())) };
            acts.extend(held.into_iter().map(send));
        }
        acts
    }

    fn plain(&mut self, connection: u64, payload: Vec<u8>) -> Vec<Act> {
        let honest = |payload| vec![Act::Send { payload, fault: None }];
        let Some(body) = payload.get(plain_message::HEADER_LEN..) else { return honest(payload) };
        let (Some(step), Some(server_nonce)) = (step_of(body), nonce_at(body, 20)) else {
            return honest(payload);
        };
        let secrets = self.note_run(server_nonce);
        let mut dice = Dice::new(self.seed, &format!("{step} {server_nonce:?}"));
        let (mut altered, mut by) = (body.to_vec(), None);
        let plan = self.plan.clone();
        for planned in &plan {
            if let Some(changed) = plain::alter(planned.fault, &altered, &secrets, &mut dice) {
                (altered, by) = (changed, Some(planned.fault));
            }
        }
        // What acted on what the server drew or kept left no other trace.
        by = by.or_else(|| plan.iter().map(|planned| planned.fault).find(|fault| fault.acts_inside()));
        let whole = framed(&payload, &altered, &plan, &mut by);
        self.deliver(connection, vec![(whole, by)], payload, &plan)
    }

    /// Keeps what was derived for the run, and gives all that is known of it.
    fn note_run(&mut self, server_nonce: [u8; 16]) -> Secrets {
        if !self.runs.contains_key(&server_nonce) {
            self.begun += 1;
            if self.runs.len() >= RUNS {
                self.runs.pop_first();
            }
        }
        let number = self.begun;
        let run = self.runs.entry(server_nonce).or_insert_with(|| Run { number, ..Run::default() });
        let fresh = std::mem::take(&mut self.fresh);
        run.secrets.new_nonce = fresh.new_nonce.or(run.secrets.new_nonce);
        run.secrets.tmp_aes = fresh.tmp_aes.or(run.secrets.tmp_aes);
        run.secrets.aux_hash = fresh.aux_hash.or(run.secrets.aux_hash);
        run.secrets.clone()
    }

    /// An encrypted packet: the answer that a fault is about travels alone.
    fn sealed(&mut self, connection: u64, payload: Vec<u8>, store: &LabStore) -> Vec<Act> {
        let honest = |payload| vec![Act::Send { payload, fault: None }];
        let id = payload.first_chunk().copied().map(AuthKeyId::from_wire);
        let Some(key) = id.and_then(|id| store.secret(id)) else { return honest(payload) };
        let Ok(message) = Message::open(key, Side::Server, &payload) else { return honest(payload) };
        let parts = message.parts();
        let plans: Vec<_> = parts.iter().map(|part| self.plan_for(connection, part)).collect();
        if plans.iter().all(|(plan, _)| plan.is_empty()) {
            return honest(payload);
        }
        let mut acts = Vec::new();
        for (part, (plan, call)) in parts.iter().zip(plans) {
            let Some(alone) = part.seal(&mut self.dice) else { continue };
            let packets = altered_packets(part, &plan, call, &mut self.dice);
            let packets = if packets.is_empty() { vec![(alone.clone(), None)] } else { packets };
            acts.extend(self.deliver(connection, packets, alone, &plan));
        }
        acts
    }

    fn plan_for(&mut self, connection: u64, part: &Message) -> (Vec<Planned>, Option<Call>) {
        let call = part.answers().and_then(|to| self.calls.get(&(part.session_id, to)).copied());
        let plan = call.map(|call| self.acting(call.step(), connection, None, false)).unwrap_or_default();
        (plan, call)
    }
}
