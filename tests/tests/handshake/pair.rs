//! The two machines against each other.

use dayfly_core::handshake::client::Created;
use dayfly_core::handshake::server::HandshakeEvent;
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::keys::requests::Lifetime;
use dayfly_tl::mtproto::{PQInnerDataTemp, ReqPq, ResPq};
use dayfly_tl::{read_exact, to_bytes};

use super::support::{ClientPuppet, ClientRig, Rig, body};

/// Carries messages between the two until the client has nothing left to say.
fn run(client: &mut ClientRig, server: &mut Rig, connection: u32) {
    while let Some(message) = client.sent.pop_front() {
        server.send_raw(connection, &message);
        while let Some(reply) = server.reply(connection) {
            match reply {
                Ok(answer) => client.take(&answer).unwrap(),
                Err(code) => client.error(code).unwrap(),
            }
        }
    }
}

fn created(kind: KeyKind, seed: u64, server: &mut Rig) -> Created {
    let mut client = ClientRig::with(kind, seed, |_| {});
    run(&mut client, server, 1);
    assert_eq!(client.world.seen.failed(), []);
    client.created.expect("a key")
}

// rule: HS-01, HS-02, HS-05, HS-08, HS-11, HS-16, HS-17, HS-22, HS-24, HS-28, PF-17
#[test]
fn client_and_server_agree_on_a_permanent_key() {
    let mut server = Rig::new(|_| {});
    let created = created(KeyKind::Perm, 1, &mut server);
    let kept = &server.kept[0];
    assert_eq!(created.key.expose(), kept.key.expose());
    assert_eq!((created.key.id(), created.server_salt), (kept.id, kept.first_salt));
    assert_eq!((created.kind, created.dc, created.expires_at), (KeyKind::Perm, 2, None));
    assert_eq!((kept.lifetime, kept.dc), (Lifetime::Permanent, 2));
    assert_eq!((created.time_offset, created.created_at), (0, kept.created_at));
    let made = HandshakeEvent::KeyMade {
        id: kept.id,
        lifetime: kept.lifetime,
        dc: 2,
        took: core::time::Duration::ZERO,
    };
    assert_eq!(server.events, [made]);
    assert_eq!(server.world.seen.failed(), []);
    assert_eq!((server.server.unfinished(), server.server.finished()), (0, 1));
}

// rule: HS-09, PF-02
#[test]
fn client_and_server_agree_on_a_temporary_key_by_the_servers_clock() {
    let mut server = Rig::new(|_| {});
    server.world.now.unix += core::time::Duration::from_secs(5000);
    let created = created(KeyKind::Temp { expires_in: 86_400 }, 2, &mut server);
    let kept = &server.kept[0];
    assert_eq!(created.key.expose(), kept.key.expose());
    assert_eq!(created.time_offset, 5000);
    let expires_at = kept.created_at + 86_400;
    assert_eq!(created.expires_at, Some(expires_at));
    assert_eq!(kept.lifetime, Lifetime::Temporary { expires_at });
}

// rule: HS-21
#[test]
fn a_handshake_with_whole_exponents_works_too() {
    let mut server = Rig::new(|config| config.exponent_bits = 2048);
    let mut client = ClientRig::with(KeyKind::Perm, 3, |config| config.exponent_bits = 2048);
    run(&mut client, &mut server, 1);
    assert_eq!(client.created.unwrap().key.expose(), server.kept[0].key.expose());
    assert_eq!(client.world.seen.values["b"].len(), 256);
    assert_eq!(server.world.seen.values["a"].len(), 256);
}

