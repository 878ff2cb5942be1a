//! One broken rule at a time.

use dayfly_core::transport::{ClientTransport, Frame, Kind, Obfuscation, SendError, TransportError};

use crate::support::{
    Reader, Scripted, Seeded, client_given, connected, encrypted, plain, server, server_given,
};

const MIB: usize = 1 << 20;

/// The beginning of a frame that announces a payload of `len` bytes, up to and without the payload.
fn head(kind: Kind, len: usize) -> Vec<u8> {
    let le = |n: usize| (n as u32).to_le_bytes();
    match kind {
        Kind::Abridged => [&[0x7f], &le(len / 4)[..3]].concat(),
        Kind::Intermediate | Kind::Padded => le(len).to_vec(),
        Kind::Full => [le(len + 12), le(0)].concat(),
    }
}

fn tag(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Abridged => &[0xef],
        Kind::Intermediate => &[0xee; 4],
        Kind::Padded => &[0xdd; 4],
        Kind::Full => &[],
    }
}

/// How much longer than its payload a frame's contents may be.
fn padding(kind: Kind) -> usize {
    if kind == Kind::Padded { 15 } else { 0 }
}

/// The least by which a length can grow.
fn step(kind: Kind) -> usize {
    if kind == Kind::Padded { 1 } else { 4 }
}

/// A good frame in full: CRC32 and all.
fn full_frame() -> Vec<u8> {
    let random = &mut Scripted(vec![]);
    let (mut client, mut frame) = ClientTransport::new(Kind::Full, &Obfuscation::None, random).unwrap();
    client.send(&encrypted(1), false, &mut frame, random).unwrap();
    frame
}

// rule: TR-06
#[test]
fn a_frame_over_the_limit_is_refused_before_its_payload_comes() {
    for kind in Kind::ALL {
        let limit = MIB + padding(kind);
        assert_eq!(server_given(tag(kind), &head(kind, limit)), Ok(None), "{kind:?}");
        let len = limit + step(kind);
        let refused = Err(TransportError::TooLong { len, limit });
        assert_eq!(server_given(tag(kind), &head(kind, len)), refused, "{kind:?}");

        let limit = 2 * MIB + padding(kind);
        assert_eq!(client_given(kind, &head(kind, limit)), Ok(None), "{kind:?}");
        let len = limit + step(kind);
        assert_eq!(
            client_given(kind, &head(kind, len)),
            Err(TransportError::TooLong { len, limit }),
            "{kind:?}"
        );
    }
}

// rule: TR-06
#[test]
fn a_plain_message_over_its_limit_is_refused_with_its_first_eight_bytes() {
    for kind in Kind::ALL {
        let limit = 4096 + padding(kind);
        let len = limit + step(kind);
        let begin = |len, key_id: &[u8]| [&head(kind, len), key_id].concat();
        let refused = Err(TransportError::PlainTooLong { len, limit });
        assert_eq!(server_given(tag(kind), &begin(len, &[0; 8])), refused, "{kind:?}");
        assert_eq!(client_given(kind, &begin(len, &[0; 8])), refused, "{kind:?}");
        for taken in [begin(limit, &[0; 8]), begin(len, &[0; 7]), begin(len, &[0, 0, 0, 0, 0, 0, 0, 1])] {
            assert_eq!(server_given(tag(kind), &taken), Ok(None), "{kind:?} {taken:02x?}");
        }
    }
}

// rule: TR-06
#[test]
fn a_frame_without_a_payload_is_refused() {
    for kind in Kind::ALL {
        assert_eq!(server_given(tag(kind), &head(kind, 0)), Err(TransportError::Empty), "{kind:?}");
        assert_eq!(client_given(kind, &head(kind, 0)), Err(TransportError::Empty), "{kind:?}");
    }
    assert_eq!(server_given(&[0xef], &[0]), Err(TransportError::Empty), "abridged, short form");
    let asks = [0, 0, 0, 0x80];
    assert_eq!(server_given(&[0xee; 4], &asks), Err(TransportError::Empty), "asking for an acknowledgement");
}

