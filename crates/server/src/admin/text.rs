//! Words for people: what a client said of itself made harmless, times, sizes.

use std::time::Duration;

/// The longest text of a client that is shown.
const MOST_CHARACTERS: usize = 64;

/// What a client said of itself: cut, without line ends, and without the characters that turn the direction of what follows.
/// It is escaped where it is written.
pub(crate) fn said(text: &str) -> String {
    let harmless = |character: char| if is_harmless(character) { character } else { '\u{fffd}' };
    let mut shown: String = text.chars().take(MOST_CHARACTERS).map(harmless).collect();
    if text.chars().nth(MOST_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

fn is_harmless(character: char) -> bool {
    let turns_direction = matches!(
        character,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    );
    !character.is_control() && !turns_direction
}

/// `17 s`, `5 min`, `3 h 20 min`, `2 d 4 h`.
pub(crate) fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if days > 0 => format!("{days} d {} h", hours % 24),
        () if hours > 0 => format!("{hours} h {} min", minutes % 60),
        () if minutes > 0 => format!("{minutes} min"),
        () => format!("{seconds} s"),
    }
}

/// `999 B`, `1.5 KiB`, `2.0 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (u128::from(bytes) * 10 / 1024, 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        (tenths, unit) = (tenths / 1024, unit + 1);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_is_cut_and_made_harmless() {
        assert_eq!(said("Pixel 9"), "Pixel 9");
        assert_eq!(said("a\nb\0c\u{202e}d\u{2066}e"), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e");
        assert_eq!(said(&"é".repeat(64)), "é".repeat(64));
        assert_eq!(said(&"é".repeat(65)), format!("{}…", "é".repeat(64)));
    }

    #[test]
    fn spans_are_told_in_their_two_largest_units() {
        let told = [0, 59, 60, 3599, 3600, 12_000, 86_400, 187_200].map(|s| span(Duration::from_secs(s)));
        assert_eq!(told, ["0 s", "59 s", "1 min", "59 min", "1 h 0 min", "3 h 20 min", "1 d 0 h", "2 d 4 h"]);
    }

    #[test]
    fn sizes_have_one_decimal() {
        let told = [0, 1023, 1024, 1536, 1 << 20, (1 << 30) - 1, u64::MAX].map(size);
        assert_eq!(told, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1023.9 MiB", "16777215.9 TiB"]);
    }
}
