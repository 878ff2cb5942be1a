//! Our own server and client, for the conformance suite: `dayfly-peer serve` prints where it listens and ends with stdin;
//! `dayfly-peer connect ADDR PEM` makes its keys, binds and calls until it is killed; `dayfly-peer key FILE` writes the public
//! RSA key of the server.
//!
//! They are what `dayfly serve` and `dayfly connect` are, with the published test key and no file that outlives them, in a
//! program of their own, so that a check that is switched off in it stays on in the suite that is to notice.
#![forbid(unsafe_code)]

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use dayfly_client::{Client, ClientConfig, MemorySession};
use dayfly_core::NoObserver;
use dayfly_server::{Config, Listener, OsRandom, OwnAnswers, Parts, Server, SystemClock, write_public};
use dayfly_store::{EmbeddedStore, Keys, RamTempKeys, SealingSource};
use dayfly_testkit::test_key;
use dayfly_tl::{api, to_bytes};
use tokio::runtime::Builder;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve"] => serve(),
        ["connect", address, pem] => connect(address.parse().context("an address")?, pem),
        ["key", file] => Ok(write_public(test_key().public(), Path::new(file))?),
        _ => bail!("usage: dayfly-peer serve | connect ADDR PEM | key FILE"),
    }
}

/// How long the client rests between two calls.
const BETWEEN_CALLS: Duration = Duration::from_millis(50);

/// A client that calls and calls. Like `dayfly connect` it ends with the first exchange that fails.
fn connect(address: SocketAddr, pem: &str) -> Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let config = ClientConfig::new([dayfly_server::read_public(pem.as_ref())?].into());
    runtime.block_on(async {
        let (client, _events) = Client::connect(address, config, MemorySession::default()).await?;
        loop {
            // What a call comes to is for the other end to see.
            let _ = client.invoke_bytes(to_bytes(&api::HelpGetConfig {})).await;
            let _ = client.invoke_bytes(to_bytes(&api::HelpGetNearestDc {})).await;
            tokio::time::sleep(BETWEEN_CALLS).await;
        }
    })
}

fn serve() -> Result<()> {
    let runtime = Builder::new_multi_thread().enable_all().build().context("the runtime does not start")?;
    let directory = tempfile::tempdir().context("a directory for the store")?;
    let server = runtime.block_on(start(directory.path()))?;
    writeln!(io::stdout(), "listening {}", server.address())?;
    io::stdout().flush()?;
    // Whoever started it closes stdin, or dies: either way it is over.
    io::stdin().read_to_end(&mut Vec::new())?;
    runtime.block_on(server.shut_down());
    Ok(())
}

async fn start(directory: &Path) -> Result<Server> {
    let mut config = Config { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Config::default() };
    config.data_dir = directory.to_owned();
    // The whole suite comes from one address.
    config.limits.handshakes_per_address = 100_000;
    let listener = Listener::bind_all(&config).await?;
    let sealing = SealingSource::Directory(directory.join("sealing"));
    let store = EmbeddedStore::open(&directory.join("store/keys.redb"), &sealing, Box::new(OsRandom))?;
    let upstream =
        OwnAnswers { address: listener.address(), dc: config.dc, test: config.test, tmp_sessions: 1 };
    let parts = Parts {
        clock: SystemClock::default(),
        random: OsRandom,
        observer: NoObserver,
        rsa: vec![test_key().into()],
        keys: Arc::new(Keys::new(store, RamTempKeys::default())),
        upstream,
    };
    Ok(Server::start(&config, listener, parts)?)
}
