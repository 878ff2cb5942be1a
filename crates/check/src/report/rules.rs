//! The sentences of the rules, out of the handbook's table.

/// The table of rules, as the handbook shows it.
const TABLE: &str = include_str!("../../../../docs/src/rules.md");

/// What the rule demands, as its row says it; `None` if there is no such rule.
pub(super) fn sentence(rule: &str) -> Option<&'static str> {
    let mut rows = TABLE.lines().filter_map(|line| line.strip_prefix("| "));
    rows.find_map(|row| {
        let mut cells = row.split(" | ");
        (cells.next()? == rule).then_some(())?;
        cells.nth(1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_its_sentence() {
        assert!(sentence("HS-20").unwrap().starts_with("1 < g, g_a, g_b < dh_prime-1"));
        assert_eq!(sentence("HS-99"), None);
    }

    #[test]
    fn every_case_names_a_rule_of_the_table() {
        for case in crate::server::cases() {
            assert!(sentence(case.rule()).is_some(), "{}", case.id);
        }
    }
}
