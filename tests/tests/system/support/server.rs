use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dayfly_client::PublicKey;
use dayfly_core::NoObserver;
use dayfly_core::env::Clock;
use dayfly_server::{
    AdminPlace, Config, Listener, OsRandom, OwnAnswers, Parts, Server, StartError, Upstream,
};
use dayfly_store::{EmbeddedStore, KeyStore, Keys, RamTempKeys, SealingSource};
use dayfly_testkit::test_key;
use serde_json::Value;
use tempfile::TempDir;

use super::{EXPONENT_BITS, HandClock, SilentStore, Switch, within};

/// A running server on a port of its own, with the published test key and a store in a directory of its own.
pub(crate) struct TestServer {
    server: Server,
    config: Config,
    others: Vec<SocketAddr>,
    directory: TempDir,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::configured(|_| {}).await
    }

    pub(crate) async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_clock(HandClock::default(), change).await
    }

    pub(crate) async fn with_clock(clock: impl Clock + 'static, change: impl FnOnce(&mut Config)) -> Self {
        let (directory, config) = prepare(change);
        let store = open_store(&directory);
        Self::run(directory, config, clock, store, None::<OwnAnswers>).await
    }

    /// Why it does not start.
    pub(crate) async fn refused(change: impl FnOnce(&mut Config)) -> String {
        let (directory, mut config) = prepare(|_| {});
        let store = open_store(&directory);
        change(&mut config);
        let started = Self::try_run(directory, config, HandClock::default(), store, None::<OwnAnswers>).await;
        started.err().expect("a start that is refused").to_string()
    }

    /// Its store falls silent when the switch says so.
    pub(crate) async fn with_silent_store(clock: HandClock, switch: Switch) -> Self {
        let (directory, config) = prepare(|_| {});
        let store = SilentStore::new(open_store(&directory), switch);
        Self::run(directory, config, clock, store, None::<OwnAnswers>).await
    }

    /// Its calls are answered by `upstream`.
    pub(crate) async fn with_upstream(upstream: impl Upstream + 'static) -> Self {
        Self::with_upstream_and_clock(upstream, HandClock::default()).await
    }

    /// The same, by this clock.
    pub(crate) async fn with_upstream_and_clock(upstream: impl Upstream + 'static, clock: HandClock) -> Self {
        Self::with_upstream_configured(upstream, clock, |_| {}).await
    }

    /// The same, after a change to the configuration.
    pub(crate) async fn with_upstream_configured(
        upstream: impl Upstream + 'static,
        clock: HandClock,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let (directory, config) = prepare(change);
        let store = open_store(&directory);
        Self::run(directory, config, clock, store, Some(upstream)).await
    }

    async fn run<U: Upstream + 'static>(
        directory: TempDir,
        config: Config,
        clock: impl Clock + 'static,
        store: impl KeyStore,
        upstream: Option<U>,
    ) -> Self {
        Self::try_run(directory, config, clock, store, upstream).await.unwrap()
    }

    async fn try_run<U: Upstream + 'static>(
        directory: TempDir,
        config: Config,
        clock: impl Clock + 'static,
        store: impl KeyStore,
        upstream: Option<U>,
    ) -> Result<Self, StartError> {
        let listener = Listener::bind_all(&config).await.unwrap();
        let others = listener.others().map(|(address, _)| address).collect();
        let own =
            OwnAnswers { address: listener.address(), dc: config.dc, test: config.test, tmp_sessions: 1 };
        let keys = Arc::new(Keys::new(store, RamTempKeys::default()));
        let (random, observer, rsa) = (OsRandom, NoObserver, vec![test_key().into()]);
        let server = match upstream {
            Some(upstream) => {
                Server::start(&config, listener, Parts { clock, random, observer, rsa, keys, upstream })
            }
            None => {
                Server::start(&config, listener, Parts { clock, random, observer, rsa, keys, upstream: own })
            }
        };
        Ok(Self { server: server?, config, others, directory })
    }

    /// Has it read its files anew.
    pub(crate) async fn reload(&mut self) -> Result<(), StartError> {
        self.server.reload(&self.config, &[test_key().into()]).await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where its admin page is.
    pub(crate) fn admin(&self) -> &AdminPlace {
        self.server.admin().unwrap()
    }

    /// The second address that it listens on.
    pub(crate) fn other_address(&self) -> SocketAddr {
        self.others[0]
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        test_key().public().clone()
    }

    pub(crate) fn event_log(&self) -> PathBuf {
        self.directory.path().join("events.jsonl")
    }

    /// What the event log says by now.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.event_log()).unwrap();
        // The last line may be half written.
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(parse).collect()
    }

    /// The events of this name.
    pub(crate) fn events_of(&self, name: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["event"] == name).collect()
    }

    /// Waits until the log has `count` events of this name, and gives them.
    pub(crate) async fn wait_for(&self, name: &str, count: usize) -> Vec<Value> {
        let until = async {
            loop {
                let events = self.events_of(name);
                if events.len() >= count {
                    return events;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within(&format!("event {name}, {count} times"), until).await
    }

    /// Stops it and gives the whole event log.
    pub(crate) async fn stop(self) -> Vec<Value> {
        within("the end of the server", self.server.shut_down()).await;
        let text = fs::read_to_string(self.directory.path().join("events.jsonl")).unwrap();
        text.lines().map(parse).collect()
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn prepare(change: impl FnOnce(&mut Config)) -> (TempDir, Config) {
    let directory = tempfile::tempdir().unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let mut config = Config { listen, drain_seconds: 60, ..Config::default() };
    config.keys.exponent_bits = EXPONENT_BITS;
    config.data_dir = directory.path().join("data");
    config.admin.listen = Some(listen);
    config.event_log = Some(directory.path().join("events.jsonl"));
    change(&mut config);
    (directory, config)
}

fn open_store(directory: &TempDir) -> EmbeddedStore {
    let sealing = SealingSource::Directory(directory.path().join("sealing"));
    EmbeddedStore::open(&directory.path().join("data/keys.redb"), &sealing, Box::new(OsRandom)).unwrap()
}
