//! Where the sealing key comes from: a file, a systemd credential, an open descriptor. Never an environment variable,
//! which children inherit and process listings show.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use dayfly_crypto::SecureRandom;
use zeroize::Zeroizing;

use super::key::SealingKey;
use crate::error::Error;

/// Where the sealing key comes from. In every form it is 32 raw bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SealingSource {
    /// A file `<id of the store>.key` in this directory, which must lie outside the data directory. Made (0600, its
    /// directory 0700) with a fresh key when the store is made.
    Directory(PathBuf),
    /// This file, likewise.
    File(PathBuf),
    /// A systemd credential: the file `name` in the directory that `$CREDENTIALS_DIRECTORY` names. Its rights are
    /// systemd's affair: it grants them by access control lists, which the mode bits show as wider than they are.
    Credential {
        /// The credentials directory.
        directory: PathBuf,
        /// The credential's name.
        name: String,
    },
    /// A descriptor that the parent process left open, by its number: a pipe or a file, read through `/proc/self/fd`.
    Descriptor(u32),
}

/// A key that was found, and what is to be done once it has proved to be the right one.
pub(crate) struct Found {
    pub(crate) key: SealingKey,
    /// The file of a reseal that was cut short after the store had changed over: to be renamed into place.
    pub(crate) promote: Option<Promotion>,
}

/// The next sealing key of a store.
pub(crate) struct NextKey {
    pub(crate) key: SealingKey,
    /// Set if the key lies beside its place until the store has changed over.
    pub(crate) promote: Option<Promotion>,
}

/// A key's file to be renamed to its place.
pub(crate) struct Promotion {
    from: PathBuf,
    to: PathBuf,
}

impl Promotion {
    pub(crate) fn carry_out(&self) -> Result<(), Error> {
        fs::rename(&self.from, &self.to)
            .and_then(|()| sync_directory_of(&self.to))
            .map_err(|source| unusable(&self.to, source))
    }
}

impl SealingSource {
    /// Where the key of the store `id` is, for messages.
    #[must_use]
    pub fn place(&self, id: &str) -> String {
        match self {
            Self::Credential { name, .. } => format!("credential {name}"),
            Self::Descriptor(number) => format!("descriptor {number}"),
            Self::Directory(_) | Self::File(_) => {
                self.file(id).map_or_else(String::new, |file| file.display().to_string())
            }
        }
    }

    /// Refuses a file inside the data directory.
    pub(crate) fn check_outside(&self, data: &Path, id: &str) -> Result<(), Error> {
        let Some(file) = self.own_file(id) else { return Ok(()) };
        let Ok(data) = data.canonicalize() else { return Ok(()) };
        // The nearest directory above it that exists already, symbolic links resolved.
        let here =
            |above: &Path| if above.as_os_str().is_empty() { PathBuf::from(".") } else { above.into() };
        let nearest = file.ancestors().skip(1).find_map(|above| here(above).canonicalize().ok());
        if nearest.is_some_and(|nearest| nearest.starts_with(&data)) {
            return Err(Error::SealingKeyInside { key: file });
        }
        Ok(())
    }

    /// The keys that may be the one of an existing store, likeliest first; `store` is for the message.
    pub(crate) fn candidates(&self, id: &str, store: &Path) -> Result<Vec<Found>, Error> {
        let mut found = Vec::new();
        match self.own_file(id) {
            None => found.push(Found { key: self.read_foreign(id)?, promote: None }),
            Some(file) => {
                let beside = beside(&file);
                if file.exists() {
                    found.push(Found { key: read_own(&file)?, promote: None });
                }
                if beside.exists() {
                    let promote = Some(Promotion { from: beside.clone(), to: file });
                    found.push(Found { key: read_own(&beside)?, promote });
                }
            }
        }
        if found.is_empty() {
            return Err(Error::SealingKeyMissing { path: store.into(), key: self.place(id) });
        }
        Ok(found)
    }

