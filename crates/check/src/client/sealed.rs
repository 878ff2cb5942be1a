//! Verdicts over encrypted messages: by what the client does after the answer to a call was altered.

use std::collections::BTreeSet;

use dayfly_core::observer::Direction;

use super::binding::{calls_under_permanent, none_temporary};
use super::evidence::{Content, Did, Said, meddled, messages};
use super::judge::{Look, watch};
use super::stage::Stage;
use crate::lab::{Fault, LabEvent, Rule, Step, What};
use crate::verdict::{Outcome, Stop, failed};

/// The call whose answer was altered, and the messages that were sent in the answer's place.
#[derive(Default)]
pub(super) struct Struck {
    /// The calls of the last packet before.
    last: Vec<Said>,
    connection: Option<Option<u64>>,
    method: Option<u32>,
    /// The msg_ids of what the fault made, and the salt that it named.
    made: BTreeSet<i64>,
    altered: bool,
}

impl Struck {
    /// Takes an event in; `true` once the fault has acted and this is something that came after.
    pub(super) fn note(&mut self, event: &LabEvent, did: Option<&Did>, fault: Fault) -> bool {
        if meddled(event).is_some_and(|(acted, _)| acted == fault) && self.connection.is_none() {
            self.connection = Some(event.connection);
            let call = self.last.iter().find(|said| said.is_bind()).or(self.last.last());
            self.method = call.and_then(Said::method);
            return false;
        }
        match &event.what {
            What::Payload { direction: Direction::Out, fault: by, .. } => self.altered = *by == Some(fault),
            What::Sealed { direction: Direction::Out, key, salt, msg_id, body, .. } if self.altered => {
                self.made.insert(*msg_id);
                self.made.extend(messages(*key, *salt, *msg_id, body).iter().map(|said| said.msg_id));
            }
            _ => {}
        }
        let Some(Did::Sealed(said)) = did else { return self.acted() };
        if !self.acted() {
            let calls: Vec<_> = said.iter().filter(|said| said.method().is_some()).cloned().collect();
            self.last = if calls.is_empty() { std::mem::take(&mut self.last) } else { calls };
        }
        self.acted()
    }

    /// Whether the fault has acted.
    pub(super) fn acted(&self) -> bool {
        self.connection.is_some()
    }

    fn here(&self, event: &LabEvent) -> bool {
        self.connection == Some(event.connection)
    }

    fn was_bind(&self) -> bool {
        self.last.iter().any(Said::is_bind)
    }

    /// Whether this message takes note of what the fault made.
    fn acknowledged_by(&self, said: &Said) -> bool {
        self.made.iter().any(|msg_id| said.acknowledges(*msg_id))
    }
}

/// The first answer, also that to the binding.
fn any_answer(fault: Fault) -> Rule {
    Rule::once(fault).at(Step::Answer)
}

/// The answer is altered so that nobody may take it, and an error follows it. A client that took the first goes on; one that did
/// not calls again, or closes and lives.
pub(super) async fn ignores(stage: &mut Stage, fault: Fault) -> Outcome {
    stage.begin(vec![Rule { follow_up: true, ..any_answer(fault) }]).await?;
    let (mut struck, mut closed, mut exited) = (Struck::default(), false, false);
    let outcome = watch(stage, |look, _| {
        let Look::Event(event, did) = look else {
            exited = true;
            return struck.acted().then(ended_on_it);
        };
        if !struck.note(event, did.as_ref(), fault) {
            return None;
        }
        if closed && matches!(event.what, What::Connected { .. }) {
            return Some(Ok(()));
        }
        match did? {
            Did::Closed => {
                closed |= struck.here(event);
                None
            }
            Did::Asked(_) => Some(Ok(())),
            Did::Sealed(said) => said.iter().find_map(|said| ignored(&struck, said)),
            Did::Began { .. } | Did::Unopened(_) => None,
        }
    })
    .await;
    match outcome {
        // It has nothing more to say, and lives.
        Err(Stop::Undecided(_)) if closed && !exited => Ok(()),
        outcome => outcome,
    }
}

/// A program that refuses an answer may end, and so may one that took it and stumbled over the error that follows.
fn ended_on_it() -> Outcome {
    Err(Stop::Undecided("it ended, which can mean that it refused the answer, or that it took it".to_owned()))
}

fn ignored(struck: &Struck, said: &Said) -> Option<Outcome> {
    if struck.acknowledged_by(said) {
        return Some(failed("it acknowledged the altered message"));
    }
    let method = said.method()?;
    Some(match struck.method {
        Some(before) if before == method => Ok(()),
        _ if said.is_bind() => Ok(()),
        Some(_) if struck.was_bind() => {
            failed(format!("it took the answer: it went on with the call #{method:08x}"))
        }
        _ => Err(Stop::Undecided(format!(
            "it went on with the call #{method:08x}, which may hang on the altered answer or not"
        ))),
    })
}

