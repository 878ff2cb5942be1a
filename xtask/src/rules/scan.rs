//! Reads the sources for checks that name a rule and tests that name one.
//!
//! It reads lines, not syntax trees: the three macros, `// rule HS-20` beside code and `// rule: HS-20` above a test are
//! conventions of this repository (CONTRIBUTING.md), and a citation that does not follow them is reported, not guessed at.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

use super::table::is_id;
use crate::workspace;

const MACROS: [&str; 3] = ["enforce!(", "holds!(", "mutant!("];
/// How far below its `// rule:` line a test function may begin: attributes and other comments stand between.
const REACH: usize = 12;

/// A file and a line, counted from one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A check that can be switched off.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Switch {
    /// `RULE.name`.
    pub(crate) id: String,
    pub(crate) place: Place,
}

impl Switch {
    /// The rule that it checks.
    pub(crate) fn rule(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }
}

/// A comment that says which rule the code beside it follows.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Citation {
    pub(super) rule: String,
    pub(super) place: Place,
}

/// A test that says which rules it proves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Test {
    /// The function's name.
    pub(super) name: String,
    pub(super) rules: Vec<String>,
    /// Where the function is, so that it is found in its test binary.
    pub(super) place: Place,
}

/// All that was found, and what was wrong with it.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) switches: Vec<Switch>,
    pub(super) cited: Vec<Citation>,
    pub(super) tests: Vec<Test>,
    pub(super) problems: Vec<String>,
}

impl Found {
    /// Whether any shipped code checks or cites the rule.
    pub(super) fn has_check(&self, rule: &str) -> bool {
        self.has_switch(rule) || self.cited.iter().any(|citation| citation.rule == rule)
    }

    /// Whether a check of the rule can be switched off.
    pub(super) fn has_switch(&self, rule: &str) -> bool {
        self.switches.iter().any(|switch| switch.rule() == rule)
    }

    /// Whether a test names the rule.
    pub(super) fn has_test(&self, rule: &str) -> bool {
        self.tests.iter().any(|test| test.rules.iter().any(|named| named == rule))
    }

    /// Every mention of a rule, with its place.
    pub(super) fn citations(&self) -> impl Iterator<Item = (&str, &Place)> {
        let switches = self.switches.iter().map(|switch| (switch.rule(), &switch.place));
        let cited = self.cited.iter().map(|citation| (citation.rule.as_str(), &citation.place));
        let tests =
            self.tests.iter().flat_map(|test| test.rules.iter().map(|rule| (rule.as_str(), &test.place)));
        switches.chain(cited).chain(tests)
    }
}

/// Reads every Rust file of `crates` and `tests`.
pub(super) fn workspace() -> Result<Found> {
    let mut found = Found::default();
    for folder in ["crates", "tests"] {
        let folder = workspace::root().join(folder);
        for path in workspace::files(&folder, &|name| name.ends_with(".rs"))? {
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            read_file(&workspace::relative(&path), &text, &mut found);
        }
    }
    Ok(found)
}

fn read_file(file: &str, text: &str, found: &mut Found) {
    let lines: Vec<&str> = text.lines().collect();
    let shipped = if is_test_file(file) { 0 } else { first_test_line(&lines) };
    for (index, line) in lines.iter().enumerate() {
        let place = Place { file: file.to_owned(), line: index + 1 };
        if let Some(named) = line.trim_start().strip_prefix("// rule:") {
            read_test(named, &lines, index, place, found);
        } else if index < shipped {
            read_switches(&lines, index, &place, found);
            let cited = cited_rules(line);
            found.cited.extend(cited.into_iter().map(|rule| Citation { rule, place: place.clone() }));
        }
    }
}

/// Files whose code ships nowhere: a check there would prove nothing.
fn is_test_file(file: &str) -> bool {
    let path = Path::new(file);
    let named = file.ends_with("tests.rs") || file.ends_with("/testing.rs");
    named
        || file.starts_with("crates/testkit/")
        || path.iter().any(|part| part == "tests" || part == "benches")
}

/// The line of `mod tests {`, which by convention comes last, or the number of lines.
fn first_test_line(lines: &[&str]) -> usize {
    let starts = |line: &&str| line.starts_with("mod tests {");
    lines.iter().position(starts).unwrap_or(lines.len())
}

fn read_switches(lines: &[&str], index: usize, place: &Place, found: &mut Found) {
    let line = lines.get(index).copied().unwrap_or_default();
    let code = line.split("//").next().unwrap_or_default();
    for name in MACROS {
        for after in code.split(name).skip(1) {
            match literal(after).or_else(|| literal_on_next_line(after, lines, index)) {
                Some(id) if is_switch_id(id) => {
                    found.switches.push(Switch { id: id.to_owned(), place: place.clone() });
                }
                Some(id) => found.problems.push(format!("{place}: {id:?} is no id of the form HS-20.name")),
                None if after.trim_start().starts_with('$') => {} // the macros' own definitions
                None => found.problems.push(format!("{place}: {name} does not begin with a literal id")),
            }
        }
    }
}

fn literal(after: &str) -> Option<&str> {
    after.trim_start().strip_prefix('"')?.split('"').next()
}

fn literal_on_next_line<'a>(after: &str, lines: &[&'a str], index: usize) -> Option<&'a str> {
    if after.trim().is_empty() { literal(lines.get(index + 1)?) } else { None }
}

fn is_switch_id(id: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-' || c == '.';
    id.split_once('.').is_some_and(|(rule, name)| is_id(rule) && !name.is_empty() && name.chars().all(word))
}

