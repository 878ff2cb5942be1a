//! What the tests that cross crates share.

use std::io::{self, Write as _};

/// Says something on standard error whether or not the test passes: what `eprintln!` prints the harness keeps to itself
/// when it does.
///
/// # Panics
/// If there is no standard error.
pub fn tell(line: &str) {
    io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
}

/// Says something on standard output, to a process that started this test's binary as a process of its own.
///
/// # Panics
/// If nobody listens.
pub fn answer(line: &str) {
    io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
}
