//! The file in which clients find the lab's public key.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use dayfly_crypto::rsa_key::PublicKey;

/// The public key in PKCS#1, as client libraries want it.
pub(super) struct PublicFile {
    path: PathBuf,
    /// Of a key that lives in memory alone: it goes with the lab.
    passing: bool,
}

impl PublicFile {
    /// Writes it beside the private key's file, with the ending `.pub.pem`; or, for a key in memory, among the temporary files.
    pub(super) fn write(key: &PublicKey, private: Option<&Path>) -> anyhow::Result<Self> {
        let path = match private {
            Some(private) => private.with_extension("pub.pem"),
            None => std::env::temp_dir().join(format!("dayfly-lab-{}.pub.pem", std::process::id())),
        };
        replace(&path, &key.to_pem()?).with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(Self { path, passing: private.is_none() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Puts a new file in the place of what is there, and follows no link.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

impl Drop for PublicFile {
    fn drop(&mut self) {
        if self.passing {
            // It holds nothing secret: one that is left over harms nobody.
            let _ = fs::remove_file(&self.path);
        }
    }
}
