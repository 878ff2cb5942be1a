//! Verdicts over key exchanges: by what the client does after an answer was altered.

use std::collections::BTreeSet;

use dayfly_core::observer::Direction;

use super::evidence::{Asked, Did, Ledger, meddled};
use super::stage::{Next, Stage};
use crate::lab::{Fault, LabEvent, Rule, Step, What};
use crate::verdict::{Outcome, Stop, failed, not_reached};

/// With both keys in the making at once, this many runs are usual.
const USUAL_RUNS: usize = 2;
/// dh_gen_retry after dh_gen_retry: after so many a client that still goes on goes on for ever.
const FOR_EVER: usize = 24;

/// What a judge looks at.
pub(super) enum Look<'a> {
    /// Something happened; what the client did, if it did it.
    Event(&'a LabEvent, Option<Did>),
    /// The client that the suite started has ended.
    Exited,
}

/// Shows `judge` everything until it has a verdict. A client that keeps silent has told nothing.
pub(super) async fn watch<T>(
    stage: &mut Stage,
    mut judge: impl FnMut(Look<'_>, &Ledger) -> Option<Outcome<T>>,
) -> Outcome<T> {
    let mut ledger = Ledger::default();
    let mut heard = false;
    loop {
        let verdict = match stage.next().await {
            Next::Event(event) => {
                heard |= matches!(event.what, What::Payload { direction: Direction::In, .. });
                let did = ledger.read(&event);
                judge(Look::Event(&event, did), &ledger)
            }
            Next::Exited if !heard => Some(not_reached("the client ended without sending anything")),
            Next::Exited => {
                let verdict = judge(Look::Exited, &ledger);
                Some(verdict.unwrap_or_else(|| not_reached("the client ended before it came so far")))
            }
            Next::Silence if !heard => {
                Some(not_reached(format!("no client came within {:?}", stage.patience)))
            }
            Next::Silence => Some(Err(Stop::Undecided(format!(
                "the client kept silent for {:?}: what it made of it cannot be told from the wire",
                stage.patience
            )))),
        };
        if let Some(verdict) = verdict {
            return verdict;
        }
    }
}

/// The runs and connections on which a fault acted.
#[derive(Default)]
struct Struck {
    connections: BTreeSet<Option<u64>>,
    nonces: BTreeSet<[u8; 16]>,
}

impl Struck {
    /// Notes the event if the fault acts in it.
    fn note(&mut self, event: &LabEvent, fault: Fault) -> bool {
        let Some((_, run)) = meddled(event).filter(|(acted, _)| *acted == fault) else { return false };
        self.connections.insert(event.connection);
        self.nonces.extend(run.into_iter().flat_map(|(nonce, server_nonce)| [nonce, server_nonce]));
        true
    }

    fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    fn has(&self, asked: &Asked) -> bool {
        self.nonces.contains(&asked.nonce) || self.nonces.contains(&asked.server_nonce)
    }
}

/// Whether this query goes on after an answer of `step`.
fn goes_on(asked: &Asked, step: Step) -> bool {
    match step {
        Step::ResPq => asked.name == "req_DH_params",
        _ => asked.name == "set_client_DH_params",
    }
}

/// Whether the altered answer says that the run is over: to begin anew is then no sign that it was refused.
fn says_that_it_failed(fault: Fault) -> bool {
    matches!(fault, Fault::DhGenFailHash | Fault::DhParamsFailHash)
}

/// Whether an answer of `step` is the one to this query.
fn was_answered(asked: &Asked, step: Step) -> bool {
    match step {
        Step::DhParams => asked.name == "req_DH_params",
        Step::DhGen => asked.name == "set_client_DH_params",
        _ => false,
    }
}

/// Every answer is altered: no run may go on.
pub(super) async fn refuses(stage: &mut Stage, fault: Fault) -> Outcome {
    match fault.step() {
        Some(Step::DhGen) => refuses_key(stage, fault).await,
        step => refuses_at(stage, fault, step.unwrap_or(Step::ResPq)).await,
    }
}

/// Every last answer is altered: no key may be used. To close the connection, or to begin one more run, is no refusal yet: so does
/// a client that took the one key and goes on to the other.
async fn refuses_key(stage: &mut Stage, fault: Fault) -> Outcome {
    stage.begin(vec![Rule::always(fault)]).await?;
    let (mut struck, mut open) = (Struck::default(), BTreeSet::new());
    let outcome = watch(stage, |look, ledger| {
        let Look::Event(event, did) = look else {
            return (!struck.is_empty()).then_some(Ok(()));
        };
        if struck.note(event, fault) {
            open.insert(event.connection);
            return None;
        }
        match did? {
            Did::Sealed(_) | Did::Unopened(_) if !struck.is_empty() => {
                Some(failed("it took the key into use"))
            }
            Did::Asked(asked) if struck.has(&asked) && !asked.repeat => {
                Some(failed(format!("it went on with {}", asked.name)))
            }
            Did::Began { .. } if !struck.is_empty() && ledger.begun() > USUAL_RUNS => {
                Some(if says_that_it_failed(fault) { began_anew() } else { Ok(()) })
            }
            Did::Closed => {
                open.remove(&event.connection);
                None
            }
            _ => None,
        }
    })
    .await;
    match outcome {
        // It has left each of them, and keeps silent.
        Err(Stop::Undecided(_)) if !says_that_it_failed(fault) && !struck.is_empty() && open.is_empty() => {
            Ok(())
        }
        outcome => outcome,
    }
}

fn began_anew<T>() -> Outcome<T> {
    Err(Stop::Undecided("it began anew, as one does that refused the answer and one that took it".to_owned()))
}

/// The same for a fault that can act at every step.
pub(super) async fn refuses_at(stage: &mut Stage, fault: Fault, step: Step) -> Outcome {
    stage.begin(vec![Rule::always(fault).at(step)]).await?;
    let mut struck = Struck::default();
    watch(stage, |look, ledger| {
        let Look::Event(event, did) = look else { return (!struck.is_empty()).then_some(Ok(())) };
        if struck.note(event, fault) || struck.is_empty() {
            return None;
        }
        let here = struck.connections.contains(&event.connection);
        match did? {
            Did::Asked(asked) if !struck.has(&asked) => None,
            Did::Asked(asked) if asked.repeat => Some(Ok(())),
            Did::Asked(asked) => {
                goes_on(&asked, step).then(|| failed(format!("it went on with {}", asked.name)))
            }
            Did::Sealed(_) | Did::Unopened(_) => Some(failed("it took the key into use")),
            Did::Began { .. } if says_that_it_failed(fault) && (here || ledger.begun() > USUAL_RUNS) => {
                Some(began_anew())
            }
            Did::Began { anew } => (here || (anew && ledger.begun() > USUAL_RUNS)).then_some(Ok(())),
            Did::Closed => here.then_some(Ok(())),
        }
    })
    .await
}

/// What is legal is altered in every run: a key has to be made and used all the same.
pub(super) async fn takes(stage: &mut Stage, fault: Fault) -> Outcome {
    let step = fault.step().unwrap_or(Step::ResPq);
    takes_rules(stage, vec![Rule::always(fault)], step).await
}

/// The same at one step.
pub(super) async fn takes_at(stage: &mut Stage, fault: Fault, step: Step) -> Outcome {
    takes_rules(stage, vec![Rule::always(fault).at(step)], step).await
}

/// The same with rules of the case's own; `step` is the answer that they are about.
pub(super) async fn takes_rules(stage: &mut Stage, rules: Vec<Rule>, step: Step) -> Outcome {
    stage.begin(rules).await?;
    takes_key(stage, step).await
}

/// Waits until a key that was made is used.
pub(super) async fn takes_key(stage: &mut Stage, step: Step) -> Outcome {
    let (mut answered, mut made) = (BTreeSet::new(), BTreeSet::new());
    watch(stage, |look, ledger| {
        let Look::Event(event, did) = look else {
            return (!answered.is_empty()).then(|| failed("it ended without using a key"));
        };
        if let What::Plain { direction: Direction::Out, name, .. } = &event.what {
            if answers(name, step) {
                answered.insert(event.connection);
            }
            if *name == "dh_gen_ok" {
                made.insert(event.connection);
            }
        }
        match did? {
            Did::Sealed(_) if !answered.is_empty() => Some(Ok(())),
            Did::Unopened(why) => Some(failed(format!("it sent an encrypted packet: {why}"))),
            Did::Asked(_) if ledger.proven.len() > USUAL_RUNS => Some(failed("it began a third run")),
            Did::Closed if !made.contains(&event.connection) && answered.contains(&event.connection) => {
                Some(failed("it closed the connection"))
            }
            _ => None,
        }
    })
    .await
}

/// Whether a plain answer of this name is of `step`.
fn answers(name: &str, step: Step) -> bool {
    match step {
        Step::ResPq => name == "resPQ",
        Step::DhParams => name == "server_DH_params_ok",
        _ => matches!(name, "dh_gen_ok" | "dh_gen_retry" | "dh_gen_fail"),
    }
}

/// g_a is at the very edge of what is allowed: the client has to go on with its own value.
pub(super) async fn goes_on_after(stage: &mut Stage, fault: Fault) -> Outcome {
    stage.begin(vec![Rule::always(fault)]).await?;
    let mut struck = Struck::default();
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else {
            return (!struck.is_empty()).then(|| failed("it ended without going on"));
        };
        if struck.note(event, fault) {
            return None;
        }
        match did? {
            Did::Asked(asked) if goes_on(&asked, Step::DhParams) && struck.has(&asked) => Some(Ok(())),
            Did::Closed if struck.connections.contains(&event.connection) => {
                Some(failed("it closed the connection"))
            }
            _ => None,
        }
    })
    .await
}

