//! The fuzzer's bytes, taken piece by piece.

/// The fuzzer's bytes. Where they run out, numbers are 0 and slices short: every input is a whole script.
#[derive(Clone, Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Begins at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all bytes were taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Acts on the bytes until they run out, `most` times at the most.
    pub fn in_turn(&mut self, most: usize, mut act: impl FnMut(&mut Self)) {
        for _ in 0..most {
            if self.is_empty() {
                return;
            }
            act(self);
        }
    }

    /// `n` bytes, or as many as are left.
    pub fn bytes(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        self.bytes(self.0.len())
    }

    /// `N` bytes, filled up with zeros.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let taken = self.bytes(N);
        let mut array = [0; N];
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    /// One byte.
    pub fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    /// Two bytes, little-endian.
    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    /// Four bytes, little-endian.
    pub fn i32(&mut self) -> i32 {
        i32::from_le_bytes(self.array())
    }

    /// Eight bytes, little-endian.
    pub fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.array())
    }

    /// As many bytes as one byte says.
    pub fn short(&mut self) -> &'a [u8] {
        let len = usize::from(self.u8());
        self.bytes(len)
    }

    /// As many whole words as one byte says, the last one filled up with zeros.
    pub fn words(&mut self) -> Vec<u8> {
        let len = usize::from(self.u8()) * 4;
        let mut words = self.bytes(len).to_vec();
        words.resize(words.len().next_multiple_of(4), 0);
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_in_their_order_and_zeros_after_them() {
        let mut input = Input::new(&[1, 2, 0, 2, 8, 9, 1, 7]);
        assert_eq!((input.u8(), input.u16(), input.short()), (1, 2, &[8, 9][..]));
        assert_eq!(input.words(), [7, 0, 0, 0]);
        assert!(input.is_empty());
        assert_eq!((input.i64(), input.array(), input.rest()), (0, [0; 3], &[][..]));
    }
}
