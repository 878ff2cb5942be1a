//! Reads a recorded exchange: a transcript of the lab, or a capture of loopback (pcap or pcapng) with the lab's key log.

mod flow;
mod packet;
mod pcap;
mod pcapng;
mod stream;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::flow::Flows;
use crate::dissect::Secrets;
use crate::transcript::{Entry, Run};

/// Why a file cannot be decoded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is neither.
    #[error("is neither a transcript of dayfly lab nor a capture in the form of pcap or pcapng")]
    Unknown,
    /// A line of a transcript is no entry.
    #[error("line {line}: {message}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A capture is damaged.
    #[error("byte {at}: {what}")]
    Damaged {
        /// The offset in the file.
        at: usize,
        /// What is wrong there.
        what: String,
    },
    /// There is no TCP connection in a capture.
    #[error("no TCP connection begins in this capture ({packets} packets)")]
    NoConnection {
        /// How many packets there are.
        packets: usize,
    },
    /// A key log came with a transcript.
    #[error("a transcript has its secrets in it: no key log is needed")]
    NoKeyLog,
}

/// A frame of a capture.
struct Packet<'a> {
    /// Since the Unix epoch.
    at: Duration,
    link: u32,
    bytes: &'a [u8],
}

/// The runs of a file, each a connection. `secrets` open a capture.
///
/// # Errors
/// [`DecodeError`], with the place in the file.
pub fn decode(file: &[u8], secrets: Option<Secrets>) -> Result<Vec<Run>, DecodeError> {
    let packets = match file {
        [b'{', ..] if secrets.is_some() => return Err(DecodeError::NoKeyLog),
        [b'{', ..] => return transcript(file),
        [0x0a, 0x0d, 0x0d, 0x0a, ..] => pcapng::packets(file)?,
        _ => pcap::packets(file)?,
    };
    let mut flows = Flows::new(secrets.unwrap_or_default());
    packets.iter().for_each(|packet| flows.take(packet));
    let runs = flows.into_runs();
    if runs.is_empty() { Err(DecodeError::NoConnection { packets: packets.len() }) } else { Ok(runs) }
}

fn transcript(file: &[u8]) -> Result<Vec<Run>, DecodeError> {
    let mut runs: Vec<Run> = Vec::new();
    for (line, text) in (1..).zip(file.split(|byte| *byte == b'\n')) {
        if text.is_empty() {
            continue;
        }
        let entry: Entry = serde_json::from_slice(text)
            .map_err(|error| DecodeError::Line { line, message: error.to_string() })?;
        add(&mut runs, entry);
    }
    Ok(runs)
}

/// Of entries that belong to no connection the first run has the number 0.
fn add(runs: &mut Vec<Run>, entry: Entry) {
    let number = entry.run.unwrap_or(0);
    let known = runs.iter().position(|run| run.number == number);
    let at = known.unwrap_or_else(|| {
        runs.push(Run::new(number));
        runs.len() - 1
    });
    runs[at].entries.push_back(entry);
}

fn damaged(at: usize, what: impl Into<String>) -> DecodeError {
    DecodeError::Damaged { at, what: what.into() }
}
