//! What one end sends, the other gets, however the bytes are cut on the way.

use dayfly_core::transport::{ClientTransport, Frame, Kind, Obfuscation};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use proptest::{prop_assert, prop_assert_eq};

use crate::support::{Reader, Seeded, connected, encrypted, payload, plain, server, ways};

/// What a client writes, its opening first, and the frames that a server should get.
fn spoken_by_client(
    kind: Kind,
    obfuscation: &Obfuscation,
    said: &[(Vec<u8>, bool)],
) -> (Vec<u8>, Vec<Frame>) {
    let random = &mut Seeded(7);
    let (mut client, mut wire) = ClientTransport::new(kind, obfuscation, random).unwrap();
    for (payload, quick_ack) in said {
        client.send(payload, *quick_ack, &mut wire, random).unwrap();
    }
    let frame = |(bytes, asked): &(Vec<u8>, bool)| Frame::Payload {
        bytes: bytes.clone(),
        quick_ack: *asked && kind.has_quick_ack(),
    };
    (wire, said.iter().map(frame).collect())
}

/// Something that a server says.
#[derive(Clone, Debug)]
enum Said {
    Payload(Vec<u8>),
    Error(i32),
    Token(u32),
}

/// What a server writes, the frames that a client should get, and that client.
fn spoken_by_server(
    kind: Kind,
    obfuscation: &Obfuscation,
    said: &[Said],
) -> (Vec<u8>, Vec<Frame>, ClientTransport) {
    let (client, mut server) = connected(kind, obfuscation);
    let (random, mut wire, mut frames) = (&mut Seeded(11), Vec::new(), Vec::new());
    for item in said {
        match item {
            Said::Payload(bytes) => {
                server.send(bytes, &mut wire, random).unwrap();
                frames.push(payload(bytes));
            }
            Said::Error(code) => {
                server.send_error(*code, &mut wire).unwrap();
                frames.push(Frame::Error(*code));
            }
            Said::Token(token) => {
                server.send_quick_ack(*token, &mut wire, random).unwrap();
                frames.extend(kind.has_quick_ack().then_some(Frame::QuickAck(token | 1 << 31)));
            }
        }
    }
    (wire, frames, client)
}

/// Feeds `wire` in pieces of the given lengths, over and over; polls after each.
fn fed(reader: &mut impl Reader, wire: &[u8], lengths: &[usize]) -> Vec<Frame> {
    let (mut rest, mut frames) = (wire, Vec::new());
    for len in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*len).clamp(1, rest.len()));
        reader.receive(piece);
        frames.extend(reader.drain());
        rest = after;
    }
    frames
}

fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![(1usize..80).prop_map(encrypted), (0usize..300).prop_map(plain)]
}

fn any_said() -> impl Strategy<Value = Said> {
    prop_oneof![
        any_payload().prop_map(Said::Payload),
        (i32::MIN..0).prop_map(Said::Error),
        any::<u32>().prop_map(Said::Token),
    ]
}

// rule: TR-01, TR-02, TR-03
#[test]
fn a_server_gets_the_same_frames_wherever_the_bytes_are_cut_in_two() {
    let said = [(plain(2), false), (encrypted(1), true), (encrypted(32), false)];
    for (kind, obfuscation) in ways() {
        let (wire, frames) = spoken_by_client(kind, &obfuscation, &said);
        for cut in 0..=wire.len() {
            let mut server = server();
            server.receive(&wire[..cut]);
            let mut got = server.drain();
            server.receive(&wire[cut..]);
            got.extend(server.drain());
            assert_eq!(got, frames, "{kind:?} {obfuscation:?} cut at {cut}");
            assert_eq!(
                (server.kind(), server.obfuscated()),
                (Some(kind), !matches!(obfuscation, Obfuscation::None))
            );
        }
    }
}

// rule: TR-01, TR-03, TR-04, TR-05
#[test]
fn a_client_gets_the_same_frames_wherever_the_bytes_are_cut_in_two() {
    let said = [
        Said::Payload(plain(2)),
        Said::Token(5),
        Said::Error(-404),
        Said::Payload(encrypted(32)),
        Said::Token(6),
    ];
    for (kind, obfuscation) in ways() {
        let (wire, frames, _) = spoken_by_server(kind, &obfuscation, &said);
        for cut in 0..=wire.len() {
            let (mut client, _) = connected(kind, &obfuscation);
            client.receive(&wire[..cut]);
            let mut got = client.drain();
            client.receive(&wire[cut..]);
            got.extend(client.drain());
            assert_eq!(got, frames, "{kind:?} {obfuscation:?} cut at {cut}");
        }
    }
}

proptest! {
    // rule: TR-01, TR-03
    #[test]
    fn a_server_gets_what_a_client_sends_in_any_pieces(
        said in vec((any_payload(), any::<bool>()), 0..6),
        lengths in vec(1usize..200, 1..9),
    ) {
        for (kind, obfuscation) in ways() {
            let (wire, frames) = spoken_by_client(kind, &obfuscation, &said);
            let mut server = server();
            prop_assert_eq!(fed(&mut server, &wire, &lengths), frames);
            prop_assert!(wire.len() < 8 || server.buffered_capacity() == 0);
        }
    }

    // rule: TR-01, TR-03, TR-04, TR-05
    #[test]
    fn a_client_gets_what_a_server_sends_in_any_pieces(
        said in vec(any_said(), 0..8),
        lengths in vec(1usize..200, 1..9),
    ) {
        for (kind, obfuscation) in ways() {
            let (wire, frames, mut client) = spoken_by_server(kind, &obfuscation, &said);
            prop_assert_eq!(fed(&mut client, &wire, &lengths), frames);
            prop_assert_eq!(client.buffered_capacity(), 0);
        }
    }
}

#[test]
fn a_burst_leaves_no_memory_behind() {
    let said = vec![(encrypted(4096), false); 20];
    for (kind, obfuscation) in ways() {
        let (wire, frames) = spoken_by_client(kind, &obfuscation, &said);
        let (mut server, half) = (server(), wire.len() / 2);
        server.receive(&wire[..half]);
        assert!(server.buffered_capacity() >= half);
        let first = server.drain();
        assert!(server.buffered_capacity() < 4 * 65_600, "{} bytes are kept", server.buffered_capacity());
        server.receive(&wire[half..]);
        assert_eq!([first, server.drain()].concat(), frames);
        assert_eq!(server.buffered_capacity(), 0);
    }
}
