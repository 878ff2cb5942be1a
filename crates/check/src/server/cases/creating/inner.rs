//! What stands inside RSA: rules HS-09, HS-12 and HS-14.

use dayfly_tl::mtproto::PQInnerDataDc;
use dayfly_tl::to_bytes;

use super::{answered, refuses_proof, serves, takes_proof, zeros_before};
use crate::case::cases;
use crate::dice::Dice;
use crate::server::Entry;
use crate::server::exchange::Exchange;
use crate::server::probe::Probe;
use crate::server::wire::{Heard, plain_body};
use crate::verdict::{Outcome, failed};

cases! {
    "HS-09/2" Compat "a permanent key by p_q_inner_data, which names no dc"
        why "pfs.md and older clients use it, and would be shut out"
        expected "a key under which a call is answered"
        permanent_without_dc;
    "HS-09/3" Compat "a temporary key by p_q_inner_data_temp, which names no dc"
        why "pfs.md and older clients use it, and would be shut out"
        expected "a key under which a call is answered"
        temporary_without_dc;
    "HS-09/4" Must "expires_in = -1 makes no key that serves"
        why "a temporary key that never ends is a permanent one: nothing is forgotten, and forward secrecy is a word"
        expected "-404 for the query, or at the latest for the key"
        no_negative_lifetime;
    "HS-09/5" Compat "expires_in = 0"
        why "a client that sends it has lost its clock, and better learns that at once"
        expected "-404, and the run is spent"
        refuses_lifetime("req_DH_params with expires_in = 0", 0);
    "HS-09/6" Compat "expires_in = -1"
        why "read as unsigned it is 136 years: the key would outlive every secret that it guards"
        expected "-404, and the run is spent"
        refuses_lifetime("req_DH_params with expires_in = -1", -1);
    "HS-09/7" Compat "expires_in = -2^31"
        why "the number whose negative does not fit: it goes wrong where -1 does not"
        expected "-404, and the run is spent"
        refuses_lifetime("req_DH_params with expires_in = -2^31", i32::MIN);
    "HS-12/20" Must "inner data of an unknown constructor"
        why "what is guessed at instead of refused is read by another layout than the client's"
        expected "-404, and the run is spent"
        refuses_inner_bytes("req_DH_params with inner data of an unknown constructor", |inner| inner[0] ^= 1);
    "HS-12/21" Must "inner data that is cut"
        why "a string that reaches beyond its data makes a server read what is not there"
        expected "-404, and the run is spent"
        refuses_inner_bytes("req_DH_params with a pq that goes beyond the data", |inner| inner[4] = 0xfd);
    "HS-12/22" Compat "inner data of over 144 bytes"
        why "RSA_PAD keeps 48 bytes for the padding: a server that reads into it takes what no client can mean"
        expected "-404, and the run is spent"
        wide_inner;
    "HS-14/1" Must "the inner nonce differs in one byte"
        why "an attacker could graft the encrypted part of one run onto another"
        expected "-404, and the run is spent"
        refuses_inner("req_DH_params with another inner nonce", |inner| inner.nonce[5] ^= 1);
    "HS-14/2" Must "the inner server_nonce differs in one byte"
        why "the encrypted part of an old run could be played into a new one"
        expected "-404, and the run is spent"
        refuses_inner("req_DH_params with another inner server_nonce", |inner| inner.server_nonce[15] ^= 1);
    "HS-14/3" Must "the inner pq is another number"
        why "it ties the encrypted part to the proof of work: without it one encrypted part serves for many runs"
        expected "-404, and the run is spent"
        refuses_inner("req_DH_params with another inner pq", |inner| inner.pq = &[1, 2, 3, 4, 5, 6, 7, 9]);
    "HS-14/4" Must "the inner p is another number"
        why "it ties the encrypted part to the proof of work: without it one encrypted part serves for many runs"
        expected "-404, and the run is spent"
        refuses_inner("req_DH_params with another inner p", |inner| inner.p = &[0x40, 0, 0, 3]);
    "HS-14/5" Must "the inner q is another number"
        why "it ties the encrypted part to the proof of work: without it one encrypted part serves for many runs"
        expected "-404, and the run is spent"
        refuses_inner("req_DH_params with another inner q", |inner| inner.q = &[0x7f, 0, 0, 3]);
    "HS-14/6" Must "the inner p and q change places"
        why "what is compared as a pair in any order is not compared with what the client proved"
        expected "-404, and the run is spent"
        refuses_inner("req_DH_params with inner p and q in the wrong order", swapped);
    "HS-14/7" Compat "the inner pq, p and q have leading zeros"
        why "they are numbers: a client that pads them inside but not outside would be shut out"
        expected "server_DH_params_ok, and a key"
        padded_numbers;
    "HS-14/8" Compat "dc of a media, a test and an unknown DC"
        why "clients name the DC in three ways: a server that dies of one shuts them out without a word"
        expected "a key, or -444 if the server serves no such dc"
        any_dc;
}

