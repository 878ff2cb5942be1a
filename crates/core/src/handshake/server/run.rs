//! One run: all that goes on under one (nonce, server_nonce).

use core::mem;
use core::time::Duration;
use std::sync::Arc;

use dayfly_crypto::NewNonce;
use dayfly_crypto::pq::PqFactors;

use super::PeerAddr;
use super::config::ServerLimits;
use super::dh_gen::{AwaitClientParams, ComputeKey, KeepKey};
use super::dh_params::{MakePublic, Unwrap};
use super::key_ring::KeyRing;
use super::memory::Verdict;
use super::query::{Digest, RunQuery};
use super::reply::Refusal;
use super::res_pq::AwaitDhParams;
use crate::handshake::SpecCheck;
use crate::job::Work;
use crate::keys::kind::KeyKind;
use crate::keys::requests::KeyRecord;

/// What names a run (rule HS-04).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct RunId {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
}

impl RunId {
    pub(super) const FIRST: Self = Self { nonce: [0; 16], server_nonce: [0; 16] };
    pub(super) const LAST: Self = Self { nonce: [255; 16], server_nonce: [255; 16] };

    pub(super) fn new(nonce: [u8; 16], server_nonce: [u8; 16]) -> Self {
        Self { nonce, server_nonce }
    }

    pub(super) fn nonce(self) -> [u8; 16] {
        self.nonce
    }

    pub(super) fn server_nonce(self) -> [u8; 16] {
        self.server_nonce
    }

    /// Both names, the one that the server drew first.
    pub(super) fn by_server_nonce(self) -> [u8; 32] {
        let mut key = [0; 32];
        let (front, back) = key.split_at_mut(16);
        front.copy_from_slice(&self.server_nonce);
        back.copy_from_slice(&self.nonce);
        key
    }
}

/// What is known of a run from its first query on.
pub(super) struct Head {
    pub(super) id: RunId,
    pub(super) peer: PeerAddr,
    /// Whether `req_pq` opened it and not `req_pq_multi`.
    pub(super) older: bool,
    pub(super) factors: PqFactors,
    /// The RSA keys that it was offered; they serve it to its end, whatever the operator changes meanwhile.
    pub(super) keys: Arc<KeyRing>,
    /// Which of all runs it is.
    pub(super) number: u64,
    /// Until when it and its answers are remembered.
    pub(super) until: Duration,
}

impl Head {
    /// How long ago the run was opened.
    pub(super) fn age(&self, limits: &ServerLimits, now: Duration) -> Duration {
        now.saturating_sub(self.until.saturating_sub(limits.run_lifetime))
    }
}

/// A run that has no verdict yet.
pub(super) struct Run<C> {
    pub(super) head: Head,
    pub(super) state: State<C>,
}

/// Each variant owns what that step knows, and no more.
pub(super) enum State<C> {
    /// `resPQ` is out.
    AwaitDhParams(AwaitDhParams),
    /// The private-key operation is under way.
    Unwrap(Unwrap<C>),
    /// g_a is being computed.
    MakePublic(MakePublic<C>),
    /// `server_DH_params_ok`, and perhaps `dh_gen_retry`, is out.
    AwaitClientParams(AwaitClientParams),
    /// auth_key is being computed.
    ComputeKey(ComputeKey<C>),
    /// The store is asked.
    KeepKey(KeepKey<C>),
    /// An earlier call did not finish.
    Poisoned,
}

impl<C> State<C> {
    /// Whether the run has shown its factors.
    pub(super) fn is_proven(&self) -> bool {
        !matches!(self, Self::AwaitDhParams(_))
    }

    /// When the state wants to be looked at, by monotonic time.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self {
            Self::KeepKey(state) => state.deadline(),
            _ => None,
        }
    }

    /// The query that is being worked on, if there is one.
    fn claim(&mut self) -> Option<&mut Claim<C>> {
        match self {
            Self::Unwrap(state) => Some(&mut state.claim),
            Self::MakePublic(state) => Some(&mut state.claim),
            Self::ComputeKey(state) => Some(&mut state.claim),
            Self::KeepKey(state) => Some(&mut state.claim),
            Self::AwaitDhParams(_) | Self::AwaitClientParams(_) | Self::Poisoned => None,
        }
    }

    /// Takes out whoever waits for an answer.
    pub(super) fn take_waiting(&mut self) -> Vec<C> {
        self.claim().map(Claim::take_waiting).unwrap_or_default()
    }
}

impl<C: Copy + Ord> State<C> {
    /// Whether this connection waits for an answer.
    pub(super) fn is_awaited_by(&mut self, connection: C) -> bool {
        self.claim().is_some_and(|claim| claim.waiting.contains(&connection))
    }

