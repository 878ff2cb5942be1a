//! What the machines are told of a configuration.

use std::sync::Arc;
use std::time::Duration;

use dayfly_core::handshake::server::{self as handshake, DcPolicy, KeyRing, ServerKey};
use dayfly_core::server::EndpointConfig;
use dayfly_core::transport::ProxySecret;
use dayfly_crypto::dh::SafePrimeGroup;
use zeroize::Zeroizing;

use crate::config::{Allow, Config};
use crate::server::StartError;
use crate::workers;

/// What the machines are told of a configuration.
pub(crate) struct Settings {
    pub(crate) endpoint: EndpointConfig,
    pub(crate) handshakes: handshake::ServerConfig,
    pub(crate) proxy_secrets: Vec<ProxySecret>,
}

impl Settings {
    /// Of `config`, with these RSA keys.
    ///
    /// # Errors
    /// [`StartError::Keys`].
    pub(crate) fn of(config: &Config, rsa: &[ServerKey]) -> Result<Self, StartError> {
        Ok(Self {
            endpoint: endpoint(config),
            handshakes: handshakes(config, rsa)?,
            proxy_secrets: proxy_secrets(config),
        })
    }
}

fn endpoint(config: &Config) -> EndpointConfig {
    EndpointConfig {
        allow_no_pfs: config.allows(Allow::NoPfs),
        cdn: config.cdn,
        tmp_sessions: config.tmp_sessions,
        frame_bytes: config.limits.frame_bytes,
        first_frame: Duration::from_secs(config.limits.first_frame_seconds),
        call_deadline: Duration::from_secs(config.limits.call_seconds),
        ..EndpointConfig::default()
    }
}

fn handshakes(config: &Config, rsa: &[ServerKey]) -> Result<handshake::ServerConfig, StartError> {
    let for_all = config.allows(Allow::OldRsa);
    let own = |key: &ServerKey| ServerKey { key: Arc::clone(&key.key), old_rsa: key.old_rsa || for_all };
    let ring = KeyRing::new(rsa.iter().map(own).collect())?;
    let mut handshakes = handshake::ServerConfig::new(Arc::new(ring), SafePrimeGroup::published());
    handshakes.exponent_bits = config.keys.exponent_bits;
    handshakes.longest_expires_in = config.keys.temp_seconds;
    if config.strict_dc {
        let served = [i32::from(config.dc)].into();
        handshakes.dc_policy = DcPolicy::Strict { served, test: config.test };
    }
    let limits = &config.limits;
    handshakes.limits.unproven_runs = limits.unfinished_handshakes;
    handshakes.limits.proven_runs = limits.unfinished_handshakes;
    handshakes.limits.unproven_runs_per_address = limits.unfinished_per_address;
    handshakes.limits.proven_runs_per_address = limits.unfinished_per_address;
    handshakes.limits.answer_memory = limits.answer_memory_bytes;
    handshakes.limits.private_operations_per_minute = Some(limits.handshakes_per_address);
    handshakes.limits.waiting_jobs = limits.crypto_queue.unwrap_or_else(workers::usual_queue);
    Ok(handshakes)
}

/// Each secret for the machine that obfuscates, which has it to itself.
fn proxy_secrets(config: &Config) -> Vec<ProxySecret> {
    let copies = config.proxy_secrets.iter().map(|secret| Zeroizing::new(*secret.expose()));
    copies.map(|mut copy| ProxySecret::take(&mut copy)).collect()
}

#[cfg(test)]
mod tests {
    use dayfly_crypto::rsa_key::PrivateKey;

    use super::*;

    // rule: HS-13
    #[test]
    fn the_older_scheme_is_taken_under_the_keys_that_say_so_or_under_all() {
        let key = || Arc::new(PrivateKey::generate().unwrap());
        let keys = [ServerKey::from(key()), ServerKey { key: key(), old_rsa: true }];
        let taken = |config: &Config| {
            let settings = Settings::of(config, &keys).unwrap();
            settings.handshakes.keys.keys().iter().map(|key| key.old_rsa).collect::<Vec<_>>()
        };
        assert_eq!(taken(&Config::default()), [false, true]);
        assert_eq!(taken(&Config { allow: vec![Allow::OldRsa], ..Config::default() }), [true, true]);
    }

    // rule: HS-35
    #[test]
    fn the_queue_of_costly_work_is_what_the_operator_says_or_follows_the_processors() {
        let keys = [ServerKey::from(Arc::new(PrivateKey::generate().unwrap()))];
        let mut config = Config::default();
        let waiting = |config: &Config| Settings::of(config, &keys).unwrap().handshakes.limits.waiting_jobs;
        assert_eq!(
            waiting(&config),
            workers::usual_count() * handshake::ServerLimits::WAITING_JOBS_PER_THREAD
        );
        config.limits.crypto_queue = Some(7);
        assert_eq!(waiting(&config), 7);
    }
}
