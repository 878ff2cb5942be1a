use crate::support::Place;

#[test]
fn a_wrong_setting_is_told_with_file_line_and_what_is_expected() {
    let place = Place::new();
    for (text, expected) in [
        ("dc = 2\nlisten_on = 1", "dayfly.toml:2: unknown field `listen_on`, expected one of `listen`, "),
        ("listen = \"here\"", "dayfly.toml:1: \"here\" is no address to listen on, expected one such as "),
        ("\n\ndc = 0", "dayfly.toml:3: dc is 0, expected 1 to 9999"),
        ("[keys]\nexponent_bits = 100", "dayfly.toml:2: keys.exponent_bits is 100, expected 256 to 2048, "),
        ("[limits]\nconnections = \"many\"", "dayfly.toml:2: invalid type: string \"many\", expected "),
        ("allow = [\"all\"]", "dayfly.toml:1: unknown variant `all`, expected `no-pfs` or `old-rsa`"),
        (
            "[sealing]\nfile = \"a\"\ncredential = \"b\"",
            "dayfly.toml:1: sealing is set in more than one way, ",
        ),
        (
            "[admin]\nlisten = \"0.0.0.0:9190\"",
            "dayfly.toml:2: admin.listen is 0.0.0.0:9190, expected an address of this machine alone, ",
        ),
        ("dc = 2\ndc = 3", "dayfly.toml:2: duplicate key"),
    ] {
        place.write("dayfly.toml", text);
        for arguments in [
            &["serve", "--config", "dayfly.toml"][..],
            &["serve", "--config", "dayfly.toml", "--check-config"],
            &["keys", "list", "--config", "dayfly.toml"],
        ] {
            let said = place.run(arguments).failed_with(2);
            assert!(said.starts_with(expected), "{said}");
        }
    }
    assert_eq!(place.snapshot("").len(), 1, "nothing was made");
}

#[test]
fn a_right_configuration_is_called_so_and_nothing_is_started() {
    let place = Place::new();
    place.write("dayfly.toml", "dc = 3\n[limits]\nconnections = 5\n");
    let printed = place.run(&["serve", "--config", "dayfly.toml", "--check-config"]).well();
    assert_eq!(printed, "the configuration is right\n");
    assert_eq!(place.snapshot("").len(), 1, "nothing was made");
}

#[test]
fn the_printed_configuration_can_be_used_as_it_is() {
    let place = Place::new();
    let printed = place.run(&["serve", "--print-config"]).well();
    assert!(printed.contains("\ndc = 2 "), "{printed}");
    place.write("dayfly.toml", printed);
    place.run(&["serve", "--config", "dayfly.toml", "--check-config"]).well();
    assert_eq!(place.snapshot("").len(), 1, "nothing was made");
}

#[test]
fn files_that_cannot_be_used_are_told_before_anything_is_started() {
    let place = Place::new();
    place.write("broken.pem", "nothing");
    for (text, expected) in [
        (
            "dc = 2\nrsa_keys = [{ file = \"none.pem\" }]",
            "dayfly.toml:2: rsa_keys.0.file: none.pem: cannot be read: ",
        ),
        (
            "rsa_keys = [{ file = \"broken.pem\" }]",
            "dayfly.toml:1: rsa_keys.0.file: broken.pem: no PEM block",
        ),
        (
            "[tls]\ncertificate = \"none.pem\"\nkey = \"none.pem\"",
            "dayfly.toml:1: tls: none.pem: cannot be used",
        ),
    ] {
        place.write("dayfly.toml", text);
        for more in [&[][..], &["--check-config"]] {
            let said = place.run(&[&["serve", "--config", "dayfly.toml"], more].concat()).failed_with(2);
            assert!(said.starts_with(expected), "{said}");
        }
    }
    assert_eq!(place.snapshot("").len(), 2, "nothing was made");
}

#[test]
fn files_of_the_back_end_that_will_not_do_are_told_with_file_line_and_reason() {
    let place = Place::new();
    let settings = "dc = 3\n[backend]\naddress = \"https://localhost:1\"\nca = \"ca.pem\"\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n";
    place.write("dayfly.toml", settings);
    let refused = |expected: &str| {
        for arguments in [
            &["serve", "--config", "dayfly.toml"][..],
            &["serve", "--config", "dayfly.toml", "--check-config"],
        ] {
            let said = place.run(arguments).failed_with(2);
            assert!(said.starts_with(expected), "{said}");
        }
    };
    refused("dayfly.toml:4: ca.pem: cannot be used for TLS: ");
    place.write("ca.pem", include_str!("../../../../tests/tests/system/grpc/ca.pem"));
    refused("dayfly.toml:5: cert.pem: cannot be used for TLS: ");
    place.write("cert.pem", include_str!("../../../../tests/tests/system/grpc/dayfly.pem"));
    place.write("key.pem", "no key");
    refused("dayfly.toml:6: key.pem: cannot be used for TLS: ");
    place.write("key.pem", include_str!("../../../../tests/tests/system/grpc/dayfly-key.pem"));
    let checked = place.run(&["serve", "--config", "dayfly.toml", "--check-config"]).well();
    assert_eq!(checked, "the configuration is right\n");
}

#[test]
fn a_missing_file_is_wrong_usage() {
    let said = Place::new().run(&["serve", "--config", "none.toml"]).failed_with(2);
    assert!(said.starts_with("none.toml: cannot be read: No such file"), "{said}");
}

#[test]
fn wrong_usage_exits_with_2() {
    let place = Place::new();
    for arguments in [
        &["serve", "--listen", "here"][..],
        &["serve", "--allow", "all"],
        &["keys", "revoke", "12"],
        &["connect", "127.0.0.1:1"],
        &["nothing"],
        &[],
    ] {
        assert_eq!(place.run(arguments).code, 2, "{arguments:?}");
    }
}
