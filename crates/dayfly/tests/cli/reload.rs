//! SIGHUP: what a running server takes, what it keeps, and what it says of a configuration that is wrong.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Notified, Place, Serving};

const ARGUMENTS: &[&str] = &["--config", "dayfly.toml"];

fn started(place: &Place) -> (Serving, Notified) {
    let (server, notified) = place.serve_notifying(ARGUMENTS);
    assert_eq!(notified.next(), "READY=1");
    (server, notified)
}

/// Sends SIGHUP and waits until the server is done with it.
fn reload(server: &Serving, notified: &Notified) {
    server.signal(Signal::HUP);
    let begun = notified.next();
    let microseconds = begun.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&begun);
    assert!(microseconds.parse::<u64>().is_ok(), "{begun}");
    assert_eq!(notified.next(), "READY=1");
}

fn make_key(place: &Place, name: &str) -> String {
    let made: Vec<Value> = place.run(&["keygen", name, "--json"]).well_json();
    made[0]["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn rsa_keys_change_over_one_after_the_other() {
    let place = Place::new();
    let [old, new] = ["old.pem", "new.pem"].map(|name| make_key(&place, name));
    place.write("dayfly.toml", "rsa_keys = [{ file = \"old.pem\" }]\n");
    let (server, notified) = started(&place);
    assert_eq!(server.offered(), [old.as_str()]);
    place.write(
        "dayfly.toml",
        "rsa_keys = [{ file = \"new.pem\" }, { file = \"old.pem\", old_rsa = true }]\n",
    );
    reload(&server, &notified);
    assert_eq!(server.offered(), [new.clone(), old.clone()]);
    for key in ["old.pub.pem", "new.pub.pem", "dayfly-data/server.pub.pem"] {
        place.run(&["connect", &server.address, "--server-key", key, "--json"]).well();
    }
    place.write("dayfly.toml", "rsa_keys = [{ file = \"new.pem\" }]\n");
    reload(&server, &notified);
    assert_eq!(server.offered(), [new]);
    assert!(!place.path("dayfly-data/server.pem").exists(), "no key is made where some are listed");
    server.stop();
    assert_eq!(notified.next(), "STOPPING=1");
}

#[test]
fn a_configuration_that_is_wrong_changes_nothing_and_is_told_with_its_line() {
    let place = Place::new();
    let key = make_key(&place, "key.pem");
    place.write("dayfly.toml", "rsa_keys = [{ file = \"key.pem\" }]\n");
    let (server, notified) = started(&place);
    for wrong in ["dc = 2\nlimits = 7\n", "dc = 2\nrsa_keys = [{ file = \"none.pem\" }]\n"] {
        place.write("dayfly.toml", wrong);
        reload(&server, &notified);
        assert_eq!(server.offered(), [key.as_str()]);
    }
    let (_, _, logged) = server.end(Signal::TERM);
    assert_eq!(logged.matches("the earlier configuration stays: dayfly.toml:2: ").count(), 2, "{logged}");
    assert!(logged.contains("dayfly.toml:2: rsa_keys.0.file: none.pem: cannot be read"), "{logged}");
}

#[test]
fn what_only_a_start_can_change_is_named_and_the_rest_is_taken() {
    let place = Place::new();
    place.write("dayfly.toml", "dc = 2\n");
    let (server, notified) = started(&place);
    place.write("dayfly.toml", "dc = 3\ndrain_seconds = 1\n[limits]\nconnections = 0\n");
    reload(&server, &notified);
    place.write("dayfly.toml", "dc = 3\ndrain_seconds = 1\n[limits]\nconnections = 50\n");
    reload(&server, &notified);
    let (status, _, logged) = server.end(Signal::TERM);
    assert!(status.success());
    assert!(logged.contains("dayfly.toml:4: limits.connections is 0, expected at least 1"), "{logged}");
    assert!(
        logged.contains("dc was changed in the configuration, but only a restart can take it"),
        "{logged}"
    );
    assert!(logged.contains("the configuration was read anew"), "{logged}");
}

#[test]
fn an_rsa_key_that_is_gone_is_not_made_anew() {
    let place = Place::new();
    place.write("dayfly.toml", "");
    let (server, notified) = started(&place);
    std::fs::remove_file(place.path("dayfly-data/server.pem")).unwrap();
    reload(&server, &notified);
    assert!(!place.path("dayfly-data/server.pem").exists());
    assert_eq!(server.offered().len(), 1);
    let (_, _, logged) = server.end(Signal::TERM);
    assert!(logged.contains("dayfly-data/server.pem: the RSA key is gone"), "{logged}");
}

#[test]
fn an_event_log_that_was_moved_away_goes_on_in_a_new_file() {
    let place = Place::new();
    place.write("dayfly.toml", "event_log = \"events.jsonl\"\n");
    let (server, notified) = started(&place);
    server.offered();
    std::fs::rename(place.path("events.jsonl"), place.path("events.1.jsonl")).unwrap();
    reload(&server, &notified);
    server.offered();
    server.stop();
    for file in ["events.1.jsonl", "events.jsonl"] {
        let events = std::fs::read_to_string(place.path(file)).unwrap();
        assert_eq!(events.matches("\"event\":\"connected\"").count(), 1, "{file}: {events}");
    }
}
