//! The server's side: one table of runs for the whole server, reachable from any connection.
//!
//! A run is named by (nonce, server_nonce) and by nothing else: its queries may come over any connection, interleaved with
//! those of other runs and with encrypted traffic. Unfinished runs are kept in a table bounded in number, by address
//! and in time; of finished ones only digests and the verdict are remembered. To spend a run is to forget it.

mod config;
mod desk;
mod dh_gen;
mod dh_params;
mod event;
mod key_ring;
mod limiter;
mod memory;
mod peer;
mod query;
mod reply;
mod res_pq;
mod run;
mod table;
mod view;

use core::mem;
use core::time::Duration;
use std::sync::Arc;

use dayfly_crypto::{RandomError, SHALLOW, pq, scrubbed};

pub use self::config::{DcPolicy, ServerConfig, ServerLimits};
pub use self::event::{HandshakeEvent, Output, PutOff};
pub use self::key_ring::{KeyRing, KeyRingError, ServerKey};
pub use self::peer::PeerAddr;
pub use self::view::RunView;

use self::desk::Desk;
use self::memory::{AnswerMemory, EARLIER, FINISHED_BYTES, Finished, Recalled, tag};
use self::query::{Digest, Query, QueryKind};
use self::reply::Refusal;
use self::res_pq::{AwaitDhParams, res_pq};
use self::run::{Act, Asked, Head, RunId, State, Step, while_claimed};
use self::table::Table;
use super::SpecCheck;
use crate::env::Env;
use crate::job::{Job, JobResult, Outcome};
use crate::keys::requests::{StoreOutcome, Ticket};
use crate::mutant;
use crate::observer::{Direction, Observer, Seen};
use crate::plain::PlainMessage;

/// What an unfinished run takes up at most, its answer and its place in the table included.
const UNFINISHED_BYTES: usize = 2048;

/// All runs of a server. `C` names a connection.
///
/// After each call drain [`poll_job`](Self::poll_job) and [`poll_output`](Self::poll_output), and call
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) says so.
pub struct ServerHandshakes<C> {
    desk: Desk<C>,
    table: Table<C>,
    memory: AnswerMemory,
    /// How many runs were ever opened.
    opened: u64,
}

