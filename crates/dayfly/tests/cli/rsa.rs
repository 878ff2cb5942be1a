use crate::support::{Place, SHORT_KEY, TEST_KEY, TEST_KEY_PKCS8};

/// The line of a text that begins with `name`.
fn value_of(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in {text}"));
    line[name.len()..].trim().to_owned()
}

#[test]
fn a_new_key_is_private_and_both_halves_have_the_fingerprint_that_was_told() {
    let place = Place::new();
    let printed = place.run(&["keygen", "server.pem"]).well();
    let fingerprint = value_of(&printed, "fingerprint");
    assert_eq!(fingerprint.len(), 16);
    assert_eq!(place.mode("server.pem"), 0o600);
    for name in ["server.pem", "server.pub.pem"] {
        let shown = place.run(&["fingerprint", name]).well();
        assert_eq!(value_of(&shown, "fingerprint"), fingerprint, "{name}");
    }
}

#[test]
fn no_key_is_ever_overwritten() {
    let place = Place::new();
    place.run(&["keygen", "a.pem"]).well();
    place.write("b.pub.pem", "somebody else's");
    let before = place.snapshot("");
    for (name, there) in [("a.pem", "a.pem"), ("b.pem", "b.pub.pem")] {
        let said = place.run(&["keygen", name]).failed_with(1);
        assert_eq!(said, format!("{there} exists already and is left as it is"));
    }
    assert_eq!(place.snapshot(""), before);
}

#[test]
fn keygen_in_json_can_be_read_by_a_program() {
    let place = Place::new();
    let told = &place.run(&["keygen", "a.pem", "--json"]).well_json()[0];
    assert_eq!(told["files"], serde_json::json!(["a.pem", "a.pub.pem"]));
    assert_eq!(told["pkcs1"], place.read("a.pub.pem"));
    assert_eq!((&told["private"], &told["bits"]), (&true.into(), &2048.into()));
}

// rule: HS-05
#[test]
fn every_encoding_of_a_key_has_one_fingerprint() {
    let place = Place::new();
    place.write("pkcs1.pem", TEST_KEY);
    place.write("pkcs8.pem", TEST_KEY_PKCS8);
    let told = place.run(&["fingerprint", "pkcs1.pem", "--json"]).well_json().remove(0);
    place.write("public.pem", told["pkcs1"].as_str().unwrap());
    place.write("spki.pem", told["spki"].as_str().unwrap());
    for (name, private) in [("pkcs8.pem", true), ("public.pem", false), ("spki.pem", false)] {
        let other = place.run(&["fingerprint", name, "--json"]).well_json().remove(0);
        assert_eq!(other["fingerprint"], told["fingerprint"], "{name}");
        assert_eq!(other["private"], private, "{name}");
    }
    // On the wire it is a `long`, so its bytes stand the other way round.
    let mut digits: Vec<char> = told["wire"].as_str().unwrap().to_lowercase().chars().collect();
    digits.reverse();
    let swapped: String = digits.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    assert_eq!(told["fingerprint"], swapped);
}

#[test]
fn what_is_no_usable_key_is_named_with_what_is_wrong() {
    let place = Place::new();
    place.write("short.pem", SHORT_KEY);
    place.write("cut.pem", &TEST_KEY[..300]);
    place.write("empty.pem", "");
    place.write("text.pem", "hello");
    place.write("damaged.pem", TEST_KEY.replacen('M', "?", 1));
    place.write("binary.pem", [0xff; 64]);
    for (name, expected) in [
        ("short.pem", "the RSA key has 1024 bits, 2048 are needed"),
        ("cut.pem", "has no \"-----END"),
        ("empty.pem", "no PEM block found"),
        ("text.pem", "no PEM block found"),
        ("damaged.pem", "damaged.pem: "),
        ("binary.pem", "cannot be read"),
        ("missing.pem", "cannot be read: No such file"),
    ] {
        let said = place.run(&["fingerprint", name]).failed_with(1);
        assert!(said.starts_with(&format!("{name}: ")) && said.contains(expected), "{said}");
    }
}