/// The first answer of this step is unusual, and legal.
pub(super) async fn takes_answer(stage: &mut Stage, fault: Fault, step: Step) -> Outcome {
    stage.begin(vec![Rule::once(fault).at(step)]).await?;
    let mut struck = Struck::default();
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else { return struck.acted().then(|| ended(&struck)) };
        if step == Step::Bind && calls_under_permanent(event) {
            return Some(none_temporary());
        }
        if !struck.note(event, did.as_ref(), fault) {
            return None;
        }
        match did? {
            Did::Closed => struck.here(event).then(|| ended(&struck)),
            Did::Sealed(said) => said.iter().find_map(|said| taken(&struck, said)),
            _ => None,
        }
    })
    .await
}

fn ended(struck: &Struck) -> Outcome {
    if struck.was_bind() {
        return failed("it closed the connection instead of going on");
    }
    Err(Stop::Undecided(
        "it closed the connection after the answer, as one does that has all that it wanted".into(),
    ))
}

fn taken(struck: &Struck, said: &Said) -> Option<Outcome> {
    if struck.acknowledged_by(said) {
        return Some(Ok(()));
    }
    let method = said.method()?;
    Some(if struck.was_bind() && said.is_bind() {
        failed("it called again, as if there had been no answer")
    } else if struck.method == Some(method) && !struck.was_bind() {
        Err(Stop::Undecided("it made the same call again, which can mean either".into()))
    } else {
        Ok(())
    })
}

/// A notice says that a call, which is no binding, did not arrive as it should: it has to be made again, under another msg_id.
pub(super) async fn calls_again(stage: &mut Stage, fault: Fault, may_give_up: bool) -> Outcome {
    stage.begin(vec![Rule::once(fault).at(Step::Call)]).await?;
    let mut struck = Struck::default();
    watch(stage, |look, _| {
        let gave_up = || if may_give_up { Ok(()) } else { failed("it gave up") };
        let Look::Event(event, did) = look else { return struck.acted().then(gave_up) };
        if !struck.note(event, did.as_ref(), fault) {
            return None;
        }
        match did? {
            Did::Closed if may_give_up => struck.here(event).then_some(Ok(())),
            Did::Asked(_) => Some(failed("it made new keys, though nothing is wrong with the old ones")),
            Did::Sealed(said) => said.iter().find_map(|said| called_again(&struck, said)),
            _ => None,
        }
    })
    .await
}

fn called_again(struck: &Struck, said: &Said) -> Option<Outcome> {
    let method = said.method()?;
    let before = struck.last.iter().find(|before| before.method() == Some(method));
    match before {
        Some(before) if before.msg_id == said.msg_id => {
            Some(failed("it sent the message again under the msg_id that was refused"))
        }
        Some(_) => Some(Ok(())),
        None => None,
    }
}

/// A message comes before the answer, and the client has to say something to it: `says` tells whether it does.
pub(super) async fn says(stage: &mut Stage, fault: Fault, says: impl Fn(&Said) -> bool) -> Outcome {
    stage.begin(vec![any_answer(fault)]).await?;
    let mut struck = Struck::default();
    let mut before = None;
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else {
            return struck
                .acted()
                .then(|| Err(Stop::Undecided("it ended before it said anything to it".into())));
        };
        let acted = struck.note(event, did.as_ref(), fault);
        before = before.or_else(|| struck.made.first().copied());
        let Did::Sealed(said) = did.filter(|_| acted)? else { return None };
        let of_it = |said: &Said| match (&said.content, before) {
            (Content::Acks(ids), Some(msg_id)) => ids.contains(&msg_id) && says(said),
            (Content::States(to), Some(msg_id)) => *to == msg_id && says(said),
            _ => false,
        };
        said.iter().any(of_it).then_some(Ok(()))
    })
    .await
}

/// bad_server_salt comes about a message that was never sent: its salt must not be taken. One message may have been on its way
/// already, and the first call may travel with get_future_salts, whose answer would put another salt right.
pub(super) async fn keeps_its_salt(stage: &mut Stage) -> Outcome {
    let fault = Fault::StrangeNotice;
    stage.begin(vec![Rule { skip: 1, ..Rule::once(fault).at(Step::Call) }]).await?;
    let (mut struck, mut kept) = (Struck::default(), false);
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else { return None };
        let before = struck.last.last().map(|said| (said.key, said.salt));
        if !struck.note(event, did.as_ref(), fault) {
            return None;
        }
        let Did::Sealed(said) = did? else { return None };
        let said = said.first()?;
        let (key, salt) = before.filter(|(key, _)| *key == said.key)?;
        if said.salt != salt {
            return Some(failed(format!("a message under the key {key} has another salt")));
        }
        std::mem::replace(&mut kept, true).then_some(Ok(()))
    })
    .await
}
