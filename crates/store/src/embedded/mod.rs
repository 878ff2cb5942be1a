//! Permanent keys in one file of this machine (redb), each sealed.

mod fault;
mod format;
mod open;
mod reseal;
mod tables;
mod transfer;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    thread::JoinHandle,
};

use dayfly_core::keys::requests::KeyRecord;
use dayfly_crypto::AuthKeyId;
use redb::{Database, ReadableDatabase};

use self::{
    fault::guarded,
    format::StoreId,
    tables::{Readable, Tables},
    writer::Message,
};
use crate::{
    error::Unavailable,
    key_store::{Inserted, KeyStore, Listed},
    sealing::SealingKey,
};

/// Permanent keys in one file, sealed with XChaCha20-Poly1305 under a key that lies elsewhere.
///
/// One thread writes: it takes all insertions that wait and makes them durable in one commit, so that many handshakes
/// share the price of a sync. Reads go past it. Opening reads a few pages, however many keys there are, after a crash
/// too. Dropping the store finishes what waits and gives the file free.
///
/// What is removed (a revoked key, a record under an earlier sealing key) may stay, sealed, in unused parts of the file
/// until they are used again.
#[derive(Debug)]
pub struct EmbeddedStore {
    database: Arc<Database>,
    key: Arc<RwLock<SealingKey>>,
    id: StoreId,
    path: PathBuf,
    key_place: String,
    messages: Option<std::sync::mpsc::Sender<Message>>,
    writer: Option<JoinHandle<()>>,
}

impl EmbeddedStore {
    /// The store's own name, drawn when it was made: 16 hex digits. The default sealing key's file is named by it.
    #[must_use]
    pub fn id(&self) -> String {
        self.id.to_string()
    }

    /// The store's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What an operator should know about copies, in one sentence.
    #[must_use]
    pub fn notice(&self) -> String {
        let directory = self.path.parent().unwrap_or(&self.path).display();
        let key = &self.key_place;
        format!(
            "a copy of {directory} alone opens no key; a copy of it and of the sealing key ({key}) opens every one"
        )
    }

    /// Runs `work` in the writer's next transaction and returns what it found, once that is durable.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tables<'_>) -> Result<T, Unavailable> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (message, answer) = Message::write(work);
        self.send(message)?;
        answer.await.map_err(|_| Unavailable::Closed)?
    }

    fn send(&self, message: Message) -> Result<(), Unavailable> {
        let messages = self.messages.as_ref().ok_or(Unavailable::Closed)?;
        messages.send(message).map_err(|_| Unavailable::Closed)
    }

    /// Runs `work` on the last committed state, with the sealing key of that state.
    fn read<T>(
        &self,
        work: impl FnOnce(&Readable, &SealingKey) -> Result<T, Unavailable>,
    ) -> Result<T, Unavailable> {
        // Held while reading: a reseal changes key and records together, so neither may be new with the other old.
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        guarded(|| work(&Readable::open(&self.database.begin_read()?)?, &key))
    }
}

impl KeyStore for EmbeddedStore {
    async fn insert(&self, records: Vec<KeyRecord>) -> Vec<Result<Inserted, Unavailable>> {
        let count = records.len();
        match self.write(move |tables| tables.insert(&records)).await {
            Ok(inserted) => inserted.into_iter().map(Ok).collect(),
            Err(error) => vec_of_errors(count, &error),
        }
    }

    async fn load(&self, ids: &[AuthKeyId]) -> Vec<Result<Option<KeyRecord>, Unavailable>> {
        let loaded = self.read(|tables, key| Ok(ids.iter().map(|id| tables.load(*id, key)).collect()));
        loaded.unwrap_or_else(|error| vec_of_errors(ids.len(), &error))
    }

    async fn mark_used(&self, ids: &[AuthKeyId], now: u64) -> Result<(), Unavailable> {
        let stale = self.read(|tables, _| tables.not_marked_today(ids, now))?;
        if stale.is_empty() {
            return Ok(());
        }
        self.write(move |tables| tables.mark_used(&stale, now)).await
    }

    async fn list(&self, after: Option<AuthKeyId>, at_most: usize) -> Result<Vec<Listed>, Unavailable> {
        self.read(|tables, _| tables.list(after, at_most))
    }

    async fn revoke(&self, id: AuthKeyId) -> Result<bool, Unavailable> {
        self.write(move |tables| tables.revoke(id)).await
    }

    async fn sweep_unused(&self, made_before: u64, at_most: usize) -> Result<Vec<AuthKeyId>, Unavailable> {
        self.write(move |tables| tables.sweep_unused(made_before, at_most)).await
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.messages = None; // the writer finishes what waits, then ends
        if let Some(writer) = self.writer.take() {
            // It catches its own panics; there is nothing to be told of one here.
            let _ = writer.join();
        }
    }
}

fn vec_of_errors<T>(count: usize, error: &Unavailable) -> Vec<Result<T, Unavailable>> {
    (0..count).map(|_| Err(error.clone())).collect()
}
