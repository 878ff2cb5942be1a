use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Place, Ran, Serving};

const PORTS: [&str; 5] = ["lab", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];

fn lab(place: &Place, arguments: &[&str]) -> Serving {
    Serving::start(place.command(&PORTS).args(arguments))
}

fn refused(place: &Place, arguments: &[&str]) -> Ran {
    place.run(&[&PORTS[..], arguments].concat())
}

fn connect(place: &Place, lab: &Serving) -> Ran {
    place.run(&["connect", &lab.address, "--server-key", "lab.pub.pem", "--json"])
}

#[test]
fn a_client_is_served_and_everything_is_written_down() {
    let place = Place::new();
    let files = ["--key", "lab.pem", "--transcript", "t.jsonl", "--key-log", "keys", "--seed", "7"];
    let lab = lab(&place, &files);
    assert!(lab.introduction.starts_with("dayfly lab: a server for tests."), "{}", lab.introduction);
    assert!(lab.introduction.contains("seed           7"), "{}", lab.introduction);
    connect(&place, &lab).well();
    let (status, _, said) = lab.end(Signal::TERM);
    assert!(status.success(), "{said}");
    assert!(said.contains("warning: keys opens every conversation with this lab"), "{said}");
    for file in ["lab.pem", "t.jsonl", "keys"] {
        assert_eq!(place.mode(file), 0o600, "{file}");
    }
    assert_eq!(place.read("keys").matches("MTPROTO_AUTH_KEY ").count(), 2, "{}", place.read("keys"));

    let written = place.run(&["decode", "t.jsonl"]).well();
    let wanted =
        ["Well: ", "client → lab: req\\_pq\\_multi, 40 bytes", "auth.bindTempAuthKey", "help.getConfig"];
    for words in wanted {
        assert!(written.contains(words), "{words}: {written}");
    }
    let entries = place.run(&["decode", "t.jsonl", "--json"]).well_json();
    assert_eq!(entries.len(), place.read("t.jsonl").lines().count());
}

#[test]
fn its_faults_are_listed_with_their_steps() {
    let listed = Place::new().run(&["lab", "--list"]).well();
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    for wanted in
        [["dh-answer-hash", "dh-params", "the"], ["late", "any", "the"], ["key-ended", "call", "the"]]
    {
        assert!(lines.iter().any(|line| line.starts_with(&wanted)), "{wanted:?}: {listed}");
    }
}

#[test]
fn it_ends_with_its_standard_input_if_it_is_told_to() {
    let place = Place::new();
    let mut command = place.command(&PORTS);
    let lab = Serving::start(command.args(["--key", "lab.pem", "--until-eof"]).stdin(Stdio::piped()));
    connect(&place, &lab).well();
    assert!(lab.end_its_input().success());
}

#[test]
fn a_fault_reaches_the_client_and_is_named() {
    let place = Place::new();
    place.write("s.toml", "[[rule]]\nfault = \"dh-answer-hash\"\n");
    let lab = lab(&place, &["--key", "lab.pem", "--scenario", "s.toml", "--transcript", "t.jsonl"]);
    let ran = connect(&place, &lab);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    lab.stop();
    let entries = place.run(&["decode", "t.jsonl", "--json"]).well_json();
    let altered = |entry: &&Value| entry["what"] == "message" && entry["fault"] == "dh-answer-hash";
    assert!(entries.iter().find(altered).is_some_and(|entry| entry["name"] == "server_DH_params_ok"));
}

#[test]
fn a_scenario_that_is_wrong_is_told_with_file_and_line() {
    let place = Place::new();
    place.write("s.toml", "\n[[rule]]\nfault = \"dh-answr\"\n");
    let said = refused(&place, &["--scenario", "s.toml"]).failed_with(2);
    assert!(
        said.starts_with("s.toml:3: there is no fault \"dh-answr\"; there are: res-pq-nonce, "),
        "{said}"
    );
    let said = refused(&place, &["--scenario", "missing.toml"]).failed_with(1);
    assert!(said.starts_with("missing.toml: cannot be read"), "{said}");
}

