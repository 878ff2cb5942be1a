//! The client's side: one run after another until there is a key.
//!
//! Random bytes are drawn in a fixed order, so that a recorded run can be replayed: `nonce` (public); on `resPQ`,
//! `new_nonce` (secret) and what [`Wrap`] takes (RSA_PAD: the padding, then temp_key for each try, secret); on
//! `server_DH_params_ok`, b (secret); once g_b is there, the padding of `client_DH_inner_data` (public), or b again if g_b
//! was out of range; on `dh_gen_retry`, b again. Only a delay before a new run takes more: two bytes of jitter (public).

mod answer;
mod config;
mod dh_gen;
mod dh_params;
mod error;
mod in_flight;
mod make_public;
mod prove_group;
mod res_pq;
mod step;
mod wrap;

use core::mem;
use core::time::Duration;
use std::collections::VecDeque;

use dayfly_crypto::digest::sha256;
use dayfly_crypto::rsa_key::PublicKey;
use dayfly_crypto::{SHALLOW, scrubbed};

pub use self::config::{ClientConfig, Patience};
pub use self::error::{HandshakeError, RunEnd};
pub use self::step::Created;
pub use self::wrap::Wrap;

use self::answer::Answer;
use self::dh_gen::AwaitDhGen;
use self::dh_params::AwaitDhParams;
use self::in_flight::{InFlight, grown};
use self::make_public::MakePublic;
use self::prove_group::ProveGroup;
use self::res_pq::AwaitResPq;
use self::step::{Query, Step, unexpected};
use super::SpecCheck;
use super::plain_id::PlainIds;
use crate::env::Env;
use crate::job::{Job, JobId, JobResult, Outcome, Work};
use crate::observer::{Direction, Observer, Seen};
use crate::plain::{self, PlainMessage};
use crate::{holds, mutant};

/// How many answers are held back while a job is out; a server sends one, and its repeats.
const MOST_HELD: usize = 8;
/// How many answers are remembered, so that their repeats are known.
const MOST_TAKEN: usize = 32;

/// What the client is to do.
#[derive(Debug)]
pub enum Output {
    /// Send this plain message: auth_key_id 0, msg_id, length, query.
    Send(Vec<u8>),
    /// The key is made; the machine has nothing more to do.
    Done(Created),
}

/// Makes one authorization key. Two of them side by side make a permanent and a temporary one (rule PF-03).
///
/// After each call drain [`poll_job`](Self::poll_job) and [`poll_output`](Self::poll_output), and call
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) says so. After an error the machine
/// stays failed and repeats it.
pub struct ClientHandshake<K: Wrap = PublicKey> {
    config: ClientConfig<K>,
    state: State,
    in_flight: Option<InFlight>,
    outputs: VecDeque<Output>,
    job: Option<Job>,
    awaited: Option<JobId>,
    jobs: u64,
    /// Answers that came while a job was out, in their order.
    held: VecDeque<Vec<u8>>,
    /// Digests of the answers that were taken, the newest last.
    taken: VecDeque<[u8; 32]>,
    /// Nonces of runs that are over: their late answers mean nothing.
    past: Vec<[u8; 16]>,
    nonce: [u8; 16],
    /// -429 in this run.
    floods: u32,
    ids: PlainIds,
}

/// Each variant owns what that step knows, and no more.
enum State {
    AwaitResPq(AwaitResPq),
    AwaitDhParams(AwaitDhParams),
    ProveGroup(ProveGroup),
    MakePublic(MakePublic),
    AwaitDhGen(AwaitDhGen),
    /// Between two runs, until that monotonic time.
    Paused(Duration),
    Done,
    Failed(HandshakeError),
}

impl State {
    /// What is waited for.
    fn name(&self) -> &'static str {
        match self {
            Self::AwaitResPq(_) => "resPQ",
            Self::AwaitDhParams(_) => "server_DH_params_ok",
            Self::ProveGroup(_) => "the proof of dh_prime",
            Self::MakePublic(_) => "g_b",
            Self::AwaitDhGen(_) => AwaitDhGen::NAME,
            Self::Paused(_) => "the next run",
            Self::Done | Self::Failed(_) => "nothing",
        }
    }
}