/// Whether a client may go on with the run in which something went wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SameRun {
    /// By sending the same query again.
    Repeats,
    /// Not at all.
    Over,
}

/// Something goes wrong once: a key has to be made and used in the end.
pub(super) async fn recovers(stage: &mut Stage, fault: Fault, step: Step, run: SameRun) -> Outcome {
    stage.begin(vec![Rule::once(fault).at(step)]).await?;
    let mut struck = Struck::default();
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else {
            return (!struck.is_empty()).then(|| failed("it gave up: it ended without trying again"));
        };
        if struck.note(event, fault) || struck.is_empty() {
            return None;
        }
        match did? {
            Did::Sealed(_) => Some(Ok(())),
            Did::Unopened(why) => Some(failed(format!("it sent an encrypted packet: {why}"))),
            Did::Asked(asked) if struck.has(&asked) && run == SameRun::Over => {
                Some(failed(format!("it sent {} for the run that is over", asked.name)))
            }
            Did::Asked(asked) if struck.has(&asked) && !asked.repeat && was_answered(&asked, step) => {
                Some(failed(format!("it sent a second, different {} for one run", asked.name)))
            }
            _ => None,
        }
    })
    .await
}

/// Something goes wrong for good: the run may not go on, and the client is free to end or to begin anew.
pub(super) async fn gives_up(stage: &mut Stage, fault: Fault, step: Step) -> Outcome {
    stage.begin(vec![Rule::always(fault).at(step)]).await?;
    let mut struck = Struck::default();
    watch(stage, |look, ledger| {
        let Look::Event(event, did) = look else { return (!struck.is_empty()).then_some(Ok(())) };
        if struck.note(event, fault) || struck.is_empty() {
            return None;
        }
        match did? {
            Did::Asked(asked) if struck.has(&asked) && goes_on(&asked, step) => {
                Some(failed(format!("it went on with {}", asked.name)))
            }
            Did::Closed if struck.connections.contains(&event.connection) => Some(Ok(())),
            Did::Began { .. } if ledger.begun() > USUAL_RUNS => Some(Ok(())),
            _ => None,
        }
    })
    .await
}

/// dh_gen_retry without end: the client has to come to an end.
pub(super) async fn retries_are_bounded(stage: &mut Stage) -> Outcome {
    stage.begin(vec![Rule::always(Fault::DhGenRetry)]).await?;
    let (mut retried, mut tries) = (BTreeSet::new(), std::collections::BTreeMap::<_, usize>::new());
    watch(stage, |look, ledger| {
        let Look::Event(event, did) = look else { return (!retried.is_empty()).then_some(Ok(())) };
        if matches!(event.what, What::Plain { direction: Direction::Out, name: "dh_gen_retry", .. }) {
            retried.insert(event.connection);
        }
        match did? {
            Did::Asked(asked) if asked.name == "set_client_DH_params" && !asked.repeat => {
                let count = tries.entry(asked.server_nonce).or_default();
                *count += 1;
                (*count > FOR_EVER).then(|| failed(format!("it tried {count} times in one run, and goes on")))
            }
            Did::Closed if retried.contains(&event.connection) => Some(Ok(())),
            Did::Asked(_) if ledger.proven.len() > USUAL_RUNS => Some(Ok(())),
            _ => None,
        }
    })
    .await
}
