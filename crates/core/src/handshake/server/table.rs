//! The runs that have no verdict yet, bounded in number and time (rule HS-35).

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::PeerAddr;
use super::config::ServerLimits;
use super::event::PutOff;
use super::run::{Head, Run, RunId, State};
use crate::agenda::Agenda;
use crate::{holds, mutant};

/// The runs that have no verdict yet.
pub(super) struct Table<C> {
    runs: BTreeMap<RunId, Box<Run<C>>>,
    unproven: Crowd,
    proven: Crowd,
    timers: Agenda<RunId>,
    /// Which runs a connection waits for.
    waits: BTreeSet<(C, RunId)>,
}

impl<C: Copy + Ord> Table<C> {
    pub(super) fn new() -> Self {
        Self {
            runs: BTreeMap::new(),
            unproven: Crowd::default(),
            proven: Crowd::default(),
            timers: Agenda::default(),
            waits: BTreeSet::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    /// The run that this opening query opened before (rule HS-31).
    pub(super) fn opened_by(&self, nonce: [u8; 16], older: bool) -> Option<&Run<C>> {
        let all = RunId::new(nonce, [0; 16])..=RunId::new(nonce, [255; 16]);
        self.runs.range(all).map(|(_, run)| &**run).find(|run| run.head.older == older)
    }

    pub(super) fn get_mut(&mut self, id: RunId) -> Option<&mut Run<C>> {
        self.runs.get_mut(&id).map(|run| &mut **run)
    }

    /// Adds a run that has shown nothing; for its sake older ones may have to go. Returns how many.
    pub(super) fn open(&mut self, head: Head, state: State<C>, limits: &ServerLimits) -> usize {
        let id = head.id;
        self.unproven.add(&head);
        self.timers.set(id, head.until);
        let peer = head.peer;
        self.runs.insert(id, Box::new(Run { head, state }));
        let mut gone = 0;
        while let Some(oldest) = self.unproven.surplus(peer, limits) {
            self.remove(oldest);
            gone = usize::saturating_add(gone, 1);
        }
        gone
    }

    /// Up to `at_most` runs, the youngest first.
    pub(super) fn youngest(&self, at_most: usize) -> impl Iterator<Item = &Run<C>> {
        let mut ids: Vec<_> = [&self.unproven, &self.proven]
            .into_iter()
            .flat_map(|crowd| crowd.by_age.iter().rev().take(at_most))
            .collect();
        ids.sort_unstable_by(|one, other| other.0.cmp(one.0));
        ids.into_iter().take(at_most).filter_map(|(_, id)| self.runs.get(id).map(|run| &**run))
    }

    /// Whether one more run may go past the factors.
    pub(super) fn room(&self, peer: PeerAddr, limits: &ServerLimits) -> Result<(), PutOff> {
        if !holds!("HS-35.proven", self.proven.len() < limits.proven_runs) {
            return Err(PutOff::Runs);
        }
        if !holds!("HS-35.proven_peer", self.proven.of(peer) < limits.proven_runs_per_address) {
            return Err(PutOff::AddressRuns);
        }
        Ok(())
    }

    /// Puts the run's next state in its place.
    pub(super) fn enter(&mut self, id: RunId, state: State<C>) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if state.is_proven() && self.unproven.remove(&run.head) {
            self.proven.add(&run.head);
        }
        let deadline = state.deadline().map_or(run.head.until, |at| at.min(run.head.until));
        run.state = state;
        self.timers.set(id, deadline);
    }

    /// Forgets a run; its secrets are wiped with it (rule HS-29).
    pub(super) fn remove(&mut self, id: RunId) -> Option<Box<Run<C>>> {
        let run = self.runs.remove(&id)?;
        self.timers.clear(id);
        self.unproven.remove(&run.head);
        self.proven.remove(&run.head);
        Some(run)
    }

    pub(super) fn next_timer(&self) -> Option<Duration> {
        self.timers.next()
    }

    pub(super) fn pop_due(&mut self, now: Duration) -> Option<RunId> {
        self.timers.pop_due(now)
    }

    /// Notes that the connection waits for an answer of the run, if it does.
    pub(super) fn note_wait(&mut self, connection: C, id: RunId) {
        if self.get_mut(id).is_some_and(|run| run.state.is_awaited_by(connection)) {
            self.waits.insert((connection, id));
        }
    }

    /// These connections have their answer.
    pub(super) fn answered(&mut self, connections: &[C], id: RunId) {
        for connection in connections {
            self.waits.remove(&(*connection, id));
        }
    }

    /// Lets the runs forget a connection that is gone.
    pub(super) fn forget_connection(&mut self, connection: C) {
        let all = (connection, RunId::FIRST)..=(connection, RunId::LAST);
        let waits: Vec<_> = self.waits.range(all).copied().collect();
        for wait in waits {
            self.waits.remove(&wait);
            if let Some(run) = self.get_mut(wait.1) {
                run.state.forget_connection(connection);
            }
        }
    }
}

/// Some of the runs, by age and by peer.
#[derive(Debug, Default)]
struct Crowd {
    by_age: BTreeMap<u64, RunId>,
    by_peer: BTreeSet<(PeerAddr, u64)>,
    counts: BTreeMap<PeerAddr, usize>,
}

impl Crowd {
    fn len(&self) -> usize {
        self.by_age.len()
    }

