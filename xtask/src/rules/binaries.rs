//! The test binaries: built once, asked for the tests that they hold, run one test at a time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::scan::Test;
use crate::child::wait;
use crate::{mutants, workspace};

/// A line of `cargo test --message-format=json`, as far as it is used here.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// A test binary of one target.
#[derive(Debug)]
pub(super) struct Binary {
    executable: PathBuf,
    /// The folder of the package: tests run there, as under cargo.
    package: PathBuf,
    /// The root file of the target.
    source: PathBuf,
    /// Full names, such as `keys::bind::tests::refuses_it`.
    tests: Vec<String>,
}

/// A test that can be run on its own.
#[derive(Clone, Debug)]
pub(super) struct Runnable {
    /// Full name within its binary.
    pub(super) name: String,
    pub(super) rules: Vec<String>,
    /// How long it takes with every check on.
    pub(super) usual: Duration,
    executable: PathBuf,
    package: PathBuf,
}

/// How one run of one test ended.
pub(super) struct Run {
    pub(super) passed: bool,
    pub(super) hung: bool,
    pub(super) took: Duration,
}

/// Builds all test binaries of packages with rules, with switchable checks.
pub(super) fn build() -> Result<Vec<Binary>> {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--release", "--no-run", "--quiet", "--workspace"]);
    cargo.arg("--message-format=json-render-diagnostics");
    mutants::EXCLUDED.iter().for_each(|package| _ = cargo.args(["--exclude", package]));
    mutants::switchable(&mut cargo)?;
    let output = cargo.stderr(Stdio::inherit()).output().context("starting cargo test --no-run")?;
    ensure!(output.status.success(), "the tests do not build with --cfg dayfly_mutants");
    let text = String::from_utf8(output.stdout).context("reading the answer of cargo test --no-run")?;
    text.lines().filter_map(|line| artifact(line).transpose()).collect()
}

fn artifact(line: &str) -> Result<Option<Binary>> {
    let artifact: Artifact = serde_json::from_str(line).context("reading a line of cargo test --no-run")?;
    let Artifact {
        manifest_path: Some(manifest),
        target: Some(target),
        profile: Some(profile),
        executable: Some(executable),
    } = artifact
    else {
        return Ok(None);
    };
    let package = manifest.parent().context("a manifest without a folder")?.to_path_buf();
    let tests = if profile.test { list(&executable)? } else { return Ok(None) };
    Ok(Some(Binary { executable, package, source: target.src_path, tests }))
}

