//! `req_pq_multi` and `resPQ`: rules HS-02 to HS-05.

use std::collections::BTreeSet;

use dayfly_tl::api::HelpGetConfig;
use dayfly_tl::mtproto::{ReqPq, ResPq};
use dayfly_tl::{read_prefix, to_bytes};

use super::{answered, object, serves};
use crate::case::cases;
use crate::server::Entry;
use crate::server::exchange::Exchange;
use crate::server::probe::Probe;
use crate::server::wire::{Heard, plain_body};
use crate::verdict::{Outcome, failed, not_reached};

/// How many runs are compared.
const RUNS: usize = 8;

cases! {
    "HS-02/1" Compat "the older req_pq opens a run"
        why "Telegram Desktop opens every connection with it, and takes the server for dead if it gets no resPQ"
        expected "resPQ, and a key at the end of the run"
        older_opening;
    "HS-03/1" Must "pq is new in every run and the product of two different odd primes"
        why "with a pq that comes again the factors are known beforehand, and the proof of work costs an attacker nothing"
        expected "eight resPQ with eight different pq, each of two different odd primes and at most 2^63 - 1"
        fresh_pq;
    "HS-03/2" Compat "pq has 8 bytes and its primes 31 bits each"
        why "clients factor it with the effort that Telegram's take: a small one is no work, a larger one a hang"
        expected "a pq of 8 bytes whose factors lie between 2^30 and 2^31"
        size_of_pq;
    "HS-04/1" Must "server_nonce is new in every run"
        why "whoever recorded one run could play its messages into another one with the same nonces"
        expected "eight different server_nonces"
        fresh_server_nonce;
    "HS-04/2" Must "the same nonce again after its run was finished"
        why "a server that opens a new run by nonce alone with the old server_nonce lets the old run be replayed"
        expected "resPQ with a new server_nonce, or the old one if it is still remembered, but no new key by the old queries"
        nonce_again;
    "HS-04/3" Compat "two runs interleaved on one connection"
        why "clients that make both keys at once over one connection would get neither"
        expected "both runs end with a key"
        interleaved;
    "HS-04/4" Compat "a run whose steps come over three connections"
        why "a client on a bad network connects anew at each step, and a run is named by its nonces, not by its connection"
        expected "the run ends with a key"
        over_connections;
    "HS-04/5" Compat "a run beside encrypted messages on one connection"
        why "clients renew their temporary key on the connection that they talk on"
        expected "the run ends with a key, and calls before and after it are answered"
        beside_calls;
    "HS-05/1" Must "resPQ lists the fingerprint of the server's RSA key, each one once"
        why "a client picks its key by that list: it encrypts to no other, and a list that lies sends it away"
        expected "a boxed Vector<long> with the lower 64 bits of the SHA1 of the key given, and none twice"
        fingerprints;
}

async fn older_opening(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = Exchange::new(probe.target().key.clone(), &mut probe.dice);
    let answer = answered(probe, &mut wire, &to_bytes(&ReqPq { nonce: run.nonce }), "req_pq").await?;
    run.take_res_pq(&answer)?;
    let inner = run.inner(|_| {});
    probe.prove(&mut wire, &mut run, &inner).await?;
    probe.finish(&mut wire, &mut run, None).await.map(|_| ())
}

/// Runs after `resPQ`, on one connection.
async fn opened(probe: &mut Probe) -> Outcome<Vec<Exchange>> {
    let mut wire = probe.connect().await?;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(probe.open(&mut wire).await?);
    }
    Ok(runs)
}

async fn fresh_pq(probe: &mut Probe) -> Outcome {
    // That each is a product of two different odd primes was seen when it was factored.
    let different: BTreeSet<Vec<u8>> = opened(probe).await?.into_iter().map(|run| run.pq).collect();
    if different.len() < RUNS {
        return failed(format!("{RUNS} runs had {} different pq", different.len()));
    }
    Ok(())
}

