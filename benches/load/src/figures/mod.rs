//! The figures, each measured against a server of its own.

mod echo;
mod idle;
mod lab;
mod pings;
mod storm;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

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
    /// The program whose lab is measured
    #[arg(long, value_name = "PATH")]
    dayfly: PathBuf,
    /// Seconds that the lab is under load
    #[arg(long, default_value_t = 60)]
    lab_seconds: u64,
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
    /// How soon the lab answers, and what it does under load
    Lab,
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
        Which::Lab => lab::measure(&args.dayfly, Duration::from_secs(args.lab_seconds)),
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