// rule: HS-04, HS-21, HS-37
#[test]
fn two_runs_have_nothing_in_common() {
    let mut server = Rig::new(|_| {});
    let mut seen = Vec::new();
    for seed in [4, 5] {
        let mut client = ClientRig::with(KeyKind::Perm, seed, |_| {});
        let first = client.sent[0].clone();
        run(&mut client, &mut server, 1);
        let values = |name| client.world.seen.values[name].clone();
        seen.push((body_of(&first), values("new_nonce"), values("b"), server.world.seen.values["a"].clone()));
    }
    assert_ne!(seen[0].0, seen[1].0, "nonce");
    assert_ne!(seen[0].1, seen[1].1, "new_nonce");
    assert_ne!(seen[0].2, seen[1].2, "b");
    assert_ne!(seen[0].3, seen[1].3, "a");
    let (mut one, mut two) = (ClientPuppet::new(6), ClientPuppet::new(7));
    one.open(&mut server, 1);
    two.open(&mut server, 1);
    assert_ne!(one.server_nonce, two.server_nonce);
}

fn body_of(message: &[u8]) -> Vec<u8> {
    message[20..].to_vec()
}

// rule: HS-04
#[test]
fn runs_interleave_on_one_connection() {
    let mut server = Rig::new(|_| {});
    let mut puppets: Vec<_> = (10..13).map(ClientPuppet::new).collect();
    puppets.iter_mut().for_each(|puppet| puppet.open(&mut server, 1));
    puppets.iter_mut().rev().for_each(|puppet| drop(puppet.prove(&mut server, 1)));
    for puppet in &puppets {
        server.ask(1, &puppet.finish(0)).unwrap();
    }
    assert_eq!(server.kept.len(), 3);
    for (puppet, kept) in puppets.iter().zip(&server.kept) {
        assert_eq!(puppet.auth_key().expose(), kept.key.expose());
    }
}

// rule: HS-03
#[test]
fn pq_is_fresh_and_has_eight_bytes() {
    let mut server = Rig::new(|_| {});
    let mut all = Vec::new();
    for seed in 0..20 {
        let mut puppet = ClientPuppet::new(seed);
        puppet.open(&mut server, 1);
        assert_eq!((puppet.pq.len(), puppet.p.len(), puppet.q.len()), (8, 4, 4));
        assert!(puppet.pq[0] != 0 && puppet.pq[0] < 0x80, "below 2^63");
        assert!(puppet.p < puppet.q);
        all.push(puppet.pq);
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 20);
}

// rule: HS-02
#[test]
fn the_older_opening_is_answered_and_opens_a_run_of_its_own() {
    let mut server = Rig::new(|_| {});
    let mut puppet = ClientPuppet::new(20);
    let probe = server.ask(1, &to_bytes(&ReqPq { nonce: puppet.nonce })).unwrap();
    let probe: ResPq<'_> = read_exact(&probe).unwrap();
    assert_eq!(probe.nonce, puppet.nonce);
    puppet.open(&mut server, 1);
    assert_ne!(probe.server_nonce, puppet.server_nonce);
    puppet.prove(&mut server, 1);
    server.ask(1, &puppet.finish(0)).unwrap();
    assert_eq!(server.kept.len(), 1);
}

// rule: HS-09
#[test]
fn the_older_forms_of_inner_data_are_taken() {
    let mut server = Rig::new(|_| {});
    let mut puppet = ClientPuppet::new(21);
    puppet.open(&mut server, 1);
    let inner = to_bytes(&PQInnerDataTemp {
        pq: &puppet.pq,
        p: &puppet.p,
        q: &puppet.q,
        nonce: puppet.nonce,
        server_nonce: puppet.server_nonce,
        new_nonce: &puppet.new_nonce,
        expires_in: 60,
    });
    puppet.prove_with(&mut server, 1, &inner);
    server.ask(1, &puppet.finish(0)).unwrap();
    let kept = &server.kept[0];
    assert_eq!((kept.dc, kept.lifetime), (0, Lifetime::Temporary { expires_at: kept.created_at + 60 }));
}

