//! `msg_id`: about `unixtime * 2^32`, growing, its last two bits telling who made it and why.

use core::fmt;

use crate::env::Now;
use crate::{holds, mutant};

/// A message identifier. Ordered as the unsigned number it is, so that it outlives the year 2038.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MsgId(pub u64);

impl MsgId {
    /// As the `long` of a TL field.
    #[must_use]
    pub fn to_long(self) -> i64 {
        self.0.cast_signed()
    }

    /// From the `long` of a TL field.
    #[must_use]
    pub fn from_long(long: i64) -> Self {
        Self(long.cast_unsigned())
    }

    /// The Unix second at which the message was made, by the clock of whoever made it.
    #[must_use]
    pub fn unix_seconds(self) -> u64 {
        self.0 >> 32
    }

    /// Whether it is divisible by 4, as a client's is.
    #[must_use]
    pub fn is_of_client(self) -> bool {
        self.0 & 3 == 0
    }

    /// Whether it is odd, as a server's is.
    #[must_use]
    pub fn is_of_server(self) -> bool {
        self.0 & 1 == 1
    }

    /// Whether it was made over 300 s before or over 30 s after `server_now`, a Unix second.
    ///
    /// Source: Mobile Protocol, "Important Checks" (rules MS-02, MS-20).
    #[must_use]
    pub fn age(self, server_now: u64) -> Age {
        let made = self.unix_seconds();
        if !holds!("MS-02.too-low", made.saturating_add(MAX_AGE) >= server_now) {
            Age::TooLow
        } else if !holds!("MS-02.too-high", made <= server_now.saturating_add(MAX_AHEAD)) {
            Age::TooHigh
        } else {
            Age::Timely
        }
    }
}

impl fmt::Debug for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MsgId({self})")
    }
}

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// How the time in a msg_id stands to the server's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Age {
    /// Over 300 s old.
    TooLow,
    /// Within the window.
    Timely,
    /// Over 30 s ahead.
    TooHigh,
}

/// What a msg_id is made for; decides its last two bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MadeFor {
    /// A client's message: 0 modulo 4.
    Client,
    /// A server's answer to a client's message: 1 modulo 4.
    Answer,
    /// Any other message of a server: 3 modulo 4.
    Notice,
}

/// Makes the msg_ids of one side of one session: strictly growing, also when the clock stands still or goes
/// back.
///
/// Source: Mobile Protocol, "Message Identifier" (rule MS-01).
#[derive(Clone, Debug, Default)]
pub struct MsgIdClock {
    offset: i64,
    last: u64,
}

impl MsgIdClock {
    /// `offset`: seconds to add to the caller's Unix time for the server's; 0 on a server.
    #[must_use]
    pub fn new(offset: i64) -> Self {
        Self { offset, last: 0 }
    }

    /// Seconds between the server's clock and the caller's.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// The server's Unix second.
    #[must_use]
    pub fn server_seconds(&self, now: Now) -> u64 {
        now.unix_seconds().saturating_add_signed(self.offset)
    }

    /// The next id. Its lower half is the fraction of the second, and never empty.
    pub fn next(&mut self, made_for: MadeFor, now: Now) -> MsgId {
        let fraction = (u64::from(now.unix.subsec_nanos()) << 32) / 1_000_000_000;
        let by_clock = ((self.server_seconds(now) << 32) | fraction) & !3;
        let above = (self.last & !3).wrapping_add(4);
        let mut id = mutant!("MS-01.grows", by_clock.max(above), by_clock);
        if id & LOWER == 0 {
            id = mutant!("MS-01.fraction", id | 4, id);
        }
        id |= match made_for {
            MadeFor::Client => 0,
            MadeFor::Answer => mutant!("MS-01.answer", 1, 2),
            MadeFor::Notice => mutant!("MS-01.notice", 3, 2),
        };
        self.last = id;
        MsgId(id)
    }

    /// Makes later ids higher than `id`: that of a message which goes into a container.
    pub fn raise_above(&mut self, id: MsgId) {
        self.last = self.last.max(id.0);
    }

