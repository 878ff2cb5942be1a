//! What stands in `set_client_DH_params` beside g_b: rules HS-01, HS-23 and HS-25.

use dayfly_crypto::digest::sha1;
use dayfly_tl::mtproto::ClientDhInnerData;

use super::{answered, refused, refuses_client_data, serves, zeros_before};
use crate::case::cases;
use crate::server::Entry;
use crate::server::exchange::hashed;
use crate::server::probe::Probe;
use crate::verdict::Outcome;

cases! {
    "HS-01/2" Compat "g_b with a zero in front, 257 bytes"
        why "it is the same number: libraries that write a sign byte would be shut out"
        expected "dh_gen_ok for the key of that g_b"
        zero_before_g_b;
    "HS-01/3" Compat "g_b without its leading zero, 255 bytes"
        why "libraries that write the shortest form would fail once in 256 logins, and nobody would find out why"
        expected "dh_gen_ok for the key of that g_b"
        short_g_b;
    "HS-23/1" Must "encrypted_data is no multiple of 16"
        why "what is left over is read from somewhere, or silently not authenticated"
        expected "-404, and the run is spent"
        refuses_encrypted("set_client_DH_params with 8 bytes too many", |data| data.extend([0; 8]));
    "HS-23/2" Must "encrypted_data is empty"
        why "the shortest input is the first that a parser trips over"
        expected "-404, and the run is spent"
        refuses_encrypted("set_client_DH_params with empty encrypted_data", Vec::clear);
    "HS-23/3" Must "encrypted_data is cut by a block"
        why "a g_b that goes beyond its data makes a server read what is not there"
        expected "-404, and the run is spent"
        refuses_encrypted("set_client_DH_params without its last three blocks", |data| {
            data.truncate(data.len() - 48);
        });
    "HS-23/4" Must "the SHA1 is wrong in one bit"
        why "IGE without its hash can be changed in places: an attacker between could turn g_b into his own"
        expected "-404, and the run is spent"
        refuses_hashed("set_client_DH_params with a wrong SHA1", |inner| {
            let mut plain = hashed(inner, 0);
            plain[19] ^= 1;
            plain
        });
    "HS-23/5" Must "the SHA1 covers the padding too"
        why "two servers that hash different bytes are two protocols, and one of them leaves bytes unchecked"
        expected "-404, and the run is spent"
        refuses_hashed("set_client_DH_params with a SHA1 over data and padding", |inner| {
            let padded = hashed(inner, 0).split_off(20);
            [&sha1(&[&padded])[..], &padded].concat()
        });
    "HS-23/6" Must "16 bytes follow beyond the padding"
        why "bytes that no hash covers are room for an attacker to try things in"
        expected "-404, and the run is spent"
        refuses_hashed("set_client_DH_params with 16 bytes too much padding", |inner| hashed(inner, 16));
    "HS-23/7" Must "1024 bytes follow beyond the padding"
        why "bytes that no hash covers are room for an attacker to try things in"
        expected "-404, and the run is spent"
        refuses_hashed("set_client_DH_params with 1024 bytes too much padding", |inner| hashed(inner, 1024));
    "HS-23/8" Must "the inner nonce differs in one byte"
        why "the end of one run could be grafted onto another"
        expected "-404, and the run is spent"
        refuses_inner("set_client_DH_params with another inner nonce", |inner| inner.nonce[0] ^= 1);
    "HS-23/9" Must "the inner server_nonce differs in one byte"
        why "the end of an old run could be played into a new one"
        expected "-404, and the run is spent"
        refuses_inner("set_client_DH_params with another inner server_nonce", |inner| {
            inner.server_nonce[15] ^= 1;
        });
    "HS-23/10" Must "retry_id = 1 at the first attempt"
        why "it names the key that was refused: a server that takes any lets a query of one attempt stand for another"
        expected "-404, and the run is spent"
        refuses_inner("set_client_DH_params with retry_id = 1", |inner| inner.retry_id = 1);
    "HS-23/11" Must "retry_id = -1 at the first attempt"
        why "it names the key that was refused: a server that takes any lets a query of one attempt stand for another"
        expected "-404, and the run is spent"
        refuses_inner("set_client_DH_params with retry_id = -1", |inner| inner.retry_id = -1);
    "HS-23/12" Must "inner data of another constructor"
        why "what is guessed at instead of refused is read by another layout than the client's"
        expected "-404, and the run is spent"
        refuses_hashed("set_client_DH_params with inner data of an unknown constructor", |inner| {
            hashed(&[&[0x55][..], inner.get(1..).unwrap_or_default()].concat(), 0)
        });
    "HS-23/13" Must "encrypted under the keys of another run"
        why "the tmp keys tie the end of a run to its beginning: without them nonces alone would do"
        expected "-404, and the run is spent"
        keys_of_another_run;
    "HS-25/1" Compat "a client begins again at req_pq_multi in the middle of a run"
        why "Android and TDLib do so whenever an answer is late, and would be locked out"
        expected "resPQ for the new nonce on the same connection, and a key at its end"
        begins_again;
}

