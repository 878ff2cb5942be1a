//! Where TL values are written to: a buffer, or a counter of bytes.

use crate::{BOOL_FALSE, BOOL_TRUE, LongVec, VECTOR};

/// The longest TL string: its length has 24 bits.
pub const MAX_STRING: usize = 0xff_ffff;

/// Takes the bytes of TL values.
///
/// Length and bytes of a value come from the same code run over two sinks, so they cannot disagree.
pub trait Sink: Sized {
    /// Takes bytes as they stand.
    fn raw(&mut self, bytes: &[u8]);

    /// A constructor id, or flags.
    fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    /// `int`.
    fn i32(&mut self, value: i32) {
        self.raw(&value.to_le_bytes());
    }

    /// `long`.
    fn i64(&mut self, value: i64) {
        self.raw(&value.to_le_bytes());
    }

    /// `double`.
    fn f64(&mut self, value: f64) {
        self.raw(&value.to_le_bytes());
    }

    /// `Bool`.
    fn bool(&mut self, value: bool) {
        self.u32(if value { BOOL_TRUE } else { BOOL_FALSE });
    }

    /// `string` or `bytes`: the shortest form, padded with zeros to a multiple of 4.
    ///
    /// # Panics
    /// Beyond [`MAX_STRING`] bytes, for which TL has no form.
    fn bytes(&mut self, bytes: &[u8]) {
        let len = bytes.len();
        assert!(len <= MAX_STRING, "a TL string has fewer than 2^24 bytes");
        let [low, middle, high, ..] = len.to_le_bytes();
        let head: &[u8] = if len < 254 { &[low] } else { &[254, low, middle, high] };
        self.raw(head);
        self.raw(bytes);
        match head.len().wrapping_add(len) & 3 {
            1 => self.raw(&[0; 3]),
            2 => self.raw(&[0; 2]),
            3 => self.raw(&[0]),
            _ => {}
        }
    }

    /// `Vector<long>`.
    fn longs(&mut self, longs: &LongVec<'_>) {
        self.u32(VECTOR);
        self.bare_longs(longs);
    }

    /// `vector<long>`.
    fn bare_longs(&mut self, longs: &LongVec<'_>) {
        self.length(longs.len());
        longs.iter().for_each(|long| self.i64(long));
    }

    /// `Vector<T>`, its items written by `item`.
    fn vector<T>(&mut self, items: &[T], item: impl FnMut(&mut Self, &T)) {
        self.u32(VECTOR);
        self.bare_vector(items, item);
    }

    /// `vector<T>`, its items written by `item`.
    fn bare_vector<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.length(items.len());
        items.iter().for_each(|value| item(self, value));
    }

    /// An `Object` behind the `int` that tells its length, both of a `message`.
    fn sized_object(&mut self, object: &[u8]) {
        self.length(object.len());
        self.raw(object);
    }

    /// A length or count as an `int`.
    ///
    /// # Panics
    /// From 2^31 on, which no frame could hold.
    #[expect(clippy::expect_used, reason = "our own misuse; no input from the wire is that long")]
    fn length(&mut self, len: usize) {
        self.i32(i32::try_from(len).expect("a TL length has 31 bits"));
    }
}

impl Sink for Vec<u8> {
    fn raw(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts bytes and keeps none.
#[derive(Default)]
pub(crate) struct Counter(pub(crate) usize);

impl Sink for Counter {
    fn raw(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }
}
