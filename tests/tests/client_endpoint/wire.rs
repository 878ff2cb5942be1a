//! The wire between the two: what is carried, caught and lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use dayfly_core::client::{LinkId, Output};
use dayfly_core::job::perform_all;
use dayfly_core::keys::kind::{TrafficKey, UnboundTempKey};
use dayfly_core::server::{self, ConnectionId};
use dayfly_core::session::{MsgId, SessionId, envelope};
use dayfly_crypto::AuthKeyId;
use dayfly_crypto::kdf::Side;
use dayfly_tl::api;

use crate::pair::Pair;
use crate::peers::{Heard, frames, read};

/// An encrypted message of the client that did not reach the server.
#[derive(Clone, Debug)]
pub(crate) struct Caught {
    pub(crate) link: LinkId,
    pub(crate) key: AuthKeyId,
    pub(crate) session: SessionId,
    pub(crate) msg_id: MsgId,
    pub(crate) body: Vec<u8>,
}

impl Caught {
    fn of(link: LinkId, heard: Heard) -> Option<Self> {
        let Heard::Message { key, session, msg_id, body } = heard else { return None };
        Some(Self { link, key, session, msg_id, body })
    }

    pub(crate) fn is_bind(&self) -> bool {
        self.body.starts_with(&api::AuthBindTempAuthKey::CONSTRUCTOR.to_le_bytes())
    }
}

/// Which encrypted messages of the client do not reach the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Catch {
    Nothing,
    Bindings,
    Everything,
}

impl Pair {
    /// Makes a connection that was asked for.
    pub(crate) fn connect(&mut self, link: LinkId) {
        self.rig.is_raw = true;
        let connection = self.rig.connect();
        self.links.insert(link, connection);
        self.client.handle_connected(link, &mut self.world.env());
    }

    pub(crate) fn settle(&mut self) {
        loop {
            let mut any = false;
            while let Some(output) = self.client.poll_output() {
                any = true;
                self.take(output);
            }
            while let Some(output) = self.rig.raw.pop_front() {
                any = true;
                self.take_from_server(output);
            }
            self.jobs.extend(std::iter::from_fn(|| self.client.poll_job()));
            if !self.hold_jobs && !self.jobs.is_empty() {
                any = true;
                self.work();
            }
            if !any {
                return;
            }
        }
    }

    /// Does the client's jobs that lie about.
    pub(crate) fn work(&mut self) {
        for result in perform_all(std::mem::take(&mut self.jobs)) {
            self.client.handle_job(result, &mut self.world.env());
        }
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Connect { link } => {
                self.wanted.push(link);
                if self.offline {
                    self.client.handle_closed(link, &mut self.world.env());
                } else if !self.hold_connects {
                    self.connect(link);
                }
            }
            Output::Send { link, bytes } => self.on_client_bytes(link, &bytes),
            Output::Close { link } => {
                if let Some(connection) = self.links.remove(&link) {
                    self.rig.close(connection);
                }
            }
            Output::Answer { call, result } => {
                assert!(self.answers.insert(call, result).is_none(), "{call:?} is answered twice");
            }
            Output::Update(bytes) => panic!("an update that nobody sent: {bytes:?}"),
            Output::Event(event) => self.events.push(event),
        }
    }

    fn on_client_bytes(&mut self, link: LinkId, bytes: &[u8]) {
        // The rig told the transport already.
        let bytes = bytes.strip_prefix(&[0xee; 4]).unwrap_or(bytes);
        let stream = self.streams.entry(link).or_default();
        stream.extend(bytes);
        for payload in frames(stream) {
            self.sent.push((link, payload.clone()));
            let key = envelope::key_id(&payload).unwrap();
            if key != AuthKeyId(0) {
                self.links_of.insert(key, link);
                if self.catches(link, &payload) {
                    continue;
                }
            }
            if let Some(connection) = self.links.get(&link).filter(|_| !self.stalled.contains(&link)) {
                self.rig.send(*connection, &payload);
            }
        }
    }

    /// Catches what an encrypted payload says, if that is wanted.
    fn catches(&mut self, link: LinkId, payload: &[u8]) -> bool {
        if self.catch == Catch::Nothing {
            return false;
        }
        let keys: BTreeMap<_, _> =
            self.rig.store.keys.keys().filter_map(|id| Some((*id, self.traffic_key(*id)?))).collect();
        let heard = read(payload.to_vec(), Side::Client, |id| keys.get(&id));
        let caught: Vec<_> = heard.into_iter().filter_map(|heard| Caught::of(link, heard)).collect();
        let wanted = self.catch == Catch::Everything || caught.iter().any(Caught::is_bind);
        if wanted {
            self.caught.extend(caught);
        }
        wanted
    }

    fn take_from_server(&mut self, output: server::Output) {
        let link_of = |links: &BTreeMap<LinkId, ConnectionId>, wanted: ConnectionId| {
            links.iter().find(|(_, connection)| **connection == wanted).map(|(link, _)| *link)
        };
        match output {
            server::Output::Send { connection, bytes } => {
                if let Some(link) = link_of(&self.links, connection) {
                    self.client.handle_bytes(link, &bytes, &mut self.world.env());
                }
            }
            server::Output::Respond { .. } => panic!("a response on a stream"),
            server::Output::Close { connection } => {
                if let Some(link) = link_of(&self.links, connection) {
                    self.links.remove(&link);
                    self.client.handle_closed(link, &mut self.world.env());
                }
            }
        }
    }

    pub(crate) fn traffic_key(&self, id: AuthKeyId) -> Option<TrafficKey> {
        let record = self.rig.store.keys.get(&id)?;
        Some(TrafficKey::from(&UnboundTempKey::new(Arc::clone(&record.key), u64::MAX)))
    }
}
