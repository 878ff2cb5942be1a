//! A client of several DCs.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use dayfly_core::client::ClientConfig;
use dayfly_core::env::{Clock, SecureRandom};
use dayfly_core::observer::{NoObserver, Observer};
use dayfly_system::{OsRandom, SystemClock};
use tokio::sync::{Mutex, mpsc};

use crate::client::{Client, Events, Happened, World};
use crate::dc::{DcId, DcTable};
use crate::error::ConnectError;
use crate::proxy::Proxy;
use crate::route::Route;
use crate::sessions::Sessions;

/// Opens the DCs of a table by their ids, each with a permanent key of its own.
///
/// Nothing is sent before a DC is asked for. A media side has the permanent key of its DC and temporary keys of its own.
pub struct Dcs<C = SystemClock, R = OsRandom, O = NoObserver> {
    table: DcTable,
    config: ClientConfig,
    sessions: Box<dyn Sessions>,
    proxy: Option<Proxy>,
    world: World<C, R, O>,
    events: mpsc::UnboundedSender<(DcId, Happened)>,
    /// One a DC, by its id without media.
    slots: std::sync::Mutex<BTreeMap<DcId, Arc<Mutex<Slot>>>>,
}

/// The clients of one DC, as far as they were asked for. Locked while one connects: two who ask at once for a DC without a key
/// must not make one each.
#[derive(Debug, Default)]
struct Slot {
    main: Option<Client>,
    media: Option<Client>,
}

/// What becomes of the keys of all DCs, as it happens.
#[derive(Debug)]
pub struct DcEvents(mpsc::UnboundedReceiver<(DcId, Happened)>);

impl DcEvents {
    /// The next event and the DC it is of; `None` once all clients are closed.
    pub async fn next(&mut self) -> Option<(DcId, Happened)> {
        self.0.recv().await
    }
}

/// Why a DC could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DcError {
    /// The table has no such DC.
    #[error("dc {0} is not in the table of DCs")]
    Unknown(DcId),
    /// It could not be connected to.
    #[error("dc {dc}: {source}")]
    Connect {
        /// The DC.
        dc: DcId,
        /// Why.
        source: ConnectError,
    },
}

impl Dcs {
    /// A client of the DCs of `table`. Of `config` the keys and the DC are not used: the table has them. Every connection
    /// goes through `proxy` if there is one.
    #[must_use]
    pub fn new(
        table: DcTable,
        config: ClientConfig,
        sessions: impl Sessions + 'static,
        proxy: Option<Proxy>,
    ) -> (Self, DcEvents) {
        Self::with_world(table, config, sessions, proxy, World::default())
    }
}

impl<C, R, O> Dcs<C, R, O>
where
    C: Clock + Clone + 'static,
    R: SecureRandom + Clone + Send + 'static,
    O: Observer + Clone + Send + 'static,
{
    /// The same with another clock, randomness and observer.
    #[must_use]
    pub fn with_world(
        table: DcTable,
        config: ClientConfig,
        sessions: impl Sessions + 'static,
        proxy: Option<Proxy>,
        world: World<C, R, O>,
    ) -> (Self, DcEvents) {
        let (events, seen) = mpsc::unbounded_channel();
        let (sessions, slots) = (Box::new(sessions), std::sync::Mutex::default());
        (Self { table, config, sessions, proxy, world, events, slots }, DcEvents(seen))
    }

    /// The client of a DC, connected and with its key bound. All who ask for the same DC share one; it stays connected until
    /// [`close`](Self::close), or until this and all clones of it are dropped.
    ///
    /// A media side is opened after its DC, whose permanent key it needs.
    ///
    /// # Errors
    /// [`DcError`]; the next call tries again.
    pub async fn client(&self, dc: DcId) -> Result<Client, DcError> {
        let slot = self.slot(dc);
        let mut slot = slot.lock().await;
        let main = self.opened(&mut slot.main, dc.main()).await?;
        if dc.is_media() { self.opened(&mut slot.media, dc).await } else { Ok(main) }
    }

    /// Forgets the client of a DC: its connection is closed when all who have it have dropped it.
    pub async fn close(&self, dc: DcId) {
        let slot = self.slot(dc);
        let mut slot = slot.lock().await;
        if dc.is_media() { slot.media = None } else { slot.main = None }
    }

    /// Whoever panicked with the lock left the map whole.
    fn slot(&self, dc: DcId) -> Arc<Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(dc.main()).or_default())
    }

    async fn opened(&self, open: &mut Option<Client>, dc: DcId) -> Result<Client, DcError> {
        if let Some(client) = open {
            return Ok(client.clone());
        }
        let addresses = self.table.addresses(dc).ok_or(DcError::Unknown(dc))?;
        let route = Route::to_any_of(addresses.iter().map(ToString::to_string));
        let route = self.proxy.iter().fold(route, |route, proxy| route.through(proxy.clone()));
        let config = ClientConfig { keys: self.table.keys().clone(), dc: dc.wire(), ..self.config.clone() };
        let session = self.sessions.of(dc.main());
        let connecting = Client::connect_with(route, config, session, self.world.clone());
        let (client, events) = connecting.await.map_err(|source| DcError::Connect { dc, source })?;
        tokio::spawn(forward(dc, events, self.events.clone()));
        Ok(open.insert(client).clone())
    }
}

/// Passes events on until the client is closed, or nobody listens.
async fn forward(dc: DcId, mut events: Events, all: mpsc::UnboundedSender<(DcId, Happened)>) {
    while let Some(happened) = events.next().await {
        if all.send((dc, happened)).is_err() {
            return;
        }
    }
}

impl<C, R, O> std::fmt::Debug for Dcs<C, R, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dcs").field("table", &self.table).field("proxy", &self.proxy).finish_non_exhaustive()
    }
}
