//! The server that is measured, in a process of its own, and the hand that leads it.

use std::io::{self, BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use dayfly_core::NoObserver;
use dayfly_core::env::Now;
use dayfly_server::{
    Answer, Config, Listener, OsRandom, Parts, Reply, Server, SystemClock, Upstream, UpstreamCall,
};
use dayfly_store::{EmbeddedStore, Keys, RamTempKeys, SealingSource};
use dayfly_testkit::test_key;
use tokio::runtime::{Builder, Runtime};

use crate::planted;

/// The command line of the measured server.
#[derive(Args)]
pub(crate) struct Serve {
    /// Where the store is kept
    #[arg(long)]
    data_dir: PathBuf,
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Where to write what happens
    #[arg(long)]
    event_log: Option<PathBuf>,
}

/// Answers a call with the call.
struct Echo;

impl Upstream for Echo {
    fn call(&mut self, call: UpstreamCall, _: Now, reply: Reply) {
        reply.answer(Answer::Result(call.body));
    }
}

/// Serves, and does what stdin says, until stdin ends: `permanent N` and `temporary N` plant keys.
///
/// # Errors
/// If the server does not start, or a line is not understood.
pub(crate) fn run(args: &Serve) -> Result<()> {
    let runtime = runtime()?;
    let sealing = SealingSource::Directory(args.data_dir.join("sealing"));
    let store = EmbeddedStore::open(&args.data_dir.join("store/keys.redb"), &sealing, Box::new(OsRandom))?;
    let keys = Arc::new(Keys::new(store, RamTempKeys::default()));
    let server = runtime.block_on(start(args, Arc::clone(&keys)))?;
    say(&format!("listening {}", server.address()))?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ').map(|(word, count)| (word, count.parse())) {
            Some(("permanent", Ok(count))) => runtime.block_on(planted::permanent(&keys, count))?,
            Some(("temporary", Ok(count))) => runtime.block_on(planted::temporary(&keys, count))?,
            _ => bail!("{line:?} is no order"),
        }
        say("done")?;
    }
    runtime.block_on(server.shut_down());
    Ok(())
}

/// As `dayfly serve` has it.
pub(crate) fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("the runtime does not start")
}

async fn start(args: &Serve, keys: Arc<Keys<EmbeddedStore, RamTempKeys>>) -> Result<Server> {
    let event_log = args.event_log.clone();
    let mut config = Config { listen: args.listen, event_log, ..Config::default() };
    // All clients come from one address here.
    config.limits.handshakes_per_address = u32::MAX;
    config.limits.unfinished_per_address = config.limits.unfinished_handshakes;
    let listener = Listener::bind_all(&config).await?;
    let parts = Parts {
        clock: SystemClock::default(),
        random: OsRandom,
        observer: NoObserver,
        rsa: vec![test_key().into()],
        keys,
        upstream: Echo,
    };
    Ok(Server::start(&config, listener, parts)?)
}

fn say(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush().context("nobody listens")
}

/// A running child. Dropping it kills it.
pub(crate) struct Served {
    child: Child,
    orders: ChildStdin,
    lines: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Served {
    /// Starts this program again as a server on `listen`, with its store in `data_dir`.
    ///
    /// # Errors
    /// If it does not come up.
    pub(crate) fn start(data_dir: &Path, listen: SocketAddr, event_log: Option<&Path>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").arg("--data-dir").arg(data_dir).arg("--listen").arg(listen.to_string());
        if let Some(file) = event_log {
            command.arg("--event-log").arg(file);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let orders = child.stdin.take().context("the server has no stdin")?;
        let lines = BufReader::new(child.stdout.take().context("the server has no stdout")?);
        let mut served = Self { child, orders, lines, address: listen };
        let line = served.line()?;
        let address = line.strip_prefix("listening ").context("the server says something else")?;
        served.address = address.parse()?;
        Ok(served)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it do something, and waits until it is done.
    ///
    /// # Errors
    /// If it has ended, or could not do it.
    pub(crate) fn order(&mut self, order: &str) -> Result<()> {
        writeln!(self.orders, "{order}").context("the server has ended")?;
        let line = self.line()?;
        ensure!(line == "done", "the server says {line:?} to {order:?}");
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the server has ended");
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself; what it kept is a folder that goes away with the run.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
