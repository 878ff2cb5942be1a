//! MTProto in WebSocket messages.

use dayfly_client::Obfuscation;
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::transport::Kind;
use dayfly_tl::{api, read_exact, to_bytes};

use crate::support::{A_DAY, Peer, Talk, TestServer, head_of, masked};

const WANTED: [&str; 5] = [
    "Connection: Upgrade\r\n",
    "Upgrade: websocket\r\n",
    "Sec-WebSocket-Version: 13\r\n",
    "Sec-WebSocket-Protocol: binary\r\n",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
];

// rule: TR-09
#[tokio::test]
async fn keys_are_made_bound_and_used_over_websocket_however_the_messages_are_cut() {
    let server = TestServer::start().await;
    let mut peer = Peer::websocket(server.address()).await;
    let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
    let mut talk = Talk::under_temp(&temp, &peer);
    talk.bind(&perm, &mut peer).await.unwrap();
    let answer = talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await.unwrap();
    assert_eq!(read_exact::<api::NearestDc<'_>>(&answer).unwrap().this_dc, 2);
    let told = &server.wait_for("transport", 1).await[0];
    assert_eq!((&told["name"], &told["obfuscated"]), (&"intermediate".into(), &true.into()));
}

// rule: TR-09, TR-05
#[tokio::test]
async fn a_transport_error_is_told_in_the_stream() {
    let server = TestServer::start().await;
    let mut peer = Peer::websocket(server.address()).await;
    peer.send(&[7; 40]).await;
    assert_eq!(peer.error().await, -404);
}

/// The response to a request alone on its connection, all of it.
async fn reply(server: &TestServer, request: &[u8]) -> String {
    let mut peer = Peer::silent(server.address(), Kind::Abridged, &Obfuscation::None).await;
    peer.send_raw(request).await;
    String::from_utf8(peer.last_words().await).unwrap()
}

// rule: TR-09
#[tokio::test]
async fn a_wrong_path_gets_404_and_a_header_too_few_400_in_words() {
    let server = TestServer::start().await;
    let wanted = WANTED.concat();
    let close = "Connection: close\r\n";
    let lost = reply(&server, &head_of("GET", "/chat", close)).await;
    assert!(lost.starts_with("HTTP/1.1 404 ") && lost.contains("/apiws"), "{lost}");
    for lacking in WANTED {
        let headers = wanted.replace(lacking, "") + close;
        let refused = reply(&server, &head_of("GET", "/apiws", &headers)).await;
        assert!(refused.starts_with("HTTP/1.1 400 "), "without {lacking}: {refused}");
        assert!(
            refused.contains("\r\n\r\nExpected is") || refused.contains("\r\n\r\nExpected are"),
            "{refused}"
        );
    }
    let other = wanted.replace("binary", "chat") + close;
    assert!(reply(&server, &head_of("GET", "/apiws", &other)).await.starts_with("HTTP/1.1 400 "));
}

/// A WebSocket on which these bytes are sent, and what comes back until it is closed, as bytes.
async fn ends(server: &TestServer, frames: &[u8]) -> Vec<u8> {
    let mut peer = Peer::silent(server.address(), Kind::Abridged, &Obfuscation::None).await;
    let opening = head_of("GET", "/apiws_test", &WANTED.concat());
    peer.send_raw(&[&opening, frames].concat()).await;
    let words = peer.last_words().await;
    let end = words.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head") + 4;
    words[end..].to_vec()
}

// rule: TR-09
#[tokio::test]
async fn text_ends_the_connection_and_a_close_is_answered() {
    let server = TestServer::start().await;
    let farewell = [0x88, 2, 3, 0xe8]; // close, 1000
    let close = masked(0x88, &[3, 0xe8]);
    assert_eq!(ends(&server, &[masked(0x81, b"hello"), close.clone()].concat()).await, farewell);
    assert_eq!(ends(&server, &close).await, farewell);
    let pinged = [masked(0x89, b"there?"), close].concat();
    assert_eq!(ends(&server, &pinged).await, [&[0x8a, 6][..], b"there?", &farewell].concat());
}

// rule: TR-06, TR-09
#[tokio::test]
async fn frames_that_are_too_long_or_not_masked_end_the_connection() {
    let server = TestServer::start().await;
    let announced = [&[0x82, 0xff][..], &(2_u64 << 20).to_be_bytes(), &[0; 4]].concat();
    assert!(!ends(&server, &announced).await.contains(&0x82));
    assert!(!ends(&server, &[0x82, 1, 0xef]).await.contains(&0x82));
    let piece = masked(0x02, &[0; 600_000]);
    let more = masked(0x00, &[0; 600_000]);
    assert!(!ends(&server, &[piece, more].concat()).await.contains(&0x82));
    Peer::websocket(server.address()).await.is_served().await;
}
