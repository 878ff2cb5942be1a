//! `dayfly serve`.

use std::sync::Arc;

use anyhow::Context as _;
use dayfly_core::NoObserver;
use dayfly_server::{
    Allow, Config, Identity, Listener, OsRandom, OwnAnswers, Parts, Server, SystemClock, forbid_core_dumps,
    swap_is_on,
};
use dayfly_store::{EmbeddedStore, KeyStore as _, Keys, RamTempKeys, TempLimits};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{runtime, setup};
use crate::args::{AllowArg, Serve};
use crate::report::line;

/// The store that `serve` runs on.
type Store = Keys<EmbeddedStore, RamTempKeys>;

pub(crate) fn run(args: &Serve) -> anyhow::Result<()> {
    let config = configure(args)?;
    if args.check_config {
        line("the configuration is right");
        return Ok(());
    }
    start_logging(args.json);
    harden()?;
    let identity = Identity::open(&config.data_dir)?;
    let store = setup::open_store(&config)?;
    let notice = store.notice();
    let limits = TempLimits {
        keys: config.limits.temp_keys,
        bytes: config.limits.temp_keys.saturating_mul(TempLimits::BYTES_PER_KEY),
        unbound_seconds: u64::from(config.keys.unbound_seconds),
    };
    let keys = Arc::new(Keys::new(store, RamTempKeys::new(limits)));
    runtime()?.block_on(serve(config, identity, keys, &notice))
}

/// The file's settings, with those of the command line over them.
fn configure(args: &Serve) -> anyhow::Result<Config> {
    let mut config = setup::load(args.config.as_deref())?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    if let Some(directory) = &args.data_dir {
        config.data_dir.clone_from(directory);
    }
    if let Some(file) = &args.event_log {
        config.event_log = Some(file.clone());
    }
    config.allow.extend(args.allow.iter().map(|allow| match allow {
        AllowArg::NoPfs => Allow::NoPfs,
        AllowArg::OldRsa => Allow::OldRsa,
    }));
    Ok(config)
}

/// `RUST_LOG` chooses what is logged; `info` without it.
fn start_logging(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        logging.json().init();
    } else {
        logging.init();
    }
}

/// Rule PF-01: no core dump may hold keys, and the operator is told when swap may.
fn harden() -> anyhow::Result<()> {
    forbid_core_dumps().context("the limit of core dumps cannot be set to zero")?;
    if swap_is_on() == Some(true) {
        tracing::warn!(
            "swap is on: the system may write temporary keys to a disk; turn it off or encrypt it"
        );
    }
    Ok(())
}

async fn serve(config: Config, identity: Identity, keys: Arc<Store>, notice: &str) -> anyhow::Result<()> {
    let listener = Listener::bind(config.listen).await?;
    let upstream = OwnAnswers {
        address: listener.address(),
        dc: config.dc,
        test: config.test,
        tmp_sessions: config.tmp_sessions,
    };
    let parts = Parts {
        clock: SystemClock::default(),
        random: OsRandom,
        observer: NoObserver,
        rsa: vec![Arc::clone(&identity.key)],
        keys: Arc::clone(&keys),
        upstream,
    };
    let server = Server::start(&config, listener, parts)?;
    introduce(&config, &server, &identity, notice);
    let sweeper = tokio::spawn(sweep(keys, config.keys.unused_days));
    wait_for_signal().await?;
    line("stopping");
    sweeper.abort();
    server.shut_down().await;
    Ok(())
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be watched")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be watched")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Rule PF-26: once an hour, permanent keys that were made `unused_days` ago and never used go.
async fn sweep(keys: Arc<Store>, unused_days: u32) {
    const AT_ONCE: usize = 1000;
    let mut hourly = tokio::time::interval(std::time::Duration::from_secs(3600));
    loop {
        hourly.tick().await;
        let now = dayfly_core::env::Clock::now(&SystemClock::default()).unix_seconds();
        let made_before = now.saturating_sub(u64::from(unused_days) * 86_400);
        match keys.perm().sweep_unused(made_before, AT_ONCE).await {
            Ok(swept) if swept.is_empty() => {}
            Ok(swept) => {
                tracing::info!(count = swept.len(), "permanent keys that were never used are removed")
            }
            Err(error) => tracing::error!(%error, "unused permanent keys could not be removed"),
        }
    }
}

/// How to reach the server, with what each client needs.
fn introduce(config: &Config, server: &Server, identity: &Identity, notice: &str) {
    let address = server.address();
    let pem = identity.public_path.display();
    let dc = config.dc;
    if identity.fresh {
        line("made a new RSA key");
    }
    line(&format!("listening on     {address}   dc {dc}{}", if config.test { ", test" } else { "" }));
    line(&format!("public key       {pem}"));
    line(&format!("fingerprint      {}", identity.key.fingerprint()));
    line(&format!("stored keys      {notice}"));
    line("");
    line(&format!("dayfly   dayfly connect {address} --server-key {pem}"));
    line(&format!(
        "mtcute   with usePfs; dc {{ id: {dc}, ipAddress: '{}', port: {} }}",
        address.ip(),
        address.port()
    ));
    line(
        "TDLib    with use_pfs; its DC addresses and RSA key are compiled in: td/telegram/net/ConnectionCreator.cpp, PublicRsaKeySharedMain.cpp",
    );
    for (client, needs, hint) in [
        (
            "Telethon",
            "no-pfs,old-rsa",
            "session.set_dc(id, ip, port); telethon.crypto.rsa.add_key(pem, old=True)",
        ),
        ("gramjs", "no-pfs", "session.setDC(id, ip, port); its RSA keys are in crypto/RSA.js"),
        (
            "grammers",
            "no-pfs",
            "Config { params: InitParams { server_addr, .. }, .. }; its RSA keys are compiled in",
        ),
    ] {
        let missing: Vec<&str> = needs.split(',').filter(|need| !is_allowed(config, need)).collect();
        if missing.is_empty() {
            line(&format!("{client:<8} {hint}"));
        } else {
            line(&format!("{client:<8} needs --allow {needs}"));
        }
    }
}

fn is_allowed(config: &Config, need: &str) -> bool {
    match need {
        "no-pfs" => config.allows(Allow::NoPfs),
        _ => config.allows(Allow::OldRsa),
    }
}