#[test]
fn a_lab_stays_on_loopback_unless_told() {
    let place = Place::new();
    let said = place.run(&["lab", "--listen", "0.0.0.0:0", "--control", "127.0.0.1:0"]).failed_with(2);
    assert_eq!(said, "0.0.0.0:0 is not on loopback: --authorized listens there");
    let said = place.run(&["lab", "--listen", "127.0.0.1:0", "--control", "0.0.0.0:0", "--authorized"]);
    assert!(said.failed_with(2).contains("the control API is for this machine alone"));
}

#[test]
fn a_lab_lives_without_its_back_end_and_says_why_it_is_without() {
    let place = Place::new();
    let socket = format!("unix:{}", place.path("backend.sock").display());
    let lab = lab(&place, &["--key", "lab.pem", "--backend", &socket]);
    assert!(lab.introduction.contains(&format!("back end       {socket}")), "{}", lab.introduction);
    connect(&place, &lab).well();
    let (status, _, said) = lab.end(Signal::TERM);
    assert!(status.success(), "{said}");
    assert!(said.contains("back end: cannot be reached: "), "{said}");
}

#[test]
fn a_back_end_that_cannot_be_dialled_is_refused() {
    let place = Place::new();
    place.write("ca.pem", "no certificate");
    let files = ["--backend-tls", "ca.pem", "cert.pem", "key.pem"];
    for (address, expected) in [
        ("backend.sock", "is no address of a back end, expected one such as \"unix:/run/backend.sock\""),
        ("http://10.0.0.1:80", "expected a loopback address such as 127.0.0.1 after http://"),
    ] {
        let ran = refused(&place, &["--backend", address]);
        assert!(ran.code == 2 && ran.stderr.contains(expected), "{ran:?}");
    }
    let said = |arguments: &[&str], code| refused(&place, arguments).failed_with(code);
    let https = ["--backend", "https://localhost:7443"];
    let expected =
        "https://localhost:7443 needs certificates on both sides: --backend-tls CA CERTIFICATE KEY";
    assert_eq!(said(&https, 2), expected);
    let text = said(&[&https[..], &files].concat(), 1);
    assert!(text.starts_with("ca.pem: cannot be used for TLS: "), "{text}");
    let unix = ["--backend", "unix:/backend.sock"];
    let expected = "--backend-tls is for https://, not for unix:/backend.sock";
    assert_eq!(said(&[&unix[..], &files].concat(), 2), expected);
}

#[test]
fn lab_and_server_take_nothing_of_each_other() {
    let place = Place::with_a_store();
    let said = refused(&place, &["--key", "dayfly-data/server.pem"]).failed_with(1);
    assert!(said.contains("no key of a lab"), "{said}");
    for option in ["--transcript", "--key-log"] {
        let said = refused(&place, &[option, "dayfly-data/keys.redb"]).failed_with(1);
        assert!(said.contains("holds something else already"), "{said}");
    }
    fs::create_dir(place.path("other")).unwrap();
    lab(&place, &["--key", "other/server.pem"]).stop();
    let said = place.run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "other"]).failed_with(1);
    assert!(said.contains("other/server.pem: the PEM block in line 1 holds no RSA key"), "{said}");
}

#[test]
fn files_that_others_may_read_are_refused() {
    let place = Place::new();
    place.write("open", "");
    fs::set_permissions(place.path("open"), Permissions::from_mode(0o644)).unwrap();
    for option in ["--transcript", "--key-log"] {
        let said = refused(&place, &[option, "open"]).failed_with(1);
        assert!(said.starts_with("open: has mode 0644"), "{said}");
    }
}

#[test]
fn what_cannot_be_decoded_says_where() {
    let place = Place::new();
    place.write("a", "GIF89a");
    assert!(place.run(&["decode", "a"]).failed_with(1).starts_with("a: is neither a transcript"));
    place.write("b", [&[0xd4, 0xc3, 0xb2, 0xa1][..], &[0; 20], &[1, 2, 3]].concat());
    assert_eq!(place.run(&["decode", "b"]).failed_with(1), "b: byte 24: the header of a packet is cut");
    place.write("keys", "MTPROTO_AUTH_KEY 1 2\n");
    let said = place.run(&["decode", "b", "--key-log", "keys"]).failed_with(1);
    assert!(said.starts_with("keys:1: expected MTPROTO_AUTH_KEY"), "{said}");
}
