//! Writes a file of `vectors/clients`: runs a real client against a server of ours on a [`Stage`], and keeps what the client
//! sends.
//!
//!     record_client HEAD.json OUT.json [--listen ADDRESS]... [--seconds N] [--cut CONNECTION:ANSWER] [--hunt VALUE]
//!         -- COMMAND [ARGUMENT]...
//!
//! HEAD.json is a recording without steps; `unix_ms` is filled in. The server listens on each ADDRESS (127.0.0.1:0 if there
//! is none), which COMMAND finds in DAYFLY_ADDRESS, the first one. The recording ends when COMMAND does, or after N seconds
//! (30), when it is killed. With `--cut` the server closes that connection (they count from 1) in place of sending that answer
//! (they count from 1 too): so a client can be seen sending again. With `--hunt g_b` or `--hunt auth_key` all begins anew with
//! each connection, until that value has a zero byte in front, or has fewer than its 256 bytes: one in 256 has.
//!
//! Anything that can connect can use this server, and its random bytes are foreseeable. So it listens on the loopback
//! interface, and on other addresses only where there is no other interface: in a network namespace made for a client whose
//! addresses are compiled in.
#![expect(clippy::print_stderr, reason = "a program for a terminal")]

mod arguments;
mod http;
mod sockets;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arguments::Arguments;
use dayfly_core::server::{ConnectionId, Output};
use dayfly_testkit::clients::{Act, Recording, Stage, Step};
use sockets::{Came, News};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let mut recording: Recording = serde_json::from_slice(&fs::read(&arguments.head)?)?;
    recording.server.unix_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let (tell, news) = channel();
    let address = sockets::listen(&arguments.listen, &tell)?;
    let child = Command::new(&arguments.command[0])
        .args(&arguments.command[1..])
        .env("DAYFLY_ADDRESS", address.to_string())
        .spawn()?;
    let mut recorder = Recorder::new(recording, &arguments);
    recorder.run(&news, child, arguments.patience)?;
    fs::write(&arguments.out, recorder.recording.to_json()?)?;
    eprintln!("{} steps on {} connections", recorder.recording.steps.len(), recorder.sockets.len());
    for event in recorder.stage.events.iter().take(EVENTS_SHOWN) {
        eprintln!("  {event:?}");
    }
    Ok(())
}

const EVENTS_SHOWN: usize = 100;
/// How long after the end of the client its last bytes may take.
const LAST_WORDS: Duration = Duration::from_millis(300);
const LOOK_AT_CHILD: Duration = Duration::from_millis(20);

struct Socket {
    stream: TcpStream,
    answers: u32,
}

struct Recorder {
    recording: Recording,
    stage: Stage,
    start: Instant,
    sockets: BTreeMap<u64, Socket>,
    cut: Option<(u64, u32)>,
    hunt: Option<String>,
}

impl Recorder {
    fn new(recording: Recording, arguments: &Arguments) -> Self {
        Self {
            stage: Stage::new(&recording.server),
            recording,
            start: Instant::now(),
            sockets: BTreeMap::new(),
            cut: arguments.cut,
            hunt: arguments.hunt.clone(),
        }
    }

    /// What came before was not what is hunted for.
    fn begin_anew(&mut self) {
        let passed = u64::try_from(self.now().as_millis()).unwrap_or_default();
        self.recording.server.unix_ms += passed;
        self.recording.steps.clear();
        (self.stage, self.start) = (Stage::new(&self.recording.server), Instant::now());
        self.sockets.clear();
    }

    fn caught(&self, value: &str) -> bool {
        let short = |bytes: &[u8]| bytes.len() < 256 || bytes[0] == 0;
        self.stage.values(value).any(short)
    }

    fn run(
        &mut self,
        news: &Receiver<News>,
        mut child: Child,
        patience: Duration,
    ) -> Result<(), Box<dyn Error>> {
        let mut until = self.start + patience;
        let mut ended = false;
        while Instant::now() < until {
            match news.recv_timeout(self.until_deadline()) {
                Ok(News { on, came }) => self.take(on, came),
                Err(RecvTimeoutError::Timeout) => self.stage.pass_until(self.now()),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.write_out();
            if self.hunt.as_ref().is_some_and(|value| self.caught(value)) {
                self.hunt = None;
                until = Instant::now() + LAST_WORDS;
            }
            if !ended && let Some(status) = child.try_wait()? {
                eprintln!("the client ended: {status}");
                (ended, until) = (true, Instant::now() + LAST_WORDS);
            }
        }
        if !ended {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// In whole milliseconds, as it is written down.
    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn until_deadline(&self) -> Duration {
        let deadline = self.stage.server.poll_timeout().unwrap_or(Duration::MAX);
        deadline.saturating_sub(self.start.elapsed()).clamp(Duration::from_millis(1), LOOK_AT_CHILD)
    }

    fn take(&mut self, on: u64, came: Came) {
        let (act, bytes) = match came {
            Came::Connected(stream) => {
                if self.hunt.is_some() {
                    self.begin_anew();
                }
                self.sockets.insert(on, Socket { stream, answers: 0 });
                (Act::Connects, Vec::new())
            }
            Came::Bytes(bytes) => (Act::Sends, bytes),
            Came::Request(body) => (Act::Posts, body),
            Came::Closed => (Act::Closes, Vec::new()),
        };
        if !self.sockets.contains_key(&on) {
            return; // of before the last beginning
        }
        let at = u64::try_from(self.now().as_millis()).unwrap_or(u64::MAX);
        let step = Step { at, on, act, bytes: bytes.into() };
        self.stage.play(&step);
        self.recording.steps.push(step);
    }

    fn write_out(&mut self) {
        while let Some(output) = self.stage.poll_output() {
            match output {
                Output::Send { connection, bytes } => self.write(connection, &bytes),
                Output::Respond { connection, status, body } => {
                    self.write(connection, &http::response(status, &body));
                }
                Output::Close { connection } => self.shut(connection),
            }
        }
    }

    fn write(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let Some(socket) = self.sockets.get_mut(&connection.0) else { return };
        socket.answers += 1;
        if self.cut == Some((connection.0, socket.answers)) {
            return self.shut(connection);
        }
        // A client that is gone says so by the end of its stream.
        let _ = socket.stream.write_all(bytes);
    }

    fn shut(&self, connection: ConnectionId) {
        if let Some(socket) = self.sockets.get(&connection.0) {
            let _ = socket.stream.shutdown(Shutdown::Both);
        }
    }
}
