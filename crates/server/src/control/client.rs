//! The other end of the socket: a command of the operator.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dayfly_core::server::Revoked;
use dayfly_crypto::AuthKeyId;
use dayfly_store::Listed;

use super::protocol::{Answer, Id, LONGEST_ANSWER, Question};
use super::{CONTROL_FILE, ControlError};

/// How long a server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Speaks with a running server; blocks while it does.
#[derive(Debug)]
pub struct ControlClient {
    path: PathBuf,
    stream: BufReader<UnixStream>,
    process: u32,
}

impl ControlClient {
    /// Connects to the server whose data directory this is; `None` where none is running.
    ///
    /// # Errors
    /// [`ControlError`] if one is, and does not answer, or may not be asked.
    pub fn connect(directory: &Path) -> Result<Option<Self>, ControlError> {
        let path = directory.join(CONTROL_FILE);
        let stream = match UnixStream::connect(&path) {
            Ok(stream) => stream,
            Err(error) if is_nobody(&error) => return Ok(None),
            Err(source) => return Err(ControlError::Io { path, source }),
        };
        let bounded = stream.set_read_timeout(Some(PATIENCE)).and(stream.set_write_timeout(Some(PATIENCE)));
        bounded.map_err(|source| ControlError::Io { path: path.clone(), source })?;
        let mut client = Self { path, stream: BufReader::new(stream), process: 0 };
        match client.ask(&Question::Hello {})? {
            Answer::Hello { process, .. } => client.process = process,
            other => return Err(client.refused(other)),
        }
        Ok(Some(client))
    }

    /// The number of the server's process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Up to `at_most` permanent keys, and never more than 1000, with ids greater than `after`, by rising id. An empty page is
    /// the end.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn list(&mut self, after: Option<AuthKeyId>, at_most: usize) -> Result<Vec<Listed>, ControlError> {
        match self.ask(&Question::List { after: after.map(Id), at_most })? {
            Answer::Keys { keys } => Ok(keys.into_iter().map(Into::into).collect()),
            other => Err(self.refused(other)),
        }
    }

    /// Ends a key for good, of whichever kind, with everything bound to it.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn revoke(&mut self, id: AuthKeyId) -> Result<Revoked, ControlError> {
        match self.ask(&Question::Revoke { id: Id(id) })? {
            Answer::Revoked { outcome } => Ok(outcome.into()),
            other => Err(self.refused(other)),
        }
    }

    fn ask(&mut self, question: &Question) -> Result<Answer, ControlError> {
        let path = self.path.clone();
        self.exchange(question).map_err(|source| ControlError::Io { path, source })
    }

    fn exchange(&mut self, question: &Question) -> io::Result<Answer> {
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)?;
        line.clear();
        (&mut self.stream).take(LONGEST_ANSWER).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server did not answer in full"));
        }
        Ok(serde_json::from_slice(&line)?)
    }

    fn refused(&self, answer: Answer) -> ControlError {
        let reason = match answer {
            Answer::Error { reason } => reason,
            other => format!("something else than was asked for ({other:?})"),
        };
        ControlError::Refused { path: self.path.clone(), reason }
    }
}

/// Whether the error means that no server is running: there is no socket, one that a dead server left, or a path that is too
/// long for one.
fn is_nobody(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
    matches!(error.kind(), NotFound | ConnectionRefused | InvalidInput)
}
