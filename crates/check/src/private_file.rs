//! Files that open conversations: mode 0600, or not written at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Why a file is not written to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read or write it.
    #[error("{}: has mode {mode:04o}; what is written there opens conversations: chmod 600 it", path.display())]
    Wide {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is a directory, a pipe or a device.
    #[error("{}: is no ordinary file", path.display())]
    NoFile {
        /// It.
        path: PathBuf,
    },
    /// It holds something else.
    #[error("{}: holds something else already; name a file that is not there, or is empty", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// A line of it cannot be read.
    #[error("{}:{line}: {message}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, and what is expected.
        message: String,
    },
}

impl FileError {
    pub(crate) fn system(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::System { path: path.to_owned(), source }
    }
}

/// Opens a file to append to it, and makes it with mode 0600 if there is none. What is in it already begins with `begins`, so that
/// nothing is ever appended to a store or a key.
///
/// # Errors
/// [`FileError::Wide`] if anybody else may read or write it, [`FileError::Taken`], [`FileError::NoFile`], [`FileError::System`].
pub(crate) fn append(path: &Path, begins: &str) -> Result<File, FileError> {
    let opened = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
    let mut file = opened.map_err(FileError::system(path))?;
    let metadata = file.metadata().map_err(FileError::system(path))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if !metadata.is_file() {
        return Err(FileError::NoFile { path: path.to_owned() });
    }
    if mode & 0o077 != 0 {
        return Err(FileError::Wide { path: path.to_owned(), mode });
    }
    let mut front = Vec::new();
    let length = u64::try_from(begins.len()).unwrap_or(u64::MAX);
    (&mut file).take(length).read_to_end(&mut front).map_err(FileError::system(path))?;
    if !front.is_empty() && front != begins.as_bytes() {
        return Err(FileError::Taken { path: path.to_owned() });
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::fs::Permissions;

    use super::*;

    #[test]
    fn a_new_file_is_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        append(&path, "MT").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        append(&path, "MT").unwrap();
    }

    #[test]
    fn nothing_is_appended_to_what_is_no_such_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        append(&path, "MT").unwrap();
        for (contents, taken) in [("MTPROTO_AUTH_KEY", false), ("redb", true), ("M", true)] {
            fs::write(&path, contents).unwrap();
            let outcome = append(&path, "MT");
            assert_eq!(matches!(outcome, Err(FileError::Taken { .. })), taken, "{contents}");
        }
    }

    #[test]
    fn wider_rights_and_what_is_no_file_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let told = append(&path, "MT").unwrap_err().to_string();
            assert!(told.contains(&format!("has mode {mode:04o}")), "{told}");
        }
        assert!(matches!(append(directory.path(), "MT"), Err(FileError::System { .. })));
        assert!(append(Path::new("/dev/null"), "MT").is_err());
    }
}
