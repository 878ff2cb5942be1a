//! The padding oracle in time: whether a server takes longer for some kinds of wrong RSA payload than for others.
//!
//! It is no case of the suite: it takes minutes, and on a busy machine it may see nothing. It measures what a client sees,
//! from the last byte of the query to the answer. Ten kinds are measured in blocks, each kind once in a block and in an order
//! drawn anew, so that what changes with time (load, heat, caches) is the same for all. How they are compared is told in
//! [`Round`].

mod ranks;

use std::time::{Duration, Instant};

use super::probe::{Probe, Shared, Target};
use super::wire::{Heard, Wire};
use super::wrong_rsa::Kind;
use crate::verdict::{Outcome, Stop, failed, not_reached};

/// How many rounds must agree before a kind is said to differ.
pub const ROUNDS: usize = 3;
/// The samples of each kind in a round, unless more are asked for.
pub const SAMPLES: usize = 2_000;

/// How often one sample is taken anew because the server was too busy for it.
const AGAIN: usize = 60;
/// How long is waited before.
const FLOOD: Duration = Duration::from_millis(500);
/// After so many blocks a new connection is opened.
const BLOCKS_A_CONNECTION: usize = 50;

/// What a kind took in a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Took {
    /// What is wrong inside of RSA.
    pub kind: &'static str,
    /// The median of its times.
    pub median: Duration,
    /// The median of what it took more than the others of its block, in nanoseconds; negative if less.
    pub more_nanos: i64,
    /// How far the mean of its ranks is from what chance gives, in standard deviations.
    pub deviation: f64,
}

/// One round: every kind as often as was asked for.
///
/// Times on a network are neither normal nor independent, so means and a t-test say little; what is compared is the rank of
/// a kind among the ten of its block, as in Friedman's test. If no kind differs, every order of a block is as likely as any
/// other, whatever the times look like, and the mean of the ranks has a known spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// One entry for each kind.
    pub took: Vec<Took>,
}

/// What all rounds say together.
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// The rounds, in the order in which they were run.
    pub rounds: Vec<Round>,
    /// Samples of each kind in each round.
    pub samples: usize,
    /// The seed with which the same bytes are sent again.
    pub seed: u64,
}

/// In how many standard deviations a kind differs in one round: chance alone goes beyond once in a thousand rounds, and with
/// the same kind and sign in three once in some hundred millions.
pub const DIFFERS: f64 = 3.29;

impl Timing {
    /// The kinds that differed in every round in the same direction, the clearest one first. One kind that differs much moves
    /// the ranks of the nine others a little, so these may be listed behind it.
    #[must_use]
    pub fn differing(&self) -> Vec<&'static str> {
        let least = |kind: &Kind| {
            let deviations = self.rounds.iter().map(|round| {
                round.took.iter().find(|took| took.kind == kind.name()).map_or(0.0, |took| took.deviation)
            });
            let all: Vec<f64> = deviations.collect();
            let same_sign = all.iter().all(|one| *one > 0.0) || all.iter().all(|one| *one < 0.0);
            all.iter().map(|one| one.abs()).reduce(f64::min).filter(|_| same_sign).unwrap_or(0.0)
        };
        let mut found: Vec<(f64, &'static str)> = Kind::ALL
            .iter()
            .map(|kind| (least(kind), kind.name()))
            .filter(|(least, _)| *least > DIFFERS)
            .collect();
        found.sort_by(|one, other| other.0.total_cmp(&one.0));
        found.into_iter().map(|(_, name)| name).collect()
    }

    /// Whether it is a failure: a kind differs in every one of at least [`ROUNDS`] rounds.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.rounds.len() >= ROUNDS && !self.differing().is_empty()
    }
}

/// Measures [`ROUNDS`] rounds of `samples` of each kind; `told` is shown each round as it ends.
///
/// # Errors
/// [`Stop::Failed`] if the server answers anything but -404, which is an oracle without any clock; [`Stop::NotReached`] if it
/// cannot be reached, or admits too few key exchanges.
pub async fn timing(target: Target, samples: usize, mut told: impl FnMut(&Round)) -> Result<Timing, Stop> {
    let seed = target.seed;
    let mut probe = Probe::new(&Shared::new(target), "timing");
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let round = round(&mut probe, samples).await?;
        told(&round);
        rounds.push(round);
    }
    Ok(Timing { rounds, samples, seed })
}

async fn round(probe: &mut Probe, samples: usize) -> Outcome<Round> {
    let mut blocks = Vec::with_capacity(samples);
    let mut wire = probe.connect().await?;
    for count in 1..=samples {
        blocks.push(block(probe, &mut wire).await?);
        // Nobody reads it, and it grows.
        probe.take_trace();
        if count % BLOCKS_A_CONNECTION == 0 {
            wire = probe.connect().await?;
        }
    }
    Ok(ranks::compare(&blocks))
}

/// The nanoseconds of each kind, measured in an order of chance.
async fn block(probe: &mut Probe, wire: &mut Wire) -> Outcome<ranks::Block> {
    let mut order = Kind::ALL;
    for left in (1..order.len()).rev() {
        let drawn = probe.dice.long().unsigned_abs() as usize % (left + 1);
        order.swap(left, drawn);
    }
    let mut block = ranks::Block::default();
    for kind in order {
        let nanos = sample(probe, wire, kind).await?;
        if let Some(place) = Kind::ALL.iter().position(|one| *one == kind).and_then(|at| block.get_mut(at)) {
            *place = nanos;
        }
    }
    Ok(block)
}

/// The nanoseconds from the query to its -404.
async fn sample(probe: &mut Probe, wire: &mut Wire, kind: Kind) -> Outcome<u64> {
    for _ in 0..AGAIN {
        let run = probe.open(wire).await?;
        let query = kind.query(&run, &mut probe.dice)?;
        let payload = dayfly_core::plain::write(probe.dice.long() & !3, &query);
        let frame = wire.framed(&payload, false)?;
        let begun = Instant::now();
        wire.write(&frame).await;
        let heard = wire.hear().await?;
        let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        match heard {
            Heard::Error(-404) => return Ok(nanos),
            Heard::Error(-429) => tokio::time::sleep(FLOOD).await,
            other => return failed(format!("{} got {} instead of -404", kind.name(), other.told())),
        }
    }
    not_reached(
        "the server admits too few key exchanges from one address (-429): raise its limit for this run",
    )
}