impl<K: Wrap> ClientHandshake<K> {
    /// Begins the first run.
    ///
    /// # Errors
    /// [`HandshakeError::Random`] if the source of randomness failed.
    pub fn new<O: Observer>(config: ClientConfig<K>, env: &mut Env<'_, O>) -> Result<Self, HandshakeError> {
        let mut machine = Self {
            config,
            state: State::Failed(HandshakeError::Poisoned),
            in_flight: None,
            outputs: VecDeque::new(),
            job: None,
            awaited: None,
            jobs: 0,
            held: VecDeque::new(),
            taken: VecDeque::new(),
            past: Vec::new(),
            nonce: [0; 16],
            floods: 0,
            ids: PlainIds::client(),
        };
        machine.begin(env)?;
        Ok(machine)
    }

    /// Takes one plain message of the server, whole. What arrives while a job is out is kept until its result is there.
    ///
    /// # Errors
    /// The check that the answer failed; the machine stays failed.
    pub fn handle_message<O: Observer>(
        &mut self,
        message: &[u8],
        env: &mut Env<'_, O>,
    ) -> Result<(), HandshakeError> {
        match self.state {
            State::Failed(error) => Err(error),
            State::Done | State::Paused(_) => Ok(()),
            _ if self.awaited.is_some() => {
                self.hold(message);
                Ok(())
            }
            _ => scrubbed::<SHALLOW, _>(|| self.take(message, env)),
        }
    }

    /// Takes a transport error: -404 begins a new run, -429 waits, any other one ends the machine (rule HS-38).
    ///
    /// # Errors
    /// [`HandshakeError::WrongDc`] for -444, [`HandshakeError::Transport`] for an unknown one, and those of a bound that
    /// was reached.
    pub fn handle_transport_error<O: Observer>(
        &mut self,
        code: i32,
        env: &mut Env<'_, O>,
    ) -> Result<(), HandshakeError> {
        match (&self.state, code) {
            (State::Failed(error), _) => Err(*error),
            (State::Done | State::Paused(_), _) => Ok(()),
            (_, -404) => self.again(RunEnd::NotFound, env),
            (_, -429) => self.put_off(env),
            (_, -444) => self.fail(HandshakeError::WrongDc { dc: self.config.dc }),
            _ => self.fail(HandshakeError::Transport(code)),
        }
    }

    /// There is a new connection: the query in flight goes out on it as it was (rule HS-30), once, though it may be waiting
    /// to go out already.
    pub fn handle_reconnected<O: Observer>(&mut self, env: &mut Env<'_, O>) {
        self.outputs.retain(|output| !matches!(output, Output::Send(_)));
        let patience = &self.config.patience;
        let payload =
            self.in_flight.as_mut().and_then(|query| query.on_new_connection(env.now.monotonic, patience));
        self.outputs.extend(payload.map(Output::Send));
    }

    /// Something may be due: the query goes out again as it was, or a new run begins.
    ///
    /// # Errors
    /// Those of a bound that was reached, and of the source of randomness.
    pub fn handle_timeout<O: Observer>(&mut self, env: &mut Env<'_, O>) -> Result<(), HandshakeError> {
        let now = env.now.monotonic;
        match self.state {
            State::Failed(error) => return Err(error),
            State::Paused(until) if until <= now => return self.begin(env),
            _ => {}
        }
        let patience = &self.config.patience;
        let Some(query) = self.in_flight.as_mut().filter(|query| query.due() <= now) else {
            return Ok(());
        };
        if query.resends() >= patience.max_resends {
            return self.again(RunEnd::Silence, env);
        }
        self.outputs.push_back(Output::Send(query.again(now, patience)));
        Ok(())
    }

