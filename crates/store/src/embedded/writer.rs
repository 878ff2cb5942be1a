//! The one thread that writes: takes what waits, commits it with one sync, answers.

use std::sync::{
    Arc, PoisonError, RwLock,
    mpsc::{Receiver, TryRecvError},
};

use dayfly_core::mutant;
use dayfly_crypto::SecureRandom;
use redb::{Database, Durability, WriteTransaction};
use tokio::sync::oneshot;

use super::{
    fault::guarded,
    format::{CHECK, META, StoreId},
    tables::Tables,
};
use crate::{
    backup::{BackupError, ImportError, Imported, KeptKey},
    error::Unavailable,
    sealing::SealingKey,
};

/// The most pieces of work in one commit: bounds how long the first of them waits for the last.
const MOST_AT_ONCE: usize = 1024;

/// What the thread is asked.
pub(super) enum Message {
    /// Work in a transaction that it shares with others.
    Write(Box<dyn Write>),
    /// Seal every record anew under this key.
    Reseal(SealingKey, oneshot::Sender<Result<u64, Unavailable>>),
    /// Take all of these keys, or none.
    Import(Incoming, oneshot::Sender<Result<Imported, ImportError>>),
}

/// Keys from a file.
pub(super) type Incoming = Box<dyn Iterator<Item = Result<KeptKey, BackupError>> + Send>;

impl Message {
    pub(super) fn write<T: Send + 'static>(
        work: impl FnMut(&mut Tables<'_>) -> Result<T, Unavailable> + Send + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, Unavailable>>) {
        let (reply, answer) = oneshot::channel();
        (Self::Write(Box::new(Work { work, done: None, reply })), answer)
    }
}

/// A piece of work: done in the transaction, answered after the commit.
pub(super) trait Write: Send {
    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), Unavailable>;
    fn answer(self: Box<Self>, committed: Result<(), Unavailable>);
}

struct Work<W, T> {
    work: W,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, Unavailable>>,
}

impl<T: Send, W: FnMut(&mut Tables<'_>) -> Result<T, Unavailable> + Send> Write for Work<W, T> {
    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), Unavailable> {
        self.done = Some((self.work)(tables)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), Unavailable>) {
        let Self { done, reply, .. } = *self;
        let answer = committed.and_then(|()| done.ok_or(Unavailable::Closed));
        // Whoever asked may have gone; what was committed stays.
        let _ = reply.send(answer);
    }
}

/// What the thread owns.
pub(super) struct Writer {
    pub(super) database: Arc<Database>,
    pub(super) key: Arc<RwLock<SealingKey>>,
    pub(super) id: StoreId,
    pub(super) random: Box<dyn SecureRandom + Send>,
}

impl Writer {
    /// Works until every sender is gone.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        let mut next = messages.recv().ok();
        while let Some(message) = next.take() {
            next = match message {
                Message::Write(first) => {
                    let (batch, other) = collect(first, messages);
                    self.commit(batch);
                    other
                }
                Message::Reseal(key, reply) => {
                    // Whoever asked may have gone; the store then has a new key all the same.
                    let _ = reply.send(guarded(|| self.reseal(key)));
                    None
                }
                Message::Import(keys, reply) => {
                    // Whoever asked may have gone; what was committed stays.
                    let _ = reply.send(guarded(|| self.import(keys)));
                    None
                }
            }
            .or_else(|| messages.recv().ok());
        }
    }

    /// Rule PF-17: nobody is answered before the commit is synced, and if it fails nobody is told of success.
    fn commit(&mut self, mut batch: Vec<Box<dyn Write>>) {
        let committed = guarded(|| self.apply(&mut batch));
        batch.into_iter().for_each(|work| work.answer(committed.clone()));
    }

    fn apply(&mut self, batch: &mut [Box<dyn Write>]) -> Result<(), Unavailable> {
        let transaction = self.begin()?;
        {
            let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
            let mut tables = Tables::open(&transaction, &key, &mut *self.random)?;
            batch.iter_mut().try_for_each(|work| work.apply(&mut tables))?;
        }
        Ok(transaction.commit()?)
    }

    fn reseal(&mut self, next: SealingKey) -> Result<u64, Unavailable> {
        let check = next.check_value(&self.id.0, &mut *self.random)?;
        let transaction = self.begin()?;
        let count = {
            let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
            transaction.open_table(META)?.insert(CHECK, check.as_slice())?;
            Tables::open(&transaction, &key, &mut *self.random)?.reseal(&next)?
        };
        let mut key = self.key.write().unwrap_or_else(PoisonError::into_inner);
        transaction.commit()?;
        *key = next;
        Ok(count)
    }

    /// One transaction: whatever goes wrong, nothing of it was ever there.
    fn import(&mut self, keys: Incoming) -> Result<Imported, ImportError> {
        let transaction = self.begin()?;
        let imported = {
            let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
            Tables::open(&transaction, &key, &mut *self.random)?.import(keys)?
        };
        transaction.commit().map_err(Unavailable::from)?;
        Ok(imported)
    }

    /// Each commit is synced before it returns, and saves what makes opening after a crash as quick as after a clean
    /// end. The price is that redb then commits in two phases: two syncs a commit, however many keys share it.
    fn begin(&self) -> Result<WriteTransaction, Unavailable> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(mutant!("PF-17.sync", Durability::Immediate, Durability::None))?;
        transaction.set_quick_repair(true);
        Ok(transaction)
    }
}

/// What waits now, up to the bound, and the message that ended the collection if it is of another kind.
fn collect(first: Box<dyn Write>, messages: &Receiver<Message>) -> (Vec<Box<dyn Write>>, Option<Message>) {
    let mut batch = vec![first];
    while batch.len() < MOST_AT_ONCE {
        match messages.try_recv() {
            Ok(Message::Write(work)) => batch.push(work),
            Ok(other) => return (batch, Some(other)),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    (batch, None)
}
