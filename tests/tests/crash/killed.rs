//! The server is a process of its own, and is killed.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, thread};

use dayfly_core::handshake::client::Created;
use dayfly_core::keys::kind::KeyKind;
use dayfly_server::OsRandom;
use dayfly_store::EmbeddedStore;
use dayfly_testkit::SeededRandom;

use crate::exchange::{Exchange, MESSAGES, TEMP, is_known, still_binds};
use crate::server::{runtime, sealing, start};

/// Names the directory of the server's store, and makes this binary a server.
const DIRECTORY: &str = "DAYFLY_CRASH_SERVER";
/// Stands before the address in what the server says.
const LISTENS: &str = "listens on ";
/// Two exchanges each.
const KILLS: u64 = 100;

/// The server's process: does nothing unless the test below has started it. It ends with its standard input.
#[test]
fn server_process() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    let directory = Path::new(&directory);
    let store =
        EmbeddedStore::open(&directory.join("data/keys.redb"), &sealing(directory), Box::new(OsRandom));
    let runtime = runtime();
    let server = runtime.block_on(start(store.unwrap()));
    dayfly_tests::answer(&format!("{LISTENS}{}", server.address()));
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(directory: &Path) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "killed::server_process", "--nocapture", "--test-threads=1"]);
        command.env(DIRECTORY, directory).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.find_map(|line| line.split_once(LISTENS).map(|(_, address)| address.to_owned()));
        let address = line.expect("the server's process ended before it listened").parse().unwrap();
        Self { child, address }
    }

    /// SIGKILL: nothing of the process runs after it.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killed already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long the server takes for one message of the two exchanges, on this machine and under today's load: the points of
/// the kills are drawn by it, so that they fall inside the exchanges wherever the test runs.
fn step_of(server: &Process, random: &mut SeededRandom) -> Duration {
    let whole = (0..5).map(|_| {
        let begun = Instant::now();
        let (address, seeds) = (server.address, [random.next_u64(), random.next_u64()]);
        thread::scope(|scope| {
            for (kind, seed) in [KeyKind::Perm, TEMP].into_iter().zip(seeds) {
                scope
                    .spawn(move || Exchange { address, kind, seed, is_gone: &|| false }.run(|_| ()).unwrap());
            }
        });
        begun.elapsed()
    });
    let mut whole: Vec<Duration> = whole.collect();
    whole.sort_unstable();
    whole[whole.len() / 2] / u32::try_from(MESSAGES).unwrap()
}

/// After which message of one of the two exchanges the server is killed, and how long after.
struct Point {
    after: u64,
    delay: Duration,
    in_temp: bool,
}

impl Point {
    /// Up to four times what a message takes on the average: past the longest step, which is the sync behind the last.
    fn draw(random: &mut SeededRandom, step: Duration) -> Self {
        let after = random.below(MESSAGES + 1);
        let delay = step.mul_f64(random.below(4_000) as f64 / 1_000.0);
        Self { after, delay, in_temp: random.happens(0.5) }
    }
}

/// A permanent and a temporary key are made side by side while the server is killed. Gives those that the client saw
/// `dh_gen_ok` for.
fn exchanges_under(server: &mut Process, point: &Point, random: &mut SeededRandom) -> [Option<Created>; 2] {
    let (address, seeds) = (server.address, [random.next_u64(), random.next_u64()]);
    let (reached, is_reached) = mpsc::channel();
    thread::scope(|scope| {
        let make = |kind, seed, reached: Option<mpsc::Sender<()>>| {
            scope.spawn(move || {
                let tell = |message| {
                    if let Some(reached) = reached.as_ref().filter(|_| message == point.after) {
                        reached.send(()).unwrap();
                    }
                };
                tell(0);
                Exchange { address, kind, seed, is_gone: &|| false }.run(tell)
            })
        };
        let (in_perm, in_temp) = if point.in_temp { (None, Some(reached)) } else { (Some(reached), None) };
        let perm = make(KeyKind::Perm, seeds[0], in_perm);
        let temp = make(TEMP, seeds[1], in_temp);
        // An exchange that ended before its point was reached drops the sender: killed then.
        if is_reached.recv().is_ok() {
            thread::sleep(point.delay);
        }
        server.kill();
        [perm.join().unwrap(), temp.join().unwrap()]
    })
}

#[derive(Default)]
struct Tally {
    perms: Vec<Created>,
    temps: usize,
    cut_short: usize,
}

impl Tally {
    /// What a server that was started after the kill has to know, and must not know.
    fn check(&mut self, server: &Process, keys: [Option<Created>; 2]) {
        let [perm, temp] = keys;
        self.cut_short += usize::from(perm.is_none()) + usize::from(temp.is_none());
        if let Some(perm) = perm {
            assert!(runtime().block_on(still_binds(server.address, &perm)), "a permanent key is lost");
            self.perms.push(perm);
        }
        if let Some(temp) = temp {
            assert!(!is_known(server.address, &temp), "a temporary key outlived its process");
            self.temps += 1;
        }
    }
}

// rule: PF-01, PF-17
#[test]
fn a_killed_server_keeps_every_permanent_key_that_was_told_of_and_no_temporary_one() {
    let begun = Instant::now();
    let directory = tempfile::tempdir().unwrap();
    let mut random = SeededRandom::new(0xC4A5);
    let mut tally = Tally::default();
    let mut server = Process::start(directory.path());
    let step = step_of(&server, &mut random);
    for _ in 0..KILLS {
        let point = Point::draw(&mut random, step);
        let keys = exchanges_under(&mut server, &point, &mut random);
        server = Process::start(directory.path());
        tally.check(&server, keys);
    }
    let all = runtime().block_on(async {
        let mut found = 0;
        for perm in &tally.perms {
            found += usize::from(still_binds(server.address, perm).await);
        }
        found
    });
    assert_eq!(all, tally.perms.len(), "permanent keys are lost by a later kill");
    let living =
        Exchange { address: server.address, kind: TEMP, seed: 1, is_gone: &|| false }.run(|_| ()).unwrap();
    assert!(is_known(server.address, &living), "a temporary key is known while its process lives");
    let (temps, cut_short) = (tally.temps, tally.cut_short);
    assert!(
        all >= 10 && temps >= 10 && cut_short >= 10,
        "the points are not spread: {all} permanent and {temps} temporary keys told of, {cut_short} exchanges cut \
         short, by steps of {step:?}"
    );
    dayfly_tests::tell(&format!(
        "crash: {KILLS} kills in {} exchanges; {all} permanent keys told of, all kept; {} temporary keys told of, none \
         kept; {} exchanges cut short; {:.1} s",
        2 * KILLS,
        temps,
        cut_short,
        begun.elapsed().as_secs_f64()
    ));
}
