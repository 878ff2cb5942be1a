//! Frames that nobody should send: rule TR-06.

use dayfly_core::transport::{Kind, Obfuscation};

use super::{ends, opened, req_pq, serves};
use crate::case::cases;
use crate::server::Entry;
use crate::server::fate::Fate;
use crate::server::probe::Probe;
use crate::verdict::{Outcome, failed};

cases! {
    "TR-06/1" Compat "a frame of length 0, in each form"
        why "a server that goes on may take the rest of a broken stream for frames"
        expected "the connection ends"
        empty;
    "TR-06/2" Compat "a length that is not divisible by 4"
        why "no message has such a length, so the stream is broken"
        expected "the connection ends"
        unaligned;
    "TR-06/3" Compat "a frame that says it has almost 2 GiB"
        why "a server that takes memory on the word of a length field can be filled by a hundred bytes"
        expected "the connection ends before any of it comes"
        too_long;
    "TR-06/4" Compat "a plain message of 8 KiB"
        why "whoever has no key should cost little memory"
        expected "the connection ends"
        plain_too_long;
    "TR-06/5" Compat "an encrypted message of almost 1 MiB"
        why "clients send parts of files of 512 KiB"
        expected "it is answered"
        long_message;
    "TR-06/6" Compat "over HTTP a body of 7 bytes, and a plain one of 8 KiB"
        why "what cannot be a packet should cost nothing"
        expected "status 400 and 413"
        bodies;
}

async fn empty(probe: &mut Probe) -> Outcome {
    // In full the length counts its own 12 bytes; seqno 1 follows the one that opened the connection.
    let full = [12, 0, 0, 0, 1, 0, 0, 0];
    let crc = crc32fast::hash(&full).to_le_bytes();
    let full = [&full[..], &crc].concat();
    let frames = [
        (Kind::Abridged, vec![0]),
        (Kind::Intermediate, vec![0; 4]),
        (Kind::Padded, vec![0; 4]),
        (Kind::Full, full),
    ];
    for (kind, frame) in frames {
        let mut wire = opened(kind, &Obfuscation::None, probe).await?;
        let what = format!("an empty frame over {}", kind.name());
        wire.write_as(&what, &frame).await;
        ends(&mut wire, &what).await?;
    }
    Ok(())
}

async fn unaligned(probe: &mut Probe) -> Outcome {
    for more in 1..4_usize {
        let mut wire = opened(Kind::Intermediate, &Obfuscation::None, probe).await?;
        let payload = [req_pq(probe).0, vec![0; more]].concat();
        let length = u32::try_from(payload.len()).unwrap_or_default();
        let what = format!("req_pq_multi and {more} bytes in a frame of {length}");
        wire.write_as(&what, &[&length.to_le_bytes()[..], &payload].concat()).await;
        ends(&mut wire, &what).await?;
    }
    Ok(())
}

async fn too_long(probe: &mut Probe) -> Outcome {
    // The top bit asks for a quick acknowledgement; abridged counts words in three bytes.
    let word = 0x7fff_fff0_u32.to_le_bytes();
    let frames = [
        (Kind::Abridged, vec![0x7f, 0xff, 0xff, 0xff]),
        (Kind::Intermediate, word.to_vec()),
        (Kind::Padded, word.to_vec()),
        (Kind::Full, [word, [1, 0, 0, 0]].concat()),
    ];
    for (kind, head) in frames {
        let mut wire = opened(kind, &Obfuscation::None, probe).await?;
        let what = format!("the longest length over {}", kind.name());
        wire.write_as(&what, &head).await;
        ends(&mut wire, &what).await?;
    }
    Ok(())
}

async fn plain_too_long(probe: &mut Probe) -> Outcome {
    let mut wire = opened(Kind::Intermediate, &Obfuscation::None, probe).await?;
    let payload = [req_pq(probe).0, vec![0; 8 << 10]].concat();
    wire.send(&payload, "req_pq_multi with 8 KiB behind it").await?;
    ends(&mut wire, "a plain message of 8 KiB").await
}

async fn long_message(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.greet(&mut probe.dice).await?;
    let said = line.talk.say(vec![0xff; 1_000_000]);
    match line.fate(&said, "a call of an unknown constructor, of 1,000,000 bytes", &mut probe.dice).await? {
        Fate::Answered(_) => line.goes_on(&mut probe.dice).await,
        other => failed(format!("it got {}", other.told())),
    }
}

async fn bodies(probe: &mut Probe) -> Outcome {
    let long = [req_pq(probe).0, vec![0; 8 << 10]].concat();
    for (what, body, expected) in [("7 bytes", vec![0; 7], 400), ("a plain message of 8 KiB", long, 413)] {
        let mut http = probe.http().await?;
        match http.post("/api", &body, what).await? {
            Ok(response) if response.status == expected => {}
            Ok(response) => {
                return failed(format!("{what} got status {} instead of {expected}", response.status));
            }
            Err(heard) => return failed(format!("{what} got {}", heard.told())),
        }
    }
    let mut wire = probe.connect().await?;
    serves(&mut wire, "req_pq_multi afterwards", probe).await
}
