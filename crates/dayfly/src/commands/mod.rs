//! One module a subcommand.

#[cfg(feature = "check")]
pub(crate) mod check;
pub(crate) mod connect;
#[cfg(feature = "lab")]
pub(crate) mod decode;
pub(crate) mod demo;
mod hints;
pub(crate) mod keys;
#[cfg(feature = "lab")]
pub(crate) mod lab;
mod logging;
pub(crate) mod reference;
pub(crate) mod rsa;
pub(crate) mod serve;
pub(crate) mod setup;
mod signals;

use std::fmt;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

/// Arguments that do not go together, in a sentence.
#[derive(Debug)]
pub(crate) struct WrongUsage(pub(crate) String);

impl WrongUsage {
    /// The sentence, where nothing is filled in.
    pub(crate) fn new(sentence: &str) -> Self {
        Self(sentence.to_owned())
    }
}

impl fmt::Display for WrongUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUsage {}

/// A runtime with a thread for each core.
fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("the runtime does not start")
}
