//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What was asked for.
pub(crate) struct Arguments {
    pub(crate) head: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) patience: Duration,
    /// The connection, and which of its answers is not sent.
    pub(crate) cut: Option<(u64, u32)>,
    /// The value that has to come out short.
    pub(crate) hunt: Option<String>,
    /// At least one word.
    pub(crate) command: Vec<String>,
}

const USAGE: &str = "usage: record_client HEAD.json OUT.json [--listen ADDRESS]... [--seconds N] \
                     [--cut CONNECTION:ANSWER] [--hunt VALUE] -- COMMAND [ARGUMENT]...";

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn std::error::Error>> {
        let mut next = || words.next().ok_or(USAGE);
        let mut arguments = Self {
            head: next()?.into(),
            out: next()?.into(),
            listen: Vec::new(),
            patience: Duration::from_secs(30),
            cut: None,
            hunt: None,
            command: Vec::new(),
        };
        loop {
            match next()?.as_str() {
                "--listen" => arguments.listen.push(next()?.parse()?),
                "--seconds" => arguments.patience = Duration::from_secs(next()?.parse()?),
                "--cut" => {
                    let cut = next()?;
                    let (connection, answer) = cut.split_once(':').ok_or(USAGE)?;
                    arguments.cut = Some((connection.parse()?, answer.parse()?));
                }
                "--hunt" => arguments.hunt = Some(next()?),
                "--" => break,
                _ => return Err(USAGE.into()),
            }
        }
        arguments.command = words.collect();
        if arguments.command.is_empty() {
            return Err(USAGE.into());
        }
        if arguments.listen.is_empty() {
            arguments.listen.push(SocketAddr::from(([127, 0, 0, 1], 0)));
        }
        Ok(arguments)
    }
}
