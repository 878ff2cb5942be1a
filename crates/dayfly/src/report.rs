//! What a person sees: one line a step with its time, or one JSON object a step.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

const TIME: Style = AnsiColor::Cyan.on_default();
const TITLE: Style = Style::new().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Prints steps to standard output.
pub(crate) struct Report {
    json: bool,
    colour: bool,
    titled: bool,
    last: Instant,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, colour: io::stdout().is_terminal(), titled: false, last: Instant::now() }
    }

    /// A headline, with an empty line between it and what stands before.
    pub(crate) fn title(&mut self, text: &str) {
        if !self.json {
            let before = if self.titled { "\n" } else { "" };
            line(&format!("{before}{}", self.paint(TITLE, text)));
            self.titled = true;
        }
    }

    /// A step that took the time since the last one.
    pub(crate) fn step(&mut self, name: &str, text: &str, fields: Value) {
        let took = self.last.elapsed();
        self.step_of(took, name, text, fields);
        self.last = Instant::now();
    }

    /// A step whose time is known.
    pub(crate) fn step_of(&self, took: Duration, name: &str, text: &str, mut fields: Value) {
        if self.json {
            if let Value::Object(object) = &mut fields {
                object.insert("step".to_owned(), json!(name));
                object.insert("milliseconds".to_owned(), json!(rounded_milliseconds(took)));
            }
            return line(&fields.to_string());
        }
        line(&format!("{} {text}", self.paint(TIME, &format!("{:>9}", readable(took)))));
    }

    /// A line without a time.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            line(&format!("          {text}"));
        }
    }

    /// Begins to count the time of the next step.
    pub(crate) fn restart(&mut self) {
        self.last = Instant::now();
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// A line on standard output. A reader who has gone away, as in `dayfly serve | head -1`, misses it and ends nothing.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// What somebody should know who goes on: one line on standard error.
#[cfg(feature = "lab")]
pub(crate) fn warning(text: &str) {
    // As below.
    let _ = writeln!(io::stderr(), "warning: {text}");
}

/// Why the program fails: one sentence on standard error.
pub(crate) fn failure(error: &anyhow::Error) {
    let word = if io::stderr().is_terminal() { format!("{BAD}error:{BAD:#}") } else { "error:".to_owned() };
    // There is nowhere left to say that this failed.
    let _ = writeln!(io::stderr(), "{word} {}", sentence(error));
}

/// The error and its causes after colons; a cause that the words before it hold already is left out.
fn sentence(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if sentence.is_empty() {
            sentence = cause;
        } else if !sentence.contains(&cause) {
            sentence = format!("{sentence}: {cause}");
        }
    }
    sentence
}

/// `1 key`, `2 keys`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// To the microsecond: what lies beyond is noise.
fn rounded_milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// `412 µs`, `18.3 ms`, `2.10 s`.
fn readable(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_fits() {
        assert_eq!(readable(Duration::from_micros(412)), "412 µs");
        assert_eq!(readable(Duration::from_micros(18_340)), "18.3 ms");
        assert_eq!(readable(Duration::from_millis(2_104)), "2.10 s");
    }

    #[test]
    fn a_cause_is_told_once() {
        let cause = anyhow::anyhow!("permission denied");
        let told_within = cause.context("a.pem: cannot be read: permission denied");
        assert_eq!(sentence(&told_within), "a.pem: cannot be read: permission denied");
        let told_apart = anyhow::anyhow!("rpc error 400: X").context("help.getConfig");
        assert_eq!(sentence(&told_apart), "help.getConfig: rpc error 400: X");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!((counted(1, "key"), counted(0, "key")), ("1 key".to_owned(), "0 keys".to_owned()));
    }
}
