//! One port for all: rule TR-02.

use dayfly_core::transport::{Kind, Obfuscation};

use super::{FORMS, form, hear_res_pq, req_pq, serves, whole_exchange};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::Probe;
use crate::verdict::Outcome;

cases! {
    "TR-02/1" Must "each form, one byte at a time"
        why "networks cut where they like: a server that counts on whole packets loses clients at random"
        expected "resPQ over each"
        byte_by_byte;
    "TR-02/2" Must "each form, three queries in one write"
        why "networks join too, and what stands behind the first frame would be lost"
        expected "three times resPQ over each"
        joined;
    "TR-02/3" Must "half a frame on one connection, and a whole exchange on another"
        why "one slow client would hold up all the others"
        expected "the exchange goes through, and then the half frame becomes a whole one that is answered"
        slow_one;
    "TR-02/4" Must "200 connections that say nothing, and a whole exchange on another"
        why "whoever opens connections and says nothing would shut everybody out"
        expected "the exchange goes through"
        silent_ones, Load;
    "TR-02/5" Must "ten connections that are closed before their answer"
        why "a server that falls over one client that hangs up falls over for all"
        expected "the next connection is served"
        hangs_up;
}

async fn byte_by_byte(probe: &mut Probe) -> Outcome {
    for (kind, obfuscation) in &FORMS {
        let (mut wire, opening) = probe.connect_silent(*kind, obfuscation).await?;
        let (payload, nonce) = req_pq(probe);
        let bytes = [opening, wire.framed(&payload, false)?].concat();
        for byte in &bytes {
            wire.write(std::slice::from_ref(byte)).await;
            tokio::task::yield_now().await;
        }
        hear_res_pq(&mut wire, nonce, &format!("{}, byte by byte,", form(*kind, obfuscation))).await?;
    }
    Ok(())
}

async fn joined(probe: &mut Probe) -> Outcome {
    for (kind, obfuscation) in &FORMS {
        let (mut wire, mut bytes) = probe.connect_silent(*kind, obfuscation).await?;
        let mut nonces = Vec::new();
        for _ in 0..3 {
            let (payload, nonce) = req_pq(probe);
            bytes.extend(wire.framed(&payload, false)?);
            nonces.push(nonce);
        }
        let what = format!("three times req_pq_multi in one write, {}", form(*kind, obfuscation));
        wire.write_as(&what, &bytes).await;
        for nonce in nonces {
            hear_res_pq(&mut wire, nonce, &what).await?;
        }
    }
    Ok(())
}

async fn slow_one(probe: &mut Probe) -> Outcome {
    let (mut slow, opening) = probe.connect_silent(Kind::Intermediate, &Obfuscation::None).await?;
    let (payload, nonce) = req_pq(probe);
    let bytes = [opening, slow.framed(&payload, false)?].concat();
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    slow.write_as("half of req_pq_multi", first).await;
    let wire = probe.connect().await?;
    whole_exchange(probe, wire).await?;
    slow.write_as("the other half", rest).await;
    hear_res_pq(&mut slow, nonce, "req_pq_multi in two halves").await
}

async fn silent_ones(probe: &mut Probe) -> Outcome {
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(probe.dial().await?);
    }
    let wire = probe.connect().await?;
    let outcome = whole_exchange(probe, wire).await;
    drop(silent);
    outcome
}

async fn hangs_up(probe: &mut Probe) -> Outcome {
    for _ in 0..10 {
        let mut gone = probe.connect().await?;
        gone.send(&req_pq(probe).0, "req_pq_multi, and nobody waits for the answer").await?;
    }
    let mut wire = probe.connect().await?;
    serves(&mut wire, "req_pq_multi on the next connection", probe).await
}
