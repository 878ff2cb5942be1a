//! A server under load. `dayfly-load figures` measures what docs/src/figures.md states, each figure against a server in
//! a process of its own; `dayfly-load soak` runs clients against a server whose clock is fast, and looks for what gets
//! lost. `cargo xtask figures` and `cargo xtask soak` build and start it.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks on stdout and stderr"
)]

mod child;
mod figures;
mod planted;
mod process;
mod report;
mod soak;
mod speaker;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "A server under load", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the figures; exits with 1 if one misses its target
    Figures(figures::Figures),
    /// Run clients against a server with a fast clock; exits with 1 if anything is lost, or memory grows
    Soak(soak::Soak),
    /// The server that is measured; told on stdin what to do
    #[command(hide = true)]
    Serve(child::Serve),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Figures(figures) => figures::run(&figures),
        Command::Soak(soak) => soak::run(&soak),
        Command::Serve(serve) => child::run(&serve).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("dayfly-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}
