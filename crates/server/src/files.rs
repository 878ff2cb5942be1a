//! How many connections there are files for.

/// How many connections this process has files for, now.
pub(crate) fn connections_with_files() -> usize {
    connections_of(dayfly_system::open_files())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(connections_of(Some(20_000)), 19_744);
        assert_eq!(connections_of(Some(1024)), 768);
        assert_eq!([Some(64), Some(1), Some(0)].map(connections_of), [32, 1, 1]);
        assert_eq!([Some(u64::MAX), None].map(connections_of), [MOST_CONNECTIONS; 2]);
    }
}
