//! A report for a person: a line a case while the run goes on, a block for what went wrong, and the verdict at the end.

use std::fmt::{Result, Write};

use anstyle::{AnsiColor, Style};

use super::{Shown, clean, got, rules, sum, word};
use crate::run::{Report, Told};
use crate::server::Happened;
use crate::verdict::{Stop, Verdict};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();

/// Writes text, in colours or without.
#[derive(Clone, Debug, Default)]
pub struct Text {
    colour: bool,
    /// Why the last case that did not run to its end did not: told once where many share it.
    why: Option<String>,
}

impl Text {
    /// For a terminal that shows colours, or for anything else.
    #[must_use]
    pub fn new(colour: bool) -> Self {
        Self { colour, why: None }
    }

    /// A case that has ended: a line, and a block below it if the rule was broken.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn case(&mut self, told: &Told, out: &mut impl Write) -> Result {
        let (case, name) = (&told.case, word(&told.verdict));
        let (style, name) = match &told.verdict {
            Verdict::Passed => (GOOD, name.to_owned()),
            Verdict::Stopped(Stop::Failed(_)) => (BAD, name.to_uppercase()),
            Verdict::Stopped(_) => (DOUBTFUL, name.to_owned()),
            Verdict::Left(_) => (FAINT, name.to_owned()),
        };
        let name = self.paint(style, &format!("{name:<11}"));
        let severity = case.severity.name();
        write!(out, "{name} {:<9} {severity:<6}  {}", case.id, case.title)?;
        match (&told.verdict, got(&told.verdict)) {
            (Verdict::Stopped(Stop::Failed(_)), _) => {
                writeln!(out, "{}", self.took(told))?;
                self.block(told, out)
            }
            (Verdict::Passed, _) | (_, None) => writeln!(out, "{}", self.took(told)),
            (Verdict::Left(_), Some(why)) => writeln!(out, ": {why}"),
            (_, Some(why)) if self.why.as_ref() == Some(&why) => writeln!(out, ": likewise"),
            (_, Some(why)) => writeln!(out, ": {}", self.why.insert(why)),
        }
    }

    /// The end: what was checked, how it came out, and how to run the same again.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn end(&self, report: &Report, strict: bool, out: &mut impl Write) -> Result {
        let right = report.is_right(strict);
        let verdict = if right { self.paint(GOOD, "PASSED") } else { self.paint(BAD, "FAILED") };
        writeln!(out, "{verdict} {} {}: {}", report.role, clean::line(&report.peer), sum(report))
    }

    /// What a reader needs to see the fault for himself.
    pub(super) fn block(&self, told: &Told, out: &mut impl Write) -> Result {
        let case = &told.case;
        let sentence = rules::sentence(case.rule()).unwrap_or_default();
        self.field("rule", &format!("{} {sentence}", case.rule()), out)?;
        self.field("why", case.why, out)?;
        let shown = Shown::of(&told.trace);
        shown.first.iter().try_for_each(|happened| self.happened(happened, out))?;
        if shown.omitted > 0 {
            self.field("…", &format!("{} more", shown.omitted), out)?;
        }
        shown.last.iter().try_for_each(|happened| self.happened(happened, out))?;
        self.field("expected", case.expected, out)?;
        self.field("got", &got(&told.verdict).unwrap_or_default(), out)
    }

    fn happened(&self, happened: &Happened, out: &mut impl Write) -> Result {
        match happened {
            Happened::Sent(what) => self.field("sent", &clean::line(what), out),
            Happened::Got(what) => self.field("came", &clean::line(what), out),
        }
    }

    fn field(&self, name: &str, text: &str, out: &mut impl Write) -> Result {
        writeln!(out, "    {} {text}", self.paint(FAINT, &format!("{name:<8}")))
    }

    fn took(&self, told: &Told) -> String {
        self.paint(FAINT, &format!(" ({} ms)", told.took.as_millis()))
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn whole(mut text: Text) -> String {
        let mut out = String::new();
        let report = sample::report();
        report.told.iter().for_each(|told| text.case(told, &mut out).unwrap());
        text.end(&report, false, &mut out).unwrap();
        out
    }

    #[test]
    fn a_run_reads_like_this() {
        let rule = rules::sentence("HS-20").unwrap();
        let expected = format!(
            "\
passed      HS-01/1   must    a permanent key is made (12 ms)
FAILED      HS-20/1   must    g_b = 1 (12 ms)
    rule     HS-20 {rule}
    why      whoever changes g_b knows the key
    sent     set_client_DH_params
    came     <b>&\"']]>\\u{{a}}```\\u{{1b}}[31m| *x* @all
    expected -404
    got      set_client_DH_params got <b>&\"']]>\\u{{a}}```\\u{{1b}}[31m| *x* @all
FAILED      HS-20/2   should  g_b is short (12 ms)
    rule     HS-20 {rule}
    why      whoever changes g_b knows the key
    sent     set_client_DH_params
    came     <b>&\"']]>\\u{{a}}```\\u{{1b}}[31m| *x* @all
    expected -404
    got      nothing
not reached PF-02/1   must    the nonce <differs>: req_pq_multi got nothing
undecided   MS-05/1   compat  a seqno is odd: it may mean either
left out    MS-05/2   must    a session ends: it takes long: --slow runs it
left out    HS-35/1   must    many runs at once: it loads the peer: --allow-load runs it
FAILED server 127.0.0.1:4430: {}
",
            sum(&sample::report())
        );
        assert_eq!(whole(Text::default()), expected);
    }

    #[test]
    fn colours_add_nothing_but_codes() {
        let coloured = whole(Text::new(true));
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, code)) = rest.split_once('\u{1b}') {
            bare.push_str(before);
            rest = code.split_once('m').unwrap().1;
        }
        bare.push_str(rest);
        assert_eq!(bare, whole(Text::default()));
        assert!(coloured.contains("\u{1b}[1m\u{1b}[31mFAILED"), "{coloured:?}");
    }

    #[test]
    fn a_reason_that_many_share_is_told_once() {
        let mut text = Text::default();
        let mut out = String::new();
        let told = sample::report().told;
        for index in [3, 3, 0, 3, 4, 3] {
            text.case(&told[index], &mut out).unwrap();
        }
        assert_eq!(
            (out.matches(": req_pq_multi got nothing").count(), out.matches(": likewise").count()),
            (2, 2)
        );
    }

    #[test]
    fn a_stranger_has_failed_and_so_has_a_run_without_a_case() {
        for report in [sample::stranger(), Report::new("server", "a".to_owned(), 1)] {
            let mut out = String::new();
            Text::default().end(&report, false, &mut out).unwrap();
            assert!(out.starts_with("FAILED server "), "{out}");
        }
    }
}
