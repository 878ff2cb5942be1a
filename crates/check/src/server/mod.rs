//! A hostile client: what a server does with it.
//!
//! The plain exchange, the plain binding and a plain call come first. If they fail, the server is not there, speaks something
//! else or is broken as a whole, and every other case is told as not reached.

mod cases;
mod connect;
mod exchange;
mod fate;
mod http;
mod line;
mod meet;
mod probe;
mod talk;
pub mod timing;
mod trace;
mod websocket;
mod wire;
mod wrong_rsa;

use std::time::{Duration, Instant};

pub use probe::Target;
pub use trace::Happened;

use crate::case::{Case, Cost};
use crate::run::{Chosen, Report, Told};
use crate::verdict::{Stop, Verdict};
use probe::{Probe, Shared};

/// A case and what it does.
type Entry = crate::case::Entry<Probe>;

/// Every case, in the order in which they run.
#[must_use]
pub fn cases() -> Vec<Case> {
    cases::all().iter().map(|entry| entry.case).collect()
}

/// Runs the chosen cases against `target`, one after the other; `told` is shown each as it ends. Of a peer that does not speak
/// MTProto it is shown nothing: the report says in a sentence what that peer is.
pub async fn check(target: Target, chosen: &Chosen, mut told: impl FnMut(&Told)) -> Report {
    let shared = Shared::new(target);
    let mut report = Report::new("server", shared.target.address.to_string(), shared.target.seed);
    let stranger = meet::stranger(&shared.target).await;
    let broken = if stranger.is_some() { None } else { plain_exchange(&shared).await };
    for entry in cases::all() {
        let Some(left) = chosen.left(&entry.case) else { continue };
        let begun = Instant::now();
        let why = stranger.as_ref().or(broken.as_ref().filter(|_| !entry.first));
        let (verdict, trace) = match (left, why) {
            (Some(left), _) => (Verdict::Left(left), Vec::new()),
            (None, Some(why)) => (Verdict::Stopped(Stop::NotReached(why.clone())), Vec::new()),
            (None, None) => run(&shared, entry).await,
        };
        let one = Told { case: entry.case, verdict, trace, took: begun.elapsed() };
        if stranger.is_none() {
            told(&one);
        }
        report.add(one);
    }
    report.stranger = stranger;
    report
}

/// Why no key can be made; `None` if one can.
async fn plain_exchange(shared: &Shared) -> Option<String> {
    let mut probe = Probe::new(shared, "the plain exchange");
    let why = match tokio::time::timeout(LONGEST, probe.perm()).await {
        Ok(Ok(_)) => return None,
        Ok(Err(Stop::Failed(why) | Stop::NotReached(why) | Stop::Undecided(why))) => why,
        Err(_) => format!("it did not end within {} s", LONGEST.as_secs()),
    };
    Some(format!("no permanent key can be made, which everything else needs: {why}"))
}

/// The longest that one case may take, whatever the server does.
const LONGEST: Duration = Duration::from_secs(60);
/// The same for a case that is slow by its nature.
const LONGEST_SLOW: Duration = Duration::from_secs(300);

async fn run(shared: &Shared, entry: &Entry) -> (Verdict, Vec<Happened>) {
    let mut probe = Probe::new(shared, entry.case.id);
    let longest = if entry.case.cost == Cost::Slow { LONGEST_SLOW } else { LONGEST };
    let outcome = tokio::time::timeout(longest, (entry.run)(&mut probe)).await;
    let verdict = match outcome {
        Ok(Ok(())) => Verdict::Passed,
        Ok(Err(stop)) => Verdict::Stopped(stop),
        Err(_) => Verdict::Stopped(Stop::Undecided(format!("it did not end within {} s", longest.as_secs()))),
    };
    (verdict, probe.take_trace())
}
