//! The ways to mark where a payload ends: rule TR-01.

use dayfly_core::transport::{Kind, Obfuscation};

use super::{ends, opened, req_pq, serves, whole_exchange};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::Probe;
use crate::verdict::{Outcome, failed};

cases! {
    "TR-01/1" Must "a whole exchange over abridged"
        why "most clients speak it"
        expected "a key, and answers short and long"
        abridged;
    "TR-01/2" Must "a whole exchange over intermediate"
        why "Telegram Desktop and many libraries speak it"
        expected "a key, and answers short and long"
        intermediate;
    "TR-01/3" Must "a whole exchange over padded intermediate"
        why "clients behind a proxy speak it, so that no filter knows them by their lengths"
        expected "a key, and answers short and long"
        padded;
    "TR-01/4" Must "a whole exchange over full"
        why "Telethon speaks it unless told otherwise"
        expected "a key, and answers short and long"
        full;
    "TR-01/5" Must "full with a wrong CRC32"
        why "what was damaged on the way would be taken for what was sent"
        expected "the connection ends"
        wrong_crc;
    "TR-01/6" Must "full with a seqno that came before"
        why "frames that were repeated or lost on the way show by it"
        expected "the connection ends"
        wrong_seqno;
    "TR-01/7" Must "the length in the server's abridged frames"
        why "a client that knows only the shortest form loses the thread"
        expected "one byte for fewer than 127 words"
        shortest;
    "TR-01/8" Must "0 to 15 bytes of padding in padded intermediate"
        why "a server that takes padding for message refuses one client in some"
        expected "plain and encrypted messages are taken with any of them"
        any_padding;
    "TR-01/9" Should "the server's own padding in padded intermediate"
        why "without it a filter knows the answers of the key exchange by their lengths"
        expected "some of 32 answers are longer than others"
        own_padding;
}

async fn over(kind: Kind, probe: &mut Probe) -> Outcome {
    let wire = probe.connect_over(kind, &Obfuscation::None).await?;
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

async fn full(probe: &mut Probe) -> Outcome {
    over(Kind::Full, probe).await
}

async fn wrong_crc(probe: &mut Probe) -> Outcome {
    let mut wire = opened(Kind::Full, &Obfuscation::None, probe).await?;
    let mut frame = wire.framed(&req_pq(probe).0, false)?;
    if let Some(last) = frame.last_mut() {
        *last ^= 1;
    }
    wire.write_as("req_pq_multi in a frame with a wrong CRC32", &frame).await;
    ends(&mut wire, "a frame with a wrong CRC32").await
}

async fn wrong_seqno(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect_over(Kind::Full, &Obfuscation::None).await?;
    let frame = wire.framed(&req_pq(probe).0, false)?;
    wire.write_as("req_pq_multi in a frame of seqno 0", &frame).await;
    wire.hear().await?;
    wire.write_as("the same frame again", &frame).await;
    ends(&mut wire, "a second frame of seqno 0").await
}

async fn shortest(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect_over(Kind::Abridged, &Obfuscation::None).await?;
    wire.send(&req_pq(probe).0, "req_pq_multi").await?;
    match wire.read_bytes(1).await.first() {
        Some(1..=126) => Ok(()),
        Some(0x7f) => failed("resPQ came with a length of four bytes"),
        other => failed(format!("resPQ begins with {other:02x?}")),
    }
}

/// A frame of padded intermediate with padding of the case's own.
fn padded_frame(payload: &[u8], padding: usize, probe: &mut Probe) -> Vec<u8> {
    let length = u32::try_from(payload.len() + padding).unwrap_or_default();
    let filling: [u8; 16] = probe.dice.bytes();
    [&length.to_le_bytes()[..], payload, filling.get(..padding).unwrap_or_default()].concat()
}

async fn any_padding(probe: &mut Probe) -> Outcome {
    let mut wire = opened(Kind::Padded, &Obfuscation::None, probe).await?;
    for padding in 0..16 {
        let (payload, nonce) = req_pq(probe);
        let frame = padded_frame(&payload, padding, probe);
        let what = format!("req_pq_multi with {padding} bytes of padding");
        wire.write_as(&what, &frame).await;
        super::hear_res_pq(&mut wire, nonce, &what).await?;
    }
    let made = probe.key_on(&mut wire, None).await?;
    let mut line = probe.line_on(wire, &made);
    for padding in 0..16 {
        let said = line.ping(&mut probe.dice);
        let packet = line.talk.seal(&said, &mut probe.dice)?;
        let what = format!("a ping with {padding} bytes of padding");
        line.wire.write_as(&what, &padded_frame(&packet, padding, probe)).await;
        let pong = line.wait_for(|message| message.is_about(&said).then_some(())).await?;
        if let Err(heard) = pong {
            return failed(format!("{what} got {}", heard.told()));
        }
    }
    Ok(())
}

async fn own_padding(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect_over(Kind::Padded, &Obfuscation::None).await?;
    let mut lengths = std::collections::BTreeSet::new();
    for _ in 0..32 {
        wire.send(&req_pq(probe).0, "req_pq_multi").await?;
        let Ok(word) = <[u8; 4]>::try_from(wire.read_bytes(4).await) else {
            return failed("req_pq_multi got no frame");
        };
        let length = u32::from_le_bytes(word);
        wire.read_bytes(length.min(1 << 16) as usize).await;
        lengths.insert(length);
    }
    serves(&mut wire, "one req_pq_multi more", probe).await?;
    match lengths.len() {
        1 => failed("every resPQ is as long as the others"),
        _ => Ok(()),
    }
}
