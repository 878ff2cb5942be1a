//! What the lab says to calls.

use std::collections::BTreeMap;

use dayfly_core::Now;
use dayfly_core::session::server::Answer;
use dayfly_server::OwnAnswers;

/// Canned answers, and those that a server without a back end gives.
#[derive(Clone, Debug)]
pub struct Answers {
    /// By the constructor of the innermost query: the whole TL object of the result.
    pub canned: BTreeMap<u32, Vec<u8>>,
    /// For help.getConfig and help.getNearestDc, if nothing else is canned for them; every other call gets an error that names it.
    pub own: OwnAnswers,
}

impl Answers {
    /// The answer to a call.
    pub(super) fn to(&self, method: u32, now: Now) -> Answer {
        match self.canned.get(&method) {
            Some(result) => Answer::Result(result.clone()),
            None => self.own.answer(method, now),
        }
    }
}
