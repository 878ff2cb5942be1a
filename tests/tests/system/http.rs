//! MTProto in requests and responses.

use dayfly_client::Obfuscation;
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::transport::Kind;
use dayfly_tl::mtproto::ReqPqMulti;
use dayfly_tl::{api, read_exact, to_bytes};

use crate::support::{A_DAY, Peer, Talk, TestServer, head_of, peer_of};

const CLOSE: &str = "Connection: close\r\n";

async fn silent(server: &TestServer) -> Peer {
    Peer::silent(server.address(), Kind::Abridged, &Obfuscation::None).await
}

/// All that comes back on a connection of its own.
async fn reply(server: &TestServer, request: &[u8]) -> String {
    let mut peer = silent(server).await;
    peer.send_raw(request).await;
    String::from_utf8_lossy(&peer.last_words().await).into_owned()
}

// rule: TR-07
#[tokio::test]
async fn keys_are_made_bound_and_used_over_one_http_connection() {
    let server = TestServer::start().await;
    for path in ["/api", "/apiw", "/api_test"] {
        let mut peer = Peer::http(server.address(), path).await;
        let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
        let mut talk = Talk::under_temp(&temp, &peer);
        talk.bind(&perm, &mut peer).await.unwrap();
        let answer = talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await.unwrap();
        assert_eq!(read_exact::<api::NearestDc<'_>>(&answer).unwrap().this_dc, 2);
    }
    let told = server.stop().await;
    let over_http = told.iter().filter(|event| event["event"] == "transport" && event["name"] == "http");
    assert_eq!(over_http.count(), 3, "keep-alive: one connection each");
}

// rule: TR-05, TR-07
#[tokio::test]
async fn a_transport_error_is_a_status_and_the_connection_stays() {
    let server = TestServer::start().await;
    let mut peer = Peer::http(server.address(), "/api").await;
    for _ in 0..2 {
        peer.send(&[7; 40]).await;
        assert_eq!(peer.error().await, -404);
    }
    peer.is_served().await;
}

// rule: TR-07
#[tokio::test]
async fn browsers_are_let_in_by_apiw_alone() {
    let server = TestServer::start().await;
    let allowed = |reply: &str| reply.contains("access-control-allow-origin: *\r\n");
    let asked = reply(&server, &head_of("OPTIONS", "/apiw", CLOSE)).await;
    assert!(asked.starts_with("HTTP/1.1 204 ") && allowed(&asked), "{asked}");
    assert!(asked.contains("access-control-allow-methods: POST, OPTIONS\r\n"), "{asked}");
    let empty = format!("{CLOSE}Content-Length: 0\r\n");
    let posted = reply(&server, &head_of("POST", "/apiw", &empty)).await;
    assert!(posted.starts_with("HTTP/1.1 400 ") && allowed(&posted), "{posted}");
    let posted = reply(&server, &head_of("POST", "/api", &empty)).await;
    assert!(posted.starts_with("HTTP/1.1 400 ") && !allowed(&posted), "{posted}");
}

// rule: TR-06, TR-07
#[tokio::test]
async fn what_is_no_packet_to_a_path_there_is_gets_a_status() {
    let server = TestServer::start().await;
    let long = format!("{CLOSE}Content-Length: {}\r\n", (1 << 20) + 4);
    let headers = "X: y\r\n".repeat(100);
    let cases = [
        (head_of("GET", "/", CLOSE), 404),
        (head_of("GET", "/api", CLOSE), 405),
        (head_of("HEAD", "/apiws", CLOSE), 405),
        (head_of("OPTIONS", "/api", CLOSE), 405),
        ([head_of("POST", "/api", &long), vec![1; (1 << 20) + 4]].concat(), 413),
        (head_of("POST", "/api", &headers), 431),
        (b"POST \x01 HTTP/1.1\r\n\r\n".to_vec(), 400),
    ];
    for (request, status) in cases {
        let told = reply(&server, &request).await;
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {told}");
    }
}

// rule: TR-02, TR-07
#[tokio::test]
async fn peers_that_never_finish_what_they_began_hold_up_nobody() {
    let server = TestServer::start().await;
    let unfinished: [&[u8]; 5] = [
        b"P",
        b"POST /api HT",
        b"POST /api HTTP/1.1\r\nContent-Length: 40\r\n\r\n",
        b"GET /apiws HTTP/1.1\r\nUpgrade: webso",
        b"",
    ];
    let mut waiting = Vec::new();
    for bytes in unfinished {
        let mut peer = silent(&server).await;
        peer.send_raw(bytes).await;
        waiting.push(peer);
    }
    peer_of(&server).await.is_served().await;
    Peer::http(server.address(), "/api").await.is_served().await;
    // Nor the end.
    server.stop().await;
    for mut peer in waiting {
        peer.is_closed_without_a_word().await;
    }
}

// rule: TR-08
#[tokio::test]
async fn a_header_that_names_another_address_counts_for_nothing() {
    let server = TestServer::start().await;
    let query = dayfly_core::plain::write(0, &to_bytes(&ReqPqMulti { nonce: [1; 16] }));
    let headers = format!(
        "{CLOSE}X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nContent-Length: {}\r\n",
        query.len()
    );
    let told = reply(&server, &[head_of("POST", "/api", &headers), query].concat()).await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
    assert_eq!(server.wait_for("connected", 1).await[0]["peer"], "127.0.0.1");
}
