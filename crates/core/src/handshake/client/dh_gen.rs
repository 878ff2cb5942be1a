//! Steps 8 and 9: `set_client_DH_params` is out, auth_key is being computed, the verdict is awaited.

use std::sync::Arc;

use dayfly_crypto::{AuthKey, kdf};
use dayfly_tl::mtproto::{DhGenFail, DhGenOk, DhGenRetry, SetClientDhParamsAnswer};

use super::make_public::MakePublic;
use super::step::{Agreement, Attempt, Created, Step, unexpected};
use super::{ClientConfig, HandshakeError, RunEnd, State};
use crate::env::Env;
use crate::handshake::SpecCheck;
use crate::keys::kind::KeyKind;
use crate::observer::Observer;
use crate::{holds, mutant};

/// Waits for auth_key from the job, then for one of the three verdicts.
pub(super) struct AwaitDhGen {
    agreement: Agreement,
    attempt: Attempt,
    /// What is being agreed on; `None` until the job is done. Verdicts that come earlier are held back by the machine.
    key: Option<AuthKey>,
}

impl AwaitDhGen {
    pub(super) const NAME: &'static str = "dh_gen_ok, dh_gen_retry or dh_gen_fail";

    pub(super) fn new(agreement: Agreement, attempt: Attempt) -> Self {
        Self { agreement, attempt, key: None }
    }

    /// Takes g_a^b as auth_key: 256 bytes, leading zeros kept (rule HS-24).
    pub(super) fn on_power<O: Observer>(self, key: AuthKey, env: &mut Env<'_, O>) -> Step {
        env.observer.value("auth_key", key.expose());
        let next = State::AwaitDhGen(Self { key: Some(key), ..self });
        Step::Go { next, query: None, work: None }
    }

    pub(super) fn on_dh_gen<K, O: Observer>(
        mut self,
        m: &SetClientDhParamsAnswer,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        let key = self.key.take().ok_or_else(|| unexpected("auth_key", "a verdict"))?;
        match m {
            SetClientDhParamsAnswer::DhGenOk(m) => self.on_ok(m, key, config, env),
            SetClientDhParamsAnswer::DhGenRetry(m) => self.on_retry(m, &key, config, env),
            SetClientDhParamsAnswer::DhGenFail(m) => self.on_fail(m, &key, env),
        }
    }

    fn on_ok<K, O: Observer>(
        self,
        m: &DhGenOk,
        key: AuthKey,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        let run = &self.agreement.run;
        run.verify(&m.nonce, &m.server_nonce, env.observer)?;
        let held = holds!("HS-27.hash1", m.new_nonce_hash1 == self.hash(1, &key));
        SpecCheck::NewNonceHash1.verify(held, env.observer)?;
        let created_at = self.agreement.clock.server_time;
        let from = mutant!("PF-02.server_time", created_at, env.now.unix_seconds());
        let expires_at = match config.kind {
            KeyKind::Perm => None,
            KeyKind::Temp { expires_in } => Some(from.saturating_add(u64::from(expires_in))),
        };
        Ok(Step::Done(Created {
            key: Arc::new(key),
            kind: config.kind,
            dc: config.dc,
            server_salt: kdf::server_salt(&run.new_nonce, &run.server_nonce),
            time_offset: self.agreement.clock.offset(),
            created_at,
            expires_at,
        }))
    }

    /// Back to step 7 with a new b, as often as is allowed (rule HS-27).
    fn on_retry<K, O: Observer>(
        self,
        m: &DhGenRetry,
        key: &AuthKey,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        self.agreement.run.verify(&m.nonce, &m.server_nonce, env.observer)?;
        let held = holds!("HS-27.hash2", m.new_nonce_hash2 == self.hash(2, key));
        SpecCheck::NewNonceHash2.verify(held, env.observer)?;
        let refused = self.attempt.refused.saturating_add(1);
        if !holds!("HS-27.retries", refused <= config.patience.max_retries) {
            return Err(HandshakeError::TooManyRetries(refused));
        }
        let attempt = Attempt { retry_id: i64::from_le_bytes(key.aux_hash()), refused };
        Ok(MakePublic::begin(self.agreement, attempt, config, env)?)
    }

    /// The run is over; the next one has a new nonce (rule HS-27).
    fn on_fail<O: Observer>(
        self,
        m: &DhGenFail,
        key: &AuthKey,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        self.agreement.run.verify(&m.nonce, &m.server_nonce, env.observer)?;
        let held = holds!("HS-27.hash3", m.new_nonce_hash3 == self.hash(3, key));
        SpecCheck::NewNonceHash3.verify(held, env.observer)?;
        Ok(Step::Again(RunEnd::DhGenFail))
    }

    fn hash(&self, number: u8, key: &AuthKey) -> [u8; 16] {
        kdf::new_nonce_hash(&self.agreement.run.new_nonce, number, &key.aux_hash())
    }
}
