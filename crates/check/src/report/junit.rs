//! A report for a CI server: JUnit's XML, in the form that Jenkins, GitLab and GitHub's actions read.
//!
//! A case that counts against the peer is a failure, one that was not reached an error. What does not count (a should without
//! `--strict`, a compat case), what cannot be told and what was not run is skipped, with the reason: such servers know no more
//! than these.

use std::fmt::{Result, Write};

use super::{Text, clean, counts_against, got, word};
use crate::run::{Report, Told};
use crate::verdict::{Stop, Verdict};

/// The whole report as an XML document.
///
/// # Errors
/// Those of `out`.
pub fn junit(report: &Report, strict: bool, out: &mut impl Write) -> Result {
    let name = format!("dayfly check {}", report.role);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites>")?;
    let (tests, numbers) = match &report.stranger {
        Some(_) => (1, Numbers { errors: 1, ..Numbers::default() }),
        None => (report.told.len(), Numbers::of(report, strict)),
    };
    let Numbers { failures, errors, skipped } = numbers;
    let seconds: f64 = report.told.iter().map(|told| told.took.as_secs_f64()).sum();
    writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{seconds:.3}\">"
    )?;
    properties(report, strict, out)?;
    match &report.stranger {
        Some(stranger) => {
            writeln!(out, "    <testcase name=\"the peer answers\" classname=\"peer\">")?;
            writeln!(out, "      <error message=\"{}\"/>\n    </testcase>", escaped(stranger))?;
        }
        None => report.told.iter().try_for_each(|told| case(told, strict, out))?,
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

#[derive(Clone, Copy, Default)]
struct Numbers {
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Numbers {
    fn of(report: &Report, strict: bool) -> Self {
        let mut numbers = Self::default();
        for told in &report.told {
            match Shape::of(told, strict) {
                Shape::Passed => {}
                Shape::Failure => numbers.failures += 1,
                Shape::Error => numbers.errors += 1,
                Shape::Skipped => numbers.skipped += 1,
            }
        }
        numbers
    }
}

/// What JUnit has for a verdict.
enum Shape {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Shape {
    fn of(told: &Told, strict: bool) -> Self {
        match &told.verdict {
            Verdict::Passed => Self::Passed,
            _ if !counts_against(told, strict) => Self::Skipped,
            Verdict::Stopped(Stop::NotReached(_)) => Self::Error,
            _ => Self::Failure,
        }
    }
}

fn properties(report: &Report, strict: bool, out: &mut impl Write) -> Result {
    writeln!(out, "    <properties>")?;
    for (name, value) in [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("peer", report.peer.clone()),
        ("seed", report.seed.to_string()),
        ("strict", strict.to_string()),
    ] {
        writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", escaped(&value))?;
    }
    writeln!(out, "    </properties>")
}

fn case(told: &Told, strict: bool, out: &mut impl Write) -> Result {
    let case = &told.case;
    let (name, rule) = (escaped(&format!("{} {}", case.id, case.title)), case.rule());
    let seconds = told.took.as_secs_f64();
    write!(out, "    <testcase name=\"{name}\" classname=\"{rule}\" time=\"{seconds:.3}\"")?;
    let why = escaped(&got(&told.verdict).unwrap_or_default());
    let severity = case.severity.name();
    match Shape::of(told, strict) {
        Shape::Passed => return writeln!(out, "/>"),
        Shape::Failure => {
            let mut block = String::new();
            Text::default().block(told, &mut block)?;
            let block = escaped_lines(&block);
            write!(out, ">\n      <failure type=\"{severity}\" message=\"{why}\">{block}</failure>")?;
        }
        Shape::Error => write!(out, ">\n      <error type=\"not reached\" message=\"{why}\"/>")?,
        Shape::Skipped => {
            let word = word(&told.verdict);
            write!(out, ">\n      <skipped message=\"{word} ({severity}): {why}\"/>")?;
        }
    }
    writeln!(out, "\n    </testcase>")
}

/// A line for an attribute or between tags.
fn escaped(text: &str) -> String {
    marked_up(&clean::line(text))
}

/// Lines that were cleaned one by one.
fn escaped_lines(text: &str) -> String {
    format!("\n{}      ", marked_up(text))
}

fn marked_up(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{rules, sample};
    use super::*;

    fn written(report: &Report, strict: bool) -> String {
        let mut out = String::new();
        junit(report, strict, &mut out).unwrap();
        out
    }

    #[test]
    fn a_run_is_a_document_like_this() {
        let nasty = "&lt;b&gt;&amp;&quot;&apos;]]&gt;\\u{a}```\\u{1b}[31m| *x* @all";
        let (version, rule) = (env!("CARGO_PKG_VERSION"), marked_up(rules::sentence("HS-20").unwrap()));
        let expected = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="dayfly check server" tests="7" failures="1" errors="1" skipped="4" time="0.062">
    <properties>
      <property name="version" value="{version}"/>
      <property name="peer" value="127.0.0.1:4430"/>
      <property name="seed" value="7"/>
      <property name="strict" value="false"/>
    </properties>
    <testcase name="HS-01/1 a permanent key is made" classname="HS-01" time="0.012"/>
    <testcase name="HS-20/1 g_b = 1" classname="HS-20" time="0.012">
      <failure type="must" message="set_client_DH_params got {nasty}">
    rule     HS-20 {rule}
    why      whoever changes g_b knows the key
    sent     set_client_DH_params
    came     {nasty}
    expected -404
    got      set_client_DH_params got {nasty}
      </failure>
    </testcase>
    <testcase name="HS-20/2 g_b is short" classname="HS-20" time="0.012">
      <skipped message="failed (should): nothing"/>
    </testcase>
    <testcase name="PF-02/1 the nonce &lt;differs&gt;" classname="PF-02" time="0.012">
      <error type="not reached" message="req_pq_multi got nothing"/>
    </testcase>
    <testcase name="MS-05/1 a seqno is odd" classname="MS-05" time="0.012">
      <skipped message="undecided (compat): it may mean either"/>
    </testcase>
    <testcase name="MS-05/2 a session ends" classname="MS-05" time="0.000">
      <skipped message="left out (must): it takes long: --slow runs it"/>
    </testcase>
    <testcase name="HS-35/1 many runs at once" classname="HS-35" time="0.000">
      <skipped message="left out (must): it loads the peer: --allow-load runs it"/>
    </testcase>
  </testsuite>
</testsuites>
"#
        );
        assert_eq!(written(&sample::report(), false), expected);
    }

    #[test]
    fn a_broken_should_is_a_failure_when_it_counts() {
        let strict = written(&sample::report(), true);
        assert!(strict.contains("failures=\"2\" errors=\"1\" skipped=\"3\""), "{strict}");
        assert!(strict.contains("<failure type=\"should\" message=\"nothing\">"), "{strict}");
    }

    #[test]
    fn a_stranger_is_one_error_not_one_a_case() {
        let written = written(&sample::stranger(), false);
        assert!(written.contains("tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\""), "{written}");
        assert_eq!(written.matches("<testcase").count(), 1);
        assert!(written.contains("<error message=\"127.0.0.1:22 speaks first: it is an SSH server\"/>"));
    }
}
