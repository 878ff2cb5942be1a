//! A server in a scripted world.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use dayfly_core::handshake::SpecCheck;
use dayfly_core::handshake::server::{
    HandshakeEvent, KeyRing, Output, PeerAddr, ServerConfig, ServerHandshakes, ServerKey,
};
use dayfly_core::job::{Job, perform_all};
use dayfly_core::keys::requests::{KeyRecord, StoreOutcome, Ticket};
use dayfly_crypto::dh::SafePrimeGroup;

use super::world::{World, body, plain, private_key};

/// What the store says to an insertion.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Inserted,
    Taken,
    Refused,
    Unavailable,
}

pub(crate) struct Rig {
    pub(crate) server: ServerHandshakes<u32>,
    pub(crate) world: World,
    pub(crate) peer: PeerAddr,
    /// Bodies and transport errors by connection, in their order.
    pub(crate) replies: BTreeMap<u32, VecDeque<Result<Vec<u8>, i32>>>,
    pub(crate) events: Vec<HandshakeEvent>,
    pub(crate) kept: Vec<KeyRecord>,
    /// What the store says next; afterwards everything is inserted.
    pub(crate) store: VecDeque<Verdict>,
    /// Jobs and insertions are left lying about.
    pub(crate) hold: bool,
    pub(crate) jobs: Vec<Job>,
    pub(crate) inserts: VecDeque<(Ticket, KeyRecord)>,
    /// Private-key operations, exponentiations.
    pub(crate) work_done: usize,
}

impl Rig {
    pub(crate) fn new(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let key = ServerKey { key: private_key(), old_rsa: false };
        Self::with_key(key, change)
    }

    pub(crate) fn with_key(key: ServerKey, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let ring = Arc::new(KeyRing::new(vec![key]).unwrap());
        let mut config = ServerConfig::new(ring, SafePrimeGroup::published());
        config.exponent_bits = 256;
        change(&mut config);
        Self {
            server: ServerHandshakes::new(config),
            world: World::new(7),
            peer: PeerAddr::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
            replies: BTreeMap::new(),
            events: Vec::new(),
            kept: Vec::new(),
            store: VecDeque::new(),
            hold: false,
            jobs: Vec::new(),
            inserts: VecDeque::new(),
            work_done: 0,
        }
    }

    /// Sends a query without waiting for anything.
    pub(crate) fn send(&mut self, connection: u32, query: &[u8]) {
        self.send_raw(connection, &plain(0x6000_0000_0000_0000, query));
    }

    /// Sends a whole plain message.
    pub(crate) fn send_raw(&mut self, connection: u32, message: &[u8]) {
        self.server.handle_query(connection, self.peer, message, &mut self.world.env());
        self.settle();
    }

    /// Sends a query and takes the one reply to it.
    pub(crate) fn ask(&mut self, connection: u32, query: &[u8]) -> Result<Vec<u8>, i32> {
        self.send(connection, query);
        self.reply(connection).expect("a reply")
    }

    pub(crate) fn reply(&mut self, connection: u32) -> Option<Result<Vec<u8>, i32>> {
        self.replies.entry(connection).or_default().pop_front()
    }

    /// Takes every reply that has not been looked at, with its connection.
    pub(crate) fn all_replies(&mut self) -> Vec<(u32, Result<Vec<u8>, i32>)> {
        let replies = std::mem::take(&mut self.replies);
        replies
            .into_iter()
            .flat_map(|(connection, replies)| replies.into_iter().map(move |reply| (connection, reply)))
            .collect()
    }

    /// Does all work that was given out, until nothing happens any more.
    pub(crate) fn settle(&mut self) {
        loop {
            self.drain();
            if self.hold || (self.jobs.is_empty() && self.inserts.is_empty()) {
                return;
            }
            self.work();
        }
    }

    /// Does the job that was given out first, as a single slow thread would.
    pub(crate) fn work_first(&mut self) {
        let first = self.jobs.drain(..self.jobs.len().min(1)).collect();
        self.perform(first);
    }

    /// Does the work that was given out, once.
    pub(crate) fn work(&mut self) {
        let jobs = std::mem::take(&mut self.jobs);
        self.perform(jobs);
    }

    fn perform(&mut self, jobs: Vec<Job>) {
        self.work_done += jobs.len();
        for result in perform_all(jobs) {
            self.server.handle_job(result, &mut self.world.env());
        }
        while let Some((ticket, record)) = self.inserts.pop_front() {
            let verdict = self.store.pop_front().unwrap_or(Verdict::Inserted);
            let outcome = match verdict {
                Verdict::Inserted => StoreOutcome::Inserted,
                Verdict::Taken => StoreOutcome::Taken,
                Verdict::Refused => StoreOutcome::Refused,
                Verdict::Unavailable => StoreOutcome::Unavailable,
            };
            if verdict == Verdict::Inserted {
                self.kept.push(record);
            }
            self.server.handle_insert(ticket, &outcome, &mut self.world.env());
        }
        self.drain();
    }

    fn drain(&mut self) {
        self.jobs.extend(std::iter::from_fn(|| self.server.poll_job()));
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Reply { connection, payload } => {
                    self.replies.entry(connection).or_default().push_back(Ok(body(&payload)));
                }
                Output::TransportError { connection, code } => {
                    self.replies.entry(connection).or_default().push_back(Err(code));
                }
                Output::Insert { ticket, record } => self.inserts.push_back((ticket, record)),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    /// Lets time pass, and the server notice it.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.world.now.monotonic + time;
        while let Some(at) = self.server.poll_timeout().filter(|at| *at <= until) {
            let step = at.saturating_sub(self.world.now.monotonic);
            self.world.pass(step);
            self.server.handle_timeout(&mut self.world.env());
            self.settle();
        }
        let rest = until - self.world.now.monotonic;
        self.world.pass(rest);
    }

    /// Asserts that the last query was refused before any private-key operation, for this reason.
    pub(crate) fn assert_early(&self, check: SpecCheck) {
        assert_eq!(self.events.last(), Some(&HandshakeEvent::Refused { check }));
        assert_eq!(self.work_done, 0, "the private key was not touched");
    }

    /// Asserts that a query was refused after it, and that only the observer can tell why.
    pub(crate) fn assert_late(&self, check: SpecCheck) {
        assert_eq!(self.events.last(), Some(&HandshakeEvent::RefusedAfterDecryption));
        self.world.seen.assert_only(check);
    }
}
