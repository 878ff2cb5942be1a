//! What stands openly in `req_DH_params`, and its RSA layer: rules HS-10 to HS-13.

use dayfly_crypto::rsa_old;
use dayfly_tl::mtproto::{PQInnerDataDc, ReqDhParams};
use dayfly_tl::to_bytes;

use super::{refuses_proof, sum, takes_proof, zeros_before};
use crate::case::cases;
use crate::dice::Dice;
use crate::server::Entry;
use crate::server::exchange::{Exchange, misuse};
use crate::server::probe::Probe;
use crate::verdict::{Outcome, not_reached};

/// How many ciphertexts are made until one has a rare property.
const MOST_DRAWS: usize = 8192;

cases! {
    "HS-10/1" Must "p and q change places"
        why "two forms of one proof are two queries: what is remembered as answered is asked again, in another form"
        expected "-404, and the run is spent"
        refuses_factors("req_DH_params with p and q in the wrong order", |run| (run.q.clone(), run.p.clone()));
    "HS-10/2" Must "p = 1 and q = pq"
        why "it takes no factoring: the server's costly step could be had for nothing, by anybody, without end"
        expected "-404, and the run is spent"
        refuses_factors("req_DH_params with p = 1 and q = pq", |run| (vec![1], run.pq.clone()));
    "HS-10/3" Must "p is wrong in its last bits"
        why "a server that looks at one factor alone takes a proof of work that is none"
        expected "-404, and the run is spent"
        refuses_factors("req_DH_params with another p", |run| (altered(&run.p), run.q.clone()));
    "HS-10/4" Must "q is wrong in its last bits"
        why "a server that looks at one factor alone takes a proof of work that is none"
        expected "-404, and the run is spent"
        refuses_factors("req_DH_params with another q", |run| (run.p.clone(), altered(&run.q)));
    "HS-10/5" Must "p is 2^64 too large"
        why "a server that cuts numbers to 64 bits takes as equal what is not: repeats then look like new queries"
        expected "-404, and the run is spent"
        refuses_factors("req_DH_params with p + 2^64", |run| {
            ([&[1][..], &zeros_before(&run.p, 8 - run.p.len())].concat(), run.q.clone())
        });
    "HS-10/6" Must "p is empty"
        why "an empty number that passes for any skips the proof of work"
        expected "-404, and the run is spent"
        refuses_factors("req_DH_params with an empty p", |run| (Vec::new(), run.q.clone()));
    "HS-10/7" Must "the factors of another run"
        why "a server with one pq for all, or that checks against any run, lets one proof serve for a thousand"
        expected "-404, and the run is spent"
        factors_of_another_run;
    "HS-10/8" Compat "p and q are padded to 8 bytes"
        why "some clients send numbers in a fixed width, and would be shut out"
        expected "server_DH_params_ok, and a key"
        padded_factors;
    "HS-10/9" Must "the fingerprint is none of the server's"
        why "a server that decrypts whatever is sent under whatever name lets an attacker choose the key it tries"
        expected "-404, and the run is spent"
        refuses_query("req_DH_params with an unknown fingerprint", |query| query.public_key_fingerprint ^= 1);
    "HS-11/1" Must "encrypted_data begins with a zero"
        why "a server that reads it as a number without leading zeros fails one client in 256"
        expected "server_DH_params_ok, and a key"
        leading_zero;
    "HS-12/1" Must "encrypted_data of 255 bytes, without its leading zero"
        why "it is the same number in another form: the query that was answered can be asked again as another one"
        expected "-404, and the run is spent"
        refuses_encrypted("req_DH_params with 255 bytes of encrypted_data", |run, dice| {
            Ok(rsa_pad_until(run, dice, |data| data.starts_with(&[0]))?.into_iter().skip(1).collect())
        });
    "HS-12/2" Must "encrypted_data of 257 bytes, a zero in front"
        why "two lengths for one number are two queries for one answer"
        expected "-404, and the run is spent"
        refuses_data("req_DH_params with a zero before its encrypted_data", |data| zeros_before(data, 1));
    "HS-12/3" Must "encrypted_data is empty"
        why "the shortest input is the first that a parser trips over"
        expected "-404, and the run is spent"
        refuses_data("req_DH_params with empty encrypted_data", |_| Vec::new());
    "HS-12/4" Must "encrypted_data is the modulus"
        why "a number that is not below the modulus is none that RSA is defined for"
        expected "-404, and the run is spent"
        refuses_encrypted("req_DH_params with the modulus as encrypted_data", |run, _| Ok(run.key.n().to_vec()));
    "HS-12/5" Must "the modulus is added to right encrypted_data"
        why "the same plaintext under two ciphertexts is what padding oracles are built from"
        expected "-404, and the run is spent"
        refuses_encrypted("req_DH_params with the modulus added to its encrypted_data", beyond_modulus);
    "HS-12/6" Must "the SHA256 is wrong in one bit"
        why "without the hash anybody can change what RSA carries: it is the whole difference to raw RSA"
        expected "-404, and the run is spent"
        refuses_block("req_DH_params with a wrong SHA256", |block| block[223] ^= 1);
    "HS-12/7" Must "the data is wrong in one bit under its SHA256"
        why "without the hash anybody can change what RSA carries: it is the whole difference to raw RSA"
        expected "-404, and the run is spent"
        // The random end of the padding stands first: of what is parsed, nothing changes.
        refuses_block("req_DH_params with padding changed under its SHA256", |block| block[0] ^= 1);
    "HS-12/8" Must "encrypted_data is random"
        why "whoever sends noise must learn nothing but that it was refused"
        expected "-404, and the run is spent"
        refuses_encrypted("req_DH_params with random encrypted_data", |_, dice| {
            // Below any modulus of 2048 bits.
            let mut noise: [u8; 256] = dice.bytes();
            noise[0] &= 0x7f;
            Ok(noise.to_vec())
        });
    "HS-12/9" Must "encrypted_data is 1"
        why "RSA leaves 0 and 1 as they are: a library that gives them a way of its own tells them apart"
        expected "-404, and the run is spent"
        refuses_encrypted("req_DH_params with encrypted_data = 1", |_, _| Ok(zeros_before(&[1], 255)));
    "HS-13/1" Compat "the older RSA scheme, with SHA1"
        why "it is the scheme of the attack of 2021: right only where the operator turned it on for old clients"
        expected "-404, and the run is spent, unless it was turned on"
        older_scheme;
    "HS-13/2" Must "the older RSA scheme with a wrong SHA1"
        why "a server that takes the older scheme without its hash takes raw RSA, which anybody can change"
        expected "-404, and the run is spent"
        refuses_encrypted("req_DH_params in the older scheme with a wrong SHA1", |run, dice| {
            let mut block = [&[0; 21][..], &run.inner(|_| {})].concat();
            let filling: [u8; 256] = dice.bytes();
            block.extend_from_slice(filling.get(block.len()..).unwrap_or_default());
            let block: [u8; 256] = block.try_into().map_err(|_| misuse("a block has not 256 bytes"))?;
            run.key.raw(&block).map(|data| data.to_vec()).map_err(misuse)
        });
}

