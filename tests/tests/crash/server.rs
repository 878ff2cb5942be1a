//! The shipped server, with short exponents so that many exchanges fit into a test.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use dayfly_core::NoObserver;
use dayfly_server::{Config, Listener, OsRandom, OwnAnswers, Parts, Server, SystemClock};
use dayfly_store::{EmbeddedStore, Keys, RamTempKeys, SealingSource};

pub(crate) const EXPONENT_BITS: usize = 256;

/// Where the sealing key of a store in `directory` lies.
pub(crate) fn sealing(directory: &Path) -> SealingSource {
    SealingSource::Directory(directory.join("sealing"))
}

/// Serves the permanent keys of `store` on a port that the system chooses.
pub(crate) async fn start(store: EmbeddedStore) -> Server {
    let mut config = Config { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Config::default() };
    config.keys.exponent_bits = EXPONENT_BITS;
    config.limits.handshakes_per_address = u32::MAX;
    let listener = Listener::bind(config.listen).await.unwrap();
    let upstream = OwnAnswers { address: listener.address(), dc: 2, test: false, tmp_sessions: 1 };
    let parts = Parts {
        clock: SystemClock::default(),
        random: OsRandom,
        observer: NoObserver,
        rsa: vec![dayfly_testkit::test_key().into()],
        keys: Arc::new(Keys::new(store, RamTempKeys::default())),
        upstream,
    };
    Server::start(&config, listener, parts).unwrap()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
