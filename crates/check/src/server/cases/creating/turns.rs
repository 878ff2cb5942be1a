//! Queries out of their turn and of other runs: rules HS-15 and HS-33.

use super::{answered, not_found, refused, serves};
use crate::case::cases;
use crate::server::Entry;
use crate::server::exchange::hashed;
use crate::server::probe::Probe;
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed};

cases! {
    "HS-15/1" Must "set_client_DH_params before req_DH_params"
        why "a step that is skipped takes its checks with it: the key would be made from what nobody agreed on"
        expected "-404, and the run is spent"
        skipped_step;
    "HS-15/2" Must "a second, different req_DH_params"
        why "one proof of work would buy any number of private-key operations, and answers to compare"
        expected "-404, and the run is spent"
        second_proof;
    "HS-15/3" Must "a second, different req_DH_params while the first is worked on"
        why "whoever sends a hundred at once, before the first is done, would get them all for one proof of work"
        expected "at most one server_DH_params_ok, and the run is spent"
        second_proof_at_once;
    "HS-15/4" Must "a wrong query spends its run over every connection"
        why "an attacker would try again and again, on a new connection each time, with one proof of work"
        expected "-404 to the right query over another connection"
        spent_everywhere;
    "HS-15/5" Compat "a wrong query spends no other run, and not the connection"
        why "behind one address or proxy one broken client would end the logins of all the others"
        expected "the other run on the same connection ends with a key"
        others_go_on;
    "HS-15/6" Must "a second, different set_client_DH_params after dh_gen_ok"
        why "a second key out of one run has the same new_nonce and the same first salt as the first"
        expected "-404, and the key that was made still serves"
        second_end;
    "HS-15/7" Compat "the finished run after that"
        why "the specification says that any later request gets -404, even a right one"
        expected "-404 to the query that made the key"
        spent_after_its_end;
    "HS-33/1" Must "req_DH_params for a run that was never opened"
        why "a client whose run was forgotten waits for ever if nobody tells it"
        expected "-404"
        unknown_run;
    "HS-33/2" Must "set_client_DH_params for a run that was never opened"
        why "a client whose run was forgotten waits for ever if nobody tells it"
        expected "-404"
        unknown_run_at_its_end;
    "HS-33/3" Must "req_DH_params with the nonce of one run and the server_nonce of another"
        why "a run is named by both: by one of them alone an attacker could speak into the runs of others"
        expected "-404, and both runs end with a key"
        crossed_runs;
    "HS-33/4" Must "set_client_DH_params with the nonce of one run and the server_nonce of another"
        why "a run is named by both: by one of them alone an attacker could speak into the runs of others"
        expected "-404, and both runs end with a key"
        crossed_runs_at_their_end;
}

async fn skipped_step(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.open(&mut wire).await?;
    let wrong = run.set_client(&hashed(&run.client_inner(|_| {}), 0))?;
    let right = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    refused(probe, &mut wire, &wrong, &right, "set_client_DH_params before req_DH_params").await
}

async fn second_proof(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.proven(&mut wire).await?;
    // The same inner data under another temp_key.
    let second = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    refused(probe, &mut wire, &second, &run.finish(0)?, "a second, different req_DH_params").await
}

async fn second_proof_at_once(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.open(&mut wire).await?;
    let first = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    let second = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    probe.send_at_once(&mut wire, &[&first, &second], "two different req_DH_params at once").await?;
    let mut answers = 0;
    for _ in 0..2 {
        match wire.hear().await? {
            Heard::Payload(_) => answers += 1,
            Heard::Error(-404) => {}
            other => return failed(format!("one of two different req_DH_params got {}", other.told())),
        }
    }
    if answers > 1 {
        return failed("both of two different req_DH_params were answered");
    }
    not_found(probe, &mut wire, &first, "the first of them again").await
}

async fn spent_everywhere(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.open(&mut wire).await?;
    let wrong = run.proof(&run.inner(|inner| inner.nonce[0] ^= 1), &mut probe.dice)?;
    let right = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    not_found(probe, &mut wire, &wrong, "req_DH_params with another inner nonce").await?;
    let mut other = probe.connect().await?;
    not_found(probe, &mut other, &right, "the right one over another connection").await
}

async fn others_go_on(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let (bad, mut good) = (probe.open(&mut wire).await?, probe.proven(&mut wire).await?);
    let wrong = bad.proof(&bad.inner(|inner| inner.nonce[0] ^= 1), &mut probe.dice)?;
    not_found(probe, &mut wire, &wrong, "req_DH_params with another inner nonce").await?;
    let query = good.finish(0)?;
    answered(probe, &mut wire, &query, "set_client_DH_params of the other run").await?;
    let made = probe.finish(&mut wire, &mut good, None).await?;
    serves(probe, &made).await
}

async fn second_end(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.proven(&mut wire).await?;
    let made = probe.finish(&mut wire, &mut run, None).await?;
    run.draw_b(&mut probe.dice)?;
    let query = run.finish(0)?;
    not_found(probe, &mut wire, &query, "a second, different set_client_DH_params").await?;
    serves(probe, &made).await
}

async fn spent_after_its_end(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.proven(&mut wire).await?;
    probe.finish(&mut wire, &mut run, None).await?;
    let right = run.finish(0)?;
    run.draw_b(&mut probe.dice)?;
    let wrong = run.finish(0)?;
    refused(probe, &mut wire, &wrong, &right, "a second, different set_client_DH_params").await
}

async fn unknown_run(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.open(&mut wire).await?;
    run.server_nonce[3] ^= 1;
    let query = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    not_found(probe, &mut wire, &query, "req_DH_params for an unknown run").await
}

async fn unknown_run_at_its_end(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.proven(&mut wire).await?;
    run.nonce[3] ^= 1;
    let query = run.finish(0)?;
    not_found(probe, &mut wire, &query, "set_client_DH_params for an unknown run").await
}

async fn crossed_runs(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let (mut one, mut two) = (probe.open(&mut wire).await?, probe.open(&mut wire).await?);
    let own = std::mem::replace(&mut one.server_nonce, two.server_nonce);
    let query = one.proof(&one.inner(|_| {}), &mut probe.dice)?;
    not_found(probe, &mut wire, &query, "req_DH_params with the nonces of two runs").await?;
    one.server_nonce = own;
    for run in [&mut one, &mut two] {
        let query = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
        let answer = answered(probe, &mut wire, &query, "req_DH_params of each of the two").await?;
        probe.take_dh_params(run, &answer)?;
        probe.finish(&mut wire, run, None).await?;
    }
    Ok(())
}

async fn crossed_runs_at_their_end(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let (mut one, mut two) = (probe.proven(&mut wire).await?, probe.proven(&mut wire).await?);
    let own = std::mem::replace(&mut one.server_nonce, two.server_nonce);
    let query = one.finish(0)?;
    not_found(probe, &mut wire, &query, "set_client_DH_params with the nonces of two runs").await?;
    one.server_nonce = own;
    for run in [&mut one, &mut two] {
        let query = run.finish(0)?;
        answered(probe, &mut wire, &query, "set_client_DH_params of each of the two").await?;
        probe.finish(&mut wire, run, None).await?;
    }
    Ok(())
}
