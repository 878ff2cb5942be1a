//! The lab's own RSA key: in memory, or in a file that says whose it is.
//!
//! Its label is none that a server reads, so `dayfly serve` refuses the file; and the lab reads no other, so that no key of a
//! server ever answers here.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use dayfly_crypto::rsa_key::{KeyError, PrivateKey};
use zeroize::Zeroizing;

use crate::private_file::FileError;

/// What stands in the BEGIN and END lines of the file.
const LABEL: &str = "DAYFLY LAB RSA PRIVATE KEY";
/// What stands there in the form that the reader of keys knows.
const INSIDE: &str = "RSA PRIVATE KEY";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabKeyError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file holds a key that is not the lab's.
    #[error(
        "{}: no key of a lab: a line \"-----BEGIN {LABEL}-----\" is needed, and a server's key has no place here; name a file that is not there, and one is made",
        path.display()
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The key cannot be read, or none could be made.
    #[error("the lab's RSA key: {0}")]
    Key(#[from] KeyError),
}

/// The key in `path`, which is made with mode 0600 if there is no such file; without a path, a new one in memory.
///
/// # Errors
/// [`LabKeyError`].
pub fn open(path: Option<&Path>) -> Result<PrivateKey, LabKeyError> {
    match path {
        None => Ok(PrivateKey::generate()?),
        Some(path) if path.exists() => read(path),
        Some(path) => make(path),
    }
}

fn read(path: &Path) -> Result<PrivateKey, LabKeyError> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(FileError::system(path))?);
    if !text.contains(&format!("-----BEGIN {LABEL}-----")) {
        return Err(LabKeyError::NotOurs { path: path.to_owned() });
    }
    Ok(PrivateKey::from_pem(&Zeroizing::new(text.replace(LABEL, INSIDE)))?)
}

fn make(path: &Path) -> Result<PrivateKey, LabKeyError> {
    let key = PrivateKey::generate()?;
    let text = Zeroizing::new(key.to_pem()?.replace(INSIDE, LABEL));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(FileError::system(path))?;
    file.write_all(text.as_bytes()).map_err(FileError::system(path))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_made_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lab.pem");
        let made = open(Some(&path)).unwrap();
        assert_eq!(open(Some(&path)).unwrap().fingerprint(), made.fingerprint());
    }

    #[test]
    fn no_server_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("server.pem");
        open(Some(&path)).unwrap();
        let told = dayfly_server::Identity::open(directory.path()).unwrap_err().to_string();
        assert!(told.contains("holds no RSA key"), "{told}");
    }

    #[test]
    fn a_key_of_a_server_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        dayfly_server::Identity::open(directory.path()).unwrap();
        let told = open(Some(&directory.path().join(dayfly_server::PRIVATE_FILE))).err().unwrap().to_string();
        assert!(told.contains("no key of a lab"), "{told}");
    }

    #[test]
    fn so_is_a_file_that_is_none() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(open(Some(directory.path())), Err(LabKeyError::File(_))));
        let missing = directory.path().join("no/such/lab.pem");
        assert!(matches!(open(Some(&missing)), Err(LabKeyError::File(_))));
    }
}
