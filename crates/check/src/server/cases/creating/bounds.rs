//! g_b at and around every bound: rule HS-20.

use super::{answered, refused, refuses_client_data, sum};
use crate::case::cases;
use crate::server::Entry;
use crate::server::exchange::{Exchange, hashed};
use crate::server::probe::Probe;
use crate::verdict::Outcome;

/// Bytes of a number of 2048 bits.
const BYTES: usize = 256;

cases! {
    "HS-20/1" Must "g_b = 1"
        why "the key is then 1 whatever a is, so whoever changes g_b on the way knows the key"
        expected "-404, and the run is spent"
        refuses("set_client_DH_params with g_b = 1", |_| vec![1]);
    "HS-20/2" Must "g_b = 0"
        why "the key is then 0 whatever a is, so whoever changes g_b on the way knows the key"
        expected "-404, and the run is spent"
        refuses("set_client_DH_params with g_b = 0", |_| vec![0]);
    "HS-20/3" Must "g_b is empty"
        why "read as a number it is 0, and the key with it"
        expected "-404, and the run is spent"
        refuses("set_client_DH_params with an empty g_b", |_| Vec::new());
    "HS-20/4" Must "g_b = dh_prime - 1"
        why "the key is then 1 or dh_prime - 1: one guess in two is right"
        expected "-404, and the run is spent"
        refuses("set_client_DH_params with g_b = dh_prime - 1", |prime| less(prime, &[1]));
    "HS-20/5" Must "g_b = dh_prime"
        why "it is 0 modulo the prime, and the key with it"
        expected "-404, and the run is spent"
        refuses("set_client_DH_params with g_b = dh_prime", |prime| prime.to_vec());
    "HS-20/6" Must "g_b = dh_prime + 1"
        why "it is 1 modulo the prime, and the key with it"
        expected "-404, and the run is spent"
        refuses("set_client_DH_params with g_b = dh_prime + 1", |prime| shortest(sum(prime, &[1])));
    "HS-20/7" Must "g_b = 2^2048 + a right g_b, 257 bytes"
        why "a server that cuts the number to 256 bytes makes a key from what the client did not send"
        expected "-404, and the run is spent"
        one_byte_too_long;
    "HS-20/8" Must "g_b = dh_prime + a right g_b"
        why "a server that reduces it takes two queries for one, and its check of the range was never made"
        expected "-404, and the run is spent"
        beyond_prime;
    "HS-20/9" Should "g_b = 2^1984 - 1"
        why "so small a value comes from an exponent, or a subgroup, that can be searched"
        expected "-404, and the run is spent"
        refuses("set_client_DH_params with g_b = 2^1984 - 1", |_| less(&margin(), &[1]));
    "HS-20/10" Should "g_b = dh_prime - 2^1984 + 1"
        why "it is a small number with its sign changed, and as easy to search"
        expected "-404, and the run is spent"
        refuses("set_client_DH_params with g_b = dh_prime - 2^1984 + 1", |prime| {
            shortest(sum(&less(prime, &margin()), &[1]))
        });
    "HS-20/11" Should "g_b = 2"
        why "it is over 1, but its logarithm is known to everybody"
        expected "-404, and the run is spent"
        refuses("set_client_DH_params with g_b = 2", |_| vec![2]);
    "HS-20/12" Compat "g_b = 2^1984"
        why "a server whose bound is one off refuses what a right client may send"
        expected "dh_gen_ok"
        takes("set_client_DH_params with g_b = 2^1984", |_| margin());
    "HS-20/13" Compat "g_b = dh_prime - 2^1984"
        why "a server whose bound is one off refuses what a right client may send"
        expected "dh_gen_ok"
        takes("set_client_DH_params with g_b = dh_prime - 2^1984", |prime| less(prime, &margin()));
}

/// 2^1984.
fn margin() -> Vec<u8> {
    let mut value = vec![0; BYTES];
    value[7] = 1;
    value
}

/// The difference of two big-endian numbers, of which the first is the larger and the longer one.
fn less(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = a.to_vec();
    let mut borrow = 0;
    for (at, byte) in out.iter_mut().rev().enumerate() {
        let taken = b.iter().rev().nth(at).map_or(0, |byte| i16::from(*byte)) + borrow;
        let rest = i16::from(*byte) - taken;
        borrow = i16::from(rest < 0);
        *byte = (rest & 0xff) as u8;
    }
    out
}

/// Without the zero in front that a sum may have.
fn shortest(mut sum: Vec<u8>) -> Vec<u8> {
    if sum.starts_with(&[0]) {
        sum.remove(0);
    }
    sum
}

/// `set_client_DH_params` with the g_b that `value` makes from the prime.
fn with_g_b(run: &Exchange, value: impl Fn(&[u8]) -> Vec<u8>) -> Outcome<Vec<u8>> {
    let g_b = value(run.group()?.prime());
    run.set_client(&hashed(&run.client_inner(|inner| inner.g_b = &g_b), 0))
}

async fn refuses(probe: &mut Probe, what: &str, value: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    refuses_client_data(probe, what, |run| with_g_b(run, &value)).await
}

/// Nobody knows the exponent: that the server goes on is all that can be seen.
async fn takes(probe: &mut Probe, what: &str, value: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.proven(&mut wire).await?;
    let query = with_g_b(&run, value)?;
    answered(probe, &mut wire, &query, what).await.map(|_| ())
}

async fn one_byte_too_long(probe: &mut Probe) -> Outcome {
    refuses_client_data(probe, "set_client_DH_params with g_b + 2^2048", |run| {
        with_g_b(run, |_| [&[1][..], &run.g_b].concat())
    })
    .await
}

async fn beyond_prime(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut run = probe.proven(&mut wire).await?;
    let prime = *run.group()?.prime();
    // Of 256 bytes still, so that the length alone is no reason to refuse it.
    run.draw_b_until(&mut probe.dice, |g_b| sum(&prime, g_b).starts_with(&[0]))?;
    let wrong = with_g_b(&run, |prime| shortest(sum(prime, &run.g_b)))?;
    let right = run.finish(0)?;
    refused(probe, &mut wire, &wrong, &right, "set_client_DH_params with g_b + dh_prime").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_added_and_taken_away_over_all_bytes() {
        assert_eq!(sum(&[0xff, 0xff], &[1]), [1, 0, 0]);
        assert_eq!(sum(&[2], &[0xff, 3]), [0, 0xff, 5]);
        assert_eq!(less(&[1, 0, 0], &[1]), [0, 0xff, 0xff]);
        assert_eq!(less(&[9, 9], &[]), [9, 9]);
        assert_eq!(shortest(sum(&[0xfe], &[1])), [0xff]);
        assert_eq!(shortest(sum(&[0xff], &[1])), [1, 0]);
    }
}
