//! The query that waits for an answer.

use core::time::Duration;

use super::Patience;
use crate::mutant;

/// A query that waits for an answer, kept so that it can be sent again byte for byte (rule HS-30).
pub(super) struct InFlight {
    payload: Vec<u8>,
    due: Duration,
    resends: u32,
    /// The server asked us to wait: nothing is sent before `due`, on a new connection either.
    told_to_wait: bool,
}

impl InFlight {
    pub(super) fn new(payload: Vec<u8>, now: Duration, patience: &Patience) -> Self {
        Self { payload, due: now.saturating_add(patience.resend_after), resends: 0, told_to_wait: false }
    }

    pub(super) fn due(&self) -> Duration {
        self.due
    }

    /// How often it was sent again because no answer came.
    pub(super) fn resends(&self) -> u32 {
        self.resends
    }

    /// The same bytes once more, since the timer ran out.
    pub(super) fn again(&mut self, now: Duration, patience: &Patience) -> Vec<u8> {
        if !core::mem::take(&mut self.told_to_wait) {
            self.resends = self.resends.saturating_add(1);
        }
        self.due = now.saturating_add(grown(patience.resend_after, self.resends, patience.longest_delay));
        mutant!("HS-30.same-bytes", self.payload.clone(), Vec::new())
    }

    /// The same bytes on a new connection, unless the server asked us to wait.
    pub(super) fn on_new_connection(&mut self, now: Duration, patience: &Patience) -> Option<Vec<u8>> {
        if self.told_to_wait {
            return None;
        }
        self.due = now.saturating_add(patience.resend_after);
        Some(self.payload.clone())
    }

    /// -429: nothing is sent before `until`.
    pub(super) fn wait(&mut self, until: Duration) {
        self.due = until;
        self.told_to_wait = true;
    }
}

/// `first`, doubled `times` times, at most `longest`.
pub(super) fn grown(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(2u32.saturating_pow(times)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    // rule: HS-30
    #[test]
    fn a_query_is_sent_again_as_it_was_with_growing_waits() {
        let patience = Patience::default();
        let mut query = InFlight::new(vec![1, 2, 3], Duration::ZERO, &patience);
        assert_eq!(query.due(), Duration::from_secs(4));
        assert_eq!(query.again(Duration::from_secs(4), &patience), [1, 2, 3]);
        assert_eq!((query.due(), query.resends()), (Duration::from_secs(12), 1));
        assert_eq!(query.on_new_connection(Duration::from_secs(5), &patience), Some(vec![1, 2, 3]));
    }

    // rule: HS-38
    #[test]
    fn a_query_that_the_server_put_off_is_not_sent_earlier_on_a_new_connection() {
        let patience = Patience::default();
        let mut query = InFlight::new(vec![7], Duration::ZERO, &patience);
        query.wait(Duration::from_secs(9));
        assert_eq!(query.on_new_connection(Duration::from_secs(1), &patience), None);
        assert_eq!(query.again(Duration::from_secs(9), &patience), [7]);
        assert_eq!(query.resends(), 0, "being told to wait is no silence");
    }

    #[test]
    fn delays_grow_up_to_the_longest() {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(3));
        assert_eq!(grown(first, 2, longest), Duration::from_secs(2));
        assert_eq!(grown(first, 99, longest), longest);
    }
}
