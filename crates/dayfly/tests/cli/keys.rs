use std::fs;

use crate::support::Place;

/// A stopped server's place with one permanent key in its store, and the key's id.
fn with_a_key() -> (Place, String) {
    let place = Place::new();
    let server = place.serve(&[]);
    let arguments = ["connect", &server.address, "--server-key", "dayfly-data/server.pub.pem", "--json"];
    let steps = place.run(&arguments).well_json();
    let made = steps.iter().find(|step| step["step"] == "perm_key").unwrap();
    let id = made["key_id"].as_str().unwrap().to_owned();
    server.stop();
    (place, id)
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
