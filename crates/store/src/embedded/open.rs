//! Making and opening a store.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, RwLock, mpsc},
    thread,
};

use dayfly_crypto::SecureRandom;
use redb::{Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError, backends::FileBackend};

use super::{
    EmbeddedStore,
    fault::guarded,
    format::{FORMAT, Meta, StoreId},
    writer::Writer,
};
use crate::{
    error::{Error, Unavailable},
    sealing::{Found, SealingKey, SealingSource, make_private_directory, sync_directory_of},
};

/// Memory for pages of the file, all of them sealed; the system caches the rest.
const CACHE_BYTES: usize = 64 << 20;

impl EmbeddedStore {
    /// Opens the store in the file `path`, or makes one if there is no such file.
    ///
    /// A new store (0600, its directory 0700) gets its name when it is complete, so a file under that name is always a
    /// store: an empty one is damage, never a reason to begin afresh. `random` gives the nonces of the records.
    ///
    /// # Errors
    /// One variant of [`Error`] for each thing that can be wrong; nothing is overwritten.
    pub fn open(
        path: &Path,
        source: &SealingSource,
        random: Box<dyn SecureRandom + Send>,
    ) -> Result<Self, Error> {
        if !path.try_exists().map_err(|source| not_writable(path, source))? {
            return Self::create(path, source, random);
        }
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(|source| not_writable(path, source))?;
        if file.metadata().map_err(|source| not_writable(path, source))?.len() == 0 {
            return Err(damaged(path, "it is empty"));
        }
        let proven = peek(path, source)?;
        let database = open_database(path, file_backend(path, file)?)?;
        Opening::existing(path, database, source, proven)?.start(path, random, source)
    }

    fn create(
        path: &Path,
        source: &SealingSource,
        mut random: Box<dyn SecureRandom + Send>,
    ) -> Result<Self, Error> {
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        make_private_directory(directory).map_err(|source| not_writable(path, source))?;
        let id = StoreId::draw(&mut *random)?;
        source.check_outside(directory, &id.to_string())?;
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".{id}.new"));
        let partial = PathBuf::from(partial);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&partial);
        let file = file.map_err(|source| not_writable(path, source))?;
        let made = Self::complete(path, &partial, file, id, source, &mut *random);
        if made.is_err() {
            // Ours, unnamed and empty of keys; if it cannot be removed it is in nobody's way.
            let _ = fs::remove_file(&partial);
        }
        made?.start(path, random, source)
    }

    fn complete(
        path: &Path,
        partial: &Path,
        file: File,
        id: StoreId,
        source: &SealingSource,
        random: &mut dyn SecureRandom,
    ) -> Result<Opening, Error> {
        let database = open_database(path, file_backend(path, file)?)?;
        let opening = Opening::fresh(database, id, source, random)?;
        name_once(partial, path)?;
        Ok(opening)
    }

    /// Opens the store in `backend`, or makes one if the backend is empty. `path` stands in messages.
    ///
    /// # Errors
    /// As [`EmbeddedStore::open`].
    pub fn open_with_backend(
        backend: impl StorageBackend,
        path: &Path,
        source: &SealingSource,
        mut random: Box<dyn SecureRandom + Send>,
    ) -> Result<Self, Error> {
        let empty = backend.len().map_err(|source| not_writable(path, source))? == 0;
        let database = open_database(path, backend)?;
        let opening = if empty {
            let id = StoreId::draw(&mut *random)?;
            Opening::fresh(database, id, source, &mut *random)?
        } else {
            Opening::existing(path, database, source, None)?
        };
        opening.start(path, random, source)
    }
}

/// A store whose sealing key is known to be the right one.
struct Opening {
    database: Database,
    key: SealingKey,
    id: StoreId,
}

impl Opening {
    fn fresh(
        database: Database,
        id: StoreId,
        source: &SealingSource,
        random: &mut dyn SecureRandom,
    ) -> Result<Self, Error> {
        let key = source.first(&id.to_string(), random)?;
        let meta = Meta::fresh(id, &key, random)?;
        guarded(|| meta.write(&database))?;
        Ok(Self { database, key, id })
    }

