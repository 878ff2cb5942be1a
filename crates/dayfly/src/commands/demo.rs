//! `dayfly demo`: a server and a client in one process, on a real socket and a real store.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use dayfly_client::{Client, ClientConfig, Event, Events, MemorySession, Sent};
use dayfly_core::NoObserver;
use dayfly_server::{
    Config, Identity, Listener, OsRandom, OwnAnswers, Parts, Server, SystemClock, forbid_core_dumps,
};
use dayfly_store::{EmbeddedStore, Keys, RamTempKeys, SealingSource};
use serde_json::json;
use tokio::time;

use super::connect::{show_config, show_nearest_dc, tell};
use super::{runtime, setup};
use crate::args::Demo;
use crate::report::Report;

/// Short enough that a renewal can be watched, long enough for a slow machine.
const EXPIRES_IN: u32 = 6;
/// No step of the demonstration takes nearly so long.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn run(args: &Demo) -> anyhow::Result<()> {
    forbid_core_dumps().context("the limit of core dumps cannot be set to zero")?;
    let place = Place::make()?;
    let mut report = Report::new(args.json);
    runtime()?.block_on(play(&place.directory, &mut report))
}

/// A directory of the demonstration's own, removed when it is over.
struct Place {
    directory: PathBuf,
}

impl Place {
    fn make() -> anyhow::Result<Self> {
        let directory = std::env::temp_dir().join(format!("dayfly-demo-{}", std::process::id()));
        std::fs::create_dir(&directory)
            .with_context(|| format!("{}: cannot be made", directory.display()))?;
        Ok(Self { directory })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left is a key that nothing uses, in the system's directory for such things.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

async fn play(directory: &Path, report: &mut Report) -> anyhow::Result<()> {
    report.title("The server");
    let server = start(directory, (Ipv4Addr::LOCALHOST, 0).into(), report).await?;
    let address = server.address();
    let public = dayfly_server::read_public(&directory.join("data").join(dayfly_server::PUBLIC_FILE))?;
    let mut config = ClientConfig::new([public].into());
    config.expires_in = EXPIRES_IN;

    report.title("Two keys, made in parallel over two connections, and bound");
    report.restart();
    let begun = Instant::now();
    let (client, mut events) = Client::connect(address.to_string(), config, MemorySession::default()).await?;
    while let Some(happened) = events.try_next() {
        tell(report, happened.at.duration_since(begun), &happened.event);
    }

    report.title("Calls under the temporary key");
    report.restart();
    show_config(&client, report).await?;
    show_nearest_dc(&client, report).await?;

    report.title(&format!(
        "Renewal: the key lives {EXPIRES_IN} seconds, and the next one is bound before it ends"
    ));
    watch_until_bound(&mut events, report).await?;
    report.restart();
    show_nearest_dc(&client, report).await?;

    report.title("Recovery: the server restarts and has lost every temporary key, as it must");
    report.restart();
    server.shut_down().await;
    let server = start(directory, address, report).await?;
    let during = client.clone();
    let call = tokio::spawn(async move {
        during.invoke_bytes(dayfly_tl::to_bytes(&dayfly_tl::api::HelpGetNearestDc {})).await
    });
    watch_until_bound(&mut events, report).await?;
    call.await.context("the call")?.context("help.getNearestDc")?;
    report.note("a call made meanwhile was answered under the new key");

    let sent = client.sent();
    server.shut_down().await;
    finish(sent, begun.elapsed(), report)
}

async fn start(directory: &Path, address: SocketAddr, report: &mut Report) -> anyhow::Result<Server> {
    let config = Config { listen: address, data_dir: directory.join("data"), ..Config::default() };
    let identity = Identity::open(&config.data_dir)?;
    let sealing = SealingSource::Directory(directory.join("sealing"));
    let store = EmbeddedStore::open(&config.data_dir.join(setup::STORE_FILE), &sealing, Box::new(OsRandom))?;
    let listener = Listener::bind(address).await?;
    let upstream = OwnAnswers { address: listener.address(), dc: config.dc, test: false, tmp_sessions: 1 };
    let parts = Parts {
        clock: SystemClock::default(),
        random: OsRandom,
        observer: NoObserver,
        rsa: identity.keys,
        keys: Arc::new(Keys::new(store, RamTempKeys::default())),
        upstream,
    };
    let server = Server::start(&config, listener, parts)?;
    let address = server.address();
    let fingerprint = identity.key.fingerprint();
    let key = if identity.fresh { "new RSA key" } else { "the same RSA key and store" };
    let text = format!("listens on {address}, {key}, fingerprint {fingerprint}");
    let fields = json!({"address": address.to_string(), "fingerprint": fingerprint.to_string()});
    report.step("server", &text, fields);
    Ok(server)
}

/// Shows what happens to keys until a new binding stands.
async fn watch_until_bound(events: &mut Events, report: &Report) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let Ok(next) = time::timeout(PATIENCE, events.next()).await else {
            bail!("no new key was bound within {} seconds", PATIENCE.as_secs());
        };
        let happened = next.context("the client ended")?;
        tell(report, happened.at.saturating_duration_since(begun), &happened.event);
        if matches!(happened.event, Event::Bound { .. }) {
            return Ok(());
        }
    }
}

/// The last line counts what forward secrecy forbids.
fn finish(sent: Sent, took: Duration, report: &mut Report) -> anyhow::Result<()> {
    report.title("In all");
    let text = format!(
        "messages sent under temporary keys: {}; messages sent under the permanent key: {}",
        sent.under_temp, sent.under_perm
    );
    report.step_of(took, "sum", &text, json!({"under_temp": sent.under_temp, "under_perm": sent.under_perm}));
    if sent.under_perm > 0 {
        bail!("a message went out under the permanent key: forward secrecy is broken");
    }
    Ok(())
}
