//! WebSocket: rule TR-09.

use dayfly_core::transport::{Kind, Obfuscation};

use super::{req_pq, whole_exchange};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::Probe;
use crate::server::websocket;
use crate::server::wire::{Heard, Wire};
use crate::verdict::{Outcome, failed};

cases! {
    "TR-09/1" Must "a whole exchange over a WebSocket"
        why "clients in browsers have no other stream"
        expected "a key, and answers short and long"
        over_websocket;
    "TR-09/2" Must "the same in messages of three bytes"
        why "browsers and proxies cut and join messages as they like"
        expected "their borders mean nothing"
        borders_mean_nothing;
    "TR-09/3" Must "a WebSocket whose contents are not obfuscated"
        why "filters know a plain transport by its first bytes, in a WebSocket too"
        expected "the connection ends"
        not_obfuscated;
    "TR-09/4" Must "a WebSocket without the subprotocol binary"
        why "a browser that did not ask for it cannot read what comes"
        expected "it is not opened"
        no_subprotocol;
}

/// A connection in a WebSocket whose messages have at most `cut` bytes.
async fn inside(probe: &mut Probe, cut: usize, obfuscation: &Obfuscation) -> Outcome<Wire> {
    let http = probe.http().await?;
    let stream = websocket::open(http, cut).await?;
    let (mut wire, opening) = probe.wire_over(Box::new(stream), Kind::Intermediate, obfuscation)?;
    wire.write(&opening).await;
    Ok(wire)
}

async fn over_websocket(probe: &mut Probe) -> Outcome {
    let wire = inside(probe, 1 << 15, &Obfuscation::Plain).await?;
    whole_exchange(probe, wire).await
}

async fn borders_mean_nothing(probe: &mut Probe) -> Outcome {
    let wire = inside(probe, 3, &Obfuscation::Plain).await?;
    whole_exchange(probe, wire).await
}

async fn not_obfuscated(probe: &mut Probe) -> Outcome {
    let mut wire = inside(probe, 1 << 15, &Obfuscation::None).await?;
    // Together they are longer than an init.
    for _ in 0..2 {
        wire.send(&req_pq(probe).0, "req_pq_multi, not obfuscated").await?;
    }
    match wire.hear().await? {
        Heard::Closed => Ok(()),
        other => failed(format!("it got {}", other.told())),
    }
}

async fn no_subprotocol(probe: &mut Probe) -> Outcome {
    for protocol in [None, Some("chat")] {
        let mut http = probe.http().await?;
        match websocket::ask(&mut http, protocol).await? {
            Ok(response) if response.status == 101 => {
                return failed(format!("{protocol:?} opens a WebSocket"));
            }
            _ => {}
        }
    }
    Ok(())
}
