//! `cargo xtask proto`: the Rust code of `proto/`, written anew or checked.
//!
//! The generator is a package of its own, `xtask/proto`, built only here: its compiler of protocol buffers takes longer to
//! build than everything else in xtask. It runs for a second, so it is built without optimisation.

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Runs the generator with `words`.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let mut command = workspace::cargo();
    command.args(["run", "--quiet", "--profile", "tools", "--package", "xtask-proto", "--"]).args(words);
    let status = command.current_dir(workspace::root()).status().context("starting the generator")?;
    if status.success() { Ok(()) } else { bail!("the generator ended with {status}") }
}
