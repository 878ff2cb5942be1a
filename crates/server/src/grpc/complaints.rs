//! What a back end does wrong goes to the log by name, and no more than a few lines a minute of it.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// How many lines a stream may write within [`WINDOW`].
const MOST_LINES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// How many characters of a back end's own words are shown.
const SHOWN: usize = 64;

/// What a stream complains of.
#[derive(Debug)]
pub(super) struct Complaints {
    stream: u32,
    since: Instant,
    lines: u32,
    withheld: u64,
}

impl Complaints {
    pub(super) fn new(stream: u32) -> Self {
        Self { stream, since: Instant::now(), lines: 0, withheld: 0 }
    }

    /// Writes a warning, unless there were too many lately; says whether it did.
    pub(super) fn warn(&mut self, what: impl fmt::Display) -> bool {
        self.warn_at(Instant::now(), what)
    }

    fn warn_at(&mut self, now: Instant, what: impl fmt::Display) -> bool {
        if now.saturating_duration_since(self.since) >= WINDOW {
            if self.withheld > 0 {
                tracing::warn!(
                    stream = self.stream,
                    count = self.withheld,
                    "warnings of the back end left out"
                );
            }
            *self = Self { stream: self.stream, since: now, lines: 0, withheld: 0 };
        }
        if self.lines >= MOST_LINES {
            self.withheld = self.withheld.saturating_add(1);
            return false;
        }
        self.lines = self.lines.saturating_add(1);
        tracing::warn!(stream = self.stream, "back end: {what}");
        true
    }
}

/// A back end's own words, cut, and escaped so that they stay on their line.
pub(super) fn quoted(words: &str) -> String {
    let cut: String = words.chars().take(SHOWN).collect();
    format!("{cut:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_of_complaints_is_cut_and_goes_on_in_the_next_minute() {
        let mut complaints = Complaints::new(0);
        let now = complaints.since;
        let written = (0..1000).filter(|number| complaints.warn_at(now, number)).count();
        assert_eq!((written, complaints.withheld), (10, 990));
        assert!(complaints.warn_at(now + WINDOW, "again"));
        assert_eq!(complaints.withheld, 0);
    }

    #[test]
    fn words_of_a_back_end_are_cut_and_stay_on_one_line() {
        assert_eq!(quoted("a\n\u{1b}[2J"), r#""a\n\u{1b}[2J""#);
        assert_eq!(quoted(&"x".repeat(1000)).len(), SHOWN + 2);
    }
}
