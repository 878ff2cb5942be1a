use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;

use crate::support::{Place, Serving};

/// A stopped server's place with one permanent key in its store, and the key's id.
fn with_a_key() -> (Place, String) {
    let place = Place::new();
    let server = place.serve(&[]);
    let id = make_key(&place, &server);
    server.stop();
    (place, id)
}

/// A client makes itself a permanent key; gives its id.
fn make_key(place: &Place, server: &Serving) -> String {
    let arguments = ["connect", &server.address, "--server-key", "dayfly-data/server.pub.pem", "--json"];
    let steps = place.run(&arguments).well_json();
    let made = steps.iter().find(|step| step["step"] == "perm_key").unwrap();
    made["key_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_is_listed_until_it_is_revoked() {
    let (place, id) = with_a_key();
    let printed = place.run(&["keys", "list"]).well();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 2, "{printed}");
    assert!(lines[1].starts_with(&format!("{id}  2 ")) && lines[1].ends_with(" UTC"), "{printed}");
    let listed = place.run(&["keys", "list", "--json"]).well_json();
    assert_eq!((&listed[0]["id"], &listed[0]["dc"]), (&id.clone().into(), &2.into()));
    assert!(listed[0]["used_at"].as_u64() >= listed[0]["created_at"].as_u64());

    assert!(place.run(&["keys", "revoke", &id]).well().starts_with(&format!("{id} is revoked")));
    assert!(place.run(&["keys", "list", "--json"]).well_json().is_empty());
    assert_eq!(place.run(&["keys", "revoke", &id]).failed_with(1), format!("the store has no key {id}"));
}

