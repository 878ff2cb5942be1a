//! The files that the processes wrote, as strace lists them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const CALLS: &str =
    "trace=openat,open,creat,rename,renameat,renameat2,write,pwrite64,writev,pwritev,pwritev2";

/// Whether strace is there and may be used.
pub(crate) fn strace_works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", CALLS, "true"]).stdout(Stdio::null()).stderr(Stdio::null());
        let works = command.status().is_ok_and(|status| status.success());
        if !works {
            dayfly_tests::tell(
"memory: SKIPPED: there is no strace here (or it may not trace), so only files in the directories of the \
                 two processes are looked at, not every file that they wrote",
);
        }
        works
    })
}

/// The command that runs `program`, watched if that can be. With `-y` each descriptor is shown with its file.
pub(crate) fn traced(program: &Path, log: &Path) -> Command {
    if !strace_works() {
        return Command::new(program);
    }
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-y", "-s", "0", "-e", CALLS, "-o"]).arg(log).arg(program);
    command
}

/// Files that a log shows as opened for writing, written to, or renamed into their place.
pub(crate) fn in_log(log: &str) -> BTreeSet<PathBuf> {
    log.lines().filter_map(in_line).filter(|path| path.starts_with('/')).map(PathBuf::from).collect()
}

/// `12 write(3</a/file>, ""..., 7) = 7`, `12 openat(AT_FDCWD</>, "f", O_RDWR) = 3</f>`, `12 rename("/f", "/g") = 0`.
fn in_line(line: &str) -> Option<&str> {
    let (_, call) = line.split_once(' ')?;
    let (name, rest) = call.trim_start().split_once('(')?;
    if name.contains("write") {
        file_of(rest.split_once(',')?.0)
    } else if name.starts_with("rename") {
        rest.rsplit('"').nth(1)
    } else {
        let for_writing = ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| rest.contains(flag));
        for_writing.then(|| file_of(rest.rsplit_once(" = ")?.1)).flatten()
    }
}

/// The file in `3</a/file>`.
fn file_of(descriptor: &str) -> Option<&str> {
    descriptor.split_once('<')?.1.split_once('>').map(|(file, _)| file)
}

/// Every file in a directory and below.
pub(crate) fn below(directory: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { BTreeSet::from([path]) }).collect()
}

#[test]
fn a_log_names_what_was_written_and_not_what_was_read() {
    let log = "7 openat(AT_FDCWD</>, \"/lib/c.so\", O_RDONLY|O_CLOEXEC) = 3</lib/c.so>\n\
               7 openat(AT_FDCWD</x>, \"made\", O_WRONLY|O_CREAT|O_CLOEXEC, 0600) = 3</x/made>\n\
               8 pwrite64(4</x/written>, \"\"..., 512, 0) = 512\n\
               8 write(1<pipe:[99]>, \"\"..., 5) = 5\n\
               8 rename(\"/x/made\", \"/x/named\") = 0\n";
    let expected = ["/x/made", "/x/written", "/x/named"].map(PathBuf::from);
    assert_eq!(in_log(log), BTreeSet::from(expected));
}
