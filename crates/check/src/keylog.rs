//! The key log: what opens a capture of the lab's conversations, one secret a line.
//!
//! ```text
//! MTPROTO_NEW_NONCE <nonce> <server_nonce> <new_nonce>
//! MTPROTO_INNER_DATA <server_nonce> <p_q_inner_data>
//! MTPROTO_AUTH_KEY <auth_key_id as it stands on the wire> <auth_key>
//! ```
//!
//! All in hexadecimal. Only the lab writes one, and only into a file of mode 0600.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use dayfly_crypto::{AuthKey, NewNonce};
use zeroize::Zeroizing;

use crate::dissect::{Secrets, inner_nonces};
use crate::lab::{LabEvent, What};
use crate::private_file::{self, FileError};

const NEW_NONCE: &str = "MTPROTO_NEW_NONCE";
const INNER_DATA: &str = "MTPROTO_INNER_DATA";
const AUTH_KEY: &str = "MTPROTO_AUTH_KEY";

/// With which every line begins.
const BEGINS: &str = "MTPROTO_";

/// A key log that is being written.
pub struct KeyLog(BufWriter<fs::File>);

impl KeyLog {
    /// Appends to the file, which is made with mode 0600 if there is none.
    ///
    /// # Errors
    /// [`FileError`], also if others than its owner may read it.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        private_file::append(path, BEGINS).map(|file| Self(BufWriter::new(file)))
    }

    /// Writes the secret that an event tells, if it tells one.
    ///
    /// # Errors
    /// Those of the file.
    pub fn write(&mut self, event: &LabEvent) -> io::Result<()> {
        let What::Value { name, bytes } = &event.what else { return Ok(()) };
        match (*name, <&[u8; 256]>::try_from(bytes.as_slice())) {
            ("auth_key", Ok(key)) => {
                let id = AuthKey::copy_of(key).id().to_wire();
                self.line(AUTH_KEY, &[&id, key])
            }
            ("p_q_inner_data", _) => self.inner_data(bytes),
            _ => Ok(()),
        }
    }

    fn inner_data(&mut self, inner: &[u8]) -> io::Result<()> {
        let Some((nonce, server_nonce, new_nonce)) = inner_nonces(inner) else { return Ok(()) };
        self.line(NEW_NONCE, &[&nonce, &server_nonce, new_nonce])?;
        self.line(INNER_DATA, &[&server_nonce, inner])
    }

    fn line(&mut self, label: &str, values: &[&[u8]]) -> io::Result<()> {
        let mut line = Zeroizing::new(label.to_owned());
        for value in values {
            line.push(' ');
            line.push_str(&Zeroizing::new(hex::encode(value)));
        }
        writeln!(self.0, "{}", line.as_str())
    }

    /// Hands what was written to the system.
    ///
    /// # Errors
    /// Those of the file.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Reads a key log. Lines of labels that are not of this format are left to whoever wrote them, as are empty lines and those
/// that begin with `#`.
///
/// # Errors
/// [`FileError`], with the line.
pub fn read(path: &Path) -> Result<Secrets, FileError> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(FileError::system(path))?);
    let mut secrets = Secrets::default();
    for (number, line) in (1..).zip(text.lines()) {
        take(line, &mut secrets).map_err(|expected| FileError::Line {
            path: path.to_owned(),
            line: number,
            message: format!("expected {expected}, in hexadecimal"),
        })?;
    }
    Ok(secrets)
}

/// What is expected, if it is not there.
fn take(line: &str, secrets: &mut Secrets) -> Result<(), &'static str> {
    let mut words = line.split_whitespace();
    let label = words.next().unwrap_or_default();
    let values: Vec<&str> = words.collect();
    match label {
        NEW_NONCE => {
            new_nonce(&values, secrets).ok_or("MTPROTO_NEW_NONCE, two nonces of 16 bytes and one of 32")
        }
        INNER_DATA => inner_data(&values, secrets).ok_or("MTPROTO_INNER_DATA, 16 bytes and a p_q_inner_data"),
        AUTH_KEY => auth_key(&values, secrets).ok_or("MTPROTO_AUTH_KEY, the id of a key and its 256 bytes"),
        _ => Ok(()),
    }
}

fn new_nonce(values: &[&str], secrets: &mut Secrets) -> Option<()> {
    let [nonce, server_nonce, new_nonce] = values else { return None };
    let new_nonce = Zeroizing::new(array::<32>(new_nonce)?);
    secrets.learn_new_nonce(array(nonce)?, array(server_nonce)?, NewNonce::copy_of(&new_nonce));
    Some(())
}

fn inner_data(values: &[&str], secrets: &mut Secrets) -> Option<()> {
    let [server_nonce, inner] = values else { return None };
    array::<16>(server_nonce)?;
    secrets.learn_inner_data(&Zeroizing::new(hex::decode(inner).ok()?)).then_some(())
}

fn auth_key(values: &[&str], secrets: &mut Secrets) -> Option<()> {
    let [id, key] = values else { return None };
    let key = AuthKey::copy_of(&Zeroizing::new(array::<256>(key)?));
    (key.id().to_wire() == array(id)?).then(|| secrets.learn_key(key))
}

fn array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dayfly_crypto::kdf::Side;
    use serde_json::Value as Json;

    use super::*;
    use crate::dissect::parts;

    const VECTOR: &str = include_str!("../../../vectors/handshake/2026-06-24-a.json");

    fn value(name: &'static str) -> LabEvent {
        let vector: Json = serde_json::from_str(VECTOR).unwrap();
        let bytes = hex::decode(vector[name].as_str().unwrap()).unwrap();
        let (at, what) = (Duration::ZERO, What::Value { name, bytes });
        LabEvent { number: 1, at, since_start: at, connection: Some(1), what }
    }

    #[test]
    fn what_is_written_opens_what_was_sealed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let mut log = KeyLog::open(&path).unwrap();
        for name in ["p_q_inner_data", "auth_key", "g_a"] {
            log.write(&value(name)).unwrap();
        }
        log.flush().unwrap();
        let secrets = read(&path).unwrap();
        let vector: Json = serde_json::from_str(VECTOR).unwrap();
        let payload = |at: usize| hex::decode(vector["messages"][at]["payload"].as_str().unwrap()).unwrap();
        assert_eq!(parts(&payload(2), Side::Client, &secrets).len(), 2);
        assert_eq!(parts(&payload(3), Side::Server, &secrets).len(), 2);
        assert_eq!(
            fs::read_to_string(&path).unwrap().lines().count(),
            3,
            "g_a is no secret that opens anything"
        );
    }

    #[test]
    fn a_wrong_line_is_told_with_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let id_of_another = format!("MTPROTO_AUTH_KEY {} {}", "00".repeat(8), "01".repeat(256));
        for wrong in
            ["MTPROTO_NEW_NONCE 00 00 00", "MTPROTO_AUTH_KEY", "MTPROTO_INNER_DATA x y", &id_of_another]
        {
            fs::write(&path, format!("# a comment\n\nCLIENT_RANDOM 1 2\n{wrong}\n")).unwrap();
            let told = read(&path).err().unwrap().to_string();
            assert!(told.contains("keys:4: expected MTPROTO_"), "{told}");
        }
    }
}
