//! Obfuscation against bytes that another implementation of AES-256-CTR and SHA256 computed, and its refusals.

use std::sync::Arc;

use dayfly_core::transport::{
    ClientTransport, INIT_LEN, Kind, Limits, Obfuscation, SendError, ServerTransport, TransportError,
};

use crate::support::{Reader, Scripted, Seeded, encrypted, payload, proxy, secret, server};

/// Both directions of one connection. The init was drawn as 01, 08, 0f, ..., 7 more each time; each side sends the 40
/// bytes 00 to 27. Made with the Python package `cryptography` by the steps of "Transport obfuscation".
struct Vector {
    kind: Kind,
    obfuscation: Obfuscation,
    up: &'static str,
    down: &'static str,
}

fn vectors() -> [Vector; 2] {
    [
        Vector {
            kind: Kind::Abridged,
            obfuscation: Obfuscation::Plain,
            up: "01080f161d242b323940474e555c636a71787f868d949ba2a9b0b7bec5ccd3da\
                 e1e8eff6fd040b121920272e353c434a51585f666d747b825f32568e7501f691\
                 e9c0d35721c4a1ae07285b156a9e32693429a21d3af21ee5da1ad6fd766becae\
                 2e07e965dc94215dad",
            down: "ab52cc8d8acebc4c0dcf13cf409cb7d9911319b34003cc372dfc112afe6b33b967e356400092a850cf",
        },
        Vector {
            kind: Kind::Intermediate,
            obfuscation: proxy(-4),
            up: "01080f161d242b323940474e555c636a71787f868d949ba2a9b0b7bec5ccd3da\
                 e1e8eff6fd040b121920272e353c434a51585f666d747b820a5ab0c84c62edc3\
                 73216c735056e6dcae17587343ef7ee408213f4f0ecbb79cff453fc0cc830f13\
                 507fdcf53a2b9ec821b307e3",
            down: "8d15d9940d6b3bd823ba9e605ded468ef28fef1001867b8823f363856a699ead\
                   f01b879ccf9d0ee3eebbec68",
        },
    ]
}

fn drawn() -> Vec<u8> {
    (0..INIT_LEN).map(|i| (7 * i + 1) as u8).collect()
}

/// An obfuscated client's opening.
fn opening(kind: Kind, obfuscation: &Obfuscation) -> Vec<u8> {
    ClientTransport::new(kind, obfuscation, &mut Seeded(77)).unwrap().1
}

// rule: TR-03
#[test]
fn both_directions_are_those_of_another_implementation() {
    let message: Vec<u8> = (0..40).collect();
    for Vector { kind, obfuscation, up, down } in vectors() {
        let random = &mut Scripted(drawn());
        let (mut client, mut wire) = ClientTransport::new(kind, &obfuscation, random).unwrap();
        client.send(&message, false, &mut wire, random).unwrap();
        assert_eq!(hex::encode(&wire), up);

        let mut server = server();
        server.receive(&wire);
        assert_eq!(server.drain(), [payload(&message)]);
        assert_eq!((server.kind(), server.obfuscated()), (Some(kind), true));
        let mut answer = Vec::new();
        server.send(&message, &mut answer, random).unwrap();
        assert_eq!(hex::encode(&answer), down);
        client.receive(&answer);
        assert_eq!(client.drain(), [payload(&message)]);
    }
}

// rule: TR-03
#[test]
fn a_client_draws_again_while_its_init_begins_like_something_else() {
    let reserved: [&[u8]; 10] = [
        &[0xef],
        &[0xdd; 4],
        &[0xee; 4],
        b"HEAD",
        b"POST",
        b"GET ",
        b"OPTI",
        &[0x16, 3, 1, 2],
        &[1, 2, 3, 4, 0, 0, 0, 0],
        &[0; 8],
    ];
    for beginning in reserved {
        let mut bad = [0x55; INIT_LEN];
        bad[..beginning.len()].copy_from_slice(beginning);
        let random = &mut Scripted([&bad[..], &drawn()].concat());
        let (_, wire) = ClientTransport::new(Kind::Padded, &Obfuscation::Plain, random).unwrap();
        assert_eq!(wire[..56], drawn()[..56], "{beginning:02x?}");
    }
}

// rule: TR-03
#[test]
fn a_client_gives_up_on_a_source_that_only_gives_reserved_beginnings() {
    let random = &mut Scripted(vec![0xef; 1 << 20]);
    let outcome = ClientTransport::new(Kind::Padded, &Obfuscation::Plain, random).map(|_| ());
    assert!(matches!(outcome, Err(SendError::Random(_))), "{outcome:?}");
}

// rule: TR-03
#[test]
fn full_has_no_obfuscated_form() {
    for obfuscation in [Obfuscation::Plain, proxy(2)] {
        let outcome = ClientTransport::new(Kind::Full, &obfuscation, &mut Seeded(1)).map(|_| ());
        assert_eq!(outcome, Err(SendError::FullIsNeverObfuscated));
    }
}

// rule: TR-03
#[test]
fn a_server_refuses_an_unknown_tag() {
    let mut init = opening(Kind::Intermediate, &Obfuscation::Plain);
    init[59] ^= 0xee ^ 0xed; // The stream is an XOR, so this makes eeeeeeed of eeeeeeee and changes nothing else.
    let mut server = server();
    server.receive(&init[..63]);
    assert_eq!(server.poll_frame(), Ok(None));
    server.receive(&init[63..]);
    assert_eq!(server.poll_frame(), Err(TransportError::UnknownTag { tag: 0xeeee_eeed }));
}

// rule: TR-03
#[test]
fn a_server_refuses_a_secret_that_it_does_not_know() {
    let init = opening(Kind::Padded, &proxy(2));
    let mut server = ServerTransport::new(Arc::new(Limits::default()));
    server.receive(&init);
    assert!(matches!(server.poll_frame(), Err(TransportError::UnknownTag { .. })));
}

// rule: TR-03
#[test]
fn a_repeated_init_is_taken() {
    let init = opening(Kind::Padded, &Obfuscation::Plain);
    let limits = Arc::new(Limits::default());
    for _ in 0..2 {
        let mut server = ServerTransport::new(limits.clone());
        server.receive(&init);
        assert_eq!(server.poll_frame(), Ok(None));
        assert_eq!(server.kind(), Some(Kind::Padded));
    }
}

// rule: TR-09
#[test]
fn a_server_of_obfuscated_streams_takes_no_other() {
    let obfuscated = opening(Kind::Abridged, &Obfuscation::Plain);
    let limits = Arc::new(Limits::default());
    let mut server = ServerTransport::obfuscated_only(limits.clone());
    server.receive(&obfuscated);
    assert_eq!(server.poll_frame(), Ok(None));
    assert_eq!((server.kind(), server.obfuscated()), (Some(Kind::Abridged), true));

    let mut server = ServerTransport::obfuscated_only(limits);
    server.receive(&[&[0xef, 22][..], &encrypted(4)].concat());
    assert!(matches!(server.poll_frame(), Err(TransportError::UnknownTag { .. })));
}

#[test]
fn a_secret_does_not_show_itself() {
    assert_eq!(format!("{:?}", secret()), "ProxySecret(..)");
    assert_eq!(format!("{:?}", proxy(2)), "Proxy { secret: ProxySecret(..), dc: 2 }");
}