    /// Takes the time of the server from the msg_id of its notice. Ids may start lower than before, for those
    /// made in advance of the server's time were refused, but not below `accepted`, the highest one that was
    /// not.
    pub fn correct(&mut self, notice: MsgId, accepted: Option<MsgId>, now: Now) {
        self.catch_up(notice, now);
        self.last = accepted.map_or(0, |id| id.0);
    }

    /// Takes the time of the server from a message of its own. Ids go on from where they were.
    pub fn catch_up(&mut self, message: MsgId, now: Now) {
        let server = i64::try_from(message.unix_seconds()).unwrap_or(i64::MAX);
        let own = i64::try_from(now.unix_seconds()).unwrap_or(i64::MAX);
        self.offset = server.saturating_sub(own);
    }
}

/// The half of a msg_id that must not be empty.
const LOWER: u64 = 0xffff_ffff;
/// Seconds after which a message is refused.
const MAX_AGE: u64 = 300;
/// Seconds in advance of which a message is refused.
const MAX_AHEAD: u64 = 30;

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(unix: Duration) -> Now {
        Now { monotonic: Duration::ZERO, unix }
    }

    // rule: MS-01
    #[test]
    fn ids_grow_while_the_clock_stands_still_or_goes_back() {
        let mut clock = MsgIdClock::new(0);
        let mut last = clock.next(MadeFor::Client, at(Duration::from_secs(1000)));
        for second in [1000, 1000, 999, 3, 1000] {
            let next = clock.next(MadeFor::Client, at(Duration::from_secs(second)));
            assert!(next > last);
            last = next;
        }
    }

    // rule: MS-01
    #[test]
    fn the_last_two_bits_tell_what_the_message_is() {
        let mut clock = MsgIdClock::new(0);
        let now = at(Duration::from_millis(1_700_000_000_500));
        assert_eq!(clock.next(MadeFor::Client, now).0 & 3, 0);
        assert_eq!(clock.next(MadeFor::Answer, now).0 & 3, 1);
        assert_eq!(clock.next(MadeFor::Notice, now).0 & 3, 3);
    }

    // rule: MS-01
    #[test]
    fn the_lower_half_is_the_fraction_and_never_empty() {
        let half = MsgIdClock::new(0).next(MadeFor::Client, at(Duration::from_millis(5_500)));
        assert_eq!(half, MsgId(5 << 32 | 1 << 31));
        let whole = MsgIdClock::new(0).next(MadeFor::Client, at(Duration::from_secs(5)));
        assert_eq!(whole, MsgId(5 << 32 | 4));
    }

    #[test]
    fn a_correction_moves_the_clock_both_ways_but_not_below_what_was_accepted() {
        let now = at(Duration::from_secs(10_000));
        let mut clock = MsgIdClock::new(5_000);
        let early = clock.next(MadeFor::Client, now);
        assert_eq!(early.unix_seconds(), 15_000);
        clock.correct(MsgId(10_100 << 32 | 1), None, now);
        assert_eq!((clock.offset(), clock.next(MadeFor::Client, now).unix_seconds()), (100, 10_100));
        clock.correct(MsgId(10_100 << 32 | 1), Some(early), now);
        assert!(clock.next(MadeFor::Client, now) > early);
    }

    // rule: MS-02
    #[test]
    fn the_window_of_time_has_exact_edges() {
        let made = |second: u64| MsgId(second << 32 | 4);
        assert_eq!(made(700).age(1000), Age::Timely);
        assert_eq!(made(699).age(1000), Age::TooLow);
        assert_eq!(made(1030).age(1000), Age::Timely);
        assert_eq!(made(1031).age(1000), Age::TooHigh);
    }

    proptest! {
        #[test]
        fn any_clock_makes_growing_ids_of_the_right_kind(
            millis in proptest::collection::vec(0u64..10_000_000, 1..50), offset in -10_000i64..10_000,
        ) {
            let mut clock = MsgIdClock::new(offset);
            let mut last = MsgId(0);
            for (step, milli) in millis.iter().enumerate() {
                let made_for = if step % 2 == 0 { MadeFor::Answer } else { MadeFor::Notice };
                let id = clock.next(made_for, at(Duration::from_millis(*milli)));
                prop_assert!(id > last && id.is_of_server() && id.0 & LOWER > 3);
                last = id;
            }
        }
    }
}
