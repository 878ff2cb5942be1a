//! How a case came out.

use std::fmt;

/// Why a case ended without passing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stop {
    /// The peer broke the rule: what it did.
    Failed(String),
    /// The peer did not come as far as the rule: why.
    NotReached(String),
    /// What the peer did can mean either: why it cannot be told.
    Undecided(String),
}

/// `Ok` if the peer kept the rule.
pub type Outcome<T = ()> = Result<T, Stop>;

/// The peer broke the rule.
pub(crate) fn failed<T>(got: impl fmt::Display) -> Outcome<T> {
    Err(Stop::Failed(got.to_string()))
}

/// The peer did not come as far as the rule.
pub(crate) fn not_reached<T>(why: impl fmt::Display) -> Outcome<T> {
    Err(Stop::NotReached(why.to_string()))
}

/// Why a case was left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Left {
    /// It is slow, and slow ones were not asked for.
    Slow,
    /// It loads the peer, which was not allowed.
    Load,
}

/// What became of a case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The rule was kept.
    Passed,
    /// It was broken, not reached, or cannot be told.
    Stopped(Stop),
    /// It did not run.
    Left(Left),
}
