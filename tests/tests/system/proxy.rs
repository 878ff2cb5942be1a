//! Connections that a balancer passes on.

use dayfly_client::Obfuscation;
use dayfly_core::plain;
use dayfly_core::transport::Kind;
use dayfly_server::ProxyListener;
use dayfly_tl::mtproto::ReqPqMulti;
use dayfly_tl::to_bytes;

use crate::support::{Peer, TestServer, head_of};

const LINE: &[u8] = b"PROXY TCP4 203.0.113.9 127.0.0.1 50000 4430\r\n";

/// A server with a listener for balancers of one network.
async fn server_behind(network: &str) -> TestServer {
    let network = network.parse().unwrap();
    TestServer::configured(|config| {
        let listen = "127.0.0.1:0".parse().unwrap();
        config.proxy = vec![ProxyListener { listen, networks: vec![network] }];
    })
    .await
}

async fn balancer(server: &TestServer) -> Peer {
    Peer::silent(server.other_address(), Kind::Abridged, &Obfuscation::None).await
}

/// What a client says first: the tag of abridged, and a query.
fn opening(peer: &mut Peer, nonce: [u8; 16]) -> Vec<u8> {
    let query = plain::write(0, &to_bytes(&ReqPqMulti { nonce }));
    [vec![0xef], peer.framed(&query)].concat()
}

/// A header of version 2 for 2001:db8::9.
fn binary() -> Vec<u8> {
    let mut addresses = [0; 36];
    addresses[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    addresses[15] = 9;
    [&b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24"[..], &addresses].concat()
}

// rule: TR-08
#[tokio::test]
async fn the_address_in_the_header_is_the_peers_however_the_header_is_cut() {
    let server = server_behind("127.0.0.0/8").await;
    for (at, (header, address)) in [
        (LINE.to_vec(), "203.0.113.9"),
        (binary(), "2001:db8::9"),
        (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut peer = balancer(&server).await;
        for byte in &header[..header.len() - 1] {
            peer.send_raw(&[*byte]).await;
        }
        let said = opening(&mut peer, [7; 16]);
        peer.send_raw(&[&header[header.len() - 1..], &said].concat()).await;
        peer.take_res_pq([7; 16]).await;
        assert_eq!(server.wait_for("connected", at + 1).await[at]["peer"], address);
    }
}

// rule: TR-08, TR-07
#[tokio::test]
async fn http_comes_through_a_balancer_too() {
    let server = server_behind("127.0.0.1").await;
    let mut peer = balancer(&server).await;
    peer.send_raw(&[LINE, &head_of("GET", "/", "Connection: close\r\n")].concat()).await;
    assert!(peer.last_words().await.starts_with(b"HTTP/1.1 404 "));
}

// rule: TR-08
#[tokio::test]
async fn a_connection_without_a_whole_header_or_from_elsewhere_is_closed_and_never_served() {
    let server = server_behind("127.0.0.1").await;
    let mut peer = balancer(&server).await;
    let said = opening(&mut peer, [7; 16]);
    peer.send_raw(&said).await;
    peer.is_closed_without_a_word().await;
    let mut peer = balancer(&server).await;
    peer.send_raw(&LINE[..20]).await;
    peer.shut_down_writing().await;
    peer.is_closed_without_a_word().await;
    assert_eq!(server.stop().await, Vec::<serde_json::Value>::new());

    let server = server_behind("203.0.113.0/24").await;
    let mut peer = balancer(&server).await;
    let said = opening(&mut peer, [7; 16]);
    peer.send_raw(&[LINE, &said].concat()).await;
    peer.is_closed_without_a_word().await;
    assert_eq!(server.stop().await, Vec::<serde_json::Value>::new());
}

// rule: TR-08
#[tokio::test]
async fn on_another_listener_a_header_is_bytes_like_any_other() {
    let server = server_behind("127.0.0.0/8").await;
    let mut peer = Peer::silent(server.address(), Kind::Abridged, &Obfuscation::None).await;
    let said = opening(&mut peer, [7; 16]);
    peer.send_raw(&[LINE, &said].concat()).await;
    // An init with a tag that nobody knows.
    peer.is_closed_without_a_word().await;
    assert_eq!(server.wait_for("connected", 1).await[0]["peer"], "127.0.0.1");
}

// rule: TR-08, TR-02
#[tokio::test]
async fn a_balancer_that_says_half_a_header_holds_up_nobody() {
    let server = server_behind("127.0.0.1").await;
    let mut half = balancer(&server).await;
    half.send_raw(&LINE[..30]).await;
    let mut peer = balancer(&server).await;
    let said = opening(&mut peer, [7; 16]);
    peer.send_raw(&[LINE, &said].concat()).await;
    peer.take_res_pq([7; 16]).await;
    server.stop().await;
    half.is_closed_without_a_word().await;
}
