//! Creating a key: rules HS.

mod answers;
mod bounds;
mod dh;
mod inner;
mod plain_messages;
mod proof;
mod repeats;
mod res_pq;
mod turns;

use dayfly_tl::api::HelpGetConfig;
use dayfly_tl::mtproto::{DhGenOk, ResPq, ServerDhParamsOk};
use dayfly_tl::{read_prefix, to_bytes};

use crate::dice::Dice;
use crate::server::Entry;
use crate::server::exchange::Exchange;
use crate::server::probe::Probe;
use crate::server::talk::Made;
use crate::server::wire::{Heard, Wire, plain_body};
use crate::verdict::{Outcome, failed, not_reached};

/// What the server says in a plain exchange: where that fails, one of these tells why.
pub(super) fn first() -> Vec<Entry> {
    [res_pq::cases(), answers::cases()].into_iter().flatten().collect()
}

/// The others.
pub(super) fn cases() -> Vec<Entry> {
    let families = [
        proof::cases(),
        inner::cases(),
        dh::cases(),
        bounds::cases(),
        turns::cases(),
        repeats::cases(),
        plain_messages::cases(),
    ];
    families.into_iter().flatten().collect()
}

/// A query that is to get -404.
async fn not_found(probe: &mut Probe, wire: &mut Wire, query: &[u8], what: &str) -> Outcome {
    match probe.ask(wire, query, what).await? {
        Heard::Error(-404) => return Ok(()),
        Heard::Error(-429) => {}
        other => return failed(format!("{what} got {} instead of -404", other.told())),
    }
    // Too busy for everybody, or for this query alone?
    probe.open(wire).await?;
    failed(format!("{what} got -429 again and again, but req_pq_multi after it was answered"))
}

/// A query that is to be refused: -404, and the right one afterwards too (rule HS-15), over a new connection where the
/// server has closed this one.
async fn refused(probe: &mut Probe, wire: &mut Wire, wrong: &[u8], right: &[u8], what: &str) -> Outcome {
    not_found(probe, wire, wrong, what).await?;
    let mut heard = probe.ask(wire, right, "then the right query of the same step").await?;
    if heard == Heard::Closed {
        *wire = probe.connect().await?;
        heard = probe.ask(wire, right, "the right query over a new connection").await?;
    }
    match heard {
        Heard::Error(-404) => Ok(()),
        other => failed(format!("the run is not spent: the right query afterwards got {}", other.told())),
    }
}

/// A query that is to be answered; gives the body.
async fn answered(probe: &mut Probe, wire: &mut Wire, query: &[u8], what: &str) -> Outcome<Vec<u8>> {
    match probe.ask(wire, query, what).await? {
        Heard::Payload(payload) => Ok(plain_body(&payload).to_vec()),
        Heard::Error(-429) => not_reached(format!("{what}: the server is too busy (-429)")),
        other => failed(format!("{what} got {} instead of an answer", other.told())),
    }
}

/// A wrong `req_DH_params` is refused: `wrong` makes it from a run after `resPQ`.
async fn refuses_proof(
    probe: &mut Probe,
    what: &str,
    wrong: impl Fn(&Exchange, &mut Dice) -> Outcome<Vec<u8>>,
) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.open(&mut wire).await?;
    let wrong = wrong(&run, &mut probe.dice)?;
    let right = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    refused(probe, &mut wire, &wrong, &right, what).await
}

/// A wrong `set_client_DH_params` is refused: `wrong` makes it from a run after `server_DH_params_ok`.
async fn refuses_client_data(
    probe: &mut Probe,
    what: &str,
    wrong: impl Fn(&Exchange) -> Outcome<Vec<u8>>,
) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.proven(&mut wire).await?;
    let wrong = wrong(&run)?;
    let right = run.finish(0)?;
    refused(probe, &mut wire, &wrong, &right, what).await
}

/// A right `req_DH_params` in an unusual form is answered, and a key made with it.
async fn takes_proof(
    probe: &mut Probe,
    what: &str,
    make: impl Fn(&Exchange, &mut Dice) -> Outcome<Vec<u8>>,
) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.open(&mut wire).await?;
    let query = make(&run, &mut probe.dice)?;
    let answer = answered(probe, &mut wire, &query, what).await?;
    probe.take_dh_params(&mut run, &answer)?;
    probe.finish(&mut wire, &mut run, None).await.map(|_| ())
}

/// A key is there: a call under it is answered, with a result or an error.
async fn serves(probe: &mut Probe, made: &Made) -> Outcome {
    let mut line = probe.line(made).await?;
    let call = to_bytes(&HelpGetConfig {});
    match line.attempt(&call, "help.getConfig under the new key", &mut probe.dice).await? {
        Ok(_) => Ok(()),
        Err(heard) => failed(format!("a call under the new key got {}", heard.told())),
    }
}

/// The TL object at the front of an answer, without what a server may put behind it.
fn object(body: &[u8]) -> &[u8] {
    let len = read_prefix::<ResPq<'_>>(body)
        .map(|(_, len)| len)
        .or_else(|_| read_prefix::<ServerDhParamsOk<'_>>(body).map(|(_, len)| len))
        .or_else(|_| read_prefix::<DhGenOk>(body).map(|(_, len)| len));
    len.ok().and_then(|len| body.get(..len)).unwrap_or(body)
}

/// Big-endian bytes with so many zeros in front.
fn zeros_before(value: &[u8], zeros: usize) -> Vec<u8> {
    [&vec![0; zeros][..], value].concat()
}

/// The sum of two big-endian numbers of 256 bytes: 257 bytes.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = vec![0; a.len().max(b.len()) + 1];
    let mut carry = 0;
    for (at, byte) in out.iter_mut().rev().enumerate() {
        let digit = |of: &[u8]| of.iter().rev().nth(at).map_or(0, |byte| u16::from(*byte));
        let total = digit(a) + digit(b) + carry;
        *byte = (total & 0xff) as u8;
        carry = total >> 8;
    }
    out
}