fn list(executable: &Path) -> Result<Vec<String>> {
    let output = Command::new(executable).args(["--list", "--format", "terse"]).output();
    let output = output.with_context(|| format!("listing the tests of {}", executable.display()))?;
    let text = String::from_utf8(output.stdout).context("reading a list of tests")?;
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// `test` in the binaries of its package; by its module where two functions have one name.
pub(super) fn find(binaries: &[Binary], test: &Test) -> Vec<Runnable> {
    let file = workspace::root().join(&test.place.file);
    let homes = binaries.iter().filter(|binary| is_home(binary, &file));
    let named = homes.flat_map(|binary| {
        let is_named = |name: &&String| name.rsplit("::").next() == Some(test.name.as_str());
        binary.tests.iter().filter(is_named).map(move |name| (binary, name))
    });
    let (inside, elsewhere): (Vec<_>, Vec<_>) =
        named.partition(|(binary, name)| is_of_module(binary, &file, name));
    let chosen = if inside.is_empty() { elsewhere } else { inside };
    chosen.into_iter().map(|(binary, name)| runnable(binary, name, test)).collect()
}

/// Whether the file belongs to the binary's package; a unit test's binary is that of the sources, not of `tests/`.
fn is_home(binary: &Binary, file: &Path) -> bool {
    let folder = binary.source.parent().unwrap_or(&binary.package);
    file == binary.source || (file.starts_with(folder) && !is_integration_root(folder, file))
}

/// Files right in `tests/` are roots of binaries of their own.
fn is_integration_root(folder: &Path, file: &Path) -> bool {
    folder.ends_with("tests") && file.parent() == Some(folder)
}

fn is_of_module(binary: &Binary, file: &Path, name: &str) -> bool {
    let module = module_of(binary, file);
    module.is_empty() || name.strip_prefix(&module).is_some_and(|rest| rest.starts_with("::"))
}

/// The path of the module that the file holds, empty for the root.
fn module_of(binary: &Binary, file: &Path) -> String {
    if file == binary.source {
        return String::new();
    }
    let folder = binary.source.parent().unwrap_or(&binary.package);
    let inside = file.strip_prefix(folder).unwrap_or(file).with_extension("");
    let parts = inside.iter().map(|part| part.to_string_lossy().into_owned());
    parts.filter(|part| part != "mod").collect::<Vec<_>>().join("::")
}

fn runnable(binary: &Binary, name: &str, test: &Test) -> Runnable {
    Runnable {
        name: name.to_owned(),
        rules: test.rules.clone(),
        usual: Duration::ZERO,
        executable: binary.executable.clone(),
        package: binary.package.clone(),
    }
}

impl Runnable {
    /// Whether the file, relative to the workspace, is of the same package.
    pub(super) fn is_beside(&self, file: &str) -> bool {
        workspace::root().join(file).starts_with(&self.package)
    }

    /// Runs this test alone, for `limit` at most; one that takes longer is ended and has not passed.
    pub(super) fn run(&self, mutant: Option<(&str, &str)>, limit: Duration) -> Result<Run> {
        let mut command = Command::new(&self.executable);
        command.args(["--exact", &self.name, "--test-threads=1", "--quiet"]);
        command.current_dir(&self.package).env("CARGO_MANIFEST_DIR", &self.package);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((variable, id)) = mutant {
            // A failure that was asked for is no case to be kept for later.
            command.env(variable, id).env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
        }
        let started = Instant::now();
        let mut child = command.spawn().with_context(|| format!("starting {}", self.executable.display()))?;
        let status = wait(&mut child, started + limit)?;
        Ok(Run { passed: status == Some(true), hung: status.is_none(), took: started.elapsed() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::Place;
    use super::*;

    fn binary(source: &str, tests: &[&str]) -> Binary {
        let root = workspace::root();
        let tests = tests.iter().map(|test| (*test).to_owned()).collect();
        Binary {
            executable: root.join("x"),
            package: root.join("crates/core"),
            source: root.join(source),
            tests,
        }
    }

    fn test(file: &str, name: &str) -> Test {
        let place = Place { file: file.into(), line: 1 };
        Test { name: name.into(), rules: vec!["HS-01".into()], place }
    }

    fn names(binaries: &[Binary], test: &Test) -> Vec<String> {
        find(binaries, test).into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn a_unit_test_is_found_by_its_module() {
        let binaries =
            [binary("crates/core/src/lib.rs", &["a::tests::one", "b::tests::one", "b::c::tests::two"])];
        assert_eq!(names(&binaries, &test("crates/core/src/b/mod.rs", "one")), ["b::tests::one"]);
        assert_eq!(names(&binaries, &test("crates/core/src/b/c.rs", "two")), ["b::c::tests::two"]);
        assert!(names(&binaries, &test("crates/core/src/b/c.rs", "three")).is_empty());
        assert!(names(&binaries, &test("crates/other/src/b.rs", "one")).is_empty());
    }

    #[test]
    fn an_integration_test_is_found_in_the_binary_of_its_file() {
        let binaries = [
            binary("crates/core/src/lib.rs", &["one"]),
            binary("crates/core/tests/pair.rs", &["one"]),
            binary("crates/core/tests/crash.rs", &["one"]),
        ];
        let found = find(&binaries, &test("crates/core/tests/crash.rs", "one"));
        assert_eq!(found.len(), 1);
    }
}
