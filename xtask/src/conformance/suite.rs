//! `dayfly check` as a program: its cases, and what it says of a peer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::child::wait;

/// Seconds that an answer is waited for: two peers and two suites share two cores.
const PATIENCE: &str = "4";

/// The report, as far as it is used here.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    /// What the peer is, if it does not speak MTProto any more.
    pub(super) stranger: Option<String>,
    pub(super) cases: Vec<Case>,
}

/// What became of a case.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) verdict: String,
    pub(super) got: Option<String>,
}

impl Case {
    pub(super) fn has_failed(&self) -> bool {
        self.verdict == "failed"
    }

    pub(super) fn has_passed(&self) -> bool {
        self.verdict == "passed"
    }
}

/// Whom the suite plays the hostile other side of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    Server,
    Client,
}

impl Role {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// The suite for one role.
pub(super) struct Suite {
    pub(super) dayfly: PathBuf,
    pub(super) role: Role,
    /// Where reports go.
    pub(super) folder: PathBuf,
}

/// One run of it.
pub(super) struct Run<'r> {
    /// The words that say where the peer is, or how it is started.
    pub(super) peer: Vec<OsString>,
    /// A variable for the peer that the suite starts, and its value.
    pub(super) variable: Option<(&'r str, &'r str)>,
    /// Only the cases of this rule.
    pub(super) rule: Option<&'r str>,
    /// The name of the report.
    pub(super) name: &'r str,
    /// It is ended after this time.
    pub(super) limit: Duration,
}

impl Suite {
    /// Runs the cases against the peer; `None` if that had to be ended.
    pub(super) fn run(&self, run: Run<'_>) -> Result<Option<Report>> {
        let file = self.folder.join(format!("{}-{}.json", run.name, self.role.word()));
        let mut command = self.command();
        command
            .args(&run.peer)
            .args(["--seed", "1", "--patience", PATIENCE, "--allow-load"])
            .arg(json(&file));
        if let Some(rule) = run.rule {
            command.args(["--only", rule]);
        }
        command.envs(run.variable).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().context("starting dayfly check")?;
        if wait(&mut child, Instant::now() + run.limit)?.is_none() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let report = serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))?;
        std::fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
        Ok(Some(report))
    }

    /// The rules of which there is a case.
    pub(super) fn rules(&self) -> Result<Vec<String>> {
        let output = self.command().arg("--list").output().context("starting dayfly check --list")?;
        ensure!(output.status.success(), "dayfly check --list failed");
        let text = String::from_utf8(output.stdout).context("reading the list of cases")?;
        let mut rules: Vec<String> = text.lines().filter_map(rule).collect();
        rules.dedup();
        Ok(rules)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.dayfly);
        command.args(["check", self.role.word()]);
        command
    }
}

fn json(file: &Path) -> OsString {
    let mut word = OsString::from("--json=");
    word.push(file);
    word
}

/// The rule of a line that begins with a case.
fn rule(line: &str) -> Option<String> {
    line.split_once('/').map(|(rule, _)| rule.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_of_a_listed_case_stands_before_its_number() {
        assert_eq!(rule("HS-20/1   must    g_b = 1").as_deref(), Some("HS-20"));
        assert_eq!(rule("no case"), None);
    }
}
