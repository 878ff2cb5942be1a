//! The figures, each measured against a server of its own.

mod echo;
mod idle;
mod pings;
mod storm;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use tempfile::TempDir;

use crate::child::Served;
use crate::report::{Figure, Report};

/// The command line of `figures`.
#[derive(Args)]
pub(crate) struct Figures {
    /// Only these; all without it
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Which>,
    /// Write the report as JSON to this file as well
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the report as text to this file as well
    #[arg(long)]
    text: Option<PathBuf>,
    /// Calls that are echoed, in all
    #[arg(long, default_value_t = 250_000)]
    calls: u32,
    /// Clients that come back after a restart
    #[arg(long, default_value_t = 10_000)]
    clients: u32,
}

/// One thing that is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Which {
    /// Encrypted calls for each second of processor time
    Echo,
    /// Memory of connections that say nothing
    Idle,
    /// The time that a ping takes
    Pings,
    /// Clients that come back after a restart
    Storm,
}

/// Measures what is wanted; whether all targets were met.
///
/// # Errors
/// If something could not be measured.
pub(crate) fn run(args: &Figures) -> Result<bool> {
    let mut report = Report::default();
    for which in Which::value_variants() {
        if args.only.is_empty() || args.only.contains(which) {
            eprintln!("measuring: {which:?}");
            report.figures.extend(measure(*which, args).with_context(|| format!("{which:?}"))?);
        }
    }
    println!("{}", report.text());
    if let Some(file) = &args.text {
        std::fs::write(file, report.text() + "\n").with_context(|| file.display().to_string())?;
    }
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&report.json())?;
        std::fs::write(file, text + "\n").with_context(|| file.display().to_string())?;
    }
    Ok(report.all_met())
}

fn measure(which: Which, args: &Figures) -> Result<Vec<Figure>> {
    match which {
        Which::Echo => echo::measure(args.calls),
        Which::Idle => idle::measure(),
        Which::Pings => pings::measure(),
        Which::Storm => storm::measure(args.clients),
    }
}

/// A server with `clients` planted, and the folder that it keeps them in.
fn server_with(clients: u32) -> Result<(Served, TempDir)> {
    let folder = tempfile::tempdir()?;
    let mut server = Served::start(folder.path(), any_port(), None)?;
    server.order(&format!("permanent {clients}"))?;
    server.order(&format!("temporary {clients}"))?;
    Ok((server, folder))
}

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}
