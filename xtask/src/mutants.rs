//! Builds in which checks can be switched off: `--cfg dayfly_mutants`, for the packages of this workspace alone.
//!
//! Cargo starts this very program in place of rustc for them (`RUSTC_WORKSPACE_WRAPPER`), so that no dependency is compiled a
//! second time. `DAYFLY_MUTANT` then names, at run time, the check to switch off.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

/// Names the check that is switched off.
pub(crate) const MUTANT: &str = "DAYFLY_MUTANT";
/// Packages that refuse the cfg (the shipped binary) or have no rules (this program).
pub(crate) const EXCLUDED: [&str; 2] = ["dayfly", "xtask"];
/// Tells this program that cargo calls it in place of rustc.
const WRAPPER: &str = "DAYFLY_XTASK_WRAPS_RUSTC";
/// Packages that the tests' time goes into; optimised like what is shipped.
const ARITHMETIC: [&str; 2] = ["dayfly_modexp", "dayfly_crypto"];

/// Makes `cargo` build our own packages with switchable checks.
pub(crate) fn switchable(cargo: &mut Command) -> Result<()> {
    let executable = std::env::current_exe().context("finding this program")?;
    cargo.env("RUSTC_WORKSPACE_WRAPPER", executable).env(WRAPPER, "1");
    Ok(())
}

/// Whether cargo called this program in place of rustc.
pub(crate) fn is_compiler_wrapper() -> bool {
    std::env::var_os(WRAPPER).is_some()
}

/// Runs the compiler that cargo named, with the cfg, and no better than it takes: what is built here runs for seconds.
pub(crate) fn run_compiler() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let Some(compiler) = words.next() else { return ExitCode::from(2) };
    let words: Vec<OsString> = words.collect();
    let arithmetic = words.iter().any(|word| ARITHMETIC.iter().any(|name| word == name));
    let words = words.into_iter().map(|word| if arithmetic { word } else { cheaper(word) });
    let status = Command::new(compiler).args(words).args(["--cfg", "dayfly_mutants"]).status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: starting rustc: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The words of the release profile that make a compile long, each in its cheap form.
fn cheaper(word: OsString) -> OsString {
    match word.to_str() {
        Some("opt-level=3") => "opt-level=1".into(),
        Some("debuginfo=line-tables-only") => "debuginfo=none".into(),
        _ => word,
    }
}
