//! xtask/conformance.toml: how much the suite must catch, and what it cannot see, each with its reason.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::workspace;

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// So many rules, at least, must have a switched-off check that a case of the rule catches.
    pub(super) rules: usize,
    /// Switches whose rule has cases that pass without the check, by id.
    #[serde(default)]
    pub(super) unseen: BTreeMap<String, String>,
}

impl Expected {
    pub(super) fn read() -> Result<Self> {
        let path = workspace::root().join("xtask/conformance.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("reading {}", path.display()))
    }

    /// Entries that name no check, or give no reason.
    pub(super) fn problems(&self, known: impl Fn(&str) -> bool) -> Vec<String> {
        let mut problems = Vec::new();
        for (id, reason) in &self.unseen {
            if !known(id) {
                problems.push(format!("xtask/conformance.toml [unseen] names {id}, which is no check"));
            }
            if reason.split_whitespace().count() < 3 {
                problems.push(format!("xtask/conformance.toml gives no reason for {id}"));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_needs_a_check_and_a_reason() {
        let text = "rules = 1\n[unseen]\n\"HS-02.a\" = \"a long reason\"\n\"HS-02.b\" = \"a long reason\"\n\"HS-02.c\" = \"later\"";
        let expected: Expected = toml::from_str(text).unwrap();
        assert_eq!(expected.problems(|id| id != "HS-02.b").len(), 2);
        assert!(toml::from_str::<Expected>("rules = 1\n[unsene]\n").is_err());
    }

    #[test]
    fn the_checked_in_file_can_be_read() {
        assert!(Expected::read().unwrap().rules > 0);
    }
}
