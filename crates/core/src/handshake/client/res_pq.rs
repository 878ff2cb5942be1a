//! Steps 1 to 5: `req_pq_multi` is out, `resPQ` is awaited; it is answered with the factors of pq and `new_nonce`.

use dayfly_crypto::pq::{self, PqError, PqFactors, minimal_be};
use dayfly_crypto::{NewNonce, RandomError};
use dayfly_tl::mtproto::{PQInnerDataDc, PQInnerDataTempDc, ReqDhParams, ReqPqMulti, ResPq};
use dayfly_tl::to_secret_bytes;
use zeroize::Zeroizing;

use super::dh_params::AwaitDhParams;
use super::step::{Query, Run, Step};
use super::{ClientConfig, HandshakeError, State, Wrap};
use crate::env::Env;
use crate::handshake::SpecCheck;
use crate::keys::kind::KeyKind;
use crate::observer::Observer;
use crate::{holds, mutant};

/// Waits for `resPQ`.
pub(super) struct AwaitResPq {
    nonce: [u8; 16],
}

impl AwaitResPq {
    /// Begins a run with a fresh nonce (rule HS-37).
    pub(super) fn begin<O: Observer>(env: &mut Env<'_, O>) -> Result<(Self, Query), RandomError> {
        let nonce = mutant!("HS-37.nonce", env.public_bytes()?, [0x37; 16]);
        Ok((Self { nonce }, Query::new(&ReqPqMulti { nonce })))
    }

    /// The nonce of this run.
    pub(super) fn nonce(&self) -> [u8; 16] {
        self.nonce
    }

    pub(super) fn on_res_pq<K: Wrap, O: Observer>(
        self,
        m: &ResPq<'_>,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        let held = holds!("HS-06.res_pq_nonce", m.nonce == self.nonce);
        SpecCheck::NonceMismatch.verify(held, env.observer)?;
        let key = trusted(m, &config.keys, env.observer)?;
        let factors = factors(m.pq, env.observer)?;
        let new_nonce = draw_new_nonce(env)?;
        let run = Run { nonce: self.nonce, server_nonce: m.server_nonce, new_nonce };
        let inner = InnerData { run: &run, factors: &factors, kind: config.kind, dc: config.dc }.serialize();
        env.observer.value("p_q_inner_data", &inner);
        let encrypted_data = key.wrap(&inner, env.random)?;
        let (p, q) = mutant!("HS-08.order", (factors.p(), factors.q()), (factors.q(), factors.p()));
        let (p, q) = (minimal_be(p), minimal_be(q));
        let query = Query::new(&ReqDhParams {
            nonce: run.nonce,
            server_nonce: run.server_nonce,
            p: &p,
            q: &q,
            public_key_fingerprint: key.fingerprint().0,
            encrypted_data: &encrypted_data,
        });
        Ok(Step::Go { next: State::AwaitDhParams(AwaitDhParams::new(run)), query: Some(query), work: None })
    }
}

/// The first of our keys that the server has too, wherever it stands in the server's list (rule HS-07).
fn trusted<'k, K: Wrap, O: Observer>(
    m: &ResPq<'_>,
    keys: &'k [K],
    observer: &mut O,
) -> Result<&'k K, SpecCheck> {
    let known = |key: &&K| m.server_public_key_fingerprints.contains(key.fingerprint().0);
    let key = keys.iter().find(known);
    let key = mutant!("HS-07.trusted", key, key.or(keys.first()));
    SpecCheck::NoTrustedKey.verify(key.is_some(), observer)?;
    key.ok_or(SpecCheck::NoTrustedKey)
}

/// The two factors, which only a pq of the right form has (rule HS-07).
fn factors<O: Observer>(pq: &[u8], observer: &mut O) -> Result<PqFactors, SpecCheck> {
    let factors = pq::number(pq).ok_or(PqError::TooLarge).and_then(pq::factorize);
    SpecCheck::PqTooLarge.verify(factors != Err(PqError::TooLarge), observer)?;
    SpecCheck::PqNotTwoPrimes.verify(factors.is_ok(), observer)?;
    factors.map_err(|_| SpecCheck::PqNotTwoPrimes)
}

/// A fresh new_nonce (rule HS-37); it is in one place only, wiped at the end of the run.
fn draw_new_nonce<O: Observer>(env: &mut Env<'_, O>) -> Result<NewNonce, RandomError> {
    let mut bytes = Zeroizing::new([0; 32]);
    env.random.fill_secret(&mut *bytes)?;
    let new_nonce = NewNonce::take(&mut bytes);
    env.observer.value("new_nonce", new_nonce.expose());
    Ok(new_nonce)
}

/// What goes into `p_q_inner_data_dc` or `p_q_inner_data_temp_dc` (rule HS-09).
struct InnerData<'a> {
    run: &'a Run,
    factors: &'a PqFactors,
    kind: KeyKind,
    dc: i32,
}

impl InnerData<'_> {
    fn serialize(&self) -> Zeroizing<Vec<u8>> {
        let Self { run: Run { nonce, server_nonce, new_nonce }, factors, kind, dc } = *self;
        let (pq, p, q) = (minimal_be(factors.product()), minimal_be(factors.p()), minimal_be(factors.q()));
        let (pq, p, q) = (pq.as_slice(), p.as_slice(), q.as_slice());
        let (nonce, server_nonce, new_nonce) = (*nonce, *server_nonce, new_nonce.expose());
        match kind {
            KeyKind::Perm => to_secret_bytes(&PQInnerDataDc { pq, p, q, nonce, server_nonce, new_nonce, dc }),
            KeyKind::Temp { expires_in } => {
                let expires_in = i32::try_from(expires_in).unwrap_or(i32::MAX);
                to_secret_bytes(&PQInnerDataTempDc {
                    pq,
                    p,
                    q,
                    nonce,
                    server_nonce,
                    new_nonce,
                    dc,
                    expires_in,
                })
            }
        }
    }
}
