//! A server in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

/// How long a server may take to listen, on a machine that is busy.
const STARTS: Duration = Duration::from_secs(30);

/// Dropping it ends the process.
pub(super) struct Server {
    child: Child,
    pub(super) address: String,
    /// Kept open: a server whose output nobody takes may end.
    _output: Option<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.with_context(|| format!("starting {:?}", command.get_program()))?;
        let output = child.stdout.take().map(BufReader::new);
        let mut server = Self { child, address: String::new(), _output: None };
        let (heard, hears) = mpsc::channel();
        std::thread::spawn(move || heard.send(output.and_then(listening)));
        let answer =
            hears.recv_timeout(STARTS).map_err(|_| anyhow!("no server listens within {STARTS:?}"))?;
        let (address, output) = answer.context("the server ended before it listened")?;
        server.address = address;
        server._output = Some(output);
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until the line that names the address.
fn listening(mut output: BufReader<ChildStdout>) -> Option<(String, BufReader<ChildStdout>)> {
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(address) = address(&line) {
            return Some((address, output));
        }
    }
}

fn address(line: &str) -> Option<String> {
    let mut words = line.strip_prefix("listening ")?.split_whitespace();
    words.find(|word| word.parse::<SocketAddr>().is_ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_the_words_of_both_servers() {
        assert_eq!(address("listening on   127.0.0.1:4430   dc 2\n").as_deref(), Some("127.0.0.1:4430"));
        assert_eq!(address("listening [::1]:1\n").as_deref(), Some("[::1]:1"));
        assert_eq!(address("public key 127.0.0.1:4430"), None);
    }

    #[test]
    fn a_server_that_ends_before_it_listens_is_told() {
        assert!(Server::start(&mut Command::new("true")).is_err());
    }
}
