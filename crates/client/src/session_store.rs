//! Where a client keeps its permanent key between runs. Temporary keys are never kept (rule PF-01).

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use dayfly_core::client::SavedKey;
use dayfly_crypto::AuthKey;
use dayfly_crypto::digest::sha256;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Keeps one permanent key.
pub trait SessionStore: Send {
    /// The key that was kept, if any.
    ///
    /// # Errors
    /// If it cannot be told whether there is one, or what is there is no key. Never answered by making another key: the
    /// old one may hold a login.
    fn load(&mut self) -> io::Result<Option<SavedKey>>;

    /// Keeps `key` in place of the one before.
    ///
    /// # Errors
    /// What the place says. The key before it is then still there.
    fn save(&mut self, key: &SavedKey) -> io::Result<()>;

    /// Forgets the key: the server does not accept it any more.
    ///
    /// # Errors
    /// What the place says.
    fn forget(&mut self) -> io::Result<()>;
}

impl<S: SessionStore + ?Sized> SessionStore for Box<S> {
    fn load(&mut self) -> io::Result<Option<SavedKey>> {
        (**self).load()
    }

    fn save(&mut self, key: &SavedKey) -> io::Result<()> {
        (**self).save(key)
    }

    fn forget(&mut self) -> io::Result<()> {
        (**self).forget()
    }
}

/// Keeps the key in memory: gone with the process.
#[derive(Debug, Default)]
pub struct MemorySession(Option<SavedKey>);

impl SessionStore for MemorySession {
    fn load(&mut self) -> io::Result<Option<SavedKey>> {
        Ok(self.0.clone())
    }

    fn save(&mut self, key: &SavedKey) -> io::Result<()> {
        self.0 = Some(key.clone());
        Ok(())
    }

    fn forget(&mut self) -> io::Result<()> {
        self.0 = None;
        Ok(())
    }
}

/// Keeps the key in a file of mode 0600: whoever reads the file has the login.
///
/// The file is written beside its place and renamed into it, so that a crash leaves the old one or the new one.
#[derive(Debug)]
pub struct FileSession {
    path: PathBuf,
}

/// First bytes of the file; the last one is the format number.
const MAGIC: &[u8; 16] = b"dayfly session 1";
/// Magic, dc, created_at, key, and SHA256 of all before it.
const LENGTH: usize = 16 + 4 + 8 + 256 + 32;

impl FileSession {
    /// A session in the file `path`, which need not exist.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn wrong(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", self.path.display()))
    }

    fn beside(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".new");
        PathBuf::from(name)
    }

    fn parse(&self, bytes: &[u8]) -> io::Result<SavedKey> {
        if !bytes.starts_with(b"dayfly session ") {
            return Err(self.wrong("is no session file of dayfly"));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(self.wrong("was written by a newer version, format 1 is expected"));
        }
        parse_body(bytes).ok_or_else(|| self.wrong("is damaged: its checksum does not fit"))
    }
}

fn parse_body(bytes: &[u8]) -> Option<SavedKey> {
    let (body, checksum) = bytes.split_last_chunk::<32>()?;
    if bytes.len() != LENGTH || sha256(&[body]) != *checksum {
        return None;
    }
    let (dc, rest) = body.get(MAGIC.len()..)?.split_first_chunk::<4>()?;
    let (created_at, key) = rest.split_first_chunk::<8>()?;
    let key = Arc::new(AuthKey::copy_of(key.first_chunk()?));
    Some(SavedKey { key, created_at: u64::from_le_bytes(*created_at), dc: i32::from_le_bytes(*dc) })
}

impl SessionStore for FileSession {
    fn load(&mut self) -> io::Result<Option<SavedKey>> {
        let mut file = match fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.wrong(&error.to_string())),
        };
        let mode = file.metadata()?.mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = self.path.display();
            return Err(self.wrong(&format!("has mode {mode:04o}, 0600 is needed: chmod 600 {path}")));
        }
        // One byte more than a session has, so that a longer file is seen; never grown, so that no copy stays behind.
        let mut bytes = Zeroizing::new(vec![0; LENGTH + 1]);
        let mut length = 0;
        while let count @ 1.. = file.read(&mut bytes[length..])? {
            length += count;
        }
        self.parse(&bytes[..length]).map(Some)
    }

    fn save(&mut self, key: &SavedKey) -> io::Result<()> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&key.dc.to_le_bytes());
        bytes.extend_from_slice(&key.created_at.to_le_bytes());
        bytes.extend_from_slice(key.key.expose());
        let checksum = sha256(&[&bytes]);
        bytes.extend_from_slice(&checksum);
        let beside = self.beside();
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        sync_directory_of(&self.path)
    }

    fn forget(&mut self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn sync_directory_of(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn saved() -> SavedKey {
        SavedKey { key: Arc::new(AuthKey::copy_of(&[9; 256])), created_at: 1_700_000_000, dc: -2 }
    }

    fn refusal(change: impl FnOnce(&Path)) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("me.session");
        let mut session = FileSession::new(&path);
        session.save(&saved()).unwrap();
        change(&path);
        session.load().unwrap_err().to_string()
    }

    #[test]
    fn a_saved_key_comes_back_until_it_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let mut session = FileSession::new(directory.path().join("me.session"));
        assert!(session.load().unwrap().is_none());
        session.save(&saved()).unwrap();
        let loaded = session.load().unwrap().unwrap();
        assert_eq!((loaded.created_at, loaded.dc, loaded.key.id()), (1_700_000_000, -2, saved().key.id()));
        session.forget().unwrap();
        session.forget().unwrap();
        assert!(session.load().unwrap().is_none());
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_command_that_mends_it() {
        let message = refusal(|path| fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap());
        assert!(message.contains("has mode 0644, 0600 is needed: chmod 600"), "{message}");
    }

    #[test]
    fn a_damaged_cut_or_longer_file_is_refused_and_never_taken_for_none() {
        let flip = |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[100] ^= 1;
            fs::write(path, bytes).unwrap();
        };
        let cut = |path: &Path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..200]).unwrap();
        };
        let lengthen = |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            bytes.push(0);
            fs::write(path, bytes).unwrap();
        };
        assert!(refusal(flip).contains("is damaged"));
        assert!(refusal(cut).contains("is damaged"));
        assert!(refusal(lengthen).contains("is damaged"));
    }

    #[test]
    fn other_files_and_newer_formats_are_told_apart() {
        assert!(refusal(|path| fs::write(path, "hello").unwrap()).contains("is no session file"));
        let newer = refusal(|path| fs::write(path, "dayfly session 2...").unwrap());
        assert!(newer.contains("format 1 is expected"), "{newer}");
    }
}
