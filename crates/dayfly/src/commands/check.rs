//! `dayfly check`.

mod client;
mod output;
mod permission;
mod timing;

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use dayfly_check::case::Case;
use dayfly_check::report::{explain, list};
use dayfly_check::run::{Chosen, Report};
use dayfly_check::server::{self, Target};
use dayfly_core::SecureRandom as _;

use self::output::Output;
use super::{WrongUsage, runtime};
use crate::args::check::{Check, CheckServer, Choice};
use crate::report::line;

/// A peer counts as silent after this part of the time for which an answer is waited.
const SILENCE: u32 = 10;

pub(crate) fn run(args: &Check) -> anyhow::Result<()> {
    match args {
        Check::Server(args) => check_server(args),
        Check::Client(args) => client::run(args),
        Check::Timing(args) => timing::run(args),
    }
}

fn check_server(args: &CheckServer) -> anyhow::Result<()> {
    let choice = &args.choice;
    if told_without_running(choice, &server::cases())? {
        return Ok(());
    }
    let (Some(address), Some(key)) = (&args.address, &args.server_key) else {
        return Err(WrongUsage::new("ADDR and --server-key are needed").into());
    };
    let mut output = Output::open(&args.forms, choice.strict)?;
    let patience = Duration::from_secs(choice.patience);
    let target = target(address, key, args.authorized, patience, choice.seed)?;
    let chosen = chosen(choice);
    let checked = server::check(target, &chosen, |told| output.case(told));
    let report = runtime()?.block_on(checked);
    output.end(&report)?;
    judge(&report, choice.strict)
}

/// Whom to send to, if that is allowed.
fn target(
    address: &str,
    key: &Path,
    authorized: bool,
    patience: Duration,
    seed_asked: Option<u64>,
) -> anyhow::Result<Target> {
    let key = dayfly_server::read_public(key)?;
    permission::for_key(&key)?;
    let address = permission::for_address(address, authorized)?;
    Ok(Target { address, key, patience, silence: patience / SILENCE, seed: seed(seed_asked)? })
}

/// Whether the question was about the cases themselves, which is answered here.
fn told_without_running(choice: &Choice, cases: &[Case]) -> anyhow::Result<bool> {
    let asked = choice.only.iter().chain(&choice.explain);
    for pattern in asked {
        if !cases.iter().any(|case| pattern.chooses(case)) {
            return Err(WrongUsage(format!("{pattern} chooses no case: --list shows all")).into());
        }
    }
    let mut text = String::new();
    if let Some(pattern) = &choice.explain {
        let wanted: Vec<Case> = cases.iter().filter(|case| pattern.chooses(case)).copied().collect();
        explain(&wanted, &mut text)?;
    } else if choice.list {
        let wanted = |case: &&Case| choice.only.is_empty() || choice.only.iter().any(|one| one.chooses(case));
        list(&cases.iter().filter(wanted).copied().collect::<Vec<_>>(), &mut text)?;
    }
    if !text.is_empty() {
        line(text.trim_end());
    }
    Ok(!text.is_empty())
}

fn chosen(choice: &Choice) -> Chosen {
    Chosen { only: choice.only.clone(), slow: choice.slow, load: choice.allow_load }
}

/// The seed that was asked for, or a new one, short enough to be typed.
fn seed(asked: Option<u64>) -> anyhow::Result<u64> {
    if let Some(seed) = asked {
        return Ok(seed);
    }
    let mut bytes = [0; 4];
    dayfly_server::OsRandom.fill_public(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes).into())
}

/// The exit code follows from this: 1 if the peer is not right.
fn judge(report: &Report, strict: bool) -> anyhow::Result<()> {
    match &report.stranger {
        Some(stranger) => bail!("{stranger}"),
        None if report.is_right(strict) => Ok(()),
        None => bail!("{}: not every case that counts has passed", report.peer),
    }
}
