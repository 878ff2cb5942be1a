//! Takes what a lab tells, and puts it where it belongs: the book in memory, the transcript's file, the key log.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedReceiver;

use crate::keylog::KeyLog;
use crate::lab::LabEvent;
use crate::private_file::{self, FileError};
use crate::transcript::{Book, Entry, Recorder};

/// The book, which the page reads while the lab writes. Clones are the same book.
#[derive(Clone, Debug, Default)]
pub struct SharedBook(Arc<Mutex<Book>>);

impl SharedBook {
    /// The book, for as long as the guard lives.
    pub fn open(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With which every line begins.
const BEGINS: &str = "{\"number\":";

/// A transcript's file: an entry a line, as they come.
pub struct TranscriptFile(BufWriter<File>);

impl TranscriptFile {
    /// Appends to the file, which is made with mode 0600 if there is none: derived values are in it.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn open(path: &Path) -> Result<Self, FileError> {
        private_file::append(path, BEGINS).map(|file| Self(BufWriter::new(file)))
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, entry)?;
        self.0.write_all(b"\n")
    }
}

/// Where what happens is written, besides the book.
#[derive(Default)]
pub struct Files {
    /// The transcript.
    pub transcript: Option<(PathBuf, TranscriptFile)>,
    /// The key log.
    pub key_log: Option<(PathBuf, KeyLog)>,
}

impl Files {
    fn event(&mut self, event: &LabEvent) -> Result<(), FileError> {
        match &mut self.key_log {
            Some((path, log)) => log.write(event).map_err(FileError::system(path)),
            None => Ok(()),
        }
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), FileError> {
        match &mut self.transcript {
            Some((path, file)) => file.write(entry).map_err(FileError::system(path)),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), FileError> {
        if let Some((path, log)) = &mut self.key_log {
            log.flush().map_err(FileError::system(path))?;
        }
        match &mut self.transcript {
            Some((path, file)) => file.0.flush().map_err(FileError::system(path)),
            None => Ok(()),
        }
    }
}

/// Takes events until the lab ends. What was written is in the files whenever no event waits.
///
/// # Errors
/// [`FileError`] if a file cannot be written: a transcript with holes would mislead, so nothing is recorded from then on.
pub async fn record(
    mut events: UnboundedReceiver<LabEvent>,
    mut files: Files,
    book: SharedBook,
) -> Result<(), FileError> {
    let mut recorder = Recorder::default();
    while let Some(event) = events.recv().await {
        files.event(&event)?;
        if let Some(entry) = recorder.record(&event) {
            files.entry(&entry)?;
            book.open().push(entry);
        }
        if events.is_empty() {
            files.flush()?;
        }
    }
    files.flush()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::*;
    use crate::lab::What;

    fn event(number: u64) -> LabEvent {
        let what = What::Value { name: "g_a", bytes: vec![7; 256] };
        let at = Duration::from_secs(number);
        LabEvent { number, at, since_start: at, connection: Some(number), what }
    }

    #[tokio::test]
    async fn each_event_is_in_the_book_and_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("transcript.jsonl");
        let transcript = Some((path.clone(), TranscriptFile::open(&path).unwrap()));
        let (tell, events) = mpsc::unbounded_channel();
        (1..=3).for_each(|number| tell.send(event(number)).unwrap());
        drop(tell);
        let book = SharedBook::default();
        record(events, Files { transcript, key_log: None }, book.clone()).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let written: Vec<Entry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let kept: Vec<Entry> = book.open().runs().flat_map(|run| run.entries.clone()).collect();
        assert_eq!((written.len(), &written), (3, &kept));
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_and_no_hole() {
        let full = Path::new("/dev/full");
        let file = File::options().write(true).open(full).unwrap();
        let transcript = Some((full.to_owned(), TranscriptFile(BufWriter::new(file))));
        let (tell, events) = mpsc::unbounded_channel();
        tell.send(event(1)).unwrap();
        let told = record(events, Files { transcript, key_log: None }, SharedBook::default()).await;
        assert!(told.unwrap_err().to_string().starts_with("/dev/full: "));
    }
}
