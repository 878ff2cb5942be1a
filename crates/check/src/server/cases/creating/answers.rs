//! What the server itself sends: rules HS-16, HS-20, HS-21, HS-24, HS-27, HS-28 and HS-39.

use std::collections::BTreeSet;

use dayfly_crypto::dh::{PublicValue, SafePrimeGroup};
use dayfly_tl::api::HelpGetConfig;
use dayfly_tl::mtproto::DhGenOk;
use dayfly_tl::{read_prefix, to_bytes};

use super::{answered, serves};
use crate::case::cases;
use crate::server::Entry;
use crate::server::exchange::Exchange;
use crate::server::probe::{Probe, Told};
use crate::server::wire::{Heard, plain_body};
use crate::verdict::{Outcome, failed, not_reached};

/// How many runs are compared.
const RUNS: usize = 4;
/// How far two clocks of one server may be apart, in seconds.
const APART: i64 = 30;

cases! {
    "HS-16/1" Must "encrypted_answer opens under tmp_aes_key and tmp_aes_iv"
        why "the keys come from new_nonce and server_nonce: other ones are known to others, or to nobody"
        expected "SHA1(answer) + answer + fewer than 16 bytes, in whole blocks, with both nonces inside"
        opens;
    "HS-16/2" Must "server_time is the server's clock"
        why "clients take every msg_id and every expires_at from it: with another time they are refused for ever"
        expected "a server_time within 30 s of the msg_id under which the answer comes"
        server_time;
    "HS-20/20" Must "the server's own g_a is over 1 and below dh_prime - 1"
        why "with g_a = 1 or dh_prime - 1 the key is known to everybody"
        expected "1 < g_a < dh_prime - 1 in four runs"
        own_public_value;
    "HS-20/21" Should "the server's own g_a keeps 2^1984 from both ends"
        why "a g_a near the ends comes from a small exponent, which can be searched for"
        expected "2^1984 <= g_a <= dh_prime - 2^1984 in four runs"
        own_public_value_margin;
    "HS-21/1" Must "g_a is new in every run"
        why "with one exponent for all runs, whoever learns it reads all conversations"
        expected "four different g_a in four runs"
        fresh_exponent;
    "HS-24/1" Must "an authorization key that begins with a zero"
        why "a server that drops leading zeros derives other keys, and one login in 256 fails for no visible reason"
        expected "dh_gen_ok with the new_nonce_hash1 of all 256 bytes, and calls under the key"
        leading_zero;
    "HS-24/2" Must "auth_key_id is the last 8 bytes of SHA1(auth_key)"
        why "a key that the server files under another name can never be used"
        expected "a call under the new key, on a new connection, is answered"
        key_id;
    "HS-27/1" Must "dh_gen_ok proves the key by new_nonce_hash1"
        why "it is what tells a client that the server has the same key and nobody stands between"
        expected "the last 16 bytes of SHA1(new_nonce + 1 + auth_key_aux_hash)"
        proven_key;
    "HS-28/1" Must "the first salt is new_nonce XOR server_nonce"
        why "a client has no other salt for its first message, and loses a round trip if not its key"
        expected "a call with that salt is answered without bad_server_salt"
        first_salt;
    "HS-39/1" Must "dh_prime is a safe prime of 2048 bits and g generates its large subgroup"
        why "in a weak group the discrete logarithm is easy for whoever chose it"
        expected "2^2047 < dh_prime < 2^2048, dh_prime and (dh_prime - 1)/2 prime, g a quadratic residue from 2 to 7"
        group;
    "HS-39/2" Compat "dh_prime is the published one, with g = 3"
        why "Pyrogram, ferogram and @mtproto/core take no other"
        expected "the 256 bytes of the published dh_prime, and g = 3"
        published_group;
}

async fn opens(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    probe.proven(&mut wire).await.map(|_| ())
}

async fn server_time(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.open(&mut wire).await?;
    let query = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    let payload = match probe.ask(&mut wire, &query, "req_DH_params").await? {
        Heard::Payload(payload) => payload,
        other => return not_reached(format!("req_DH_params got {}", other.told())),
    };
    let Some(msg_id) = payload.get(8..).and_then(|rest| rest.first_chunk()) else {
        return failed("the answer has no msg_id");
    };
    probe.take_dh_params(&mut run, plain_body(&payload))?;
    let (by_msg_id, server_time) = (i64::from_le_bytes(*msg_id) >> 32, i64::from(run.server_time));
    if by_msg_id.abs_diff(server_time) > APART.unsigned_abs() {
        return failed(format!("server_time is {server_time}, the msg_id of the answer is of {by_msg_id}"));
    }
    Ok(())
}

