//! What a peer said, in a form that is safe to show.

/// No line of a peer's takes more characters than this.
const LONGEST: usize = 500;

/// The text as one line of bounded length: what steers a terminal, turns the direction of writing or has no place in XML
/// is written as its code.
pub(super) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST));
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        if is_plain(character) {
            out.push(character);
        } else {
            out.extend(character.escape_unicode());
        }
    }
    out
}

fn is_plain(character: char) -> bool {
    let turns = matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_none = matches!(character, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    !(character.is_control() || turns || is_none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_as_its_code() {
        assert_eq!(line("a\u{1b}[2Jb\nc\rd\u{7f}\u{9b}"), "a\\u{1b}[2Jb\\u{a}c\\u{d}d\\u{7f}\\u{9b}");
        assert_eq!(line("a\u{202e}b\u{2066}c\u{feff}\u{ffff}"), "a\\u{202e}b\\u{2066}c\\u{feff}\\u{ffff}");
        assert_eq!(line("-404, größer als 2²"), "-404, größer als 2²");
    }

    #[test]
    fn a_long_text_is_cut() {
        let cut = line(&"é".repeat(LONGEST + 1));
        assert_eq!(cut.chars().count(), LONGEST + 1);
        assert!(cut.ends_with("é…"));
        assert_eq!(line(&"x".repeat(LONGEST)).len(), LONGEST);
    }
}
