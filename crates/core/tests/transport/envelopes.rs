//! The bytes of each transport, written out by hand.

use dayfly_core::transport::{ClientTransport, Frame, Kind, Obfuscation};

use crate::support::{
    Reader, Scripted, Seeded, client_given, connected, encrypted, payload, plain, server, server_given,
};

/// What a client sends after its opening.
fn sent_by_client(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let (mut client, _) = connected(kind, &Obfuscation::None);
    let mut wire = Vec::new();
    client.send(payload, false, &mut wire, &mut Seeded(9)).unwrap();
    wire
}

/// What a server sends first.
fn sent_by_server(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let (_, mut server) = connected(kind, &Obfuscation::None);
    let mut wire = Vec::new();
    server.send(payload, &mut wire, &mut Seeded(9)).unwrap();
    wire
}

// rule: TR-01
#[test]
fn a_client_opens_with_its_tag() {
    let tags: [(Kind, &[u8]); 4] = [
        (Kind::Abridged, &[0xef]),
        (Kind::Intermediate, &[0xee, 0xee, 0xee, 0xee]),
        (Kind::Padded, &[0xdd, 0xdd, 0xdd, 0xdd]),
        (Kind::Full, &[]),
    ];
    for (kind, tag) in tags {
        let (client, opening) =
            ClientTransport::new(kind, &Obfuscation::None, &mut Scripted(vec![])).unwrap();
        assert_eq!(opening, tag);
        assert_eq!((client.kind(), client.obfuscated()), (kind, false));
    }
}

// rule: TR-01
#[test]
fn a_server_sends_no_tag() {
    let message = encrypted(1);
    assert_eq!(sent_by_server(Kind::Abridged, &message), [&[10][..], &message].concat());
    assert_eq!(sent_by_server(Kind::Intermediate, &message), [&[40, 0, 0, 0][..], &message].concat());
    assert!(sent_by_server(Kind::Padded, &message)[4..].starts_with(&message));
    assert_eq!(sent_by_server(Kind::Full, &message)[..8], [52, 0, 0, 0, 0, 0, 0, 0]);
}

// rule: TR-01
#[test]
fn abridged_writes_the_shortest_length() {
    let (last_short, first_long) = (vec![1; 126 * 4], vec![1; 127 * 4]);
    assert_eq!(sent_by_client(Kind::Abridged, &last_short), [&[126][..], &last_short].concat());
    assert_eq!(sent_by_client(Kind::Abridged, &first_long), [&[0x7f, 127, 0, 0][..], &first_long].concat());
    let longest = vec![1; 1 << 20];
    assert_eq!(sent_by_client(Kind::Abridged, &longest)[..4], [0x7f, 0, 0, 4]);
}

// rule: TR-01
#[test]
fn abridged_takes_a_long_form_that_need_not_be() {
    let message = encrypted(1);
    let frame = [&[0x7f, 10, 0, 0][..], &message].concat();
    assert_eq!(server_given(&[0xef], &frame), Ok(Some(payload(&message))));
    assert_eq!(client_given(Kind::Abridged, &frame), Ok(Some(payload(&message))));
}

// rule: TR-01
#[test]
fn full_counts_from_zero_each_way_and_ends_with_a_crc() {
    let (mut server, mut down, random) = (server(), Vec::new(), &mut Scripted(vec![]));
    let (mut client, mut up) = ClientTransport::new(Kind::Full, &Obfuscation::None, random).unwrap();
    for _ in 0..2 {
        client.send(&[1, 2, 3, 4, 5, 6, 7, 8], false, &mut up, random).unwrap();
    }
    // CRC32 by zlib, over length, sequence number and payload.
    let frames =
        concat!("14000000000000000102030405060708e06e4584", "140000000100000001020304050607088f22e01f");
    assert_eq!(hex::encode(&up), frames);
    server.receive(&up);
    assert_eq!(server.drain(), [payload(&[1, 2, 3, 4, 5, 6, 7, 8]), payload(&[1, 2, 3, 4, 5, 6, 7, 8])]);
    for _ in 0..2 {
        server.send(&[1, 2, 3, 4, 5, 6, 7, 8], &mut down, random).unwrap();
    }
    assert_eq!(hex::encode(&down), frames);
}