// rule: HS-10, HS-14
#[test]
fn factors_are_compared_as_numbers() {
    let mut server = Rig::new(|_| {});
    let mut puppet = ClientPuppet::new(22);
    puppet.open(&mut server, 1);
    for number in [&mut puppet.p, &mut puppet.q, &mut puppet.pq] {
        number.splice(0..0, [0, 0, 0]);
    }
    puppet.prove(&mut server, 1);
    server.ask(1, &puppet.finish(0)).unwrap();
    assert_eq!(server.kept.len(), 1);
}

// rule: HS-01
#[test]
fn a_g_b_without_leading_zeros_is_taken() {
    let mut server = Rig::new(|_| {});
    let mut puppet = ClientPuppet::new(23);
    puppet.open(&mut server, 1);
    puppet.prove(&mut server, 1);
    while puppet.g_b[0] != 0 {
        puppet.draw_b();
    }
    puppet.g_b.remove(0);
    server.ask(1, &puppet.finish(0)).unwrap();
    assert_eq!(puppet.auth_key().expose(), server.kept[0].key.expose());
}

// rule: HS-34
#[test]
fn any_msg_id_and_random_bytes_after_the_object_are_taken() {
    let mut server = Rig::new(|_| {});
    let puppet = ClientPuppet::new(24);
    for (msg_id, extra) in [(0, 0), (1, 13), (i64::MIN, 255)] {
        let query = [puppet.req_pq(), vec![0xaa; extra]].concat();
        server.send_raw(1, &super::support::plain(msg_id, &query));
        assert!(server.reply(1).unwrap().is_ok(), "{msg_id} {extra}");
    }
}

// rule: HS-34
#[test]
fn a_client_skips_what_follows_the_object() {
    let mut server = Rig::new(|_| {});
    let mut client = ClientRig::new(KeyKind::Perm);
    while let Some(message) = client.sent.pop_front() {
        server.send_raw(1, &message);
        let mut answer = server.reply(1).unwrap().unwrap();
        answer.extend([0x77; 104]);
        client.take(&answer).unwrap();
    }
    assert!(client.created.is_some());
}

// rule: HS-34
#[test]
fn acknowledgements_are_swallowed_between_all_steps() {
    let mut server = Rig::new(|_| {});
    let mut puppet = ClientPuppet::new(25);
    let ack = to_bytes(&dayfly_tl::mtproto::MsgsAck { msg_ids: dayfly_tl::LongVec::from_slice(&[5, 9]) });
    server.send(1, &ack);
    puppet.open(&mut server, 1);
    server.send(1, &ack);
    puppet.prove(&mut server, 1);
    server.send(1, &ack);
    server.ask(1, &puppet.finish(0)).unwrap();
    assert!(server.reply(1).is_none(), "nothing but the answers");
    assert_eq!(server.kept.len(), 1);
}

// rule: HS-34
#[test]
fn a_servers_messages_have_the_exact_length_and_an_id_of_their_own() {
    let mut server = Rig::new(|_| {});
    server.server.handle_query(
        1,
        server.peer,
        &super::support::plain(0, &ClientPuppet::new(26).req_pq()),
        &mut server.world.env(),
    );
    let Some(dayfly_core::handshake::server::Output::Reply { payload, .. }) = server.server.poll_output()
    else {
        panic!("no reply");
    };
    let answer = body(&payload);
    assert_eq!(payload.len(), 20 + answer.len());
    read_exact::<ResPq<'_>>(&answer).unwrap();
}

// rule: HS-29
#[test]
fn a_finished_machine_gives_its_key_once_and_ignores_the_rest() {
    let mut server = Rig::new(|_| {});
    let mut client = ClientRig::new(KeyKind::Perm);
    run(&mut client, &mut server, 1);
    assert!(client.created.take().is_some());
    client.take(&[1, 2, 3]).unwrap();
    client.error(-404).unwrap();
    client.pass(core::time::Duration::from_secs(900)).unwrap();
    assert!(client.created.is_none() && client.sent.is_empty());
    assert_eq!(client.client.poll_timeout(), None);
}
