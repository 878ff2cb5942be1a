//! What the operating system gives a process that holds keys: time, randomness, and limits.
//!
//! What it is: the system's side of [`dayfly_core::env`], in one place for server, client and store.
//!
//! What it is not: something that a library does to a process unasked. Limits are set by the program that calls for it.
//!
//! ```
//! use dayfly_core::SecureRandom;
//! use dayfly_core::env::Clock;
//! use dayfly_system::{OsRandom, SystemClock};
//!
//! let clock = SystemClock::default();
//! assert!(clock.now().monotonic <= clock.now().monotonic);
//! let mut nonce = [0; 16];
//! OsRandom.fill_public(&mut nonce)?;
//! # Ok::<(), dayfly_core::env::RandomError>(())
//! ```
#![forbid(unsafe_code)]

use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dayfly_core::SecureRandom;
use dayfly_core::env::{Clock, Now, RandomError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The system's monotonic and wall clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    /// A wall clock before 1970 counts as 1970.
    fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Now { monotonic: self.start.elapsed(), unix }
    }
}

/// Asks the operating system at every use and keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl SecureRandom for OsRandom {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

/// Sets the limit of core dumps to zero: a core dump would write every live key to a disk (rule PF-01). A library does not do
/// this by itself; a program that holds keys should call it first of all.
///
/// # Errors
/// What the system says.
pub fn forbid_core_dumps() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// Raises the soft limit of open files to the hard one: a connection takes one.
///
/// # Errors
/// What the system says.
pub fn raise_open_files() -> io::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(())
}

/// How many files this process may have open; `None` without a limit.
#[must_use]
pub fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Whether swap is on: the system may then write pages with keys to a disk. `None` where it cannot be told.
#[must_use]
pub fn swap_is_on() -> Option<bool> {
    let table = std::fs::read_to_string("/proc/swaps").ok()?;
    Some(has_swap(&table))
}

/// `/proc/swaps` has a line of headings and then a line for each swap area.
fn has_swap(table: &str) -> bool {
    table.lines().skip(1).any(|line| !line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

    #[test]
    fn swap_is_told_from_its_table() {
        assert!(!has_swap(HEADINGS));
        assert!(has_swap(&format!("{HEADINGS}/swapfile file 1048572 0 -2\n")));
    }

    #[test]
    fn the_soft_limit_of_open_files_is_raised_to_the_hard_one() {
        raise_open_files().unwrap();
        assert_eq!(open_files(), getrlimit(Resource::Nofile).maximum);
    }

    // rule: PF-01
    #[test]
    fn core_dumps_are_forbidden() {
        forbid_core_dumps().unwrap();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
