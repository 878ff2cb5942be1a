//! xtask/rules.toml: what is not proven yet or cannot be, each with its reason.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::scan::Found;
use super::table::Rule;
use crate::workspace;

/// The file as it is written. An exception that is no longer needed is a problem: the file must not outlive its reasons.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exceptions {
    /// Required rules without a check or without a test, by rule.
    #[serde(default)]
    pub(super) open: BTreeMap<String, String>,
    /// Rules that have a check but no switch, by rule: there is nothing to switch off.
    #[serde(default)]
    pub(super) without_switch: BTreeMap<String, String>,
    /// Switches that no test notices, by id.
    #[serde(default)]
    pub(super) unproven: BTreeMap<String, String>,
}

impl Exceptions {
    pub(super) fn read() -> Result<Self> {
        let path = workspace::root().join("xtask/rules.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("reading {}", path.display()))
    }

    /// Whether the rule may lack a check or a test.
    pub(super) fn excuses(&self, rule: &str) -> bool {
        self.open.contains_key(rule)
    }

    /// Why the rule lacks a check or a test.
    pub(super) fn reason(&self, rule: &str) -> Option<&str> {
        self.open.get(rule).map(String::as_str)
    }

    /// Entries that excuse nothing, name nothing, or give no reason.
    pub(super) fn problems(&self, rules: &[Rule], found: &Found) -> Vec<String> {
        let mut problems = Vec::new();
        let known = |id: &str| rules.iter().any(|rule| rule.id == id);
        for id in self.open.keys() {
            if !known(id) {
                problems.push(format!("xtask/rules.toml [open] names {id}, which is no rule"));
            } else if found.has_check(id) && found.has_test(id) {
                problems.push(format!("xtask/rules.toml [open] excuses {id}, which has a check and a test"));
            }
        }
        for id in self.without_switch.keys() {
            if found.has_switch(id) || !known(id) {
                problems.push(format!("xtask/rules.toml [without_switch] names {id} in vain"));
            }
        }
        for id in self.unproven.keys() {
            if !found.switches.iter().any(|switch| switch.id == *id) {
                problems.push(format!("xtask/rules.toml [unproven] names {id}, which is no check"));
            }
        }
        problems.extend(self.unreasoned());
        problems
    }

    fn unreasoned(&self) -> Vec<String> {
        let all = self.open.iter().chain(&self.without_switch).chain(&self.unproven);
        let bare = all.filter(|(_, reason)| reason.split_whitespace().count() < 3);
        bare.map(|(id, _)| format!("xtask/rules.toml gives no reason for {id}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::{Citation, Place, Switch, Test};
    use super::*;

    fn rule(id: &str) -> Rule {
        Rule { id: id.into(), side: "B".into(), text: String::new(), required: true }
    }

    fn exceptions(text: &str) -> Exceptions {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn an_entry_that_excuses_nothing_is_a_problem() {
        let place = Place { file: "a.rs".into(), line: 1 };
        let found = Found {
            cited: vec![Citation { rule: "HS-01".into(), place: place.clone() }],
            tests: vec![Test { name: "t".into(), rules: vec!["HS-01".into()], place: place.clone() }],
            switches: vec![Switch { id: "HS-02.a".into(), place }],
            ..Found::default()
        };
        let rules = [rule("HS-01"), rule("HS-02")];
        for (text, count) in [
            ("[open]\nHS-01 = \"a long reason\"", 1),
            ("[open]\nHS-02 = \"a long reason\"", 0),
            ("[open]\nHS-99 = \"a long reason\"", 1),
            ("[without_switch]\nHS-02 = \"a long reason\"", 1),
            ("[without_switch]\nHS-01 = \"a long reason\"", 0),
            ("[unproven]\n\"HS-02.a\" = \"a long reason\"", 0),
            ("[unproven]\n\"HS-02.b\" = \"a long reason\"", 1),
        ] {
            assert_eq!(exceptions(text).problems(&rules, &found).len(), count, "{text}");
        }
    }

    #[test]
    fn an_exception_needs_a_reason() {
        let text = "[open]\nHS-02 = \"later\"";
        assert_eq!(exceptions(text).problems(&[rule("HS-02")], &Found::default()).len(), 1);
    }

    #[test]
    fn unknown_tables_are_refused() {
        assert!(toml::from_str::<Exceptions>("[opne]\nHS-02 = \"a long reason\"").is_err());
    }
}
