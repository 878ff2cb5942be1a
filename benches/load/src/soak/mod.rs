//! An hour of the protocol in ten minutes: a server whose clock is fast, clients of ours with short-lived keys, a relay
//! that cuts their connections, and a back end that sends updates. At the end nothing may be lost or done twice, and the
//! memory must not have grown.

mod backend;
mod client;
mod clock;
mod ledger;
mod relay;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Args;
use dayfly_client::ClientConfig;
use dayfly_core::NoObserver;
use dayfly_crypto::AuthKeyId;
use dayfly_server::{Config, Edge, Listener, OsRandom, Parts, Recipient, Server};
use dayfly_store::{EmbeddedStore, Keys, RamTempKeys, SealingSource};
use dayfly_testkit::test_key;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use self::backend::Backend;
use self::client::{Caller, Phase};
use self::clock::{Dice, FastClock, SPEED};
use self::ledger::{Ledger, Sums};
use crate::child::runtime;
use crate::process;

/// How long a temporary key lives, in seconds of the protocol.
const KEY_LIFE: u32 = 60;
/// Between two updates, of the wall's time.
const UPDATE_EVERY: Duration = Duration::from_millis(40);
/// How long updates may still come after the last call: longer than a client waits before it connects again.
const QUIET: Duration = Duration::from_secs(8);
/// The time is counted in so many parts.
const PARTS: u32 = 10;
/// Memory after the last part may be this much over that after the second, in percent.
const MAY_GROW: f64 = 5.0;
/// Everything that is started ends within this time, or hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// The command line of `soak`.
#[derive(Args)]
pub(crate) struct Soak {
    /// How long, in minutes of the wall; six times as long in the protocol's time
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
    /// How many clients
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=2000))]
    clients: u16,
    /// Which connections are cut, and when
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the soak; whether all was well.
///
/// # Errors
/// If it could not be run.
pub(crate) fn run(args: &Soak) -> Result<bool> {
    if args.minutes < 10 {
        let minutes = args.minutes * u64::from(SPEED);
        eprintln!(
            "== LEFT OUT by --minutes {}: all but the first {minutes} minutes of an hour",
            args.minutes
        );
    }
    let folder = tempfile::tempdir()?;
    let outcome = runtime()?.block_on(soak(args, folder.path()))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&outcome.json(args))?);
    } else {
        println!("{}", outcome.text(args));
    }
    Ok(outcome.well())
}

/// What was seen.
struct Outcome {
    sums: Sums,
    /// Messages that clients sent under their permanent keys.
    sent_under_perm: u64,
    /// Resident memory after each part, in bytes.
    memory: Vec<u64>,
}

async fn soak(args: &Soak, folder: &Path) -> Result<Outcome> {
    let clients = usize::from(args.clients);
    let (clock, ledger, edge) = (FastClock::start(), Arc::new(Ledger::new(clients)), Arc::default());
    let backend = Backend { ledger: Arc::clone(&ledger), edge: Arc::clone(&edge) };
    let server = serve(folder, clock, backend).await?;
    let callers = connect_all(args, &server, clock, &ledger).await?;
    let perms: Vec<AuthKeyId> = callers.iter().map(|caller| caller.perm).collect();
    let (phase, stop) = watch::channel(Phase::Calls);
    let mut living = JoinSet::new();
    for (number, caller) in (0_u64..).zip(callers) {
        let dice = Dice::new(args.seed, (1 << 32) | number);
        living.spawn(caller.live(dice, Arc::clone(&ledger), stop.clone()));
    }
    let edge = edge.get().cloned().context("the server gave no way to send updates")?;
    let updates = tokio::spawn(send_updates(edge, perms, args.seed, Arc::clone(&ledger), stop));
    let memory = watch_memory(Duration::from_secs(args.minutes * 60), &ledger).await?;
    phase.send_replace(Phase::Quiet);
    timeout(PATIENCE, updates).await.context("the updates do not end")???;
    sleep(QUIET).await;
    phase.send_replace(Phase::Over);
    let mut sent_under_perm = 0;
    while let Some(sent) = timeout(PATIENCE, living.join_next()).await.context("a client does not end")? {
        sent_under_perm += sent?;
    }
    timeout(PATIENCE, server.shut_down()).await.context("the server does not end")?;
    Ok(Outcome { sums: ledger.sums(), sent_under_perm, memory })
}

async fn serve(folder: &Path, clock: FastClock, upstream: Backend) -> Result<Server> {
    let mut config = Config { listen: "127.0.0.1:0".parse()?, ..Config::default() };
    // All clients come from one address here, and the short form must not take the filling of this memory for a leak.
    config.limits.handshakes_per_address = u32::MAX;
    config.limits.answer_memory_bytes = 256 << 10;
    let sealing = SealingSource::Directory(folder.join("sealing"));
    let store = EmbeddedStore::open(&folder.join("store/keys.redb"), &sealing, Box::new(OsRandom))?;
    let listener = Listener::bind_all(&config).await?;
    let parts = Parts {
        clock,
        random: OsRandom,
        observer: NoObserver,
        rsa: vec![test_key().into()],
        keys: Arc::new(Keys::new(store, RamTempKeys::default())),
        upstream,
    };
    Ok(Server::start(&config, listener, parts)?)
}

