//! The certificates of both sides.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, version};

use crate::config::Backend;

/// Why a back end cannot be dialled with these settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// A setting that TLS needs is not there.
    #[error("{key} is missing: https:// needs certificates on both sides")]
    Missing {
        /// The setting, with its table.
        key: &'static str,
    },
    /// A file is not what it should be.
    #[error("{}: cannot be used for TLS: {reason}", path.display())]
    File {
        /// The setting that names it, with its table.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No certificate can be for such a host.
    #[error("{0:?} is no host, expected a name or an address")]
    Host(String),
}

impl BackendError {
    /// The setting that is to blame, with its table.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Missing { key } | Self::File { key, .. } => key,
            Self::Host(_) => ADDRESS,
        }
    }
}

const ADDRESS: &str = "backend.address";
const CA: &str = "backend.ca";
const CERTIFICATE: &str = "backend.certificate";
const KEY: &str = "backend.key";

/// TLS 1.3 with our certificate, towards who has one of the configured authorities.
///
/// # Errors
/// [`BackendError`], which names the setting and the file.
pub(super) fn client_config(settings: &Backend) -> Result<ClientConfig, BackendError> {
    let ca = named(CA, settings.ca.as_deref())?;
    let certificate = named(CERTIFICATE, settings.certificate.as_deref())?;
    let key = named(KEY, settings.key.as_deref())?;
    let mut roots = RootCertStore::empty();
    for authority in certificates(CA, ca)? {
        roots.add(authority).map_err(|error| refused(CA, ca, &error))?;
    }
    let chain = certificates(CERTIFICATE, certificate)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| refused(KEY, key, &error))?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .map(|builder| builder.with_root_certificates(roots))
        .and_then(|builder| builder.with_client_auth_cert(chain, private));
    let mut config = config.map_err(|error| refused(KEY, key, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn named<'a>(key: &'static str, path: Option<&'a Path>) -> Result<&'a Path, BackendError> {
    path.ok_or(BackendError::Missing { key })
}

/// All certificates of a file; at least one.
fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, BackendError> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.map_err(|error| refused(key, path, &error))?;
    if found.is_empty() {
        return Err(refused(key, path, &pem::Error::NoItemsFound));
    }
    Ok(found)
}

fn refused(key: &'static str, path: &Path, reason: &dyn std::error::Error) -> BackendError {
    BackendError::File { key, path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What is wrong with these three files, which are written where they have a text.
    fn refusal(texts: [Option<&str>; 3]) -> (&'static str, String) {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Backend::at("https://localhost:1".parse().unwrap());
        let paths = ["ca.pem", "cert.pem", "key.pem"].map(|name| directory.path().join(name));
        for (path, text) in paths.iter().zip(texts) {
            text.into_iter().for_each(|text| fs::write(path, text).unwrap());
        }
        [settings.ca, settings.certificate, settings.key] = paths.map(Some);
        let error = client_config(&settings).unwrap_err();
        (error.key(), error.to_string())
    }

    const CERTIFICATE_PEM: &str = include_str!("../../../../tests/tests/system/grpc/dayfly.pem");
    const OTHER_KEY: &str = include_str!("../../../dayfly/tests/cli/fixtures/test_rsa_pkcs8.pem");

    #[test]
    fn a_wrong_file_is_named_with_its_setting() {
        let certificate = Some(CERTIFICATE_PEM);
        for (texts, key, named, reason) in [
            ([None, None, None], CA, "ca.pem", "No such file"),
            ([Some("no certificate"), None, None], CA, "ca.pem", "no items found"),
            ([certificate, None, None], CERTIFICATE, "cert.pem", "No such file"),
            ([certificate, Some(""), None], CERTIFICATE, "cert.pem", "no items found"),
            ([certificate, certificate, None], KEY, "key.pem", "No such file"),
            ([certificate, certificate, certificate], KEY, "key.pem", "no items found"),
            ([certificate, certificate, Some(OTHER_KEY)], KEY, "key.pem", ""),
        ] {
            let (blamed, message) = refusal(texts);
            assert_eq!(blamed, key, "{message}");
            assert!(message.contains(named) && message.contains(reason), "{reason}: {message}");
        }
    }

    #[test]
    fn a_setting_that_is_not_there_is_named() {
        let settings = Backend::at("https://localhost:1".parse().unwrap());
        assert_eq!(
            client_config(&settings).unwrap_err().to_string(),
            "backend.ca is missing: https:// needs certificates on both sides"
        );
    }
}
