//! Message ids of plain messages.

use crate::env::Now;

/// A growing source of message ids: about unixtime * 2^32, with the lowest two bits given (rules HS-34, MS-01).
#[derive(Debug)]
pub(super) struct PlainIds {
    last: i64,
    residue: i64,
}

impl PlainIds {
    /// Those of a client's queries: 0 mod 4.
    pub(super) fn client() -> Self {
        Self { last: 0, residue: 0 }
    }

    /// Those of a server's answers: 1 mod 4.
    pub(super) fn server() -> Self {
        Self { last: 0, residue: crate::mutant!("HS-34.residue", 1, 3) }
    }

    /// The id of a message written now. Grows even when the clock does not.
    pub(super) fn next(&mut self, now: Now) -> i64 {
        let fraction = (u64::from(now.unix.subsec_nanos()) << 32) / 1_000_000_000;
        let time = (now.unix_seconds() << 32 | fraction).cast_signed() & !3 | self.residue;
        self.last = time.max(self.last.saturating_add(4));
        self.last
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn at(unix: Duration) -> Now {
        Now { monotonic: Duration::ZERO, unix }
    }

    // rule: HS-34
    #[test]
    fn ids_grow_and_keep_their_residue_while_the_clock_stands_or_goes_back() {
        let mut ids = PlainIds::server();
        let first = ids.next(at(Duration::new(1_700_000_000, 250_000_000)));
        let second = ids.next(at(Duration::new(1_700_000_000, 250_000_000)));
        let third = ids.next(at(Duration::new(1_600_000_000, 0)));
        assert_eq!(first >> 32, 1_700_000_000);
        assert_eq!((first & 0xffff_ffff) >> 24, 0x40);
        assert!(first < second && second < third);
        assert!([first, second, third].iter().all(|id| id % 4 == 1));
        assert_eq!(PlainIds::client().next(at(Duration::from_secs(5))) % 4, 0);
    }
}
