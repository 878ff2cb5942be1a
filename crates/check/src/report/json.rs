//! A report for a program: one JSON object, whose fields docs/src/check.md lists.

use serde::Serialize;

use super::{Shown, clean, got, word};
use crate::run::{Counts, Report, Told};
use crate::server::Happened;

/// The version of the form. It grows when a field changes its meaning or goes; a new field alone does not change it.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Whole<'r> {
    version: u32,
    suite: &'static str,
    role: &'static str,
    peer: String,
    /// A string: readers that keep numbers as floating point would change it.
    seed: String,
    strict: bool,
    right: bool,
    stranger: Option<String>,
    counts: Numbers,
    cases: Vec<One<'r>>,
}

#[derive(Serialize)]
struct Numbers {
    passed: usize,
    failed_must: usize,
    failed_should: usize,
    failed_compat: usize,
    not_reached: usize,
    undecided: usize,
    left_out: usize,
}

impl From<Counts> for Numbers {
    fn from(counts: Counts) -> Self {
        let Counts { passed, failed_must, failed_should, failed_compat, not_reached, undecided, left } =
            counts;
        Self { passed, failed_must, failed_should, failed_compat, not_reached, undecided, left_out: left }
    }
}

#[derive(Serialize)]
struct One<'r> {
    id: &'r str,
    rule: &'r str,
    severity: &'static str,
    title: &'r str,
    why: &'r str,
    expected: &'r str,
    verdict: &'static str,
    got: Option<String>,
    milliseconds: u64,
    trace: Vec<Event>,
    omitted: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Sent(String),
    Came(String),
}

/// The whole report as one JSON object, over several lines, with a line break at its end.
#[must_use]
pub fn json(report: &Report, strict: bool) -> String {
    let whole = Whole {
        version: VERSION,
        suite: concat!("dayfly check ", env!("CARGO_PKG_VERSION")),
        role: report.role,
        peer: clean::line(&report.peer),
        seed: report.seed.to_string(),
        strict,
        right: report.is_right(strict),
        stranger: report.stranger.as_deref().map(clean::line),
        counts: report.counts().into(),
        cases: report.told.iter().map(one).collect(),
    };
    // There is neither a map with keys that are no strings nor anything else that could fail.
    serde_json::to_string_pretty(&whole).map_or_else(|_| String::new(), |text| text + "\n")
}

fn one(told: &Told) -> One<'_> {
    let case = &told.case;
    let shown = Shown::of(&told.trace);
    One {
        id: case.id,
        rule: case.rule(),
        severity: case.severity.name(),
        title: case.title,
        why: case.why,
        expected: case.expected,
        verdict: word(&told.verdict),
        got: got(&told.verdict),
        milliseconds: u64::try_from(told.took.as_millis()).unwrap_or(u64::MAX),
        trace: shown.first.iter().chain(shown.last).map(event).collect(),
        omitted: shown.omitted,
    }
}

fn event(happened: &Happened) -> Event {
    match happened {
        Happened::Sent(what) => Event::Sent(clean::line(what)),
        Happened::Got(what) => Event::Came(clean::line(what)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::super::sample;
    use super::*;

    fn parsed(report: &Report, strict: bool) -> Value {
        serde_json::from_str(&json(report, strict)).unwrap()
    }

    #[test]
    fn a_report_has_these_fields() {
        let mut whole = parsed(&sample::report(), false);
        let cases = whole["cases"].take();
        assert_eq!(
            whole,
            json!({
                "version": 1, "suite": concat!("dayfly check ", env!("CARGO_PKG_VERSION")), "role": "server",
                "peer": "127.0.0.1:4430", "seed": "7", "strict": false, "right": false, "stranger": null,
                "counts": {
                    "passed": 1, "failed_must": 1, "failed_should": 1, "failed_compat": 0, "not_reached": 1,
                    "undecided": 1, "left_out": 2,
                },
                "cases": null,
            })
        );
        assert_eq!(
            cases[2],
            json!({
                "id": "HS-20/2", "rule": "HS-20", "severity": "should", "title": "g_b is short",
                "why": "whoever changes g_b knows the key", "expected": "-404", "verdict": "failed", "got": "nothing",
                "milliseconds": 12, "omitted": 0,
                "trace": [{"sent": "set_client_DH_params"}, {"came": clean::line(sample::NASTY)}],
            })
        );
        assert_eq!((&cases[0]["got"], &cases[6]["verdict"]), (&Value::Null, &json!("left out")));
    }

    #[test]
    fn a_stranger_is_named_and_nothing_is_right() {
        let whole = parsed(&sample::stranger(), true);
        assert_eq!((&whole["strict"], &whole["right"]), (&json!(true), &json!(false)));
        assert_eq!(whole["stranger"], "127.0.0.1:22 speaks first: it is an SSH server");
    }

    fn names(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                into.insert(name.clone());
                names(value, into);
            }),
            Value::Array(values) => values.iter().for_each(|value| names(value, into)),
            _ => {}
        }
    }

    #[test]
    fn the_handbook_lists_every_field_and_no_other() {
        let page = include_str!("../../../../docs/src/check.md");
        let (_, table) = page.split_once("<!-- fields of the JSON report -->").unwrap();
        let (table, _) = table.split_once("<!-- end of fields -->").unwrap();
        let listed = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let mut given = BTreeSet::new();
        names(&parsed(&sample::report(), false), &mut given);
        assert_eq!(listed.map(str::to_owned).collect::<BTreeSet<_>>(), given);
    }
}
