//! A server from its start to its end: reloads, and what is swept beside it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use dayfly_core::env::Clock as _;
use dayfly_server::{Config, Identity, PRIVATE_FILE, Server, SystemClock};
use dayfly_store::KeyStore as _;
use tokio::task::JoinHandle;

use super::{Store, configure, notify, temp_limits};
use crate::args::Serve;

pub(super) struct Running<'a> {
    args: &'a Serve,
    /// By which it runs.
    config: Config,
    server: Server,
    keys: Arc<Store>,
    sweeper: JoinHandle<()>,
}

impl<'a> Running<'a> {
    pub(super) fn new(args: &'a Serve, config: Config, server: Server, keys: Arc<Store>) -> Self {
        let sweeper = tokio::spawn(sweep(Arc::clone(&keys), config.keys.unused_days));
        Self { args, config, server, keys, sweeper }
    }

    /// Reads the settings anew. If anything is wrong with them, the earlier ones stay, and the log says what it is.
    pub(super) async fn reload(&mut self) {
        notify::tell(&notify::reloading());
        match self.try_reload().await {
            Ok(kept) => {
                for key in kept {
                    tracing::warn!("{key} was changed in the configuration, but only a restart can take it");
                }
                tracing::info!("the configuration was read anew");
            }
            Err(error) => tracing::error!("the earlier configuration stays: {error:#}"),
        }
        notify::tell(notify::READY);
    }

    /// Gives the keys of the settings that were kept.
    async fn try_reload(&mut self) -> anyhow::Result<Vec<&'static str>> {
        let (config, kept) = configure(self.args)?.reloaded(&self.config);
        let private = config.data_dir.join(PRIVATE_FILE);
        if config.rsa_keys.is_empty() && !private.exists() {
            bail!("{}: the RSA key is gone, and only a start makes a new one", private.display());
        }
        let identity = Identity::configured(&config)?;
        self.server.reload(&config, &identity.keys).await?;
        self.keys.temp().set_limits(temp_limits(&config));
        if config.keys.unused_days != self.config.keys.unused_days {
            self.sweeper.abort();
            self.sweeper = tokio::spawn(sweep(Arc::clone(&self.keys), config.keys.unused_days));
        }
        self.config = config;
        Ok(kept)
    }

    /// Answers what is owed, and ends.
    pub(super) async fn stop(self) {
        self.sweeper.abort();
        self.server.shut_down().await;
    }
}

/// Rule PF-26: once an hour, permanent keys that were made `unused_days` ago and never used go.
async fn sweep(keys: Arc<Store>, unused_days: u32) {
    const AT_ONCE: usize = 1000;
    let mut hourly = tokio::time::interval(Duration::from_secs(3600));
    loop {
        hourly.tick().await;
        let now = SystemClock::default().now().unix_seconds();
        let made_before = now.saturating_sub(u64::from(unused_days) * 86_400);
        match keys.perm().sweep_unused(made_before, AT_ONCE).await {
            Ok(swept) if swept.is_empty() => {}
            Ok(swept) => {
                tracing::info!(count = swept.len(), "permanent keys that were never used are removed")
            }
            Err(error) => tracing::error!(%error, "unused permanent keys could not be removed"),
        }
    }
}
