//! The msg_ids last received in a session, so that nothing is processed twice.

use std::collections::BTreeMap;

use super::msg_id::MsgId;
use super::seqno::is_content_related;
use crate::{holds, mutant};

/// The last N msg_ids received, each with its seqno.
///
/// Source: Mobile Protocol, "Important Checks" (rules MS-02, MS-03, MS-04).
#[derive(Clone, Debug)]
pub struct Window {
    seqnos: BTreeMap<MsgId, i32>,
    capacity: usize,
}

/// What the window knows of a msg_id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// It was not received.
    New,
    /// It was received.
    Repeat,
    /// It is lower than all that are kept, so nobody can tell.
    TooOld,
}

/// How a seqno contradicts those received before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Disorder {
    /// Code 32: a lower msg_id came with a higher, or an equal odd, seqno.
    TooLow,
    /// Code 33: a higher msg_id came with a lower, or an equal odd, seqno.
    TooHigh,
}

impl Window {
    /// Keeps `capacity` msg_ids, at least 1025: one container full, and the container.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { seqnos: BTreeMap::new(), capacity: capacity.max(MIN_CAPACITY) }
    }

    /// Whether `id` was received.
    #[must_use]
    pub fn knows(&self, id: MsgId) -> Known {
        if !holds!("MS-03.repeat", !self.seqnos.contains_key(&id)) {
            return Known::Repeat;
        }
        let full = self.seqnos.len() >= self.capacity;
        if !holds!("MS-03.too-old", !full || self.lowest().is_none_or(|lowest| id > lowest)) {
            return Known::TooOld;
        }
        Known::New
    }

    /// Whether a new message's `seqno` fits in between those of its neighbours.
    ///
    /// What is kept is in order, for what is not never comes in; so the neighbours speak for all.
    #[must_use]
    pub fn disorder(&self, id: MsgId, seqno: i32) -> Option<Disorder> {
        let contradicts =
            |lower: i32, higher: i32| lower > higher || (lower == higher && is_content_related(lower));
        let below = self.seqnos.range(..id).next_back().is_none_or(|(_, below)| !contradicts(*below, seqno));
        if !holds!("MS-04.too-low", below) {
            return Some(Disorder::TooLow);
        }
        let above = self.seqnos.range(id..).next().is_none_or(|(_, above)| !contradicts(seqno, *above));
        (!holds!("MS-04.too-high", above)).then_some(Disorder::TooHigh)
    }

    /// Takes a new message; the lowest one is forgotten for it when the window is full.
    pub fn insert(&mut self, id: MsgId, seqno: i32) {
        self.seqnos.insert(id, seqno);
        while self.seqnos.len() > mutant!("MS-03.capacity", self.capacity, 8) {
            self.seqnos.pop_first();
        }
    }

    /// The lowest msg_id kept.
    #[must_use]
    pub fn lowest(&self) -> Option<MsgId> {
        self.seqnos.first_key_value().map(|(id, _)| *id)
    }

    /// The highest msg_id kept.
    #[must_use]
    pub fn highest(&self) -> Option<MsgId> {
        self.seqnos.last_key_value().map(|(id, _)| *id)
    }

    /// The lower bits of one byte of `msgs_state_info` for a message that the other side sent: 1 to 4.
    ///
    /// Source: Service Messages about Messages, "Informational Message regarding Status of Messages" (rule
    /// MS-15).
    #[must_use]
    pub fn status(&self, id: MsgId) -> u8 {
        match self.knows(id) {
            Known::Repeat => 4,
            Known::TooOld => 1,
            Known::New if self.highest().is_none_or(|highest| id > highest) => 3,
            Known::New => 2,
        }
    }
}

/// The least that a window keeps.
pub const MIN_CAPACITY: usize = 1025;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(ids: impl IntoIterator<Item = u64>) -> Window {
        let mut window = Window::new(0);
        ids.into_iter().for_each(|id| window.insert(MsgId(id), 0));
        window
    }

    // rule: MS-03
    #[test]
    fn a_repeat_is_known_and_a_gap_is_not() {
        let window = filled([40, 48]);
        assert_eq!(window.knows(MsgId(40)), Known::Repeat);
        assert_eq!(window.knows(MsgId(44)), Known::New);
        assert_eq!(window.knows(MsgId(4)), Known::New);
    }

    // rule: MS-03
    #[test]
    fn a_whole_container_and_its_own_id_are_remembered() {
        let window = filled((1..=1025).map(|n| n * 4));
        assert!((1..=1025).all(|n| window.knows(MsgId(n * 4)) == Known::Repeat));
    }

    // rule: MS-03
    #[test]
    fn one_lower_than_all_of_a_full_window_is_too_old() {
        let window = filled((100..1125).map(|n| n * 4));
        assert_eq!(window.knows(MsgId(396)), Known::TooOld);
        assert_eq!(window.knows(MsgId(401)), Known::New);
    }

    // rule: MS-04
    #[test]
    fn a_seqno_must_not_fall_while_the_msg_id_grows() {
        let mut window = Window::new(0);
        window.insert(MsgId(40), 5);
        assert_eq!(window.disorder(MsgId(44), 3), Some(Disorder::TooLow));
        assert_eq!(window.disorder(MsgId(44), 5), Some(Disorder::TooLow));
        assert_eq!(window.disorder(MsgId(44), 6), None);
    }

    // rule: MS-04
    #[test]
    fn a_seqno_must_not_reach_that_of_a_higher_msg_id() {
        let mut window = Window::new(0);
        window.insert(MsgId(40), 5);
        assert_eq!(window.disorder(MsgId(36), 7), Some(Disorder::TooHigh));
        assert_eq!(window.disorder(MsgId(36), 5), Some(Disorder::TooHigh));
        assert_eq!(window.disorder(MsgId(36), 4), None);
    }

    #[test]
    fn equal_even_seqnos_are_in_order() {
        let mut window = Window::new(0);
        window.insert(MsgId(40), 6);
        assert_eq!(window.disorder(MsgId(44), 6), None);
        assert_eq!(window.disorder(MsgId(36), 6), None);
    }

    #[test]
    fn status_tells_received_missing_and_not_yet() {
        let window = filled([40, 48]);
        assert_eq!([40, 44, 52].map(|id| window.status(MsgId(id))), [4, 2, 3]);
    }

    proptest! {
        // rule: MS-03
        #[test]
        fn nothing_is_new_twice(ids in proptest::collection::vec(0u64..4000, 1..3000)) {
            let mut window = Window::new(0);
            let mut taken = std::collections::BTreeSet::new();
            for id in ids {
                if window.knows(MsgId(id)) == Known::New {
                    prop_assert!(taken.insert(id));
                    window.insert(MsgId(id), 0);
                }
                prop_assert!(window.seqnos.len() <= MIN_CAPACITY);
            }
        }
    }
}