    /// The key of a new store: made if it is to lie in a file that is not there, else read.
    pub(crate) fn first(&self, id: &str, random: &mut dyn SecureRandom) -> Result<SealingKey, Error> {
        match self.own_file(id) {
            None => self.read_foreign(id),
            Some(file) if file.exists() => read_own(&file),
            Some(file) => {
                let key = SealingKey::draw(random)?;
                write_own(&file, &key)?;
                Ok(key)
            }
        }
    }

    /// The key to which the store `id` changes over. A file that holds the current key (as `is_current` tells) is to be
    /// replaced by a fresh one; a file that is not there is made; any other key is taken as it is.
    pub(crate) fn next(
        &self,
        id: &str,
        is_current: impl Fn(&SealingKey) -> bool,
        random: &mut dyn SecureRandom,
    ) -> Result<NextKey, Error> {
        let Some(file) = self.own_file(id) else {
            return Ok(NextKey { key: self.read_foreign(id)?, promote: None });
        };
        if file.exists() {
            let key = read_own(&file)?;
            if !is_current(&key) {
                return Ok(NextKey { key, promote: None });
            }
        }
        let key = SealingKey::draw(random)?;
        let beside = beside(&file);
        write_own(&beside, &key)?;
        Ok(NextKey { key, promote: Some(Promotion { from: beside, to: file }) })
    }

    /// The file that is ours to make, check and replace.
    fn own_file(&self, id: &str) -> Option<PathBuf> {
        match self {
            Self::Directory(directory) => Some(directory.join(format!("{id}.key"))),
            Self::File(file) => Some(file.clone()),
            Self::Credential { .. } | Self::Descriptor(_) => None,
        }
    }

    fn file(&self, id: &str) -> Option<PathBuf> {
        match self {
            Self::Credential { directory, name } => Some(directory.join(name)),
            Self::Descriptor(number) => Some(PathBuf::from(format!("/proc/self/fd/{number}"))),
            Self::Directory(_) | Self::File(_) => self.own_file(id),
        }
    }

    fn read_foreign(&self, id: &str) -> Result<SealingKey, Error> {
        let place = self.place(id);
        let file = self.file(id).unwrap_or_default();
        let opened = File::open(file).map_err(|source| Error::SealingKeyIo { key: place.clone(), source })?;
        read_key(opened, place)
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn read_own(path: &Path) -> Result<SealingKey, Error> {
    let file = File::open(path).map_err(|source| unusable(path, source))?;
    let mode = file.metadata().map_err(|source| unusable(path, source))?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Error::SealingKeyRights { key: path.into(), mode });
    }
    read_key(file, path.display().to_string())
}

fn read_key(mut file: File, place: String) -> Result<SealingKey, Error> {
    let mut bytes = Zeroizing::new([0; SealingKey::LEN]);
    let mut found = 0_usize;
    while let Some(rest) = bytes.get_mut(found..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => return Err(Error::SealingKeyLength { key: place, found: found.to_string() }),
            Ok(more) => found = found.saturating_add(more),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::SealingKeyIo { key: place, source }),
        }
    }
    match file.read(&mut [0]) {
        Ok(0) => Ok(SealingKey::take(&mut bytes)),
        Ok(_) => Err(Error::SealingKeyLength { key: place, found: "more than 32".into() }),
        Err(source) => Err(Error::SealingKeyIo { key: place, source }),
    }
}

/// Writes a key so that it is wholly there, synced, or not at all under this name.
fn write_own(path: &Path, key: &SealingKey) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            make_private_directory(directory)?;
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".part");
        let partial = PathBuf::from(partial);
        remove_leftover(&partial)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(key.expose())?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        sync_directory_of(path)
    };
    write().map_err(|source| unusable(path, source))
}

fn remove_leftover(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn unusable(path: &Path, source: io::Error) -> Error {
    Error::SealingKeyIo { key: path.display().to_string(), source }
}
