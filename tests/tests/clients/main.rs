//! The rows U1 to U19 and B1 to B15 of `docs/src/clients.md`: what real clients need of a server, each by the frames of a
//! client that needs it, from `vectors/clients`.

mod before_the_key;
mod binding;
mod key_exchange;
#[path = "../peers/mod.rs"]
mod peers;
mod plain;
mod recordings;
mod rig;
mod variations;

use dayfly_testkit::vectors;
use rig::Replay;

/// All of `vectors/clients`, by name.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(vectors::path("clients")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let mut names: Vec<_> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// All of `vectors/clients`, none of them played yet.
fn every_recording() -> impl Iterator<Item = Replay> {
    names().into_iter().map(|name| Replay::of(&name))
}