// rule: TR-06
#[test]
fn a_length_of_full_below_its_own_envelope_is_refused() {
    for len in [0, 4, 8] {
        let frame = [len, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(server_given(&[], &frame), Err(TransportError::Empty), "{len}");
        assert_eq!(client_given(Kind::Full, &frame), Err(TransportError::Empty), "{len}");
    }
}

// rule: TR-06
#[test]
fn a_length_that_is_no_multiple_of_four_is_refused() {
    for kind in [Kind::Intermediate, Kind::Full] {
        for len in [41, 42, 43] {
            let refused = Err(TransportError::Unaligned { len });
            assert_eq!(server_given(tag(kind), &head(kind, len)), refused, "{kind:?}");
            assert_eq!(client_given(kind, &head(kind, len)), refused, "{kind:?}");
        }
    }
}

// rule: TR-06
#[test]
fn a_padded_frame_below_four_bytes_is_refused() {
    for len in [1, 2, 3] {
        let refused = Err(TransportError::TooShort { len });
        assert_eq!(server_given(&[0xdd; 4], &head(Kind::Padded, len)), refused);
        assert_eq!(client_given(Kind::Padded, &head(Kind::Padded, len)), refused);
    }
}

// rule: TR-01
#[test]
fn a_wrong_sequence_number_is_refused_before_the_payload_comes() {
    let mut frame = full_frame();
    let mut server = server();
    server.receive(&frame);
    assert_eq!(server.drain().len(), 1);
    server.receive(&frame[..7]);
    assert_eq!(server.poll_frame(), Ok(None));
    server.receive(&frame[7..8]);
    assert_eq!(server.poll_frame(), Err(TransportError::SequenceNumber { expected: 1, got: 0 }));

    frame[4] = 1;
    let crc = crc32fast::hash(&frame[..48]).to_le_bytes();
    frame[48..].copy_from_slice(&crc);
    let refused = Err(TransportError::SequenceNumber { expected: 0, got: 1 });
    assert_eq!(client_given(Kind::Full, &frame), refused);
}

// rule: TR-01
#[test]
fn a_wrong_crc_is_refused() {
    for at in [8, 30, 47, 48, 51] {
        let mut frame = full_frame();
        frame[at] ^= 1;
        let refused = server_given(&[], &frame);
        assert!(matches!(refused, Err(TransportError::Crc { .. })), "byte {at}: {refused:?}");
        let refused = client_given(Kind::Full, &frame);
        assert!(matches!(refused, Err(TransportError::Crc { .. })), "byte {at}: {refused:?}");
    }
}

// rule: TR-02
#[test]
fn other_protocols_are_named() {
    for (request, method) in
        [(&b"GET /apiws"[..], "GET "), (b"POST /api", "POST"), (b"OPTIONS /", "OPTI"), (b"HEAD / ", "HEAD")]
    {
        let refused = server_given(&[], request).unwrap_err();
        assert_eq!(refused, TransportError::Http { method });
        assert!(refused.to_string().starts_with("HTTP is not served on this port"), "{refused}");
    }
    let refused = server_given(&[], &[0x16, 3, 1, 2, 0, 1, 0, 1]).unwrap_err();
    assert_eq!(refused, TransportError::Tls);
    assert!(refused.to_string().starts_with("TLS is not served on this port"), "{refused}");
}

// rule: TR-05
#[test]
fn a_client_refuses_a_positive_error_code() {
    let refused = Err(TransportError::PositiveCode { value: 404 });
    assert_eq!(client_given(Kind::Abridged, &[1, 0x94, 1, 0, 0]), refused);
    assert_eq!(client_given(Kind::Padded, &[4, 0, 0, 0, 0x94, 1, 0, 0]), refused);
}

#[test]
fn an_error_stays() {
    let mut server = server();
    server.receive(&[0xef, 0]);
    assert_eq!(server.poll_frame(), Err(TransportError::Empty));
    server.receive(&[1, 2, 3, 4, 5]);
    assert_eq!(server.poll_frame(), Err(TransportError::Empty));
    assert_eq!(server.buffered_capacity(), 0);
    assert_eq!(server.send(&encrypted(1), &mut vec![], &mut Seeded(1)), Err(SendError::NotDetected));
}

// rule: TR-06
#[test]
fn neither_end_sends_more_than_the_other_takes() {
    for kind in Kind::ALL {
        let (mut client, mut server) = connected(kind, &Obfuscation::None);
        let (out, random) = (&mut Vec::new(), &mut Seeded(4));
        let (limit, len) = (MIB, MIB + 4);
        assert_eq!(client.send(&vec![1; len], false, out, random), Err(SendError::TooLong { len, limit }));
        let (limit, len) = (2 * MIB, 2 * MIB + 4);
        assert_eq!(server.send(&vec![1; len], out, random), Err(SendError::TooLong { len, limit }));
        assert_eq!(*out, [], "nothing is sent");
        assert_eq!(client.send(&vec![1; MIB], false, out, random), Ok(()));
        assert_eq!(server.send(&vec![1; 2 * MIB], out, random), Ok(()));
    }
}

// rule: TR-05, TR-06
#[test]
fn a_frame_over_the_limit_can_still_be_told_so() {
    let (mut client, mut server) = connected(Kind::Intermediate, &Obfuscation::None);
    server.receive(&(u32::try_from(MIB).unwrap() + 4).to_le_bytes());
    assert!(server.poll_frame().unwrap_err().is_flood());
    let mut told = Vec::new();
    server.send_error(-429, &mut told).unwrap();
    client.receive(&told);
    assert_eq!(client.poll_frame(), Ok(Some(Frame::Error(-429))));
    assert!(!TransportError::Empty.is_flood());
}

#[test]
fn payloads_to_be_sent_are_whole_words() {
    for kind in Kind::ALL {
        let (mut client, _) = connected(kind, &Obfuscation::None);
        for len in [0, 1, 39, 41] {
            let outcome = client.send(&encrypted(2)[..len], false, &mut vec![], &mut Seeded(4));
            assert_eq!(outcome, Err(SendError::Unaligned { len }), "{kind:?}");
        }
    }
}

// rule: TR-05
#[test]
fn only_negative_codes_are_sent_as_errors() {
    let (_, mut server) = connected(Kind::Abridged, &Obfuscation::None);
    for code in [0, 404] {
        assert_eq!(server.send_error(code, &mut vec![]), Err(SendError::NotNegative { code }));
    }
}

#[test]
fn a_server_sends_nothing_before_it_knows_the_transport() {
    let (mut server, out, random) = (server(), &mut Vec::new(), &mut Seeded(4));
    assert_eq!(server.send(&plain(1), out, random), Err(SendError::NotDetected));
    assert_eq!(server.send_error(-404, out), Err(SendError::NotDetected));
    assert_eq!(server.send_quick_ack(1, out, random), Err(SendError::NotDetected));
    assert_eq!(*out, []);
}

#[test]
fn a_failed_random_source_sends_nothing() {
    for obfuscation in [Obfuscation::None, Obfuscation::Plain] {
        let (mut client, mut server) = connected(Kind::Padded, &obfuscation);
        let (out, broken) = (&mut Vec::new(), &mut Scripted(vec![]));
        assert!(matches!(client.send(&encrypted(1), false, out, broken), Err(SendError::Random(_))));
        assert!(matches!(server.send_quick_ack(1, out, broken), Err(SendError::Random(_))));
        assert_eq!(*out, []);
        client.send(&encrypted(1), false, out, &mut Seeded(6)).unwrap();
        server.receive(out);
        assert_eq!(server.drain().len(), 1, "the streams are still in step");
    }
}
