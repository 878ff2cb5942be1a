//! One connection: its transport, its peer, the frames that wait for their key.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use dayfly_crypto::AuthKeyId;

use crate::session::SessionId;
use crate::transport::{Limits, ServerTransport};

use super::few::Few;
use super::http::Http;

/// Names a connection. The driver gives the numbers and never uses one twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub u64);

/// An encrypted frame, as it came.
pub(super) struct EncryptedFrame {
    pub(super) key: AuthKeyId,
    pub(super) bytes: Vec<u8>,
    pub(super) quick_ack: bool,
}

/// How payloads travel on a connection.
pub(super) enum Channel {
    /// In a stream that a transport cuts: of TCP, or of WebSocket messages.
    Stream(ServerTransport),
    /// As the bodies of requests and responses (rule TR-07).
    Http(Http),
}

pub(super) struct Connection {
    pub(super) channel: Channel,
    pub(super) peer: IpAddr,
    /// Whether the stream is one of WebSocket messages.
    pub(super) websocket: bool,
    /// The frame whose key is being looked up. Nothing after it is read until then, so that order is kept.
    pub(super) parked: Option<EncryptedFrame>,
    /// The key of the last encrypted frame.
    pub(super) key: Option<AuthKeyId>,
    /// The sessions that answer on it, and no others.
    pub(super) sessions: Few<(AuthKeyId, SessionId), ()>,
    /// Whether a frame came since it was opened.
    pub(super) spoke: bool,
}

impl Connection {
    pub(super) fn new(peer: IpAddr, limits: Arc<Limits>) -> Self {
        Self {
            channel: Channel::Stream(ServerTransport::new(limits)),
            peer,
            websocket: false,
            parked: None,
            key: None,
            sessions: Few::default(),
            spoke: false,
        }
    }

    /// The transport of a stream; `None` over HTTP.
    pub(super) fn stream(&mut self) -> Option<&mut ServerTransport> {
        match &mut self.channel {
            Channel::Stream(transport) => Some(transport),
            Channel::Http(_) => None,
        }
    }
}

/// What was handed to the driver and not yet taken.
#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<Output>,
}

/// What the driver is to do with a connection.
#[derive(Debug, Eq, PartialEq)]
pub enum Output {
    /// Write these bytes.
    Send {
        /// Where.
        connection: ConnectionId,
        /// The bytes, framed and obfuscated.
        bytes: Vec<u8>,
    },
    /// Answer the request that waits on an HTTP connection.
    Respond {
        /// Where.
        connection: ConnectionId,
        /// The status code.
        status: u16,
        /// A packet, or nothing.
        body: Vec<u8>,
    },
    /// Write what is queued, then close.
    Close {
        /// Which one.
        connection: ConnectionId,
    },
}

impl Outbox {
    pub(super) fn send(&mut self, connection: ConnectionId, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.queue.push_back(Output::Send { connection, bytes });
        }
    }

    pub(super) fn respond(&mut self, connection: ConnectionId, status: u16, body: Vec<u8>) {
        self.queue.push_back(Output::Respond { connection, status, body });
    }

    pub(super) fn close(&mut self, connection: ConnectionId) {
        self.queue.push_back(Output::Close { connection });
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }
}

/// A key that is being looked up.
struct Lookup {
    since: Duration,
    waiting: Vec<ConnectionId>,
    /// The key ended since the store was asked: what it says may be of before.
    doubted: bool,
}

/// Keys that are being looked up, since when, and for whom. A connection waits for one key at a time.
#[derive(Default)]
pub(super) struct Lookups {
    wanted: BTreeMap<AuthKeyId, Lookup>,
}

impl Lookups {
    /// Notes that `connection` waits for `key`; `true` if nobody did yet.
    pub(super) fn begin(&mut self, key: AuthKeyId, connection: ConnectionId, now: Duration) -> bool {
        let first = !self.wanted.contains_key(&key);
        let new = Lookup { since: now, waiting: Vec::new(), doubted: false };
        self.wanted.entry(key).or_insert(new).waiting.push(connection);
        first
    }

    pub(super) fn since(&self, key: AuthKeyId) -> Option<Duration> {
        self.wanted.get(&key).map(|lookup| lookup.since)
    }

    /// Notes that `key` ended.
    pub(super) fn doubt(&mut self, key: AuthKeyId) {
        if let Some(lookup) = self.wanted.get_mut(&key) {
            lookup.doubted = true;
        }
    }

    /// Whether `key` ended since the store was asked; it is to be asked again then.
    pub(super) fn take_doubt(&mut self, key: AuthKeyId) -> bool {
        self.wanted.get_mut(&key).is_some_and(|lookup| core::mem::take(&mut lookup.doubted))
    }

    /// Ends the lookup; gives the connections that waited, in the order in which they came.
    pub(super) fn end(&mut self, key: AuthKeyId) -> Vec<ConnectionId> {
        self.wanted.remove(&key).map(|lookup| lookup.waiting).unwrap_or_default()
    }
}
