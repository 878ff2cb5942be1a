use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Place, Ran, Serving};

const KEY: &str = "dayfly-data/server.pub.pem";
/// The cases that every server passes that does anything at all.
const PLAIN: &str = "HS-01/1,HS-09/1,PF-08/1";

fn check(place: &Place, server: &Serving, arguments: &[&str]) -> Ran {
    let all =
        [&["check", "server", &server.address, "--server-key", KEY, "--only", PLAIN], arguments].concat();
    place.run(&all)
}

#[test]
fn a_server_of_ours_passes_and_the_last_line_counts() {
    let place = Place::new();
    let server = place.serve(&[]);
    let printed = check(&place, &server, &["--seed", "7"]).well();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 4, "{printed}");
    assert!(lines[0].starts_with("passed      HS-01/1   must    a permanent key is made ("), "{printed}");
    let last = format!("PASSED server {}: 3 passed; failed: 0 must, 0 should, 0 compat; ", server.address);
    assert!(lines[3].starts_with(&last) && lines[3].ends_with("the same again: --seed 7"), "{printed}");
}

#[test]
fn each_form_goes_where_it_was_asked_to() {
    let place = Place::new();
    let server = place.serve(&[]);
    let text = check(&place, &server, &["--json=a.json", "--junit=a.xml", "--markdown=a.md"]).well();
    assert!(text.contains("\nPASSED server "), "{text}");
    let report: Value = serde_json::from_str(&place.read("a.json")).unwrap();
    assert_eq!((&report["version"], &report["right"]), (&1.into(), &true.into()));
    assert_eq!(report["cases"].as_array().unwrap().len(), 3);
    assert!(
        place.read("a.xml").contains("<testsuite name=\"dayfly check server\" tests=\"3\" failures=\"0\"")
    );
    assert!(place.read("a.md").starts_with("## dayfly check server: passed\n"));

    let only: Value = serde_json::from_str(&check(&place, &server, &["--json"]).well()).unwrap();
    assert_eq!(only["peer"], server.address.as_str());
    let said = check(&place, &server, &["--json", "--junit"]).failed_with(2);
    assert!(said.starts_with("only one form of the report can go to standard output"), "{said}");
    let said = check(&place, &server, &["--junit=no/such/a.xml"]).failed_with(1);
    assert!(said.starts_with("no/such/a.xml: cannot be written: "), "{said}");
}

