//! What is wrong with a file, and where.

use std::path::PathBuf;

use toml::de::DeTable;

/// A file that is not a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is wrong.
    #[error("{}:{line}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there and what is expected.
        message: String,
    },
    /// A value has the right form and makes no sense.
    #[error("{}:{line}: {key} is {value}, expected {expected}", path.display())]
    OutOfRange {
        /// The file.
        path: PathBuf,
        /// The line on which the value stands, counted from 1.
        line: usize,
        /// The key, with its table.
        key: &'static str,
        /// What stands there.
        value: String,
        /// What is expected.
        expected: &'static str,
    },
    /// A file that is named does not do.
    #[error("{}:{line}: {key}: {reason}", path.display())]
    File {
        /// The file of the configuration.
        path: PathBuf,
        /// The line on which the other file is named, counted from 1.
        line: usize,
        /// The key, with its table.
        key: String,
        /// The other file, and what is wrong with it.
        reason: String,
    },
}

/// The line, counted from 1, in which the byte `at` stands.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count() + 1
}

/// The line on which the value of `key` stands, with its table in front, and in an array its number: `keys.temp_seconds`,
/// `rsa_keys.1.file`.
pub(super) fn line_of(text: &str, key: &str) -> usize {
    let find = || {
        let file = DeTable::parse(text).ok()?;
        let mut segments = key.split('.');
        let mut value = file.get_ref().get(segments.next()?)?;
        for segment in segments {
            value = match segment.parse::<usize>() {
                Ok(number) => value.get_ref().get(number)?,
                Err(_) => value.get_ref().get(segment)?,
            };
        }
        Some(value.span().start)
    };
    line_at(text, find().unwrap_or(0))
}

/// The parser's message on one line, with the ranges of Rust's integers written out.
pub(super) fn in_words(message: &str) -> String {
    let message = message.replace('\n', " ");
    let ranges = [
        (" expected usize", " expected a number that is not negative"),
        (" expected u64", " expected a number that is not negative"),
        (" expected u32", " expected a number from 0 to 4294967295"),
        (" expected u16", " expected a number from 0 to 65535"),
    ];
    ranges.iter().fold(message, |message, (of_rust, plain)| message.replace(of_rust, plain))
}
