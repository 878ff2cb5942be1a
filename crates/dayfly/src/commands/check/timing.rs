//! `dayfly check timing`: the padding oracle in time.

use std::time::Duration;

use anyhow::bail;
use dayfly_check::server::timing::{DIFFERS, ROUNDS, Round, Timing, timing};
use dayfly_check::verdict::Stop;

use super::target;
use crate::args::check::CheckTiming;
use crate::commands::runtime;
use crate::report::line;

pub(crate) fn run(args: &CheckTiming) -> anyhow::Result<()> {
    let patience = Duration::from_secs(args.patience);
    let target = target(&args.address, &args.server_key, args.authorized, patience, args.seed)?;
    let peer = target.address;
    let samples = usize::try_from(args.samples).unwrap_or(usize::MAX);
    let mut rounds = 0;
    let measured = timing(target, samples, |round| {
        rounds += 1;
        show(rounds, round);
    });
    match runtime()?.block_on(measured) {
        Ok(timing) => judge(&peer.to_string(), &timing),
        Err(Stop::Failed(why) | Stop::NotReached(why) | Stop::Undecided(why)) => bail!("{peer}: {why}"),
    }
}

/// A line a kind.
fn show(number: usize, round: &Round) {
    line(&format!("round {number} of {ROUNDS}: median, against the others, deviation"));
    for took in &round.took {
        line(&format!(
            "  {:>9.1} us  {:>+9.1} us  {:>+7.2}  {}",
            took.median.as_secs_f64() * 1e6,
            took.more_nanos as f64 / 1e3,
            took.deviation,
            took.kind
        ));
    }
}

/// The exit code follows from this: 1 if a kind differs.
fn judge(peer: &str, timing: &Timing) -> anyhow::Result<()> {
    let (samples, seed) = (timing.samples, timing.seed);
    let end = format!("{ROUNDS} rounds of {samples} each; the same again: --samples {samples} --seed {seed}");
    if timing.is_failure() {
        line(&format!("FAILED timing {peer}: {end}"));
        bail!("{peer}: it takes another time for {}", timing.differing().join("; "));
    }
    line(&format!("PASSED timing {peer}: no kind is beyond {DIFFERS} in every round; {end}"));
    Ok(())
}
