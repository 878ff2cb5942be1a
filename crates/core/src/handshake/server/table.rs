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
}

impl<C> Table<C> {
    pub(super) fn new() -> Self {
        Self {
            runs: BTreeMap::new(),
            unproven: Crowd::default(),
            proven: Crowd::default(),
            timers: Agenda::default(),
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

    pub(super) fn forget_connection(&mut self, connection: C)
    where
        C: Copy + Ord,
    {
        for run in self.runs.values_mut() {
            run.state.forget_connection(connection);
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
