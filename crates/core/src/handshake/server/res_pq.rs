//! Steps 1 to 5: `resPQ` is out, `req_DH_params` is awaited.

use dayfly_crypto::rsa_key::Ciphertext;
use dayfly_tl::mtproto::{ReqDhParams, ResPq};
use dayfly_tl::{LongVec, to_bytes};

use super::dh_params::Unwrap;
use super::event::PutOff;
use super::key_ring::{KeyRing, ServerKey};
use super::query::RunQuery;
use super::reply::Refusal;
use super::run::{Asked, Claim, Head, State, Step};
use crate::handshake::SpecCheck;
use crate::job::Work;
use crate::observer::Observer;
use crate::{holds, mutant};

/// Waits for `req_DH_params` with the factors of this run's pq.
pub(super) struct AwaitDhParams;

/// `resPQ` of a run. Drawn once, but written each time it is asked for: it holds nothing that the run does not know.
pub(super) fn res_pq(head: &Head) -> Vec<u8> {
    let pq = head.factors.product().to_be_bytes();
    to_bytes(&ResPq {
        nonce: head.id.nonce(),
        server_nonce: head.id.server_nonce(),
        pq: &pq,
        // rule HS-05
        server_public_key_fingerprints: LongVec::from_slice(head.keys.fingerprints()),
    })
}

impl AwaitDhParams {
    /// The checks that come before the private-key operation; then the run is claimed for this query (rules HS-10, HS-15).
    pub(super) fn on_query<C: Copy + Ord, O: Observer>(
        self,
        asked: &Asked<'_, C>,
        head: &Head,
        admit: impl FnOnce() -> Result<(), PutOff>,
        observer: &mut O,
    ) -> Step<C> {
        match self.begin(asked, head, admit, observer) {
            Ok((state, work)) => Step::work(State::Unwrap(state), work),
            Err(refusal) => Step::refuse(refusal, asked.connection, State::AwaitDhParams(self)),
        }
    }

    fn begin<C: Copy + Ord, O: Observer>(
        &self,
        asked: &Asked<'_, C>,
        head: &Head,
        admit: impl FnOnce() -> Result<(), PutOff>,
        observer: &mut O,
    ) -> Result<(Unwrap<C>, Work), Refusal> {
        let RunQuery::DhParams(m) = &asked.query else {
            return Err(SpecCheck::OutOfTurn.into());
        };
        let key = named_key(m, &head.keys, observer)?;
        let proven = holds!("HS-10.factors", head.factors.are(m.p, m.q));
        SpecCheck::WrongFactors.verify(proven, observer)?;
        let block = block(m, key, observer)?;
        admit().map_err(Refusal::PutOff)?;
        let claim = Claim::new(asked.digest, asked.connection);
        let state = Unwrap { claim, old_rsa: key.old_rsa };
        Ok((state, Work::RsaPrivate { key: key.key.clone(), block }))
    }
}

fn named_key<'k, O: Observer>(
    m: &ReqDhParams<'_>,
    keys: &'k KeyRing,
    observer: &mut O,
) -> Result<&'k ServerKey, SpecCheck> {
    let key = keys.find(m.public_key_fingerprint);
    let key = mutant!("HS-10.fingerprint", key, key.or(keys.keys().first()));
    SpecCheck::UnknownFingerprint.verify(key.is_some(), observer)?;
    key.ok_or(SpecCheck::UnknownFingerprint)
}

/// Length and range need no private key (rule HS-12).
fn block<O: Observer>(
    m: &ReqDhParams<'_>,
    key: &ServerKey,
    observer: &mut O,
) -> Result<Ciphertext, SpecCheck> {
    SpecCheck::DataLength.verify(m.encrypted_data.len() == 256, observer)?;
    let block = Ciphertext::parse(m.encrypted_data, key.key.public());
    SpecCheck::DataTooLarge.verify(block.is_ok(), observer)?;
    block.map_err(|_| SpecCheck::DataTooLarge)
}
