//! Whether the files that a configuration names can be used.

use std::path::Path;

use super::Config;
use super::error::{ConfigError, line_of};
use crate::{identity, tls};

impl Config {
    /// Opens what the configuration in the file `path` names and a start would open: RSA keys, certificate and key of TLS. Makes
    /// and changes nothing.
    ///
    /// # Errors
    /// [`ConfigError::File`] for the first one that cannot be used.
    pub fn check_files(&self, path: &Path) -> Result<(), ConfigError> {
        let wrong = |key: String, reason: &dyn std::error::Error| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let (path, line) = (path.to_owned(), line_of(&text, &key));
            ConfigError::File { path, line, key, reason: reason.to_string() }
        };
        let mut fingerprints = Vec::new();
        for (number, key) in self.rsa_keys.iter().enumerate() {
            let name = format!("rsa_keys.{number}.file");
            let fingerprint = match identity::read_private(&key.file) {
                Ok(key) => key.fingerprint(),
                Err(error) => return Err(wrong(name, &error)),
            };
            if fingerprints.contains(&fingerprint) {
                return Err(wrong(name, &identity::IdentityError::Twice { path: key.file.clone() }));
            }
            fingerprints.push(fingerprint);
        }
        match self.tls.as_ref().map(tls::acceptor) {
            Some(Err(error)) => Err(wrong("tls".to_owned(), &error)),
            _ => Ok(()),
        }
    }
}
