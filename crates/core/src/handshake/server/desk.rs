//! What all runs share: the configuration, and what goes out.

use std::collections::{BTreeMap, VecDeque};

use super::config::ServerConfig;
use super::event::{HandshakeEvent, Output, PutOff};
use super::limiter::Limiter;
use super::reply::{Refusal, wire_reply};
use super::run::RunId;
use crate::env::Env;
use crate::handshake::plain_id::PlainIds;
use crate::job::{Job, JobId, Work};
use crate::keys::requests::{KeyRecord, Ticket};
use crate::observer::{Direction, Observer, Seen};
use crate::{holds, plain};

/// What all runs share: the configuration, and what goes out.
pub(super) struct Desk<C> {
    pub(super) config: ServerConfig,
    pub(super) limiter: Limiter,
    outputs: VecDeque<Output<C>>,
    jobs: VecDeque<Job>,
    ids: PlainIds,
    last: u64,
    /// Which run a job belongs to.
    working: BTreeMap<JobId, RunId>,
    /// Which run an insertion belongs to.
    asking: BTreeMap<Ticket, RunId>,
}

impl<C> Desk<C> {
    pub(super) fn new(config: ServerConfig) -> Self {
        Self {
            limiter: Limiter::new(config.limits.private_operations_per_minute),
            config,
            outputs: VecDeque::new(),
            jobs: VecDeque::new(),
            ids: PlainIds::server(),
            last: 0,
            working: BTreeMap::new(),
            asking: BTreeMap::new(),
        }
    }

    pub(super) fn reconfigure(&mut self, config: ServerConfig) {
        self.limiter.set_rate(config.limits.private_operations_per_minute);
        self.config = config;
    }

    /// Whether the work of one more run may be queued: those who do it have to come to its end in time (rules HS-35, HS-40).
    pub(super) fn room(&self) -> Result<(), PutOff> {
        // rule HS-40: a query is admitted only to a queue that can be worked off while its client still waits
        let room = self.working() < self.config.limits.waiting_jobs;
        if holds!("HS-35.jobs", room) { Ok(()) } else { Err(PutOff::Jobs) }
    }

    pub(super) fn answer<O: Observer>(
        &mut self,
        waiting: impl IntoIterator<Item = C>,
        name: &'static str,
        answer: &[u8],
        env: &mut Env<'_, O>,
    ) {
        env.observer.message(Seen { direction: Direction::Out, name, bytes: answer });
        for connection in waiting {
            let payload = plain::write(self.ids.next(env.now), answer);
            self.outputs.push_back(Output::Reply { connection, payload });
        }
    }

    pub(super) fn refuse(&mut self, waiting: impl IntoIterator<Item = C>, refusal: Refusal) {
        self.event(refusal.event());
        let code = wire_reply(refusal);
        self.outputs
            .extend(waiting.into_iter().map(|connection| Output::TransportError { connection, code }));
    }

    pub(super) fn event(&mut self, event: HandshakeEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn work(&mut self, run: RunId, work: Work) {
        let id = JobId(self.number());
        self.working.insert(id, run);
        self.jobs.push_back(Job { id, work });
    }

    pub(super) fn insert(&mut self, run: RunId, record: KeyRecord) {
        let ticket = Ticket(self.number());
        self.asking.insert(ticket, run);
        self.outputs.push_back(Output::Insert { ticket, record });
    }

    /// Takes back the name of the run that a result is for.
    pub(super) fn worked(&mut self, id: JobId) -> Option<RunId> {
        self.working.remove(&id)
    }

    /// Takes back the name of the run that an outcome is for.
    pub(super) fn asked(&mut self, ticket: Ticket) -> Option<RunId> {
        self.asking.remove(&ticket)
    }

    /// Jobs whose results have not come back.
    pub(super) fn working(&self) -> usize {
        self.working.len()
    }

    pub(super) fn poll_output(&mut self) -> Option<Output<C>> {
        self.outputs.pop_front()
    }

    pub(super) fn poll_job(&mut self) -> Option<Job> {
        self.jobs.pop_front()
    }

    fn number(&mut self) -> u64 {
        self.last = self.last.saturating_add(1);
        self.last
    }
}
