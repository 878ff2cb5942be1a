//! Questions on one connection, answered one after another.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use dayfly_store::{KeyStore, Keys, TempKeys};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::protocol::{Answer, LONGEST_PAGE, LONGEST_QUESTION, Question};
use crate::upstream::Edge;

/// How long a connection may say nothing, or take nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// What answers.
pub(super) struct Desk<K, T> {
    pub(super) keys: Arc<Keys<K, T>>,
    pub(super) edge: Edge,
}

impl<K, T> Clone for Desk<K, T> {
    fn clone(&self) -> Self {
        Self { keys: Arc::clone(&self.keys), edge: self.edge.clone() }
    }
}

impl<K: KeyStore, T: TempKeys> Desk<K, T> {
    /// Answers until the other end is done, or says what is no question.
    pub(super) async fn serve(&self, stream: UnixStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut bounded = (&mut stream).take(LONGEST_QUESTION);
            if timeout(PATIENCE, bounded.read_until(b'\n', &mut line)).await?? == 0 {
                return Ok(());
            }
            let question = read(&line);
            let ends = question.is_err();
            let answer = match question {
                Ok(question) => self.answer(question).await,
                Err(reason) => Answer::Error { reason },
            };
            let mut text = serde_json::to_vec(&answer)?;
            text.push(b'\n');
            timeout(PATIENCE, stream.write_all(&text)).await??;
            if ends {
                return Ok(());
            }
        }
    }

    async fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Hello {} => {
                Answer::Hello { version: env!("CARGO_PKG_VERSION").to_owned(), process: std::process::id() }
            }
            Question::List { after, at_most } => {
                let page = self.keys.perm().list(after.map(|after| after.0), at_most.min(LONGEST_PAGE)).await;
                match page {
                    Ok(page) => Answer::Keys { keys: page.into_iter().map(Into::into).collect() },
                    Err(error) => Answer::Error { reason: error.to_string() },
                }
            }
            Question::Revoke { id } => match self.edge.revoke(id.0).await {
                Ok(revoked) => Answer::Revoked { outcome: revoked.into() },
                Err(error) => Answer::Error { reason: error.to_string() },
            },
        }
    }
}

/// What is asked; a line that is cut or no question has its reason.
fn read(line: &[u8]) -> Result<Question, String> {
    if !line.ends_with(b"\n") {
        return Err(format!("a question is a line of at most {LONGEST_QUESTION} bytes"));
    }
    serde_json::from_slice(line).map_err(|error| format!("no question: {error}"))
}

#[cfg(test)]
mod tests {
    use dayfly_core::server::Revoked;
    use dayfly_store::{EmbeddedStore, OsRandom, RamTempKeys, SealingSource};
    use serde_json::{Value, json};
    use tokio::sync::mpsc;

    use super::*;
    use crate::upstream::EdgeRequest;

    struct Asking {
        stream: BufReader<UnixStream>,
        requests: mpsc::Receiver<EdgeRequest>,
        /// The store lies in it.
        _directory: tempfile::TempDir,
    }

    impl Asking {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let sealing = SealingSource::Directory(directory.path().join("sealing"));
            let store =
                EmbeddedStore::open(&directory.path().join("data/keys.redb"), &sealing, Box::new(OsRandom));
            let keys = Arc::new(Keys::new(store.unwrap(), RamTempKeys::default()));
            let (sender, requests) = mpsc::channel(1);
            let (own, stream) = UnixStream::pair().unwrap();
            let desk = Desk { keys, edge: Edge::to(sender) };
            tokio::spawn(async move { desk.serve(own).await });
            Self { stream: BufReader::new(stream), requests, _directory: directory }
        }

        async fn say(&mut self, line: &str) {
            self.stream.write_all(line.as_bytes()).await.unwrap();
        }

        /// `None` once the connection is closed.
        async fn hear(&mut self) -> Option<Value> {
            let mut line = String::new();
            (self.stream.read_line(&mut line).await.unwrap() > 0)
                .then(|| serde_json::from_str(&line).unwrap())
        }
    }

    #[tokio::test]
    async fn several_questions_are_answered_on_one_connection() {
        let mut asking = Asking::new();
        asking.say("{\"do\":\"hello\"}\n{\"do\":\"list\",\"at_most\":5}\n").await;
        assert_eq!(asking.hear().await.unwrap()["process"], std::process::id());
        assert_eq!(asking.hear().await.unwrap(), json!({"answer": "keys", "keys": []}));
    }

    #[tokio::test]
    async fn a_revocation_goes_to_the_engine_and_its_outcome_comes_back() {
        let mut asking = Asking::new();
        for (revoked, outcome) in
            [(Revoked::Ended, "ended"), (Revoked::Unknown, "unknown"), (Revoked::Unavailable, "unavailable")]
        {
            asking.say("{\"do\":\"revoke\",\"id\":\"00000000000000ff\"}\n").await;
            let Some(EdgeRequest::Revoke { key, tell }) = asking.requests.recv().await else {
                panic!("no request")
            };
            assert_eq!(key.0, 255);
            tell.send(revoked).unwrap();
            assert_eq!(asking.hear().await.unwrap(), json!({"answer": "revoked", "outcome": outcome}));
        }
    }

    #[tokio::test]
    async fn what_is_no_question_is_told_so_and_ends_the_connection() {
        for (line, reason) in [
            ("hello\n", "no question: expected value at line 1 column 1"),
            ("{\"do\":\"stop\"}\n", "no question: unknown variant `stop`"),
            ("{\"do\":\"revoke\",\"id\":\"ff\"}\n", "no question: an id has 16 hexadecimal digits"),
            ("{\"do\":\"hello\",\"and\":1}\n", "no question: unknown field `and`"),
            (&"x".repeat(5000), "a question is a line of at most 4096 bytes"),
        ] {
            let mut asking = Asking::new();
            asking.say(line).await;
            let answer = asking.hear().await.unwrap();
            assert!(answer["reason"].as_str().unwrap().starts_with(reason), "{answer}");
            let mut rest = Vec::new();
            // What it did not read makes the end of the connection an abrupt one.
            let _ = asking.stream.read_to_end(&mut rest).await;
            assert!(rest.is_empty());
        }
    }
}
