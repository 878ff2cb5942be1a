//! A process of the story as the test sees it: orders go in, answers come out, its memory and its files can be read.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::child::ANSWER;
use crate::needles::{Found, Needles};
use crate::{process, written};

/// How long a process may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Process {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    pid: u32,
}

impl Process {
    /// Starts this very binary as the process that the test function `name` is, with `variable` set to `directory`.
    /// Under strace, if it is there, which writes its log to `log`.
    pub(crate) fn start(name: &str, variable: &str, directory: &Path, log: &Path) -> Self {
        let mut command = written::traced(&env::current_exe().unwrap(), log);
        command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(variable, directory);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Self { child, orders, answers, pid: 0 };
        process.pid = process.order("pid").parse().unwrap(); // strace has another one
        process
    }

    /// Gives an order and waits for its answer.
    pub(crate) fn order(&mut self, order: &str) -> String {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        let mut lines = self.answers.by_ref().map(Result::unwrap);
        let answer = lines.find_map(|line| line.split_once(ANSWER).map(|(_, answer)| answer.to_owned()));
        answer.unwrap_or_else(|| panic!("the process ended at the order {order}"))
    }

    pub(crate) fn scan(&self, needles: &Needles) -> Found {
        process::scan(self.pid, needles)
    }

    /// Gives no more orders, and waits for the end.
    pub(crate) fn end(&mut self) {
        let status = self.wait().expect("a process of the story does not end with its orders");
        assert!(status.success(), "a process of the story failed: {status}");
    }

    /// Without orders the process ends by itself. One that does not is killed: strace alone would leave it behind.
    fn wait(&mut self) -> Option<ExitStatus> {
        self.orders = None;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Command::new("kill").args(["-9", &self.pid.to_string()]).status().unwrap();
        self.child.wait().unwrap();
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        self.wait();
    }
}