/// Another number of the same length, odd too.
fn altered(prime: &[u8]) -> Vec<u8> {
    let mut other = prime.to_vec();
    other.iter_mut().next_back().into_iter().for_each(|last| *last ^= 2);
    other
}

/// Wrong factors are refused, whether the inner data has the right ones or the same wrong ones.
async fn refuses_factors(
    probe: &mut Probe,
    what: &str,
    factors: impl Fn(&Exchange) -> (Vec<u8>, Vec<u8>),
) -> Outcome {
    refuses_proof(probe, what, |run, dice| {
        let data = run.rsa_pad(&run.inner(|_| {}), dice)?;
        let (p, q) = factors(run);
        Ok(to_bytes(&ReqDhParams { p: &p, q: &q, ..run.query(&data) }))
    })
    .await?;
    refuses_proof(probe, &format!("{what}, and the same inside"), |run, dice| {
        let (p, q) = factors(run);
        let inner = to_bytes(&PQInnerDataDc { p: &p, q: &q, ..run.inner_fields() });
        let data = run.rsa_pad(&inner, dice)?;
        Ok(to_bytes(&ReqDhParams { p: &p, q: &q, ..run.query(&data) }))
    })
    .await
}

async fn refuses_query(probe: &mut Probe, what: &str, change: impl Fn(&mut ReqDhParams<'_>)) -> Outcome {
    refuses_proof(probe, what, |run, dice| {
        let data = run.rsa_pad(&run.inner(|_| {}), dice)?;
        Ok(run.req_dh_params(&data, |query| change(query)))
    })
    .await
}

/// encrypted_data that is made in some way is refused.
async fn refuses_encrypted(
    probe: &mut Probe,
    what: &str,
    data: impl Fn(&Exchange, &mut Dice) -> Outcome<Vec<u8>>,
) -> Outcome {
    refuses_proof(probe, what, |run, dice| Ok(run.req_dh_params(&data(run, dice)?, |_| {}))).await
}

/// Right encrypted_data that is changed afterwards is refused.
async fn refuses_data(probe: &mut Probe, what: &str, change: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    refuses_encrypted(probe, what, |run, dice| Ok(change(&run.rsa_pad(&run.inner(|_| {}), dice)?))).await
}

/// A change of the 224 bytes of data_with_hash is refused.
async fn refuses_block(probe: &mut Probe, what: &str, change: impl Fn(&mut [u8])) -> Outcome {
    refuses_encrypted(probe, what, |run, dice| {
        Ok(run.rsa_pad_with(&run.inner(|_| {}), dice, &change)?.to_vec())
    })
    .await
}

async fn factors_of_another_run(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let other = probe.open(&mut wire).await?;
    refuses_factors(probe, "req_DH_params with the factors of another run", |_| {
        (other.p.clone(), other.q.clone())
    })
    .await
}

async fn padded_factors(probe: &mut Probe) -> Outcome {
    takes_proof(probe, "req_DH_params with p and q of 8 bytes", |run, dice| {
        let data = run.rsa_pad(&run.inner(|_| {}), dice)?;
        let wide = |prime: &[u8]| zeros_before(prime, 8usize.saturating_sub(prime.len()));
        let (p, q) = (wide(&run.p), wide(&run.q));
        Ok(to_bytes(&ReqDhParams { p: &p, q: &q, ..run.query(&data) }))
    })
    .await
}

/// RSA_PAD again and again until the ciphertext is as `wanted`.
fn rsa_pad_until(run: &Exchange, dice: &mut Dice, wanted: impl Fn(&[u8]) -> bool) -> Outcome<[u8; 256]> {
    let inner = run.inner(|_| {});
    for _ in 0..MOST_DRAWS {
        let data = run.rsa_pad(&inner, dice)?;
        if wanted(&data) {
            return Ok(data);
        }
    }
    not_reached(format!("{MOST_DRAWS} ciphertexts were none of the kind"))
}

async fn leading_zero(probe: &mut Probe) -> Outcome {
    takes_proof(probe, "req_DH_params whose encrypted_data begins with a zero", |run, dice| {
        let data = rsa_pad_until(run, dice, |data| data.starts_with(&[0]))?;
        Ok(run.req_dh_params(&data, |_| {}))
    })
    .await
}

/// A right ciphertext plus the modulus, still of 256 bytes.
fn beyond_modulus(run: &Exchange, dice: &mut Dice) -> Outcome<Vec<u8>> {
    let data = rsa_pad_until(run, dice, |data| sum(data, run.key.n()).starts_with(&[0]))?;
    Ok(sum(&data, run.key.n()).split_off(1))
}

async fn older_scheme(probe: &mut Probe) -> Outcome {
    refuses_encrypted(probe, "req_DH_params in the older RSA scheme", |run, dice| {
        Ok(rsa_old::wrap(&run.inner(|_| {}), &run.key, dice).map_err(misuse)?.to_vec())
    })
    .await
}