impl<C: Copy + Ord> ServerHandshakes<C> {
    /// An empty table.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        let limits = config.limits;
        Self {
            desk: Desk::new(config),
            table: Table::new(),
            memory: AnswerMemory::new(limits.answer_memory, limits.run_lifetime),
            opened: 0,
        }
    }

    /// Works by `config` from now on. Runs that were opened before keep the RSA keys that they were offered, and their time;
    /// what is over a bound that became smaller goes when the next one comes.
    pub fn reconfigure(&mut self, config: ServerConfig) {
        self.memory.set_bounds(config.limits.answer_memory, config.limits.run_lifetime);
        self.desk.reconfigure(config);
    }

    /// Takes one plain message of a client, whole (auth_key_id 0, msg_id, length, body, perhaps more).
    pub fn handle_query<O: Observer>(
        &mut self,
        connection: C,
        peer: PeerAddr,
        message: &[u8],
        env: &mut Env<'_, O>,
    ) {
        let message = PlainMessage::from_client(message).map_err(|_| SpecCheck::Malformed);
        let query = match message.and_then(|message| Query::read(message.body)) {
            Ok(query) => query,
            Err(check) => return self.desk.refuse([connection], check.into()),
        };
        env.observer.message(Seen { direction: Direction::In, name: query.name, bytes: query.bytes });
        let digest = query.digest();
        match query.kind {
            QueryKind::Ack => {}
            QueryKind::Open { nonce, older } => self.open(connection, peer, nonce, older, env),
            QueryKind::Run(id, query) => {
                scrubbed::<SHALLOW, _>(|| self.ask(id, &Asked { query, digest, connection }, env));
                self.table.note_wait(connection, id);
            }
        }
    }

    /// Takes the result of a job. That of a run which is no more is dropped.
    pub fn handle_job<O: Observer>(&mut self, result: JobResult, env: &mut Env<'_, O>) {
        scrubbed::<SHALLOW, _>(|| self.take_result(result, env));
    }

    /// Takes what became of an insertion. [`StoreOutcome::Unavailable`] is asked again for as long as the query waits.
    pub fn handle_insert<O: Observer>(
        &mut self,
        ticket: Ticket,
        outcome: &StoreOutcome,
        env: &mut Env<'_, O>,
    ) {
        let Some(id) = self.desk.asked(ticket) else { return };
        let Some(run) = self.table.get_mut(id) else { return };
        let head = &run.head;
        let step = match (mem::replace(&mut run.state, State::Poisoned), outcome) {
            (State::KeepKey(state), StoreOutcome::Inserted) => {
                let took = head.age(&self.desk.config.limits, env.now.monotonic);
                let (step, record) = state.on_inserted(head);
                let (id, lifetime, dc) = (record.id, record.lifetime, record.dc);
                self.desk.event(HandshakeEvent::KeyMade { id, lifetime, dc, took });
                step
            }
            (State::KeepKey(state), StoreOutcome::Taken) => {
                let id = state.id();
                let step = state.on_taken(head, &self.desk.config);
                let failed = matches!(step, Step::Finish { .. });
                self.desk.event(if failed {
                    HandshakeEvent::Failed { id }
                } else {
                    HandshakeEvent::Retry { id }
                });
                step
            }
            (State::KeepKey(state), StoreOutcome::Refused) => {
                self.desk.event(HandshakeEvent::Failed { id: state.id() });
                state.on_refused()
            }
            (State::KeepKey(state), _) => state.on_unavailable(env.now),
            (mut state, _) => Step::late(state.take_waiting()),
        };
        self.enter(id, step, env);
    }

    /// Forgets what is past its time, and puts off or asks again what waits for the store.
    pub fn handle_timeout<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        let now = env.now.monotonic;
        self.memory.expire(now);
        while let Some(id) = self.table.pop_due(now) {
            let Some(run) = self.table.get_mut(id) else { continue };
            if run.head.until <= now {
                self.spend(id, SpecCheck::UnknownRun.into(), Vec::new());
                continue;
            }
            let step = match mem::replace(&mut run.state, State::Poisoned) {
                State::KeepKey(state) => state.on_deadline(&run.head, env.now),
                state => Step::stay(state),
            };
            self.enter(id, step, env);
        }
    }

    /// A connection is gone: answers that it waits for are kept for whoever asks again.
    pub fn forget_connection(&mut self, connection: C) {
        self.table.forget_connection(connection);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, by monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.table.next_timer(), self.memory.next_expiry()].into_iter().flatten().min()
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output<C>> {
        self.desk.poll_output()
    }

    /// Work to be done anywhere; its result comes back through [`handle_job`](Self::handle_job).
    pub fn poll_job(&mut self) -> Option<Job> {
        self.desk.poll_job()
    }

    /// Jobs that were given out and whose results have not come back.
    #[must_use]
    pub fn working(&self) -> usize {
        self.desk.working()
    }

    /// Runs that have no verdict yet.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.table.len()
    }

    /// Finished runs that are remembered.
    #[must_use]
    pub fn finished(&self) -> usize {
        self.memory.len()
    }

    /// An upper bound, in bytes, of what all runs take up.
    #[must_use]
    pub fn memory_in_use(&self) -> usize {
        let unfinished = self.table.len().saturating_mul(UNFINISHED_BYTES);
        unfinished.saturating_add(self.memory.len().saturating_mul(FINISHED_BYTES))
    }

    fn take_result<O: Observer>(&mut self, result: JobResult, env: &mut Env<'_, O>) {
        let Some(id) = self.desk.worked(result.id) else { return };
        let Some(run) = self.table.get_mut(id) else { return };
        let (config, head) = (&self.desk.config, &run.head);
        let step = match (mem::replace(&mut run.state, State::Poisoned), result.outcome) {
            (State::Unwrap(state), Outcome::RsaPrivate(raw)) => state.on_raw(&raw, head, config, env),
            (State::MakePublic(state), Outcome::NewPair { exponent, public }) => {
                state.on_pair(exponent, public, head, config, env)
            }
            (State::ComputeKey(state), Outcome::Power { exponent, key }) => {
                state.on_key(exponent, key, head, config, env)
            }
            (mut state, _) => Step::late(state.take_waiting()),
        };
        self.enter(id, step, env);
    }

    /// Steps 1 and 2: a new run, or the one that this very query opened before (rules HS-02, HS-04, HS-31).
    fn open<O: Observer>(
        &mut self,
        connection: C,
        peer: PeerAddr,
        nonce: [u8; 16],
        older: bool,
        env: &mut Env<'_, O>,
    ) {
        let known = self.table.opened_by(nonce, older).map(|run| res_pq(&run.head));
        let answer = match mutant!("HS-31.res_pq", known, None) {
            Some(answer) => answer,
            None => match self.new_run(peer, nonce, older, env) {
                Ok(answer) => answer,
                Err(RandomError) => {
                    return self.desk.refuse([connection], Refusal::PutOff(PutOff::Randomness));
                }
            },
        };
        self.desk.answer([connection], "resPQ", &answer, env);
    }

    fn new_run<O: Observer>(
        &mut self,
        peer: PeerAddr,
        nonce: [u8; 16],
        older: bool,
        env: &mut Env<'_, O>,
    ) -> Result<Vec<u8>, RandomError> {
        let server_nonce = mutant!("HS-04.server_nonce", env.public_bytes()?, [4; 16]);
        let factors = pq::random(env.random)?;
        self.opened = self.opened.saturating_add(1);
        let head = Head {
            id: RunId::new(nonce, server_nonce),
            peer,
            older,
            factors,
            keys: Arc::clone(&self.desk.config.keys),
            number: self.opened,
            until: self.end_of_run(env.now.monotonic),
        };
        let answer = res_pq(&head);
        let limits = self.desk.config.limits;
        for _ in 0..self.table.open(head, State::AwaitDhParams(AwaitDhParams), &limits) {
            self.desk.event(HandshakeEvent::GaveWay);
        }
        Ok(answer)
    }

    /// Until when a run that is opened now is remembered (rules HS-31, HS-35).
    fn end_of_run(&self, now: Duration) -> Duration {
        let lifetime = self.desk.config.limits.run_lifetime;
        mutant!("HS-35.lifetime", now.saturating_add(lifetime), Duration::MAX)
    }

    /// A query to a run: to one in the table, or else to the memory of finished ones.
    fn ask<O: Observer>(&mut self, id: RunId, asked: &Asked<'_, C>, env: &mut Env<'_, O>) {
        let Some(run) = self.table.get_mut(id) else {
            return self.recall(id, asked, env);
        };
        let state = mem::replace(&mut run.state, State::Poisoned);
        let step = match state {
            State::AwaitDhParams(state) => return self.prove(id, state, asked, env),
            State::AwaitClientParams(state) => state.on_query(asked, &run.head, &self.desk.config, env),
            State::KeepKey(state) if state.claim.query == asked.digest => {
                state.on_repeat(asked.connection, &run.head, &self.desk.config, env.now)
            }
            state => self.wait(state, asked),
        };
        self.enter(id, step, env);
    }

    /// A query to a run that has not shown its factors.
    fn prove<O: Observer>(
        &mut self,
        id: RunId,
        state: AwaitDhParams,
        asked: &Asked<'_, C>,
        env: &mut Env<'_, O>,
    ) {
        let Self { desk, table, .. } = self;
        let Some(peer) = table.get_mut(id).map(|run| run.head.peer) else { return };
        let room = table.room(peer, &desk.config.limits).and_then(|()| desk.room());
        let (limiter, now) = (&mut desk.limiter, env.now.monotonic);
        let admit = || {
            room?;
            if limiter.admit(peer, now) { Ok(()) } else { Err(PutOff::AddressRate) }
        };
        let Some(run) = table.get_mut(id) else { return };
        let step = state.on_query(asked, &run.head, admit, env.observer);
        self.enter(id, step, env);
    }

    /// A query to a run that works on one.
    fn wait(&self, mut state: State<C>, asked: &Asked<'_, C>) -> Step<C> {
        let most = self.desk.config.limits.waiters;
        let outcome = match &mut state {
            State::Unwrap(state) => while_claimed(&mut state.claim, None, asked, most),
            State::MakePublic(state) => while_claimed(&mut state.claim, None, asked, most),
            State::ComputeKey(state) => while_claimed(&mut state.claim, Some(&state.agreement), asked, most),
            State::KeepKey(state) => {
                let (claim, agreement) = state.claim_and_agreement();
                while_claimed(claim, Some(agreement), asked, most)
            }
            State::AwaitDhParams(_) | State::AwaitClientParams(_) | State::Poisoned => {
                Err(SpecCheck::OutOfTurn)
            }
        };
        match outcome {
            Ok(None) => Step::stay(state),
            Ok(Some(answer)) => {
                let act =
                    Act::Answer { name: "server_DH_params_ok", answer, waiting: vec![asked.connection] };
                Step::Go { state, act }
            }
            Err(check) => Step::refuse(check, asked.connection, state),
        }
    }

    /// A query to a run that is finished, forgotten or was never there.
    fn recall<O: Observer>(&mut self, id: RunId, asked: &Asked<'_, C>, env: &mut Env<'_, O>) {
        let recalled = self.memory.recall(id, asked.digest, env.now.monotonic);
        let check = match mutant!("HS-31.finished", recalled, Recalled::Unknown) {
            Recalled::Repeat(verdict) => {
                return self.desk.answer([asked.connection], verdict.name(), &verdict.answer(id), env);
            }
            Recalled::Earlier => SpecCheck::EarlierQuery,
            Recalled::Unknown => SpecCheck::UnknownRun,
            Recalled::Different => {
                if mutant!("HS-15.spend_finished", true, false) {
                    self.memory.forget(id);
                }
                SpecCheck::SecondQuery
            }
        };
        self.desk.refuse([asked.connection], check.into());
    }

    fn enter<O: Observer>(&mut self, id: RunId, step: Step<C>, env: &mut Env<'_, O>) {
        match step {
            Step::Go { state, act } => {
                self.table.enter(id, state);
                match act {
                    Act::Nothing => {}
                    Act::Work(work) => self.desk.work(id, work),
                    Act::Insert(record) => self.desk.insert(id, record),
                    Act::Answer { name, answer, waiting } => {
                        self.table.answered(&waiting, id);
                        self.desk.answer(waiting, name, &answer, env);
                    }
                }
            }
            Step::Finish { verdict, last, earlier, waiting } => {
                self.remember(id, verdict, last, &earlier, env);
                self.table.answered(&waiting, id);
                self.desk.answer(waiting, verdict.name(), &verdict.answer(id), env);
            }
            Step::Refuse { refusal, waiting, keep } => self.refuse(id, refusal, waiting, keep),
        }
    }

    fn refuse(&mut self, id: RunId, refusal: Refusal, waiting: Vec<C>, keep: Option<State<C>>) {
        let spent = mutant!("HS-15.spend", refusal.spends(), false);
        match keep {
            Some(state) if !spent => {
                self.table.enter(id, state);
                self.table.answered(&waiting, id);
                self.desk.refuse(waiting, refusal);
            }
            keep => {
                let others = keep.map(|mut state| state.take_waiting()).unwrap_or_default();
                self.spend(id, refusal, waiting.into_iter().chain(others).collect());
            }
        }
    }

    /// Forgets a run; whoever waits for an answer of it is told the same (rules HS-15, HS-33).
    fn spend(&mut self, id: RunId, refusal: Refusal, mut waiting: Vec<C>) {
        if let Some(mut run) = self.table.remove(id) {
            waiting.extend(run.state.take_waiting());
        }
        self.table.answered(&waiting, id);
        self.desk.refuse(waiting, refusal);
    }

    fn remember<O: Observer>(
        &mut self,
        id: RunId,
        verdict: memory::Verdict,
        last: Digest,
        earlier: &[Digest],
        env: &mut Env<'_, O>,
    ) {
        let Some(run) = self.table.remove(id) else { return };
        let mut tags = [0; EARLIER];
        tags.iter_mut().zip(earlier.iter().rev()).for_each(|(to, digest)| *to = tag(*digest));
        let until = u32::try_from(run.head.until.as_secs()).unwrap_or(u32::MAX);
        let finished = Finished { last, earlier: tags, verdict, until };
        self.memory.keep(id, finished, env.now.monotonic);
    }
}
