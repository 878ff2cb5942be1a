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
    /// Something was refused, or the client went away in the middle of a key exchange.
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
    let made: Vec<&str> = entries().filter_map(|entry| noted(entry, "key_made")).collect();
    match (made.as_slice(), last) {
        ([.., made], _) => Verdict { standing: Standing::Well, text: format!("Well: {made}.") },
        ([], Some((_, name, _))) => {
            Verdict { standing: Standing::Open, text: format!("Under way: the last message is {name}.") }
        }
        ([], None) => Verdict { standing: Standing::Open, text: "Under way: no message yet.".to_owned() },
    }
}

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
