//! Brent's variant of Pollard's rho: a factor p is found after some sqrt(p) products.
//!
//! Source: Brent, "An improved Monte Carlo factorization algorithm" (1980).

use super::SMALL_PRIMES;
use super::montgomery::Montgomery;

/// Differences multiplied together before a greatest common divisor is taken.
const BATCH: u64 = 128;

/// Steps after which a walk is given up: many times what the largest possible smaller factor, below 2^31.5, needs.
const STEPS: u64 = 1 << 20;

/// Walks that are tried.
const WALKS: u64 = 16;

/// A factor of `n` other than 1 and `n`; `None` for primes and numbers that withstand all walks.
pub(super) fn split(n: u64) -> Option<u64> {
    let small = SMALL_PRIMES.into_iter().find(|prime| n.is_multiple_of(*prime) && n != *prime);
    small.or_else(|| {
        let field = Montgomery::new(n)?;
        (1..=WALKS).find_map(|constant| Walk::new(field, constant).factor())
    })
}

/// The walk x -> x^2 + c, which runs into a cycle modulo the unknown factor long before it does modulo n.
struct Walk {
    field: Montgomery,
    constant: u64,
    /// Where the walk stood at the last power of two of steps.
    anchor: u64,
    here: u64,
}

impl Walk {
    fn new(field: Montgomery, constant: u64) -> Self {
        let start = field.enter(2);
        Self { field, constant: field.enter(constant), anchor: start, here: start }
    }

    fn factor(mut self) -> Option<u64> {
        let mut stride = 1_u64;
        while stride <= STEPS {
            self.anchor = self.here;
            self.advance(stride);
            let mut walked = 0;
            while walked < stride {
                let batch = BATCH.min(stride.wrapping_sub(walked));
                if let Some(outcome) = self.batch(batch) {
                    return Some(outcome).filter(|factor| *factor != self.field.n());
                }
                walked = walked.wrapping_add(batch);
            }
            stride = stride.wrapping_mul(2);
        }
        None
    }

    fn advance(&mut self, steps: u64) {
        for _ in 0..steps {
            self.here = self.next();
        }
    }

    #[inline]
    fn next(&self) -> u64 {
        self.field.add(self.field.mul(self.here, self.here), self.constant)
    }

    /// Walks on, and looks once for a factor of the differences to the anchor. If the batch caught all of n at once, its
    /// steps are taken again one by one.
    fn batch(&mut self, steps: u64) -> Option<u64> {
        let start = self.here;
        let mut product = self.field.one();
        for _ in 0..steps {
            self.here = self.next();
            product = self.field.mul(product, self.here.abs_diff(self.anchor));
        }
        match gcd(product, self.field.n()) {
            1 => None,
            all if all == self.field.n() => {
                self.here = start;
                self.one_by_one(steps)
            }
            factor => Some(factor),
        }
    }

    fn one_by_one(&mut self, steps: u64) -> Option<u64> {
        (0..steps).find_map(|_| {
            self.here = self.next();
            Some(gcd(self.here.abs_diff(self.anchor), self.field.n())).filter(|factor| *factor != 1)
        })
    }
}

/// The greatest common divisor of any number and an odd one, by halving.
fn gcd(mut a: u64, mut odd: u64) -> u64 {
    while a != 0 {
        a >>= a.trailing_zeros();
        (a, odd) = (a.abs_diff(odd), a.min(odd));
    }
    odd
}
