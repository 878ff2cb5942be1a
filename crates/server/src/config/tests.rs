//! Files that are wrong, and what is said of them.

use std::path::Path;

use super::*;

fn refusal(text: &str) -> String {
    Config::parse(text, Path::new("dayfly.toml")).unwrap_err().to_string()
}

#[test]
fn an_empty_file_is_the_default() {
    let config = Config::parse("", Path::new("dayfly.toml")).unwrap();
    assert_eq!(config.listen, Config::default().listen);
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let message = refusal("dc = 1\nlisten_on = \"127.0.0.1:1\"\n");
    assert!(
        message.starts_with("dayfly.toml:2: unknown field `listen_on`, expected one of `listen`"),
        "{message}"
    );
}

#[test]
fn a_wrong_type_is_named_with_its_line() {
    let message = refusal("\n[limits]\nconnections = \"many\"\n");
    assert!(message.starts_with("dayfly.toml:3: invalid type: string \"many\""), "{message}");
}

#[test]
fn an_unknown_allowance_lists_those_there_are() {
    let message = refusal("allow = [\"everything\"]");
    assert!(message.contains("expected `no-pfs` or `old-rsa`"), "{message}");
}

#[test]
fn a_value_out_of_range_says_the_range() {
    assert_eq!(
        refusal("dc = 1\n[keys]\nexponent_bits = 100"),
        "dayfly.toml:3: keys.exponent_bits is 100, expected 256 to 2048, a multiple of 8"
    );
    assert_eq!(refusal("\ndc = 0"), "dayfly.toml:2: dc is 0, expected 1 to 9999");
    assert!(refusal("[sealing]\ndescriptor = -1").starts_with("dayfly.toml:2: sealing.descriptor is -1,"));
}

#[test]
fn a_number_that_no_field_can_hold_is_told_what_one_can() {
    assert_eq!(
        refusal("[limits]\nconnections = -1"),
        "dayfly.toml:2: invalid value: integer `-1`, expected a number that is not negative"
    );
}

#[test]
fn an_address_without_a_port_is_told_what_one_looks_like() {
    assert_eq!(
        refusal("dc = 1\nlisten = \"localhost\""),
        "dayfly.toml:2: \"localhost\" is no address to listen on, expected one such as \"127.0.0.1:4430\""
    );
    assert!(refusal("listen_also = [\"[::1]:1\", \"::1\"]").contains("\"::1\" is no address"));
}

// rule: TR-08
#[test]
fn a_listener_for_balancers_names_its_networks() {
    let text = "[[proxy]]\nlisten = \"[::1]:4431\"\nnetworks = [\"10.0.0.0/8\", \"::1\"]";
    let config = Config::parse(text, Path::new("dayfly.toml")).unwrap();
    let networks: Vec<String> = config.proxy[0].networks.iter().map(Network::to_string).collect();
    assert_eq!(
        (config.proxy[0].listen.port(), networks),
        (4431, vec!["10.0.0.0/8".into(), "::1/128".into()])
    );
    let listen = "[[proxy]]\nlisten = \"127.0.0.1:1\"\n";
    assert_eq!(refusal(listen), "dayfly.toml:1: missing field `networks`");
    assert_eq!(
        refusal(&format!("{listen}networks = []")),
        "dayfly.toml:3: no network is named, expected those of the balancers"
    );
    assert_eq!(
        refusal(&format!("{listen}networks = [\"10.0.0.0/40\"]")),
        "dayfly.toml:3: \"10.0.0.0/40\" is no network, expected one such as \"10.0.0.0/8\" or \"fd00::/8\""
    );
}

// rule: TR-03
#[test]
fn a_proxy_secret_is_read_and_never_shown() {
    let digits = "000102030405060708090a0b0c0d0eFf";
    let config =
        Config::parse(&format!("proxy_secrets = [\"dd{digits}\"]"), Path::new("dayfly.toml")).unwrap();
    assert_eq!(config.proxy_secrets[0].expose(), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);
    assert!(!format!("{config:?}").contains("0a0b"));
    for wrong in [digits, "dd00", &format!("ee{digits}"), &format!("dd{}", digits.replace("00", "+0"))] {
        let message = refusal(&format!("dc = 1\nproxy_secrets = [\"{wrong}\"]"));
        assert_eq!(
            message,
            "dayfly.toml:2: no secret of a proxy, expected dd and 32 more hexadecimal digits"
        );
    }
}

