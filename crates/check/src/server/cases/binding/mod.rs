//! Temporary keys and their binding: rules PF.

mod calls;
mod ends;
mod forge;
mod order;
mod places;
mod request;
mod slots;

use dayfly_tl::BOOL_TRUE;
use dayfly_tl::api::HelpGetConfig;
use dayfly_tl::to_bytes;

use crate::server::Entry;
use crate::server::probe::{Line, Probe};
use crate::server::talk::{Answer, Made};
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed};

/// All of them.
pub(super) fn cases() -> Vec<Entry> {
    let families =
        [places::cases(), request::cases(), order::cases(), calls::cases(), slots::cases(), ends::cases()];
    families.into_iter().flatten().collect()
}

/// `updates.getState`, which every API has and no unbound key may call.
const GET_STATE: [u8; 4] = 0xedd4_882a_u32.to_le_bytes();

/// What an unbound key gets for a call that it may not make.
const PERM_EMPTY: (i32, &str) = (401, "AUTH_KEY_PERM_EMPTY");

/// How an answer reads in a report.
fn told(answer: &Answer) -> String {
    match answer {
        Ok(result) if *result == BOOL_TRUE.to_le_bytes() => "boolTrue".to_owned(),
        Ok(result) => format!("the result {}", crate::server::wire::name_of(result)),
        Err((code, message)) => format!("the error {code} {message}"),
    }
}

/// An answer that is to be this error.
fn is_error(answer: &Answer, (code, message): (i32, &str), what: &str) -> Outcome {
    match answer {
        Err((its, text)) if (*its, text.as_str()) == (code, message) => Ok(()),
        other => failed(format!("{what} got {} instead of {code} {message}", told(other))),
    }
}

/// An answer that is to be `boolTrue`.
fn is_true(answer: &Answer, what: &str) -> Outcome {
    match answer {
        Ok(result) if *result == BOOL_TRUE.to_le_bytes() => Ok(()),
        other => failed(format!("{what} got {} instead of boolTrue", told(other))),
    }
}

/// Whether a bound key may speak: a call that an unbound one may not make is not refused for that.
async fn acts_as_bound(line: &mut Line, probe: &mut Probe, what: &str) -> Outcome {
    let query = introduced(&GET_STATE);
    match line.attempt(&query, &format!("updates.getState under {what}"), &mut probe.dice).await? {
        Ok(Err((code, text))) if (code, text.as_str()) == PERM_EMPTY => {
            failed(format!("{what} is treated as unbound"))
        }
        Ok(_) => Ok(()),
        Err(heard) => failed(format!("a call under {what} got {}", heard.told())),
    }
}

/// A key that is not bound may not call what bound ones may.
async fn acts_as_unbound(line: &mut Line, probe: &mut Probe, what: &str) -> Outcome {
    let call = format!("updates.getState under {what}");
    match line.attempt(&introduced(&GET_STATE), &call, &mut probe.dice).await? {
        Ok(answer) => is_error(&answer, PERM_EMPTY, &call),
        Err(heard) => failed(format!("a call under {what} got {}", heard.told())),
    }
}

/// What a call under a key gets on a new connection.
async fn tried(probe: &mut Probe, made: &Made, what: &str) -> Outcome<Result<Answer, Heard>> {
    let mut line = probe.line(made).await?;
    let query = introduced(&to_bytes(&HelpGetConfig {}));
    line.attempt(&query, &format!("help.getConfig under {what}"), &mut probe.dice).await
}

/// A key under which a new connection is served.
async fn is_there(probe: &mut Probe, made: &Made, what: &str) -> Outcome {
    match tried(probe, made, what).await? {
        Ok(Ok(_)) => Ok(()),
        Ok(other) => failed(format!("a call under {what} got {}", told(&other))),
        Err(heard) => failed(format!("a call under {what} got {}", heard.told())),
    }
}

/// A key under which a new connection gets -404.
async fn is_gone(probe: &mut Probe, made: &Made, what: &str) -> Outcome {
    match tried(probe, made, what).await? {
        Err(Heard::Error(-404)) => Ok(()),
        Err(other) => failed(format!("a call under {what} got {} instead of -404", other.told())),
        Ok(answer) => failed(format!("a call under {what} got {} instead of -404", told(&answer))),
    }
}

/// `query` in `invokeWithLayer(initConnection(…))`.
fn introduced(query: &[u8]) -> Vec<u8> {
    dayfly_core::client::ClientInfo::default().introduce(query)
}