/// A key is made with a g_b that is as `wanted`, sent in another form.
async fn takes_g_b(
    probe: &mut Probe,
    what: &str,
    wanted: impl Fn(&[u8]) -> bool,
    form: impl Fn(&[u8]) -> Vec<u8>,
) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.proven(&mut wire).await?;
    run.draw_b_until(&mut probe.dice, wanted)?;
    run.g_b = form(&run.g_b);
    let query = run.finish(0)?;
    answered(probe, &mut wire, &query, what).await?;
    // The same query again: the answer is taken apart, with its proof of the key.
    let made = probe.finish(&mut wire, &mut run, None).await?;
    serves(probe, &made).await
}

async fn zero_before_g_b(probe: &mut Probe) -> Outcome {
    let what = "set_client_DH_params with a g_b of 257 bytes";
    takes_g_b(probe, what, |_| true, |g_b| zeros_before(g_b, 1)).await
}

async fn short_g_b(probe: &mut Probe) -> Outcome {
    let what = "set_client_DH_params with a g_b of 255 bytes";
    takes_g_b(probe, what, |g_b| g_b.starts_with(&[0]), |g_b| g_b.get(1..).unwrap_or_default().to_vec()).await
}

async fn refuses_encrypted(probe: &mut Probe, what: &str, change: impl Fn(&mut Vec<u8>)) -> Outcome {
    refuses_client_data(probe, what, |run| {
        let mut data = run.client_data()?;
        change(&mut data);
        Ok(run.set_client_raw(&data))
    })
    .await
}

/// `hash` makes the plaintext out of right inner data.
async fn refuses_hashed(probe: &mut Probe, what: &str, hash: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    refuses_client_data(probe, what, |run| run.set_client(&hash(&run.client_inner(|_| {})))).await
}

async fn refuses_inner(
    probe: &mut Probe,
    what: &str,
    change: impl Fn(&mut ClientDhInnerData<'_>),
) -> Outcome {
    refuses_client_data(probe, what, |run| {
        run.set_client(&hashed(&run.client_inner(|inner| change(inner)), 0))
    })
    .await
}

async fn keys_of_another_run(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let (run, other) = (probe.proven(&mut wire).await?, probe.proven(&mut wire).await?);
    let plain = hashed(&run.client_inner(|_| {}), 0);
    let wrong = run.set_client_raw(&other.encrypt(&plain)?);
    let what = "set_client_DH_params under the keys of another run";
    refused(probe, &mut wire, &wrong, &run.finish(0)?, what).await
}

async fn begins_again(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    probe.proven(&mut wire).await?;
    let made = probe.key_on(&mut wire, None).await?;
    serves(probe, &made).await
}
