//! Which cases are run, and what came of them.

use std::time::Duration;

use crate::case::{Case, Cost, Pattern, Severity};
use crate::server::Happened;
use crate::verdict::{Left, Stop, Verdict};

/// What is to be run.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Only these; none means all.
    pub only: Vec<Pattern>,
    /// What takes long too.
    pub slow: bool,
    /// What loads the peer too.
    pub load: bool,
}

impl Chosen {
    /// `None` if the case was not asked for; else why it is left out, if it is.
    pub(crate) fn left(&self, case: &Case) -> Option<Option<Left>> {
        if !self.only.is_empty() && !self.only.iter().any(|pattern| pattern.chooses(case)) {
            return None;
        }
        Some(match case.cost {
            Cost::Slow if !self.slow => Some(Left::Slow),
            Cost::Load if !self.load => Some(Left::Load),
            _ => None,
        })
    }
}

/// A case that was come to.
#[derive(Clone, Debug)]
pub struct Told {
    /// The case.
    pub case: Case,
    /// What became of it.
    pub verdict: Verdict,
    /// What went over the wire.
    pub trace: Vec<Happened>,
    /// How long it took.
    pub took: Duration,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// `server` or `client`: what was checked.
    pub role: &'static str,
    /// The peer, as the command named it.
    pub peer: String,
    /// The seed with which the same bytes are sent again.
    pub seed: u64,
    /// The cases, in the order in which they ran.
    pub told: Vec<Told>,
    /// Set if the peer does not speak MTProto: what it seems to be, in a sentence.
    pub stranger: Option<String>,
}

/// How many cases came out how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// The rule was kept.
    pub passed: usize,
    /// A must was broken.
    pub failed_must: usize,
    /// A should was broken.
    pub failed_should: usize,
    /// A compat case failed.
    pub failed_compat: usize,
    /// The peer did not come so far.
    pub not_reached: usize,
    /// It could not be told.
    pub undecided: usize,
    /// It was not run.
    pub left: usize,
}

impl Report {
    pub(crate) fn new(role: &'static str, peer: String, seed: u64) -> Self {
        Self { role, peer, seed, told: Vec::new(), stranger: None }
    }

    pub(crate) fn add(&mut self, told: Told) {
        self.told.push(told);
    }

    /// How many came out how.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for told in &self.told {
            let place = match (&told.verdict, told.case.severity) {
                (Verdict::Passed, _) => &mut counts.passed,
                (Verdict::Stopped(Stop::Failed(_)), Severity::Must) => &mut counts.failed_must,
                (Verdict::Stopped(Stop::Failed(_)), Severity::Should) => &mut counts.failed_should,
                (Verdict::Stopped(Stop::Failed(_)), Severity::Compat) => &mut counts.failed_compat,
                (Verdict::Stopped(Stop::NotReached(_)), _) => &mut counts.not_reached,
                (Verdict::Stopped(Stop::Undecided(_)), _) => &mut counts.undecided,
                (Verdict::Left(_), _) => &mut counts.left,
            };
            *place += 1;
        }
        counts
    }

    /// Whether the peer may be called right: some case passed, no must failed, none was not reached, and with `strict` no
    /// should either.
    #[must_use]
    pub fn is_right(&self, strict: bool) -> bool {
        let kept = |told: &Told| match &told.verdict {
            Verdict::Passed | Verdict::Left(_) | Verdict::Stopped(Stop::Undecided(_)) => true,
            Verdict::Stopped(Stop::Failed(_) | Stop::NotReached(_)) => !told.case.severity.is_binding(strict),
        };
        let any = self.told.iter().any(|told| told.verdict == Verdict::Passed);
        self.stranger.is_none() && any && self.told.iter().all(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run with a case of each of these, the rule kept in one more.
    fn report(cases: &[(Severity, Verdict)]) -> Report {
        let mut report = Report::new("server", "a".to_owned(), 1);
        for (severity, verdict) in cases.iter().cloned().chain([(Severity::Must, Verdict::Passed)]) {
            let case = Case { id: "HS-20/1", severity, title: "", why: "", expected: "", cost: Cost::Usual };
            report.add(Told { case, verdict, trace: Vec::new(), took: Duration::ZERO });
        }
        report
    }

    #[test]
    fn what_counts_against_a_peer_is_a_broken_or_unreached_must_and_with_strict_a_should() {
        let why = || "x".to_owned();
        let failed = || Verdict::Stopped(Stop::Failed(why()));
        let unreached = || Verdict::Stopped(Stop::NotReached(why()));
        for (severity, lax, strict) in
            [(Severity::Must, false, false), (Severity::Should, true, false), (Severity::Compat, true, true)]
        {
            for verdict in [failed(), unreached()] {
                let report = report(&[(severity, verdict)]);
                assert_eq!((report.is_right(false), report.is_right(true)), (lax, strict), "{severity:?}");
            }
        }
        let undecided = Verdict::Stopped(Stop::Undecided(why()));
        assert!(
            report(&[(Severity::Must, undecided), (Severity::Must, Verdict::Left(Left::Slow))])
                .is_right(true)
        );
    }

    #[test]
    fn a_run_in_which_nothing_passed_proves_nothing() {
        let mut report = report(&[]);
        assert!(report.is_right(true));
        report.told[0].verdict = Verdict::Left(Left::Slow);
        assert!(!report.is_right(false));
        report.told[0].verdict = Verdict::Passed;
        report.stranger = Some("it is an SSH server".to_owned());
        assert!(!report.is_right(false));
    }
}