    /// Forgets a connection that waits.
    pub(super) fn forget_connection(&mut self, connection: C) {
        if let Some(claim) = self.claim() {
            claim.waiting.retain(|waiting| *waiting != connection);
        }
    }
}

/// A query that is being worked on, and who waits for the answer. While it stands, the run takes no other (rule HS-15).
pub(super) struct Claim<C> {
    pub(super) query: Digest,
    pub(super) waiting: Vec<C>,
}

impl<C: Copy + Ord> Claim<C> {
    pub(super) fn new(query: Digest, connection: C) -> Self {
        Self { query, waiting: vec![connection] }
    }

    /// The same query once more: it waits for the same answer. Beyond `most` the one that waited longest is let go.
    pub(super) fn wait(&mut self, connection: C, most: usize) {
        if self.waiting.contains(&connection) {
            return;
        }
        if self.waiting.len() >= most.max(1) {
            self.waiting.remove(0);
        }
        self.waiting.push(connection);
    }
}

impl<C> Claim<C> {
    pub(super) fn take_waiting(&mut self) -> Vec<C> {
        mem::take(&mut self.waiting)
    }
}

/// What the inner data of a run asked for.
pub(super) struct Terms {
    pub(super) new_nonce: NewNonce,
    pub(super) kind: KeyKind,
    /// `None` for the older forms.
    pub(super) dc: Option<i32>,
}

/// All that is needed to make a key, and to make another one when it is refused.
pub(super) struct Agreement {
    pub(super) terms: Terms,
    pub(super) server_time: u64,
    /// `server_DH_params_ok` as it was sent; empty once a key is there.
    pub(super) answer: Box<[u8]>,
    /// The query that it answers.
    pub(super) dh_params: Digest,
    /// The queries that were answered with dh_gen_retry, the newest last, and auth_key_aux_hash of the newest's key.
    pub(super) refused: Vec<Digest>,
    pub(super) aux_hash: [u8; 8],
}

impl Agreement {
    /// Whether this query was answered before the one that the run is at now.
    pub(super) fn is_earlier(&self, query: Digest) -> bool {
        query == self.dh_params || self.refused.contains(&query)
    }
}

/// A query to a run, and where it came from.
pub(super) struct Asked<'a, C> {
    pub(super) query: RunQuery<'a>,
    pub(super) digest: Digest,
    pub(super) connection: C,
}

/// What a state makes of what it was given.
pub(super) enum Step<C> {
    /// On, or not, to a state.
    Go { state: State<C>, act: Act<C> },
    /// The run has its verdict.
    Finish { verdict: Verdict, last: Digest, earlier: Vec<Digest>, waiting: Vec<C> },
    /// A query is refused. `keep` is the run as it was before, if it can go on.
    Refuse { refusal: Refusal, waiting: Vec<C>, keep: Option<State<C>> },
}

/// What goes with a state.
pub(super) enum Act<C> {
    Nothing,
    Work(Work),
    Answer { name: &'static str, answer: Vec<u8>, waiting: Vec<C> },
    Insert(KeyRecord),
}

impl<C: Copy + Ord> Step<C> {
    pub(super) fn stay(state: State<C>) -> Self {
        Self::Go { state, act: Act::Nothing }
    }

    pub(super) fn work(state: State<C>, work: Work) -> Self {
        Self::Go { state, act: Act::Work(work) }
    }

    /// A refused query of one connection; the state as it was.
    pub(super) fn refuse(refusal: impl Into<Refusal>, connection: C, state: State<C>) -> Self {
        Self::Refuse { refusal: refusal.into(), waiting: vec![connection], keep: Some(state) }
    }

    /// Whatever fails after the private-key operation leads here.
    pub(super) fn late(waiting: Vec<C>) -> Self {
        Self::Refuse { refusal: Refusal::Late, waiting, keep: None }
    }
}

/// What is to be done with a query for a run that works on one: the same waits, an earlier one is told from a wrong one.
pub(super) fn while_claimed<C: Copy + Ord>(
    claim: &mut Claim<C>,
    agreement: Option<&Agreement>,
    asked: &Asked<'_, C>,
    most_waiting: usize,
) -> Result<Option<Vec<u8>>, SpecCheck> {
    if crate::holds!("HS-15.claim", asked.digest == claim.query) {
        claim.wait(asked.connection, most_waiting);
        return Ok(None);
    }
    match agreement {
        Some(agreement) if asked.digest == agreement.dh_params && !agreement.answer.is_empty() => {
            Ok(Some(agreement.answer.to_vec()))
        }
        Some(agreement) if agreement.is_earlier(asked.digest) => Err(SpecCheck::EarlierQuery),
        _ => Err(SpecCheck::SecondQuery),
    }
}
