//! One client of the soak: calls, reads updates, and says what became of its keys.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use dayfly_client::{Client, ClientConfig, Event, Events, MemorySession, OsRandom, Updates, World};
use dayfly_core::NoObserver;
use dayfly_crypto::AuthKeyId;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::backend::{CALL, UPDATE, body, numbers};
use super::clock::{Dice, FastClock};
use super::ledger::Ledger;

/// The longest pause between two calls.
const PAUSE: Duration = Duration::from_secs(2);
/// After so long without an answer a call is lost.
const PATIENCE: Duration = Duration::from_secs(120);

/// A client that is connected and makes no calls yet.
pub(crate) struct Caller {
    number: usize,
    client: Client,
    events: Events,
    updates: Updates,
    /// Its permanent key.
    pub(crate) perm: AuthKeyId,
}

impl Caller {
    /// Connects and makes both keys; tries again while the relay cuts the first connections.
    ///
    /// # Errors
    /// If it comes to nothing within a bounded time.
    pub(crate) async fn connect(
        number: usize,
        relay: SocketAddr,
        config: ClientConfig,
        clock: FastClock,
        ledger: &Ledger,
    ) -> Result<Self> {
        let connected = timeout(PATIENCE, async {
            loop {
                let world = World { clock, random: OsRandom, observer: NoObserver };
                let session = MemorySession::default();
                if let Ok(connected) =
                    Client::connect_with(relay.to_string(), config.clone(), session, world).await
                {
                    return connected;
                }
            }
        });
        let (client, mut events) = connected.await.with_context(|| format!("client {number} connects"))?;
        let updates = client.updates();
        let mut perm = None;
        while let Some(happened) = events.try_next() {
            if let Event::Bound { perm: bound_to, .. } = happened.event {
                ledger.bound(number, happened.at);
                perm = Some(bound_to);
            }
        }
        let perm = perm.context("connected and not bound")?;
        Ok(Self { number, client, events, updates, perm })
    }

    /// Which client it is.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Calls until `stop` says so, then waits for the last updates. Gives how many messages went out under the permanent
    /// key.
    pub(crate) async fn live(
        self,
        mut dice: Dice,
        ledger: Arc<Ledger>,
        mut stop: watch::Receiver<Phase>,
    ) -> u64 {
        let Self { number, client, events, updates, .. } = self;
        let listening = tokio::spawn(listen(number, updates, Arc::clone(&ledger)));
        let watching = tokio::spawn(watch_keys(number, events, Arc::clone(&ledger)));
        while *stop.borrow() == Phase::Calls {
            call(number, &client, &ledger).await;
            tokio::select! {
                () = sleep(dice.time(PAUSE)) => {}
                _ = stop.wait_for(|phase| *phase != Phase::Calls) => {}
            }
        }
        // Fails only if the soak itself is gone.
        let _ = stop.wait_for(|phase| *phase == Phase::Over).await;
        let sent = client.sent();
        drop(client);
        // Both end with the client.
        let _ = tokio::join!(listening, watching);
        sent.under_perm
    }
}

/// What clients do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    Calls,
    /// No more calls; updates may still come.
    Quiet,
    Over,
}

async fn call(number: usize, client: &Client, ledger: &Ledger) {
    let call = ledger.make_call(number);
    let sent = body(CALL, number, call);
    match timeout(PATIENCE, client.invoke_bytes(sent.clone())).await {
        Ok(Ok(answer)) if answer == sent => ledger.answered(number),
        Ok(Ok(_)) => ledger.fault(number, format!("call {call} was answered something else")),
        Ok(Err(error)) => ledger.fault(number, format!("call {call}: {error}")),
        Err(_) => ledger.fault(number, format!("call {call} was not answered within {PATIENCE:?}")),
    }
}

async fn listen(number: usize, mut updates: Updates, ledger: Arc<Ledger>) {
    while let Some(update) = updates.next().await {
        match update.map(|bytes| numbers(UPDATE, &bytes)) {
            Ok(Some((client, update))) if client == number => ledger.update_seen(number, update),
            Ok(_) => ledger.fault(number, "an update that is not its own".to_owned()),
            Err(missed) => ledger.fault(number, missed.to_string()),
        }
    }
}

async fn watch_keys(number: usize, mut events: Events, ledger: Arc<Ledger>) {
    while let Some(happened) = events.next().await {
        match happened.event {
            Event::Bound { .. } => ledger.bound(number, happened.at),
            Event::TempKeyLost { .. } => ledger.key_lost(number),
            _ => {}
        }
    }
}
