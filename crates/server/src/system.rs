//! The system's clock, and what a process that holds keys asks of the system.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dayfly_core::env::{Clock, Now};
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

/// Sets the limit of core dumps to zero: a core dump would write every live key to a disk (rule PF-01).
///
/// # Errors
/// What the system says.
pub fn forbid_core_dumps() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// Raises the soft limit of open files to the hard one. A connection takes one; a library does not do this by itself.
///
/// # Errors
/// What the system says.
pub fn raise_open_files() -> std::io::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(())
}

/// How many connections this process has files for, now.
pub(crate) fn connections_with_files() -> usize {
    connections_of(getrlimit(Resource::Nofile).current)
}

/// Some files are for everything that is no connection: listeners, store, event log, back end, admin page.
fn connections_of(open_files: Option<u64>) -> usize {
    let Some(files) = open_files.and_then(|files| usize::try_from(files).ok()) else {
        return MOST_CONNECTIONS;
    };
    files.saturating_sub(OTHER_FILES.min(files / 2)).clamp(1, MOST_CONNECTIONS)
}

const OTHER_FILES: usize = 256;
/// Where the system sets no limit.
const MOST_CONNECTIONS: usize = 1_000_000;

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
    fn connections_leave_files_for_everything_else() {
        assert_eq!(connections_of(Some(20_000)), 19_744);
        assert_eq!(connections_of(Some(1024)), 768);
        assert_eq!([Some(64), Some(1), Some(0)].map(connections_of), [32, 1, 1]);
        assert_eq!([Some(u64::MAX), None].map(connections_of), [MOST_CONNECTIONS; 2]);
    }

    #[test]
    fn the_soft_limit_of_open_files_is_raised_to_the_hard_one() {
        raise_open_files().unwrap();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }

    // rule: PF-01
    #[test]
    fn core_dumps_are_forbidden() {
        forbid_core_dumps().unwrap();
        assert_eq!(rustix::process::getrlimit(Resource::Core).current, Some(0));
    }
}
