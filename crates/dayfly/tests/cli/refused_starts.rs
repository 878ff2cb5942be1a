//! Starts that find something wrong: one sentence each, exit code 1, and everything left as it was.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Place, SHORT_KEY, TEST_KEY};

/// Starts a server that must not start, and gives its sentence.
fn refusal(place: &Place) -> String {
    refusal_of(place, &["serve", "--listen", "127.0.0.1:0"])
}

fn refusal_of(place: &Place, arguments: &[&str]) -> String {
    let before = place.snapshot("");
    let said = place.run(arguments).failed_with(1);
    assert_eq!(place.snapshot(""), before, "something was changed: {said}");
    said
}

/// Overwrites the first bytes of the store.
fn damage(place: &Place) {
    let path = place.path("dayfly-data/keys.redb");
    let mut bytes = fs::read(&path).unwrap();
    bytes[..64].fill(0x55);
    fs::write(&path, bytes).unwrap();
}

#[test]
fn a_port_in_use() {
    let place = Place::with_a_store();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refusal_of(&place, &["serve", "--listen", &address]);
    assert!(said.starts_with(&format!("cannot listen on {address}: Address already in use")), "{said}");
}

#[test]
fn an_rsa_key_that_is_too_short() {
    let place = Place::with_a_store();
    place.write("dayfly-data/server.pem", SHORT_KEY);
    assert_eq!(refusal(&place), "dayfly-data/server.pem: the RSA key has 1024 bits, 2048 are needed");
}

#[test]
fn an_rsa_key_that_is_damaged_or_of_the_wrong_half() {
    let place = Place::with_a_store();
    place.write("dayfly-data/server.pem", &TEST_KEY[..500]);
    assert!(refusal(&place).starts_with("dayfly-data/server.pem: "));
    place.write("dayfly-data/server.pem", place.read("dayfly-data/server.pub.pem"));
    let said = refusal(&place);
    assert!(said.contains("a public key where a private one is needed"), "{said}");
}

#[test]
fn an_rsa_key_that_cannot_be_read() {
    let place = Place::with_a_store();
    fs::remove_file(place.path("dayfly-data/server.pem")).unwrap();
    // Whoever runs as root may read any file, but nobody a directory.
    fs::create_dir(place.path("dayfly-data/server.pem")).unwrap();
    let said = refusal(&place);
    assert!(said.starts_with("dayfly-data/server.pem: cannot be read: "), "{said}");
}

#[test]
fn a_store_that_was_made_with_another_sealing_key() {
    let place = Place::with_a_store();
    let key = place.sealing_key();
    fs::write(place.path(&key), [0x42; 32]).unwrap();
    let said = refusal(&place);
    assert!(
        said.starts_with("the store dayfly-data/keys.redb was made with another sealing key than "),
        "{said}"
    );
    assert!(said.ends_with(&key), "{said}");
}

#[test]
fn a_sealing_key_that_is_missing_or_open_to_others() {
    let place = Place::with_a_store();
    let key = place.sealing_key();
    fs::set_permissions(place.path(&key), fs::Permissions::from_mode(0o644)).unwrap();
    let said = refusal(&place);
    assert!(said.contains("has mode 0644, open to others: run `chmod 600 "), "{said}");
    fs::remove_file(place.path(&key)).unwrap();
    let said = refusal(&place);
    assert!(said.contains("is missing; without it no key in the store can be opened"), "{said}");
}

#[test]
fn a_sealing_key_inside_the_data_directory() {
    let place = Place::new();
    place.write("dayfly.toml", "[sealing]\nfile = \"dayfly-data/sealing.key\"\n");
    place.run(&["keygen", "server.pem"]).well();
    place.write("dayfly-data/server.pem", place.read("server.pem"));
    place.write("dayfly-data/server.pub.pem", place.read("server.pub.pem"));
    let said = refusal_of(&place, &["serve", "--listen", "127.0.0.1:0", "--config", "dayfly.toml"]);
    assert!(said.contains("is inside the data directory"), "{said}");
}

#[test]
fn a_store_that_another_process_has_open() {
    let place = Place::new();
    let server = place.serve(&[]);
    let expected = "the store dayfly-data/keys.redb is in use by another process; stop that one first";
    assert_eq!(place.run(&["serve", "--listen", "127.0.0.1:0"]).failed_with(1), expected);
    server.stop();
}

#[test]
fn a_store_that_is_damaged_or_empty() {
    let place = Place::with_a_store();
    damage(&place);
    let said = refusal(&place);
    assert!(said.starts_with("the store dayfly-data/keys.redb is damaged ("), "{said}");
    assert!(said.ends_with("it was left as it is: restore it from a backup"), "{said}");
    fs::write(place.path("dayfly-data/keys.redb"), "").unwrap();
    assert!(refusal(&place).starts_with("the store dayfly-data/keys.redb is damaged (it is empty)"));
}

#[test]
fn an_event_log_that_cannot_be_written() {
    let place = Place::with_a_store();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--event-log", "none/events.jsonl"];
    let said = place.run(&arguments).failed_with(1);
    assert!(said.starts_with("none/events.jsonl: cannot be opened: No such file"), "{said}");
}

#[test]
fn something_in_the_way_of_the_control_socket() {
    let place = Place::with_a_store();
    place.write("dayfly-data/dayfly.sock", "mine");
    // The store was opened already, and its file notes that.
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"]).failed_with(1);
    assert_eq!(
        said,
        "dayfly-data/dayfly.sock: is in the way: it is no socket of a server, and is left as it is"
    );
    assert_eq!(place.read("dayfly-data/dayfly.sock"), "mine");
}

#[test]
fn no_home_to_keep_the_sealing_key_in() {
    let place = Place::new();
    let output = place.command(&["serve", "--listen", "127.0.0.1:0"]).env_remove("HOME").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("set sealing.file in the configuration"), "{said}");
}
