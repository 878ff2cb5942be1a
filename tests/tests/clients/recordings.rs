//! The files themselves: they are what they say, and every row has its test.

use std::fs;

use dayfly_core::server::Output;
use dayfly_testkit::clients::{Act, Recording, Stage};
use dayfly_testkit::vectors;

use crate::names;

const SOURCES: [&str; 3] =
    [include_str!("before_the_key.rs"), include_str!("key_exchange.rs"), include_str!("binding.rs")];
const TABLE: &str = include_str!("../../../docs/src/clients.md");

/// The names of the tests that begin with a row's, such as `u01`.
fn tests_of(row: &str) -> Vec<&'static str> {
    let lines = SOURCES
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| line.strip_prefix("fn ")?.split_once('('));
    lines.map(|(name, _)| name).filter(|name| name.starts_with(&format!("{row}_"))).collect()
}

#[test]
fn every_row_has_one_test_and_the_table_names_it() {
    let rows = (1..=19).map(|number| format!("u{number:02}"));
    for row in rows.chain((1..=15).map(|number| format!("b{number:02}"))) {
        let tests = tests_of(&row);
        assert_eq!(tests.len(), 1, "{row}: {tests:?}");
        assert!(TABLE.contains(&format!("`{}`", tests[0])), "the table does not name {}", tests[0]);
    }
    for name in names() {
        assert!(TABLE.contains(&format!("`{name}`")), "the table does not name the recording {name}");
    }
}

/// All that the server writes when a recording is played to it.
fn written(recording: &Recording) -> Vec<Output> {
    let mut stage = Stage::new(&recording.server);
    let mut written = Vec::new();
    for step in &recording.steps {
        stage.play(step);
        written.extend(std::iter::from_fn(|| stage.poll_output()));
    }
    written
}

#[test]
fn the_same_recording_gets_the_same_bytes_every_time() {
    for name in names() {
        let recording = Recording::named(&name);
        let first = written(&recording);
        assert!(first == written(&recording), "{name}");
        assert!(first.is_empty() == (name == "android"), "{name}: acks alone are not answered");
    }
}

#[test]
fn a_recording_is_small_and_in_order_and_written_as_it_is_read() {
    for name in names() {
        let recording = Recording::named(&name);
        let text = fs::read_to_string(vectors::path("clients").join(&name).with_extension("json")).unwrap();
        assert!(text.len() < 60_000, "{name} has {} bytes", text.len());
        assert_eq!(recording.to_json().unwrap(), text, "{name}");
        assert!(recording.steps.is_sorted_by_key(|step| step.at), "{name}");
        let opened = recording.steps.iter().filter(|step| step.act == Act::Connects).count();
        assert!(opened > 0 && !recording.source.is_empty() && !recording.what.is_empty(), "{name}");
    }
}
