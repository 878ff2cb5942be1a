//! Whether the files that a configuration names can be used.

use std::path::Path;

use super::Config;
use super::error::{ConfigError, line_of};
use crate::admin::{TOKEN_FILE, Token};
use crate::identity::{self, IdentityError};
use crate::tls;

/// A key of the configuration, and what is wrong with the file that it names.
type Wrong = (String, String);

impl Config {
    /// Opens what the configuration in the file `path` names and a start would open: RSA keys, certificates and keys of TLS, the
    /// token of the admin page if it is there. Makes and changes nothing.
    ///
    /// # Errors
    /// [`ConfigError::File`] for the first one that cannot be used.
    pub fn check_files(&self, path: &Path) -> Result<(), ConfigError> {
        let checked = self.check_rsa_keys().and_then(|()| self.check_tls()).and_then(|()| self.check_token());
        checked.map_err(|(key, reason)| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            ConfigError::File { path: path.to_owned(), line: line_of(&text, &key), key, reason }
        })
    }

    fn check_rsa_keys(&self) -> Result<(), Wrong> {
        let mut fingerprints = Vec::new();
        for (number, key) in self.rsa_keys.iter().enumerate() {
            let wrong = |error: IdentityError| (format!("rsa_keys.{number}.file"), error.to_string());
            let fingerprint = identity::read_private(&key.file).map_err(wrong)?.fingerprint();
            if fingerprints.contains(&fingerprint) {
                return Err(wrong(IdentityError::Twice { path: key.file.clone() }));
            }
            fingerprints.push(fingerprint);
        }
        Ok(())
    }

    fn check_tls(&self) -> Result<(), Wrong> {
        for (key, tls) in [("tls", &self.tls), ("admin.tls", &self.admin.tls)] {
            if let Some(Err(error)) = tls.as_ref().map(tls::acceptor) {
                return Err((key.to_owned(), error.to_string()));
            }
        }
        Ok(())
    }

    fn check_token(&self) -> Result<(), Wrong> {
        let admin = &self.admin;
        if admin.listen.is_none() {
            return Ok(());
        }
        let (key, file) = match &admin.token_file {
            Some(file) => ("admin.token_file", file.clone()),
            None => ("admin.listen", self.data_dir.join(TOKEN_FILE)),
        };
        Token::check(&file).map_err(|reason| (key.to_owned(), format!("{}: {reason}", file.display())))
    }
}