/// Runs after `server_DH_params_ok`, which a right query has to get.
async fn agreed(probe: &mut Probe) -> Outcome<Vec<Exchange>> {
    let mut wire = probe.connect().await?;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let mut run = probe.open(&mut wire).await?;
        let query = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
        let answer = answered(probe, &mut wire, &query, "req_DH_params").await?;
        probe.take_dh_params(&mut run, &answer)?;
        runs.push(run);
    }
    Ok(runs)
}

async fn own_public_value(probe: &mut Probe) -> Outcome {
    for run in agreed(probe).await? {
        let zeros = run.g_a.iter().take_while(|byte| **byte == 0).count();
        let digits = run.g_a.get(zeros..).unwrap_or_default();
        let prime = run.group()?.prime();
        // The prime is odd: one less differs in the last byte alone.
        let mut highest = *prime;
        highest[255] -= 1;
        let below = digits.len() < 256 || (digits.len() == 256 && digits < highest.as_slice());
        if matches!(digits, [] | [1]) || !below {
            return failed("g_a is not between 1 and dh_prime - 1");
        }
    }
    Ok(())
}

async fn own_public_value_margin(probe: &mut Probe) -> Outcome {
    for run in agreed(probe).await? {
        if let Err(error) = PublicValue::parse(&run.g_a, run.group()?) {
            return failed(format!("g_a: {error}"));
        }
    }
    Ok(())
}

async fn fresh_exponent(probe: &mut Probe) -> Outcome {
    let different: BTreeSet<Vec<u8>> = agreed(probe).await?.into_iter().map(|run| run.g_a).collect();
    if different.len() < RUNS {
        return failed(format!("{RUNS} runs had {} different g_a", different.len()));
    }
    Ok(())
}

async fn leading_zero(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.proven(&mut wire).await?;
    run.draw_key_with_leading_zero(&mut probe.dice)?;
    let answer = answered(probe, &mut wire, &run.finish(0)?, "set_client_DH_params").await?;
    let Ok((ok, _)) = read_prefix::<DhGenOk>(&answer) else { return failed("the answer is no dh_gen_ok") };
    if ok.new_nonce_hash1 != run.hash(1, &run.auth_key()?) {
        return failed("new_nonce_hash1 is not that of the key with its leading zero");
    }
    serves(probe, &run.made(None)?).await
}

async fn key_id(probe: &mut Probe) -> Outcome {
    let made = probe.perm().await?;
    serves(probe, &made).await
}

async fn proven_key(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.proven(&mut wire).await?;
    let answer = answered(probe, &mut wire, &run.finish(0)?, "set_client_DH_params").await?;
    let Ok((ok, _)) = read_prefix::<DhGenOk>(&answer) else { return failed("the answer is no dh_gen_ok") };
    if (ok.nonce, ok.server_nonce) != (run.nonce, run.server_nonce) {
        return failed("dh_gen_ok has other nonces");
    }
    if ok.new_nonce_hash1 != run.hash(1, &run.auth_key()?) {
        return failed("new_nonce_hash1 is wrong");
    }
    Ok(())
}

async fn first_salt(probe: &mut Probe) -> Outcome {
    let temp = probe.temp(3600).await?;
    let mut line = probe.line(&temp).await?;
    let said = line.talk.say(to_bytes(&HelpGetConfig {}));
    match line.answer(&said, "help.getConfig with the first salt", &mut probe.dice).await? {
        Told::Answer(_) => Ok(()),
        Told::Salt => failed("bad_server_salt: the first salt is another one"),
        Told::Nothing(heard) => failed(format!("the first message under the key got {}", heard.told())),
    }
}

async fn group(probe: &mut Probe) -> Outcome {
    // The whole test of the group is part of taking the answer.
    let mut wire = probe.connect().await?;
    probe.proven(&mut wire).await.map(|_| ())
}

async fn published_group(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.proven(&mut wire).await?;
    let (group, published) = (run.group()?, SafePrimeGroup::published());
    if group.prime() != published.prime() {
        return failed("dh_prime is another one");
    }
    if group.g() != 3 {
        return failed(format!("g is {}", group.g()));
    }
    Ok(())
}
