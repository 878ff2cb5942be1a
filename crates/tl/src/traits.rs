//! What the generated types have in common, and the functions that most callers need.

use zeroize::Zeroizing;

use crate::sink::Counter;
use crate::{Error, Reader, Sink};

/// A constructor or function of the schema.
pub trait Constructor {
    /// Its number: the CRC32 of its line in the schema.
    const ID: u32;
    /// Its name as in the schema, such as `auth.bindTempAuthKey`.
    const NAME: &'static str;
}

/// A boxed value: its constructor id, then its fields.
pub trait Read<'a>: Sized {
    /// Reads the id, checks it, and reads the fields.
    ///
    /// # Errors
    /// [`Error`] if the bytes are no such value.
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error>;
}

/// A boxed value: its constructor id, then its fields.
pub trait Write {
    /// Writes the id and the fields to any sink.
    fn write_to<S: Sink>(&self, out: &mut S);

    /// Appends the id and the fields; exactly [`encoded_len`](Self::encoded_len) bytes.
    fn write(&self, out: &mut Vec<u8>) {
        self.write_to(out);
    }

    /// How many bytes [`write`](Self::write) appends.
    fn encoded_len(&self) -> usize {
        let mut counter = Counter::default();
        self.write_to(&mut counter);
        counter.0
    }
}

/// A bare value: the fields without the constructor id.
pub trait ReadBare<'a>: Constructor + Sized {
    /// Reads the fields.
    ///
    /// # Errors
    /// [`Error`] if the bytes are no such value.
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error>;
}

/// A bare value: the fields without the constructor id.
pub trait WriteBare: Constructor {
    /// Writes the fields to any sink.
    fn write_bare<S: Sink>(&self, out: &mut S);
}

impl<'a, T: ReadBare<'a>> Read<'a> for T {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        reader.expect_id(T::ID)?;
        T::read_bare(reader)
    }
}

impl<T: WriteBare> Write for T {
    fn write_to<S: Sink>(&self, out: &mut S) {
        out.u32(T::ID);
        self.write_bare(out);
    }
}

impl<'a> Read<'a> for bool {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        reader.bool()
    }
}

impl Write for bool {
    fn write_to<S: Sink>(&self, out: &mut S) {
        out.bool(*self);
    }
}

/// The bytes of a value.
#[must_use]
pub fn to_bytes(value: &impl Write) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.encoded_len());
    value.write(&mut out);
    out
}

/// The bytes of a value that holds a secret: allocated once at their final size, wiped on drop.
#[must_use]
pub fn to_secret_bytes(value: &impl Write) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(to_bytes(value))
}

/// Reads a value that takes up all of `bytes`.
///
/// # Errors
/// [`Error::Trailing`] if bytes follow it, and the errors of the value.
pub fn read_exact<'a, T: Read<'a>>(bytes: &'a [u8]) -> Result<T, Error> {
    let (value, at) = read_prefix(bytes)?;
    match bytes.len().saturating_sub(at) {
        0 => Ok(value),
        len => Err(Error::Trailing { at, len }),
    }
}

/// Reads a value off the front of `bytes`, and tells how many bytes it took up.
///
/// # Errors
/// The errors of the value.
pub fn read_prefix<'a, T: Read<'a>>(bytes: &'a [u8]) -> Result<(T, usize), Error> {
    let mut reader = Reader::new(bytes);
    let value = T::read(&mut reader)?;
    Ok((value, reader.position()))
}