async fn size_of_pq(probe: &mut Probe) -> Outcome {
    let half = |prime: &[u8]| matches!(prime, [0x40..=0x7f, _, _, _]);
    for run in opened(probe).await? {
        if run.pq.len() != 8 || !half(&run.p) || !half(&run.q) {
            let bytes = |number: &[u8]| number.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            return failed(format!("pq is {}, p {}, q {}", bytes(&run.pq), bytes(&run.p), bytes(&run.q)));
        }
    }
    Ok(())
}

async fn fresh_server_nonce(probe: &mut Probe) -> Outcome {
    let different: BTreeSet<[u8; 16]> =
        opened(probe).await?.into_iter().map(|run| run.server_nonce).collect();
    if different.len() < RUNS {
        return failed(format!("{RUNS} runs had {} different server_nonces", different.len()));
    }
    Ok(())
}

async fn nonce_again(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.open(&mut wire).await?;
    let inner = run.inner(|_| {});
    let proof = run.proof(&inner, &mut probe.dice)?;
    let first = answered(probe, &mut wire, &proof, "req_DH_params").await?;
    probe.take_dh_params(&mut run, &first)?;
    probe.finish(&mut wire, &mut run, None).await?;
    let answer = answered(probe, &mut wire, &run.req_pq(), "req_pq_multi with the nonce again").await?;
    let Ok((again, _)) = read_prefix::<ResPq<'_>>(&answer) else { return failed("the answer is no resPQ") };
    if again.nonce != run.nonce {
        return failed("resPQ has another nonce");
    }
    match probe.ask(&mut wire, &proof, "then the old req_DH_params").await? {
        Heard::Payload(payload) if object(plain_body(&payload)) != object(&first) => {
            failed("the old query was answered anew: the run begins again with the old server_nonce")
        }
        _ => Ok(()),
    }
}

async fn interleaved(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let (mut one, mut two) = (probe.open(&mut wire).await?, probe.open(&mut wire).await?);
    let inner = two.inner(|_| {});
    probe.prove(&mut wire, &mut two, &inner).await?;
    let inner = one.inner(|_| {});
    probe.prove(&mut wire, &mut one, &inner).await?;
    let two = probe.finish(&mut wire, &mut two, None).await?;
    let one = probe.finish(&mut wire, &mut one, None).await?;
    serves(probe, &one).await?;
    serves(probe, &two).await
}

async fn over_connections(probe: &mut Probe) -> Outcome {
    let mut first = probe.connect().await?;
    let mut run = probe.open(&mut first).await?;
    drop(first);
    let mut second = probe.connect().await?;
    let inner = run.inner(|_| {});
    let proof = run.proof(&inner, &mut probe.dice)?;
    let answer = answered(probe, &mut second, &proof, "req_DH_params over a second connection").await?;
    probe.take_dh_params(&mut run, &answer)?;
    let mut third = probe.connect().await?;
    let made = probe.finish(&mut third, &mut run, None).await?;
    serves(probe, &made).await
}

async fn beside_calls(probe: &mut Probe) -> Outcome {
    let (_, mut line) = probe.bound().await?;
    let call = to_bytes(&HelpGetConfig {});
    line.call(&call, "help.getConfig before the run", &mut probe.dice).await?.or_else(|error| {
        not_reached(format!("help.getConfig under the bound key got the error {error:?}"))
    })?;
    let made = probe.key_on(&mut line.wire, Some(600)).await?;
    match line.attempt(&call, "help.getConfig after the run", &mut probe.dice).await? {
        Ok(Ok(_)) => serves(probe, &made).await,
        Ok(Err(error)) => failed(format!("the call after the run got the error {error:?}")),
        Err(heard) => failed(format!("the call after the run got {}", heard.told())),
    }
}

async fn fingerprints(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.open(&mut wire).await?;
    let different: BTreeSet<i64> = run.fingerprints.iter().copied().collect();
    if different.len() < run.fingerprints.len() {
        return failed(format!("a fingerprint stands twice in the list: {:x?}", run.fingerprints));
    }
    Ok(())
}
