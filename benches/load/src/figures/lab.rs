//! `dayfly lab` under clients that come again and again, with everything on that it has: the page, the transcript, and all that
//! the specification leaves open.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use dayfly_client::{Client, ClientConfig, Event, MemorySession, PublicKey};
use dayfly_core::plain;
use dayfly_tl::mtproto::ReqPqMulti;
use dayfly_tl::to_bytes;
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::process;
use crate::report::{Figure, Target};
use crate::speaker::OPENING;

/// How often the lab is started to see how soon it answers.
const STARTS: usize = 11;
/// Clients that connect at the same time.
const AT_ONCE: usize = 8;
/// How often the page is read, and the memory looked at, meanwhile.
const EVERY: Duration = Duration::from_secs(1);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// # Errors
/// If the lab does not start, or a client gets no keys.
pub(super) fn measure(dayfly: &Path, load: Duration) -> Result<Vec<Figure>> {
    let mut starts = (0..STARTS).map(|_| first_answer(dayfly)).collect::<Result<Vec<Duration>>>()?;
    starts.sort_unstable();
    let folder = tempfile::tempdir()?;
    let transcript = folder.path().join("transcript.jsonl");
    let lab = Lab::start(dayfly, &["--transcript", &transcript.display().to_string()])?;
    let runtime = Builder::new_multi_thread().enable_all().build().context("the runtime does not start")?;
    let (keys, memory) = runtime.block_on(load_it(&lab, load))?;
    let written = std::fs::metadata(&transcript).context("the transcript")?.len();
    Ok(figures(&starts, keys, load, memory, written))
}

fn figures(starts: &[Duration], keys: u32, load: Duration, memory: u64, written: u64) -> Vec<Figure> {
    let millis = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let mebibytes = |bytes: u64| f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX)) / 1024.0;
    let first = Figure {
        name: "the lab's first answer",
        value: millis(starts.get(starts.len() / 2)),
        unit: "ms after the command",
        target: Target::AtMost(200.0),
        note: format!(
            "from starting the program, with a new RSA key, until resPQ has come; the median of {}, the slowest took {:.0} ms",
            starts.len(),
            millis(starts.last())
        ),
    };
    let seconds = load.as_secs_f64();
    let rate = Figure {
        name: "key exchanges with the lab",
        value: f64::from(keys) / seconds,
        unit: "a second",
        target: Target::AtLeast(100.0),
        note: format!(
            "{AT_ONCE} clients of ours at a time, each making both its keys and binding them, for {seconds:.0} s with their own \
             arithmetic on the same processors: {keys} keys, a transcript of {:.0} MiB, the page read every second",
            mebibytes(written)
        ),
    };
    let memory = Figure {
        name: "the lab's memory under this load",
        value: mebibytes(memory),
        unit: "MiB at most",
        target: Target::AtMost(400.0),
        note: "resident memory, looked at every second".to_owned(),
    };
    vec![first, rate, memory]
}

/// How long it takes from starting the program until it has answered req_pq_multi.
fn first_answer(dayfly: &Path) -> Result<Duration> {
    let began = Instant::now();
    let lab = Lab::start(dayfly, &[])?;
    let query = plain::write(0, &to_bytes(&ReqPqMulti { nonce: [7; 16] }));
    let length = u32::try_from(query.len())?.to_le_bytes();
    let mut socket = TcpStream::connect(lab.address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(&[&OPENING[..], &length, &query].concat())?;
    socket.read_exact(&mut [0; 84]).context("no answer to req_pq_multi")?;
    Ok(began.elapsed())
}

/// Clients connect for so long; gives how many keys were made, and the most memory that the lab took.
async fn load_it(lab: &Lab, load: Duration) -> Result<(u32, u64)> {
    let until = tokio::time::Instant::now() + load;
    let mut clients = JoinSet::new();
    for _ in 0..AT_ONCE {
        let config = ClientConfig::new([lab.public_key.clone()].into());
        clients.spawn(connect_until(lab.address, config, until));
    }
    let watch = async {
        let mut most = 0;
        while tokio::time::Instant::now() < until {
            sleep(EVERY).await;
            most = most.max(process::resident(lab.child.id())?);
            let control = lab.control;
            tokio::task::spawn_blocking(move || read_page(control)).await??;
        }
        Ok::<u64, anyhow::Error>(most)
    };
    let most = watch.await?;
    let mut keys = 0;
    while let Some(made) = clients.join_next().await {
        keys += made??;
    }
    Ok((keys, most))
}

async fn connect_until(
    address: SocketAddr,
    config: ClientConfig,
    until: tokio::time::Instant,
) -> Result<u32> {
    let mut keys = 0;
    while tokio::time::Instant::now() < until {
        let connecting = Client::connect(address.to_string(), config.clone(), MemorySession::default());
        let (_client, mut events) = timeout(PATIENCE, connecting).await.context("a client waits")??;
        while let Some(happened) = events.try_next() {
            keys += u32::from(matches!(happened.event, Event::PermKeyMade(_) | Event::TempKeyMade { .. }));
        }
    }
    Ok(keys)
}

/// Reads the page with the list of runs.
fn read_page(control: SocketAddr) -> Result<()> {
    let mut socket = TcpStream::connect(control)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    write!(socket, "GET / HTTP/1.1\r\nHost: {control}\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    socket.read_to_string(&mut page).context("the page")?;
    ensure!(
        page.starts_with("HTTP/1.1 200 "),
        "the page is not there: {}",
        page.lines().next().unwrap_or("")
    );
    Ok(())
}

/// A running lab. Dropping it kills it.
struct Lab {
    child: Child,
    address: SocketAddr,
    control: SocketAddr,
    public_key: PublicKey,
}

impl Lab {
    fn start(dayfly: &Path, more: &[&str]) -> Result<Self> {
        let mut command = Command::new(dayfly);
        command.args(["lab", "--json", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.spawn().with_context(|| format!("starting {}", dayfly.display()))?;
        Self::of(child)
    }

    fn of(mut child: Child) -> Result<Self> {
        let mut line = String::new();
        let output = child.stdout.take().context("the lab has no stdout")?;
        BufReader::new(output).read_line(&mut line)?;
        let places: Value = serde_json::from_str(&line).context("the lab does not say where it is")?;
        let place = |name: &str| places[name].as_str().with_context(|| format!("the lab tells no {name}"));
        let address = place("address")?.parse()?;
        let control = place("control")?.trim_start_matches("http://").trim_end_matches('/').parse()?;
        let pem = std::fs::read_to_string(place("public_key")?).context("the lab's public key")?;
        Ok(Self { child, address, control, public_key: PublicKey::from_pem(&pem)? })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
