//! What is remembered of finished runs, so that a repeated query gets the same answer (rule HS-31).

use core::mem;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use dayfly_tl::mtproto::{DhGenFail, DhGenOk};
use dayfly_tl::to_bytes;

use super::query::Digest;
use super::run::RunId;
use crate::{holds, mutant};

/// The verdict on a run, as it was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// `dh_gen_ok` with new_nonce_hash1.
    Ok([u8; 16]),
    /// `dh_gen_fail` with new_nonce_hash3.
    Fail([u8; 16]),
}

impl Verdict {
    /// The answer, as it was sent.
    pub(super) fn answer(self, run: RunId) -> Vec<u8> {
        let (nonce, server_nonce) = (run.nonce(), run.server_nonce());
        match self {
            Self::Ok(new_nonce_hash1) => to_bytes(&DhGenOk { nonce, server_nonce, new_nonce_hash1 }),
            Self::Fail(new_nonce_hash3) => to_bytes(&DhGenFail { nonce, server_nonce, new_nonce_hash3 }),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok(_) => "dh_gen_ok",
            Self::Fail(_) => "dh_gen_fail",
        }
    }
}

/// A finished run. No secret is left of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finished {
    /// The query that was answered with the verdict.
    pub(super) last: Digest,
    /// The beginnings of the digests of the queries before it, 0 where there are fewer.
    pub(super) earlier: [u32; EARLIER],
    pub(super) verdict: Verdict,
    /// Until which monotonic second it is remembered.
    pub(super) until: u32,
}

/// How many earlier queries are told from wrong ones. A query taken for an earlier one is refused all the same, only
/// without spending the run, so that a few bits of each suffice.
pub(super) const EARLIER: usize = 6;

/// The beginning of a digest.
pub(super) fn tag(digest: Digest) -> u32 {
    let [a, b, c, d, ..] = digest;
    u32::from_le_bytes([a, b, c, d]).max(1)
}

/// What a query to a finished run is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Recalled {
    /// The one that was answered so.
    Repeat(Verdict),
    /// One whose answer was forgotten (rule HS-32).
    Earlier,
    /// Neither: it spends the run (rule HS-15).
    Different,
    /// There is no such run (any more).
    Unknown,
}

/// What one finished run takes up at most, table included.
pub(super) const FINISHED_BYTES: usize = 192;
/// What the key and the value take up themselves; a B-tree's nodes are about two thirds full.
const ENTRY_BYTES: usize = mem::size_of::<([u8; 32], Finished)>();
const _: () = assert!(ENTRY_BYTES * 11 / 6 <= FINISHED_BYTES, "a half-full node exceeds the bar");

/// Runs are kept in a few layers by the time they finished, so that forgetting takes no search: a layer is dropped whole.
const LAYERS: u32 = 20;

/// The memory of finished runs, bounded in time and bytes.
///
/// The names begin with server_nonce, which this server drew: nobody else decides how the trees grow.
#[derive(Debug)]
pub(super) struct AnswerMemory {
    layers: VecDeque<Layer>,
    most: usize,
    len: usize,
    layer_span: Duration,
}

#[derive(Debug)]
struct Layer {
    began: Duration,
    runs: BTreeMap<[u8; 32], Finished>,
    /// When everything in it is forgotten.
    ends: Duration,
}

impl AnswerMemory {
    /// Takes at most `bytes`, and keeps nothing longer than `lifetime` after it finished.
    pub(super) fn new(bytes: usize, lifetime: Duration) -> Self {
        let mut memory = Self { layers: VecDeque::new(), most: 0, len: 0, layer_span: Duration::ZERO };
        memory.set_bounds(bytes, lifetime);
        memory
    }

    /// Other bounds from the next run on.
    pub(super) fn set_bounds(&mut self, bytes: usize, lifetime: Duration) {
        self.most = bytes / FINISHED_BYTES;
        self.layer_span = lifetime.checked_div(LAYERS).unwrap_or(lifetime);
    }

    /// Keeps a run; beyond the bound the oldest ones go.
    pub(super) fn keep(&mut self, run: RunId, finished: Finished, now: Duration) {
        let began = self.layers.back().map(|layer| layer.began);
        if began.is_none_or(|began| now >= began.saturating_add(self.layer_span)) {
            self.layers.push_back(Layer { began: now, runs: BTreeMap::new(), ends: now });
        }
        let Some(layer) = self.layers.back_mut() else { return };
        layer.ends = layer.ends.max(Duration::from_secs(u64::from(finished.until)));
        if layer.runs.insert(run.by_server_nonce(), finished).is_none() {
            self.len = self.len.saturating_add(1);
        }
        while self.len > self.most {
            self.drop_oldest();
        }
    }

