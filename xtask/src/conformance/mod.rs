//! `cargo xtask conformance`: `dayfly check` on ourselves, and on ourselves with planted faults.

mod expected;
pub(crate) mod programs;
mod prove;
mod server;
mod suite;
mod verdict;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::parallel::in_parallel;
use crate::workspace;
use programs::Profile;
use server::Server;

/// How another project runs the suite: we run it in the same way.
const SCRIPT: &str = "packaging/check/run.sh";
/// The whole suite comes from one address.
const SETTINGS: &str = "[limits]\nhandshakes_per_address = 100000\n";

/// What stands behind `conformance`.
#[derive(Debug, Default, Eq, PartialEq)]
struct Options {
    prove: bool,
    /// Leaves out what no case can see anyway.
    short: bool,
    profile: Profile,
    /// Proves only the checks whose ids begin so.
    only: String,
}

impl Options {
    fn read(words: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--prove" => options.prove = true,
                "--short" => options.short = true,
                "--dev" => options.profile = Profile::Dev,
                "--only" => options.only = (*words.next().context("--only without a PREFIX")?).to_owned(),
                other => bail!("unknown word after `conformance`: {other}"),
            }
        }
        let of_proof = options.short || !options.only.is_empty();
        ensure!(options.prove || !of_proof, "--only and --short go with --prove");
        Ok(options)
    }
}

/// The command with the words after `conformance`.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let options = Options::read(words)?;
    if options.prove { prove::run(&options) } else { ourselves(options.profile) }
}

/// Runs both suites on ourselves as another project would; fails unless every must and every should passes.
fn ourselves(profile: Profile) -> Result<()> {
    let dayfly = programs::dayfly(profile)?;
    let peer = programs::peer(profile)?;
    let place = folder()?.join("serve");
    if place.exists() {
        std::fs::remove_dir_all(&place).with_context(|| format!("removing {}", place.display()))?;
    }
    std::fs::create_dir_all(&place).with_context(|| format!("making {}", place.display()))?;
    std::fs::write(place.join("dayfly.toml"), SETTINGS).context("writing the settings of the server")?;
    let mut command = Command::new(&dayfly);
    command.args(["serve", "--listen", "127.0.0.1:0", "--config", "dayfly.toml"]);
    command.current_dir(&place).env("HOME", &place).env_remove("XDG_CONFIG_HOME");
    let server = Server::start(&mut command)?;
    let key = place.join("dayfly-data/server.pub.pem").display().to_string();
    let client = starts_client(&peer);
    let of_server = ["server", &server.address, "--server-key", &key, "--allow-load"];
    let of_client = ["client", "--run", &client];
    let slow = |only| [&of_client[..], &["--slow", "--only", only]].concat();
    // Two at a time, the longest first: what is slow waits.
    let checks = [
        ("client-slow", slow("HS-30,PF-12")),
        ("server", of_server.to_vec()),
        ("client", of_client.to_vec()),
        ("client-zero", slow("HS-24")),
    ];
    in_parallel(&checks, |(name, words)| as_others_do(&dayfly, name, words))?.into_iter().collect()
}

/// Starts our client, which calls until it is ended; it is not `dayfly connect`, which ends after two calls.
fn starts_client(peer: &Path) -> String {
    format!("exec '{}' connect {{addr}} {{pem}}", peer.display())
}

/// Runs the script that other projects use, and prints what it says once it has ended; the reports are in the folder `name`.
fn as_others_do(dayfly: &Path, name: &str, words: &[&str]) -> Result<()> {
    let place = folder()?.join(name);
    std::fs::create_dir_all(&place).with_context(|| format!("making {}", place.display()))?;
    let mut script = Command::new(workspace::root().join(SCRIPT));
    script.args(words).args(["--strict", "--seed", "1"]).current_dir(&place).env("DAYFLY", dayfly);
    let output = script.output().with_context(|| format!("starting {SCRIPT}"))?;
    let said = [output.stdout, output.stderr].concat();
    std::io::stdout().write_all(&said).context("printing what the suite says")?;
    ensure!(output.status.success(), "check {} does not pass", words.join(" "));
    Ok(())
}

/// Where reports and scratch files go.
fn folder() -> Result<PathBuf> {
    let folder = workspace::target_directory().join("conformance");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_become_options_and_unknown_ones_are_told() {
        let expected = Options { prove: true, short: true, profile: Profile::Dev, only: "HS-2".to_owned() };
        assert_eq!(Options::read(&["--prove", "--short", "--only", "HS-2", "--dev"]).unwrap(), expected);
        assert_eq!(Options::read(&[]).unwrap(), Options::default());
        for wrong in [&["--only", "HS-2"][..], &["--short"], &["--prove", "--only"], &["--proof"]] {
            assert!(Options::read(wrong).is_err(), "{wrong:?}");
        }
    }
}
