//! Takes TL values off the front of a byte slice.

use crate::{BOOL_FALSE, BOOL_TRUE, Error, LongVec, VECTOR};

/// How deep values of a type that contains itself (`JSONValue`) may be nested.
pub const MAX_DEPTH: u8 = 32;

/// Reads TL values off the front of a slice, and lends from it for `'a`.
///
/// After an error the position is unspecified but inside the slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    position: usize,
    depth: u8,
}

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, position: 0, depth: 0 }
    }

    /// How many bytes were read: the offset of the next one.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// How many bytes are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `n` bytes as they stand.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] if fewer are left.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or_else(|| self.ends(n))?;
        self.advance(n, rest);
        Ok(taken)
    }

    /// The next `N` bytes as they stand.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Error> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| self.ends(N))?;
        self.advance(N, rest);
        Ok(taken)
    }

    /// All bytes that are left: an `Object` or `!X` at the end of what encloses it.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.rest;
        self.advance(rest.len(), &[]);
        rest
    }

    /// `int`, or a constructor id: 4 bytes, little-endian.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] if fewer are left.
    pub fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(*self.array()?))
    }

    /// `int`: 4 bytes, little-endian.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] if fewer are left.
    pub fn i32(&mut self) -> Result<i32, Error> {
        Ok(i32::from_le_bytes(*self.array()?))
    }

    /// `long`: 8 bytes, little-endian.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] if fewer are left.
    pub fn i64(&mut self) -> Result<i64, Error> {
        Ok(i64::from_le_bytes(*self.array()?))
    }

    /// `double`: 8 bytes, IEEE 754, little-endian.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] if fewer are left.
    pub fn f64(&mut self) -> Result<f64, Error> {
        Ok(f64::from_le_bytes(*self.array()?))
    }

    /// `int128`: 16 bytes as they stand.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] if fewer are left.
    pub fn int128(&mut self) -> Result<[u8; 16], Error> {
        self.array().copied()
    }

    /// `int256`: 32 bytes as they stand, lent because the schema has it for a secret only.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] if fewer are left.
    pub fn int256(&mut self) -> Result<&'a [u8; 32], Error> {
        self.array()
    }

    /// `Bool`: the id of `boolTrue` or `boolFalse`.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`], and [`Error::UnknownConstructor`] for any other id.
    pub fn bool(&mut self) -> Result<bool, Error> {
        let at = self.position;
        match self.u32()? {
            BOOL_TRUE => Ok(true),
            BOOL_FALSE => Ok(false),
            id => Err(Error::UnknownConstructor { at, id }),
        }
    }

    /// `string` or `bytes`, with the padding after it.
    ///
    /// A long form that the length did not need and padding other than zero are taken: the documents forbid neither.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] if string or padding are cut, [`Error::StringPrefix`] if the first byte is 255.
    pub fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let at = self.position;
        let [first] = *self.array()?;
        let len = match first {
            255 => return Err(Error::StringPrefix { at }),
            254 => {
                let [low, middle, high] = *self.array()?;
                u32::from_le_bytes([low, middle, high, 0]) as usize
            }
            short => usize::from(short),
        };
        let bytes = self.take(len)?;
        let filled = self.position.wrapping_sub(at);
        self.take(filled.wrapping_neg() & 3)?;
        Ok(bytes)
    }

    /// The constructor id that comes next, without taking it.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] if fewer than 4 bytes are left.
    pub fn peek_id(&self) -> Result<u32, Error> {
        self.clone().u32()
    }

    /// Takes the constructor id `id`.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`], and [`Error::UnknownConstructor`] for any other id.
    pub fn expect_id(&mut self, id: u32) -> Result<(), Error> {
        let at = self.position;
        let found = self.u32()?;
        if found == id { Ok(()) } else { Err(Error::UnknownConstructor { at, id: found }) }
    }

    /// `Vector<long>`, lent.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`], and [`Error::UnknownConstructor`] if it is not a vector.
    pub fn longs(&mut self) -> Result<LongVec<'a>, Error> {
        self.expect_id(VECTOR)?;
        self.bare_longs()
    }

    /// `vector<long>`, lent.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`].
    pub fn bare_longs(&mut self) -> Result<LongVec<'a>, Error> {
        let count = self.u32()? as usize;
        let bytes = self.take(count.saturating_mul(8))?;
        Ok(LongVec::from_wire(bytes.as_chunks().0))
    }

    /// `Vector<T>`, its items read by `item`.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`], [`Error::UnknownConstructor`] if it is not a vector, and those of `item`.
    pub fn vector<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        self.expect_id(VECTOR)?;
        self.bare_vector(item)
    }

    /// `vector<T>`, its items read by `item`. The list grows with the items that are there, not with their count.
    ///
    /// # Errors
    /// [`Error::UnexpectedEnd`] and those of `item`.
    pub fn bare_vector<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let count = self.u32()? as usize;
        let least = count.saturating_mul(4); // An item has 4 bytes at least, so this bounds the loop.
        if least > self.remaining() {
            return Err(self.ends(least));
        }
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A field that is there only if its flag is set.
    ///
    /// # Errors
    /// Those of `value`.
    pub fn optional<T>(
        &mut self,
        present: bool,
        value: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        if present { value(self).map(Some) } else { Ok(None) }
    }

    /// An `Object` after the `int` that tells its length, both of a `message`.
    ///
    /// # Errors
    /// [`Error::BodyLength`] if the length is negative or not divisible by 4, [`Error::UnexpectedEnd`].
    pub fn sized_object(&mut self) -> Result<&'a [u8], Error> {
        let at = self.position;
        let len = self.i32()?;
        match usize::try_from(len) {
            Ok(size) if size.is_multiple_of(4) => self.take(size),
            _ => Err(Error::BodyLength { at, len }),
        }
    }

    /// Reads a value of a type that may contain itself.
    ///
    /// # Errors
    /// [`Error::TooDeep`] below [`MAX_DEPTH`] levels, and those of `value`.
    pub fn nested<T>(&mut self, value: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth >= MAX_DEPTH {
            return Err(Error::TooDeep { at: self.position });
        }
        self.depth = self.depth.saturating_add(1);
        let read = value(self);
        self.depth = self.depth.saturating_sub(1);
        read
    }

    fn advance(&mut self, n: usize, rest: &'a [u8]) {
        self.rest = rest;
        self.position = self.position.saturating_add(n); // never above the length of a slice
    }

    fn ends(&self, needed: usize) -> Error {
        Error::UnexpectedEnd { at: self.position, needed }
    }
}