/// So many zeros before p push the end of the object beyond 144 bytes.
const WIDE: usize = 52;

fn swapped(inner: &mut PQInnerDataDc<'_>) {
    std::mem::swap(&mut inner.p, &mut inner.q);
}

async fn permanent_without_dc(probe: &mut Probe) -> Outcome {
    let made = probe.key_of(None, |run| run.inner_without_dc(None)).await?;
    serves(probe, &made).await
}

async fn temporary_without_dc(probe: &mut Probe) -> Outcome {
    let made = probe.key_of(Some(600), |run| run.inner_without_dc(Some(600))).await?;
    serves(probe, &made).await
}

async fn refuses_lifetime(probe: &mut Probe, what: &str, expires_in: i32) -> Outcome {
    refuses_proof(probe, what, |run, dice| run.proof(&run.inner_temp(expires_in, |_| {}), dice)).await
}

async fn no_negative_lifetime(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.open(&mut wire).await?;
    let query = run.proof(&run.inner_temp(-1, |_| {}), &mut probe.dice)?;
    let answer = match probe.ask(&mut wire, &query, "req_DH_params with expires_in = -1").await? {
        Heard::Payload(payload) => plain_body(&payload).to_vec(),
        Heard::Error(-404) => return Ok(()),
        other => return failed(format!("it got {}", other.told())),
    };
    probe.take_dh_params(&mut run, &answer)?;
    let query = run.finish(0)?;
    if let Heard::Error(-404) = probe.ask(&mut wire, &query, "set_client_DH_params").await? {
        return Ok(());
    }
    let mut line = probe.line(&run.made(Some(-1))?).await?;
    let call = to_bytes(&dayfly_tl::api::HelpGetConfig {});
    match line.attempt(&call, "help.getConfig under that key", &mut probe.dice).await? {
        Err(Heard::Error(-404)) => Ok(()),
        Err(other) => failed(format!("a call under that key got {}", other.told())),
        Ok(_) => failed("a call under that key was answered"),
    }
}

/// `req_DH_params` with inner data after `change` is refused.
async fn refuses_inner(probe: &mut Probe, what: &str, change: impl Fn(&mut PQInnerDataDc<'_>)) -> Outcome {
    refuses_proof(probe, what, |run, dice| run.proof(&run.inner(|inner| change(inner)), dice)).await
}

async fn wide_inner(probe: &mut Probe) -> Outcome {
    refuses_proof(probe, "req_DH_params with 152 bytes of inner data", |run, dice| {
        let p = zeros_before(&run.p, WIDE);
        run.proof(&to_bytes(&PQInnerDataDc { p: &p, ..run.inner_fields() }), dice)
    })
    .await
}

async fn refuses_inner_bytes(probe: &mut Probe, what: &str, change: impl Fn(&mut [u8])) -> Outcome {
    refuses_proof(probe, what, |run, dice| {
        let mut inner = run.inner(|_| {});
        change(&mut inner);
        run.proof(&inner, dice)
    })
    .await
}

async fn padded_numbers(probe: &mut Probe) -> Outcome {
    let inner = |run: &Exchange, dice: &mut Dice| {
        let (pq, p, q) = (zeros_before(&run.pq, 1), zeros_before(&run.p, 4), zeros_before(&run.q, 4));
        run.proof(&to_bytes(&PQInnerDataDc { pq: &pq, p: &p, q: &q, ..run.inner_fields() }), dice)
    };
    takes_proof(probe, "req_DH_params with leading zeros in its inner numbers", inner).await
}

async fn any_dc(probe: &mut Probe) -> Outcome {
    for dc in [-2, 10_002, -10_002, 0, i32::MAX] {
        let mut wire = probe.connect().await?;
        let mut run = probe.open(&mut wire).await?;
        let query = run.proof(&run.inner(|inner| inner.dc = dc), &mut probe.dice)?;
        let what = format!("req_DH_params with dc {dc}");
        if let Heard::Error(-444) = probe.ask(&mut wire, &query, &what).await? {
            continue;
        }
        // What was answered once is answered again.
        let answer = answered(probe, &mut wire, &query, &what).await?;
        probe.take_dh_params(&mut run, &answer)?;
        probe.finish(&mut wire, &mut run, None).await?;
    }
    Ok(())
}
