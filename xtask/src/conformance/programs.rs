//! What is built for the suites: `dayfly`, as it is shipped, and the peer, whose checks can be switched off.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::folder;
use crate::{mutants, workspace};

/// The program that is our server and our client.
const PEER: &str = "dayfly-peer";

/// How programs are built.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Profile {
    /// As they are shipped.
    #[default]
    Release,
    /// Quicker to build, for whoever writes cases.
    Dev,
}

/// A line of cargo's answer, as far as it is used here.
#[derive(Deserialize)]
struct Artifact {
    target: Option<Target>,
    profile: Option<Built>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Built {
    test: bool,
}

/// Builds `dayfly` with everything that is in it, for what is checked and for the suite.
pub(crate) fn dayfly(profile: Profile) -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--quiet", "--bin", "dayfly"]);
    built(cargo, profile, "dayfly", "dayfly")
}

/// Builds the peer as it is, with every check on.
pub(super) fn peer(profile: Profile) -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--quiet", "--bin", PEER]);
    built(cargo, profile, PEER, PEER)
}

/// Builds the peer with switchable checks. The words are those of `rules --prove`, so that one build serves both: the test
/// named here is what brings the peer's program with it.
pub(super) fn switchable_peer(profile: Profile) -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--no-run", "--quiet", "--workspace", "--test", "server"]);
    mutants::EXCLUDED.iter().for_each(|package| _ = cargo.args(["--exclude", package]));
    mutants::switchable(&mut cargo)?;
    built(cargo, profile, PEER, "dayfly-peer-switchable")
}

/// Runs cargo and puts the program `aside`, since the next build of another kind would take its place.
fn built(mut cargo: Command, profile: Profile, name: &str, aside: &str) -> Result<PathBuf> {
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    cargo.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let output = cargo.output().with_context(|| format!("starting cargo for {name}"))?;
    ensure!(output.status.success(), "{name} does not build");
    let text = String::from_utf8(output.stdout).context("reading the answer of cargo")?;
    let program = program(&text, name)?.with_context(|| format!("cargo built no {name}"))?;
    let aside = folder()?.join(aside);
    // One that still runs may not be written to, but may be replaced.
    let new = aside.with_extension("new");
    std::fs::copy(&program, &new).with_context(|| format!("copying {}", program.display()))?;
    std::fs::rename(&new, &aside).with_context(|| format!("placing {}", aside.display()))?;
    Ok(aside)
}

fn program(answer: &str, name: &str) -> Result<Option<PathBuf>> {
    for line in answer.lines() {
        let artifact: Artifact = serde_json::from_str(line).context("reading a line of cargo's answer")?;
        let named = artifact.target.is_some_and(|target| target.name == name);
        if named && artifact.profile.is_some_and(|profile| !profile.test) && artifact.executable.is_some() {
            return Ok(artifact.executable);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_told_from_its_tests_and_from_libraries() {
        let answer = r#"{"reason":"compiler-artifact","target":{"name":"a"},"profile":{"test":true},"executable":"/t/a-1"}
{"reason":"compiler-artifact","target":{"name":"a"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","target":{"name":"b"},"profile":{"test":false},"executable":"/t/b"}
{"reason":"compiler-artifact","target":{"name":"a"},"profile":{"test":false},"executable":"/t/a"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(program(answer, "a").unwrap(), Some(PathBuf::from("/t/a")));
        assert_eq!(program(answer, "c").unwrap(), None);
        assert!(program("no json", "a").is_err());
    }
}
