//! Step 6: dh_prime is not known yet and is being proven; most runs never come here.

use std::sync::Arc;

use dayfly_crypto::dh::{DhError, SafePrimeGroup};

use super::dh_params::{Offer, group_check};
use super::step::Step;
use super::{ClientConfig, HandshakeError};
use crate::env::Env;
use crate::observer::Observer;

/// Waits for the job that proves dh_prime.
pub(super) struct ProveGroup {
    offer: Offer,
}

impl ProveGroup {
    pub(super) fn new(offer: Offer) -> Self {
        Self { offer }
    }

    pub(super) fn on_proof<K, O: Observer>(
        self,
        proof: Result<Arc<SafePrimeGroup>, DhError>,
        config: &ClientConfig<K>,
        env: &mut Env<'_, O>,
    ) -> Result<Step, HandshakeError> {
        let group = group_check(proof, env.observer)?;
        self.offer.accept(group, config, env)
    }
}
