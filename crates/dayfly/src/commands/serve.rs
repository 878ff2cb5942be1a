//! `dayfly serve`.

mod notify;
mod running;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use dayfly_core::NoObserver;
use dayfly_server::{
    Allow, Config, ControlSocket, GrpcBackend, Identity, Listener, OsRandom, OwnAnswers, Parts, Server,
    SystemClock, Upstream, forbid_core_dumps, raise_open_files, swap_is_on,
};
use dayfly_store::{EmbeddedStore, Keys, RamTempKeys, TempLimits};

use self::running::Running;
use super::hints::hints;
use super::signals::{Signals, Wanted};
use super::{logging, runtime, setup};
use crate::args::{AllowArg, Serve};
use crate::report::line;

/// The store that `serve` runs on.
type Store = Keys<EmbeddedStore, RamTempKeys>;

pub(crate) fn run(args: &Serve) -> anyhow::Result<()> {
    if args.print_config {
        line(Config::commented_default().trim_end());
        return Ok(());
    }
    let config = configure(args)?;
    check_backend(&config, args.config.as_deref())?;
    if args.check_config {
        line("the configuration is right");
        return Ok(());
    }
    logging::start(args.json)?;
    prepare_process()?;
    // The port first: a start that fails for it has made and opened nothing.
    let runtime = runtime()?;
    let listener = runtime.block_on(Listener::bind_all(&config))?;
    let identity = Identity::configured(&config)?;
    let store = setup::open_store(&config)?;
    let notice = store.notice();
    let keys = Arc::new(Keys::new(store, RamTempKeys::new(temp_limits(&config))));
    runtime.block_on(serve(args, config, listener, identity, keys, &notice))
}

fn temp_limits(config: &Config) -> TempLimits {
    TempLimits {
        keys: config.limits.temp_keys,
        bytes: config.limits.temp_keys.saturating_mul(TempLimits::BYTES_PER_KEY),
        unbound_seconds: u64::from(config.keys.unbound_seconds),
    }
}

/// The file's settings, with those of the command line over them; the files that they name are looked at.
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
    if let Some(file) = &args.config {
        config.check_files(file)?;
    }
    Ok(config)
}

/// Whether the files are there that the connection to the back end needs.
fn check_backend(config: &Config, file: Option<&Path>) -> anyhow::Result<()> {
    let checked = config.backend.as_ref().map_or(Ok(()), GrpcBackend::check);
    Ok(checked
        .map_err(|error| Config::wrong(file.unwrap_or(Path::new("")), error.key(), error.to_string()))?)
}

/// What answers calls: the configured back end, or else nothing but the server itself.
fn upstream(config: &Config, address: SocketAddr) -> anyhow::Result<Box<dyn Upstream>> {
    let own = OwnAnswers { address, dc: config.dc, test: config.test, tmp_sessions: config.tmp_sessions };
    Ok(match &config.backend {
        Some(backend) => Box::new(GrpcBackend::new(backend, own)?),
        None => Box::new(own),
    })
}

/// Rule PF-01: no core dump may hold keys, and the operator is told when swap may. Each connection takes a file.
fn prepare_process() -> anyhow::Result<()> {
    forbid_core_dumps().context("the limit of core dumps cannot be set to zero")?;
    raise_open_files().context("the limit of open files cannot be raised")?;
    if swap_is_on() == Some(true) {
        tracing::warn!(
            "swap is on: the system may write temporary keys to a disk; turn it off or encrypt it"
        );
    }
    Ok(())
}

async fn serve(
    args: &Serve,
    config: Config,
    listener: Listener,
    identity: Identity,
    keys: Arc<Store>,
    notice: &str,
) -> anyhow::Result<()> {
    let address = config.advertise.unwrap_or(listener.address());
    if address.ip().is_unspecified() {
        tracing::warn!(
            "clients are told {address} by help.getConfig, which is no address to connect to: set advertise in the configuration"
        );
    }
    let parts = Parts {
        clock: SystemClock::default(),
        random: OsRandom,
        observer: NoObserver,
        rsa: identity.keys.clone(),
        keys: Arc::clone(&keys),
        upstream: upstream(&config, address)?,
    };
    // Watched before anybody is told of the server: a signal that comes right after that is not missed.
    let mut signals = Signals::watch()?;
    let others: Vec<(SocketAddr, bool)> = listener.others().collect();
    let server = Server::start(&config, listener, parts)?;
    let control = ControlSocket::open(&config.data_dir, Arc::clone(&keys), server.edge())?;
    introduce(&config, server.address(), address, &identity, notice);
    for (address, balanced) in others {
        let whom = if balanced { "   for balancers: each connection begins with a PROXY header" } else { "" };
        line(&format!("listening on   {address}{whom}"));
    }
    if let Some(admin) = server.admin() {
        line(&format!("admin page     {}   its token is in {}", admin.url, admin.token_file.display()));
    }
    let mut running = Running::new(args, config, server, keys);
    notify::tell(notify::READY);
    while signals.next().await == Wanted::Reload {
        running.reload().await;
    }
    line("stopping");
    notify::tell(notify::STOPPING);
    drop(control);
    running.stop().await;
    Ok(())
}

/// Where the server listens, what it is, and how each client gets to `address`.
fn introduce(config: &Config, listening: SocketAddr, address: SocketAddr, identity: &Identity, notice: &str) {
    let pem = identity.public_path.display();
    if identity.fresh {
        line("made a new RSA key");
    }
    let test = if config.test { ", test" } else { "" };
    line(&format!("listening on   {listening}   dc {}{test}", config.dc));
    line(&format!("public key     {pem}"));
    line(&format!("fingerprint    {}", identity.key.fingerprint()));
    for key in identity.keys.iter().skip(1) {
        line(&format!("also taken     {}", key.key.fingerprint()));
    }
    line(&format!("stored keys    {notice}"));
    if let Some(backend) = &config.backend {
        line(&format!("back end       {}", backend.address));
    }
    line("");
    hints(config, address, &identity.public_path).iter().for_each(|hint| line(hint));
}
