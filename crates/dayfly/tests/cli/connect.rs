use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{Place, Serving};

const PUBLIC: &str = "dayfly-data/server.pub.pem";
const ENDED: &str = "connection after connection ended before a key was bound";
const SECRET: &str = "00112233445566778899aabbccddeeff";

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
fn another_dc_than_was_asked_for_is_noted() {
    let place = Place::new();
    let server = place.serve(&[]);
    let with = |dc: &str| place.run(&["connect", &server.address, "--server-key", PUBLIC, "--dc", dc]).well();
    let note = "the keys were asked of dc 3, and the server says that it is dc 2: see --dc";
    assert!(with("3").contains(note));
    assert!(!with("-10002").contains("see --dc"));
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
fn a_session_of_another_dc_is_refused_with_the_two_ways_out() {
    let place = Place::new();
    let server = place.serve(&[]);
    steps(&place, &server, &["--session", "me.session"]);
    let arguments =
        ["connect", &server.address, "--server-key", PUBLIC, "--session", "me.session", "--dc", "3"];
    let said = place.run(&arguments).failed_with(1);
    assert_eq!(
        said,
        "me.session: holds the key of dc 2, not of dc 3; take --dc 2, or another --session for dc 3"
    );
}

#[test]
fn the_link_of_an_mtproxy_leads_to_a_server_that_knows_its_secret() {
    let place = Place::new();
    place.write("dayfly.toml", format!("proxy_secrets = [\"dd{SECRET}\"]\n"));
    let server = place.serve(&["--config", "dayfly.toml"]);
    let link = |secret: &str| {
        let port = server.address.rsplit_once(':').unwrap().1;
        format!("tg://proxy?server=127.0.0.1&port={port}&secret={secret}")
    };
    let with = |secret: &str| place.run(&["connect", "--proxy", &link(secret), "--server-key", PUBLIC]);
    for right in [SECRET.to_owned(), format!("dd{SECRET}")] {
        assert!(with(&right).well().contains("this is dc 2"));
    }
    let mut by_environment = place.command(&["connect", "--server-key", PUBLIC]);
    assert!(by_environment.env("DAYFLY_PROXY", link(SECRET)).output().unwrap().status.success());
    let said = with(&SECRET.replace('0', "1")).failed_with(1);
    let hint = "a proxy does so when the secret is not its own";
    assert_eq!(said, format!("the MTProxy at {}: {ENDED}; {hint}", server.address));
}

#[test]
fn a_proxy_that_cannot_be_used_is_wrong_usage_and_its_secret_is_not_repeated() {
    let place = Place::new();
    let fake_tls = format!("tg://proxy?server=a&port=1&secret=ee{SECRET}00");
    let right = format!("tg://proxy?server=a&port=1&secret={SECRET}");
    for (arguments, expected) in [
        (&["--proxy", "http://me:hunter2@a:1"][..], "no proxy, expected socks5://"),
        (&["--proxy", "socks5://me:hunter2@a"], "the proxy has no address"),
        (&["--proxy", "socks5://me:hunter2@a:1"], "a SOCKS5 proxy needs the server's address too"),
        (&["--proxy", &fake_tls], "the proxy's secret begins with ee: fake TLS is not supported"),
        (&["127.0.0.1:1", "--proxy", &right], "an MTProxy finds the DC by --dc: leave the address out"),
    ] {
        let said = place.run(&[&["connect", "--server-key", "no.pem"], arguments].concat()).failed_with(2);
        assert!(said.starts_with(expected), "{said}");
        assert!(!said.contains("hunter2") && !said.contains(SECRET), "{said}");
    }
    place.run(&["keygen", "a.pem"]).well();
    let full = ["connect", "--server-key", "a.pub.pem", "--proxy", &right, "--transport", "full"];
    assert!(place.run(&full).failed_with(2).starts_with("an MTProxy takes no full transport"));
}

#[test]
fn a_socks5_proxy_that_is_not_there_is_named_beside_the_server() {
    let place = Place::new();
    place.run(&["keygen", "a.pem"]).well();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let proxy = format!("socks5://{nobody}");
    let said = place.run(&["connect", "dc.invalid:1", "--server-key", "a.pub.pem", "--proxy", &proxy]);
    let said = said.failed_with(1);
    let whole = format!("cannot connect to dc.invalid:1 through the SOCKS5 proxy at {nobody}: ");
    assert!(said.starts_with(&format!("{whole}the proxy cannot be reached: Connection refused")), "{said}");
}

#[test]
fn what_is_no_mtproto_server_is_given_up_before_the_time_is() {
    let place = Place::new();
    place.run(&["keygen", "a.pem"]).well();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for (number, mut socket) in listener.incoming().flatten().enumerate() {
            // Some hang up at once, some say what makes no sense; the client may have hung up already.
            if number % 2 == 0 {
                let _ = socket.write_all(&[b'H'; 4096]);
            }
        }
    });
    let said = place.run(&["connect", &address, "--server-key", "a.pub.pem"]).failed_with(1);
    let hint =
        "it may be no MTProto server, or take another transport, or only those who know a proxy's secret";
    assert_eq!(said, format!("{address}: {ENDED}; {hint}"));
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
