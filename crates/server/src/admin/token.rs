//! The operator's token: a file of mode 0600, made at the first start.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use dayfly_core::env::SecureRandom;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::identity::write_new;

/// The token's file in the data directory, unless the configuration names another.
pub(crate) const TOKEN_FILE: &str = "admin.token";
/// A token that is made has so many random bytes.
const RANDOM_BYTES: usize = 32;
/// Fewer characters can be guessed.
const SHORTEST: usize = 32;
const LONGEST: usize = 256;

/// What an operator or a program shows to be let in. Wiped when dropped.
pub(crate) struct Token(Zeroizing<String>);

impl Token {
    /// Reads the token in `path`, or makes one there if there is no such file.
    ///
    /// # Errors
    /// What is wrong with the file, without its name.
    pub(crate) fn open(path: &Path, random: &mut dyn SecureRandom) -> Result<Self, String> {
        match File::open(path) {
            Ok(file) => Self::read(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(path, random),
            Err(error) => Err(format!("cannot be read: {error}")),
        }
    }

    /// Whether a token is in `path`, or could be made there because nothing is.
    ///
    /// # Errors
    /// What is wrong with the file, without its name.
    pub(crate) fn check(path: &Path) -> Result<(), String> {
        match File::open(path) {
            Ok(file) => Self::read(file).map(drop),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(format!("cannot be read: {error}")),
        }
    }

    fn read(mut file: File) -> Result<Self, String> {
        let unreadable = |error: io::Error| format!("cannot be read: {error}");
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(format!("its mode is {mode:04o}, expected 0600: others could read the token"));
        }
        let mut text = Zeroizing::new(String::with_capacity(LONGEST));
        file.by_ref().take(LONGEST as u64).read_to_string(&mut text).map_err(unreadable)?;
        let token = text.trim();
        if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("it holds no token, expected {SHORTEST} or more letters and digits"));
        }
        Ok(Self(Zeroizing::new(token.to_owned())))
    }

    fn make(path: &Path, random: &mut dyn SecureRandom) -> Result<Self, String> {
        let token = random_hex(random)?;
        let line = Zeroizing::new(format!("{}\n", *token));
        write_new(path, line.as_bytes()).map_err(|error| format!("cannot be written: {error}"))?;
        Ok(Self(token))
    }

    /// Whether `shown` is the token; the time that it takes says no more than whether the lengths are the same.
    pub(crate) fn is(&self, shown: &str) -> bool {
        bool::from(self.0.as_bytes().ct_eq(shown.as_bytes()))
    }
}

/// A secret of 256 bits in hexadecimal.
///
/// # Errors
/// The source of randomness failed.
pub(crate) fn random_hex(random: &mut dyn SecureRandom) -> Result<Zeroizing<String>, String> {
    let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
    random.fill_secret(&mut *bytes).map_err(|error| error.to_string())?;
    let mut text = Zeroizing::new(String::with_capacity(2 * RANDOM_BYTES));
    for byte in bytes.iter() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    bytes.zeroize();
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use dayfly_store::OsRandom;

    use super::*;

    fn open(path: &Path) -> Result<Token, String> {
        Token::open(path, &mut OsRandom)
    }

    #[test]
    fn a_token_is_made_once_for_its_owner_alone_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(TOKEN_FILE);
        open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        let token = open(&path).unwrap();
        assert_eq!(text.trim().len(), 2 * RANDOM_BYTES);
        assert!(token.is(text.trim()));
        assert!(!token.is("") && !token.is(&text) && !token.is(&text.trim()[1..]));
    }

    #[test]
    fn a_token_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(TOKEN_FILE);
        open(&path).unwrap();
        for mode in [0o644, 0o640, 0o602] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let refused = open(&path).err().unwrap();
            assert!(refused.starts_with(&format!("its mode is {mode:04o}, expected 0600")), "{refused}");
        }
    }

    #[test]
    fn a_file_without_a_token_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(TOKEN_FILE);
        open(&path).unwrap();
        for wrong in ["", "short", &"two words ".repeat(5), &"é".repeat(32)] {
            fs::write(&path, wrong).unwrap();
            assert!(open(&path).err().unwrap().starts_with("it holds no token"), "{wrong:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), wrong);
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_told() {
        let refused = open(Path::new("/nowhere/admin.token")).err().unwrap();
        assert!(refused.starts_with("cannot be written: "), "{refused}");
    }
}
