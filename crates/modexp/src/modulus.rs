//! Modular exponentiation, one to eight at a time.

use core::fmt;
use core::ops::Index;

use zeroize::Zeroizing;

use crate::Error;
use crate::bignum::{BigNum, Montgomery, Scratch, done, minimal};
use crate::scrub::{DEEP, scrubbed};

/// The largest number of operations in one batch.
pub const BATCH: usize = 8;

/// The longest modulus, in bytes: bounds what a stranger's number can cost.
pub(crate) const MAX_BYTES: usize = 1024;

/// An odd, public modulus with its Montgomery constants.
pub struct Modulus {
    number: BigNum,
    montgomery: Montgomery,
    len: usize,
}

/// One operation: `base ^ exponent mod modulus`, both big-endian.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    /// Below the modulus; leading zeros are allowed.
    pub base: &'a [u8],
    /// The time taken depends on the number of bytes, not on their values.
    pub exponent: &'a [u8],
}

impl fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pair(..)")
    }
}

impl fmt::Debug for Modulus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modulus").field("len", &self.len).finish_non_exhaustive()
    }
}

impl Modulus {
    /// Prepares a modulus given as big-endian bytes; leading zeros are allowed.
    ///
    /// # Errors
    /// [`Error::Modulus`] if it is even, below 3, or longer than 8192 bits; [`Error::Library`] without memory.
    pub fn new(be: &[u8]) -> Result<Self, Error> {
        let be = minimal(be);
        let odd = be.last().is_some_and(|byte| byte & 1 == 1);
        if !odd || be == [1] || be.len() > MAX_BYTES {
            return Err(Error::Modulus);
        }
        let number = BigNum::from_be(be)?;
        let montgomery = Montgomery::new(&number)?;
        Ok(Self { number, montgomery, len: be.len() })
    }

    /// The length in bytes, without leading zeros.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a modulus is never empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Raises one to eight bases to their exponents.
    ///
    /// Constant time in the exponents: only their lengths in bytes, the bases' comparison with the modulus, and the
    /// modulus itself show in the time. Nothing of the operands or results stays behind on heap or stack.
    ///
    /// # Errors
    /// [`Error::BatchSize`], [`Error::NotReduced`] for a base that is not below the modulus, [`Error::EmptyExponent`],
    /// [`Error::Library`].
    pub fn power(&self, pairs: &[Pair<'_>]) -> Result<Results, Error> {
        if pairs.is_empty() || pairs.len() > BATCH {
            return Err(Error::BatchSize);
        }
        scrubbed::<DEEP, _>(|| {
            let mut results = Results(Vec::with_capacity(pairs.len()));
            for chunk in pairs.chunks(2) {
                self.power_chunk(chunk, &mut results)?;
            }
            Ok(results)
        })
    }

    fn power_chunk(&self, chunk: &[Pair<'_>], results: &mut Results) -> Result<(), Error> {
        let operands = chunk.iter().map(|pair| Operands::new(self, pair)).collect::<Result<Vec<_>, _>>()?;
        match operands.as_slice() {
            [one] => self.power_one(one)?,
            [one, two] => self.power_two(one, two)?,
            _ => return Err(Error::BatchSize),
        }
        for operand in &operands {
            results.0.push(operand.result.to_be(self.len)?);
        }
        Ok(())
    }

    fn power_one(&self, one: &Operands) -> Result<(), Error> {
        let mut scratch = Scratch::new()?;
        // SAFETY: all numbers are initialized and live through the call; `result` is no input; the modulus is odd and
        // the base below it (both checked at construction), as the function requires.
        done(unsafe {
            aws_lc_sys::BN_mod_exp_mont_consttime(
                one.result.as_mut_ptr(),
                one.base.as_ptr(),
                one.exponent.as_ptr(),
                self.number.as_ptr(),
                scratch.as_mut_ptr(),
                self.montgomery.as_ptr(),
            )
        })
    }

    /// Two at once: one interleaved computation on a processor with AVX-512 IFMA, two in turn elsewhere.
    fn power_two(&self, one: &Operands, two: &Operands) -> Result<(), Error> {
        let mut scratch = Scratch::new()?;
        // SAFETY: as in `power_one`, for both; the two results are different objects.
        done(unsafe {
            aws_lc_sys::BN_mod_exp_mont_consttime_x2(
                one.result.as_mut_ptr(),
                one.base.as_ptr(),
                one.exponent.as_ptr(),
                self.number.as_ptr(),
                self.montgomery.as_ptr(),
                two.result.as_mut_ptr(),
                two.base.as_ptr(),
                two.exponent.as_ptr(),
                self.number.as_ptr(),
                self.montgomery.as_ptr(),
                scratch.as_mut_ptr(),
            )
        })
    }
}

/// One operation in the library's form.
struct Operands {
    base: BigNum,
    exponent: BigNum,
    result: BigNum,
}

impl Operands {
    /// Pads the base to the modulus's width, which the two-at-once code asks for, and checks it.
    fn new(modulus: &Modulus, pair: &Pair<'_>) -> Result<Self, Error> {
        if pair.exponent.is_empty() {
            return Err(Error::EmptyExponent);
        }
        let base = minimal(pair.base);
        let pad = modulus.len.checked_sub(base.len()).ok_or(Error::NotReduced)?;
        let mut padded = Zeroizing::new(vec![0; modulus.len]);
        padded[pad..].copy_from_slice(base);
        let base = BigNum::from_be(&padded)?;
        if !base.is_below(&modulus.number) {
            return Err(Error::NotReduced);
        }
        Ok(Self { base, exponent: BigNum::from_be(pair.exponent)?, result: BigNum::zero()? })
    }
}

/// The results of a batch in the order of its pairs, each as long as the modulus, big-endian, left-padded, wiped on drop.
pub struct Results(pub(crate) Vec<Zeroizing<Vec<u8>>>);

impl Results {
    /// How many there are: as many as operations went in.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The result of operation `index`, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.0.get(index).map(|result| result.as_slice())
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.0.iter().map(|result| result.as_slice())
    }
}

impl Index<usize> for Results {
    type Output = [u8];

    fn index(&self, index: usize) -> &[u8] {
        &self.0[index]
    }
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Results({} ..)", self.len())
    }
}
