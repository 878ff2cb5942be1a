//! The plain phase as real clients go through it.

use dayfly_core::keys::kind::KeyKind;
use dayfly_core::plain;
use dayfly_core::transport::Kind;
use dayfly_tl::mtproto::{ReqPq, ReqPqMulti};
use dayfly_tl::{api, to_bytes};

use crate::support::{A_DAY, Peer, Talk, TestServer, peer_of};

// rule: HS-02, HS-04
#[tokio::test]
async fn probes_and_a_whole_session_share_one_connection() {
    let server = TestServer::start().await;
    let mut peer = peer_of(&server).await;
    // Telegram Desktop probes with the older query, TDLib with two newer ones; both go on where they are.
    let probe = to_bytes(&ReqPq { nonce: [1; 16] });
    let first = peer.ask_res_pq(&probe, [1; 16]).await;
    let newer = [2_u8, 3].map(|byte| ReqPqMulti { nonce: [byte; 16] });
    let second = peer.ask_res_pq(&to_bytes(&newer[0]), [2; 16]).await;
    let third = peer.ask_res_pq(&to_bytes(&newer[1]), [3; 16]).await;
    assert!(first != second && second != third && first != third, "a server_nonce is new for every run");

    let perm = peer.make_key(KeyKind::Perm).await;
    let temp = peer.make_key(A_DAY).await;
    let mut talk = Talk::under_temp(&temp, &peer);
    assert_eq!(talk.bind(&perm, &mut peer).await.unwrap(), to_bytes(&api::BoolTrue {}));
    talk.call(to_bytes(&api::HelpGetConfig {}), &mut peer).await.unwrap();
    // A run beside encrypted traffic: how clients renew in the background.
    peer.ask_res_pq(&to_bytes(&ReqPqMulti { nonce: [4; 16] }), [4; 16]).await;
    talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await.unwrap();
}

// rule: HS-31
#[tokio::test]
async fn a_repeated_query_gets_the_same_answer_over_another_connection() {
    let server = TestServer::start().await;
    let query = to_bytes(&ReqPqMulti { nonce: [9; 16] });
    let mut first = peer_of(&server).await;
    let server_nonce = first.ask_res_pq(&query, [9; 16]).await;
    let mut second = Peer::connect(server.address(), Kind::Full).await;
    assert_eq!(second.ask_res_pq(&query, [9; 16]).await, server_nonce);
}

// rule: HS-34
#[tokio::test]
async fn what_is_no_query_gets_not_found_and_the_connection_goes_on() {
    let server = TestServer::start().await;
    let mut peer = peer_of(&server).await;
    peer.send(&plain::write(0, &[0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0])).await;
    assert_eq!(peer.error().await, -404);
    peer.is_served().await;
    let refused = server.events_of("handshake_refused");
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["rule"], "HS-34");
}

// rule: HS-36
#[tokio::test]
async fn a_key_that_was_never_made_gets_not_found_and_the_connection_goes_on() {
    let server = TestServer::start().await;
    let mut peer = peer_of(&server).await;
    peer.send(&[0x77; 8 + 16 + 64]).await;
    assert_eq!(peer.error().await, -404);
    peer.is_served().await;
}
