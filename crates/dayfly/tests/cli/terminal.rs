//! Passphrases typed at a terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::Place;

/// A command with a terminal of its own to read from.
struct Typing {
    child: Child,
    terminal: File,
}

impl Typing {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let keyboard = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let mut command = place.command(arguments);
        let child = command.stdin(keyboard).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { child, terminal: File::from(terminal) }
    }

    /// Waits for the question, which comes when the terminal is silent, and answers it.
    fn answer(&mut self, question: &str, line: &str) {
        let mut asked = vec![0; question.len()];
        self.child.stderr.as_mut().unwrap().read_exact(&mut asked).unwrap();
        assert_eq!(String::from_utf8(asked).unwrap(), question);
        self.terminal.write_all(line.as_bytes()).unwrap();
    }

    /// Waits for the end; gives the exit code, the rest of what was said, and what the terminal showed.
    fn end(mut self) -> (i32, String, String) {
        let (mut said, mut shown) = (String::new(), Vec::new());
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        let flags = fcntl_getfl(&self.terminal).unwrap();
        fcntl_setfl(&self.terminal, flags | OFlags::NONBLOCK).unwrap();
        // Ends with an error once there is nothing more: nobody has the other end open.
        let _ = self.terminal.read_to_end(&mut shown);
        (code, said, String::from_utf8(shown).unwrap())
    }
}

#[test]
fn a_passphrase_is_asked_for_twice_and_not_shown() {
    let place = Place::with_a_store();
    let mut typing = Typing::start(&place, &["keys", "export", "keys.backup"]);
    typing.answer("passphrase: ", "four words\n");
    typing.answer("\nonce more:  ", "four words\n");
    assert_eq!(typing.end(), (0, "\n".to_owned(), String::new()));
    let mut typing = Typing::start(&place, &["keys", "import", "keys.backup"]);
    typing.answer("passphrase: ", "four words\n");
    assert_eq!(typing.end(), (0, "\n".to_owned(), String::new()));
}

#[test]
fn two_passphrases_that_differ_make_no_export() {
    let place = Place::with_a_store();
    let mut typing = Typing::start(&place, &["keys", "export", "keys.backup"]);
    typing.answer("passphrase: ", "four words\n");
    typing.answer("\nonce more:  ", "for words\n");
    assert_eq!(typing.end(), (1, "\nerror: the two passphrases differ\n".to_owned(), String::new()));
    assert!(!place.path("keys.backup").exists());
}
