//! Bytes that have arrived and are not yet used.

/// One compact run of bytes. It holds no memory while it is empty, so an idle connection costs none.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Where the unused bytes begin; what stands before is used up.
    start: usize,
}

impl Buffer {
    /// Adds what arrived and lends it, so that it can be decrypted in place.
    pub(super) fn append(&mut self, arrived: &[u8]) -> &mut [u8] {
        self.bytes.drain(..self.start);
        self.start = 0;
        let before = self.bytes.len();
        self.bytes.extend_from_slice(arrived);
        self.bytes.get_mut(before..).unwrap_or_default()
    }

    /// What has arrived and is unused.
    pub(super) fn unused(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The same, to be decrypted in place.
    pub(super) fn unused_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..).unwrap_or_default()
    }

    /// Uses up `count` bytes, at most all, and gives memory back once three quarters of it are free.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.bytes.len());
        if self.unused().len() <= self.bytes.capacity() / 4 {
            self.bytes = self.unused().to_vec();
            self.start = 0;
        }
    }

    /// Memory held, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn bytes_come_out_in_the_order_in_which_they_arrived() {
        let mut buffer = Buffer::default();
        buffer.append(b"abc").make_ascii_uppercase();
        buffer.consume(2);
        buffer.append(b"def");
        assert_eq!(buffer.unused(), b"Cdef");
        buffer.consume(9);
        assert_eq!(buffer.unused(), b"");
    }

    #[test]
    fn a_buffer_shrinks_with_what_it_holds_and_is_gone_when_empty() {
        let mut buffer = Buffer::default();
        buffer.append(&[7; 100_000]);
        buffer.consume(99_990);
        assert_eq!(buffer.unused(), [7; 10]);
        assert!(buffer.capacity() < 100, "{} bytes for 10", buffer.capacity());
        buffer.consume(10);
        assert_eq!(buffer.capacity(), 0);
    }
}
