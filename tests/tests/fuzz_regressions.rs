//! Inputs that the fuzzers found worth keeping, through the same oracles: those that reach something that no other does,
//! and those that once broke something.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use dayfly_oracles::{ALL, Oracle, named};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The kept inputs of a target, in a fixed order.
fn kept(name: &str) -> Vec<PathBuf> {
    let folder = fuzz().join("corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The names of the inputs that break the oracle.
fn broken(name: &str, oracle: Oracle) -> Vec<PathBuf> {
    let breaks = |file: &PathBuf| {
        let bytes = fs::read(file).unwrap();
        catch_unwind(|| oracle(&bytes)).is_err()
    };
    kept(name).into_iter().filter(breaks).collect()
}

#[test]
fn every_kept_input_holds() {
    let broken: Vec<_> = ALL.iter().flat_map(|(name, oracle)| broken(name, *oracle)).collect();
    assert!(broken.is_empty(), "broken by {broken:#?}");
}

#[test]
fn every_target_has_an_oracle_and_kept_inputs_and_every_oracle_a_target() {
    let sources = fs::read_dir(fuzz().join("fuzz_targets")).unwrap().map(|entry| entry.unwrap().path());
    let targets: BTreeSet<_> =
        sources.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let oracles: BTreeSet<_> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(targets, oracles);
    for name in oracles {
        assert!(!kept(&name).is_empty(), "nothing is kept for {name}");
        let source = fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("named(\"{name}\")")), "{name}.rs runs another oracle");
    }
}

#[test]
fn inputs_are_few_and_short() {
    for (name, _) in ALL {
        let sizes: Vec<u64> = kept(name).iter().map(|file| fs::metadata(file).unwrap().len()).collect();
        let bytes: u64 = sizes.iter().sum();
        assert!(sizes.len() <= 200 && bytes <= 300_000, "{name}: {} files, {bytes} bytes", sizes.len());
    }
}

#[test]
#[should_panic(expected = "there is no oracle")]
fn an_unknown_name_is_no_oracle() {
    let _: Oracle = named("no-such-target");
}
