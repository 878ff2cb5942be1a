//! Transports: rules TR.

mod bounds;
mod detection;
mod errors;
mod forms;
mod http;
mod obfuscation;
mod quick_ack;
mod websocket;

use dayfly_core::plain;
use dayfly_core::transport::{Kind, Obfuscation};
use dayfly_tl::mtproto::ResPq;
use dayfly_tl::read_prefix;

use crate::server::fate::must;
use crate::server::probe::Probe;
use crate::server::wire::{Heard, Wire, plain_body};
use crate::verdict::{Outcome, failed};

/// Every case, a rule after the other.
pub(super) fn cases() -> Vec<crate::server::Entry> {
    let families = [
        forms::cases(),
        detection::cases(),
        obfuscation::cases(),
        quick_ack::cases(),
        errors::cases(),
        bounds::cases(),
        http::cases(),
        websocket::cases(),
    ];
    families.into_iter().flatten().collect()
}

/// The seven forms of a stream: full has no obfuscated one.
const FORMS: [(Kind, Obfuscation); 7] = [
    (Kind::Abridged, Obfuscation::None),
    (Kind::Intermediate, Obfuscation::None),
    (Kind::Padded, Obfuscation::None),
    (Kind::Full, Obfuscation::None),
    (Kind::Abridged, Obfuscation::Plain),
    (Kind::Intermediate, Obfuscation::Plain),
    (Kind::Padded, Obfuscation::Plain),
];

/// A form in words.
fn form(kind: Kind, obfuscation: &Obfuscation) -> String {
    match obfuscation {
        Obfuscation::None => kind.name().to_owned(),
        _ => format!("{}, obfuscated", kind.name()),
    }
}

/// A key, a short message and a long one.
async fn whole_exchange(probe: &mut Probe, wire: Wire) -> Outcome {
    must(exchange(probe, wire).await)
}

async fn exchange(probe: &mut Probe, mut wire: Wire) -> Outcome {
    let made = probe.key_on(&mut wire, None).await?;
    let mut line = probe.line_on(wire, &made);
    line.goes_on(&mut probe.dice).await?;
    // Over 508 bytes each way, from where on abridged has another form of length.
    let pings: Vec<_> = (0..60).map(|_| line.ping(&mut probe.dice)).collect();
    let container = line.talk.together(&pings);
    line.send(&container, "a container of 60 pings", &mut probe.dice).await?;
    let mut left = pings;
    while !left.is_empty() {
        match line.hear().await? {
            Ok(messages) => left.retain(|ping| !messages.iter().any(|message| message.is_about(ping))),
            Err(heard) => return failed(format!("{} pongs are missing: {}", left.len(), heard.told())),
        }
    }
    Ok(())
}

/// The payload of `req_pq_multi` with a new nonce, and the nonce.
fn req_pq(probe: &mut Probe) -> (Vec<u8>, [u8; 16]) {
    let nonce: [u8; 16] = probe.dice.bytes();
    let query = dayfly_tl::to_bytes(&dayfly_tl::mtproto::ReqPqMulti { nonce });
    (plain::write(probe.dice.long() & !3, &query), nonce)
}

/// The next thing that comes is `resPQ` with this nonce.
async fn hear_res_pq(wire: &mut Wire, nonce: [u8; 16], what: &str) -> Outcome {
    let heard = wire.hear().await?;
    if let Heard::Payload(payload) = &heard
        && let Ok((answer, _)) = read_prefix::<ResPq<'_>>(plain_body(payload))
        && answer.nonce == nonce
    {
        return Ok(());
    }
    failed(format!("{what} got {}", heard.told()))
}

/// A connection serves: `req_pq_multi` gets `resPQ`.
async fn serves(wire: &mut Wire, what: &str, probe: &mut Probe) -> Outcome {
    let (payload, nonce) = req_pq(probe);
    wire.send(&payload, "req_pq_multi").await?;
    hear_res_pq(wire, nonce, what).await
}

/// A connection serves as it is: what a case needs before it can begin.
async fn opened(kind: Kind, obfuscation: &Obfuscation, probe: &mut Probe) -> Outcome<Wire> {
    let mut wire = probe.connect_over(kind, obfuscation).await?;
    serves(&mut wire, &format!("req_pq_multi over {}", form(kind, obfuscation)), probe).await?;
    Ok(wire)
}

/// The connection ends: at once, or after the transport error that says why.
async fn ends(wire: &mut Wire, what: &str) -> Outcome {
    loop {
        match wire.hear().await? {
            Heard::Closed => return Ok(()),
            Heard::Error(-429) => {}
            other => {
                return failed(format!("{what} got {} instead of the end of the connection", other.told()));
            }
        }
    }
}