async fn connect_all(
    args: &Soak,
    server: &Server,
    clock: FastClock,
    ledger: &Arc<Ledger>,
) -> Result<Vec<Caller>> {
    let mut config = ClientConfig::new([test_key().public().clone()].into());
    config.expires_in = KEY_LIFE;
    let mut connecting = JoinSet::new();
    for number in 0..usize::from(args.clients) {
        let relay = relay::start(number, server.address(), args.seed, Arc::clone(ledger)).await?;
        let (config, ledger) = (config.clone(), Arc::clone(ledger));
        connecting.spawn(async move { Caller::connect(number, relay, config, clock, &ledger).await });
    }
    let mut callers = connecting.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    callers.sort_by_key(Caller::number);
    Ok(callers)
}

/// Sends an update to a client that the dice choose, again and again.
async fn send_updates(
    edge: Edge,
    perms: Vec<AuthKeyId>,
    seed: u64,
    ledger: Arc<Ledger>,
    mut stop: watch::Receiver<Phase>,
) -> Result<()> {
    let mut dice = Dice::new(seed, u64::MAX);
    while *stop.borrow() == Phase::Calls {
        let client = usize::try_from(dice.upto(perms.len() as u64 - 1))?;
        let Some(perm) = perms.get(client) else { continue };
        let update = ledger.send_update(client);
        let bytes = backend::body(backend::UPDATE, client, update);
        let sessions = edge.push(Recipient::Key(*perm), bytes).await?;
        ledger.update_sent(client, update, sessions);
        tokio::select! {
            () = sleep(UPDATE_EVERY) => {}
            _ = stop.wait_for(|phase| *phase != Phase::Calls) => {}
        }
    }
    Ok(())
}

/// The memory of this process after each part of the time, with a line of progress each.
async fn watch_memory(whole: Duration, ledger: &Ledger) -> Result<Vec<u64>> {
    let began = Instant::now();
    let mut memory = Vec::new();
    for part in 1..=PARTS {
        sleep_until((began + whole * part / PARTS).into()).await;
        let resident = process::resident(std::process::id())?;
        memory.push(resident);
        let sums = ledger.sums();
        eprintln!(
            "{part:>2}/{PARTS}: {} calls, {} updates, {} bindings, {} cuts, {} faults, {} KiB resident",
            sums.calls,
            sums.updates,
            sums.bindings,
            sums.cuts,
            sums.faults.len(),
            resident / 1024
        );
    }
    Ok(memory)
}

impl Outcome {
    /// By how much the memory grew after the second part, in percent.
    fn growth(&self) -> f64 {
        let kibibytes = |bytes: u64| f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX));
        match (self.memory.get(1), self.memory.last()) {
            (Some(early), Some(late)) => (kibibytes(*late) - kibibytes(*early)) * 100.0 / kibibytes(*early),
            _ => f64::INFINITY,
        }
    }

    fn well(&self) -> bool {
        self.sums.all_well() && self.sent_under_perm == 0 && self.growth() <= MAY_GROW
    }

    fn text(&self, args: &Soak) -> String {
        let sums = &self.sums;
        let minutes = args.minutes * u64::from(SPEED);
        let mut lines = vec![
            format!("{} clients, {minutes} minutes of the protocol's time, seed {}", args.clients, args.seed),
            format!("calls            {} made, {} lost, {} run twice", sums.calls, sums.lost, sums.run_twice),
            format!(
                "updates          {} sent, {} delivered, {} while nobody was connected, {} with a connection that was \
                 cut or a key that ended, {} unexplained",
                sums.updates, sums.delivered, sums.to_nobody, sums.excused, sums.unexplained
            ),
            format!(
                "keys             {} bindings of keys of {KEY_LIFE} s, {} forgotten by the server",
                sums.bindings, sums.keys_lost
            ),
            format!("connections      {} cut", sums.cuts),
            format!(
                "permanent keys   {} messages sent under one, {} calls",
                self.sent_under_perm, sums.under_perm
            ),
            format!(
                "memory           {:+.1} % from the second to the last tenth, at most {MAY_GROW} % allowed",
                self.growth()
            ),
        ];
        lines.extend(sums.faults.iter().take(20).map(|fault| format!("fault: {fault}")));
        lines.push(if self.well() { "all well" } else { "NOT WELL" }.to_owned());
        lines.join("\n")
    }

    fn json(&self, args: &Soak) -> Value {
        let sums = &self.sums;
        json!({
            "well": self.well(),
            "clients": args.clients, "minutes": args.minutes, "speed": SPEED, "seed": args.seed,
            "calls": { "made": sums.calls, "lost": sums.lost, "run_twice": sums.run_twice },
            "updates": {
                "sent": sums.updates, "delivered": sums.delivered, "to_nobody": sums.to_nobody,
                "excused": sums.excused, "unexplained": sums.unexplained,
            },
            "bindings": sums.bindings,
            "keys_lost": sums.keys_lost,
            "cuts": sums.cuts,
            "under_permanent_keys": { "messages": self.sent_under_perm, "calls": sums.under_perm },
            "memory": { "bytes_after_each_tenth": self.memory, "growth_percent": self.growth() },
            "faults": sums.faults,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(memory: Vec<u64>) -> Outcome {
        Outcome { sums: Sums::default(), sent_under_perm: 0, memory }
    }

    #[test]
    fn memory_may_grow_a_little_after_the_second_part() {
        assert!(outcome(vec![1 << 20, 100 << 20, 200 << 20, 105 << 20]).well());
        assert!(!outcome(vec![1 << 20, 100 << 20, 106 << 20]).well());
        assert!(!outcome(vec![1 << 20]).well(), "nothing was measured");
    }

    #[test]
    fn a_message_under_a_permanent_key_fails_it() {
        let mut outcome = outcome(vec![1 << 20; 10]);
        assert!(outcome.well());
        outcome.sent_under_perm = 1;
        assert!(!outcome.well());
    }
}
