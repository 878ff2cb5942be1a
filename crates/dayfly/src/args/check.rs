//! The command line of `dayfly check`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use dayfly_check::case::Pattern;

/// What stands for standard output where a file is expected.
pub(crate) const STDOUT: &str = "-";

#[derive(Debug, Subcommand)]
pub(crate) enum Check {
    /// Play a hostile client against a server, rule by rule
    Server(CheckServer),
    /// Play a hostile server against a client, which connects again and again
    Client(CheckClient),
    /// Compare how long a server takes for ten kinds of wrong RSA payload: minutes, on a machine with nothing else to do
    Timing(CheckTiming),
}

#[derive(Args, Debug)]
pub(crate) struct CheckTiming {
    /// The server's address, HOST:PORT
    #[arg(value_name = "ADDR")]
    pub(crate) address: String,
    /// The server's public RSA key, in PEM
    #[arg(long, value_name = "PEM")]
    pub(crate) server_key: PathBuf,
    /// Send to an address beyond loopback: the server is yours, or its owner agreed
    #[arg(long)]
    pub(crate) authorized: bool,
    /// How often each kind is measured in each of the three rounds
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) samples: u64,
    /// Send the same bytes as the run that printed this seed [default: a new one]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How many seconds an answer is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) patience: u64,
}

#[derive(Args, Debug)]
pub(crate) struct CheckServer {
    /// The server's address, HOST:PORT
    #[arg(value_name = "ADDR", required_unless_present_any = ["list", "explain"])]
    pub(crate) address: Option<String>,
    /// The server's public RSA key, in PEM
    #[arg(long, value_name = "PEM", required_unless_present_any = ["list", "explain"])]
    pub(crate) server_key: Option<PathBuf>,
    /// Send to an address beyond loopback: the server is yours, or its owner agreed
    #[arg(long)]
    pub(crate) authorized: bool,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) forms: Forms,
}

#[derive(Args, Debug)]
pub(crate) struct CheckClient {
    /// Where the client is to connect; port 0 takes any that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Start the client anew for each case, through `sh -c`; in COMMAND {addr} and {pem} stand for where it is to connect and
    /// for the file with the server's public RSA key
    #[arg(long, value_name = "COMMAND")]
    pub(crate) run: Option<String>,
    /// Write the server's public RSA key, which the client is to trust, to this new file [default with --run: one that goes
    /// with the run]
    #[arg(long, value_name = "PEM", required_unless_present_any = ["run", "list", "explain"])]
    pub(crate) public_key: Option<PathBuf>,
    /// Listen beyond loopback: the network is yours
    #[arg(long)]
    pub(crate) authorized: bool,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) forms: Forms,
}

/// Which cases are run, and how.
#[derive(Args, Debug)]
pub(crate) struct Choice {
    /// Only these cases: a family (PF), a rule (HS-20) or a case (HS-20/3), with ? for any one character
    #[arg(long, value_name = "CASES", value_delimiter = ',')]
    pub(crate) only: Vec<Pattern>,
    /// Let what the specification only recommends decide, too
    #[arg(long)]
    pub(crate) strict: bool,
    /// Run the cases that take long, too
    #[arg(long)]
    pub(crate) slow: bool,
    /// Run the cases that load the peer, too
    #[arg(long)]
    pub(crate) allow_load: bool,
    /// Send the same bytes as the run that printed this seed [default: a new one]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How many seconds an answer is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) patience: u64,
    /// List the cases, one a line, and stop
    #[arg(long)]
    pub(crate) list: bool,
    /// Say of these cases which rule they are about and why it matters, and stop
    #[arg(long, value_name = "CASE", conflicts_with = "list")]
    pub(crate) explain: Option<Pattern>,
}

/// Forms of the report beside the text; each goes to a file, or to standard output in place of the text.
#[derive(Args, Debug)]
pub(crate) struct Forms {
    /// Report as JSON
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = STDOUT)]
    pub(crate) json: Option<PathBuf>,
    /// Report as XML in JUnit's form
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = STDOUT)]
    pub(crate) junit: Option<PathBuf>,
    /// Report as Markdown
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = STDOUT)]
    pub(crate) markdown: Option<PathBuf>,
}
