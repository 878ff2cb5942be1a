//! Step 6: `req_DH_params` is out, `server_DH_params_ok` is awaited.

use std::sync::Arc;

use dayfly_crypto::dh::{Candidate, DhError, PublicValue, SafePrimeGroup};
use dayfly_crypto::kdf;
use dayfly_tl::mtproto::{ServerDhInnerData, ServerDhParams, ServerDhParamsFail, ServerDhParamsOk};

use super::make_public::MakePublic;
use super::prove_group::ProveGroup;
use super::step::{Agreement, Attempt, Run, ServerClock, Step};
use super::{ClientConfig, HandshakeError, RunEnd, State};
use crate::env::Env;
use crate::handshake::{SpecCheck, sealed};
use crate::holds;
use crate::job::Work;
use crate::observer::Observer;

/// Waits for `server_DH_params_ok`.
pub(super) struct AwaitDhParams {
    run: Run,
}

/// What a server offers, but for its group.
pub(super) struct Offer {
    pub(super) run: Run,
    pub(super) g_a: Vec<u8>,
    pub(super) clock: ServerClock,
}

impl AwaitDhParams {
    pub(super) fn new(run: Run) -> Self {
        Self { run }
    }

    pub(super) fn on_dh_params<K, O: Observer>(
        self,
        m: &ServerDhParams<'_>,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        match m {
            ServerDhParams::ServerDhParamsOk(m) => self.on_ok(m, config, env),
            ServerDhParams::ServerDhParamsFail(m) => self.on_fail(m, env.observer),
        }
    }

    fn on_ok<K, O: Observer>(
        self,
        m: &ServerDhParamsOk<'_>,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        self.run.verify(&m.nonce, &m.server_nonce, env.observer)?;
        let whole = holds!("HS-17.length", sealed::is_whole(m.encrypted_answer.len()));
        SpecCheck::AnswerLength.verify(whole, env.observer)?;
        let keys = kdf::tmp_aes(&self.run.new_nonce, &self.run.server_nonce);
        env.observer.value("tmp_aes_key", &keys.key);
        env.observer.value("tmp_aes_iv", &keys.iv);
        let plain = sealed::open(m.encrypted_answer, &keys).ok_or(SpecCheck::AnswerMalformed)?;
        env.observer.value("answer_with_hash", &plain);
        let inner = self.verified(&plain, env.observer)?;
        let server_time = u64::try_from(inner.server_time).unwrap_or_default();
        let clock = ServerClock { server_time, told_at: env.now.unix };
        let offer = Offer { g_a: inner.g_a.to_vec(), clock, run: self.run };
        offer.look_up(inner.dh_prime, inner.g, config, env)
    }

    /// The answer, once every check of its envelope and its nonces was made.
    fn verified<'a, O: Observer>(
        &self,
        plain: &'a [u8],
        observer: &mut O,
    ) -> Result<ServerDhInnerData<'a>, SpecCheck> {
        let inner: sealed::Inner<ServerDhInnerData<'a>> =
            sealed::read(plain).ok_or(SpecCheck::AnswerMalformed)?;
        SpecCheck::AnswerHash.verify(holds!("HS-17.hash", inner.hash_matches), observer)?;
        let padded = holds!("HS-17.padding", inner.padding <= sealed::MOST_PADDING);
        SpecCheck::AnswerPadding.verify(padded, observer)?;
        let nonce = holds!("HS-06.inner_nonce", inner.value.nonce == self.run.nonce);
        SpecCheck::InnerAnswerNonce.verify(nonce, observer)?;
        let server_nonce =
            holds!("HS-06.inner_server_nonce", inner.value.server_nonce == self.run.server_nonce);
        SpecCheck::InnerAnswerServerNonce.verify(server_nonce, observer)?;
        Ok(inner.value)
    }

    /// The older refusal: it counts if it proves that it was made for our new_nonce (rule HS-38).
    fn on_fail<O: Observer>(self, m: &ServerDhParamsFail, observer: &mut O) -> Result<Step, HandshakeError> {
        self.run.verify(&m.nonce, &m.server_nonce, observer)?;
        let hash = kdf::new_nonce_fail_hash(&self.run.new_nonce);
        let held = holds!("HS-38.new_nonce_hash", m.new_nonce_hash == hash);
        SpecCheck::DhParamsFailHash.verify(held, observer)?;
        Ok(Step::Again(RunEnd::DhParamsFail))
    }
}

impl Offer {
    /// Checks the group, or has it proven if the prime is new to us (rules HS-18, HS-19).
    fn look_up<K, O: Observer>(
        self,
        dh_prime: &[u8],
        g: i32,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        match group_check(Candidate::new(dh_prime, g, &config.groups), env.observer)? {
            Candidate::Proven(group) => self.accept(group, config, env),
            Candidate::NeedsProof(unproven) => {
                let work = Work::SafePrime { unproven, cache: config.groups.clone() };
                Ok(Step::Go { next: State::ProveGroup(ProveGroup::new(self)), query: None, work: Some(work) })
            }
        }
    }

    /// Checks g_a in its group, and goes on to step 7.
    pub(super) fn accept<K, O: Observer>(
        self,
        group: Arc<SafePrimeGroup>,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        let Self { run, g_a, clock } = self;
        env.observer.value("g_a", &g_a);
        let parsed = PublicValue::parse(&g_a, &group);
        SpecCheck::GAOutOfRange.verify(parsed.is_ok(), env.observer)?;
        let g_a = Box::new(parsed.map_err(|_| SpecCheck::GAOutOfRange)?);
        let agreement = Agreement { run, group, g_a, clock };
        Ok(MakePublic::begin(agreement, Attempt::default(), config, env)?)
    }
}

/// Passes a group on, or says which of its checks failed.
pub(super) fn group_check<T, O: Observer>(
    outcome: Result<T, DhError>,
    observer: &mut O,
) -> Result<T, HandshakeError> {
    let failed = match &outcome {
        Err(DhError::Internal(_)) => return Err(HandshakeError::Arithmetic),
        Err(DhError::GeneratorRange | DhError::GeneratorNotResidue) => Some(SpecCheck::Generator),
        Err(_) => Some(SpecCheck::DhPrime),
        Ok(_) => None,
    };
    for check in [SpecCheck::DhPrime, SpecCheck::Generator] {
        check.verify(failed != Some(check), observer)?;
    }
    outcome.map_err(|_| HandshakeError::Arithmetic)
}
