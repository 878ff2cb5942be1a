//! `cargo xtask fuzz`: builds the targets of fuzz/ with libFuzzer and runs each for its share of processor time.
//!
//! What a run finds goes to fuzz/artifacts, which git ignores: `found/` holds inputs that reached something new, `crash-*`
//! one that broke an oracle. `--keep` merges what was found into fuzz/corpus, as few and as short inputs as reach the same;
//! those are replayed by `cargo test`. Linux only, since processor time is read from /proc.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Processor time for each target unless told otherwise.
const SECONDS: u64 = 600;
/// Targets that run at the same time.
const AT_ONCE: usize = 2;
/// Ticks of the processor clock in a second, as /proc counts them on every Linux platform that Rust runs on.
const TICKS: u64 = 100;
/// Longer inputs find nothing new, and make the corpus large.
const LONGEST_INPUT: &str = "-max_len=1024";

/// What libFuzzer needs of the compiler. The flags are unstable; the stable compiler takes them under RUSTC_BOOTSTRAP.
const RUST_FLAGS: [&str; 6] = [
    "--cfg=fuzzing",
    "-Zsanitizer=address",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4 -sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

struct Options {
    seconds: u64,
    keep: bool,
    targets: Vec<String>,
}

/// Builds and runs; fails if a target crashed.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let options = Options::read(words)?;
    let binaries = build()?;
    let mut failed = Vec::new();
    for group in options.targets.chunks(AT_ONCE) {
        let running: Vec<Running> =
            group.iter().map(|target| Running::start(&binaries, target)).collect::<Result<_>>()?;
        for mut target in running {
            let status = target.watch(options.seconds)?;
            println!("{}: {}", target.name, if status.success() { "no crash" } else { "FAILED" });
            if !status.success() {
                failed.push(target.name);
            }
        }
    }
    if options.keep {
        options.targets.iter().try_for_each(|target| merge(&binaries, target))?;
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{}: see fuzz/artifacts/<target>/log and crash-*", failed.join(", "))
    }
}

impl Options {
    fn read(words: &[&str]) -> Result<Self> {
        let known = targets()?;
        let mut options = Self { seconds: SECONDS, keep: false, targets: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--keep" => options.keep = true,
                "--seconds" => {
                    let number = words.next().context("--seconds wants a number")?;
                    options.seconds = number.parse().with_context(|| format!("--seconds {number}"))?;
                }
                target if known.iter().any(|known| known == target) => {
                    options.targets.push(target.to_owned())
                }
                other => bail!("no fuzz target {other}; there are {}", known.join(", ")),
            }
        }
        if options.targets.is_empty() {
            options.targets = known;
        }
        Ok(options)
    }
}

fn folder() -> PathBuf {
    workspace::root().join("fuzz")
}

/// The targets, by the names of their files.
fn targets() -> Result<Vec<String>> {
    let files = workspace::files(&folder().join("fuzz_targets"), &|name| name.ends_with(".rs"))?;
    let names = files.iter().filter_map(|file| file.file_stem()?.to_str().map(str::to_owned));
    Ok(names.collect())
}

/// Builds all targets; the folder that they are in.
fn build() -> Result<PathBuf> {
    let host = workspace::host()?;
    let folder = folder();
    let target_directory = std::env::var_os("CARGO_TARGET_DIR").map_or(folder.join("target"), PathBuf::from);
    let mut command = workspace::cargo();
    // A target platform is named so that the flags do not reach build scripts and macros.
    command.args(["build", "--release", "--bins", "--target", &host]).current_dir(&folder);
    command.env("CARGO_ENCODED_RUSTFLAGS", RUST_FLAGS.join("\u{1f}")).env("RUSTC_BOOTSTRAP", "1");
    command.env("CARGO_TARGET_DIR", &target_directory);
    if !command.status().context("starting cargo build")?.success() {
        bail!("the fuzz targets do not build");
    }
    Ok(target_directory.join(host).join("release"))
}

/// Where a target's finds go; made if it is not there.
fn artifacts(target: &str) -> Result<PathBuf> {
    let artifacts = folder().join("artifacts").join(target);
    std::fs::create_dir_all(artifacts.join("found"))
        .with_context(|| format!("making {}", artifacts.display()))?;
    Ok(artifacts)
}

fn corpus(target: &str) -> Result<PathBuf> {
    let corpus = folder().join("corpus").join(target);
    std::fs::create_dir_all(&corpus).with_context(|| format!("making {}", corpus.display()))?;
    Ok(corpus)
}

/// A target that runs.
struct Running {
    name: String,
    child: Child,
}