    fn of(&self, peer: PeerAddr) -> usize {
        self.counts.get(&peer).copied().unwrap_or_default()
    }

    fn add(&mut self, head: &Head) {
        self.by_age.insert(head.number, head.id);
        self.by_peer.insert((head.peer, head.number));
        let count = self.counts.entry(head.peer).or_default();
        *count = count.saturating_add(1);
    }

    fn remove(&mut self, head: &Head) -> bool {
        if self.by_age.remove(&head.number).is_none() {
            return false;
        }
        self.by_peer.remove(&(head.peer, head.number));
        match self.of(head.peer) {
            0 | 1 => self.counts.remove(&head.peer),
            count => self.counts.insert(head.peer, count.saturating_sub(1)),
        };
        true
    }

    /// The run that has to go: the oldest of an address that has too many, else the oldest of all if there are too many.
    fn surplus(&self, peer: PeerAddr, limits: &ServerLimits) -> Option<RunId> {
        let number = if !holds!("HS-35.unproven_peer", self.of(peer) <= limits.unproven_runs_per_address) {
            self.by_peer.range((peer, 0)..).next().map(|(_, number)| *number)
        } else if !holds!("HS-35.unproven", self.len() <= limits.unproven_runs) {
            mutant!("HS-35.oldest", self.by_age.keys().next(), self.by_age.keys().next_back()).copied()
        } else {
            None
        };
        self.by_age.get(&number?).copied()
    }
}

#[cfg(test)]
mod tests {
    use core::mem::size_of;

    use super::*;
    use crate::handshake::server::UNFINISHED_BYTES;
    use crate::handshake::server::query::Digest;
    use crate::handshake::server::run::Agreement;

    /// The share of one entry in a B-tree whose nodes are two thirds full, the mean for keys that come in no order.
    const fn tree<K, V>() -> usize {
        size_of::<(K, V)>() * 3 / 2 + 16
    }

    /// A heap block with its header, as a common allocator cuts it.
    fn block(bytes: usize) -> usize {
        (bytes + 8).next_multiple_of(16).max(32)
    }

    #[test]
    fn an_unfinished_run_keeps_below_the_bar() {
        let new_nonce = 32;
        let a_of_full_length = 256;
        let server_dh_params_ok = 4 + 16 + 16 + 4 + 592; // later, in its place, auth_key with 256
        let refused = 8 * size_of::<Digest>();
        let waiting = 4 * size_of::<u64>();
        let (run, agreement) = (size_of::<Run<u64>>(), size_of::<Agreement>());
        let blocks = [run, agreement, new_nonce, a_of_full_length, server_dh_params_ok, refused, waiting];
        let places = tree::<RunId, Box<Run<u64>>>()
            + tree::<u64, RunId>()
            + tree::<(PeerAddr, u64), ()>()
            + tree::<PeerAddr, usize>()
            + tree::<RunId, Duration>()
            + tree::<(Duration, RunId), ()>()
            + tree::<(u64, RunId), ()>();
        let total = blocks.map(block).iter().sum::<usize>() + places;
        assert!(total <= UNFINISHED_BYTES, "{total} bytes: {run} + {agreement}, {places} of them its places");
    }
}