    /// Takes the result of a job. One that nobody waits for any more is dropped.
    ///
    /// # Errors
    /// Those of the answers that were held back meanwhile, and of the step that the result ends.
    pub fn handle_job<O: Observer>(
        &mut self,
        result: JobResult,
        env: &mut Env<'_, O>,
    ) -> Result<(), HandshakeError> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        if self.awaited != Some(result.id) {
            return Ok(());
        }
        self.awaited = None;
        let waiting = mem::replace(&mut self.state, State::Failed(HandshakeError::Poisoned));
        let step = match (waiting, result.outcome) {
            (State::ProveGroup(state), Outcome::SafePrime(proof)) => state.on_proof(proof, &self.config, env),
            (State::MakePublic(state), Outcome::NewPair { exponent, public }) => {
                state.on_pair(exponent, public, &self.config, env)
            }
            (State::AwaitDhGen(state), Outcome::Power { key, .. }) => Ok(state.on_power(key, env)),
            _ => Err(HandshakeError::Arithmetic),
        };
        self.enter(step, env)?;
        self.take_held(env)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, by monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        match self.state {
            State::Paused(until) => Some(until),
            State::Done | State::Failed(_) => None,
            _ => self.in_flight.as_ref().map(InFlight::due),
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Work to be done anywhere; its result comes back through [`handle_job`](Self::handle_job).
    pub fn poll_job(&mut self) -> Option<Job> {
        self.job.take()
    }

    /// Why it failed, if it did.
    #[must_use]
    pub fn error(&self) -> Option<HandshakeError> {
        match self.state {
            State::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// What is waited for, in words, for logs.
    #[must_use]
    pub fn waits_for(&self) -> &'static str {
        self.state.name()
    }

    /// How many runs were begun, this one included.
    #[must_use]
    pub fn runs(&self) -> u32 {
        u32::try_from(self.past.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn hold(&mut self, message: &[u8]) {
        if self.held.len() < MOST_HELD {
            self.held.push_back(message.to_vec());
        }
    }

    fn take_held<O: Observer>(&mut self, env: &mut Env<'_, O>) -> Result<(), HandshakeError> {
        while self.awaited.is_none() {
            let Some(message) = self.held.pop_front() else { break };
            self.handle_message(&message, env)?;
        }
        Ok(())
    }

    fn take<O: Observer>(&mut self, message: &[u8], env: &mut Env<'_, O>) -> Result<(), HandshakeError> {
        let step = match self.next_answer(message, env.observer) {
            Ok(None) => return Ok(()),
            Ok(Some(answer)) => {
                let waiting = mem::replace(&mut self.state, State::Failed(HandshakeError::Poisoned));
                self.dispatch(waiting, &answer, env)
            }
            Err(check) => Err(check.into()),
        };
        self.enter(step, env)
    }

    fn dispatch<O: Observer>(
        &self,
        waiting: State,
        answer: &Answer<'_>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        match (waiting, answer) {
            (State::AwaitResPq(state), Answer::ResPq(m)) => state.on_res_pq(m, &self.config, env),
            (State::AwaitDhParams(state), Answer::DhParams(m)) => state.on_dh_params(m, &self.config, env),
            (State::AwaitDhGen(state), Answer::DhGen(m)) => state.on_dh_gen(m, &self.config, env),
            (state, answer) => Err(unexpected(state.name(), answer.name())),
        }
    }

    /// Reads an answer; `None` for a repeat of one that was taken, and for a late one of a run that is over.
    fn next_answer<'a, O: Observer>(
        &mut self,
        message: &'a [u8],
        observer: &mut O,
    ) -> Result<Option<Answer<'a>>, SpecCheck> {
        let body = PlainMessage::from_server(message).map_err(|_| SpecCheck::Malformed)?.body;
        let (answer, bytes) = Answer::read(body)?;
        observer.message(Seen { direction: Direction::In, name: answer.name(), bytes });
        let digest = sha256(&[bytes]);
        let repeat = mutant!("HS-06.repeat", self.taken.contains(&digest), false);
        if repeat || self.past.contains(answer.nonce()) {
            return Ok(None);
        }
        if self.taken.len() >= MOST_TAKEN {
            self.taken.pop_front();
        }
        self.taken.push_back(digest);
        Ok(Some(answer))
    }

    fn enter<O: Observer>(
        &mut self,
        step: Result<Step, HandshakeError>,
        env: &mut Env<'_, O>,
    ) -> Result<(), HandshakeError> {
        match step {
            Ok(Step::Go { next, query, work }) => {
                self.state = next;
                self.awaited = work.map(|work| self.give_out(work));
                // A job alone changes nothing in flight: the verdict is still awaited while auth_key is computed.
                if query.is_some() || !matches!(self.state, State::AwaitDhGen(_)) {
                    self.in_flight = None;
                }
                if let Some(query) = query {
                    self.send(&query, env);
                }
                Ok(())
            }
            Ok(Step::Again(end)) => self.again(end, env),
            Ok(Step::Done(created)) => {
                self.finish(State::Done);
                self.outputs.push_back(Output::Done(created));
                Ok(())
            }
            Err(error) => self.fail(error),
        }
    }

    fn give_out(&mut self, work: Work) -> JobId {
        self.jobs = self.jobs.saturating_add(1);
        let id = JobId(self.jobs);
        self.job = Some(Job { id, work });
        id
    }

    fn send<O: Observer>(&mut self, query: &Query, env: &mut Env<'_, O>) {
        env.observer.message(Seen { direction: Direction::Out, name: query.name, bytes: &query.body });
        let payload = plain::write(self.ids.next(env.now), &query.body);
        self.outputs.push_back(Output::Send(payload.clone()));
        self.in_flight = Some(InFlight::new(payload, env.now.monotonic, &self.config.patience));
    }

    fn begin<O: Observer>(&mut self, env: &mut Env<'_, O>) -> Result<(), HandshakeError> {
        self.floods = 0;
        let step = AwaitResPq::begin(env).map(|(state, query)| {
            self.nonce = state.nonce();
            Step::Go { next: State::AwaitResPq(state), query: Some(query), work: None }
        });
        self.enter(step.map_err(Into::into), env)
    }

    /// Ends the run and plans a new one, with a delay that grows and is not the same for all clients (rule HS-38).
    fn again<O: Observer>(&mut self, last: RunEnd, env: &mut Env<'_, O>) -> Result<(), HandshakeError> {
        let runs = self.runs();
        if !holds!("HS-38.restarts", runs <= self.config.patience.max_restarts) {
            return self.fail(HandshakeError::TooManyRestarts { runs, last });
        }
        self.past.push(self.nonce);
        match self.delay(runs.saturating_sub(1), env) {
            Ok(delay) => self.finish(State::Paused(env.now.monotonic.saturating_add(delay))),
            Err(error) => return self.fail(error),
        }
        Ok(())
    }

    /// -429: the same query again, later.
    fn put_off<O: Observer>(&mut self, env: &mut Env<'_, O>) -> Result<(), HandshakeError> {
        let floods = self.floods;
        if floods >= self.config.patience.max_floods {
            return self.fail(HandshakeError::TooManyFloods(floods));
        }
        self.floods = floods.saturating_add(1);
        let until = match self.delay(floods, env) {
            Ok(delay) => env.now.monotonic.saturating_add(delay),
            Err(error) => return self.fail(error),
        };
        if let Some(query) = &mut self.in_flight {
            query.wait(until);
        }
        Ok(())
    }

    fn delay<O: Observer>(&self, times: u32, env: &mut Env<'_, O>) -> Result<Duration, HandshakeError> {
        let patience = &self.config.patience;
        let delay = grown(patience.restart_after, times, patience.longest_delay);
        let jitter = u32::from(u16::from_le_bytes(env.public_bytes()?));
        let most = delay.checked_div(2).unwrap_or_default();
        let share = most.saturating_mul(jitter).checked_div(u32::from(u16::MAX)).unwrap_or_default();
        Ok(delay.saturating_add(share))
    }

    fn fail(&mut self, error: HandshakeError) -> Result<(), HandshakeError> {
        self.finish(State::Failed(error));
        Err(error)
    }

    /// Leaves the run; its secrets are wiped with the state that owned them (rule HS-29).
    fn finish(&mut self, state: State) {
        self.state = state;
        self.in_flight = None;
        self.job = None;
        self.awaited = None;
        self.held.clear();
    }
}