    fn existing(
        path: &Path,
        database: Database,
        source: &SealingSource,
        proven: Option<Found>,
    ) -> Result<Self, Error> {
        let meta = read_meta(path, &database)?;
        let proven = match proven {
            // Somebody may have changed the file between the two looks at it.
            Some(proven) if proven.key.made(&meta.id.0, &meta.check) => proven,
            Some(_) => return Err(another_key(path, source, &meta)),
            None => prove(path, &meta, source)?,
        };
        if let Some(promote) = proven.promote {
            promote.carry_out()?;
        }
        Ok(Self { database, key: proven.key, id: meta.id })
    }

    fn start(
        self,
        path: &Path,
        random: Box<dyn SecureRandom + Send>,
        source: &SealingSource,
    ) -> Result<EmbeddedStore, Error> {
        let (database, key) = (Arc::new(self.database), Arc::new(RwLock::new(self.key)));
        let (messages, received) = mpsc::channel();
        let writer = Writer { database: Arc::clone(&database), key: Arc::clone(&key), id: self.id, random };
        let thread = thread::Builder::new().name("store".into());
        let writer = thread.spawn(move || writer.run(&received));
        let writer = writer.map_err(|error| Unavailable::Storage(error.to_string()))?;
        Ok(EmbeddedStore {
            database,
            key,
            id: self.id,
            path: path.into(),
            key_place: source.place(&self.id.to_string()),
            messages: Some(messages),
            writer: Some(writer),
        })
    }
}

/// Checks the format and the sealing key without writing a byte, so that a file that is refused stays as it was.
/// `None` after a crash: only opening for writing can mend what that left, so that has to come first then.
fn peek(path: &Path, source: &SealingSource) -> Result<Option<Found>, Error> {
    let opened = guarded(|| Ok(Database::builder().set_cache_size(CACHE_BYTES).open_read_only(path)));
    match opened.map_err(|error: Unavailable| damaged(path, error))? {
        Ok(database) => prove(path, &read_meta(path, &database)?, source).map(Some),
        Err(DatabaseError::RepairAborted) => Ok(None),
        Err(error) => Err(refused(path, error)),
    }
}

fn read_meta(path: &Path, database: &impl ReadableDatabase) -> Result<Meta, Error> {
    let meta = guarded(|| Meta::read(database)).map_err(|error: Unavailable| damaged(path, error))?;
    let meta = meta.ok_or_else(|| damaged(path, "it does not say what it is"))?;
    if meta.format > FORMAT {
        return Err(Error::NewerFormat { path: path.into(), found: meta.format, known: FORMAT });
    }
    Ok(meta)
}

/// The sealing key that made the store's check value.
fn prove(path: &Path, meta: &Meta, source: &SealingSource) -> Result<Found, Error> {
    let id = meta.id.to_string();
    source.check_outside(path.parent().unwrap_or(path), &id)?;
    let mut candidates = source.candidates(&id, path)?.into_iter();
    let found = candidates.find(|found| found.key.made(&meta.id.0, &meta.check));
    found.ok_or_else(|| another_key(path, source, meta))
}

fn another_key(path: &Path, source: &SealingSource, meta: &Meta) -> Error {
    Error::WrongSealingKey { path: path.into(), key: source.place(&meta.id.to_string()) }
}

fn file_backend(path: &Path, file: File) -> Result<FileBackend, Error> {
    FileBackend::new(file).map_err(|error| refused(path, error))
}

fn open_database(path: &Path, backend: impl StorageBackend) -> Result<Database, Error> {
    guarded(|| Ok(Database::builder().set_cache_size(CACHE_BYTES).create_with_backend(backend)))
        .map_err(|error: Unavailable| damaged(path, error))?
        .map_err(|error| refused(path, error))
}

fn refused(path: &Path, error: DatabaseError) -> Error {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            Error::Locked { path: path.into() }
        }
        DatabaseError::Storage(StorageError::Io(source))
            if !matches!(source.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
        {
            not_writable(path, source)
        }
        other => damaged(path, other),
    }
}

/// Gives the complete store its name, unless another process was quicker.
fn name_once(partial: &Path, path: &Path) -> Result<(), Error> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, partial, CWD, path, RenameFlags::NOREPLACE)
        .map_err(io::Error::from)
        .and_then(|()| sync_directory_of(path))
        .map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Error::Locked { path: path.into() },
            _ => not_writable(path, source),
        })
}

fn not_writable(path: &Path, source: io::Error) -> Error {
    Error::NotWritable { path: path.into(), source }
}

fn damaged(path: &Path, what: impl ToString) -> Error {
    Error::Damaged { path: path.into(), what: what.to_string() }
}
