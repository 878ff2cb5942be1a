//! `cargo xtask rules --prove`: switches the checks off one by one; a test that names the rule must then fail.
//!
//! All test binaries are built once with switchable checks ([`crate::mutants`]).

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::Survey;
use super::binaries::{self, Runnable};
use super::scan::Switch;
use crate::mutants::MUTANT;
use crate::parallel::in_parallel;

/// A test may take this much longer than without a mutant before it counts as hung, and so as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of one switch.
enum Verdict {
    /// This test failed without the check.
    Proven { test: String, hung: bool },
    /// These tests name the rule, and all of them passed without the check.
    Unnoticed { tests: Vec<String> },
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proven { test, hung: false } => write!(f, "proven by {test}"),
            Self::Proven { test, hung: true } => write!(f, "proven by {test}, which did not end"),
            Self::Unnoticed { tests } if tests.is_empty() => {
                f.write_str("NOT PROVEN: no test that runs names the rule")
            }
            Self::Unnoticed { tests } => write!(f, "NOT PROVEN: these pass without it: {}", tests.join(", ")),
        }
    }
}

/// Builds what [`run`] runs, and nothing else.
pub(super) fn build() -> Result<()> {
    let binaries = binaries::build()?;
    println!("{} test binaries are built with the switches in them", binaries.len());
    Ok(())
}

/// Proves every switch whose id begins with `prefix`.
pub(super) fn run(survey: &Survey, prefix: &str) -> Result<()> {
    let switches: Vec<&Switch> = survey.found.switches.iter().filter(|s| s.id.starts_with(prefix)).collect();
    ensure!(!switches.is_empty(), "no check id begins with {prefix:?}");
    let (tests, mut problems) = locate(survey, &switches)?;
    let (tests, failing) = baseline(tests)?;
    problems.extend(failing);

    let started = Instant::now();
    let verdicts = in_parallel(&switches, |switch| verdict(switch, &tests))?;
    let verdicts = verdicts.into_iter().collect::<Result<Vec<Verdict>>>()?;
    let judged: BTreeMap<&str, Verdict> =
        switches.iter().map(|switch| switch.id.as_str()).zip(verdicts).collect();
    problems.extend(judge(survey, &judged));
    problems.extend(without_switch(survey, prefix));
    problems.iter().for_each(|problem| println!("problem: {problem}"));

    let proven = judged.values().filter(|verdict| matches!(verdict, Verdict::Proven { .. })).count();
    let (of, seconds) = (judged.len(), started.elapsed().as_secs());
    println!(
        "{proven} of {of} checks proven by {} tests in {seconds} s, {} excused",
        tests.len(),
        of_excused(survey, &judged)
    );
    if problems.is_empty() { Ok(()) } else { bail!("{} problems with the proof", problems.len()) }
}

fn of_excused(survey: &Survey, judged: &BTreeMap<&str, Verdict>) -> usize {
    let unnoticed = judged.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Unnoticed { .. }));
    unnoticed.filter(|(id, _)| survey.exceptions.unproven.contains_key(**id)).count()
}

/// Builds the tests and finds those that name a rule of `switches`; the sentences are about those not found.
fn locate(survey: &Survey, switches: &[&Switch]) -> Result<(Vec<Runnable>, Vec<String>)> {
    let started = Instant::now();
    let binaries = binaries::build()?;
    println!("built {} test binaries in {} s", binaries.len(), started.elapsed().as_secs());
    let mut runnable = Vec::new();
    let mut problems = Vec::new();
    for test in &survey.found.tests {
        let wanted = switches.iter().any(|switch| test.rules.iter().any(|rule| rule == switch.rule()));
        if !wanted || test.place.file.starts_with("crates/dayfly/") {
            continue;
        }
        match binaries::find(&binaries, test) {
            found if found.is_empty() => {
                problems.push(format!("{}: {} is in no test binary", test.place, test.name))
            }
            found => runnable.extend(found),
        }
    }
    Ok((runnable, problems))
}

/// Runs each test once with every check on. Those that fail then prove nothing, and are a problem each.
fn baseline(tests: Vec<Runnable>) -> Result<(Vec<Runnable>, Vec<String>)> {
    let limit = Duration::from_secs(300);
    let runs = in_parallel(&tests, |test| test.run(None, limit))?;
    let mut kept = Vec::new();
    let mut problems = Vec::new();
    for (mut test, run) in tests.into_iter().zip(runs) {
        let run = run?;
        test.usual = run.took;
        if run.passed {
            kept.push(test)
        } else {
            problems.push(format!("{} fails with every check on", test.name))
        }
    }
    kept.sort_by_key(|test| test.usual);
    Ok((kept, problems))
}

/// Runs the tests of the rule without the check until one fails: those of its own package first, the quick ones first.
fn verdict(switch: &Switch, tests: &[Runnable]) -> Result<Verdict> {
    let mut naming: Vec<&Runnable> =
        tests.iter().filter(|test| test.rules.iter().any(|rule| rule == switch.rule())).collect();
    naming.sort_by_key(|test| !test.is_beside(&switch.place.file));
    for test in &naming {
        let run = test.run(Some((MUTANT, &switch.id)), PATIENCE + test.usual * 10)?;
        if !run.passed {
            return Ok(Verdict::Proven { test: test.name.clone(), hung: run.hung });
        }
    }
    Ok(Verdict::Unnoticed { tests: naming.iter().map(|test| test.name.clone()).collect() })
}

/// Prints each verdict; the sentences are about those that are neither proven nor excused, or both.
fn judge(survey: &Survey, judged: &BTreeMap<&str, Verdict>) -> Vec<String> {
    let mut problems = Vec::new();
    for (id, verdict) in judged {
        let excuse = survey.exceptions.unproven.get(*id);
        match (verdict, excuse) {
            (Verdict::Proven { .. }, Some(_)) => {
                problems.push(format!("{id} is proven: take it out of xtask/rules.toml [unproven]"));
            }
            (Verdict::Unnoticed { .. }, None) => problems.push(format!("{id}: {verdict}")),
            _ => {}
        }
        let excuse = excuse.map(|reason| format!(" (excused: {reason})")).unwrap_or_default();
        println!("{id:<32} {verdict}{excuse}");
    }
    problems
}

/// Prints the required rules that nothing can be switched off for; those without a reason are problems.
fn without_switch(survey: &Survey, prefix: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let chosen = survey.rules.iter().filter(|rule| rule.required && rule.id.starts_with(prefix));
    for rule in
        chosen.filter(|rule| !survey.found.has_switch(&rule.id) && !survey.exceptions.excuses(&rule.id))
    {
        match survey.exceptions.without_switch.get(&rule.id) {
            Some(reason) => println!("{:<32} no switch: {reason}", rule.id),
            None => problems.push(format!(
                "{} has no check that can be switched off, and no reason in xtask/rules.toml",
                rule.id
            )),
        }
    }
    problems
}
