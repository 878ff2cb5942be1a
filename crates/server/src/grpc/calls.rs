//! The calls that one stream has not answered yet, by their numbers.

use std::collections::{BTreeMap, VecDeque};

use tokio::time::Instant;

use crate::upstream::Reply;

/// How many calls that had no answer in time are remembered, to tell a late answer from a second one.
const MOST_REMEMBERED: usize = 1024;

/// How many calls may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// That the back end has said nothing of.
    pub(super) in_flight: usize,
    /// That it answers later.
    pub(super) later: usize,
}

/// An answer that nobody waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unawaited {
    /// The call has its answer.
    Twice,
    /// The call's time was over.
    Late,
    /// No such call was made on this stream.
    NeverAsked,
}

/// What waits.
#[derive(Debug)]
pub(super) struct Calls {
    bounds: Bounds,
    /// The number of the last call.
    last: u64,
    waiting: BTreeMap<u64, Waiting>,
    /// How many of them the back end answers later, within their bound.
    later: usize,
    late: VecDeque<u64>,
}

#[derive(Debug)]
struct Waiting {
    reply: Reply,
    deadline: Instant,
    later: bool,
}

impl Calls {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, last: 0, waiting: BTreeMap::new(), later: 0, late: VecDeque::new() }
    }

    /// Whether there is a place for another call.
    pub(super) fn has_place(&self) -> bool {
        self.waiting.len().saturating_sub(self.later) < self.bounds.in_flight
    }

    /// How many calls wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The number that the next call gets.
    pub(super) fn next_number(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// Keeps what is owed to the call of [`next_number`](Self::next_number).
    pub(super) fn insert(&mut self, reply: Reply, deadline: Instant) {
        self.last = self.next_number();
        self.waiting.insert(self.last, Waiting { reply, deadline, later: false });
    }

    /// Takes out what is owed to a call that is answered now.
    pub(super) fn take(&mut self, number: u64) -> Result<Reply, Unawaited> {
        let waiting = self.waiting.remove(&number).ok_or_else(|| self.unawaited(number))?;
        self.later = self.later.saturating_sub(usize::from(waiting.later));
        Ok(waiting.reply)
    }

    /// The back end will answer this call later: it frees its place, unless too many have done so already.
    pub(super) fn postpone(&mut self, number: u64) -> Result<(), Unawaited> {
        let unawaited = self.unawaited(number);
        let waiting = self.waiting.get_mut(&number).ok_or(unawaited)?;
        if !waiting.later && self.later < self.bounds.later {
            waiting.later = true;
            self.later = self.later.saturating_add(1);
        }
        Ok(())
    }

    /// Takes out what is owed to calls whose time is over.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Reply> {
        let over = self.waiting.iter().filter(|(_, waiting)| waiting.deadline <= now);
        let over: Vec<u64> = over.map(|(number, _)| *number).collect();
        self.late.extend(&over);
        let forgotten = self.late.len().saturating_sub(MOST_REMEMBERED);
        self.late.drain(..forgotten);
        over.into_iter().filter_map(|number| self.take(number).ok()).collect()
    }

    fn unawaited(&self, number: u64) -> Unawaited {
        match number {
            0 => Unawaited::NeverAsked,
            _ if number > self.last => Unawaited::NeverAsked,
            _ if self.late.contains(&number) => Unawaited::Late,
            _ => Unawaited::Twice,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn calls(in_flight: usize, later: usize) -> Calls {
        Calls::new(Bounds { in_flight, later })
    }

    /// One more call, whose time is over `seconds` after `now`.
    fn add(calls: &mut Calls, now: Instant, seconds: u64) -> u64 {
        let number = calls.next_number();
        calls.insert(Reply::to_nobody(), now + Duration::from_secs(seconds));
        number
    }

    #[test]
    fn an_answer_that_nobody_waits_for_is_told_from_others() {
        let (mut calls, now) = (calls(10, 10), Instant::now());
        let (first, second) = (add(&mut calls, now, 5), add(&mut calls, now, 9));
        assert_eq!((first, second), (1, 2));
        assert!(calls.take(first).is_ok());
        assert_eq!(calls.take(first).unwrap_err(), Unawaited::Twice);
        assert_eq!(calls.expire(now + Duration::from_secs(9)).len(), 1);
        assert_eq!(calls.take(second).unwrap_err(), Unawaited::Late);
        for never in [0, 3, u64::MAX] {
            assert_eq!(calls.take(never).unwrap_err(), Unawaited::NeverAsked);
            assert_eq!(calls.postpone(never).unwrap_err(), Unawaited::NeverAsked);
        }
    }

    #[test]
    fn places_are_freed_by_answers_by_deadlines_and_by_later() {
        let (mut calls, now) = (calls(2, 1), Instant::now());
        let (first, second) = (add(&mut calls, now, 5), add(&mut calls, now, 50));
        assert!(!calls.has_place());
        calls.postpone(first).unwrap();
        calls.postpone(first).unwrap();
        assert!(calls.has_place());
        let third = add(&mut calls, now, 50);
        calls.postpone(second).unwrap();
        assert!(!calls.has_place(), "one may be answered later, not two");
        assert_eq!(calls.expire(now + Duration::from_secs(5)).len(), 1);
        calls.postpone(second).unwrap();
        assert!(calls.has_place());
        assert!(calls.take(third).is_ok() && calls.take(second).is_ok());
        assert_eq!((calls.len(), calls.later), (0, 0));
    }

    #[test]
    fn what_was_late_is_not_remembered_for_ever() {
        let (mut calls, now) = (calls(usize::MAX, 0), Instant::now());
        for _ in 0..=MOST_REMEMBERED {
            add(&mut calls, now, 1);
        }
        assert_eq!(calls.expire(now + Duration::from_secs(1)).len(), MOST_REMEMBERED + 1);
        assert_eq!(calls.take(1).unwrap_err(), Unawaited::Twice);
        assert_eq!(calls.take(2).unwrap_err(), Unawaited::Late);
    }
}