impl Running {
    fn start(binaries: &Path, target: &str) -> Result<Self> {
        let artifacts = artifacts(target)?;
        let log = std::fs::File::create(artifacts.join("log"))?;
        let mut prefix = OsString::from("-artifact_prefix=");
        prefix.push(artifacts.join(""));
        let mut command = Command::new(binaries.join(target));
        command.arg(prefix).args([
            LONGEST_INPUT,
            "-len_control=20",
            "-timeout=10",
            "-rss_limit_mb=1024",
            "-malloc_limit_mb=64",
        ]);
        command.args([artifacts.join("found"), corpus(target)?]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().with_context(|| format!("starting {target}"))?;
        Ok(Self { name: target.to_owned(), child })
    }

    /// Waits until the target ends by itself, which it does only for a reason, or has had its time.
    fn watch(&mut self, seconds: u64) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if processor_time(self.child.id())? >= seconds {
                return self.stop();
            }
            sleep(Duration::from_millis(200));
        }
    }

    /// libFuzzer takes SIGUSR1 for a wish to end well after the input that it is at.
    fn stop(&mut self) -> Result<ExitStatus> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-USR1", &id]).status().context("starting kill")?;
        Ok(self.child.wait()?)
    }
}

/// Seconds of processor time that a process has used, in user and in system mode.
fn processor_time(process: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).context("reading processor time")?;
    let ticks = ticks(&stat).with_context(|| format!("/proc/{process}/stat reads {stat:?}"))?;
    Ok(ticks / TICKS)
}

/// utime and stime: fields 14 and 15, the name in parentheses being field 2.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    Some(user + fields.next()?.parse::<u64>().ok()?)
}

/// Replaces the kept inputs by a small set that reaches what the old and the found ones reach.
fn merge(binaries: &Path, target: &str) -> Result<()> {
    let (artifacts, corpus) = (artifacts(target)?, corpus(target)?);
    let merged = artifacts.join("merged");
    if merged.exists() {
        std::fs::remove_dir_all(&merged)?;
    }
    std::fs::create_dir(&merged)?;
    let log = std::fs::File::create(artifacts.join("merge.log"))?;
    let mut command = Command::new(binaries.join(target));
    // Which edges are reached decides, not how often: a fifth of the inputs, and the fuzzer soon finds the others again.
    command.args(["-set_cover_merge=1", "-use_counters=0", LONGEST_INPUT]).args([
        &merged,
        &corpus,
        &artifacts.join("found"),
    ]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).status()?;
    if !status.success() {
        bail!("merging {target}: see fuzz/artifacts/{target}/merge.log");
    }
    replace(&merged, &corpus)
}

/// Puts the merged inputs in the place of those that an earlier merge left; of too many the longest, which reach most.
fn replace(merged: &Path, corpus: &Path) -> Result<()> {
    let is_named_by_hash = |name: &str| name.len() == NAME_LEN;
    for old in workspace::files(corpus, &is_named_by_hash)? {
        std::fs::remove_file(old)?;
    }
    let room = MOST_KEPT.saturating_sub(workspace::files(corpus, &|_| true)?.len());
    let mut new = workspace::files(merged, &|_| true)?;
    new.sort_by_cached_key(|file| std::cmp::Reverse(std::fs::metadata(file).map_or(0, |data| data.len())));
    for file in new.iter().take(room) {
        std::fs::copy(file, corpus.join(file.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// libFuzzer names an input by its SHA1. A file with another name was put there by hand, and stays.
const NAME_LEN: usize = 40;
/// Inputs kept for a target, those put there by hand included.
const MOST_KEPT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_with_blanks_and_parentheses() {
        let stat = "17 (a) b (c)) S 1 17 17 0 -1 4194560 100 200 0 0 345 55 7 8 20 0 1 0";
        assert_eq!(ticks(stat), Some(400));
        assert_eq!(ticks("17 (a) S 1"), None);
        assert!(processor_time(std::process::id()).is_ok());
    }

    #[test]
    fn a_merge_replaces_what_a_merge_left_and_keeps_the_longest() {
        let folder = workspace::target_directory().join("fuzz-tests");
        let (merged, corpus) = (folder.join("new"), folder.join("old"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        [&merged, &corpus].iter().for_each(|folder| std::fs::create_dir_all(folder).unwrap());
        let (by_hand, by_merge) = (corpus.join("seed-000"), corpus.join("a".repeat(NAME_LEN)));
        [&by_hand, &by_merge].iter().for_each(|file| std::fs::write(file, "old").unwrap());
        (0..=MOST_KEPT).for_each(|len| {
            std::fs::write(merged.join(format!("{len:0>width$}", width = NAME_LEN)), vec![7; len]).unwrap();
        });
        replace(&merged, &corpus).unwrap();
        assert_eq!(workspace::files(&corpus, &|_| true).unwrap().len(), MOST_KEPT);
        assert!(by_hand.exists() && !by_merge.exists());
        let shortest =
            (0..MOST_KEPT).find(|len| corpus.join(format!("{len:0>width$}", width = NAME_LEN)).exists());
        assert_eq!(shortest, Some(2));
    }

    #[test]
    fn options_name_targets_or_mean_all() {
        let all = Options::read(&["--seconds", "5"]).unwrap();
        assert_eq!((all.seconds, all.keep), (5, false));
        assert!(all.targets.contains(&"tl".to_owned()) && all.targets.len() > 5);
        let one = Options::read(&["tl", "--keep"]).unwrap();
        assert_eq!((one.seconds, one.keep, one.targets), (SECONDS, true, vec!["tl".to_owned()]));
        assert!(Options::read(&["no-such-target"]).is_err());
        assert!(Options::read(&["--seconds", "long"]).is_err());
    }
}