    /// What `query` to `run` is.
    pub(super) fn recall(&self, run: RunId, query: Digest, now: Duration) -> Recalled {
        let Some(finished) = self.find(run) else { return Recalled::Unknown };
        if !holds!("HS-31.until", now.as_secs() < u64::from(finished.until)) {
            return Recalled::Unknown;
        }
        if finished.last == query {
            return Recalled::Repeat(finished.verdict);
        }
        let earlier = finished.earlier.contains(&tag(query));
        if mutant!("HS-32.finished", earlier, false) { Recalled::Earlier } else { Recalled::Different }
    }

    /// Forgets a run that is spent.
    pub(super) fn forget(&mut self, run: RunId) {
        let key = run.by_server_nonce();
        let removed = self.layers.iter_mut().any(|layer| layer.runs.remove(&key).is_some());
        self.len = self.len.saturating_sub(usize::from(removed));
    }

    /// Drops what is past its time.
    pub(super) fn expire(&mut self, now: Duration) {
        while let Some(layer) = self.layers.pop_front() {
            if layer.ends > now {
                self.layers.push_front(layer);
                break;
            }
            self.len = self.len.saturating_sub(layer.runs.len());
        }
    }

    /// When something is past its time.
    pub(super) fn next_expiry(&self) -> Option<Duration> {
        self.layers.front().map(|layer| layer.ends)
    }

    /// Finished runs.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn find(&self, run: RunId) -> Option<&Finished> {
        let key = run.by_server_nonce();
        self.layers.iter().rev().find_map(|layer| layer.runs.get(&key))
    }

    fn drop_oldest(&mut self) {
        let Some(layer) = self.layers.front_mut() else { return };
        match layer.runs.pop_first() {
            Some(_) => self.len = self.len.saturating_sub(1),
            None => drop(self.layers.pop_front()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u8) -> RunId {
        RunId::new([1; 16], [number; 16])
    }

    fn finished(until: u32) -> Finished {
        Finished {
            last: [5; 16],
            earlier: [tag([6; 16]), 0, 0, 0, 0, 0],
            verdict: Verdict::Ok([9; 16]),
            until,
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    // rule: HS-31, HS-32, HS-33
    #[test]
    fn a_repeat_an_earlier_and_a_different_query_are_told_apart() {
        let mut memory = AnswerMemory::new(1 << 20, 600 * SECOND);
        memory.keep(run(1), finished(600), SECOND);
        assert_eq!(memory.recall(run(1), [5; 16], 2 * SECOND), Recalled::Repeat(Verdict::Ok([9; 16])));
        assert_eq!(memory.recall(run(1), [6; 16], 2 * SECOND), Recalled::Earlier);
        assert_eq!(memory.recall(run(1), [7; 16], 2 * SECOND), Recalled::Different);
        assert_eq!(memory.recall(run(2), [5; 16], 2 * SECOND), Recalled::Unknown);
        memory.forget(run(1));
        assert_eq!(memory.recall(run(1), [5; 16], 2 * SECOND), Recalled::Unknown);
        assert_eq!(memory.len(), 0);
    }

    // rule: HS-31
    #[test]
    fn a_run_is_forgotten_at_its_second_and_its_memory_given_back() {
        let mut memory = AnswerMemory::new(1 << 20, 600 * SECOND);
        memory.keep(run(1), finished(600), SECOND);
        memory.keep(run(2), finished(700), 101 * SECOND);
        assert_ne!(memory.recall(run(1), [5; 16], 599 * SECOND), Recalled::Unknown);
        assert_eq!(memory.recall(run(1), [5; 16], 600 * SECOND), Recalled::Unknown);
        assert_eq!(memory.next_expiry(), Some(600 * SECOND));
        memory.expire(600 * SECOND);
        assert_eq!((memory.len(), memory.next_expiry()), (1, Some(700 * SECOND)));
    }

    // rule: HS-31
    #[test]
    fn the_memory_is_bounded_in_bytes_and_the_oldest_go_first() {
        let mut memory = AnswerMemory::new(3 * FINISHED_BYTES, 600 * SECOND);
        for number in 0..9 {
            memory.keep(run(number), finished(600), u32::from(number) * 40 * SECOND);
        }
        assert_eq!(memory.len(), 3);
        let known = |number| memory.recall(run(number), [5; 16], SECOND) != Recalled::Unknown;
        assert!(!known(5) && known(6) && known(7) && known(8));
    }
}
