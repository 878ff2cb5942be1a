//! A hostile server: what a client does with it.
//!
//! The client connects again and again, each time against one case. A case alters what a lab sends, and its verdict is by what
//! the client does next on the wire: goes on, closes, begins anew, repeats. A client that stays silent on an open connection
//! has told nothing, and no case passes by that.

mod binding;
mod cases;
mod child;
mod evidence;
mod judge;
mod recovery;
mod sealed;
mod stage;
mod zero;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dayfly_crypto::rsa_key::PrivateKey;
use tokio::net::TcpListener;

use crate::case::{Case, Cost};
use crate::run::{Chosen, Report, Told};
use crate::server::Happened;
use crate::verdict::{Stop, Verdict};
use stage::Stage;

/// Whom the cases are about.
#[derive(Clone)]
pub struct Subject {
    /// Where it is to connect.
    pub listen: SocketAddr,
    /// Starts it, once for each case, through `sh -c`: `{addr}` and `{pem}` stand for where it is to connect and for the file
    /// with the server's public key. It is killed after the verdict. Without it the next connection belongs to the next case.
    pub run: Option<String>,
    /// The server's RSA key.
    pub key: Arc<PrivateKey>,
    /// The file with its public half, for `{pem}`; whoever calls has written it.
    pub pem: PathBuf,
    /// How long the client may stay silent before a case ends without a verdict.
    pub patience: Duration,
    /// What decides every random byte.
    pub seed: u64,
}

/// A case and what it does.
type Entry = crate::case::Entry<Stage>;

/// Every case, in the order in which they run.
#[must_use]
pub fn cases() -> Vec<Case> {
    cases::all().iter().map(|entry| entry.case).collect()
}

/// Runs the chosen cases, one after the other; `told` is shown each as it ends. `ready` is called with the address once the
/// first connection can come.
///
/// If the client does not get through the plain exchange, which comes first, no case after it is run: each is told as not
/// reached.
///
/// # Errors
/// Those of listening at the address.
pub async fn check(
    subject: Subject,
    chosen: &Chosen,
    ready: impl FnOnce(SocketAddr),
    mut told: impl FnMut(&Told),
) -> io::Result<Report> {
    let listener = Arc::new(TcpListener::bind(subject.listen).await?);
    let address = listener.local_addr()?;
    ready(address);
    let peer = subject.run.clone().unwrap_or_else(|| format!("whoever connects to {address}"));
    let mut report = Report::new("client", peer, subject.seed);
    let mut broken = None;
    for entry in cases::all() {
        let Some(left) = chosen.left(&entry.case) else { continue };
        let begun = Instant::now();
        let (verdict, trace) = match (left, &broken) {
            (Some(left), _) => (Verdict::Left(left), Vec::new()),
            (None, Some(why)) => (Verdict::Stopped(Stop::NotReached(String::clone(why))), Vec::new()),
            (None, None) => run(&subject, &listener, entry).await,
        };
        if entry.case.id == cases::FIRST && verdict != Verdict::Passed {
            broken =
                Some(format!("the client does not get through the plain exchange: see {}", cases::FIRST));
        }
        let one = Told { case: entry.case, verdict, trace, took: begun.elapsed() };
        told(&one);
        report.add(one);
    }
    Ok(report)
}

/// The longest that one case may take, whatever the client does.
const LONGEST: Duration = Duration::from_secs(60);
/// The same for a case that is slow by its nature.
const LONGEST_SLOW: Duration = Duration::from_secs(600);

async fn run(subject: &Subject, listener: &Arc<TcpListener>, entry: &Entry) -> (Verdict, Vec<Happened>) {
    let mut stage = Stage::new(subject, listener, entry.case.id);
    let longest = if entry.case.cost == Cost::Slow { LONGEST_SLOW } else { LONGEST };
    let outcome = tokio::time::timeout(longest, (entry.run)(&mut stage)).await;
    let verdict = match outcome {
        Ok(Ok(())) => Verdict::Passed,
        Ok(Err(stop)) => Verdict::Stopped(stop),
        Err(_) => Verdict::Stopped(Stop::Undecided(format!("it did not end within {} s", longest.as_secs()))),
    };
    (verdict, stage.end().await)
}
