//! TLS in front of HTTP and WebSocket, for browsers, which open nothing else from a page that came by HTTPS.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Tls;
use crate::server::StartError;

/// Reads the certificates and the key.
///
/// # Errors
/// [`StartError::Tls`], which names the file.
pub(crate) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, StartError> {
    let (certificate, key) = (&tls.certificate, &tls.key);
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| refused(certificate, &error))?;
    if chain.is_empty() {
        return Err(refused(certificate, &pem::Error::NoItemsFound));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| refused(key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    let mut config = config.map_err(|error| refused(certificate, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn refused(path: &Path, reason: &dyn std::error::Error) -> StartError {
    StartError::Tls { path: path.to_owned(), reason: reason.to_string() }
}

/// Whether a connection begins with a ClientHello; `None` while more bytes are needed.
///
/// The core knows one length of it, which no init of the obfuscated transports has. Where there is a certificate every length
/// counts, and of two thousand million inits one is taken for a ClientHello: its client connects again.
pub(crate) fn is_client_hello(begun: &[u8]) -> Option<bool> {
    const HANDSHAKE_RECORD: u8 = 0x16;
    const CLIENT_HELLO: u8 = 1;
    let expected = |at: usize, byte: u8| match at {
        0 => byte == HANDSHAKE_RECORD,
        1 => byte == 3,
        2 => (1..=3).contains(&byte),
        5 => byte == CLIENT_HELLO,
        _ => true,
    };
    if begun.iter().take(6).enumerate().any(|(at, byte)| !expected(at, *byte)) {
        return Some(false);
    }
    (begun.len() >= 6).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    // rule: TR-02
    #[test]
    fn a_client_hello_is_told_by_six_bytes_and_anything_else_by_the_first_that_differs() {
        let hello = [0x16, 3, 1, 0, 200, 1, 0];
        for len in 0..=hello.len() {
            assert_eq!(is_client_hello(&hello[..len]), (len >= 6).then_some(true), "{len}");
        }
        for at in [0, 1, 2, 5] {
            let mut other = hello;
            other[at] ^= 0x80;
            assert_eq!(is_client_hello(&other[..=at]), Some(false), "byte {at}");
        }
        assert_eq!(is_client_hello(b"POST /api"), Some(false));
    }

    #[test]
    fn a_file_that_is_not_there_or_holds_something_else_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
        let tls = Tls { certificate: certificate.clone(), key };
        let message = |tls: &Tls| acceptor(tls).err().unwrap().to_string();
        assert!(message(&tls).contains("cert.pem"), "{}", message(&tls));
        std::fs::write(certificate, "no certificate").unwrap();
        assert!(message(&tls).contains("cert.pem"), "{}", message(&tls));
    }
}
