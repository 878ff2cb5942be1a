//! What an operator may see of a running server: counts, connections, key exchanges under way. Looking changes nothing, and
//! no secret is among it.

use core::net::IpAddr;
use core::ops::Bound;
use std::collections::BTreeMap;

use dayfly_crypto::AuthKeyId;

use crate::env::Now;
use crate::handshake::server::RunView;
use crate::session::SessionId;
use crate::session::query::ClientInfo;

use super::connection::{Channel, Connection, ConnectionId};
use super::endpoint::ServerEndpoint;
use super::event::KeyUse;

/// How much there is of everything at one moment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Census {
    /// Open connections by what they speak: a transport's name, `http`, `websocket`, or `unknown` before their first bytes.
    pub connections: BTreeMap<&'static str, usize>,
    /// Keys in use now, or within the time for which sessions are remembered, by kind.
    pub keys: BTreeMap<KeyUse, usize>,
    /// Sessions under these keys, with and without a connection.
    pub sessions: usize,
    /// Key exchanges that have no verdict yet.
    pub unfinished_handshakes: usize,
    /// Key exchanges that have one and are remembered for repeats.
    pub finished_handshakes: usize,
    /// Requests that the store has not answered.
    pub store_requests: usize,
    /// Calls that the back end has not answered.
    pub calls_owed: usize,
}

/// A connection as an operator sees it. What the client said of itself may be anything: escape and cut it.
#[derive(Clone, Debug)]
pub struct ConnectionView {
    /// Its number.
    pub id: ConnectionId,
    /// The other end.
    pub peer: IpAddr,
    /// What it speaks, by the names of [`Census::connections`].
    pub transport: &'static str,
    /// Whether it is obfuscated.
    pub obfuscated: bool,
    /// The key of its last encrypted message.
    pub key: Option<KeyView>,
    /// The sessions that answer on it.
    pub sessions: Vec<SessionId>,
    /// What the client said of itself.
    pub client: Option<ClientInfo>,
    /// The layer of the API that the client speaks.
    pub layer: Option<i32>,
}

/// A key in use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyView {
    /// Its id.
    pub id: AuthKeyId,
    /// Which kind it is.
    pub key_use: KeyUse,
    /// The permanent key that it is or is bound to.
    pub perm: Option<AuthKeyId>,
}

impl ServerEndpoint {
    /// Counts everything; one pass over connections and keys.
    #[must_use]
    pub fn census(&self) -> Census {
        let mut census = Census {
            unfinished_handshakes: self.handshakes.unfinished(),
            finished_handshakes: self.handshakes.finished(),
            store_requests: self.purposes.len(),
            calls_owed: self.calls_owed(),
            ..Census::default()
        };
        for open in self.connections.values() {
            count(&mut census.connections, open.speaks().0);
        }
        for live in self.keys.values() {
            count(&mut census.keys, live.standing.key_use());
            census.sessions = census.sessions.saturating_add(live.sessions.len());
        }
        census
    }

    /// Up to `at_most` connections with numbers above `after`, by rising number. An empty page is the end.
    #[must_use]
    pub fn view_connections(&self, after: Option<ConnectionId>, at_most: usize) -> Vec<ConnectionView> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = self.connections.range((start, Bound::Unbounded)).take(at_most);
        page.map(|(id, open)| self.view_connection(*id, open)).collect()
    }

    /// The `at_most` youngest key exchanges that have no verdict yet, youngest first.
    #[must_use]
    pub fn view_handshakes(&self, at_most: usize, now: Now) -> Vec<RunView> {
        self.handshakes.view(at_most, now)
    }

    /// The other end of an open connection.
    #[must_use]
    pub fn peer_of(&self, connection: ConnectionId) -> Option<IpAddr> {
        self.connections.get(&connection).map(|open| open.peer)
    }

    fn view_connection(&self, id: ConnectionId, open: &Connection) -> ConnectionView {
        let (transport, obfuscated) = open.speaks();
        let live = open.key.and_then(|key| self.keys.get(&key).map(|live| (key, live)));
        ConnectionView {
            id,
            peer: open.peer,
            transport,
            obfuscated,
            key: live.map(|(id, live)| {
                let key_use = live.standing.key_use();
                let perm = live.standing.bound_to().or((key_use == KeyUse::Permanent).then_some(id));
                KeyView { id, key_use, perm }
            }),
            sessions: open.sessions.keys().map(|(_, session_id)| *session_id).collect(),
            client: live.and_then(|(_, live)| live.client.clone()),
            layer: live.and_then(|(_, live)| live.layer),
        }
    }
}

impl Connection {
    /// What it speaks, and whether that is obfuscated.
    fn speaks(&self) -> (&'static str, bool) {
        match &self.channel {
            Channel::Http(_) => ("http", false),
            Channel::Stream(transport) => match transport.kind() {
                None => ("unknown", false),
                Some(_) if self.websocket => ("websocket", true),
                Some(kind) => (kind.name(), transport.obfuscated()),
            },
        }
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}
