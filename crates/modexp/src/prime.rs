//! Primality of public numbers.

use crate::bignum::{BigNum, Scratch, done, minimal};
use crate::modulus::MAX_BYTES;
use crate::{Error, Modulus, Pair};

/// Rounds of Miller-Rabin with random bases for a number that somebody hostile may have chosen: a composite passes with
/// probability below 2^-128.
const ROUNDS: u32 = 64;

/// Whether the big-endian number passes `rounds` rounds of Miller-Rabin with random bases (1 to 1000).
///
/// The number is public: the time tells much about it.
///
/// # Errors
/// [`Error::Modulus`] if the number is longer than 8192 bits, [`Error::BatchSize`] for a number of rounds out of range.
pub fn is_prime(be: &[u8], rounds: u32) -> Result<bool, Error> {
    let be = minimal(be);
    if be.len() > MAX_BYTES {
        return Err(Error::Modulus);
    }
    let rounds =
        i32::try_from(rounds).ok().filter(|rounds| (1..=1000).contains(rounds)).ok_or(Error::BatchSize)?;
    let number = BigNum::from_be(be)?;
    let mut scratch = Scratch::new()?;
    let mut probably = 0;
    // SAFETY: the number and the scratch live through the call, `probably` is writable, and no callback is given.
    done(unsafe {
        aws_lc_sys::BN_primality_test(
            &mut probably,
            number.as_ptr(),
            rounds,
            scratch.as_mut_ptr(),
            1,
            core::ptr::null_mut(),
        )
    })?;
    Ok(probably == 1)
}

/// Whether the big-endian number p and (p-1)/2 are both prime. Numbers below 23 count as too small to be one.
///
/// q = (p-1)/2 is put through 64 rounds of Miller-Rabin. Given q, one exponentiation proves p (Pocklington): q is a prime
/// factor of p-1 above the square root of p, so p is prime if 2^(p-1) = 1 (mod p) and 2^2 - 1 = 3 does not divide p.
///
/// # Errors
/// As [`is_prime`].
pub fn is_safe_prime(be: &[u8]) -> Result<bool, Error> {
    let be = minimal(be);
    if be.len() > MAX_BYTES {
        return Err(Error::Modulus);
    }
    let small = be.len() < 2 && be.first().is_none_or(|byte| *byte < 23);
    if small || be.last().is_none_or(|byte| byte & 3 != 3) || divisible_by_three(be) {
        return Ok(false);
    }
    let p = Modulus::new(be)?;
    let less_one = with_last_byte(be, |last| last & !1);
    // The cheap half first: a composite p nearly always fails it, and then q need not be looked at.
    let fermat = p.power(&[Pair { base: &[2], exponent: &less_one }])?;
    let is_one = matches!(minimal(&fermat[0]), [1]);
    Ok(is_one && is_prime(&halved(&less_one), ROUNDS)?)
}

fn divisible_by_three(be: &[u8]) -> bool {
    // 256 is 1 modulo 3, so the bytes' sum has the number's remainder.
    be.iter().map(|byte| u32::from(*byte)).sum::<u32>() % 3 == 0
}

fn with_last_byte(be: &[u8], change: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut bytes = be.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last = change(*last);
    }
    bytes
}

fn halved(be: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    be.iter().map(|byte| (byte >> 1) | core::mem::replace(&mut carry, byte << 7)).collect()
}
