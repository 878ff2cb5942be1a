//! Writes the Rust code of `proto/`, or says whether what is there is stale. `cargo xtask proto` runs it.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks on stdout and stderr"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

const PROTO: &str = "dayfly/backend/v1/backend.proto";
/// The file that the generator names after the package.
const FILE: &str = "dayfly.backend.v1.rs";
/// The checksum tells a test, which does not build the generator, whether the interface was changed since.
const HEAD: &str = "// Written by `cargo xtask proto` from proto/dayfly/backend/v1/backend.proto, whose CRC-32 is";

/// Where the code stands: both sides, for the server dials and back ends in Rust are dialled.
const OUTPUT: &str = "crates/backend-proto/src";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => run(write),
        ["--check"] => run(check),
        _ => {
            eprintln!("usage: cargo xtask proto [--check]");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Generates the code and hands it, with its path, to `with`.
fn run(with: fn(&Path, &str) -> Result<()>) -> Result<()> {
    let source = fs::read(repository().join("proto").join(PROTO)).with_context(|| format!("reading {PROTO}"))?;
    let files = protox::compile([PROTO], [repository().join("proto")]).context("in proto/")?;
    let folder = tempfile::tempdir().context("making a scratch folder")?;
    tonic_prost_build::configure()
        .build_transport(false)
        .out_dir(folder.path())
        .compile_fds(files)
        .context("generating the code")?;
    let code = fs::read_to_string(folder.path().join(FILE)).with_context(|| format!("reading {FILE}"))?;
    let head = format!("{HEAD} {:08x}.\n", crc32fast::hash(&source));
    with(&repository().join(OUTPUT).join(FILE), &format!("{head}{code}"))
}

fn write(path: &Path, code: &str) -> Result<()> {
    fs::write(path, code).with_context(|| format!("cannot write {}", path.display()))
}

fn check(path: &Path, code: &str) -> Result<()> {
    let there = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    if there != code {
        bail!("{} is stale: run `cargo xtask proto`", path.display());
    }
    Ok(())
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
