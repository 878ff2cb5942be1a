//! The example back end over TLS with certificates on both sides, and who is refused. The certificates and keys in this folder
//! are for these tests alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dayfly_backend_proto::v1::backend_server::BackendServer;
use dayfly_example_backend::Example;
use dayfly_example_backend::tl;
use dayfly_server::{Backend, BackendAddress};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tonic::codegen::tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use super::{ask, client_of, outcome, refused, server_with, until_open};
use crate::support::{HandClock, socket_in, within};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/grpc").join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(file(name)).unwrap()
}

/// Settings for a back end on this port of this host, with `dayfly.pem` unless it is another's.
fn over_tls(host: &str, port: u16, ca: &str, who: &str) -> Backend {
    let address = BackendAddress::Tls { host: host.to_owned(), port };
    let certificate = Some(file(&format!("{who}.pem")));
    let key = Some(file(&format!("{who}-key.pem")));
    Backend { ca: Some(file(ca)), certificate, key, streams: 2, ..Backend::at(address) }
}

/// A client of a server in front of the example: every method of it.
async fn the_example_answers(settings: &Backend) {
    let (server, health) = server_with(settings, HandClock::default()).await;
    until_open(&health, 2).await;
    let client = client_of(&server).await;
    let mut updates = client.updates();
    let call = |method: u32| ask(&client, &method.to_le_bytes());

    let text = outcome(call(tl::GET_INVITE_TEXT)).await.unwrap();
    assert!(String::from_utf8_lossy(&text).contains("come here, as "), "{text:?}");
    assert_eq!(outcome(call(tl::GET_STATE)).await, Ok(tl::state(1)));
    let update = within("an update", updates.next()).await.unwrap().unwrap();
    assert_eq!(*update, tl::updates_too_long());
    assert_eq!(outcome(call(tl::UPDATE_STATUS)).await, Ok(tl::boolean(true)));
    assert_eq!(outcome(call(0xfeed_0001)).await, refused(400, "INPUT_METHOD_INVALID_feed0001"));
}

#[tokio::test]
async fn the_example_answers_over_a_unix_socket() {
    let directory = tempfile::tempdir().unwrap();
    let listener = tokio::net::UnixListener::bind(socket_in(&directory)).unwrap();
    let serving =
        Server::builder().serve_with_incoming(BackendServer::new(Example), UnixListenerStream::new(listener));
    let serving = tokio::spawn(serving);
    let settings = Backend { streams: 2, ..Backend::at(BackendAddress::Unix(socket_in(&directory))) };
    the_example_answers(&settings).await;
    serving.abort();
}

#[tokio::test]
async fn the_example_answers_over_tls_with_certificates_on_both_sides() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(read("backend.pem"), read("backend-key.pem")))
        .client_ca_root(Certificate::from_pem(read("ca.pem")));
    let serving = Server::builder()
        .tls_config(tls)
        .unwrap()
        .serve_with_incoming(BackendServer::new(Example), TcpListenerStream::new(listener));
    let serving = tokio::spawn(serving);
    the_example_answers(&over_tls("127.0.0.1", port, "ca.pem", "dayfly")).await;
    the_example_answers(&over_tls("localhost", port, "ca.pem", "dayfly")).await;
    serving.abort();
}

/// A back end as far as TLS goes, which takes clients of our authority alone.
fn acceptor() -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("ca.pem")).unwrap()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_file(file("backend.pem")).unwrap()],
            PrivateKeyDer::from_pem_file(file("backend-key.pem")).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn each_side_refuses_a_certificate_of_another_authority_or_for_another_host() {
    for (host, ca, who, reason) in [
        ("127.0.0.1", "ca.pem", "stranger", "invalid peer certificate: UnknownIssuer"),
        ("127.0.0.1", "other-ca.pem", "dayfly", "received fatal alert: "),
        ("127.0.0.2", "ca.pem", "dayfly", "received fatal alert: "),
    ] {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let settings = over_tls(host, listener.local_addr().unwrap().port(), ca, who);
        let (server, health) = server_with(&settings, HandClock::default()).await;
        let (socket, _) = within("a connection", listener.accept()).await.unwrap();
        let accepted = within("TLS", acceptor().accept(socket)).await;
        let Err(refusal) = accepted else { panic!("{host} {ca} {who}: taken") };
        assert!(refusal.to_string().contains(reason), "{host} {ca} {who}: {refusal}");
        assert_eq!(health.open_streams(), 0);
        let client = client_of(&server).await;
        let answer = outcome(ask(&client, &tl::GET_STATE.to_le_bytes())).await;
        assert_eq!(answer, refused(500, "BACKEND_UNAVAILABLE"));
    }
}

#[test]
fn texts_of_the_example_are_padded_to_whole_words_and_long_ones_cut() {
    assert_eq!(tl::invite_text("abc"), [&0x18cb_9f78_u32.to_le_bytes()[..], &[3], b"abc"].concat());
    assert_eq!(tl::invite_text("abcd").len(), 12);
    let long = tl::invite_text(&"x".repeat(1000));
    assert_eq!((long.len(), long[4]), (4 + 256, 253));
    assert_eq!(tl::method_of(&[1, 2, 3]), 0, "too short for a method");
}
