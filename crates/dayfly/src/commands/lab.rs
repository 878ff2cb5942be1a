//! `dayfly lab`.

mod backend;
mod public_key;

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use dayfly_check::console::{Console, DeskParts};
use dayfly_check::keylog::KeyLog;
use dayfly_check::lab::{Fault, Lab, LabConfig, Manners, Step};
use dayfly_check::lab_key;
use dayfly_check::private_file::FileError;
use dayfly_check::recording::{Files, SharedBook, TranscriptFile, record};
use dayfly_check::scenario::Scenario;
use dayfly_core::SecureRandom as _;
use dayfly_server::{Allow, Backend, Config};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use self::public_key::PublicFile;
use super::hints::hints;
use super::signals::{Signals, Wanted};
use super::{WrongUsage, logging, runtime};
use crate::args::lab::Lab as Args;
use crate::report::{line, warning};

const BANNER: &str =
    "dayfly lab: a server for tests. Its randomness is known, and it keeps no secret: never for production.";

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if args.list {
        Fault::ALL.iter().for_each(|fault| line(&listed(*fault)));
        return Ok(());
    }
    check_addresses(args)?;
    let scenario = args.scenario.as_deref().map_or(Ok(Scenario::default()), read_scenario)?;
    let backend = backend::configure(args)?;
    let files = open_files(args)?;
    if backend.is_some() {
        logging::start(false)?;
    }
    runtime()?.block_on(serve(args, scenario, backend, files))
}

/// A fault in one line.
fn listed(fault: Fault) -> String {
    let step = fault.step().map_or("any", Step::name);
    format!("{:<26} {step:<10} {}", fault.name(), fault.describe())
}

fn check_addresses(args: &Args) -> Result<(), WrongUsage> {
    let is_loopback = |address: SocketAddr| address.ip().to_canonical().is_loopback();
    if !is_loopback(args.control) {
        let text =
            format!("{} is not on loopback, and the control API is for this machine alone", args.control);
        return Err(WrongUsage(text));
    }
    if !is_loopback(args.listen) && !args.authorized {
        return Err(WrongUsage(format!("{} is not on loopback: --authorized listens there", args.listen)));
    }
    Ok(())
}

fn read_scenario(path: &Path) -> anyhow::Result<Scenario> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    Scenario::from_toml(&text).map_err(|error| WrongUsage(format!("{}:{error}", path.display())).into())
}

fn open_files(args: &Args) -> Result<Files, FileError> {
    let transcript = args.transcript.as_ref().map(|path| Ok((path.clone(), TranscriptFile::open(path)?)));
    let key_log = args.key_log.as_ref().map(|path| Ok((path.clone(), KeyLog::open(path)?)));
    Ok(Files { transcript: transcript.transpose()?, key_log: key_log.transpose()? })
}

async fn serve(
    args: &Args,
    scenario: Scenario,
    backend: Option<Backend>,
    files: Files,
) -> anyhow::Result<()> {
    let bind = async |address| {
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
    };
    let (clients, control) = (bind(args.listen).await?, bind(args.control).await?);
    let config = LabConfig { backend, ..configure(args, &scenario)? };
    let mut signals = Signals::watch()?;
    let (tell, events) = mpsc::unbounded_channel();
    let lab = Arc::new(Lab::start(&config, Arc::new(clients), tell).context("the lab does not start")?);
    let (book, public) =
        (SharedBook::default(), PublicFile::write(config.key.public(), args.key.as_deref())?);
    let places =
        Places { lab: lab.address(), control: control.local_addr()?, public_key: public.path().to_owned() };
    let parts = DeskParts { lab, book: book.clone(), scenario, public_key: config.key.public().to_pem()? };
    let console = Console::start(control, parts).context("the control API does not start")?;
    introduce(args, &config, &places);
    let mut recording = tokio::spawn(record(events, files, book));
    let mut input = if args.until_eof { end_of_input() } else { Box::pin(pending()) };
    loop {
        tokio::select! {
            wanted = signals.next() => if wanted == Wanted::Stop { break },
            () = &mut input => break,
            ended = &mut recording => { ended??; bail!("the lab has ended") }
        }
    }
    // With the console goes the lab, and what happened until then is written.
    drop(console);
    recording.await??;
    Ok(())
}

/// Ends when standard input does. A thread of its own reads it: the runtime would wait for one of its own to the end.
fn end_of_input() -> Pin<Box<dyn Future<Output = ()>>> {
    let (ended, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        // Input that cannot be read any more has ended, too.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        drop(ended);
    });
    Box::pin(async { _ = end.await })
}

fn configure(args: &Args, scenario: &Scenario) -> anyhow::Result<LabConfig> {
    let key = Arc::new(lab_key::open(args.key.as_deref())?);
    let manners = if args.calm { Manners::CALM } else { Manners::LIVELY };
    let (rules, canned) = (scenario.rules.clone(), scenario.answers.clone());
    Ok(LabConfig { manners, rules, canned, ..LabConfig::new(seed(args)?, key) })
}

/// The seed that was asked for, or a new one, short enough to be typed.
fn seed(args: &Args) -> anyhow::Result<u64> {
    if let Some(seed) = args.seed {
        return Ok(seed);
    }
    let mut bytes = [0; 4];
    dayfly_server::OsRandom.fill_public(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes).into())
}

/// Where everything is.
struct Places {
    lab: SocketAddr,
    control: SocketAddr,
    public_key: PathBuf,
}

fn introduce(args: &Args, config: &LabConfig, places: &Places) {
    if let Some(file) = &args.key_log {
        warning(&format!("{} opens every conversation with this lab", file.display()));
    }
    let Places { lab, control, public_key } = places;
    let (pem, fingerprint, page) =
        (public_key.display(), config.key.fingerprint(), format!("http://{control}/"));
    if args.json {
        let places = json!({
            "address": lab.to_string(),
            "control": page,
            "public_key": public_key,
            "fingerprint": fingerprint.to_string(),
            "seed": config.seed,
        });
        return line(&places.to_string());
    }
    line(BANNER);
    line(&format!("listening on   {lab}   dc {}", config.dc));
    line(&format!("page, control  {page}"));
    line(&format!("public key     {pem}"));
    line(&format!("fingerprint    {fingerprint}"));
    if let Some(backend) = &config.backend {
        line(&format!("back end       {}", backend.address));
    }
    line(&format!("seed           {}{}\n", config.seed, if args.calm { "   calm" } else { "" }));
    let everything = Config { dc: config.dc, allow: vec![Allow::NoPfs, Allow::OldRsa], ..Config::default() };
    hints(&everything, *lab, public_key).iter().for_each(|hint| line(hint));
}