#[test]
fn the_admin_page_is_off_until_it_listens_and_leaves_this_machine_inside_tls_alone() {
    let parse = |text: &str| Config::parse(text, Path::new("dayfly.toml"));
    assert_eq!(parse("[admin]").unwrap().admin.listen, None);
    for own in ["127.0.0.1:9190", "[::1]:9190", "127.1.2.3:1"] {
        assert!(parse(&format!("[admin]\nlisten = \"{own}\"")).unwrap().admin.listen.is_some());
    }
    for public in ["0.0.0.0:9190", "192.0.2.1:9190", "[::]:9190"] {
        let text = format!("dc = 1\n[admin]\nlisten = \"{public}\"");
        assert_eq!(
            refusal(&text),
            format!(
                "dayfly.toml:3: admin.listen is {public}, expected an address of this machine alone, such as \
                 127.0.0.1:9190, or [admin.tls] with it"
            )
        );
        let tls = "[admin.tls]\ncertificate = \"a.pem\"\nkey = \"b.pem\"";
        assert!(parse(&format!("{text}\n{tls}")).is_ok());
    }
}

#[test]
fn a_host_of_the_admin_page_has_no_port_and_no_path() {
    let parsed =
        Config::parse("[admin]\nhosts = [\"Admin.Example.org\", \"fd00::1\"]", Path::new("dayfly.toml"));
    assert_eq!(parsed.unwrap().admin.hosts, ["admin.example.org", "fd00::1"]);
    for wrong in ["", "admin:9190", "https://admin", "*", "admin/"] {
        let message = refusal(&format!("[admin]\nhosts = [\"{wrong}\"]"));
        let expected =
            "is no host, expected a name or an address without a port, such as \"admin.example.org\"";
        assert_eq!(message, format!("dayfly.toml:2: {wrong:?} {expected}"));
    }
}

#[test]
fn tls_wants_both_files() {
    assert_eq!(refusal("[tls]\ncertificate = \"a.pem\""), "dayfly.toml:1: missing field `key`");
}

#[test]
fn two_sources_of_the_sealing_key_are_refused() {
    let message = refusal("[sealing]\nfile = \"a\"\ndescriptor = 3");
    assert!(message.contains("expected one of file, credential, descriptor"), "{message}");
}

#[test]
fn rsa_keys_are_a_list_of_files() {
    let text = "rsa_keys = [\n{ file = \"a.pem\" },\n{ file = \"b.pem\", old_rsa = true },\n]";
    let config = Config::parse(text, Path::new("dayfly.toml")).unwrap();
    let keys: Vec<_> = config.rsa_keys.iter().map(|key| (key.file.to_str().unwrap(), key.old_rsa)).collect();
    assert_eq!(keys, [("a.pem", false), ("b.pem", true)]);
    assert!(refusal("rsa_keys = [\"a.pem\"]").starts_with("dayfly.toml:1: invalid type: string \"a.pem\""));
    assert_eq!(refusal("\nrsa_keys = [{}]"), "dayfly.toml:2: missing field `file`");
}

