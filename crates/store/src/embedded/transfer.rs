//! Keys on their way out of a store and into it.

use dayfly_crypto::AuthKeyId;
use tokio::sync::oneshot;

use super::{EmbeddedStore, writer::Message};
use crate::{
    backup::{BackupError, ImportError, Imported, KeptKey},
    error::Unavailable,
};

impl EmbeddedStore {
    /// Up to `at_most` keys with ids greater than `after`, by rising id, secrets and all: for an export. An empty page is the
    /// end.
    ///
    /// # Errors
    /// [`Unavailable`], also if a record does not open.
    pub fn kept(&self, after: Option<AuthKeyId>, at_most: usize) -> Result<Vec<KeptKey>, Unavailable> {
        self.read(|tables, key| tables.kept(after, at_most, key))
    }

    /// Takes in all of `keys`, durably, or none of them: the first error, theirs or the store's, ends it, and nothing has
    /// changed then. A key that is here already is passed over; another key under a taken id is an error.
    ///
    /// Blocks the calling thread while it works.
    ///
    /// # Panics
    /// If it is called inside an asynchronous task: it would block that task's thread.
    ///
    /// # Errors
    /// [`ImportError`].
    pub fn import(
        &mut self,
        keys: impl Iterator<Item = Result<KeptKey, BackupError>> + Send + 'static,
    ) -> Result<Imported, ImportError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Import(Box::new(keys), reply))?;
        answer.blocking_recv().map_err(|_| Unavailable::Closed)?
    }
}