/// The rules after `rule` or `rules` in the comment of a line: `// rule HS-11`, `(rules HS-20 and HS-21)`.
fn cited_rules(line: &str) -> Vec<String> {
    let Some((_, comment)) = line.split_once("//") else { return Vec::new() };
    let mut rules = Vec::new();
    for (at, _) in comment.match_indices("rule") {
        let before = comment.get(..at).and_then(|text| text.chars().next_back());
        let after = comment.get(at + "rule".len()..).unwrap_or_default();
        let list = after.strip_prefix('s').unwrap_or(after);
        if before.is_none_or(|c| !c.is_alphanumeric()) && list.starts_with(' ') {
            rules.extend(leading_ids(list));
        }
    }
    rules
}

fn leading_ids(list: &str) -> Vec<String> {
    let words =
        list.split([' ', ',', ';', '.', ':', ')', '(']).filter(|word| !word.is_empty() && *word != "and");
    words.take_while(|word| is_id(word)).map(str::to_owned).collect()
}

fn read_test(named: &str, lines: &[&str], index: usize, place: Place, found: &mut Found) {
    let rules: Vec<String> = named.split(',').map(|rule| rule.trim().to_owned()).collect();
    if let Some(wrong) = rules.iter().find(|rule| !is_id(rule)) {
        found.problems.push(format!("{place}: {wrong:?} is no rule"));
    }
    match test_below(lines.get(index + 1..).unwrap_or_default()) {
        Some(name) => found.tests.push(Test { name, rules, place }),
        None => found.problems.push(format!("{place}: no test function stands below this line")),
    }
}

/// The name of the test function that begins in these lines, before anything that is no comment and no attribute.
fn test_below(lines: &[&str]) -> Option<String> {
    let mut is_test = false;
    for line in lines.iter().take(REACH).map(|line| line.trim_start()) {
        is_test |= line.starts_with("#[") && line.contains("test");
        if let Some((_, name)) = line.split_once("fn ").filter(|_| !line.starts_with("//")) {
            let name = name.split(['(', '<']).next()?.trim();
            return is_test.then(|| name.to_owned());
        }
        if line.is_empty() || line.starts_with('}') {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(file: &str, text: &str) -> Found {
        let mut found = Found::default();
        read_file(file, text, &mut found);
        found
    }

    #[test]
    fn a_switch_is_found_on_its_line_and_when_the_id_stands_on_the_next() {
        let found = scan(
            "crates/core/src/a.rs",
            "enforce!(\"HS-06.nonce\", a, b);\nif holds!(\n    \"HS-15.spend\",\n",
        );
        let ids: Vec<&str> = found.switches.iter().map(|switch| switch.id.as_str()).collect();
        assert_eq!(ids, ["HS-06.nonce", "HS-15.spend"]);
        assert_eq!(found.switches[1].rule(), "HS-15");
    }

    #[test]
    fn switches_in_comments_and_macro_definitions_are_none() {
        let found = scan(
            "crates/crypto/src/rules.rs",
            "/// enforce!(\"XX-01.even\", n, e);\nif !$crate::holds!($id, $c) {\n",
        );
        assert!(found.switches.is_empty() && found.problems.is_empty(), "{found:?}");
    }

    #[test]
    fn a_malformed_or_computed_id_is_a_problem() {
        for line in ["enforce!(\"HS-6.nonce\", a, b)", "enforce!(\"HS-06\", a, b)", "mutant!(ID, a, b)"] {
            assert_eq!(scan("crates/core/src/a.rs", line).problems.len(), 1, "{line}");
        }
    }

    #[test]
    fn comments_cite_one_rule_or_a_list() {
        assert_eq!(cited_rules("    // rule HS-11: exactly"), ["HS-11"]);
        assert_eq!(
            cited_rules("/// Source: step 8 (rules HS-24, HS-20 and HS-21)."),
            ["HS-24", "HS-20", "HS-21"]
        );
        assert!(cited_rules("let rule = \"HS-11\";").is_empty());
        assert!(cited_rules("// the overrule HS-11").is_empty());
    }

    #[test]
    fn a_citation_in_test_code_is_no_check() {
        for file in
            ["crates/core/src/a/tests.rs", "crates/tl/src/hostile_tests.rs", "crates/testkit/src/a.rs"]
        {
            assert!(!scan(file, "// rule HS-11").has_check("HS-11"), "{file}");
        }
        assert!(!scan("crates/core/src/a.rs", "mod tests {\n    // rule HS-11\n").has_check("HS-11"));
        assert!(scan("crates/core/src/a.rs", "// rule HS-11\nmod tests {\n").has_check("HS-11"));
    }

    #[test]
    fn a_test_carries_its_rules_past_attributes() {
        let text =
            "    // rule: HS-20, HS-21\n    // Why.\n    #[tokio::test]\n    async fn refuses_it() {\n";
        let found = scan("crates/core/src/a.rs", text);
        let [test] = found.tests.as_slice() else { panic!("{found:?}") };
        assert_eq!((test.name.as_str(), test.rules.len(), test.place.line), ("refuses_it", 2, 1));
    }

    #[test]
    fn a_rule_line_without_a_test_below_it_is_a_problem() {
        for below in ["", "\n#[test]\nfn far() {", "fn helper() {", "struct A;\n}\n"] {
            let found = scan("tests/a.rs", &format!("// rule: HS-20\n{below}"));
            assert_eq!((found.tests.len(), found.problems.len()), (0, 1), "{below:?}");
        }
    }
}
