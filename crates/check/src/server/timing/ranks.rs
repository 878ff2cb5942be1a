//! Ranks within blocks, and what chance gives.

use std::time::Duration;

use super::{Round, Took};
use crate::server::wrong_rsa::Kind;

/// How many kinds there are.
const KINDS: usize = Kind::ALL.len();

/// The nanoseconds of each kind, measured close to each other.
pub(super) type Block = [u64; KINDS];

/// What each kind took, and how far its ranks are from those of chance.
pub(super) fn compare(blocks: &[Block]) -> Round {
    let took = Kind::ALL.iter().enumerate().map(|(at, kind)| {
        let times = blocks.iter().filter_map(|block| block.get(at).copied()).collect();
        let more = blocks.iter().map(|block| more_than_others(block, at)).collect();
        Took {
            kind: kind.name(),
            median: Duration::from_nanos(median(times)),
            more_nanos: median(more),
            deviation: deviation(blocks, at),
        }
    });
    Round { took: took.collect() }
}

/// The rank of the kind at `at` in its block, from 1; of equal ones the mean.
fn rank(block: &Block, at: usize) -> f64 {
    let Some(own) = block.get(at) else { return 0.0 };
    let below = block.iter().filter(|other| *other < own).count();
    let equal = block.iter().filter(|other| *other == own).count();
    below as f64 + (equal as f64 + 1.0) / 2.0
}

/// The mean rank, in standard deviations from that of chance. Equal times make the true spread smaller, so this one errs on
/// the side of saying nothing.
fn deviation(blocks: &[Block], at: usize) -> f64 {
    if blocks.is_empty() {
        return 0.0;
    }
    let (kinds, count) = (KINDS as f64, blocks.len() as f64);
    let mean = blocks.iter().map(|block| rank(block, at)).sum::<f64>() / count;
    // Mean and variance of a number drawn from 1..=kinds.
    let (expected, variance) = ((kinds + 1.0) / 2.0, (kinds * kinds - 1.0) / 12.0);
    (mean - expected) / (variance / count).sqrt()
}

fn more_than_others(block: &Block, at: usize) -> i64 {
    let others = block.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, nanos)| *nanos);
    let others = median(others.collect());
    let own = block.get(at).copied().unwrap_or_default();
    let signed = |nanos: u64| i64::try_from(nanos).unwrap_or(i64::MAX);
    signed(own) - signed(others)
}

/// The middle one; of an even number the upper of the two.
fn median<T: Ord + Copy + Default>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::server::timing::{DIFFERS, Timing};

    /// Times as a network makes them: they drift, and one in 16 is far off. The kind at `planted` takes `more`.
    fn blocks(count: usize, planted: usize, more: u64, dice: &mut Dice) -> Vec<Block> {
        let mut drawn = |below: u64| u64::from_le_bytes(dice.bytes()) % below;
        let block = |at: usize| {
            let drift = (at as u64) * 300;
            let mut block = Block::default();
            for (kind, nanos) in block.iter_mut().enumerate() {
                let far_off = if drawn(16) == 0 { drawn(5_000_000) } else { 0 };
                *nanos =
                    1_500_000 + drift + drawn(100_000) + far_off + if kind == planted { more } else { 0 };
            }
            block
        };
        (0..count).map(block).collect()
    }

    fn timing(planted: usize, more: u64, seed: u64) -> Timing {
        let mut dice = Dice::new(seed, "synthetic");
        let rounds = (0..3).map(|_| compare(&blocks(2_000, planted, more, &mut dice))).collect();
        Timing { rounds, samples: 2_000, seed }
    }

    #[test]
    fn where_nothing_differs_nothing_is_found() {
        for seed in 0..20 {
            assert_eq!(timing(0, 0, seed).differing(), [""; 0], "seed {seed}");
        }
    }

    #[test]
    fn a_planted_difference_is_found_and_named_first() {
        for (seed, planted) in [(1, 0), (2, 4), (3, 9)] {
            let timing = timing(planted, 10_000, seed);
            assert_eq!(timing.differing().first(), Some(&Kind::ALL[planted].name()));
            assert!(timing.is_failure());
            let took = timing.rounds[0].took[planted];
            assert!(took.more_nanos > 5_000 && took.deviation > DIFFERS, "{took:?}");
        }
    }

    #[test]
    fn a_kind_that_differs_in_two_rounds_of_three_is_no_failure() {
        let mut dice = Dice::new(7, "synthetic");
        let rounds = [10_000, 0, 10_000].map(|more| compare(&blocks(2_000, 3, more, &mut dice)));
        let timing = Timing { rounds: rounds.into(), samples: 2_000, seed: 7 };
        assert_eq!(timing.differing(), [""; 0]);
        // Nor is one that is slower in one and faster in another.
        let mut dice = Dice::new(8, "synthetic");
        let faster = |block: &Block| block.map(|nanos| 10_000_000 - nanos);
        let slow = blocks(2_000, 3, 50_000, &mut dice);
        let fast: Vec<Block> = slow.iter().map(faster).collect();
        let rounds = vec![compare(&slow), compare(&fast), compare(&slow)];
        assert!(!Timing { rounds, samples: 2_000, seed: 8 }.is_failure());
    }

    #[test]
    fn equal_times_share_their_ranks() {
        let block = [5, 5, 1, 9, 9, 9, 9, 9, 9, 9];
        assert_eq!([rank(&block, 2), rank(&block, 0), rank(&block, 3)], [1.0, 2.5, 7.0]);
        assert_eq!(compare(&[[4; KINDS]; 50]).took[0].deviation, 0.0);
        assert_eq!(compare(&[]).took.len(), KINDS);
    }

    #[test]
    fn two_rounds_are_too_few_for_a_failure() {
        let mut all = timing(5, 20_000, 9);
        all.rounds.pop();
        assert!(!all.differing().is_empty() && !all.is_failure());
    }
}
