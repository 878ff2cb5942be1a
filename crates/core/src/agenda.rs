//! Deadlines of many things, the next one first.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

/// At most one deadline for each `K`; by monotonic time. Deadlines that fall together come in the order of their keys,
/// so that a replay sees them in the same order.
#[derive(Debug)]
pub(crate) struct Agenda<K> {
    at: BTreeMap<K, Duration>,
    order: BTreeSet<(Duration, K)>,
}

impl<K> Default for Agenda<K> {
    fn default() -> Self {
        Self { at: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Copy + Ord> Agenda<K> {
    /// Sets the deadline of `key`, in place of the one it had.
    pub(crate) fn set(&mut self, key: K, at: Duration) {
        if self.at.get(&key) == Some(&at) {
            return;
        }
        self.clear(key);
        self.at.insert(key, at);
        self.order.insert((at, key));
    }

    /// Forgets the deadline of `key`.
    pub(crate) fn clear(&mut self, key: K) {
        if let Some(at) = self.at.remove(&key) {
            self.order.remove(&(at, key));
        }
    }

    /// Whether `key` has a deadline.
    pub(crate) fn is_set(&self, key: K) -> bool {
        self.at.contains_key(&key)
    }

    /// Gives the deadline of one key to another.
    pub(crate) fn rename(&mut self, from: K, to: K) {
        let at = self.at.get(&from).copied();
        self.clear(from);
        self.clear(to);
        if let Some(at) = at {
            self.set(to, at);
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest one that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Duration) -> Option<K> {
        let (at, key) = *self.order.first()?;
        if at > now {
            return None;
        }
        self.clear(key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_and_only_when_due() {
        let mut agenda = Agenda::default();
        agenda.set('b', Duration::from_secs(2));
        agenda.set('a', Duration::from_secs(2));
        agenda.set('c', Duration::from_secs(9));
        agenda.set('c', Duration::from_secs(1));
        assert_eq!(agenda.next(), Some(Duration::from_secs(1)));
        assert_eq!(agenda.pop_due(Duration::ZERO), None);
        let mut due = Vec::new();
        while let Some(key) = agenda.pop_due(Duration::from_secs(5)) {
            due.push(key);
        }
        assert_eq!(due, ['c', 'a', 'b']);
    }

    #[test]
    fn a_deadline_can_change_hands() {
        let mut agenda = Agenda::default();
        agenda.set('a', Duration::from_secs(3));
        agenda.set('b', Duration::from_secs(1));
        agenda.rename('a', 'b');
        assert_eq!(agenda.next(), Some(Duration::from_secs(3)));
        assert_eq!(agenda.pop_due(Duration::MAX), Some('b'));
        assert_eq!(agenda.pop_due(Duration::MAX), None);
    }

    #[test]
    fn a_cleared_deadline_never_comes() {
        let mut agenda = Agenda::default();
        agenda.set(1, Duration::ZERO);
        agenda.clear(1);
        assert_eq!(agenda.pop_due(Duration::MAX), None);
    }
}
