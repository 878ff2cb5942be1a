//! `cargo xtask rules`: every rule of the protocol, where it is checked, and which test proves it.

mod binaries;
mod exceptions;
mod prove;
mod scan;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use exceptions::Exceptions;
use scan::{Citation, Found};
use table::Rule;

pub(crate) use scan::Switch;

/// Every check that can be switched off, in the order of the sources.
pub(crate) fn switches() -> Result<Vec<Switch>> {
    Ok(scan::workspace()?.switches)
}

/// Everything that is known of the rules before anything is run.
struct Survey {
    rules: Vec<Rule>,
    found: Found,
    exceptions: Exceptions,
}

impl Survey {
    fn read() -> Result<Self> {
        Ok(Self { rules: table::read()?, found: scan::workspace()?, exceptions: Exceptions::read()? })
    }

    /// The complaints of `rules` without `--prove`, each one a sentence.
    fn problems(&self) -> Vec<String> {
        let mut problems = self.found.problems.clone();
        problems.extend(self.duplicates());
        problems.extend(self.strangers());
        problems.extend(self.rules.iter().flat_map(|rule| self.lacking(rule)));
        problems.extend(self.exceptions.problems(&self.rules, &self.found));
        problems
    }

    /// Check ids that stand in two places: switching one off would switch off the other.
    fn duplicates(&self) -> Vec<String> {
        let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for check in &self.found.switches {
            places.entry(&check.id).or_default().push(check.place.to_string());
        }
        let twice = places.into_iter().filter(|(_, places)| places.len() > 1);
        twice.map(|(id, places)| format!("{id} is the id of two checks: {}", places.join(", "))).collect()
    }

    /// Citations of rules that the table does not have.
    fn strangers(&self) -> Vec<String> {
        let known: BTreeSet<&str> = self.rules.iter().map(|rule| rule.id.as_str()).collect();
        let cited = self.found.citations().filter(|(rule, _)| !known.contains(rule));
        cited.map(|(rule, place)| format!("{place} names {rule}, which docs/src/rules.md lacks")).collect()
    }

    /// What a required rule lacks and no exception explains.
    fn lacking(&self, rule: &Rule) -> Vec<String> {
        let mut lacks = Vec::new();
        if rule.required && !self.exceptions.excuses(&rule.id) {
            if !self.found.has_check(&rule.id) {
                lacks.push(format!("{} has no check", rule.id));
            }
            if !self.found.has_test(&rule.id) {
                lacks.push(format!("{} has no test", rule.id));
            }
        }
        lacks
    }

    fn print(&self) {
        for rule in &self.rules {
            let note = self.exceptions.reason(&rule.id).map(|reason| format!("  (open: {reason})"));
            println!("{} {} {}{}", rule.id, rule.side, rule.first_words(), note.unwrap_or_default());
            for check in self.found.switches.iter().filter(|check| check.rule() == rule.id) {
                println!("    check {:<28} {}", check.id, check.place);
            }
            print_citations("cited", &self.found.cited, rule);
            for test in self.found.tests.iter().filter(|test| test.rules.contains(&rule.id)) {
                println!("    test  {:<28} {}", test.name, test.place);
            }
        }
    }

    fn summary(&self) -> String {
        let required = self.rules.iter().filter(|rule| rule.required);
        let whole = |rule: &&Rule| self.found.has_check(&rule.id) && self.found.has_test(&rule.id);
        format!(
            "{} of {} required rules have a check and a test; {} switches, {} tests, {} exceptions",
            required.clone().filter(whole).count(),
            required.count(),
            self.found.switches.len(),
            self.found.tests.len(),
            self.exceptions.open.len(),
        )
    }
}

fn print_citations(label: &str, citations: &[Citation], rule: &Rule) {
    for citation in citations.iter().filter(|citation| citation.rule == rule.id) {
        println!("    {label} {:<28} {}", "", citation.place);
    }
}

/// The command with the words after `rules`.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    match words {
        [] => list(true),
        ["--summary"] => list(false),
        ["--prove", "--no-run"] => prove::build(),
        ["--prove"] => prove::run(&Survey::read()?, ""),
        ["--prove", "--only", prefix] => prove::run(&Survey::read()?, prefix),
        _ => bail!("unknown words after `rules`: {}", words.join(" ")),
    }
}

fn list(whole: bool) -> Result<()> {
    let survey = Survey::read()?;
    if whole {
        survey.print();
    }
    let problems = survey.problems();
    problems.iter().for_each(|problem| println!("problem: {problem}"));
    println!("{}", survey.summary());
    match problems.len() {
        0 => Ok(()),
        count => bail!("{count} problems with the rules"),
    }
}
