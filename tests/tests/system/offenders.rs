//! Peers that send what is no protocol: their connection ends, and nobody else notices.

use dayfly_client::Obfuscation;
use dayfly_core::env::SecureRandom as _;
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::plain;
use dayfly_core::transport::Kind;
use dayfly_testkit::SeededRandom;
use dayfly_tl::mtproto::ReqPqMulti;
use dayfly_tl::{api, to_bytes};

use crate::support::{A_DAY, HandClock, Peer, Talk, TestServer, Verbose, peer_of};

/// A client with a bound key, whose calls are answered before, while and after others misbehave.
struct Witness {
    peer: Peer,
    talk: Talk,
}

impl Witness {
    async fn of(server: &TestServer) -> Self {
        let mut peer = peer_of(server).await;
        let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
        let mut talk = Talk::under_temp(&temp, &peer);
        talk.bind(&perm, &mut peer).await.unwrap();
        Self { peer, talk }
    }

    async fn notices_nothing(&mut self) {
        self.talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut self.peer).await.unwrap();
    }
}

async fn stranger(server: &TestServer) -> Peer {
    Peer::silent(server.address(), Kind::Intermediate, &Obfuscation::None).await
}

// rule: TR-03, TR-06
#[tokio::test]
async fn random_bytes_end_their_connection_and_no_other() {
    let server = TestServer::start().await;
    let mut witness = Witness::of(&server).await;
    let mut random = SeededRandom::new(20_261_121);
    for _ in 0..64 {
        let mut peer = stranger(&server).await;
        let mut bytes = [0; 2048];
        random.fill_public(&mut bytes).unwrap();
        bytes[0] &= 0x7f; // no tag of a transport: every first 64 bytes are taken for an init
        peer.send_raw(&bytes).await;
        peer.is_closed_without_a_word().await;
        witness.notices_nothing().await;
    }
}

// rule: TR-06
#[tokio::test]
async fn huge_lengths_end_their_connection_before_anything_is_kept_for_them() {
    let server = TestServer::start().await;
    let mut witness = Witness::of(&server).await;
    let openings: [&[u8]; 5] = [
        &[0xef, 0x7f, 0xff, 0xff, 0xff],
        &[0xee, 0xee, 0xee, 0xee, 0xfc, 0xff, 0xff, 0x7f],
        &[0xee, 0xee, 0xee, 0xee, 0x00, 0x00, 0x00, 0x40],
        &[0xdd, 0xdd, 0xdd, 0xdd, 0xff, 0xff, 0xff, 0x7f],
        // Full: a length of 1 GiB, sequence number 0.
        &[0x00, 0x00, 0x00, 0x40, 0, 0, 0, 0],
    ];
    for opening in openings {
        let mut peer = stranger(&server).await;
        peer.send_raw(opening).await;
        let said = peer.last_words().await;
        assert!(
            said.len() <= 16 && said.windows(4).any(|word| word == (-429_i32).to_le_bytes()),
            "{said:x?}"
        );
        witness.notices_nothing().await;
    }
    let told = server.wait_for("closed", openings.len()).await;
    let too_long = |event: &serde_json::Value| event["reason"].as_str().unwrap().contains("expected at most");
    assert!(told.iter().all(too_long), "{told:?}");
}

// rule: TR-06
#[tokio::test]
async fn lengths_of_nothing_and_of_half_words_end_their_connection() {
    let server = TestServer::start().await;
    for opening in
        [&[0xee, 0xee, 0xee, 0xee, 0, 0, 0, 0][..], &[0xee, 0xee, 0xee, 0xee, 6, 0, 0, 0], &[0xef, 0]]
    {
        let mut peer = stranger(&server).await;
        peer.send_raw(opening).await;
        peer.is_closed_without_a_word().await;
    }
    peer_of(&server).await.is_served().await;
}

#[tokio::test]
async fn a_frame_that_is_cut_off_leaves_nothing_behind() {
    let server = TestServer::configured(|config| config.limits.connections = Some(2)).await;
    let mut witness = Witness::of(&server).await;
    // More than there are places: each one that leaves gives its place back.
    for _ in 0..8 {
        let mut peer = peer_of(&server).await;
        let bytes = peer.framed(&plain::write(0, &to_bytes(&ReqPqMulti { nonce: [3; 16] })));
        peer.send_raw(&bytes[..bytes.len() - 1]).await;
        peer.shut_down_writing().await;
        peer.is_closed_without_a_word().await;
        witness.notices_nothing().await;
    }
}

// rule: TR-02
#[tokio::test]
async fn a_peer_that_says_nothing_holds_up_nobody_and_is_closed_in_time() {
    let clock = HandClock::default();
    let server = TestServer::with_clock(clock.clone(), |config| config.limits.first_frame_seconds = 20).await;
    let mut silent = stranger(&server).await;
    let mut half_said = stranger(&server).await;
    half_said.send_raw(&[0xee, 0xee]).await;
    server.wait_for("connected", 2).await;
    let mut witness = Witness::of(&server).await;
    clock.advance(18);
    witness.notices_nothing().await;
    assert_eq!(server.events_of("closed").len(), 0);
    clock.advance(3);
    silent.is_closed_without_a_word().await;
    half_said.is_closed_without_a_word().await;
    witness.notices_nothing().await;
}

// rule: MS-06
#[tokio::test]
async fn a_message_that_does_not_open_under_its_key_closes_the_connection_without_a_word() {
    let server = TestServer::start().await;
    let mut witness = Witness::of(&server).await;
    let mut forger = peer_of(&server).await;
    let key = forger.make_key(A_DAY).await;
    let mut packet = key.key.id().to_wire().to_vec();
    packet.extend([0x55; 16 + 96]);
    forger.send(&packet).await;
    forger.is_closed_without_a_word().await;
    witness.notices_nothing().await;
    // The key is as good as before.
    let mut peer = peer_of(&server).await;
    let mut talk = Talk::under_temp(&key, &peer);
    talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_does_not_read_what_it_asks_for_is_cut_off() {
    let server = TestServer::with_upstream(Verbose::new().0).await;
    let mut greedy = peer_of(&server).await;
    let (perm, temp) = (greedy.make_key(KeyKind::Perm).await, greedy.make_key(A_DAY).await);
    let mut talk = Talk::under_temp(&temp, &greedy);
    talk.bind(&perm, &mut greedy).await.unwrap();
    for _ in 0..64 {
        talk.send(to_bytes(&api::HelpGetNearestDc {}), &mut greedy).await;
    }
    while greedy.frame().await.is_some() {}
    peer_of(&server).await.is_served().await;
}
