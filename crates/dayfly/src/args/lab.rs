//! The command lines of `dayfly lab` and `dayfly decode`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use dayfly_server::BackendAddress;

#[derive(Args, Debug)]
pub(crate) struct Lab {
    /// Where clients connect; port 0 takes any that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4431")]
    pub(crate) listen: SocketAddr,
    /// Where the control API and the page are, on loopback
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4432")]
    pub(crate) control: SocketAddr,
    /// Which faults to make and what to answer to calls, in TOML; without it the lab is honest
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
    /// What answers the calls that the scenario does not, over gRPC: unix:/path, https://host:port or http://127.0.0.1:port
    #[arg(long, value_name = "ADDR")]
    pub(crate) backend: Option<BackendAddress>,
    /// With https://: authorities of the back end's certificate, ours, and its private key, in PEM
    #[arg(long, value_names = ["CA", "CERTIFICATE", "KEY"], num_args = 3, requires = "backend")]
    pub(crate) backend_tls: Option<Vec<PathBuf>>,
    /// Draw the same random bytes as the run that printed this seed [default: a new one]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Where the specification leaves a choice, do what production does
    #[arg(long)]
    pub(crate) calm: bool,
    /// Append a JSON line for each thing that happens, secrets among them: mode 0600
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: Option<PathBuf>,
    /// Append what opens a capture of the conversations: mode 0600
    #[arg(long, value_name = "FILE")]
    pub(crate) key_log: Option<PathBuf>,
    /// The lab's RSA key, made if the file is not there; without it a new key in memory
    #[arg(long, value_name = "PEM")]
    pub(crate) key: Option<PathBuf>,
    /// Listen beyond loopback: the network is yours
    #[arg(long)]
    pub(crate) authorized: bool,
    /// End when standard input ends: with the program that started it, however that ended
    #[arg(long)]
    pub(crate) until_eof: bool,
    /// Print where everything is as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// List the faults that a scenario can make, one a line: name, step and what is done
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Decode {
    /// A transcript of `dayfly lab`, or a capture in the form of pcap
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What opens it: the key log that the lab wrote meanwhile
    #[arg(long, value_name = "FILE")]
    pub(crate) key_log: Option<PathBuf>,
    /// Print JSON lines, as the lab writes a transcript
    #[arg(long)]
    pub(crate) json: bool,
}
