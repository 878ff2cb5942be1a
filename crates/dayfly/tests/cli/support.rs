//! A directory of a test's own, commands run in it, and servers that end with the test.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use dayfly_crypto::digest::sha256;
use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The published test key, and what clients call it.
pub(crate) const TEST_KEY: &str = include_str!("../../../../vectors/keys/test_rsa.pem");
/// The same key in PKCS#8.
pub(crate) const TEST_KEY_PKCS8: &str = include_str!("fixtures/test_rsa_pkcs8.pem");
/// A key of 1024 bits, made for these tests and used nowhere.
pub(crate) const SHORT_KEY: &str = include_str!("fixtures/rsa_1024.pem");

/// A working directory with a home in it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn read_bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The names of what is in a directory.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }

    /// The file with the sealing key of the only store that was made here.
    pub(crate) fn sealing_key(&self) -> String {
        let names: Vec<_> = fs::read_dir(self.path("home/.config/dayfly")).unwrap().collect();
        let [name] = names.as_slice() else { panic!("one sealing key, not {names:?}") };
        let name = name.as_ref().unwrap().file_name();
        format!("home/.config/dayfly/{}", name.to_str().unwrap())
    }

    /// Every file below `name`, with a digest of what is in it.
    pub(crate) fn snapshot(&self, name: &str) -> BTreeMap<PathBuf, [u8; 32]> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.path(name)];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    files.insert(path.clone(), sha256(&[&fs::read(&path).unwrap()]));
                }
            }
        }
        files
    }

    /// `dayfly` in this directory, with nothing of the caller's environment that it reads.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dayfly"));
        command.args(arguments).current_dir(self.0.path()).env("HOME", self.path("home"));
        for name in ["XDG_CONFIG_HOME", "CREDENTIALS_DIRECTORY", "RUST_LOG", "RUST_BACKTRACE", "DAYFLY_PROXY"]
        {
            command.env_remove(name);
        }
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran {
            code: output.status.code().expect("no signal"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// `dayfly serve` on a port of its own; `arguments` follow.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Serving {
        Serving::start(self.command(&["serve", "--listen", "127.0.0.1:0"]).args(arguments))
    }

    /// The same, told by its service manager's socket what it is at.
    pub(crate) fn serve_notifying(&self, arguments: &[&str]) -> (Serving, Notified) {
        let path = self.path("notify.sock");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let serving = Serving::start(command.args(arguments).env("NOTIFY_SOCKET", path));
        (serving, Notified(socket))
    }

    /// The same, with as many open files as are given.
    pub(crate) fn serve_with_files(&self, soft: u32, hard: u32, arguments: &[&str]) -> Serving {
        let program = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let script = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" \"$@\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).arg(program.get_program()).args(program.get_args()).args(arguments);
        shell.current_dir(self.0.path()).env("HOME", self.path("home")).stdin(Stdio::null());
        Serving::start(&mut shell)
    }

    /// A store that was made and closed in an orderly way.
    pub(crate) fn with_a_store() -> Self {
        let place = Self::new();
        place.serve(&[]).stop();
        place
    }
}

/// Longer than anything takes that happens at all.
const LONG: Duration = Duration::from_secs(60);

/// Where a service manager would listen.
pub(crate) struct Notified(UnixDatagram);

impl Notified {
    /// The next thing that the server says of itself.
    pub(crate) fn next(&self) -> String {
        let mut text = [0; 256];
        let len = self.0.recv(&mut text).expect("the server says nothing");
        String::from_utf8(text[..len].to_vec()).unwrap()
    }
}

/// Sends a new req_pq_multi over intermediate and gives the object of the answer.
pub(crate) fn ask(address: &str) -> Vec<u8> {
    // The same nonce again would get the same answer again.
    static ASKED: AtomicU8 = AtomicU8::new(0);
    let nonce = [ASKED.fetch_add(1, Ordering::Relaxed); 16];
    let mut bytes = vec![0xee; 4];
    bytes.extend(40_u32.to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend(20_u32.to_le_bytes());
    bytes.extend(0xbe7e_8ef1_u32.to_le_bytes());
    bytes.extend(nonce);
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket.write_all(&bytes).unwrap();
    let mut len = [0; 4];
    socket.read_exact(&mut len).unwrap();
    let mut answer = vec![0; u32::from_le_bytes(len) as usize];
    socket.read_exact(&mut answer).unwrap();
    answer.split_off(20)
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// All went well; gives what was printed.
    pub(crate) fn well(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    /// The same, a JSON object a line.
    pub(crate) fn well_json(self) -> Vec<Value> {
        self.well().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// It failed with `code`, printed nothing, and said why in one sentence, which this gives.
    pub(crate) fn failed_with(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        let sentence = self.stderr.strip_prefix("error: ").expect("a sentence that begins with `error: `");
        let sentence = sentence.strip_suffix('\n').expect("a whole line");
        assert!(!sentence.contains('\n'), "one sentence, not {sentence:?}");
        sentence.to_owned()
    }
}

/// A running server; killed if the test does not stop it.
pub(crate) struct Serving {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    /// What it printed before it was ready.
    pub(crate) introduction: String,
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut introduction = String::new();
        // The last line of the introduction is about grammers.
        while !introduction.contains("grammers") {
            if stdout.read_line(&mut introduction).unwrap() == 0 {
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                child.wait().unwrap();
                panic!("the server did not start: {introduction}{said}");
            }
        }
        let line = introduction.lines().find(|line| line.starts_with("listening on")).unwrap();
        let address = line.split_whitespace().nth(2).unwrap().to_owned();
        Self { child, stdout: Some(stdout), introduction, address }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// The fingerprints of its RSA keys, in the order in which it offers them.
    pub(crate) fn offered(&self) -> Vec<String> {
        let answer = ask(&self.address);
        let m: dayfly_tl::mtproto::ResPq<'_> = dayfly_tl::read_exact(&answer).unwrap();
        m.server_public_key_fingerprints.iter().map(|fingerprint| format!("{fingerprint:016x}")).collect()
    }

    /// How long its threads have kept a processor busy, in steps of a clock tick.
    pub(crate) fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        // The name of the program stands in brackets and may hold anything; user and system time are the 12th and 13th
        // field after it.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 1000 / clock_ticks_per_second())
    }

    /// Closes the reading end of its standard output.
    pub(crate) fn stop_reading(&mut self) {
        self.stdout = None;
    }

    /// Closes the writing end of its standard input and waits for the end.
    pub(crate) fn end_its_input(mut self) -> ExitStatus {
        drop(self.child.stdin.take());
        self.child.wait().unwrap()
    }

    pub(crate) fn stop(self) {
        let status = self.end(Signal::TERM).0;
        assert!(status.success(), "{status}");
    }

    /// Sends the signal and waits for the end; gives what was printed after the introduction, and what was logged.
    pub(crate) fn end(mut self, signal: Signal) -> (ExitStatus, String, String) {
        self.signal(signal);
        let (mut printed, mut logged) = (String::new(), String::new());
        if let Some(stdout) = &mut self.stdout {
            stdout.read_to_string(&mut printed).unwrap();
        }
        self.child.stderr.take().unwrap().read_to_string(&mut logged).unwrap();
        (self.child.wait().unwrap(), printed, logged)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Gone already, if the test got that far.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
