//! Bytes from somebody who means harm.

use dayfly_core::transport::{ClientTransport, Kind, Obfuscation};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::{prop_assert, prop_assert_eq};

use crate::support::{Reader, Seeded, server, ways};

/// Feeds pieces and polls until the end of the bytes or the first error, watching the memory.
fn watch(reader: &mut impl Reader, pieces: &[Vec<u8>]) -> Result<(), proptest::test_runner::TestCaseError> {
    let mut received = 0;
    for piece in pieces {
        reader.receive(piece);
        received += piece.len();
        prop_assert!(reader.buffered_capacity() <= 2 * received + 64);
        loop {
            match reader.poll_frame() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    reader.receive(piece);
                    prop_assert_eq!(reader.poll_frame(), Err(error), "an error stays");
                    prop_assert_eq!(reader.buffered_capacity(), 0, "and keeps nothing");
                    return Ok(());
                }
            }
            prop_assert!(reader.buffered_capacity() <= 2 * received + 64);
        }
    }
    Ok(())
}

fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece =
        prop_oneof![vec(any::<u8>(), 0..200), vec(prop_oneof![Just(0u8), Just(0xff), 0u8..20], 0..60)];
    vec(piece, 0..20)
}

proptest! {
    // rule: TR-06
    #[test]
    fn a_server_survives_any_bytes(pieces in pieces()) {
        watch(&mut server(), &pieces)?;
    }

    // rule: TR-06
    #[test]
    fn a_server_survives_any_bytes_after_an_opening(pieces in pieces()) {
        for (kind, obfuscation) in ways() {
            let (_, opening) = ClientTransport::new(kind, &obfuscation, &mut Seeded(3)).unwrap();
            let mut server = server();
            server.receive(&opening);
            prop_assert_eq!(server.poll_frame(), Ok(None));
            watch(&mut server, &pieces)?;
        }
    }

    // rule: TR-06
    #[test]
    fn a_client_survives_any_bytes(pieces in pieces()) {
        for (kind, obfuscation) in ways() {
            let (mut client, _) = ClientTransport::new(kind, &obfuscation, &mut Seeded(3)).unwrap();
            watch(&mut client, &pieces)?;
        }
    }
}

// rule: TR-06
#[test]
fn a_length_takes_no_memory() {
    let openings: [(Kind, &[u8]); 4] = [
        (Kind::Abridged, &[0x7f, 0, 0, 4]),
        (Kind::Intermediate, &[0, 0, 0x10, 0]),
        (Kind::Padded, &[0, 0, 0x10, 0]),
        (Kind::Full, &[12, 0, 0x10, 0, 0, 0, 0, 0]),
    ];
    for (kind, announces_1_mib) in openings {
        let (_, tag) = ClientTransport::new(kind, &Obfuscation::None, &mut Seeded(3)).unwrap();
        let mut server = server();
        server.receive(&tag);
        server.receive(announces_1_mib);
        assert_eq!(server.poll_frame(), Ok(None), "{kind:?} takes 1 MiB");
        assert!(server.buffered_capacity() <= 64, "{kind:?} holds {}", server.buffered_capacity());
    }
}