#[test]
fn a_running_server_lists_and_revokes_its_keys() {
    let place = Place::new();
    let server = place.serve(&["--event-log", "events.jsonl"]);
    assert_eq!(place.mode("dayfly-data/dayfly.sock"), 0o600);
    let [first, second] = [(); 2].map(|()| make_key(&place, &server));
    let listed = place.run(&["keys", "list", "--json"]).well_json();
    let mut ids: Vec<&str> = listed.iter().map(|key| key["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let mut made = [first.as_str(), &second];
    made.sort_unstable();
    assert_eq!(ids, made);
    assert!(place.run(&["keys", "revoke", &first]).well().starts_with(&format!("{first} is revoked")));
    assert_eq!(
        place.run(&["keys", "revoke", &first]).failed_with(1),
        format!("the store has no key {first}")
    );
    assert!(place.read("events.jsonl").contains("\"key_revoked\""));
    server.stop();
    assert!(!place.path("dayfly-data/dayfly.sock").exists());
    assert_eq!(place.run(&["keys", "list", "--json"]).well_json()[0]["id"], second);
}

#[test]
fn the_socket_of_a_server_that_was_killed_is_in_nobodys_way() {
    let place = Place::new();
    place.serve(&[]).end(Signal::KILL);
    assert!(place.path("dayfly-data/dayfly.sock").exists());
    assert!(place.run(&["keys", "list", "--json"]).well_json().is_empty());
    let server = place.serve(&[]);
    assert!(place.run(&["keys", "list", "--json"]).well_json().is_empty());
    server.stop();
}

#[test]
fn what_needs_the_store_to_itself_says_that_a_server_is_running() {
    let place = Place::new();
    let server = place.serve(&[]);
    place.write("keys.jsonl", "");
    for (arguments, what) in [
        (&["keys", "reseal"][..], "a reseal"),
        (&["keys", "export", "keys.backup"], "an export"),
        (&["keys", "import", "keys.backup"], "an import"),
        (&["keys", "import", "--plain", "keys.jsonl"], "an import"),
    ] {
        let process = server.pid();
        assert_eq!(
            place.run(arguments).failed_with(1),
            format!(
                "{what} needs the store to itself, and a server is running on dayfly-data (process {process}): stop it first"
            )
        );
    }
    server.stop();
}

/// A passphrase in a file of mode 0600.
fn write_passphrase(place: &Place, name: &str, text: &str) {
    place.write(name, text);
    fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn keys_move_to_another_server_under_a_passphrase() {
    let (place, id) = with_a_key();
    write_passphrase(&place, "passphrase", "four words and more\n");
    let export = ["keys", "export", "keys.backup", "--passphrase-file", "passphrase"];
    assert!(place.run(&export).well().starts_with("1 key exported to keys.backup; "));
    assert_eq!(place.mode("keys.backup"), 0o600);
    let before = place.read_bytes("keys.backup");
    let said = place.run(&export).failed_with(1);
    assert!(said.starts_with("keys.backup: cannot be made: "), "{said}");
    assert_eq!(place.read_bytes("keys.backup"), before, "a file that is there is left as it is");

    let import = |file| ["keys", "import", "--data-dir", "other", "keys.backup", "--passphrase-file", file];
    write_passphrase(&place, "wrong", "four other words");
    let said = place.run(&import("wrong")).failed_with(1);
    assert!(said.starts_with("keys.backup: the export does not open with this passphrase"), "{said}");
    assert!(!place.path("other").exists(), "nothing was made");
    for there_already in ["0", "1"] {
        let printed = place.run(&import("passphrase")).well();
        assert_eq!(printed, format!("1 key imported, {there_already} of them there already\n"));
    }
    let listed = place.run(&["keys", "list", "--data-dir", "other", "--json"]).well_json();
    assert_eq!(listed[0]["id"], id);
    assert!(listed[0]["used_at"].is_u64());
}

#[test]
fn a_passphrase_comes_from_a_terminal_or_from_a_file_for_nobody_else() {
    let (place, _) = with_a_key();
    let said = place.run(&["keys", "export", "keys.backup"]).failed_with(1);
    assert_eq!(said, "there is no terminal to ask for the passphrase at: use --passphrase-file");
    place.write("open", "words");
    fs::set_permissions(place.path("open"), fs::Permissions::from_mode(0o644)).unwrap();
    write_passphrase(&place, "empty", "\n");
    for (file, reason) in [
        ("open", "open: has mode 0644, open to others: run `chmod 600 open`"),
        ("empty", "empty: the passphrase is empty"),
        ("none", "none: cannot be read: No such file or directory (os error 2)"),
    ] {
        let said = place.run(&["keys", "export", "keys.backup", "--passphrase-file", file]).failed_with(1);
        assert_eq!(said, reason);
    }
    assert!(!place.path("keys.backup").exists());
    assert!(place.names(".").iter().all(|name| !name.ends_with(".part")), "nothing is left behind");
}

#[test]
fn plain_keys_are_taken_in_with_a_warning_and_wrong_ones_are_named() {
    let place = Place::new();
    let key = "ab".repeat(256);
    place.write("keys.jsonl", format!("{{\"key\": \"{key}\", \"dc\": 2, \"created_at\": 1700000000}}\n"));
    let printed = place.run(&["keys", "import", "--plain", "keys.jsonl"]).well();
    assert!(printed.starts_with("1 key imported, 0 of them there already\n"), "{printed}");
    assert!(printed.contains("holds these keys in the clear: destroy it"), "{printed}");
    place.write("keys.jsonl", "{}\n");
    let said = place.run(&["keys", "import", "--plain", "keys.jsonl"]).failed_with(1);
    assert!(said.starts_with("keys.jsonl: nothing was imported: line 1: no object of key, dc and"), "{said}");
    assert_eq!(place.run(&["keys", "list", "--json"]).well_json().len(), 1);
}

#[test]
fn a_reseal_keeps_the_keys_and_makes_the_earlier_sealing_key_worthless() {
    let (place, id) = with_a_key();
    let file = place.path(&place.sealing_key());
    let before = fs::read(&file).unwrap();
    let printed = place.run(&["keys", "reseal"]).well();
    assert_eq!(printed, format!("1 key sealed anew; the sealing key is now the one in {}\n", file.display()));
    assert_ne!(fs::read(&file).unwrap(), before);
    assert_eq!(place.run(&["keys", "list", "--json"]).well_json()[0]["id"], id);

    fs::write(&file, before).unwrap();
    let said = place.run(&["keys", "list"]).failed_with(1);
    assert!(said.contains("was made with another sealing key than"), "{said}");
}

#[test]
fn a_directory_without_a_store_is_told_and_gets_none() {
    let place = Place::new();
    for arguments in [&["keys", "list"][..], &["keys", "reseal"], &["keys", "revoke", "0123456789abcdef"]] {
        let said = place.run(arguments).failed_with(1);
        assert_eq!(said, "dayfly-data/keys.redb: there is no store here; `dayfly serve` makes one");
    }
    assert!(place.snapshot("").is_empty());
}
