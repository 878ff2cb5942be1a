//! One direction of a TCP connection: segments in whatever order they were seen, bytes in the order in which they were sent.

use std::collections::BTreeMap;

/// Puts segments in order. A byte that was sent twice counts once, as it came first.
pub(super) struct Stream {
    /// The sequence number of the first byte.
    first: u32,
    /// How many bytes were given out.
    given: u64,
    waiting: BTreeMap<u64, Vec<u8>>,
}

impl Stream {
    /// Behind a SYN of this sequence number.
    pub(super) fn new(syn: u32) -> Self {
        Self { first: syn.wrapping_add(1), given: 0, waiting: BTreeMap::new() }
    }

    /// Takes a segment, and gives the bytes that are in order by now.
    pub(super) fn take(&mut self, sequence: u32, data: &[u8]) -> Vec<u8> {
        if let Some(at) = self.place(sequence).filter(|_| !data.is_empty()) {
            let longer = |old: &Vec<u8>| old.len() < data.len();
            if self.waiting.get(&at).is_none_or(longer) {
                self.waiting.insert(at, data.to_vec());
            }
        }
        let mut bytes = Vec::new();
        while let Some(first) = self.waiting.first_entry().filter(|first| *first.key() <= self.given) {
            let (at, data) = first.remove_entry();
            let known = usize::try_from(self.given.saturating_sub(at)).unwrap_or(usize::MAX);
            let new = data.get(known..).unwrap_or_default();
            bytes.extend_from_slice(new);
            self.given = self.given.saturating_add(new.len() as u64);
        }
        bytes
    }

    /// Whether bytes are missing before others that were seen.
    pub(super) fn has_hole(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How far behind the first byte a sequence number stands: sequence numbers turn over, and the nearest place is meant.
    fn place(&self, sequence: u32) -> Option<u64> {
        let next = self.first.wrapping_add(self.given as u32);
        let ahead = i64::from(sequence.wrapping_sub(next).cast_signed());
        self.given.checked_add_signed(ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All bytes that come out of these segments, each with its sequence number.
    fn joined(syn: u32, segments: &[(u32, &[u8])]) -> (Vec<u8>, bool) {
        let mut stream = Stream::new(syn);
        let bytes = segments.iter().flat_map(|(sequence, data)| stream.take(*sequence, data)).collect();
        (bytes, stream.has_hole())
    }

    #[test]
    fn segments_come_out_in_order() {
        assert_eq!(joined(9, &[(10, b"ab"), (12, b"cd")]), (b"abcd".to_vec(), false));
        assert_eq!(joined(9, &[(12, b"cd"), (14, b"e"), (10, b"ab")]), (b"abcde".to_vec(), false));
    }

    #[test]
    fn bytes_that_were_sent_again_count_once() {
        assert_eq!(joined(9, &[(10, b"ab"), (10, b"ab"), (12, b"c")]), (b"abc".to_vec(), false));
        assert_eq!(joined(9, &[(10, b"ab"), (11, b"bcd"), (10, b"abcde")]), (b"abcde".to_vec(), false));
        assert_eq!(joined(9, &[(12, b"c"), (12, b"cd"), (10, b"ab")]), (b"abcd".to_vec(), false));
    }

    #[test]
    fn a_hole_stops_the_stream() {
        assert_eq!(joined(9, &[(10, b"ab"), (13, b"d")]), (b"ab".to_vec(), true));
    }

    #[test]
    fn sequence_numbers_turn_over() {
        let syn = u32::MAX - 2;
        assert_eq!(joined(syn, &[(u32::MAX - 1, b"abc"), (1, b"de")]), (b"abcde".to_vec(), false));
        assert!(joined(syn, &[(5, b"x")]).1, "a byte is missing");
        assert_eq!(joined(10, &[(3, b"a keep-alive from before")]).0, b"");
    }
}
