//! Recomputes every constructor id from its line in the schema, as the head of `schema/mtproto.tl` describes.

use dayfly_tl::{Constructor, api, mtproto};

const MTPROTO: &str = include_str!("../../../schema/mtproto.tl");
const API: &str = include_str!("../../../schema/api.tl");

/// A definition: its name, the id that it states, and the id that its line gives.
struct Stated {
    name: String,
    id: Option<u32>,
    computed: u32,
}

fn definitions(schema: &str) -> Vec<Stated> {
    schema
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with(';') && !line.starts_with("//"))
        .map(stated)
        .collect()
}

fn stated(line: &str) -> Stated {
    let (head, rest) = line.split_once(' ').expect("a definition has a type");
    let (name, id) = match head.split_once('#') {
        Some((name, id)) => (name, Some(u32::from_str_radix(id, 16).expect("an id is hexadecimal"))),
        None => (head, None),
    };
    let computed = crc32fast::hash(hashed_form(&format!("{name} {rest}")).as_bytes());
    Stated { name: name.to_owned(), id, computed }
}

/// The line as it is hashed.
fn hashed_form(line: &str) -> String {
    let bare =
        line.replace("%Message", "message").replace(['<', '>'], " ").replace(['{', '}', '(', ')', ';'], "");
    let words = bare.split_whitespace().filter(|word| !word.ends_with("?true"));
    let words = words.map(|word| match word.strip_suffix("bytes") {
        Some(front) if front.ends_with([':', '?']) => format!("{front}string"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn is_base_type(name: &str) -> bool {
    ["int", "long", "double", "string", "int128", "int256"].contains(&name)
}

#[test]
fn every_stated_id_is_the_crc32_of_its_line() {
    for definition in definitions(MTPROTO).into_iter().chain(definitions(API)) {
        let Stated { name, id: Some(id), computed } = definition else { continue };
        assert_eq!(id, computed, "{name}: {id:08x} is stated, {computed:08x} computed");
    }
}

#[test]
fn every_definition_has_its_generated_type() {
    for (schema, name_of) in
        [(MTPROTO, mtproto::name_of as fn(u32) -> Option<&'static str>), (API, api::name_of)]
    {
        let mut count = 0;
        for Stated { name, computed, .. } in definitions(schema) {
            if is_base_type(&name) || name == "vector" {
                continue;
            }
            assert_eq!(name_of(computed), Some(name.as_str()));
            count += 1;
        }
        assert!(count > 20, "only {count} definitions were seen");
    }
}

#[test]
fn vector_and_bool_have_the_ids_of_the_schema() {
    assert_eq!(dayfly_tl::VECTOR, crc32fast::hash(b"vector t:Type # [ t ] = Vector t"));
    assert_eq!(dayfly_tl::BOOL_TRUE, api::BoolTrue::ID);
    assert_eq!(dayfly_tl::BOOL_FALSE, api::BoolFalse::ID);
}

#[test]
fn forms_of_one_name_have_ids_of_their_own() {
    assert_eq!(api::InitConnection::ID, 0xc1cd_5ea9);
    assert_eq!(api::InitConnection785188b8::ID, 0x7851_88b8);
    assert_eq!(api::InitConnection::NAME, api::InitConnection785188b8::NAME);
}
