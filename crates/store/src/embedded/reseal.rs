//! Changing the sealing key.

use std::sync::PoisonError;

use dayfly_crypto::SecureRandom;
use tokio::sync::oneshot;

use super::{EmbeddedStore, writer::Message};
use crate::{
    error::{Error, Unavailable},
    sealing::{NextKey, SealingKey, SealingSource},
};

impl EmbeddedStore {
    /// Changes the sealing key to the one of `source`, and returns how many keys were sealed anew.
    ///
    /// If `source` is a file that holds the current key, a fresh key replaces it; if the file is not there, it is made;
    /// any other key is taken as it is. All records and the check value change in one transaction: a power cut leaves
    /// the store wholly under the old key or wholly under the new one. A new key's file is on the disk before that
    /// transaction and gets its name after it; a start in between finishes the renaming. So there is no moment at which
    /// the key that the store needs is not on the disk.
    ///
    /// This protects from someone who gets the old key later, not from someone who has it and an old copy of the data
    /// directory already: that copy, and what a copy of unused parts of the file may hold, still open under the old key.
    ///
    /// Blocks the calling thread while it works, about 10 s for a million keys.
    ///
    /// # Panics
    /// If it is called inside an asynchronous task: it would block that task's thread.
    ///
    /// # Errors
    /// Those of the source, [`Unavailable::Damaged`] if a record does not open, and the storage's. Nothing has changed
    /// then, but that a file `.new` may lie beside the key's, which the next attempt replaces.
    pub fn reseal(&mut self, source: &SealingSource, random: &mut dyn SecureRandom) -> Result<u64, Error> {
        let id = self.id.to_string();
        source.check_outside(self.path.parent().unwrap_or(&self.path), &id)?;
        let NextKey { key, promote } = source.next(&id, |key| self.is_current(key), random)?;
        let count = self.reseal_with(key)?;
        if let Some(promote) = promote {
            promote.carry_out()?;
        }
        self.key_place = source.place(&id);
        Ok(count)
    }

    fn is_current(&self, other: &SealingKey) -> bool {
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        subtle::ConstantTimeEq::ct_eq(key.expose().as_slice(), other.expose().as_slice()).into()
    }

    fn reseal_with(&self, key: SealingKey) -> Result<u64, Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Reseal(key, reply))?;
        answer.blocking_recv().map_err(|_| Unavailable::Closed)?
    }
}
