//! Clients that come back all at once after a restart, which has lost every temporary key: each makes another one and
//! binds it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use dayfly_client::{Client, ClientConfig, Event, Events, MemorySession, SavedKey, SessionStore as _};
use dayfly_testkit::test_key;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::any_port;
use crate::child::Served;
use crate::planted::{self, Which};
use crate::report::{Figure, Target};

/// Clients that connect at the same time at first; that is not measured.
const AT_ONCE: usize = 64;
/// How long one client may take, in any of what it does.
const PATIENCE: Duration = Duration::from_secs(900);

/// # Errors
/// If a client is not served, or a call gets no answer or a wrong one.
pub(super) fn measure(clients: u32) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let events = folder.path().join("events.jsonl");
    let mut server = Served::start(folder.path(), any_port(), None)?;
    let address = server.address();
    server.order(&format!("permanent {clients}"))?;
    let runtime = runtime()?;
    let crowd = runtime.block_on(connect_all(address, clients))?;
    drop(server);
    let coming_back = runtime.block_on(call_all(crowd));
    let _server = Served::start(folder.path(), address, Some(&events))?;
    let began = Instant::now();
    let bound = runtime.block_on(all_back(coming_back))?;
    let last = bound.iter().max().map_or(Duration::ZERO, |at| at.saturating_duration_since(began));
    let floods = count_floods(&events)?;
    let seconds = last.as_secs_f64();
    let rate = f64::from(clients) / seconds;
    let note = format!(
        "{clients} clients with a connection and a call in flight each, the server killed and started again: all bound \
         after {seconds:.1} s, {rate:.0} a second with the clients' own arithmetic on the same processors, {floods} \
         times -429, every call answered"
    );
    Ok(vec![Figure {
        name: "clients back after a restart",
        value: seconds,
        unit: "s until all are bound",
        target: Target::None,
        note,
    }])
}

/// The clients' arithmetic gets no more threads than there are cores: the server needs some of them.
fn runtime() -> Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let built = Builder::new_multi_thread().enable_all().max_blocking_threads(cores).build();
    built.context("the runtime does not start")
}

async fn connect_all(address: SocketAddr, clients: u32) -> Result<Vec<(Client, Events)>> {
    let mut config = ClientConfig::new([test_key().public().clone()].into());
    config.delays.longest = Duration::from_secs(5);
    let (mut connecting, mut crowd) = (JoinSet::new(), Vec::new());
    for number in 0..clients {
        if connecting.len() >= AT_ONCE {
            crowd.extend(connecting.join_next().await.transpose()?.transpose()?);
        }
        connecting.spawn(connect(address, number, config.clone()));
    }
    while let Some(client) = connecting.join_next().await {
        crowd.push(client??);
    }
    Ok(crowd)
}

async fn connect(address: SocketAddr, number: u32, config: ClientConfig) -> Result<(Client, Events)> {
    let key = planted::key(Which::Permanent, number);
    let mut session = MemorySession::default();
    session.save(&SavedKey { key, created_at: planted::unix_now(), dc: 2 })?;
    let connecting = Client::connect(address.to_string(), config, session);
    Ok(timeout(PATIENCE, connecting).await.with_context(|| format!("client {number}"))??)
}

/// Each client makes a call; gives, once it is answered, when its last key was bound.
async fn call_all(crowd: Vec<(Client, Events)>) -> JoinSet<Result<Instant>> {
    let mut calls = JoinSet::new();
    for (number, (client, events)) in (0_u32..).zip(crowd) {
        calls.spawn(async move { call(&client, events, number).await });
    }
    calls
}

async fn call(client: &Client, mut events: Events, number: u32) -> Result<Instant> {
    let body = [0xec40_0000_u32.to_le_bytes(), number.to_le_bytes()].concat();
    let answer = timeout(PATIENCE, client.invoke_bytes(body.clone())).await;
    let answer = answer.with_context(|| format!("client {number} waits"))??;
    ensure!(answer == body, "client {number} was answered something else");
    let mut bound = None;
    while let Some(happened) = events.try_next() {
        if let Event::Bound { .. } = happened.event {
            bound = Some(happened.at);
        }
    }
    bound.context("a call was answered under a key that was never bound")
}

async fn all_back(mut calls: JoinSet<Result<Instant>>) -> Result<Vec<Instant>> {
    let mut bound = Vec::new();
    while let Some(at) = calls.join_next().await {
        bound.push(at??);
    }
    Ok(bound)
}

/// How often the event log says that somebody was told to wait.
fn count_floods(events: &Path) -> Result<usize> {
    let text = std::fs::read_to_string(events).context("the event log")?;
    Ok(text.lines().filter(|line| line.contains("\"code\":-429")).count())
}
