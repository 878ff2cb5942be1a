//! What the owner of a lab holds.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dayfly_crypto::AuthKeyId;
use dayfly_crypto::rsa_key::PrivateKey;
use dayfly_server::{Backend, OwnAnswers};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::answers::Answers;
use super::clock::LabClock;
use super::connection::Arrived;
use super::engine::Engine;
use super::event::LabEvent;
use super::fault::Rule;
use super::manners::Manners;

/// Bytes that may wait for the engine, in pieces.
const WAITING: usize = 256;

/// What a lab is told before it starts.
#[derive(Clone)]
pub struct LabConfig {
    /// Decides every random byte.
    pub seed: u64,
    /// What it chooses where the specification leaves a choice.
    pub manners: Manners,
    /// Which faults act, and when.
    pub rules: Vec<Rule>,
    /// Its RSA key.
    pub key: Arc<PrivateKey>,
    /// Its clock.
    pub clock: LabClock,
    /// The id of its DC, which help.getConfig tells.
    pub dc: u16,
    /// Whether calls under a permanent key are served.
    pub allow_no_pfs: bool,
    /// How many temporary keys a permanent key may have at a time.
    pub tmp_sessions: usize,
    /// Results by the constructor of the innermost query.
    pub canned: BTreeMap<u32, Vec<u8>>,
    /// What answers the other calls; the lab itself without it.
    pub backend: Option<Backend>,
}

impl LabConfig {
    /// The defaults: lively manners, no fault, the machine's time, calls under a permanent key served.
    #[must_use]
    pub fn new(seed: u64, key: Arc<PrivateKey>) -> Self {
        Self {
            seed,
            manners: Manners::default(),
            rules: Vec::new(),
            key,
            clock: LabClock::default(),
            dc: 2,
            allow_no_pfs: true,
            tmp_sessions: 1,
            canned: BTreeMap::new(),
            backend: None,
        }
    }

    pub(super) fn answers(&self, address: SocketAddr) -> Answers {
        let own = OwnAnswers { address, dc: self.dc, test: false, tmp_sessions: self.tmp_sessions };
        Answers { canned: self.canned.clone(), own }
    }
}

/// What an owner asks for.
pub(super) enum Command {
    Rules(Vec<Rule>, oneshot::Sender<()>),
    Answers(BTreeMap<u32, Vec<u8>>, oneshot::Sender<()>),
    Advance(Duration, oneshot::Sender<()>),
    SetClock(Duration, oneshot::Sender<()>),
    EndKeys(oneshot::Sender<Vec<AuthKeyId>>),
}

/// The lab has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the lab has ended")]
pub struct LabEnded;

/// A lab that runs. Dropping it ends it and every connection of it.
pub struct Lab {
    address: SocketAddr,
    clock: LabClock,
    commands: mpsc::Sender<Command>,
    tasks: [JoinHandle<()>; 2],
}

impl Lab {
    /// Begins to serve what `listener` accepts; `events` is told everything, in order. Where nobody listens to the events any
    /// more, the lab goes on without telling.
    ///
    /// # Errors
    /// Those of the socket, an RSA key that the lab cannot use, and a back end that cannot be dialled with its settings.
    pub fn start(
        config: &LabConfig,
        listener: Arc<TcpListener>,
        events: mpsc::UnboundedSender<LabEvent>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (to_engine, arrived) = mpsc::channel(WAITING);
        let (commands, asked) = mpsc::channel(16);
        let engine = Engine::new(config, address, events, to_engine.clone())?;
        let tasks = [tokio::spawn(engine.run(arrived, asked)), tokio::spawn(accept(listener, to_engine))];
        Ok(Self { address, clock: config.clock.clone(), commands, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its clock, to be read.
    #[must_use]
    pub fn clock(&self) -> &LabClock {
        &self.clock
    }

    /// Other faults from now on.
    ///
    /// # Errors
    /// [`LabEnded`].
    pub async fn set_rules(&self, rules: Vec<Rule>) -> Result<(), LabEnded> {
        self.ask(|done| Command::Rules(rules, done)).await
    }

    /// Other canned answers from now on.
    ///
    /// # Errors
    /// [`LabEnded`].
    pub async fn set_answers(&self, canned: BTreeMap<u32, Vec<u8>>) -> Result<(), LabEnded> {
        self.ask(|done| Command::Answers(canned, done)).await
    }

    /// Lets so much time pass at once. What is due by then is done before this returns.
    ///
    /// # Errors
    /// [`LabEnded`].
    pub async fn advance(&self, by: Duration) -> Result<(), LabEnded> {
        self.ask(|done| Command::Advance(by, done)).await
    }

    /// Sets the Unix time, forward or back.
    ///
    /// # Errors
    /// [`LabEnded`].
    pub async fn set_clock(&self, unix: Duration) -> Result<(), LabEnded> {
        self.ask(|done| Command::SetClock(unix, done)).await
    }

    /// Ends every temporary key now, as if its time were over; gives their ids.
    ///
    /// # Errors
    /// [`LabEnded`].
    pub async fn end_keys(&self) -> Result<Vec<AuthKeyId>, LabEnded> {
        self.ask(Command::EndKeys).await
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, LabEnded> {
        let (tell, told) = oneshot::channel();
        self.commands.send(command(tell)).await.map_err(|_| LabEnded)?;
        told.await.map_err(|_| LabEnded)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn accept(listener: Arc<TcpListener>, arrived: mpsc::Sender<Arrived>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if arrived.send(Arrived::Connected(stream, peer)).await.is_err() {
                    return;
                }
            }
            // Too many open files, or a peer that is gone already: the next one may be luckier.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
