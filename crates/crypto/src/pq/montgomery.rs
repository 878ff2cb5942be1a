//! Arithmetic modulo an odd number of up to 64 bits in Montgomery form: a number x stands as x * 2^64 mod n.

/// An odd modulus and its constants.
#[derive(Clone, Copy)]
pub(super) struct Montgomery {
    n: u64,
    /// The inverse of n modulo 2^64.
    inverse: u64,
    /// 1 in Montgomery form.
    one: u64,
}

#[expect(clippy::arithmetic_side_effects, reason = "bounds are stated where they matter; n is not 0")]
impl Montgomery {
    /// `None` for an even modulus or 1.
    pub(super) fn new(n: u64) -> Option<Self> {
        if n.is_multiple_of(2) || n == 1 {
            return None;
        }
        // Newton's iteration: each step doubles the number of right bits, beginning with 5.
        let mut inverse = n.wrapping_mul(3) ^ 2;
        for _ in 0..4 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(n.wrapping_mul(inverse)));
        }
        let one = ((1_u128 << 64) % u128::from(n)) as u64;
        Some(Self { n, inverse, one })
    }

    pub(super) fn n(&self) -> u64 {
        self.n
    }

    pub(super) fn one(&self) -> u64 {
        self.one
    }

    /// The Montgomery form of `x`.
    pub(super) fn enter(&self, x: u64) -> u64 {
        ((u128::from(x) << 64) % u128::from(self.n)) as u64
    }

    /// The product, of and in Montgomery form. Both factors are below n, and so is the result.
    #[inline]
    pub(super) fn mul(&self, a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        let quotient = (product as u64).wrapping_mul(self.inverse);
        let subtrahend = ((u128::from(quotient) * u128::from(self.n)) >> 64) as u64;
        // The low halves are equal and cancel, so the difference of the high halves is the exact quotient by 2^64.
        let (difference, borrow) = ((product >> 64) as u64).overflowing_sub(subtrahend);
        if borrow { difference.wrapping_add(self.n) } else { difference }
    }

    /// `a + b`, both below n, without overflow for any n.
    #[inline]
    pub(super) fn add(&self, a: u64, b: u64) -> u64 {
        let room = self.n - b;
        if a >= room { a - room } else { a + b }
    }

    pub(super) fn pow(&self, base: u64, exponent: u64) -> u64 {
        let bits = (0..u64::BITS - exponent.leading_zeros()).rev();
        bits.fold(self.one, |power, bit| {
            let square = self.mul(power, power);
            if exponent >> bit & 1 == 1 { self.mul(square, base) } else { square }
        })
    }

    /// One round of Miller-Rabin.
    pub(super) fn is_strong_probable_prime(&self, base: u64) -> bool {
        let base = self.enter(base);
        let minus_one = self.n - self.one;
        let twos = (self.n - 1).trailing_zeros();
        let mut power = self.pow(base, (self.n - 1) >> twos);
        if base == 0 || power == self.one || power == minus_one {
            return true;
        }
        (1..twos).any(|_| {
            power = self.mul(power, power);
            power == minus_one
        })
    }
}
