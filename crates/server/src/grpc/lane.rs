//! One stream as the engine sees it: a place to put calls, if it is open and has room.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use dayfly_core::session::server::Answer;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::calls::{Bounds, Calls, Unawaited};
use super::messages::error;
use super::proto::{FromEdge, from_edge};
use crate::config::Backend;
use crate::upstream::Reply;

/// What one stream may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    bounds: Bounds,
    queue_bytes: usize,
    message_bytes: usize,
}

impl Room {
    pub(super) fn of(settings: &Backend) -> Self {
        let bounds = Bounds { in_flight: settings.calls_in_flight, later: settings.calls_later };
        let message_bytes = usize::try_from(settings.message_bytes).unwrap_or(usize::MAX);
        Self { bounds, queue_bytes: settings.queue_bytes, message_bytes }
    }

    /// How many messages may wait for a back end that does not read.
    fn messages(&self) -> usize {
        self.bounds.in_flight.saturating_add(1)
    }
}

/// One stream as the engine sees it. Its task opens and closes it.
pub(super) struct Lane {
    room: Room,
    open: Mutex<Option<Open>>,
}

struct Open {
    calls: Calls,
    outgoing: mpsc::Sender<FromEdge>,
    queued: Arc<AtomicUsize>,
}

impl Lane {
    pub(super) fn new(room: Room) -> Self {
        Self { room, open: Mutex::new(None) }
    }

    /// Nothing in here is left half done, so that a thread that panicked spoilt nothing.
    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a call for the back end, or answers it at once: the stream is closed, or full, or the call is too long.
    pub(super) fn call(&self, mut message: super::proto::Call, reply: Reply, deadline: Instant) {
        let mut open = self.lock();
        let Some(Open { calls, outgoing, queued }) = open.as_mut() else {
            return reply.answer(error(500, "BACKEND_UNAVAILABLE"));
        };
        message.number = calls.next_number();
        let message = FromEdge { message: Some(from_edge::Message::Call(message)) };
        let length = message.encoded_len();
        if length > self.room.message_bytes {
            return reply.answer(error(400, "BACKEND_CALL_TOO_LONG"));
        }
        let fits = queued.load(Ordering::Relaxed).saturating_add(length) <= self.room.queue_bytes;
        if !fits || !calls.has_place() {
            return reply.answer(error(420, FLOOD_WAIT));
        }
        queued.fetch_add(length, Ordering::Relaxed);
        if outgoing.try_send(message).is_err() {
            queued.fetch_sub(length, Ordering::Relaxed);
            return reply.answer(error(420, FLOOD_WAIT));
        }
        calls.insert(reply, deadline);
    }

    /// A queue for what goes to the back end; calls are queued after [`open`](Self::open) only.
    pub(super) fn queue(&self) -> (mpsc::Sender<FromEdge>, Outgoing) {
        let (sender, receiver) = mpsc::channel(self.room.messages());
        (sender, Outgoing { receiver, queued: Arc::default() })
    }

    /// From now on calls go to `outgoing`.
    pub(super) fn open(&self, outgoing: mpsc::Sender<FromEdge>, queued: Arc<AtomicUsize>) {
        *self.lock() = Some(Open { calls: Calls::new(self.room.bounds), outgoing, queued });
    }

    /// Ends the stream: what is in flight gets BACKEND_GONE, what comes BACKEND_UNAVAILABLE.
    pub(super) fn close(&self) {
        // Dropping a reply answers, by way of a queue and not of this lock.
        drop(self.lock().take());
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    /// How many calls wait for the back end.
    pub(super) fn waiting(&self) -> usize {
        self.lock().as_ref().map_or(0, |open| open.calls.len())
    }

    /// The back end answered a call.
    pub(super) fn answer(&self, number: u64, answer: Answer) -> Result<(), Unawaited> {
        let reply = match self.lock().as_mut() {
            Some(open) => open.calls.take(number)?,
            None => return Err(Unawaited::NeverAsked),
        };
        reply.answer(answer);
        Ok(())
    }

    /// The back end took a call, and answers later.
    pub(super) fn postpone(&self, number: u64) -> Result<(), Unawaited> {
        self.lock().as_mut().map_or(Err(Unawaited::NeverAsked), |open| open.calls.postpone(number))
    }

    /// Gives up calls whose time is over.
    pub(super) fn expire(&self, now: Instant) {
        let over = self.lock().as_mut().map(|open| open.calls.expire(now)).unwrap_or_default();
        over.into_iter().for_each(|reply| reply.answer(error(500, "BACKEND_TIMEOUT")));
    }
}

/// For one second: a queue that is full now may well have room then.
const FLOOD_WAIT: &str = "FLOOD_WAIT_1";

/// What goes to the back end, message by message, when it reads.
pub(super) struct Outgoing {
    receiver: mpsc::Receiver<FromEdge>,
    queued: Arc<AtomicUsize>,
}

impl Outgoing {
    /// How many bytes of calls wait here.
    pub(super) fn queued(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.queued)
    }
}

impl futures_util::Stream for Outgoing {
    type Item = FromEdge;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<FromEdge>> {
        let message = std::task::ready!(self.receiver.poll_recv(context));
        if let Some(FromEdge { message: Some(from_edge::Message::Call(_)) }) = &message {
            let length = message.as_ref().map_or(0, prost::Message::encoded_len);
            self.queued.fetch_sub(length, Ordering::Relaxed);
        }
        Poll::Ready(message)
    }
}
