//! What became of each planted fault.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::expected::Expected;

/// What became of one switch.
pub(super) enum Verdict {
    /// This case failed without the check.
    Caught { case: String, got: String },
    /// These cases name the rule, and none of them failed.
    Missed { cases: Vec<String> },
    /// The peer could not be asked.
    Broken { why: String },
    /// No case names the rule.
    NoCase,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught { case, got } => write!(f, "caught by {case}: {got}"),
            Self::Missed { cases } => write!(f, "MISSED by {}", cases.join(", ")),
            Self::Broken { why } => write!(f, "MISSED: {why}"),
            Self::NoCase => f.write_str("no case names the rule"),
        }
    }
}

impl Verdict {
    /// What two roles say together.
    pub(super) fn or(self, next: Self) -> Self {
        match (self, next) {
            (Self::Missed { mut cases }, Self::Missed { cases: more }) => {
                cases.extend(more);
                Self::Missed { cases }
            }
            (caught @ Self::Caught { .. }, _) | (caught, Self::NoCase) => caught,
            (_, next) => next,
        }
    }
}

/// Prints each verdict; the sentences are about those that are neither caught nor excused, or both.
pub(super) fn judge(expected: &Expected, judged: &BTreeMap<&str, Verdict>) -> Vec<String> {
    let mut problems = Vec::new();
    for (id, verdict) in judged {
        let excuse = expected.unseen.get(*id);
        match (verdict, excuse) {
            (Verdict::Caught { .. }, Some(_)) => {
                problems.push(format!("{id} is caught: take it out of xtask/conformance.toml [unseen]"));
            }
            (Verdict::Missed { .. } | Verdict::Broken { .. }, None) => {
                problems.push(format!("{id}: {verdict}"))
            }
            _ => {}
        }
        let excuse = excuse.map(|reason| format!(" (excused: {reason})")).unwrap_or_default();
        println!("{id:<32} {verdict}{excuse}");
    }
    problems
}

/// The rules of which a planted fault was caught.
pub(super) fn caught<'a>(judged: &BTreeMap<&'a str, Verdict>) -> BTreeSet<&'a str> {
    let caught = judged.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Caught { .. }));
    caught.filter_map(|(id, _)| id.split('.').next()).collect()
}

/// The counts in a sentence; `rules` of them were caught.
pub(super) fn sum(judged: &BTreeMap<&str, Verdict>, rules: usize) -> String {
    let count = |wanted: fn(&Verdict) -> bool| judged.values().filter(|verdict| wanted(verdict)).count();
    format!(
        "{} of {} planted faults caught, of {rules} rules; {} missed; {} of rules without a case",
        count(|verdict| matches!(verdict, Verdict::Caught { .. })),
        judged.len(),
        count(|verdict| matches!(verdict, Verdict::Missed { .. } | Verdict::Broken { .. })),
        count(|verdict| matches!(verdict, Verdict::NoCase)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed() -> Verdict {
        Verdict::Missed { cases: vec!["HS-20/1 (passed)".to_owned()] }
    }

    fn caught_by(case: &str) -> Verdict {
        Verdict::Caught { case: case.to_owned(), got: "x".to_owned() }
    }

    #[test]
    fn a_miss_needs_a_reason_and_a_catch_needs_none() {
        let text = "rules = 1\n[unseen]\n\"HS-20.a\" = \"it is not on the wire\"";
        let expected: Expected = toml::from_str(text).unwrap();
        let problems =
            |id: &'static str, verdict: Verdict| judge(&expected, &BTreeMap::from([(id, verdict)])).len();
        assert_eq!((problems("HS-20.a", missed()), problems("HS-20.b", missed())), (0, 1));
        assert_eq!(
            (problems("HS-20.a", caught_by("HS-20/1")), problems("HS-20.b", caught_by("HS-20/1"))),
            (1, 0)
        );
        assert_eq!(problems("HS-20.b", Verdict::Broken { why: "it does not listen".to_owned() }), 1);
        assert_eq!((problems("HS-20.a", Verdict::NoCase), problems("HS-20.b", Verdict::NoCase)), (0, 0));
    }

    #[test]
    fn rules_are_counted_once_however_many_of_their_checks_are_caught() {
        let judged = BTreeMap::from([
            ("HS-20.a", caught_by("HS-20/1")),
            ("HS-20.b", caught_by("HS-20/2")),
            ("PF-02.a", caught_by("PF-02/1")),
            ("PF-03.a", missed()),
            ("PF-04.a", Verdict::NoCase),
        ]);
        assert_eq!(caught(&judged), BTreeSet::from(["HS-20", "PF-02"]));
        assert_eq!(
            sum(&judged, 2),
            "3 of 5 planted faults caught, of 2 rules; 1 missed; 1 of rules without a case"
        );
    }

    #[test]
    fn one_role_that_catches_a_fault_is_enough() {
        assert!(matches!(missed().or(caught_by("HS-20/1")), Verdict::Caught { .. }));
        assert!(matches!(caught_by("HS-20/1").or(missed()), Verdict::Caught { .. }));
        assert!(matches!(missed().or(Verdict::NoCase), Verdict::Missed { .. }));
        assert!(matches!(missed().or(missed()), Verdict::Missed { cases } if cases.len() == 2));
    }
}