#[test]
fn a_server_with_another_key_fails_and_every_form_says_so() {
    let place = Place::new();
    let server = place.serve(&[]);
    place.run(&["keygen", "other.pem"]).well();
    let arguments =
        ["check", "server", &server.address, "--server-key", "other.pub.pem", "--only", "HS-01/1"];
    let ran = place.run(&[&arguments[..], &["--junit=a.xml"]].concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(ran.stderr, format!("error: {}: not every case that counts has passed\n", server.address));
    assert!(ran.stdout.starts_with("not reached HS-01/1 "), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nFAILED server "), "{}", ran.stdout);
    assert!(place.read("a.xml").contains("<error type=\"not reached\""));
}

#[test]
fn times_are_compared_and_a_line_says_how() {
    let place = Place::new();
    let server = place.serve(&[]);
    let arguments =
        ["check", "timing", &server.address, "--server-key", KEY, "--samples", "1", "--seed", "7"];
    // One block says nothing, so it can only pass.
    let printed = place.run(&arguments).well();
    assert_eq!(printed.lines().count(), 3 * 11 + 1, "{printed}");
    assert!(printed.starts_with("round 1 of 3: "), "{printed}");
    let end = "3 rounds of 1 each; the same again: --samples 1 --seed 7";
    assert!(printed.contains("\nPASSED timing ") && printed.trim_end().ends_with(end), "{printed}");
    let said = place.run(&["check", "timing", "192.0.2.1:443", "--server-key", KEY]).failed_with(2);
    assert!(said.starts_with("192.0.2.1:443 is beyond loopback: --authorized "), "{said}");
    let said = place.run(&["check", "timing", &server.address, "--server-key", KEY, "--samples", "0"]);
    assert!(said.code == 2 && said.stderr.contains("0 is not in 1..=1000000"), "{}", said.stderr);
}

#[test]
fn a_client_of_ours_is_started_for_each_case_and_the_key_file_goes_with_the_run() {
    let place = Place::new();
    let run = format!("exec '{}' connect {{addr}} --server-key {{pem}}", env!("CARGO_BIN_EXE_dayfly"));
    let mut command = place.command(&["check", "client", "--run", &run, "--only", "HS-01/1", "--seed", "7"]);
    place.write("tmp/kept", "");
    let output = command.env("TMPDIR", place.path("tmp")).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    assert!(printed.starts_with("passed      HS-01/1   must    "), "{printed}");
    assert!(printed.contains("\nPASSED client exec '") && printed.ends_with("--seed 7\n"), "{printed}");
    assert_eq!(place.names("tmp"), ["kept"]);

    let said = place.run(&["check", "client", "--listen", "0.0.0.0:0", "--run", &run]).failed_with(2);
    assert_eq!(said, "0.0.0.0:0 is beyond loopback: --authorized says that the network is yours");
    place.write("a.pem", "mine");
    let said = place.run(&["check", "client", "--public-key", "a.pem"]).failed_with(1);
    assert_eq!(said, "a.pem exists already and is left as it is");
    assert_eq!(place.run(&["check", "client"]).code, 2);
}

#[test]
fn a_client_that_ends_or_says_nothing_has_not_passed() {
    let place = Place::new();
    for (client, why) in [
        ("true", "the client ended without sending anything"),
        ("exec sleep 600", "no client came within 1s"),
    ] {
        let ran =
            place.run(&["check", "client", "--run", client, "--only", "HS-01/1,MS-06/1", "--patience", "1"]);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(ran.stdout.contains("not reached HS-01/1   must    "), "{}", ran.stdout);
        assert!(ran.stdout.contains(why), "{}", ran.stdout);
        assert!(
            ran.stdout.contains(": 0 passed; ") && ran.stdout.contains("; 2 not reached;"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn a_run_that_is_stopped_leaves_neither_its_client_nor_the_key_file() {
    let place = Place::new();
    place.write("tmp/kept", "");
    let pipe = place.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let run = format!("exec 3>'{}'; echo up >&3; exec sleep 600", pipe.display());
    let mut command = place.command(&["check", "client", "--run", &run, "--only", "HS-01/1"]);
    let child = command.env("TMPDIR", place.path("tmp")).stderr(Stdio::piped()).spawn().unwrap();
    let mut client = BufReader::new(File::open(&pipe).unwrap());
    let mut said = String::new();
    client.read_line(&mut said).unwrap();
    assert_eq!(said, "up\n");

    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"error: stopped by a signal before the end\n");
    assert_eq!(client.read_line(&mut said).unwrap(), 0, "the client holds the pipe as long as it lives");
    assert_eq!(place.names("tmp"), ["kept"]);
}

#[test]
fn what_speaks_another_protocol_is_one_sentence() {
    let place = Place::new();
    place.run(&["keygen", "a.pem"]).well();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            // Whoever has hung up already misses nothing.
            let _ = socket.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        }
    });
    let arguments = ["check", "server", &address, "--server-key", "a.pub.pem"];
    let said = place.run(&arguments).failed_with(1);
    assert_eq!(said, format!("{address} speaks first, as no MTProto server does: it is an SSH server"));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let said = place.run(&["check", "server", &nobody, "--server-key", "a.pub.pem"]).failed_with(1);
    assert!(said.starts_with(&format!("{nobody} cannot be reached: Connection refused")), "{said}");
}

#[test]
fn nothing_goes_beyond_loopback_unasked_and_nothing_ever_to_telegram() {
    let place = Place::new();
    place.run(&["keygen", "a.pem"]).well();
    let check = |address: &str, leave: &[&str]| {
        let arguments = [&["check", "server", address, "--server-key", "a.pub.pem"], leave].concat();
        place.run(&arguments).failed_with(2)
    };
    for address in ["192.0.2.1:443", "a.invalid:443"] {
        let said = check(address, &[]);
        assert!(said.starts_with(&format!("{address} is beyond loopback: --authorized ")), "{said}");
    }
    for leave in [&[][..], &["--authorized"]] {
        let said = check("149.154.167.51:443", leave);
        assert_eq!(
            said,
            "149.154.167.51:443 is Telegram's own: hostile cases are never sent there, whatever is given"
        );
    }
}

#[test]
fn cases_are_listed_and_explained_without_a_server() {
    let place = Place::new();
    let all = place.run(&["check", "server", "--list"]).well();
    assert!(
        all.lines().count() > 4 && all.starts_with("HS-01/1   must    a permanent key is made\n"),
        "{all}"
    );
    let some = place.run(&["check", "server", "--list", "--only", "hs-2?"]).well();
    assert!(some.contains("HS-20/1 ") && some.lines().all(|line| line.starts_with("HS-2")), "{some}");
    let explained = place.run(&["check", "server", "--explain", "HS-20/1"]).well();
    assert!(explained.starts_with("HS-20/1  g_b = 1\n  severity  must: "), "{explained}");
    for arguments in [["--only", "HS-99"], ["--explain", "QQ"]] {
        let said = place
            .run(&[&["check", "server", "127.0.0.1:1", "--server-key", "no.pem"], &arguments[..]].concat());
        assert_eq!(said.failed_with(2), format!("{} chooses no case: --list shows all", arguments[1]));
    }
    let said = place.run(&["check", "server", "--list", "--only", "HS 20"]);
    assert!(said.code == 2 && said.stderr.contains("names no case: a family (PF)"), "{}", said.stderr);
}

#[test]
fn the_words_by_which_packaging_knows_the_suite_are_in_a_binary_that_has_it() {
    let script = include_str!("../../../../packaging/build.sh");
    let words = script.lines().find_map(|line| line.strip_prefix("suite=(")).unwrap();
    let words: Vec<&str> = words.split('\'').skip(1).step_by(2).collect();
    assert!(words.len() > 1, "{words:?}");
    let binary = std::fs::read(env!("CARGO_BIN_EXE_dayfly")).unwrap();
    for word in words {
        let found = binary.windows(word.len()).any(|bytes| bytes == word.as_bytes());
        assert!(found, "{word:?} would tell nothing: the suite is here and that word is not");
    }
}
