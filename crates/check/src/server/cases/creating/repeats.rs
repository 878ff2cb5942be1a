//! Queries that come again: rules HS-31 and HS-32.

use dayfly_tl::mtproto::{DhGenOk, ResPq};
use dayfly_tl::read_prefix;

use super::{answered, object};
use crate::case::cases;
use crate::server::Entry;
use crate::server::exchange::Exchange;
use crate::server::probe::Probe;
use crate::server::wire::{Heard, Wire, name_of, plain_body};
use crate::verdict::{Outcome, failed};

cases! {
    "HS-31/1" Must "req_pq_multi again"
        why "a client whose resPQ was lost sends it again: with another server_nonce its late answers fit no run"
        expected "the same resPQ"
        repeats(Step::Opening, Over::SameConnection);
    "HS-31/2" Must "req_pq_multi again over a second connection"
        why "answers are lost where connections are lost"
        expected "the same resPQ"
        repeats(Step::Opening, Over::AnotherConnection);
    "HS-31/3" Must "req_DH_params again"
        why "a client whose answer was lost could not go on: it may not send another query of this step"
        expected "the same server_DH_params_ok, byte for byte"
        repeats(Step::Proof, Over::SameConnection);
    "HS-31/4" Must "req_DH_params again over a second connection"
        why "answers are lost where connections are lost"
        expected "the same server_DH_params_ok, byte for byte"
        repeats(Step::Proof, Over::AnotherConnection);
    "HS-31/5" Must "set_client_DH_params again"
        why "a client whose dh_gen_ok was lost has a key and does not know it"
        expected "the same dh_gen_ok"
        repeats(Step::End, Over::SameConnection);
    "HS-31/6" Must "set_client_DH_params again over a second connection"
        why "answers are lost where connections are lost"
        expected "the same dh_gen_ok"
        repeats(Step::End, Over::AnotherConnection);
    "HS-31/7" Compat "req_DH_params again with other bytes behind it"
        why "TDLib pads each message anew: the same query would look like another one, and end the run"
        expected "the same server_DH_params_ok, byte for byte"
        repeats(Step::Proof, Over::OtherPadding);
    "HS-31/8" Compat "set_client_DH_params again with other bytes behind it"
        why "TDLib pads each message anew: the same query would look like another one, and end the run"
        expected "the same dh_gen_ok"
        repeats(Step::End, Over::OtherPadding);
    "HS-31/9" Must "req_DH_params over two connections at once"
        why "a repeat that arrives while the first is worked on is none the less a repeat"
        expected "the same server_DH_params_ok over both"
        twice_at_once;
    "HS-31/10" Must "set_client_DH_params over two connections at once"
        why "two keys out of one run have the same new_nonce, and the client knows only one"
        expected "the same dh_gen_ok over both"
        end_twice_at_once;
    "HS-32/1" Compat "req_DH_params again after dh_gen_ok"
        why "a repeat that was late on the way must not undo what was reached meanwhile"
        expected "-404 or the answer of then; and dh_gen_ok for the repeated last query still"
        late_proof;
    "HS-32/2" Compat "req_pq_multi again after server_DH_params_ok"
        why "a repeat that was late on the way must not undo what was reached meanwhile"
        expected "resPQ, of this run or a new one; and this run ends with a key"
        late_opening;
    "HS-32/3" Compat "req_DH_params again while set_client_DH_params is worked on"
        why "a repeat that was late on the way must not undo what was reached meanwhile"
        expected "-404 or the answer of then for it; and dh_gen_ok for the run"
        late_proof_at_once;
}

/// Which query is repeated.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Opening,
    Proof,
    End,
}

/// How the repeat goes.
#[derive(Clone, Copy, PartialEq)]
enum Over {
    SameConnection,
    AnotherConnection,
    OtherPadding,
}

/// A run up to this query, which was answered: the query and the answer.
async fn up_to(probe: &mut Probe, wire: &mut Wire, step: Step) -> Outcome<(Vec<u8>, Vec<u8>)> {
    let mut run = Exchange::new(probe.target().key.clone(), &mut probe.dice);
    let opening = run.req_pq();
    let res_pq = answered(probe, wire, &opening, "req_pq_multi").await?;
    if step == Step::Opening {
        return Ok((opening, res_pq));
    }
    run.take_res_pq(&res_pq)?;
    let proof = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    let params = answered(probe, wire, &proof, "req_DH_params").await?;
    if step == Step::Proof {
        return Ok((proof, params));
    }
    probe.take_dh_params(&mut run, &params)?;
    let end = run.finish(0)?;
    let verdict = answered(probe, wire, &end, "set_client_DH_params").await?;
    Ok((end, verdict))
}

