//! The runs that are kept in memory: the youngest of them, within a bound that counts every byte.

use std::collections::{BTreeMap, VecDeque};

use super::entry::Entry;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// So many runs.
    pub runs: usize,
    /// So many bytes, all runs together.
    pub bytes: usize,
    /// So many bytes of one run.
    pub run_bytes: usize,
}

impl Default for Bounds {
    /// The last 1000 runs in at most 256 MiB, each in at most 16 MiB.
    fn default() -> Self {
        Self { runs: 1000, bytes: 256 << 20, run_bytes: 16 << 20 }
    }
}

/// What happened on one connection.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Its number.
    pub number: u64,
    /// What happened, in order.
    pub entries: VecDeque<Entry>,
    /// How many entries were forgotten to keep within the bound: the oldest of a run that is too long by itself.
    pub forgotten: u64,
    bytes: usize,
}

impl Run {
    /// One in which nothing has happened yet.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    /// Takes an entry, and forgets the oldest ones beyond `most` bytes.
    fn push(&mut self, entry: Entry, most: usize) {
        self.bytes = self.bytes.saturating_add(entry.size());
        self.entries.push_back(entry);
        while self.bytes > most
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(oldest.size());
            self.forgotten = self.forgotten.saturating_add(1);
        }
    }
}

/// The youngest runs.
#[derive(Debug, Default)]
pub struct Book {
    bounds: Bounds,
    runs: BTreeMap<u64, Run>,
    bytes: usize,
}

impl Book {
    /// One that keeps so much.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// Takes an entry. One without a run is not kept.
    pub fn push(&mut self, entry: Entry) {
        let Some(number) = entry.run else { return };
        let is_new = !self.runs.contains_key(&number);
        if is_new && self.runs.first_key_value().is_some_and(|(oldest, _)| number < *oldest) {
            return; // of a run that was forgotten already
        }
        let run = self.runs.entry(number).or_insert_with(|| Run::new(number));
        let before = run.bytes;
        run.push(entry, self.bounds.run_bytes);
        self.bytes = self.bytes.saturating_sub(before).saturating_add(run.bytes);
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.runs.len() > self.bounds.runs || (self.bytes > self.bounds.bytes && self.runs.len() > 1) {
            let Some((_, oldest)) = self.runs.pop_first() else { return };
            self.bytes = self.bytes.saturating_sub(oldest.bytes);
        }
    }

    /// All runs that are kept, the oldest first.
    pub fn runs(&self) -> impl DoubleEndedIterator<Item = &Run> {
        self.runs.values()
    }

    /// The run of this number.
    #[must_use]
    pub fn run(&self, number: u64) -> Option<&Run> {
        self.runs.get(&number)
    }

    /// About how many bytes all of it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.bounds);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::transcript::Told;

    fn entry(number: u64, run: u64, bytes: usize) -> Entry {
        let told = Told::Value { name: "a".into(), bytes: vec![0; bytes] };
        Entry { number, run: Some(run), unix: Duration::ZERO, since_start: Duration::ZERO, told }
    }

    fn numbers(book: &Book) -> Vec<u64> {
        book.runs().map(|run| run.number).collect()
    }

    #[test]
    fn the_oldest_runs_make_room_for_new_ones() {
        let mut book = Book::new(Bounds { runs: 3, ..Bounds::default() });
        (1..=5).for_each(|run| book.push(entry(run, run, 10)));
        book.push(entry(6, 1, 10));
        assert_eq!(numbers(&book), [3, 4, 5]);
        let counted: usize = book.runs().flat_map(|run| &run.entries).map(Entry::size).sum();
        assert_eq!(book.bytes(), counted);
    }

    #[test]
    fn so_do_they_when_the_bytes_are_used_up() {
        let mut book = Book::new(Bounds { bytes: 10_000, ..Bounds::default() });
        (1..=5).for_each(|run| book.push(entry(run, run, 4000)));
        assert_eq!(numbers(&book), [4, 5]);
    }

    #[test]
    fn a_run_that_is_too_long_forgets_its_beginning_and_says_so() {
        let mut book = Book::new(Bounds { run_bytes: 10_000, ..Bounds::default() });
        (1..=500).for_each(|number| book.push(entry(number, 1, 100)));
        let run = book.run(1).unwrap();
        assert!(book.bytes() <= 10_000 && run.entries.len() > 10);
        assert_eq!(
            (run.forgotten + run.entries.len() as u64, run.entries.back().unwrap().number),
            (500, 500)
        );
        book.clear();
        assert_eq!((book.bytes(), numbers(&book)), (0, vec![]));
    }

    #[test]
    fn what_belongs_to_no_run_is_not_kept() {
        let mut book = Book::default();
        book.push(Entry { run: None, ..entry(1, 1, 1) });
        assert_eq!(book.bytes(), 0);
    }
}
