//! A server that stops.

use dayfly_core::keys::kind::KeyKind;
use dayfly_core::transport::Frame;
use dayfly_tl::{api, to_bytes};
use tokio::net::TcpStream;

use crate::support::{
    A_DAY, HandClock, Holding, LONG, Peer, Talk, TestServer, Verbose, peer_of, until_not_ready, within,
};

#[tokio::test]
async fn a_stopped_server_has_closed_its_connections_and_its_port() {
    let server = TestServer::start().await;
    let address = server.address();
    let mut peer = peer_of(&server).await;
    peer.is_served().await;
    server.stop().await;
    peer.is_closed_without_a_word().await;
    assert!(TcpStream::connect(address).await.is_err());
}

/// How many answers of a mebibyte a session is owed at once: one more would be too many for it.
const ANSWERS: usize = 3;

/// A bound session of its own, over the same connection.
async fn session_over(peer: &mut Peer) -> Talk {
    let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
    let mut talk = Talk::under_temp(&temp, peer);
    talk.bind(&perm, peer).await.unwrap();
    talk
}

#[tokio::test]
async fn the_end_waits_for_answers_that_are_on_their_way() {
    let (upstream, engine_ended) = Verbose::new();
    let server = TestServer::with_upstream(upstream).await;
    let mut peer = peer_of(&server).await;
    // Together more than the system keeps for a socket: some of it still waits in the server when it is told to stop.
    for mut talk in [session_over(&mut peer).await, session_over(&mut peer).await] {
        for _ in 0..ANSWERS {
            talk.send(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await;
        }
    }
    server.wait_for("call", 2 * ANSWERS).await;
    let stopping = tokio::spawn(server.stop());
    within("the end of the engine", engine_ended).await.unwrap_err();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished(), "it ended while a client was owed something");
    let mut arrived = 0;
    while let Some(Frame::Payload { bytes, .. }) = peer.frame().await {
        arrived += bytes.len();
    }
    assert!(arrived > 2 * ANSWERS * LONG, "{arrived} bytes");
    within("the end of the server", stopping).await.unwrap();
}

#[tokio::test]
async fn the_end_waits_no_longer_than_it_is_told_for_a_back_end_that_is_silent() {
    let (holding, mut held) = Holding::new();
    let clock = HandClock::default();
    let server = TestServer::with_upstream_configured(holding, clock.clone(), |config| {
        config.drain_seconds = 60;
        config.limits.call_seconds = 300;
    });
    let server = server.await;
    let mut peer = peer_of(&server).await;
    let mut talk = session_over(&mut peer).await;
    talk.send(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await;
    let _reply = within("the call", held.recv()).await.unwrap();
    let place = server.admin().clone();
    let stopping = tokio::spawn(server.stop());
    until_not_ready(&place).await;
    clock.advance(30);
    // By the clock as it is now, it still drains when it answers this.
    until_not_ready(&place).await;
    assert!(!stopping.is_finished(), "it ended before its time");
    clock.advance(31);
    within("the end of the server", stopping).await.unwrap();
    // Frames from before the stop may come first; `frame` itself waits with a deadline.
    while peer.frame().await.is_some() {}
}