#[test]
fn a_file_that_cannot_be_used_is_told_with_the_line_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    crate::identity::generate(&path("a.pem")).unwrap();
    std::fs::write(path("b.pem"), "nothing").unwrap();
    let refusal = |text: &str| {
        let text = text.replace("DIR", directory.path().to_str().unwrap());
        std::fs::write(path("dayfly.toml"), &text).unwrap();
        let config = Config::load(&path("dayfly.toml")).unwrap();
        let message = config.check_files(&path("dayfly.toml")).unwrap_err().to_string();
        message.replace(&format!("{}/", directory.path().display()), "")
    };
    let first = "rsa_keys = [\n{ file = \"DIR/a.pem\" },\n";
    let message = refusal(&format!("{first}{{ file = \"DIR/b.pem\" }}]"));
    assert!(message.starts_with("dayfly.toml:3: rsa_keys.1.file: b.pem: no PEM block found"), "{message}");
    assert_eq!(
        refusal(&format!("{first}{{ file = \"DIR/a.pem\" }}]")),
        "dayfly.toml:3: rsa_keys.1.file: a.pem: holds the same RSA key as a file listed before"
    );
    let message = refusal("dc = 2\n[tls]\ncertificate = \"DIR/b.pem\"\nkey = \"DIR/a.pem\"");
    assert!(message.starts_with("dayfly.toml:2: tls: b.pem: cannot be used for TLS: "), "{message}");
    let message = refusal("dc = 2\n[admin.tls]\ncertificate = \"DIR/b.pem\"\nkey = \"DIR/a.pem\"");
    assert!(message.starts_with("dayfly.toml:2: admin.tls: b.pem: cannot be used for TLS: "), "{message}");
    std::fs::set_permissions(path("b.pem"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let message = refusal("[admin]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"DIR/b.pem\"");
    assert!(message.starts_with("dayfly.toml:3: admin.token_file: b.pem: its mode is 0644,"), "{message}");
}

const UNIX: &str = "[backend]\naddress = \"unix:/run/backend.sock\"\n";
const FILES: &str = "ca = \"ca.pem\"\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n";

#[test]
fn a_back_end_needs_an_address_and_no_more() {
    let config = Config::parse(UNIX, Path::new("dayfly.toml")).unwrap();
    let backend = config.backend.unwrap();
    let default = Backend::at("unix:/run/backend.sock".parse().unwrap());
    assert_eq!(format!("{backend:?}"), format!("{default:?}"));
    assert_eq!(refusal("[backend]\nstreams = 1"), "dayfly.toml:1: missing field `address`");
}

#[test]
fn an_address_of_a_back_end_that_is_none_says_what_one_is() {
    for (address, expected) in [
        ("backend.sock", "expected one such as \"unix:/run/backend.sock\", "),
        ("http://10.0.0.1:80", "expected a loopback address such as 127.0.0.1 after http://, "),
        ("unix:run/backend.sock", "expected an absolute path after unix:"),
    ] {
        let message = refusal(&format!("dc = 1\n[backend]\naddress = \"{address}\""));
        let start = format!("dayfly.toml:3: \"{address}\" is no address of a back end, {expected}");
        assert!(message.starts_with(&start), "{message}");
    }
}

#[test]
fn plain_tcp_to_a_back_end_has_to_be_wanted() {
    let plain = "[backend]\naddress = \"http://127.0.0.1:7080\"\n";
    assert_eq!(
        refusal(plain),
        "dayfly.toml:2: backend.address is http://127.0.0.1:7080, expected plain_tcp = true beside it, https:// or unix:"
    );
    Config::parse(&format!("{plain}plain_tcp = true"), Path::new("dayfly.toml")).unwrap();
}

#[test]
fn certificates_of_a_back_end_go_with_https_and_all_of_them() {
    let tls = "[backend]\naddress = \"https://backend.example:7443\"\n";
    Config::parse(&format!("{tls}{FILES}"), Path::new("dayfly.toml")).unwrap();
    for wrong in [tls.to_owned(), format!("{tls}ca = \"ca.pem\""), format!("{UNIX}{FILES}")] {
        let message = refusal(&wrong);
        assert!(
            message.contains("expected all three for an address with https://, none for others"),
            "{message}"
        );
    }
}

#[test]
fn bounds_of_a_back_end_have_ranges() {
    for (setting, expected) in [
        ("streams = 0", "backend.streams is 0, expected 1 to 64"),
        ("streams = 65", "backend.streams is 65, expected 1 to 64"),
        ("calls_in_flight = 0", "backend.calls_in_flight is 0, expected 1 to 1000000"),
        ("calls_later = 1000001", "backend.calls_later is 1000001, expected 0 to 1000000"),
        ("message_bytes = 1000", "backend.message_bytes is 1000, expected 65536 to 67108864"),
        ("queue_bytes = 1000", "backend.queue_bytes is 1000, expected at least message_bytes"),
        ("silence_seconds = 0", "backend.silence_seconds is 0, expected 1 to 3600"),
    ] {
        assert_eq!(refusal(&format!("{UNIX}{setting}")), format!("dayfly.toml:3: {expected}"));
    }
}

#[test]
fn what_is_found_out_late_is_told_with_its_line_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dayfly.toml");
    std::fs::write(&path, format!("dc = 1\n\n{UNIX}{FILES}")).unwrap();
    let wrong = Config::wrong(&path, "backend.certificate", "it is empty".to_owned());
    assert_eq!(wrong.to_string(), format!("{}:6: it is empty", path.display()));
}
