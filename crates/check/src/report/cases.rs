//! The cases, without running any.

use std::fmt::{Result, Write};

use super::rules;
use crate::case::{Case, Cost};

/// A line for each case: its id first, then how binding it is and what is done.
///
/// # Errors
/// Those of `out`.
pub fn list(cases: &[Case], out: &mut impl Write) -> Result {
    for case in cases {
        let cost = match case.cost {
            Cost::Usual => "",
            Cost::Slow => " (--slow)",
            Cost::Load => " (--allow-load)",
        };
        writeln!(out, "{:<9} {:<6}  {}{cost}", case.id, case.severity.name(), case.title)?;
    }
    Ok(())
}

/// All that is known of each case before it runs, in a block of lines.
///
/// # Errors
/// Those of `out`.
pub fn explain(cases: &[Case], out: &mut impl Write) -> Result {
    for (number, case) in cases.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}  {}", case.id, case.title)?;
        let severity = match case.severity {
            crate::case::Severity::Must => "must: the specification demands it",
            crate::case::Severity::Should => "should: the specification recommends it",
            crate::case::Severity::Compat => "compat: real clients and servers need it",
        };
        writeln!(out, "  severity  {severity}")?;
        if let Some(sentence) = rules::sentence(case.rule()) {
            writeln!(out, "  rule      {}: {sentence}", case.rule())?;
        }
        writeln!(out, "  why       {}", case.why)?;
        writeln!(out, "  expected  {}", case.expected)?;
        match case.cost {
            Cost::Usual => {}
            Cost::Slow => writeln!(out, "  runs      with --slow: it takes long")?,
            Cost::Load => writeln!(out, "  runs      with --allow-load: it loads the peer")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_list_has_one_case_a_line_its_id_first() {
        let mut out = String::new();
        list(&sample::cases()[..3], &mut out).unwrap();
        assert_eq!(
            out,
            "HS-01/1   must    a permanent key is made\nHS-20/1   must    g_b = 1\nHS-20/2   should  g_b is short\n"
        );
        out.clear();
        list(&sample::cases()[5..], &mut out).unwrap();
        assert!(out.contains("(--slow)\n") && out.contains("(--allow-load)\n"), "{out}");
    }

    #[test]
    fn an_explanation_has_the_rule_and_why_it_matters() {
        let mut out = String::new();
        explain(&sample::cases()[1..3], &mut out).unwrap();
        let (first, second) = out.split_once("\n\n").unwrap();
        assert!(
            first.starts_with("HS-20/1  g_b = 1\n  severity  must: the specification demands it\n"),
            "{out}"
        );
        assert!(first.contains("\n  rule      HS-20: 1 < g, g_a, g_b"), "{out}");
        assert!(
            first.ends_with("\n  why       whoever changes g_b knows the key\n  expected  -404"),
            "{out}"
        );
        assert!(second.starts_with("HS-20/2  "), "{out}");
    }
}
