//! Obfuscation: rule TR-03.

use dayfly_core::transport::{Kind, Obfuscation};
use dayfly_crypto::ctr::Stream;

use super::{req_pq, serves, whole_exchange};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::Probe;
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed};

cases! {
    "TR-03/1" Must "a whole exchange over abridged, obfuscated"
        why "most clients hide their transport, since many networks let no other through"
        expected "a key, and answers short and long"
        abridged;
    "TR-03/2" Must "a whole exchange over intermediate, obfuscated"
        why "web clients speak it"
        expected "a key, and answers short and long"
        intermediate;
    "TR-03/3" Must "a whole exchange over padded intermediate, obfuscated"
        why "clients of proxies speak it"
        expected "a key, and answers short and long"
        padded;
    "TR-03/4" Must "an init with a tag that nobody knows"
        why "a server that guesses answers whoever probes for it"
        expected "the connection ends without a byte"
        unknown_tag;
    "TR-03/5" Compat "an init that was used before"
        why "a client whose generator begins anew after a restart would be shut out"
        expected "it is taken"
        repeated_init;
    "TR-03/6" Must "the beginning of an init, and no more"
        why "what answers to fewer than 64 bytes can be told from other services by them"
        expected "silence until it is whole, and then an answer"
        half_an_init;
}

async fn over(kind: Kind, probe: &mut Probe) -> Outcome {
    let wire = probe.connect_over(kind, &Obfuscation::Plain).await?;
    whole_exchange(probe, wire).await
}

async fn abridged(probe: &mut Probe) -> Outcome {
    over(Kind::Abridged, probe).await
}

async fn intermediate(probe: &mut Probe) -> Outcome {
    over(Kind::Intermediate, probe).await
}

async fn padded(probe: &mut Probe) -> Outcome {
    over(Kind::Padded, probe).await
}

/// An init with this tag, and a query behind it in the form of intermediate.
fn with_tag(tag: [u8; 4], probe: &mut Probe) -> Vec<u8> {
    let (key, iv): ([u8; 32], [u8; 16]) = (probe.dice.bytes(), probe.dice.bytes());
    // What begins with 5a is nothing else.
    let open = [&[0x5a; 8][..], &key, &iv].concat();
    let payload = req_pq(probe).0;
    let length = u32::try_from(payload.len()).unwrap_or_default().to_le_bytes();
    let mut bytes = [&open[..], &tag, &[0; 4], &length, &payload].concat();
    Stream::new(&key, &iv).apply(&mut bytes);
    // Only from the tag on it goes out encrypted.
    bytes.splice(..open.len(), open.iter().copied());
    bytes
}

async fn unknown_tag(probe: &mut Probe) -> Outcome {
    for tag in [[0x11; 4], [0; 4], [0xef, 0xef, 0xef, 0xee]] {
        let bytes = with_tag(tag, probe);
        // Only its raw bytes are looked at.
        let (mut wire, _) = probe.connect_silent(Kind::Intermediate, &Obfuscation::None).await?;
        wire.write_as(&format!("an init with the tag {tag:02x?}, and req_pq_multi"), &bytes).await;
        match wire.hear().await? {
            Heard::Closed => {}
            other => return failed(format!("the tag {tag:02x?} got {}", other.told())),
        }
    }
    Ok(())
}

async fn repeated_init(probe: &mut Probe) -> Outcome {
    let mut first = probe.connect_over(Kind::Intermediate, &Obfuscation::Plain).await?;
    serves(&mut first, "req_pq_multi behind an init", probe).await?;
    probe.repeat_dice();
    let mut second = probe.connect_over(Kind::Intermediate, &Obfuscation::Plain).await?;
    serves(&mut second, "req_pq_multi behind the same init", probe).await
}

async fn half_an_init(probe: &mut Probe) -> Outcome {
    let (mut wire, opening) = probe.connect_silent(Kind::Intermediate, &Obfuscation::Plain).await?;
    let (first, rest) = opening.split_at(63);
    wire.write_as("63 bytes of an init", first).await;
    match wire.hear_within(probe.target().silence).await? {
        Heard::Silence => {}
        other => return failed(format!("63 bytes of an init got {}", other.told())),
    }
    wire.write_as("its last byte", rest).await;
    serves(&mut wire, "req_pq_multi behind an init in two parts", probe).await
}
