//! Connections take files, and there are only so many.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::Place;

/// Deadline of what should take a moment.
const SOON: Duration = Duration::from_secs(60);

/// A connection on which a `req_pq_multi` was sent.
fn knock(address: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let mut bytes = vec![0xee; 4];
    bytes.extend(40_u32.to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend(20_u32.to_le_bytes());
    bytes.extend(0xbe7e_8ef1_u32.to_le_bytes());
    bytes.extend([9; 16]);
    // A server that has no place closes at once.
    let _ = socket.write_all(&bytes);
    socket
}

/// Whether anything is answered before the server closes.
fn is_served(mut socket: TcpStream) -> bool {
    matches!(socket.read(&mut [0; 64]), Ok(1..))
}

#[test]
fn the_limit_of_open_files_is_raised_and_bounds_the_connections() {
    let place = Place::with_a_store();
    let server = place.serve_with_files(40, 64, &[]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(line.split_whitespace().nth(3), Some("64"), "{line}");
    // Half of so few files are for connections.
    let open: Vec<TcpStream> = (0..32).map(|_| knock(&server.address)).collect();
    let served = open.iter().map(|socket| is_served(socket.try_clone().unwrap())).filter(|served| *served);
    assert_eq!(served.count(), 32);
    assert!(!is_served(knock(&server.address)), "the next one is closed");
    let (status, _, logged) = server.end(Signal::TERM);
    assert!(status.success());
    assert!(!logged.contains("could not be accepted"), "{logged}");
}

#[test]
fn without_files_accepting_pauses_and_goes_on_when_there_are_some() {
    let place = Place::with_a_store();
    place.write("more.toml", "[limits]\nconnections = 1000\n");
    let begun = Instant::now();
    let server = place.serve_with_files(64, 64, &["--config", "more.toml"]);
    let open: Vec<TcpStream> = (0..64).map(|_| knock(&server.address)).collect();
    let files = || std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count();
    let deadline = Instant::now() + SOON;
    while files() < 64 {
        assert!(Instant::now() < deadline, "{} files are open", files());
    }
    // As long as there is no file, nobody answers the last one, and nobody closes it.
    open[63].set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let silence = open[63].try_clone().unwrap().read(&mut [0; 64]).unwrap_err();
    assert_eq!(silence.kind(), std::io::ErrorKind::WouldBlock);
    drop(open);
    let deadline = Instant::now() + SOON;
    while !is_served(knock(&server.address)) {
        assert!(Instant::now() < deadline, "it does not accept any more");
    }
    let (status, _, logged) = server.end(Signal::TERM);
    assert!(status.success());
    let failed = logged.matches("could not be accepted").count();
    let pauses = usize::try_from(begun.elapsed().as_millis() / 100).unwrap();
    assert!(failed >= 1, "there were enough files after all: {logged}");
    assert!(failed <= pauses + 1, "{failed} times in {pauses} tenths of a second: it spins");
}
