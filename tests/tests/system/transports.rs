//! All TCP transports on one port, told apart by their first bytes.

use dayfly_client::{Client, MemorySession, Obfuscation, TransportKind};
use dayfly_core::plain;
use dayfly_core::transport::Kind;
use dayfly_tl::mtproto::ReqPqMulti;
use dayfly_tl::{api, read_exact, to_bytes};

use crate::support::{Peer, TestServer, client_config, within};

/// Every transport a TCP client can choose, and the words of the event log for it.
fn transports() -> Vec<(TransportKind, bool)> {
    let plain = TransportKind::ALL.map(|kind| (kind, false));
    let obfuscated = [TransportKind::Abridged, TransportKind::Intermediate, TransportKind::Padded];
    plain.into_iter().chain(obfuscated.map(|kind| (kind, true))).collect()
}

fn obfuscation(obfuscated: bool) -> Obfuscation {
    if obfuscated { Obfuscation::Plain } else { Obfuscation::None }
}

// rule: TR-01, TR-03
#[tokio::test]
async fn a_client_of_every_transport_is_served_on_one_port_at_once() {
    let server = TestServer::start().await;
    let sessions = transports().into_iter().map(|(kind, obfuscated)| {
        let mut config = client_config(&server);
        (config.transport, config.obfuscation) = (kind, obfuscation(obfuscated).into());
        let address = server.address().to_string();
        tokio::spawn(async move {
            let (client, _events) = Client::connect(address, config, MemorySession::default()).await.unwrap();
            let answer = client.invoke_bytes(to_bytes(&api::HelpGetNearestDc {})).await.unwrap();
            read_exact::<api::NearestDc<'_>>(&answer).unwrap().this_dc
        })
    });
    for session in sessions.collect::<Vec<_>>() {
        assert_eq!(within("an answer", session).await.unwrap(), 2);
    }
    let told = server.stop().await;
    for (kind, obfuscated) in transports() {
        let connections = told.iter().filter(|event| {
            event["event"] == "transport" && event["name"] == kind.name() && event["obfuscated"] == obfuscated
        });
        assert!(connections.count() >= 2, "{kind:?}, obfuscated: {obfuscated}: two connections, one a key");
    }
}

// rule: TR-01, TR-03
#[tokio::test]
async fn a_client_that_sends_one_byte_at_a_time_is_served_over_every_transport() {
    let server = TestServer::start().await;
    for (kind, obfuscated) in transports() {
        let mut peer = Peer::obfuscated(server.address(), kind, &obfuscation(obfuscated)).await;
        let nonce = [7; 16];
        let bytes = peer.framed(&plain::write(0, &to_bytes(&ReqPqMulti { nonce })));
        for byte in bytes {
            peer.send_raw(&[byte]).await;
        }
        peer.take_res_pq(nonce).await;
    }
}

#[tokio::test]
async fn two_frames_in_one_segment_are_two_queries() {
    let server = TestServer::start().await;
    let mut peer = Peer::connect(server.address(), Kind::Abridged).await;
    let (first, second) = ([1; 16], [2; 16]);
    let mut bytes = peer.framed(&plain::write(0, &to_bytes(&ReqPqMulti { nonce: first })));
    bytes.extend(peer.framed(&plain::write(0, &to_bytes(&ReqPqMulti { nonce: second }))));
    peer.send_raw(&bytes).await;
    let one = peer.take_res_pq(first).await;
    assert_ne!(one, peer.take_res_pq(second).await, "a second nonce opens a run of its own");
}

#[tokio::test]
async fn every_address_that_is_listened_on_serves() {
    let also = "127.0.0.1:0".parse().unwrap();
    let server = TestServer::configured(|config| config.listen_also = vec![also]).await;
    for address in [server.address(), server.other_address()] {
        Peer::connect(address, Kind::Padded).await.is_served().await;
    }
}

#[tokio::test]
async fn tls_is_told_from_transports_and_closed() {
    let server = TestServer::start().await;
    let mut peer = Peer::silent(server.address(), Kind::Abridged, &Obfuscation::None).await;
    peer.send_raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await;
    peer.is_closed_without_a_word().await;
    let closed = &server.wait_for("closed", 1).await[0];
    assert!(closed["reason"].as_str().unwrap().contains("expected an MTProto transport"), "{closed}");
}
