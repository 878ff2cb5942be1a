//! HTTP and WebSocket inside TLS. The certificate and key in `tls/` are for these tests alone.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use dayfly_client::Obfuscation;
use dayfly_core::plain;
use dayfly_core::transport::Kind;
use dayfly_server::Tls;
use dayfly_tl::mtproto::ReqPqMulti;
use dayfly_tl::to_bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::{Peer, TestServer, head_of, peer_of, within};

pub(crate) fn files() -> Tls {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/tls");
    Tls { certificate: directory.join("certificate.pem"), key: directory.join("key.pem") }
}

async fn server() -> TestServer {
    TestServer::configured(|config| config.tls = Some(files())).await
}

async fn connect(address: SocketAddr) -> TlsStream<TcpStream> {
    connect_trusting(&files().certificate, address).await
}

/// Connects to a server whose certificate `root` vouches for.
pub(crate) async fn connect_trusting(root: &Path, address: SocketAddr) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    within("TLS", connector.connect("localhost".try_into().unwrap(), socket)).await.unwrap()
}

async fn reply(server: &TestServer, said: &[u8]) -> Vec<u8> {
    reply_of(server.address(), said).await
}

/// What comes back until the other end closes; a close without TLS's own farewell is one too.
pub(crate) async fn reply_of(address: SocketAddr, said: &[u8]) -> Vec<u8> {
    let mut stream = connect(address).await;
    stream.write_all(said).await.unwrap();
    let mut words = Vec::new();
    let _ = within("the end of the connection", stream.read_to_end(&mut words)).await;
    words
}

// rule: TR-02, TR-07
#[tokio::test]
async fn packets_are_posted_and_websockets_opened_inside_tls_beside_other_transports() {
    let server = server().await;
    let query = plain::write(0, &to_bytes(&ReqPqMulti { nonce: [1; 16] }));
    let headers = format!("Connection: close\r\nContent-Length: {}\r\n", query.len());
    let posted = reply(&server, &[head_of("POST", "/apiw", &headers), query].concat()).await;
    assert!(posted.starts_with(b"HTTP/1.1 200 "));
    let mut socket = connect(server.address()).await;
    socket.write_all(&head_of("GET", "/apiws", UPGRADE)).await.unwrap();
    let mut begun = [0; 13];
    within("a response", socket.read_exact(&mut begun)).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 101 ");
    peer_of(&server).await.is_served().await;
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

// rule: TR-02
#[tokio::test]
async fn what_is_no_http_inside_tls_and_what_is_no_tls_after_all_ends_its_connection() {
    let server = server().await;
    assert!(reply(&server, &[0xee; 64]).await.is_empty());
    let mut half = Peer::silent(server.address(), Kind::Abridged, &Obfuscation::None).await;
    half.send_raw(&[0x16, 3, 1, 0, 200, 1]).await;
    let mut wrong = Peer::silent(server.address(), Kind::Abridged, &Obfuscation::None).await;
    wrong.send_raw(&[&[0x16, 3, 1, 0, 200, 1][..], &[0xff; 300]].concat()).await;
    wrong.last_words().await;
    peer_of(&server).await.is_served().await;
    server.stop().await;
    half.is_closed_without_a_word().await;
}
