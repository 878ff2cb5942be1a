//! What the engine tells a connection, in order. An empty queue holds no memory beside itself: most connections are idle.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What waits to be written for one peer, in bytes; a peer that does not read is cut off there.
const MOST_QUEUED: usize = 8 << 20;

/// What the engine tells a connection.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum ToConnection {
    Write(Vec<u8>),
    /// The response to the request that waits.
    Respond {
        status: u16,
        body: Vec<u8>,
    },
    Close,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    told: VecDeque<ToConnection>,
    /// Bytes that were given for writing and are not written yet.
    bytes: usize,
    /// The engine has let go of the connection.
    ended: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The two ends of a connection's queue.
pub(crate) fn queue() -> (Outgoing, Incoming) {
    let queue = Arc::new(Queue::default());
    (Outgoing(Arc::clone(&queue)), Incoming(queue))
}

/// The engine's end. What is told to a connection that has ended is dropped with it.
pub(crate) struct Outgoing(Arc<Queue>);

/// The peer does not read what it asked for.
#[derive(Debug)]
pub(crate) struct Stalled;

impl Outgoing {
    pub(crate) fn write(&self, bytes: Vec<u8>) -> Result<(), Stalled> {
        let mut waiting = self.0.lock();
        waiting.bytes = waiting.bytes.saturating_add(bytes.len());
        if waiting.bytes > MOST_QUEUED {
            return Err(Stalled);
        }
        waiting.told.push_back(ToConnection::Write(bytes));
        drop(waiting);
        self.0.news.notify_one();
        Ok(())
    }

    /// There is one at a time, so it is not counted.
    pub(crate) fn respond(&self, status: u16, body: Vec<u8>) {
        self.tell(ToConnection::Respond { status, body });
    }

    pub(crate) fn close(&self) {
        self.tell(ToConnection::Close);
    }

    fn tell(&self, told: ToConnection) {
        self.0.lock().told.push_back(told);
        self.0.news.notify_one();
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.news.notify_one();
    }
}

/// The connection's end.
pub(crate) struct Incoming(Arc<Queue>);

impl Incoming {
    /// Waits for the next thing that is told; `None` once the engine has let go and all was taken. Nothing is lost if the
    /// future is dropped.
    pub(crate) async fn recv(&mut self) -> Option<ToConnection> {
        loop {
            {
                let mut waiting = self.0.lock();
                if let Some(told) = next(&mut waiting) {
                    return Some(told);
                }
                if waiting.ended {
                    return None;
                }
            }
            self.0.news.notified().await;
        }
    }

    /// More bytes to be written, if they are the next thing told and there are at most `most` of them.
    pub(crate) fn more_to_write(&mut self, most: usize) -> Option<Vec<u8>> {
        let mut waiting = self.0.lock();
        match waiting.told.front() {
            Some(ToConnection::Write(bytes)) if bytes.len() <= most => match next(&mut waiting) {
                Some(ToConnection::Write(bytes)) => Some(bytes),
                _ => None,
            },
            _ => None,
        }
    }

    /// Waits until the engine closes the connection, which has nothing to say before it was told anything.
    pub(crate) async fn closed(&mut self) {
        while !matches!(self.recv().await, Some(ToConnection::Close) | None) {}
    }

    /// So many bytes of what waited are written.
    pub(crate) fn written(&self, bytes: usize) {
        let mut waiting = self.0.lock();
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
    }
}

fn next(waiting: &mut Waiting) -> Option<ToConnection> {
    let told = waiting.told.pop_front()?;
    if waiting.told.is_empty() {
        waiting.told = VecDeque::new();
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_told_comes_in_order_and_then_the_end() {
        let (outgoing, mut incoming) = queue();
        outgoing.write(vec![1]).unwrap();
        outgoing.respond(200, vec![2]);
        outgoing.close();
        drop(outgoing);
        assert_eq!(incoming.recv().await, Some(ToConnection::Write(vec![1])));
        assert_eq!(incoming.recv().await, Some(ToConnection::Respond { status: 200, body: vec![2] }));
        assert_eq!(incoming.recv().await, Some(ToConnection::Close));
        assert_eq!(incoming.recv().await, None);
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let (outgoing, mut incoming) = queue();
        let waiting = tokio::spawn(async move { incoming.recv().await });
        tokio::task::yield_now().await;
        outgoing.write(vec![7]).unwrap();
        assert_eq!(waiting.await.unwrap(), Some(ToConnection::Write(vec![7])));
    }

    #[tokio::test]
    async fn only_bytes_that_fit_are_taken_along() {
        let (outgoing, mut incoming) = queue();
        for bytes in [vec![1; 3], vec![2; 5]] {
            outgoing.write(bytes).unwrap();
        }
        outgoing.close();
        assert_eq!(incoming.more_to_write(2), None);
        assert_eq!(incoming.more_to_write(3), Some(vec![1; 3]));
        assert_eq!(incoming.more_to_write(5), Some(vec![2; 5]));
        assert_eq!(incoming.more_to_write(5), None);
        assert_eq!(incoming.recv().await, Some(ToConnection::Close));
    }

    #[test]
    fn a_peer_that_does_not_read_is_told_by_the_bytes_that_wait() {
        let (outgoing, incoming) = queue();
        outgoing.write(vec![0; MOST_QUEUED]).unwrap();
        assert!(outgoing.write(vec![0]).is_err());
        incoming.written(MOST_QUEUED + 1);
        assert!(outgoing.write(vec![0]).is_ok());
    }
}
