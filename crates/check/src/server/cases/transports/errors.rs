//! Transport errors: rule TR-05.

use dayfly_core::transport::{Kind, Obfuscation};

use super::{FORMS, form, serves};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::Probe;
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed};

cases! {
    "TR-05/1" Must "a frame under a key that never was, in each form"
        why "a client that cannot read the error goes on with a key that is gone"
        expected "-404, and the connection goes on"
        in_each_form;
    "TR-05/2" Must "the bytes of a transport error"
        why "a client tells it from a message by its length alone"
        expected "a payload of exactly 4 bytes, without padding in padded intermediate too"
        four_bytes;
    "TR-05/3" Must "a packet under a key that never was, over HTTP"
        why "a web client has nothing else to tell it by"
        expected "status 404"
        over_http;
}

/// Something like an encrypted message, under a key that nobody has.
fn stranger(probe: &mut Probe) -> Vec<u8> {
    [&probe.dice.bytes::<8>()[..], &probe.dice.bytes::<64>()].concat()
}

async fn in_each_form(probe: &mut Probe) -> Outcome {
    for (kind, obfuscation) in &FORMS {
        let mut wire = probe.connect_over(*kind, obfuscation).await?;
        wire.send(&stranger(probe), "a frame under a key that never was").await?;
        let what = form(*kind, obfuscation);
        match wire.hear().await? {
            Heard::Error(-404) => {}
            other => return failed(format!("over {what} it got {}", other.told())),
        }
        serves(&mut wire, &format!("then req_pq_multi over {what}"), probe).await?;
    }
    Ok(())
}

async fn four_bytes(probe: &mut Probe) -> Outcome {
    let code = (-404_i32).to_le_bytes();
    let framed = [&4_u32.to_le_bytes()[..], &code].concat();
    let forms = [
        (Kind::Abridged, [&[1][..], &code].concat()),
        (Kind::Intermediate, framed.clone()),
        (Kind::Padded, framed),
    ];
    for (kind, expected) in forms {
        // Padding would be random: it shows in some of them.
        for _ in 0..8 {
            let mut wire = probe.connect_over(kind, &Obfuscation::None).await?;
            wire.send(&stranger(probe), "a frame under a key that never was").await?;
            let came = wire.read_bytes(expected.len()).await;
            if came != expected {
                return failed(format!("over {} it got {came:02x?}", kind.name()));
            }
            serves(&mut wire, "what came behind the error", probe).await?;
        }
    }
    Ok(())
}

async fn over_http(probe: &mut Probe) -> Outcome {
    let mut http = probe.http().await?;
    match http.post("/api", &stranger(probe), "a packet under a key that never was").await? {
        Ok(response) if response.status == 404 => Ok(()),
        Ok(response) => failed(format!("it got status {}", response.status)),
        Err(heard) => failed(format!("it got {}", heard.told())),
    }
}
