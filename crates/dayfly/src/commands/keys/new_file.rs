//! A file that is there whole or not at all, and takes nobody's place.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A file of mode 0600 under a name of its own, until it is given the one that was asked for.
pub(super) struct NewFile {
    pub(super) file: File,
    beside: PathBuf,
    path: PathBuf,
}

impl NewFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.part", std::process::id()));
        let beside = PathBuf::from(beside);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        Ok(Self { file, beside, path: path.to_owned() })
    }

    /// Syncs it and gives it its name, which must still be free.
    pub(super) fn keep(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::hard_link(&self.beside, &self.path)?; // unlike a rename, it takes nobody's place
        let directory = self.path.parent().filter(|directory| !directory.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // What cannot be removed stays, under a name that says what it is.
        let _ = fs::remove_file(&self.beside);
    }
}
