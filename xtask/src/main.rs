//! The tools of this repository: `cargo xtask help` lists them, `cargo xtask ci` is exactly what CI runs.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks on stdout and stderr"
)]

mod child;
mod ci;
mod conformance;
mod deps;
mod fuzz;
mod load;
mod mutants;
mod parallel;
mod proto;
mod rules;
mod tl;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci                            what CI runs, step by step; logs in target/ci/
  conformance [--dev]           `dayfly check` on our server and client: every must and should passes; --dev builds quicker
  conformance --prove [--only PREFIX] [--short] [--dev]
                                switch their checks off one by one: a case that names the rule must fail; --short leaves out
                                those that no case can see
  deps                          edges between crates, DEPS.md, licences, forbidden crates
  figures [--write] [--only echo,idle,pings,storm,lab]
                                measure docs/src/figures.md; --write puts the report there
  fuzz [--seconds N] [--keep] [TARGET...]
                                10 CPU-minutes for each fuzz target, or N seconds; --keep minimizes fuzz/corpus
  proto [--check]               generate the Rust code of proto/, or say whether it is stale
  rules [--summary]             every rule of docs/src/rules.md with its checks and its tests
  rules --prove [--only PREFIX] switch the checks off one by one: a test that names the rule must fail
  rules --prove --no-run        build what that runs
  soak [--minutes N] [--seed N] [--json]
                                an hour of the protocol in ten minutes: nothing lost, nothing run twice
  tl                            generate crates/tl/src/generated from schema/*.tl
  help                          this text";

fn main() -> ExitCode {
    if mutants::is_compiler_wrapper() {
        return mutants::run_compiler();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ci"] => ci::run(),
        ["conformance", rest @ ..] => conformance::run(rest),
        ["deps"] => deps::run(),
        ["figures", rest @ ..] => load::figures(rest),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["proto", rest @ ..] => proto::run(rest),
        ["rules", rest @ ..] => rules::run(rest),
        ["soak", rest @ ..] => load::soak(rest),
        ["tl"] => tl::run(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
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
