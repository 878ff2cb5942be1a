//! Conversations of real clients with a server of ours, kept as data: the files of `vectors/clients`.
//!
//! A [`Recording`] has what the client sent, and when, and what the server was: a seed for its randomness and a few
//! settings. The server is put on a [`Stage`], where nothing but the recording moves it; so it says the same again, and what
//! the client sent still decrypts.

mod back_end;
mod stage;

pub use stage::Stage;

use core::time::Duration;
use std::fmt::Write as _;
use std::fs;

use serde::{Deserialize, Serialize};

use crate::vectors::{self, Hex};

/// Where the bytes are from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Origin {
    /// The client itself sent them to a server of ours.
    #[serde(rename = "recorded")]
    Recorded,
    /// The client cannot be run here: its message was laid out as its source does it.
    #[serde(rename = "reconstructed from source")]
    Reconstructed,
}

/// What the server was. The key is always the published test key.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// All that it draws follows from this.
    pub seed: u64,
    /// Its clock at the start, in Unix milliseconds.
    pub unix_ms: u64,
    /// The id of its DC.
    pub dc: i32,
    /// Whether it takes the RSA scheme of before 2021.
    #[serde(default, skip_serializing_if = "is_default")]
    pub old_rsa: bool,
    /// Whether it serves calls under permanent keys.
    #[serde(default, skip_serializing_if = "is_default")]
    pub no_pfs: bool,
    /// Parallel sessions in the main slot; 0 for the default. `help.getConfig` tells it when it is more than one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tmp_sessions: usize,
    /// How many of the first keys the store calls taken (dh_gen_retry).
    #[serde(default, skip_serializing_if = "is_default")]
    pub taken: u32,
    /// How many of the first bindings the store makes and cannot confirm.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unconfirmed: u32,
    /// Which call the back end answers with 400 CONNECTION_NOT_INITED, counted from 1; 0 for none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub not_inited: u32,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What the client did.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// It connected.
    Connects,
    /// It sent bytes on a stream.
    Sends,
    /// It sent a request over HTTP; the bytes are the body.
    Posts,
    /// The connection was closed, by either end.
    Closes,
}

/// One thing that a client did.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When, in milliseconds after the start.
    pub at: u64,
    /// On which connection.
    pub on: u64,
    /// What.
    pub act: Act,
    /// The bytes, for [`Act::Sends`] and [`Act::Posts`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub bytes: Hex,
}

impl Step {
    /// When, after the start.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_millis(self.at)
    }
}

/// A conversation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The client and its version.
    pub client: String,
    /// Where the bytes are from.
    pub origin: Origin,
    /// The package, or the public file that the layout was taken from.
    pub source: String,
    /// What is to be seen.
    pub what: String,
    /// What the server was.
    pub server: Setup,
    /// What the client did, in order.
    pub steps: Vec<Step>,
}

impl Recording {
    /// The recording of this name in `vectors/clients`.
    ///
    /// # Panics
    /// If there is none, or it cannot be read.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let path = vectors::path("clients").join(name).with_extension("json");
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// As JSON, one line for each step.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let head = serde_json::to_string_pretty(&Self { steps: Vec::new(), ..self.clone() })?;
        let mut json = head.trim_end_matches("]\n}").to_owned();
        for (number, step) in self.steps.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(json, "{comma}\n    {}", serde_json::to_string(step)?);
        }
        json.push_str("\n  ]\n}\n");
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let step = |act, bytes: &[u8]| Step { at: 7, on: 1, act, bytes: bytes.into() };
        let recording = Recording {
            client: "nobody's 1".into(),
            origin: Origin::Reconstructed,
            source: "here".into(),
            what: "two steps".into(),
            server: Setup { seed: 3, taken: 2, ..Setup::default() },
            steps: vec![step(Act::Connects, &[]), step(Act::Sends, &[0xef, 1])],
        };
        let json = recording.to_json().unwrap();
        assert_eq!(serde_json::from_str::<Recording>(&json).unwrap(), recording);
        assert!(json.contains("\n    {\"at\":7,\"on\":1,\"act\":\"sends\",\"bytes\":\"EF01\"}\n"), "{json}");
        assert!(serde_json::from_str::<Recording>(&json.replace("\"taken\"", "\"token\"")).is_err());
    }
}