// rule: TR-01
#[test]
fn padding_is_random_in_length_and_content_and_readers_that_cut_to_whole_words_understand_it() {
    let (message, random) = (encrypted(1), &mut Seeded(21));
    let (mut client, _) = connected(Kind::Padded, &Obfuscation::None);
    let mut seen = [false; 4];
    let mut contents = Vec::new();
    for _ in 0..400 {
        let mut wire = Vec::new();
        client.send(&message, false, &mut wire, random).unwrap();
        let padding = wire.split_off(44);
        assert_eq!(wire, [&[40 + padding.len() as u8, 0, 0, 0][..], &message].concat());
        seen[padding.len()] = true;
        contents.extend(padding);
    }
    assert_eq!(seen, [true; 4]);
    contents.sort_unstable();
    contents.dedup();
    assert!(contents.len() > 200, "only {} different bytes in the padding", contents.len());
}

// rule: TR-01
#[test]
fn padding_is_cut_off_whatever_its_length() {
    for message in [encrypted(1), encrypted(7), plain(0), plain(5)] {
        for padding in 0..16 {
            let padded = [&message[..], &vec![0xcc; padding]].concat();
            let frame = [&(padded.len() as u32).to_le_bytes()[..], &padded].concat();
            assert_eq!(server_given(&[0xdd; 4], &frame), Ok(Some(payload(&message))), "{padding} bytes");
            assert_eq!(client_given(Kind::Padded, &frame), Ok(Some(payload(&message))), "{padding} bytes");
        }
    }
}

// rule: TR-01
#[test]
fn a_plain_message_that_says_more_than_is_there_keeps_its_padding() {
    let mut message = plain(5);
    message[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
    let frame = [&[40, 0, 0, 0][..], &message].concat();
    assert_eq!(server_given(&[0xdd; 4], &frame), Ok(Some(payload(&message))));
}

// rule: TR-05
#[test]
fn a_transport_error_is_four_bytes_in_every_transport() {
    let sent: [(Kind, &[u8]); 3] = [
        (Kind::Abridged, &[1, 0x6c, 0xfe, 0xff, 0xff]),
        (Kind::Intermediate, &[4, 0, 0, 0, 0x6c, 0xfe, 0xff, 0xff]),
        (Kind::Padded, &[4, 0, 0, 0, 0x6c, 0xfe, 0xff, 0xff]),
    ];
    for (kind, bytes) in sent {
        let (_, mut server) = connected(kind, &Obfuscation::None);
        let mut wire = Vec::new();
        server.send_error(-404, &mut wire).unwrap();
        assert_eq!(wire, bytes, "{kind:?}");
    }
    let (_, mut server) = connected(Kind::Full, &Obfuscation::None);
    let mut wire = Vec::new();
    server.send_error(-404, &mut wire).unwrap();
    assert_eq!(wire[..12], [16, 0, 0, 0, 0, 0, 0, 0, 0x6c, 0xfe, 0xff, 0xff]);
}

// rule: TR-05
#[test]
fn a_client_tells_errors_and_nops_from_messages() {
    for code in [-404, -429, -444, -1, i32::MIN] {
        let frame = [&[4, 0, 0, 0][..], &code.to_le_bytes()].concat();
        for kind in [Kind::Intermediate, Kind::Padded] {
            assert_eq!(client_given(kind, &frame), Ok(Some(Frame::Error(code))), "{kind:?}");
        }
        let frame = [&[1][..], &code.to_le_bytes()].concat();
        assert_eq!(client_given(Kind::Abridged, &frame), Ok(Some(Frame::Error(code))));
    }
    assert_eq!(client_given(Kind::Abridged, &[1, 0, 0, 0, 0]), Ok(Some(Frame::Nop)));
    assert_eq!(client_given(Kind::Padded, &[4, 0, 0, 0, 0, 0, 0, 0]), Ok(Some(Frame::Nop)));
    let longer = [2, 0x6c, 0xfe, 0xff, 0xff, 0, 0, 0, 0];
    assert_eq!(client_given(Kind::Abridged, &longer), Ok(Some(payload(&longer[1..]))));
}

// rule: TR-05
#[test]
fn four_bytes_from_a_client_are_no_error() {
    let code = (-404i32).to_le_bytes();
    let mut server = server();
    server.receive(&[&[0xef, 1][..], &code].concat());
    assert_eq!(server.drain(), [payload(&code)]);
}
