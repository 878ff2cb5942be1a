//! A list of longs that need not be copied.

use core::fmt;
use std::borrow::Cow;

/// A list of longs: lent from the bytes that were read, lent from a slice, or owned.
#[derive(Clone)]
pub struct LongVec<'a>(Longs<'a>);

#[derive(Clone)]
enum Longs<'a> {
    Wire(&'a [[u8; 8]]),
    Native(Cow<'a, [i64]>),
}

impl<'a> LongVec<'a> {
    /// Lends a slice.
    #[must_use]
    pub fn from_slice(longs: &'a [i64]) -> Self {
        Self(Longs::Native(Cow::Borrowed(longs)))
    }

    /// Lends longs as they stand on the wire: 8 bytes each, little-endian.
    #[must_use]
    pub fn from_wire(longs: &'a [[u8; 8]]) -> Self {
        Self(Longs::Wire(longs))
    }

    /// How many longs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Longs::Wire(longs) => longs.len(),
            Longs::Native(longs) => longs.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The longs in their order.
    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        let (wire, native): (&[[u8; 8]], &[i64]) = match &self.0 {
            Longs::Wire(longs) => (longs, &[]),
            Longs::Native(longs) => (&[], longs),
        };
        wire.iter().map(|long| i64::from_le_bytes(*long)).chain(native.iter().copied())
    }

    /// Whether `long` is among them.
    #[must_use]
    pub fn contains(&self, long: i64) -> bool {
        self.iter().any(|other| other == long)
    }

    /// A copy that lends nothing.
    #[must_use]
    pub fn into_owned(self) -> LongVec<'static> {
        self.iter().collect()
    }
}

impl From<Vec<i64>> for LongVec<'_> {
    fn from(longs: Vec<i64>) -> Self {
        Self(Longs::Native(Cow::Owned(longs)))
    }
}

impl<'a> From<&'a [i64]> for LongVec<'a> {
    fn from(longs: &'a [i64]) -> Self {
        Self::from_slice(longs)
    }
}

impl FromIterator<i64> for LongVec<'_> {
    fn from_iter<I: IntoIterator<Item = i64>>(longs: I) -> Self {
        Self::from(longs.into_iter().collect::<Vec<_>>())
    }
}

impl Default for LongVec<'_> {
    fn default() -> Self {
        Self::from_slice(&[])
    }
}

impl PartialEq for LongVec<'_> {
    fn eq(&self, other: &LongVec<'_>) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for LongVec<'_> {}

impl fmt::Debug for LongVec<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
