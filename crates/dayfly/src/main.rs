//! The `dayfly` command: each subcommand is a thin call into a library.
#![forbid(unsafe_code)]

#[cfg(dayfly_mutants)]
compile_error!("a binary with switchable checks must not exist: build it without --cfg dayfly_mutants");

mod args;
mod commands;
mod passphrase;
mod report;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};

/// What was asked for failed.
const FAILED: u8 = 1;
/// The question was wrong: usage, or a configuration that says something impossible.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(demo) => commands::demo::run(&demo),
        Command::Serve(serve) => commands::serve::run(&serve),
        Command::Connect(connect) => commands::connect::run(&connect),
        Command::Keygen(keygen) => commands::rsa::keygen(&keygen),
        Command::Fingerprint(fingerprint) => commands::rsa::fingerprint(&fingerprint),
        Command::Keys(keys) => commands::keys::run(&keys),
        #[cfg(feature = "check")]
        Command::Check(check) => commands::check::run(&check),
        #[cfg(feature = "lab")]
        Command::Lab(lab) => commands::lab::run(&lab),
        #[cfg(feature = "lab")]
        Command::Decode(decode) => commands::decode::run(&decode),
        Command::Completions(completions) => commands::reference::completions(&completions),
        Command::Man(man) => commands::reference::man(&man),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let wrong_usage = error.is::<dayfly_server::ConfigError>()
                || error.is::<dayfly_client::ProxyError>()
                || error.is::<commands::WrongUsage>();
            report::failure(&error);
            ExitCode::from(if wrong_usage { WRONG_USAGE } else { FAILED })
        }
    }
}
