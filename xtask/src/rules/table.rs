//! The table of rules: docs/src/rules.md, one row a rule.

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// The transport rules that this version must prove; of the other prefixes all are required or none.
const REQUIRED_TRANSPORT: [&str; 4] = ["TR-01", "TR-03", "TR-05", "TR-06"];

/// One row of the table.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Rule {
    /// Such as `HS-20`.
    pub(super) id: String,
    /// `C`, `S` or `B`: whom it binds.
    pub(super) side: String,
    /// The rule itself.
    pub(super) text: String,
    /// Whether it must have a check and a test.
    pub(super) required: bool,
}

impl Rule {
    /// As much of the rule as fits on a line.
    pub(super) fn first_words(&self) -> String {
        let end = self.text.char_indices().nth(80).map_or(self.text.len(), |(at, _)| at);
        let cut = if end < self.text.len() { "…" } else { "" };
        format!("{}{cut}", self.text.get(..end).unwrap_or(&self.text))
    }
}

/// All rules in the order of the table.
pub(super) fn read() -> Result<Vec<Rule>> {
    let path = workspace::root().join("docs/src/rules.md");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let rules = parse(&text);
    ensure!(!rules.is_empty(), "{} has no rules", path.display());
    Ok(rules)
}

fn parse(text: &str) -> Vec<Rule> {
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Rule> {
    let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
    let [id, side, text, ..] = cells.as_slice() else { return None };
    is_id(id).then(|| Rule {
        id: (*id).to_owned(),
        side: (*side).to_owned(),
        text: (*text).to_owned(),
        required: id.starts_with("HS-") || id.starts_with("PF-") || REQUIRED_TRANSPORT.contains(id),
    })
}

/// Two capitals, a hyphen, two digits.
pub(super) fn is_id(word: &str) -> bool {
    match word.as_bytes() {
        [a, b, b'-', c, d] => {
            [a, b].iter().all(|x| x.is_ascii_uppercase()) && c.is_ascii_digit() && d.is_ascii_digit()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_becomes_a_rule_and_headings_do_not() {
        let rules = parse(
            "# HS\n| id | side | rule | source |\n|---|---|---|---|\n| HS-04 | S | new for every run | AK 2 |\n",
        );
        let [rule] = rules.as_slice() else { panic!("{rules:?}") };
        assert_eq!((rule.id.as_str(), rule.side.as_str(), rule.required), ("HS-04", "S", true));
    }

    #[test]
    fn the_checked_in_table_has_the_required_rules_once_each() {
        let rules = read().unwrap();
        let of =
            |prefix: &str| rules.iter().filter(|rule| rule.required && rule.id.starts_with(prefix)).count();
        assert_eq!((of("HS-"), of("PF-"), of("TR-"), of("MS-")), (40, 26, 4, 0));
        let mut ids: Vec<&String> = rules.iter().map(|rule| &rule.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), rules.len());
    }

    #[test]
    fn ids_are_two_capitals_and_two_digits() {
        assert!(is_id("TR-06"));
        for wrong in ["TR-6", "TR-006", "tr-06", "TR_06", "HS-20.range", ""] {
            assert!(!is_id(wrong), "{wrong}");
        }
    }
}
