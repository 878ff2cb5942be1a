//! Writes the Rust code of `proto/`, or says whether what is there is stale. `cargo xtask proto` runs it.
//!
//! The server gets the code of the side that dials, the example back end that of the side that is dialled.
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

/// Who needs the code of which side.
struct Output {
    folder: &'static str,
    dials: bool,
}

const OUTPUTS: [Output; 2] = [
    Output { folder: "crates/server/src/grpc/generated", dials: true },
    Output { folder: "examples/backend-rust/src/generated", dials: false },
];

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

/// Generates each file and hands it, with its path, to `with`.
fn run(with: fn(&Path, &str) -> Result<()>) -> Result<()> {
    let source = fs::read(repository().join("proto").join(PROTO)).with_context(|| format!("reading {PROTO}"))?;
    let head = format!("{HEAD} {:08x}.\n", crc32fast::hash(&source));
    let files = protox::compile([PROTO], [repository().join("proto")]).context("in proto/")?;
    for output in &OUTPUTS {
        let folder = tempfile::tempdir().context("making a scratch folder")?;
        tonic_prost_build::configure()
            .build_client(output.dials)
            .build_server(!output.dials)
            .build_transport(false)
            .out_dir(folder.path())
            .compile_fds(files.clone())
            .with_context(|| format!("generating {}", output.folder))?;
        let code = fs::read_to_string(folder.path().join(FILE)).with_context(|| format!("reading {FILE}"))?;
        with(&repository().join(output.folder).join(FILE), &format!("{head}{code}"))?;
    }
    Ok(())
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
