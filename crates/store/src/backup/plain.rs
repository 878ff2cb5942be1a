//! Keys as plain lines, for moving in from another server.

use std::io::{BufRead, Read as _};
use std::sync::Arc;

use dayfly_core::keys::requests::{KeyRecord, Lifetime};
use dayfly_crypto::AuthKey;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{BackupError, KeptKey};

/// The longest line, in bytes: a key has 512 digits, and nothing else is long.
const LONGEST: u64 = 4096;

/// Reads keys as JSON lines: `{"key": "512 hexadecimal digits", "dc": 2, "created_at": 1700000000}`, with `first_salt`, a
/// number, where it is known. Empty lines are passed over; after an error it ends.
///
/// Each key counts as used at the second `now`: its client has it from elsewhere, and a key that counts as never used would
/// be swept (rule PF-26).
pub struct PlainKeys<R> {
    input: R,
    now: u64,
    line: u64,
    ended: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    key: &'a str,
    dc: i32,
    created_at: u64,
    #[serde(default)]
    first_salt: i64,
}

impl<R: BufRead> PlainKeys<R> {
    /// Reads from `input`; `now` is the Unix second.
    pub fn new(input: R, now: u64) -> Self {
        Self { input, now, line: 0, ended: false }
    }

    fn step(&mut self) -> Result<Option<KeptKey>, BackupError> {
        // As large from the start as a line may be: growing would leave a copy of the key behind.
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
        loop {
            text.clear();
            self.line = self.line.saturating_add(1);
            let mut bounded = (&mut self.input).take(LONGEST);
            if bounded.read_until(b'\n', &mut text)? == 0 {
                return Ok(None);
            }
            if text.len() as u64 == LONGEST {
                return Err(self.wrong(format!("longer than {LONGEST} bytes")));
            }
            if !text.trim_ascii().is_empty() {
                return self.key(&text).map(Some);
            }
        }
    }

    fn key(&self, text: &[u8]) -> Result<KeptKey, BackupError> {
        // The parser's own message may repeat what stands there.
        let Line { key, dc, created_at, first_salt } = serde_json::from_slice(text).map_err(|error| {
            let column = error.column();
            self.wrong(format!("no object of key, dc and created_at; wrong at column {column}"))
        })?;
        let mut bytes = Zeroizing::new([0; 256]);
        if !from_hex(key, &mut *bytes) {
            return Err(self.wrong("the key is not 512 hexadecimal digits".to_owned()));
        }
        if created_at > self.now {
            return Err(self.wrong(format!("created_at {created_at} lies ahead")));
        }
        let key = AuthKey::take(&mut bytes);
        let record = KeyRecord {
            id: key.id(),
            key: Arc::new(key),
            lifetime: Lifetime::Permanent,
            dc,
            created_at,
            first_salt,
            bound_to: None,
        };
        Ok(KeptKey { record, used_at: Some(self.now) })
    }

    fn wrong(&self, reason: String) -> BackupError {
        BackupError::Line { line: self.line, reason }
    }
}

impl<R: BufRead> Iterator for PlainKeys<R> {
    type Item = Result<KeptKey, BackupError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let step = self.step().transpose();
        self.ended = !matches!(step, Some(Ok(_)));
        step
    }
}

/// Fills `out` with what the digits stand for; `false` if they are not exactly its digits.
fn from_hex(digits: &str, out: &mut [u8]) -> bool {
    let digits = digits.as_bytes();
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = digits.as_chunks::<2>();
    if pairs.0.len() != out.len() || !pairs.1.is_empty() {
        return false;
    }
    out.iter_mut().zip(pairs.0).all(|(byte, [high, low])| match (value(*high), value(*low)) {
        (Some(high), Some(low)) => {
            *byte = high.wrapping_mul(16) | low;
            true
        }
        _ => false,
    })
}
