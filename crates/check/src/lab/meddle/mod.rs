//! Who stands between the lab's server and the wire: decides which faults act, and alters what goes out.

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
    late: Duration,
    follow_up: bool,
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

    /// What becomes of an answer on its way.
    fn deliver(
        &mut self,
        connection: u64,
        packets: Vec<(Vec<u8>, Option<Fault>)>,
        honest: Vec<u8>,
        plan: &[Planned],
    ) -> Vec<Act> {
        let mut acts = Vec::new();
        for planned in plan {
            let Planned { fault, late, .. } = *planned;
            let error = |code| vec![Act::Error { code, fault, honest: honest.clone() }];
            match fault {
                Fault::Error404 => return error(-404),
                Fault::Error429 => return error(-429),
                Fault::Error444 => return error(-444),
                Fault::Dropped => return vec![Act::Nothing { fault, honest }],
                Fault::Close => return vec![Act::Close { fault, honest }],
                Fault::Late => {
                    let later = |(payload, _)| Act::Later { after: late, payload, fault };
                    return packets.into_iter().map(later).collect();
                }
                Fault::Reordered => {
                    let held = self.held.entry(connection).or_default();
                    held.extend(packets.into_iter().map(|(payload, _)| (fault, payload)));
                    return vec![Act::Nothing { fault, honest }];
                }
                Fault::Nop => acts.push(Act::Send { payload: vec![0; 4], fault: Some((fault, Vec::new())) }),
                _ => {}
            }
        }
        let altered = |(payload, by): &(Vec<u8>, Option<Fault>)| Act::Send {
            payload: payload.clone(),
            fault: by.map(|by| (by, honest.clone())),
        };
        acts.extend(packets.iter().map(altered));
        if plan.iter().any(|planned| planned.fault == Fault::Doubled) {
            let again = |(payload, _)| Act::Send { payload, fault: Some((Fault::Doubled, Vec::new())) };
            acts.extend(packets.into_iter().map(again));
        }
        acts
    }
}

/// The plain message around an altered answer.
fn framed(payload: &[u8], body: &[u8], plan: &[Planned], by: &mut Option<Fault>) -> Vec<u8> {
    let id = payload.get(8..).and_then(<[u8]>::first_chunk).copied();
    let mut msg_id = id.map(i64::from_le_bytes).unwrap_or_default();
    let mut mark = |fault: Fault| {
        let planned = plan.iter().any(|planned| planned.fault == fault);
        *by = if planned { Some(fault) } else { *by };
        planned
    };
    if mark(Fault::PlainMsgId) {
        msg_id &= !3;
    }
    let mut whole = plain_message::write(msg_id, body);
    if mark(Fault::PlainLength) {
        let says = u32::try_from(body.len()).unwrap_or(u32::MAX).saturating_add(400);
        whole.iter_mut().skip(16).zip(says.to_le_bytes()).for_each(|(byte, new)| *byte = new);
    }
    whole
}

/// The packets in the place of an answer; none if no fault alters it.
fn altered_packets(
    part: &Message,
    plan: &[Planned],
    call: Option<Call>,
    dice: &mut Dice,
) -> Vec<(Vec<u8>, Option<Fault>)> {
    let Some(call) = call else { return Vec::new() };
    let altering = plan.iter().find(|planned| planned.fault.step().is_some());
    let Some(planned) = altering else { return Vec::new() };
    let packets = part.altered(planned.fault, &call, dice).unwrap_or_default();
    let mut packets: Vec<_> = packets.into_iter().map(|packet| (packet, Some(planned.fault))).collect();
    let follow_up = part.follow_up().filter(|_| planned.follow_up);
    packets.extend(follow_up.and_then(|message| message.seal(dice)).map(|packet| (packet, None)));
    packets
}
