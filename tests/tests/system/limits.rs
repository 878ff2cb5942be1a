//! Bounds on what peers may take up.

use dayfly_core::keys::kind::KeyKind;
use dayfly_server::{Listener, StartError};
use dayfly_tl::mtproto::ReqPqMulti;
use dayfly_tl::to_bytes;

use crate::support::{A_DAY, TestServer, peer_of, within};

#[tokio::test]
async fn a_connection_over_the_limit_is_closed_without_a_word_until_another_leaves() {
    let server = TestServer::configured(|config| config.limits.connections = Some(2)).await;
    let (mut first, mut second) = (peer_of(&server).await, peer_of(&server).await);
    first.is_served().await;
    second.is_served().await;
    peer_of(&server).await.is_closed_without_a_word().await;
    first.is_served().await;
    drop(second);
    // The place is free once the server has seen the end.
    let query = to_bytes(&ReqPqMulti { nonce: [8; 16] });
    let taken = async {
        loop {
            let mut next = peer_of(&server).await;
            next.send(&dayfly_core::plain::write(0, &query)).await;
            if next.frame().await.is_some() {
                return;
            }
        }
    };
    within("a free place", taken).await;
    first.is_served().await;
}

// rule: HS-35
#[tokio::test]
async fn private_key_work_is_bounded_for_each_address_and_probes_are_not() {
    let server = TestServer::configured(|config| config.limits.handshakes_per_address = 2).await;
    let mut peer = peer_of(&server).await;
    peer.make_key(KeyKind::Perm).await;
    peer.make_key(A_DAY).await;
    for nonce in 0..32 {
        peer.ask_res_pq(&to_bytes(&ReqPqMulti { nonce: [nonce; 16] }), [nonce; 16]).await;
    }
    assert_eq!(peer.try_make_key(A_DAY).await.err(), Some(-429));
    assert_eq!(server.events_of("put_off").len(), 1);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let server = TestServer::start().await;
    let error = Listener::bind(server.address()).await.err().unwrap();
    assert!(matches!(error, StartError::Listen { .. }));
    assert!(error.to_string().starts_with(&format!("cannot listen on {}: ", server.address())), "{error}");
}
