//! `cargo xtask ci`: the steps of CI, each with its time; what a step says is kept in target/ci and shown if it fails.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// The length of the piece of a failed step's log that is shown.
const SHOWN_LINES: usize = 200;

#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    words: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
}

const fn step(name: &'static str, words: &'static [&'static str]) -> Step {
    Step { name, words, variables: &[] }
}

/// One after another, cheap ones first. Everything is built with the release profile, so that steps share what they
/// build; by the end of these everything is.
const STEPS: [Step; 11] = [
    step("format", &["cargo", "fmt", "--all", "--check"]),
    step("dependencies", &["cargo", "xtask", "deps"]),
    step("rules", &["cargo", "xtask", "rules", "--summary"]),
    step("lints", &["cargo", "clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    step("tests", &["cargo", "test", "--release"]),
    step("tests-of-tools", &["cargo", "test", "--release", "--package", "xtask", "--package", "dayfly-load"]),
    Step {
        name: "documentation",
        words: &["cargo", "doc", "--release", "--workspace", "--no-deps"],
        variables: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    step("mutants", &["cargo", "xtask", "rules", "--prove", "--no-run"]),
    step("demo", &["cargo", "run", "--quiet", "--release", "--", "demo"]),
    step("conformance", &["cargo", "xtask", "conformance"]),
    step("package", &["packaging/build.sh", "target/package"]),
];

/// Two lanes side by side: one computes, the other mostly waits.
const LANES: [&[Step]; 2] = [
    &[
        step("proof-of-rules", &["cargo", "xtask", "rules", "--prove"]),
        step("proof-of-conformance", &["cargo", "xtask", "conformance", "--prove", "--short"]),
    ],
    &[
        step("foreign-clients", &["interop/run", "--short", "--skip-missing"]),
        step("findings", &["interop/findings/run", "--short"]),
    ],
];

/// Last and alone: its clocks run six times as fast, so that a machine with something else to do lets keys end unrenewed.
const LAST: [Step; 1] = [step("soak", &["cargo", "xtask", "soak", "--minutes", "2"])];

/// Runs all steps, also after one failed, and ends with the sum of the tests.
pub(crate) fn run() -> Result<()> {
    let folder = workspace::target_directory().join("ci");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let started = Instant::now();
    let mut outcomes = run_lane(&STEPS, &folder)?;
    for lane in side_by_side(&folder) {
        outcomes.extend(lane?);
    }
    outcomes.extend(run_lane(&LAST, &folder)?);
    let failed: Vec<&str> =
        outcomes.iter().filter(|outcome| !outcome.passed).map(|outcome| outcome.name).collect();
    let (count, ok) = (outcomes.len(), outcomes.len() - failed.len());
    let mut tests = Tests::default();
    outcomes.iter().for_each(|outcome| tests.add(outcome.tests));
    println!("{ok} of {count} steps passed in {}", minutes(started.elapsed()));
    println!("{} passed, {} failed", tests.passed, tests.failed);
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

fn side_by_side(folder: &Path) -> Vec<Result<Vec<Outcome>>> {
    std::thread::scope(|scope| {
        let lanes = LANES.map(|lane| scope.spawn(move || run_lane(lane, folder)));
        let ended = lanes.into_iter().map(|lane| lane.join().unwrap_or_else(|_| bail!("a lane panicked")));
        ended.collect()
    })
}

fn run_lane(steps: &[Step], folder: &Path) -> Result<Vec<Outcome>> {
    steps.iter().map(|step| step.run(folder)).collect()
}

/// How a step ended.
struct Outcome {
    name: &'static str,
    passed: bool,
    tests: Tests,
}

impl Step {
    fn run(&self, folder: &Path) -> Result<Outcome> {
        let name = self.name;
        println!("== {name}: {}", self.words.join(" "));
        let started = Instant::now();
        let log = folder.join(format!("{name}.log"));
        let passed = self.command(&log)?.status().with_context(|| format!("starting {name}"))?.success();
        let text = std::fs::read(&log).with_context(|| format!("reading {}", log.display()))?;
        let text = String::from_utf8_lossy(&text);
        if !passed {
            show_end(&text, &log);
        }
        let tests = Tests::of(&text);
        let verdict = if passed { "ok" } else { "FAILED" };
        println!("   {name}: {verdict} in {}{}", minutes(started.elapsed()), tests.note());
        left_out(&text).for_each(|line| println!("   {line}"));
        Ok(Outcome { name, passed, tests })
    }

    fn command(&self, log: &PathBuf) -> Result<Command> {
        let Some((program, words)) = self.words.split_first() else { bail!("{} runs nothing", self.name) };
        let file = File::create(log).with_context(|| format!("making {}", log.display()))?;
        let mut command = if *program == "cargo" { workspace::cargo() } else { workspace::program(program) };
        command.args(words).envs(self.variables.iter().copied());
        command.stdin(Stdio::null()).stderr(file.try_clone()?).stdout(file);
        Ok(command)
    }
}

/// What a short form did not run, as it says itself.
fn left_out(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with("== LEFT OUT") || line.starts_with("== SKIPPED"))
}

fn show_end(text: &str, log: &Path) {
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default();
    shown.iter().for_each(|line| println!("   | {line}"));
    println!("   the whole log: {}", log.display());
}

fn minutes(time: Duration) -> String {
    format!("{}:{:04.1} min", time.as_secs() / 60, time.as_secs_f64() % 60.0)
}

/// Counts of tests, as cargo's own summary lines state them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Tests {
    passed: u64,
    failed: u64,
}

impl Tests {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    fn of(text: &str) -> Self {
        let mut sum = Self::default();
        for line in text.lines().filter_map(|line| line.strip_prefix("test result: ")) {
            sum.add(Self { passed: count(line, " passed"), failed: count(line, " failed") });
        }
        sum
    }

    fn note(self) -> String {
        if self == Self::default() {
            String::new()
        } else {
            format!(", {} passed, {} failed", self.passed, self.failed)
        }
    }
}

/// The number in front of `what`.
fn count(line: &str, what: &str) -> u64 {
    let before = line.split_once(what).map(|(before, _)| before);
    before.and_then(|text| text.rsplit([' ', ';']).next()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_short_form_left_out_is_shown() {
        let text = "== passed: mtcute\n== LEFT OUT by --short: gotd\nLEFT OUT\n== SKIPPED, a tool is missing: telethon\n";
        let shown: Vec<_> = left_out(text).collect();
        assert_eq!(shown, ["== LEFT OUT by --short: gotd", "== SKIPPED, a tool is missing: telethon"]);
    }

    #[test]
    fn the_summary_lines_of_several_binaries_are_added() {
        let text = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            noise 7 passed\ntest result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured\n";
        assert_eq!(Tests::of(text), Tests { passed: 15, failed: 2 });
        assert_eq!(Tests::of("no tests here"), Tests::default());
    }

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let names: Vec<&str> =
            STEPS.iter().chain(LANES.concat().iter()).chain(&LAST).map(|step| step.name).collect();
        let different: std::collections::BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(different.len(), names.len());
    }

    #[test]
    fn a_failing_step_is_told_from_a_passing_one() {
        let folder = workspace::target_directory().join("ci-tests");
        std::fs::create_dir_all(&folder).unwrap();
        assert!(step("passes", &["true"]).run(&folder).unwrap().passed);
        assert!(!step("fails", &["false"]).run(&folder).unwrap().passed);
        assert!(step("is-not-there", &["./no-such-program"]).run(&folder).is_err());
    }
}
