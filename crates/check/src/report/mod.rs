//! What a run looks like to a person, to a program, to a CI server and in a page.
//!
//! Everything here writes into what it is given; nothing prints. Whatever a peer said is shown as one line of bounded length
//! without control characters, so that it can neither steer a terminal nor leave the form it stands in.

mod cases;
mod clean;
mod json;
mod junit;
mod markdown;
mod rules;
#[cfg(test)]
mod sample;
mod text;

pub use cases::{explain, list};
pub use json::{VERSION, json};
pub use junit::junit;
pub use markdown::markdown;
pub use text::Text;

use crate::run::{Report, Told};
use crate::server::Happened;
use crate::verdict::{Left, Stop, Verdict};

/// So many things of a case's trace are shown from its beginning, and as many from its end.
const SHOWN: usize = 40;

/// The word for a verdict, in every form of a report.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Stopped(Stop::Failed(_)) => "failed",
        Verdict::Stopped(Stop::NotReached(_)) => "not reached",
        Verdict::Stopped(Stop::Undecided(_)) => "undecided",
        Verdict::Left(_) => "left out",
    }
}

/// What the peer did, or why nobody can say; `None` if the rule was kept.
fn got(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Passed => None,
        Verdict::Stopped(Stop::Failed(why) | Stop::NotReached(why) | Stop::Undecided(why)) => {
            Some(clean::line(why))
        }
        Verdict::Left(left) => Some(left_because(*left).to_owned()),
    }
}

/// Why a case was not run, and what runs it.
fn left_because(left: Left) -> &'static str {
    match left {
        Left::Slow => "it takes long: --slow runs it",
        Left::Load => "it loads the peer: --allow-load runs it",
    }
}

/// Whether a case counts against the peer.
fn counts_against(told: &Told, strict: bool) -> bool {
    matches!(told.verdict, Verdict::Stopped(Stop::Failed(_) | Stop::NotReached(_)))
        && told.case.severity.is_binding(strict)
}

/// What went over the wire, as much as is shown of it.
struct Shown<'t> {
    first: &'t [Happened],
    /// How much between the two was left out.
    omitted: usize,
    last: &'t [Happened],
}

impl<'t> Shown<'t> {
    fn of(trace: &'t [Happened]) -> Self {
        let omitted = trace.len().saturating_sub(2 * SHOWN);
        let (first, rest) = if omitted == 0 { (trace, &[][..]) } else { trace.split_at(SHOWN) };
        Self { first, omitted, last: rest.get(omitted..).unwrap_or_default() }
    }
}

/// The counts in a sentence, what was not run, and how to run the same again.
fn sum(report: &Report) -> String {
    let counts = report.counts();
    let left = |wanted| report.told.iter().filter(|told| told.verdict == Verdict::Left(wanted)).count();
    format!(
        "{} passed; failed: {} must, {} should, {} compat; {} not reached; {} undecided; \
         not run: {} slow (--slow), {} loading (--allow-load); the same again: --seed {}",
        counts.passed,
        counts.failed_must,
        counts.failed_should,
        counts.failed_compat,
        counts.not_reached,
        counts.undecided,
        left(Left::Slow),
        left(Left::Load),
        report.seed,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_trace_both_ends_are_shown_and_the_rest_is_counted() {
        let trace: Vec<_> = (0..100).map(|number| Happened::Sent(number.to_string())).collect();
        let shown = Shown::of(&trace);
        assert_eq!((shown.first.len(), shown.omitted, shown.last.len()), (SHOWN, 20, SHOWN));
        assert_eq!(shown.last.last(), trace.last());
        let whole = Shown::of(&trace[..2 * SHOWN]);
        assert_eq!((whole.first.len(), whole.omitted, whole.last.len()), (2 * SHOWN, 0, 0));
    }

    #[test]
    fn the_sum_says_what_was_not_run_and_how_to_repeat_it() {
        assert_eq!(
            sum(&sample::report()),
            "1 passed; failed: 1 must, 1 should, 0 compat; 1 not reached; 1 undecided; \
             not run: 1 slow (--slow), 1 loading (--allow-load); the same again: --seed 7"
        );
    }
}
