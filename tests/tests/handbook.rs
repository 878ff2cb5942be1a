//! What the handbook lists, against the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where what a client can be told is decided.
const SERVER_SIDE: [&str; 5] = [
    "crates/core/src/keys",
    "crates/core/src/server",
    "crates/core/src/session/query.rs",
    "crates/core/src/session/server",
    "crates/server/src",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The shipped code of every file below `path`: what stands before its tests.
fn shipped(path: &Path) -> Vec<String> {
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        let own = entries.filter(|path| !path.ends_with("tests.rs") && !path.ends_with("generated"));
        return own.flat_map(|path| shipped(&path)).collect();
    }
    if path.extension().is_none_or(|extension| extension != "rs") {
        return Vec::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//") && !line.contains("env!("));
    vec![lines.collect::<Vec<_>>().join("\n")]
}

/// Whether this is the form of an error's name: capitals in words, as in `FLOOD_WAIT_1`.
fn is_name(text: &str) -> bool {
    let form = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    text.contains('_') && text.starts_with(|first: char| first.is_ascii_uppercase()) && text.bytes().all(form)
}

/// The names that stand in string literals; of a name with something filled in, what stands in front and a star.
fn names_in(code: &str) -> BTreeSet<String> {
    // Quotes that neither begin nor end a literal are taken out first.
    let code = code.replace("\\\"", "").replace("'\"'", "");
    let literals = code.split('"').skip(1).step_by(2);
    let name = |literal: &str| match literal.split_once('{') {
        Some((front, _)) if is_name(front) => Some(format!("{front}*")),
        None if is_name(literal) => Some(literal.to_owned()),
        _ => None,
    };
    literals.filter_map(name).collect()
}

/// The names in the first columns of the handbook's tables.
fn listed(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let names = rows.filter_map(|row| row.split('`').nth(1)).map(str::to_owned);
    names.filter(|name| is_name(name.trim_end_matches('*'))).collect()
}

#[test]
fn every_error_that_the_server_can_give_is_in_the_handbook_and_no_other() {
    let page = fs::read_to_string(root().join("docs/src/errors.md")).unwrap();
    let code = SERVER_SIDE.iter().flat_map(|path| shipped(&root().join(path)));
    let given: BTreeSet<String> = code.flat_map(|code| names_in(&code)).collect();
    let listed = listed(&page);
    assert!(given.len() > 10, "the search finds names: {given:?}");
    assert_eq!(given, listed);
}

#[test]
fn names_are_told_from_other_literals() {
    let code = r#"refusal(500, "A_B"), format!("C_D_{x:08x}"), "no name", "NAME", "a_b", "{y} E_F", '"', "\"G_H", "I_J""#;
    assert_eq!(names_in(code), BTreeSet::from(["A_B", "C_D_*", "G_H", "I_J"].map(str::to_owned)));
    assert_eq!(listed("| 500 | `A_B` | x |\n`C_D`\n| - | x_y |"), BTreeSet::from(["A_B".to_owned()]));
}

#[test]
fn every_transport_error_is_in_the_handbook() {
    let page = fs::read_to_string(root().join("docs/src/errors.md")).unwrap();
    for code in [-404, -429, -444] {
        assert!(page.contains(&format!("| {code} |")), "{code}");
    }
}