async fn repeats(probe: &mut Probe, step: Step, over: Over) -> Outcome {
    let mut wire = probe.connect().await?;
    let (query, answer) = up_to(probe, &mut wire, step).await?;
    if over == Over::AnotherConnection {
        wire = probe.connect().await?;
    }
    let again = if over == Over::OtherPadding {
        let padding: [u8; 64] = probe.dice.bytes();
        [&query[..], &padding].concat()
    } else {
        query
    };
    let second = answered(probe, &mut wire, &again, "the same query again").await?;
    same(&answer, &second)
}

fn same(first: &[u8], second: &[u8]) -> Outcome {
    if object(first) == object(second) {
        return Ok(());
    }
    let [first, second] = [first, second].map(name_of);
    failed(format!("the repeat got other bytes: {first} first, {second} then"))
}

/// One query over two connections, neither of which waits for the other: gives the answer, which is to be one.
async fn both(probe: &mut Probe, wire: &mut Wire, query: &[u8], what: &str) -> Outcome<Vec<u8>> {
    let mut other = probe.connect().await?;
    wire.send_plain(query, what).await?;
    other.send_plain(query, "the same over a second connection").await?;
    let mut answers = Vec::new();
    for wire in [wire, &mut other] {
        match wire.hear().await? {
            Heard::Payload(payload) => answers.push(plain_body(&payload).to_vec()),
            other => return failed(format!("{what}: one of them got {}", other.told())),
        }
    }
    let [first, second] = answers.as_slice() else { return failed("not two answers") };
    same(first, second)?;
    Ok(first.clone())
}

async fn twice_at_once(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.open(&mut wire).await?;
    let query = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    let answer = both(probe, &mut wire, &query, "req_DH_params over two connections").await?;
    probe.take_dh_params(&mut run, &answer)?;
    probe.finish(&mut wire, &mut run, None).await.map(|_| ())
}

async fn end_twice_at_once(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.proven(&mut wire).await?;
    let query = run.finish(0)?;
    both(probe, &mut wire, &query, "set_client_DH_params over two connections").await?;
    let made = probe.finish(&mut wire, &mut run, None).await?;
    super::serves(probe, &made).await
}

async fn late_proof(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.open(&mut wire).await?;
    let proof = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    let params = answered(probe, &mut wire, &proof, "req_DH_params").await?;
    probe.take_dh_params(&mut run, &params)?;
    let end = run.finish(0)?;
    let verdict = answered(probe, &mut wire, &end, "set_client_DH_params").await?;
    match probe.ask(&mut wire, &proof, "req_DH_params again").await? {
        Heard::Error(-404) => {}
        Heard::Payload(payload) => same(&params, plain_body(&payload))?,
        other => return failed(format!("the late repeat got {}", other.told())),
    }
    let again = answered(probe, &mut wire, &end, "set_client_DH_params again").await?;
    same(&verdict, &again)
}

async fn late_proof_at_once(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.open(&mut wire).await?;
    let proof = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    let params = answered(probe, &mut wire, &proof, "req_DH_params").await?;
    probe.take_dh_params(&mut run, &params)?;
    let end = run.finish(0)?;
    let what = "set_client_DH_params and req_DH_params again at once";
    probe.send_at_once(&mut wire, &[&end, &proof], what).await?;
    for _ in 0..2 {
        match wire.hear().await? {
            Heard::Error(-404) | Heard::Payload(_) => {}
            other => return failed(format!("{what}: one of them got {}", other.told())),
        }
    }
    let verdict = answered(probe, &mut wire, &end, "set_client_DH_params again").await?;
    if read_prefix::<DhGenOk>(&verdict).is_err() {
        return failed(format!("the run ended with {}", name_of(&verdict)));
    }
    Ok(())
}

async fn late_opening(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.proven(&mut wire).await?;
    let answer = answered(probe, &mut wire, &run.req_pq(), "req_pq_multi again").await?;
    if read_prefix::<ResPq<'_>>(&answer).is_err() {
        return failed("the answer is no resPQ");
    }
    let query = run.finish(0)?;
    answered(probe, &mut wire, &query, "set_client_DH_params after it").await?;
    probe.finish(&mut wire, &mut run, None).await.map(|_| ())
}
