//! Quick acknowledgements in the form of each transport.

use dayfly_core::transport::{Frame, Kind, Obfuscation};

use crate::support::{Reader, Scripted, Seeded, client_given, connected, encrypted};

const TOKEN: u32 = 0x8403_0201;

/// What a client sends when it asks for a quick acknowledgement.
fn asked(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let (mut client, mut server) = connected(kind, &Obfuscation::None);
    let mut wire = Vec::new();
    client.send(payload, true, &mut wire, &mut Seeded(2)).unwrap();
    server.receive(&wire);
    let quick_ack = kind.has_quick_ack();
    assert_eq!(server.drain(), [Frame::Payload { bytes: payload.to_vec(), quick_ack }], "{kind:?}");
    wire
}

/// What a server sends as an acknowledgement.
fn acknowledged(kind: Kind, token: u32) -> Vec<u8> {
    let (_, mut server) = connected(kind, &Obfuscation::None);
    let mut wire = Vec::new();
    server.send_quick_ack(token, &mut wire, &mut Seeded(2)).unwrap();
    wire
}

// rule: TR-04
#[test]
fn a_client_asks_by_the_top_bit_of_the_length() {
    assert_eq!(asked(Kind::Abridged, &encrypted(1))[0], 0x80 | 10);
    assert_eq!(asked(Kind::Abridged, &encrypted(32))[..4], [0xff, 134, 0, 0]);
    assert_eq!(asked(Kind::Intermediate, &encrypted(1))[..4], [40, 0, 0, 0x80]);
    assert_eq!(asked(Kind::Padded, &encrypted(1))[3], 0x80);
}

// rule: TR-04
#[test]
fn nothing_is_asked_for_or_given_in_full() {
    assert_eq!(asked(Kind::Full, &encrypted(1))[..4], [52, 0, 0, 0]);
    assert_eq!(acknowledged(Kind::Full, TOKEN), []);
}

// rule: TR-04
#[test]
fn a_server_gives_the_token_in_the_form_of_the_transport() {
    assert_eq!(acknowledged(Kind::Abridged, TOKEN), [0x84, 3, 2, 1]);
    assert_eq!(acknowledged(Kind::Intermediate, TOKEN), [1, 2, 3, 0x84]);
    let (_, mut server) = connected(Kind::Padded, &Obfuscation::None);
    for (draw, padding) in [(0, 0), (8, 8), (9, 0), (255, 3)] {
        let mut wire = Vec::new();
        let drawn = [vec![draw], (50..65).collect()].concat();
        server.send_quick_ack(TOKEN, &mut wire, &mut Scripted(drawn)).unwrap();
        let packet = [0xff, 0xff, 0xff, 0xff, 1, 2, 3, 0x84];
        let padding: Vec<u8> = (50..50 + padding).collect();
        assert_eq!(wire, [&[8 + padding.len() as u8, 0, 0, 0][..], &packet, &padding].concat());
    }
}

// rule: TR-04
#[test]
fn the_top_bit_of_a_token_is_always_set() {
    assert_eq!(acknowledged(Kind::Abridged, 0x0403_0201), [0x84, 3, 2, 1]);
    assert_eq!(acknowledged(Kind::Intermediate, 0x0403_0201), [1, 2, 3, 0x84]);
    assert_eq!(acknowledged(Kind::Padded, 0x0403_0201)[8..12], [1, 2, 3, 0x84]);
}

// rule: TR-04
#[test]
fn a_client_reads_the_token_in_the_form_of_the_transport() {
    let token = Ok(Some(Frame::QuickAck(TOKEN)));
    assert_eq!(client_given(Kind::Abridged, &[0x84, 3, 2, 1]), token);
    assert_eq!(client_given(Kind::Intermediate, &[1, 2, 3, 0x84]), token);
    for padding in 0..=8u8 {
        let packet = [0xff, 0xff, 0xff, 0xff, 1, 2, 3, 0x84];
        let frame = [&[8 + padding, 0, 0, 0][..], &packet, &vec![0; padding.into()]].concat();
        assert_eq!(client_given(Kind::Padded, &frame), token, "{padding} bytes of padding");
    }
}

// rule: TR-04
#[test]
fn a_client_waits_for_all_of_a_token() {
    assert_eq!(client_given(Kind::Abridged, &[0x84, 3, 2]), Ok(None));
    assert_eq!(client_given(Kind::Intermediate, &[1, 2, 3]), Ok(None));
}

// rule: TR-04
#[test]
fn a_longer_packet_that_begins_like_a_token_is_a_message() {
    let mut message = encrypted(1);
    message[..8].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 1, 2, 3, 0x84]);
    let frame = [&[40, 0, 0, 0][..], &message].concat();
    let expected = Frame::Payload { bytes: message, quick_ack: false };
    assert_eq!(client_given(Kind::Padded, &frame), Ok(Some(expected)));
}
