//! The padding oracle: what a server says to what is wrong inside of RSA. Its times are a command of their own.

use crate::case::cases;
use crate::server::Entry;
use crate::server::exchange::Exchange;
use crate::server::probe::Probe;
use crate::server::wire::{Heard, Wire};
use crate::server::wrong_rsa::Kind;
use crate::verdict::{Outcome, Stop, failed};

cases! {
    "HS-12/50" Must "ten kinds of wrong RSA payload"
        why "whoever can tell them apart decrypts recorded key exchanges, query by query, as in the attack of 2021"
        expected "the same bytes to each: -404"
        same_answers;
    "HS-12/51" Must "what a run is worth after each of the ten"
        why "a run that goes on after some of them tells them apart as well as an answer would"
        expected "-404 to the right query of the same run, and a new run on the same connection"
        same_afterwards;
    "HS-12/52" Must "each of the ten, sent twice"
        why "a second answer that differs for some of them is an oracle too"
        expected "the same bytes to each: -404"
        same_again;
}

/// What came to a query; only a run's own end of patience says nothing of it.
async fn told(wire: &mut Wire, query: &[u8], what: &str, probe: &mut Probe) -> Outcome<Heard> {
    match probe.ask(wire, query, what).await? {
        Heard::Silence => Err(Stop::Undecided(format!("{what} got no answer in time"))),
        other => Ok(other),
    }
}

/// A connection on which a run was opened, and the wrong query of this kind.
async fn wrong(kind: Kind, probe: &mut Probe) -> Outcome<(Wire, Exchange, Vec<u8>)> {
    let mut wire = probe.connect().await?;
    let run = probe.open(&mut wire).await?;
    let query = kind.query(&run, &mut probe.dice)?;
    Ok((wire, run, query))
}

/// All ten got this.
fn all_got(came: &[(Kind, Vec<Heard>)], expected: &[Heard]) -> Outcome {
    let words = |heard: &[Heard]| heard.iter().map(Heard::told).collect::<Vec<_>>().join(", then ");
    match came.iter().find(|(_, heard)| heard != expected) {
        Some((kind, heard)) => {
            failed(format!("{} got {} instead of {}", kind.name(), words(heard), words(expected)))
        }
        None => Ok(()),
    }
}

async fn same_answers(probe: &mut Probe) -> Outcome {
    let mut came = Vec::new();
    for kind in Kind::ALL {
        let (mut wire, _, query) = wrong(kind, probe).await?;
        came.push((kind, vec![told(&mut wire, &query, kind.name(), probe).await?]));
    }
    all_got(&came, &[Heard::Error(-404)])
}

async fn same_again(probe: &mut Probe) -> Outcome {
    let mut came = Vec::new();
    for kind in Kind::ALL {
        let (mut wire, _, query) = wrong(kind, probe).await?;
        let first = told(&mut wire, &query, kind.name(), probe).await?;
        came.push((kind, vec![first, told(&mut wire, &query, "the same again", probe).await?]));
    }
    all_got(&came, &[Heard::Error(-404), Heard::Error(-404)])
}

async fn same_afterwards(probe: &mut Probe) -> Outcome {
    let mut came = Vec::new();
    for kind in Kind::ALL {
        let (mut wire, run, query) = wrong(kind, probe).await?;
        let first = told(&mut wire, &query, kind.name(), probe).await?;
        let right = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
        let right = told(&mut wire, &right, "then the right query of the same run", probe).await?;
        came.push((kind, vec![first, right]));
        probe.key_on(&mut wire, None).await?;
    }
    all_got(&came, &[Heard::Error(-404), Heard::Error(-404)])
}
