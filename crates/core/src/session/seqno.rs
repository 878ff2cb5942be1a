//! `seqno`: twice the number of content-related messages before, plus one for a content-related message.

use crate::mutant;

/// Counts the content-related messages of one side of one session.
///
/// Source: Mobile Protocol, "Message Sequence Number" (rule MS-04).
#[derive(Clone, Debug, Default)]
pub struct SeqNo {
    content_related: u32,
}

impl SeqNo {
    /// The seqno of the next message.
    pub fn next(&mut self, content_related: bool) -> i32 {
        let twice = self.content_related.wrapping_mul(2);
        if !content_related {
            return twice.cast_signed();
        }
        self.content_related =
            mutant!("MS-04.count", self.content_related.wrapping_add(1), self.content_related);
        twice.wrapping_add(1).cast_signed()
    }
}

/// Whether a message with this seqno asks to be acknowledged.
#[must_use]
pub fn is_content_related(seqno: i32) -> bool {
    seqno & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    // rule: MS-04
    #[test]
    fn only_content_related_messages_count() {
        let mut seqno = SeqNo::default();
        let given = [true, false, false, true, true, false].map(|content| seqno.next(content));
        assert_eq!(given, [1, 2, 2, 3, 5, 6]);
        assert_eq!(given.map(is_content_related), [true, false, false, true, true, false]);
    }
}
