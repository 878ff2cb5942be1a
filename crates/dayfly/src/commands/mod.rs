//! One module a subcommand.

pub(crate) mod connect;
pub(crate) mod demo;
pub(crate) mod keys;
pub(crate) mod rsa;
pub(crate) mod serve;
pub(crate) mod setup;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

/// A runtime with a thread for each core.
fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("the runtime does not start")
}
