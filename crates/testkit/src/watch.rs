//! Finds secrets where they must not be: in logs, in files, in answers.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use dayfly_core::Observer;

/// Pieces of this length are looked for: shorter ones may turn up by chance.
const PIECE: usize = 16;

/// The values of the key exchange that are secret, by the names under which an [`Observer`] is shown them. The
/// `p_q_inner_data` is one: it holds `new_nonce`.
const SECRET_VALUES: [&str; 8] =
    ["new_nonce", "p_q_inner_data", "tmp_aes_key", "tmp_aes_iv", "answer_with_hash", "a", "b", "auth_key"];

/// Looks for any 16-byte piece of any secret that it was told, in every form in which a program would print it.
///
/// As an [`Observer`] it learns the secrets of the handshakes that it watches by itself.
#[derive(Debug, Default)]
pub struct SecretWatcher {
    /// Pieces, and the name of the secret that each is from.
    pieces: HashMap<[u8; PIECE], String>,
}

/// A secret that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Leak {
    /// The name of the secret.
    pub secret: String,
    /// How it was written.
    pub form: &'static str,
}

impl SecretWatcher {
    /// Knows no secret yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for this one too.
    ///
    /// # Panics
    /// If it is shorter than 16 bytes.
    pub fn watch_for(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= PIECE, "{name} has {} bytes, too few to tell it from others", secret.len());
        for piece in secret.windows(PIECE) {
            if let Ok(piece) = piece.try_into() {
                self.pieces.insert(piece, name.to_owned());
            }
        }
    }

    /// How many pieces it looks for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether it looks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Every secret of which a piece is in `bytes`: as it is, as hex of either case with or without separators, or as a
    /// list of decimal numbers.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<Leak> {
        let mut leaks = self.scan(bytes, "raw");
        for run in hex_runs(bytes) {
            leaks.extend(self.scan(&run, "hex"));
        }
        for run in decimal_runs(bytes) {
            leaks.extend(self.scan(&run, "decimal"));
        }
        leaks.dedup();
        leaks
    }

    fn scan(&self, bytes: &[u8], form: &'static str) -> Vec<Leak> {
        let found = bytes.windows(PIECE).filter_map(|window| self.pieces.get(window));
        found.map(|secret| Leak { secret: secret.clone(), form }).collect()
    }
}

impl Observer for SecretWatcher {
    fn value(&mut self, name: &'static str, bytes: &[u8]) {
        if SECRET_VALUES.contains(&name) {
            self.watch_for(name, bytes);
        }
    }
}

/// Stretches of hex digits, decoded from the first digit on and from the second: a stray digit may stand in front.
/// Separators that are usual between bytes are passed over.
fn hex_runs(text: &[u8]) -> Vec<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut runs = Vec::new();
    for stretch in text.split(|byte| digit(byte).is_none() && !b" :-".contains(byte)) {
        let digits: Vec<u8> = stretch.iter().filter_map(digit).collect();
        for start in 0..digits.len().min(2) {
            let pairs = digits[start..].chunks_exact(2);
            runs.push(pairs.map(|pair| pair[0] << 4 | pair[1]).collect());
        }
    }
    runs
}

/// Lists of decimal numbers below 256, as `{:?}` of a byte slice writes them.
fn decimal_runs(text: &[u8]) -> Vec<Vec<u8>> {
    let mut runs = Vec::new();
    for stretch in text.split(|byte| !byte.is_ascii_digit() && !b", \n".contains(byte)) {
        let numbers = stretch.split(|byte| !byte.is_ascii_digit()).filter(|number| !number.is_empty());
        let bytes = numbers.filter_map(|number| std::str::from_utf8(number).ok()?.parse().ok());
        runs.push(bytes.collect());
    }
    runs
}

/// A log that a test can read while others write to it.
#[derive(Clone, Debug, Default)]
pub struct SharedLog(Arc<Mutex<Vec<u8>>>);

impl SharedLog {
    /// Empty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written so far.
    #[must_use]
    pub fn contents(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl io::Write for SharedLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const SECRET: [u8; 20] = [200, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 170, 187, 204];

    fn forms_found(text: &[u8]) -> Vec<&'static str> {
        let mut watcher = SecretWatcher::new();
        watcher.value("new_nonce", &SECRET);
        let mut forms: Vec<_> = watcher.find(text).into_iter().map(|leak| leak.form).collect();
        forms.dedup();
        forms
    }

    #[test]
    fn every_form_of_a_secret_is_found() {
        assert_eq!(forms_found(&[b"x".as_slice(), &SECRET].concat()), ["raw"]);
        assert_eq!(forms_found(format!("key={} end", hex::encode(SECRET)).as_bytes()), ["hex"]);
        assert_eq!(forms_found(format!("7{}", hex::encode_upper(SECRET)).as_bytes()), ["hex"]);
        let colons: Vec<_> = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(forms_found(colons.join(":").as_bytes()), ["hex"]);
        assert_eq!(forms_found(format!("AuthKey({SECRET:?})").as_bytes()), ["decimal"]);
        assert_eq!(forms_found(format!("{SECRET:#?}").as_bytes()), ["decimal"]);
    }

    #[test]
    fn a_piece_is_enough_and_less_is_not() {
        assert_eq!(forms_found(hex::encode(&SECRET[2..18]).as_bytes()), ["hex"]);
        assert!(forms_found(hex::encode(&SECRET[2..17]).as_bytes()).is_empty());
    }

    #[test]
    fn what_is_public_is_not_looked_for() {
        let mut watcher = SecretWatcher::new();
        watcher.value("g_b", &[7; 256]);
        assert!(watcher.is_empty());
        assert!(watcher.find(&[7; 256]).is_empty());
    }

    #[test]
    fn a_log_is_read_while_it_is_written() {
        let log = SharedLog::new();
        log.clone().write_all(b"line").unwrap();
        assert_eq!(log.contents(), b"line");
    }
}
