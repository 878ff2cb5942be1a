//! Step 7: g_b is being computed; then it is sent in `set_client_DH_params`.

use dayfly_crypto::dh::{DhError, PublicValue};
use dayfly_crypto::{Exponent, RandomError, kdf};
use dayfly_tl::mtproto::{ClientDhInnerData, SetClientDhParams};

use super::dh_gen::AwaitDhGen;
use super::step::{Agreement, Attempt, Query, Step};
use super::{ClientConfig, HandshakeError, State};
use crate::env::Env;
use crate::handshake::sealed;
use crate::job::Work;
use crate::mutant;
use crate::observer::Observer;

/// Waits for the job that computes g_b.
pub(super) struct MakePublic {
    agreement: Agreement,
    attempt: Attempt,
}

impl MakePublic {
    /// Draws a new b and has g_b computed (rule HS-21: for each run, and for each retry).
    pub(super) fn begin<K, O: Observer>(
        agreement: Agreement,
        attempt: Attempt,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, RandomError> {
        let exponent = Exponent::draw(config.exponent_bits, env.random)?;
        env.observer.value("b", exponent.expose());
        let work = Work::NewPair { group: agreement.group.clone(), exponent };
        Ok(Step::Go { next: State::MakePublic(Self { agreement, attempt }), query: None, work: Some(work) })
    }

    /// Sends g_b, and has auth_key computed while the server does the same.
    pub(super) fn on_pair<K, O: Observer>(
        self,
        exponent: Exponent,
        g_b: Result<Box<PublicValue>, DhError>,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        let Self { agreement, attempt } = self;
        // rule HS-20: our own value too; one that is out of range is replaced by that of a new b.
        let Ok(g_b) = g_b else {
            return Ok(Self::begin(agreement, attempt, config, env)?);
        };
        env.observer.value("g_b", g_b.bytes());
        let query = query(&agreement, attempt, &g_b, env)?;
        let work = Work::Power { group: agreement.group.clone(), base: agreement.g_a.clone(), exponent };
        let next = State::AwaitDhGen(AwaitDhGen::new(agreement, attempt));
        Ok(Step::Go { next, query: Some(query), work: Some(work) })
    }
}

fn query<O: Observer>(
    agreement: &Agreement,
    attempt: Attempt,
    g_b: &PublicValue,
    env: &mut Env<'_, O>,
) -> Result<Query, RandomError> {
    let run = &agreement.run;
    let (nonce, server_nonce) = (run.nonce, run.server_nonce);
    let retry_id = mutant!("HS-22.retry_id", attempt.retry_id, 0);
    let inner = ClientDhInnerData { nonce, server_nonce, retry_id, g_b: g_b.bytes() };
    let keys = kdf::tmp_aes(&run.new_nonce, &run.server_nonce);
    let encrypted_data = sealed::seal(&inner, &keys, env.random)?;
    Ok(Query::new(&SetClientDhParams { nonce, server_nonce, encrypted_data: &encrypted_data }))
}
