//! The lines.

use dayfly_core::server::Revoked;
use dayfly_crypto::AuthKeyId;
use dayfly_store::Listed;
use serde::{Deserialize, Serialize};

/// The longest question, in bytes.
pub(super) const LONGEST_QUESTION: u64 = 4096;
/// The most keys of a page.
pub(super) const LONGEST_PAGE: usize = 1000;
/// The longest answer: a page of keys with every number at its longest.
pub(super) const LONGEST_ANSWER: u64 = 256 * 1024;

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Question {
    Hello {},
    List {
        #[serde(default)]
        after: Option<Id>,
        at_most: usize,
    },
    Revoke {
        id: Id,
    },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(super) enum Answer {
    Hello { version: String, process: u32 },
    Keys { keys: Vec<Key> },
    Revoked { outcome: Outcome },
    Error { reason: String },
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Key {
    id: Id,
    dc: i32,
    created_at: u64,
    used_at: Option<u64>,
}

impl From<Listed> for Key {
    fn from(Listed { id, dc, created_at, used_at }: Listed) -> Self {
        Self { id: Id(id), dc, created_at, used_at }
    }
}

impl From<Key> for Listed {
    fn from(Key { id, dc, created_at, used_at }: Key) -> Self {
        Self { id: id.0, dc, created_at, used_at }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Ended,
    Unknown,
    Unavailable,
}

impl From<Revoked> for Outcome {
    fn from(revoked: Revoked) -> Self {
        match revoked {
            Revoked::Ended => Self::Ended,
            Revoked::Unknown => Self::Unknown,
            Revoked::Unavailable => Self::Unavailable,
        }
    }
}

impl From<Outcome> for Revoked {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Ended => Self::Ended,
            Outcome::Unknown => Self::Unknown,
            Outcome::Unavailable => Self::Unavailable,
        }
    }
}

/// A key's id as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Id(pub(super) AuthKeyId);

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let id = digits.then(|| u64::from_str_radix(&text, 16).ok()).flatten();
        id.map(|id| Self(AuthKeyId(id))).ok_or("an id has 16 hexadecimal digits")
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0.to_string()
    }
}
