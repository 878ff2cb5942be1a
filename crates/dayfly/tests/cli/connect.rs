use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{Place, Serving};

const PUBLIC: &str = "dayfly-data/server.pub.pem";

fn steps(place: &Place, server: &Serving, arguments: &[&str]) -> Vec<Value> {
    let address = server.address.as_str();
    let all = [&["connect", address, "--server-key", PUBLIC, "--json"], arguments].concat();
    place.run(&all).well_json()
}

fn find<'a>(steps: &'a [Value], name: &str) -> Option<&'a Value> {
    steps.iter().find(|step| step["step"] == name)
}

#[test]
fn a_session_makes_both_keys_binds_them_and_calls() {
    let place = Place::new();
    let server = place.serve(&[]);
    let printed = place.run(&["connect", &server.address, "--server-key", PUBLIC]).well();
    assert!(printed.starts_with("Two keys, made in parallel over two connections, and bound\n"), "{printed}");
    assert!(printed.contains(&format!("this is dc 2; dc 2 at {}", server.address)), "{printed}");
    assert!(printed.ends_with("messages sent under the permanent key: 0\n"), "{printed}");
}

#[test]
fn each_transport_leads_to_the_same_session() {
    let place = Place::new();
    let server = place.serve(&[]);
    for transport in ["abridged", "intermediate", "padded", "full"] {
        for plain in [&["--plain"][..], &[]] {
            let steps = steps(&place, &server, &[&["--transport", transport], plain].concat());
            let names: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
            assert_eq!(names.len(), 6, "{names:?}");
            assert_eq!(names[2..], ["bound", "config", "nearest_dc", "done"], "{transport}");
            assert_eq!(steps[5]["under_perm"], 0);
        }
    }
}

#[test]
fn a_kept_session_goes_on_under_its_permanent_key() {
    let place = Place::new();
    let server = place.serve(&[]);
    let first = steps(&place, &server, &["--session", "me.session"]);
    assert_eq!(place.mode("me.session"), 0o600);
    let second = steps(&place, &server, &["--session", "me.session"]);
    assert!(find(&first, "perm_key").is_some() && find(&second, "perm_key").is_none());
    let perm = |steps: &[Value]| find(steps, "bound").unwrap()["perm_key_id"].clone();
    assert_eq!(perm(&second), perm(&first));

    fs::set_permissions(place.path("me.session"), fs::Permissions::from_mode(0o640)).unwrap();
    let arguments = ["connect", &server.address, "--server-key", PUBLIC, "--session", "me.session"];
    let said = place.run(&arguments).failed_with(1);
    assert!(said.contains("me.session: has mode 0640, 0600 is needed: chmod 600 me.session"), "{said}");
}

#[test]
fn a_server_with_another_rsa_key_is_told_apart_by_fingerprint() {
    let place = Place::new();
    let server = place.serve(&[]);
    let other = place.run(&["keygen", "other.pem", "--json"]).well_json().remove(0);
    let fingerprint = other["fingerprint"].as_str().unwrap();
    let said = place.run(&["connect", &server.address, "--server-key", "other.pub.pem"]).failed_with(1);
    let expected = format!("has no RSA key with the fingerprint {fingerprint} of other.pub.pem");
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn a_private_key_in_the_place_of_the_public_one_is_refused() {
    let place = Place::new();
    place.run(&["keygen", "a.pem"]).well();
    let said = place.run(&["connect", "127.0.0.1:1", "--server-key", "a.pem"]).failed_with(1);
    assert_eq!(said, "a.pem: a private key where a public one is needed; it should not be given away");
}

#[test]
fn nothing_that_listens_is_told_at_once() {
    let place = Place::new();
    place.run(&["keygen", "a.pem"]).well();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let said = place.run(&["connect", &address, "--server-key", "a.pub.pem"]).failed_with(1);
    assert!(said.starts_with(&format!("cannot connect to {address}: Connection refused")), "{said}");
    let said = place.run(&["connect", "no-port", "--server-key", "a.pub.pem"]).failed_with(1);
    assert!(said.starts_with("cannot connect to no-port: "), "{said}");
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let place = Place::new();
    place.run(&["keygen", "a.pem"]).well();
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = mute.local_addr().unwrap().to_string();
    let arguments = ["connect", &address, "--server-key", "a.pub.pem", "--timeout", "1"];
    assert_eq!(place.run(&arguments).failed_with(1), format!("no session with {address} within 1 second"));
}
