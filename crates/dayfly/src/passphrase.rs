//! Passphrases: from a terminal without echo, or from a file of mode 0600. Never an argument or an environment variable,
//! which process listings and children show.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use dayfly_store::Passphrase;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// The longest that is taken, in bytes.
const LONGEST: usize = 1024;

/// A passphrase that somebody thinks of now: a terminal is asked twice.
pub(crate) fn new(file: Option<&Path>) -> anyhow::Result<Passphrase> {
    if let Some(file) = file {
        return from_file(file);
    }
    let first = ask("passphrase: ")?;
    if *first != *ask("once more:  ")? {
        bail!("the two passphrases differ");
    }
    Ok(Passphrase::take(first)?)
}

/// A passphrase that somebody knows already.
pub(crate) fn known(file: Option<&Path>) -> anyhow::Result<Passphrase> {
    match file {
        Some(file) => from_file(file),
        None => Ok(Passphrase::take(ask("passphrase: ")?)?),
    }
}

fn from_file(path: &Path) -> anyhow::Result<Passphrase> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("{name}: cannot be read"))?;
    let mode = file.metadata().with_context(|| format!("{name}: cannot be read"))?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        bail!("{name}: has mode {mode:04o}, open to others: run `chmod 600 {name}`");
    }
    let text = read_line(file).with_context(|| name.to_string())?;
    Passphrase::take(text).with_context(|| name.to_string())
}

fn ask(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    let terminal = io::stdin();
    if !terminal.is_terminal() {
        bail!("there is no terminal to ask for the passphrase at: use --passphrase-file");
    }
    let silence = Silence::begin()?;
    let mut out = io::stderr();
    out.write_all(prompt.as_bytes()).and_then(|()| out.flush()).context("the terminal cannot be written")?;
    // Past the buffer of the standard input, which would keep what it read.
    let text =
        terminal.as_fd().try_clone_to_owned().map_err(Into::into).and_then(|own| read_line(File::from(own)));
    drop(silence);
    // The line break that was not echoed; its loss harms nobody.
    let _ = out.write_all(b"\n");
    text.context("the passphrase")
}

/// The first line, without its end. The buffer is as large from the start as it will ever be: growing leaves copies behind.
fn read_line(mut input: impl io::Read) -> anyhow::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let mut byte = Zeroizing::new([0]);
    while bytes.len() <= LONGEST && input.read(&mut *byte)? == 1 && byte[0] != b'\n' {
        bytes.push(byte[0]);
    }
    if bytes.len() > LONGEST {
        bail!("a passphrase has at most {LONGEST} bytes");
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    let text = std::str::from_utf8(&bytes).context("a passphrase is text in UTF-8")?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence {
    before: Termios,
}

impl Silence {
    fn begin() -> anyhow::Result<Self> {
        let set = || {
            let before = tcgetattr(io::stdin())?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
            Ok::<_, rustix::io::Errno>(Self { before })
        };
        set().context("the terminal cannot be told to be silent")
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing either.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_the_first_line() {
        for text in ["four words\n", "four words", "four words\r\nand more"] {
            assert_eq!(*read_line(text.as_bytes()).unwrap(), "four words");
        }
        assert!(read_line(&b"\xff\n"[..]).unwrap_err().to_string().contains("UTF-8"));
        assert!(read_line("x".repeat(LONGEST + 1).as_bytes()).is_err());
        assert_eq!(read_line("x".repeat(LONGEST).as_bytes()).unwrap().len(), LONGEST);
    }
}
