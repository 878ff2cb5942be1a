//! A back end in a process of its own, over gRPC. The interface is `proto/dayfly/backend/v1/backend.proto`.
//!
//! What it does: dials the back end, several times if wanted, passes calls on, brings answers back, and does what the back end
//! asks of the server. What waits is bounded everywhere; what a back end does wrong harms at most its own stream, which
//! is closed, named in the log and opened again.
//!
//! What it does not: it knows nothing of keys and messages. A result that no client could read, and a call that has no answer
//! in time, are found by the core.

mod address;
mod backoff;
mod calls;
mod certificates;
mod complaints;
mod dial;
mod lane;
mod messages;
mod questions;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use dayfly_backend_proto::v1 as proto;
use dayfly_core::env::Now;
use dayfly_core::server::UpstreamCall;
use dayfly_crypto::AuthKeyId;
use dayfly_tl::{Constructor as _, api};
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::dial::Dialer;
use self::lane::{Lane, Room};
use self::proto::Hello;
use self::stream::Stream;
use crate::config::Backend;
use crate::own_answers::OwnAnswers;
use crate::upstream::{Edge, Reply, Upstream};

pub use address::{BackendAddress, NoBackendAddress};
pub use certificates::BackendError;

/// The version of the interface that this is.
const INTERFACE_VERSION: u32 = 1;

/// Calls answered by a back end in a process of its own. Dials once it is started, and ends its streams when dropped.
pub struct GrpcBackend {
    dialer: Dialer,
    own: OwnAnswers,
    takes_config: bool,
    message_bytes: u32,
    silence: Duration,
    lanes: Arc<[Arc<Lane>]>,
    streams: JoinSet<()>,
}

impl GrpcBackend {
    /// Reads the files that `settings` name. `own` says which DC this is, and answers `help.getConfig` and
    /// `help.getNearestDc` unless the settings give them to the back end.
    ///
    /// # Errors
    /// [`BackendError`], which names the setting and the file.
    pub fn new(settings: &Backend, own: OwnAnswers) -> Result<Self, BackendError> {
        let room = Room::of(settings);
        Ok(Self {
            dialer: Dialer::open(settings)?,
            own,
            takes_config: settings.takes_config,
            message_bytes: settings.message_bytes,
            silence: Duration::from_secs(settings.silence_seconds),
            lanes: (0..settings.streams).map(|_| Arc::new(Lane::new(room))).collect(),
            streams: JoinSet::new(),
        })
    }

    /// Whether [`new`](Self::new) would go well.
    ///
    /// # Errors
    /// [`BackendError`], which names the setting and the file.
    pub fn check(settings: &Backend) -> Result<(), BackendError> {
        Dialer::open(settings).map(drop)
    }

    /// By which others see how the back end is.
    #[must_use]
    pub fn health(&self) -> BackendHealth {
        BackendHealth { lanes: Arc::clone(&self.lanes) }
    }

    fn hello(&self, stream: u32) -> Hello {
        Hello {
            interface_version: INTERFACE_VERSION,
            dc: self.own.dc.into(),
            test: self.own.test,
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            stream,
            streams: u32::try_from(self.lanes.len()).unwrap_or(u32::MAX),
            message_bytes: self.message_bytes,
        }
    }

    /// Whether calls of `method`, the constructor of the innermost query, are answered by the server itself and not passed on.
    #[must_use]
    pub fn is_own(&self, method: u32) -> bool {
        !self.takes_config && [api::HelpGetConfig::ID, api::HelpGetNearestDc::ID].contains(&method)
    }

    /// The stream of a key: always the same, so that its calls keep their order. Ids of keys are hashes already.
    fn lane_of(&self, key: AuthKeyId) -> Option<&Lane> {
        let count = u64::try_from(self.lanes.len()).ok()?;
        let at = key.to_long().cast_unsigned().checked_rem(count)?;
        self.lanes.get(usize::try_from(at).ok()?).map(Arc::as_ref)
    }
}

impl Upstream for GrpcBackend {
    fn start(&mut self, edge: Edge) {
        for (number, lane) in (0..).zip(self.lanes.iter()) {
            let stream = Stream {
                lane: Arc::clone(lane),
                dialer: self.dialer.clone(),
                edge: edge.clone(),
                hello: self.hello(number),
                silence: self.silence,
            };
            self.streams.spawn(stream.run());
        }
    }

    fn call(&mut self, call: UpstreamCall, now: Now, reply: Reply) {
        if self.is_own(call.method()) {
            return self.own.call(call, now, reply);
        }
        let Some(lane) = self.lane_of(call.key) else { return };
        let time_left = messages::time_left(&call, now);
        lane.call(messages::call(call, time_left), reply, Instant::now() + time_left);
    }
}

/// How a back end is: for what watches over the server. Clones see the same.
#[derive(Clone)]
pub struct BackendHealth {
    lanes: Arc<[Arc<Lane>]>,
}

impl BackendHealth {
    /// How many streams take calls.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.is_open()).count()
    }

    /// How many streams there should be.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.lanes.len()
    }

    /// How many calls wait for an answer.
    #[must_use]
    pub fn waiting_calls(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting()).sum()
    }
}
