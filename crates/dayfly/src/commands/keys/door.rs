//! Two ways to the keys: through the server that runs, or into the store that none uses.

use anyhow::bail;
use dayfly_crypto::AuthKeyId;
use dayfly_server::{Config, ControlClient, Revoked};
use dayfly_store::{EmbeddedStore, KeyStore as _, Listed};
use tokio::runtime::Runtime;

use crate::commands::{runtime, setup};

pub(super) enum Door {
    Running(ControlClient),
    Closed(Box<EmbeddedStore>, Runtime),
}

impl Door {
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        match ControlClient::connect(&config.data_dir)? {
            Some(server) => Ok(Self::Running(server)),
            None => Ok(Self::Closed(Box::new(setup::open_store(config)?), runtime()?)),
        }
    }

    pub(super) fn list(&mut self, after: Option<AuthKeyId>, at_most: usize) -> anyhow::Result<Vec<Listed>> {
        match self {
            Self::Running(server) => Ok(server.list(after, at_most)?),
            Self::Closed(store, runtime) => Ok(runtime.block_on(store.list(after, at_most))?),
        }
    }

    /// Whether there was such a key.
    pub(super) fn revoke(&mut self, id: AuthKeyId) -> anyhow::Result<bool> {
        match self {
            Self::Running(server) => match server.revoke(id)? {
                Revoked::Ended => Ok(true),
                Revoked::Unknown => Ok(false),
                Revoked::Unavailable => bail!("the store cannot be asked now; {id} is not revoked"),
            },
            Self::Closed(store, runtime) => Ok(runtime.block_on(store.revoke(id))?),
        }
    }
}
