//! Lines of what goes on, to standard error.

use std::env::VarError;
use std::io::IsTerminal as _;

use anyhow::{Context as _, bail};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

const LOG_VARIABLE: &str = "RUST_LOG";

/// `RUST_LOG` chooses what is logged, as in `info,dayfly_server=debug`; `info` without it.
pub(super) fn start(json: bool) -> anyhow::Result<()> {
    let filter = match std::env::var(LOG_VARIABLE) {
        Ok(text) => text.parse::<Targets>().with_context(|| {
            format!(
                "{LOG_VARIABLE} reads {text:?}; expected is a level, or target=level, separated by commas"
            )
        })?,
        Err(VarError::NotPresent) => Targets::new().with_default(LevelFilter::INFO),
        Err(VarError::NotUnicode(_)) => bail!("{LOG_VARIABLE} is not text"),
    };
    let lines = fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    let lines = if json { lines.json().boxed() } else { lines.boxed() };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    Ok(())
}
