//! Public values: g_a and g_b.

use core::fmt;

use super::{BYTES, DhError, SafePrimeGroup, padded};
use crate::enforce;

/// A public value within the range that makes it safe to raise to a secret exponent.
#[derive(Clone, Eq, PartialEq)]
pub struct PublicValue([u8; BYTES]);

/// 2^(2048-64), big-endian.
const MARGIN: [u8; BYTES] = {
    let mut margin = [0; BYTES];
    margin[7] = 1;
    margin
};

impl PublicValue {
    /// Checks `2^(2048-64) <= value <= dh_prime - 2^(2048-64)` for big-endian bytes with or without leading zeros.
    ///
    /// The stricter, recommended range is used; it implies the required `1 < value < dh_prime - 1`. Our own values go
    /// through the same check before they are sent.
    ///
    /// Source: Creating an Authorization Key, step 9, paragraph "IMPORTANT" (rule HS-20).
    ///
    /// # Errors
    /// [`DhError::PublicValueTooLow`], [`DhError::PublicValueTooHigh`].
    pub fn parse(bytes: &[u8], group: &SafePrimeGroup) -> Result<Self, DhError> {
        let value = padded(bytes).ok_or(DhError::PublicValueTooHigh)?;
        enforce!("HS-20.low", value >= MARGIN, DhError::PublicValueTooLow);
        enforce!("HS-20.high", value <= highest(group), DhError::PublicValueTooHigh);
        Ok(Self(value))
    }

    /// The value, big-endian, leading zeros kept.
    #[must_use]
    pub fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

/// dh_prime - 2^(2048-64): only the top 8 bytes differ, and a prime of 2048 bits has something to take away there.
fn highest(group: &SafePrimeGroup) -> [u8; BYTES] {
    let mut value = *group.prime();
    if let Some(top) = value.first_chunk_mut::<8>() {
        *top = u64::from_be_bytes(*top).wrapping_sub(1).to_be_bytes();
    }
    value
}

impl fmt::Debug for PublicValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "PublicValue({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}
