//! The server's RSA keys on disk: one made at the first start and read at every other one, or those that the operator lists.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dayfly_core::handshake::server::ServerKey;
use dayfly_crypto::rsa_key::{KeyError, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use crate::config::{Config, RsaKey};

/// The private key's file in the data directory.
pub const PRIVATE_FILE: &str = "server.pem";
/// The public key's file beside it, in PKCS#1 as client libraries want it.
pub const PUBLIC_FILE: &str = "server.pub.pem";

/// The server's RSA keys, and where the public half of the first lies.
#[derive(Debug)]
pub struct Identity {
    /// The key that is offered first.
    pub key: Arc<PrivateKey>,
    /// All of them, that one in front.
    pub keys: Vec<ServerKey>,
    /// Where the public key lies, to be given to clients.
    pub public_path: PathBuf,
    /// Whether it was made just now.
    pub fresh: bool,
}

/// What is wrong with a key file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds no key that can be used.
    #[error("{}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What it holds, and what is expected.
        source: KeyError,
    },
    /// It holds a key that was listed before.
    #[error("{}: holds the same RSA key as a file listed before", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
    },
}

impl Identity {
    /// Reads the key in `directory`, or makes one if there is none. An existing file is never overwritten.
    ///
    /// # Errors
    /// [`IdentityError`], which names the file.
    pub fn open(directory: &Path) -> Result<Self, IdentityError> {
        make_directory(directory)?;
        let private_path = directory.join(PRIVATE_FILE);
        let public_path = directory.join(PUBLIC_FILE);
        let fresh = !private_path.exists();
        let key = if fresh { generate(&private_path)? } else { read_private(&private_path)? };
        Self::with_public(Arc::new(key).into(), Vec::new(), public_path, fresh)
    }

    /// Reads the keys that `config` lists, in their order; without a list, [`open`](Self::open)s its data directory. The public
    /// half of the first is in the data directory either way.
    ///
    /// # Errors
    /// [`IdentityError`], which names the file.
    pub fn configured(config: &Config) -> Result<Self, IdentityError> {
        let Some((first, rest)) = config.rsa_keys.split_first() else {
            return Self::open(&config.data_dir);
        };
        make_directory(&config.data_dir)?;
        let first = read_listed(first)?;
        let rest = rest.iter().map(read_listed).collect::<Result<_, _>>()?;
        Self::with_public(first, rest, config.data_dir.join(PUBLIC_FILE), false)
    }

    /// The public file follows the first private key, so that it can be had again when it was lost.
    fn with_public(
        first: ServerKey,
        rest: Vec<ServerKey>,
        public_path: PathBuf,
        fresh: bool,
    ) -> Result<Self, IdentityError> {
        let key = Arc::clone(&first.key);
        if read_public(&public_path).ok().is_none_or(|public| public.fingerprint() != key.fingerprint()) {
            write_public(key.public(), &public_path)?;
        }
        Ok(Self { key, keys: [vec![first], rest].concat(), public_path, fresh })
    }
}

fn read_listed(listed: &RsaKey) -> Result<ServerKey, IdentityError> {
    Ok(ServerKey { key: Arc::new(read_private(&listed.file)?), old_rsa: listed.old_rsa })
}

fn make_directory(directory: &Path) -> Result<(), IdentityError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|source| IdentityError::Unwritable { path: directory.to_owned(), source })
}

/// Makes a 2048-bit key and writes it to `path`, mode 0600; refuses to overwrite.
///
/// # Errors
/// [`IdentityError::Unwritable`], also when the file exists; [`IdentityError::Key`] if none could be made.
pub fn generate(path: &Path) -> Result<PrivateKey, IdentityError> {
    let wrong = |source| IdentityError::Key { path: path.to_owned(), source };
    let key = PrivateKey::generate().map_err(wrong)?;
    let pem = key.to_pem().map_err(wrong)?;
    write_new(path, pem.as_bytes())
        .map_err(|source| IdentityError::Unwritable { path: path.to_owned(), source })?;
    Ok(key)
}

/// Writes a file of mode 0600 that is there whole or not at all: first under another name, then, synced, under its own,
/// which must be free.
pub(crate) fn write_new(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::hard_link(&beside, path)?; // unlike a rename, it takes nobody's place
    fs::remove_file(&beside)
}

/// Writes a public key in PKCS#1.
///
/// # Errors
/// [`IdentityError::Unwritable`].
pub fn write_public(key: &PublicKey, path: &Path) -> Result<(), IdentityError> {
    let pem = key.to_pem().map_err(|source| IdentityError::Key { path: path.to_owned(), source })?;
    let write = || File::create(path).and_then(|mut file| file.write_all(pem.as_bytes()));
    write().map_err(|source| IdentityError::Unwritable { path: path.to_owned(), source })
}

/// Reads a private key, PKCS#1 or PKCS#8.
///
/// # Errors
/// [`IdentityError`].
pub fn read_private(path: &Path) -> Result<PrivateKey, IdentityError> {
    let text = Zeroizing::new(read(path)?);
    PrivateKey::from_pem(&text).map_err(|source| IdentityError::Key { path: path.to_owned(), source })
}

/// Reads a public key, PKCS#1 or SPKI.
///
/// # Errors
/// [`IdentityError`].
pub fn read_public(path: &Path) -> Result<PublicKey, IdentityError> {
    PublicKey::from_pem(&read(path)?).map_err(|source| IdentityError::Key { path: path.to_owned(), source })
}

fn read(path: &Path) -> Result<String, IdentityError> {
    fs::read_to_string(path).map_err(|source| IdentityError::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let first = Identity::open(directory.path()).unwrap();
        let again = Identity::open(directory.path()).unwrap();
        assert!(first.fresh && !again.fresh);
        assert_eq!(first.key.fingerprint(), again.key.fingerprint());
        let mode = fs::metadata(directory.path().join(PRIVATE_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let public = read_public(&first.public_path).unwrap();
        assert_eq!(public.fingerprint(), first.key.fingerprint());
    }

    #[test]
    fn a_start_that_was_cut_short_while_it_wrote_the_key_is_made_good() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("server.pem.new"), "-----BEGIN RSA PRI").unwrap();
        assert!(Identity::open(directory.path()).unwrap().fresh);
        assert!(!directory.path().join("server.pem.new").exists());
    }

    #[test]
    fn a_key_never_takes_the_place_of_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mine.pem");
        fs::write(&path, "something else").unwrap();
        assert!(generate(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "something else");
    }

    #[test]
    fn a_damaged_key_is_named_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(PRIVATE_FILE);
        fs::write(&path, "no key").unwrap();
        let error = Identity::open(directory.path()).unwrap_err().to_string();
        assert!(error.contains("server.pem: no PEM block found"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "no key");
    }

    #[test]
    fn a_public_key_in_the_place_of_the_private_one_is_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let public = Identity::open(other.path()).unwrap().public_path;
        fs::copy(public, directory.path().join(PRIVATE_FILE)).unwrap();
        let error = Identity::open(directory.path()).unwrap_err().to_string();
        assert!(error.contains("a public key where a private one is needed"), "{error}");
    }
}
