//! How a run came out, in a sentence that somebody new to the protocol can act on.

use dayfly_core::observer::Direction;

use super::book::Run;
use super::entry::{Entry, Told};
use super::words::is_legal;

/// How far a run came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Nothing was refused, and it may go on.
    Open,
    /// A key was made, and nothing was refused.
    Well,
    /// Something was refused, or should have been, or the client went away in the middle of a key exchange.
    Failed,
}

/// What a run came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// How far it came.
    pub standing: Standing,
    /// Why, in a sentence.
    pub text: String,
}

/// Judges a run by its entries.
#[must_use]
pub fn verdict(run: &Run) -> Verdict {
    let entries = || run.entries.iter();
    let failed = |text| Verdict { standing: Standing::Failed, text };
    if let Some(text) = entries().find_map(refusal) {
        return failed(text);
    }
    let last = entries().rev().find_map(|entry| message(entry));
    let closed = entries().rev().find_map(|entry| noted(entry, "closed"));
    if let (Some((Direction::Out, name, fault)), Some(closed)) = (last, closed)
        && (fault.is_some_and(|fault| !is_legal(fault)) || STEPS.contains(&name))
    {
        return failed(left_after(name, fault, closed));
    }
    let altered = altered(run);
    if let Some(text) = altered.and_then(|altered| altered.went_on()) {
        return failed(text);
    }
    let made = entries().rev().find_map(|entry| noted(entry, "key_made"));
    let told = entries().filter_map(message).any(|(_, name, _)| name == "dh_gen_ok");
    let (standing, text) = match (made, last) {
        (Some(made), _) => (Standing::Well, format!("Well: {made}.")),
        // A capture tells no more than the messages do.
        (None, Some((_, name, _))) if told => {
            (Standing::Well, format!("Well: a key was made; the last message is {name}."))
        }
        (None, Some((_, name, _))) if closed.is_some() => {
            (Standing::Well, format!("Well: it is closed; the last message is {name}."))
        }
        (None, Some((direction, name, _))) => (Standing::Open, under_way(direction, name, altered)),
        (None, None) => (Standing::Open, "Under way: no message yet.".to_owned()),
    };
    Verdict { standing, text }
}

fn under_way(direction: Direction, name: &str, altered: Option<Altered<'_>>) -> String {
    match altered {
        Some(Altered { name, fault, .. }) if direction == Direction::Out => {
            format!("Under way: the client has said nothing to {name}, which the fault {fault} had altered.")
        }
        _ => format!("Under way: the last message is {name}."),
    }
}

/// The last answer of the key exchange that a fault altered, against the specification.
#[derive(Clone, Copy)]
struct Altered<'r> {
    name: &'r str,
    fault: &'r str,
    /// The next message of the client's.
    next: Option<&'r str>,
}

fn altered(run: &Run) -> Option<Altered<'_>> {
    let messages: Vec<_> = run.entries.iter().filter_map(|entry| message(entry)).collect();
    let is_altered = |(direction, name, fault): &(Direction, &str, Option<&str>)| {
        *direction == Direction::Out
            && (STEPS.contains(name) || *name == "dh_gen_ok")
            && fault.is_some_and(|fault| !is_legal(fault))
    };
    let at = messages.iter().rposition(is_altered)?;
    let (_, name, fault) = messages[at];
    let next = messages[at..].iter().find(|(direction, ..)| *direction == Direction::In);
    Some(Altered { name, fault: fault?, next: next.map(|(_, name, _)| *name) })
}

impl Altered<'_> {
    /// What to say of a client that took the answer.
    fn went_on(self) -> Option<String> {
        let Self { name, fault, next } = self;
        let next = next.filter(|next| is_taken_by(name, next))?;
        Some(format!("The client went on with {next} after {name}, which the fault {fault} had altered."))
    }
}

/// Whether a client that sends `next` has taken this answer of the key exchange.
fn is_taken_by(answer: &str, next: &str) -> bool {
    match answer {
        "resPQ" => next == "req_DH_params",
        "server_DH_params_ok" | "dh_gen_retry" => next == "set_client_DH_params",
        _ => !QUERIES.contains(&next),
    }
}

const QUERIES: [&str; 4] = ["req_pq", "req_pq_multi", "req_DH_params", "set_client_DH_params"];

/// The answers after which a key exchange is not over.
const STEPS: [&str; 3] = ["resPQ", "server_DH_params_ok", "dh_gen_retry"];

fn refusal(entry: &Entry) -> Option<String> {
    match &entry.told {
        Told::Refused { rule, field, text, detail } => {
            let detail = detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
            Some(format!(
                "The lab refused what the client sent: {text}{detail} (rule {rule}, field {field})."
            ))
        }
        Told::Note { kind, text } if REFUSALS.contains(&kind.as_str()) => {
            Some(format!("The lab refused what the client sent: {text}."))
        }
        _ => None,
    }
}

const REFUSALS: [&str; 5] = ["handshake_refused", "bind_refused", "call_refused", "refused", "unopened"];

fn left_after(name: &str, fault: Option<&str>, closed: &str) -> String {
    match fault {
        Some(fault) if is_legal(fault) => {
            format!("The client went away after {name}, where the lab did what is legal ({fault}): {closed}.")
        }
        Some(fault) => {
            format!("The client went away after {name}, which the fault {fault} had altered: {closed}.")
        }
        None => format!("The client went away after {name}, which no fault had altered: {closed}."),
    }
}

fn message(entry: &Entry) -> Option<(Direction, &str, Option<&str>)> {
    match &entry.told {
        Told::Message { direction, name, fault, .. } => Some((*direction, name, fault.as_deref())),
        _ => None,
    }
}

fn noted<'a>(entry: &'a Entry, wanted: &str) -> Option<&'a str> {
    match &entry.told {
        Told::Note { kind, text } if kind == wanted => Some(text),
        _ => None,
    }
}
