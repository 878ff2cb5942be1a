//! Writes the inputs that fuzzing starts from into fuzz/corpus: recorded handshakes, and scripts in which all goes well.
//!
//! `cargo run --release --package dayfly-oracles --example seeds`

use std::fs;
use std::path::{Path, PathBuf};

use dayfly_core::transport::{ClientTransport, Kind, Obfuscation};
use dayfly_oracles::world::Chance;

/// Recorded messages and inner objects that are longer say nothing more.
const LONGEST: usize = 1024;

fn main() {
    dayfly_oracles::ALL.iter().for_each(|(name, _)| clear(name));
    let recorded = recorded();
    write("tl", recorded.iter().flat_map(|run| &run.objects).map(|object| [&[0xff], &object[..]].concat()));
    write("messages", messages(&recorded));
    write("transport_detect", streams(&recorded));
    for name in ["transport_abridged", "transport_intermediate", "transport_padded", "transport_full"] {
        write(name, conversations());
    }
    write("bind", (0..15).map(|bit| [&(1_u16 << bit).to_le_bytes()[..], &[24; 40]].concat()));
    write("bind", [vec![0, 0, 0, 0]]);
    scripts();
}

/// What one recorded handshake holds.
struct Recorded {
    /// Whole plain messages.
    messages: Vec<Vec<u8>>,
    /// TL objects.
    objects: Vec<Vec<u8>>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn recorded() -> Vec<Recorded> {
    let folder = root().join("vectors/handshake");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .map(|file| read(file))
        .collect()
}

fn read(file: &Path) -> Recorded {
    let text = fs::read_to_string(file).expect("a vector");
    let run: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let bytes = |value: &serde_json::Value| hex::decode(value.as_str()?).ok();
    let payloads = run["messages"].as_array().into_iter().flatten();
    let messages: Vec<_> = payloads.filter_map(|message| bytes(&message["payload"])).collect();
    let inner = ["p_q_inner_data", "answer", "client_DH_inner_data"].map(|name| bytes(&run[name]));
    let bodies = messages.iter().filter_map(|message| message.get(20..).map(<[u8]>::to_vec));
    Recorded { objects: bodies.chain(inner.into_iter().flatten()).collect(), messages }
}

fn messages(recorded: &[Recorded]) -> Vec<Vec<u8>> {
    let plain = recorded.iter().flat_map(|run| &run.messages).map(|message| [&[0], &message[..]].concat());
    let sealed = [0, 0, 0, 1, 1, 1].map(|seed| [&[6, 0, 0, seed][..], &[8; 60]].concat());
    let kinds = (1..8).map(|kind| [&[kind][..], &[0; 48]].concat());
    plain.chain(sealed).chain(kinds).collect()
}

/// The client's half of recorded handshakes over each transport.
fn streams(recorded: &[Recorded]) -> Vec<Vec<u8>> {
    let mut streams = Vec::new();
    for run in recorded {
        for kind in Kind::ALL {
            streams.extend(stream(run, kind, &Obfuscation::None));
            streams.extend(stream(run, kind, &Obfuscation::Plain));
        }
    }
    streams
}

/// `None` for full, which has no obfuscated form.
fn stream(run: &Recorded, kind: Kind, obfuscation: &Obfuscation) -> Option<Vec<u8>> {
    let mut random = Chance::new(1);
    let (mut client, opening) = ClientTransport::new(kind, obfuscation, &mut random).ok()?;
    let mut stream = [&[7], &opening[..]].concat();
    for message in run.messages.iter().filter(|message| message.len() <= 128) {
        client.send(message, false, &mut stream, &mut random).expect("a message");
    }
    Some(stream)
}

/// Each thing that the ends of a connection do, under each obfuscation.
fn conversations() -> impl Iterator<Item = Vec<u8>> {
    (0..3).map(|obfuscation| {
        let said = (0..8_u8).flat_map(|action| [action, 3, 10].into_iter().chain([action; 40]));
        [obfuscation].into_iter().chain(said).collect()
    })
}

/// Handshakes, bindings and calls that come to their end.
fn scripts() {
    write(
        "handshake_client",
        [
            vec![0, 0, 0, 6, 6, 0],
            vec![1, 0, 0, 6, 6, 0x80, 1, 6, 6, 0],
            vec![0, 0, 0x80, 1, 9, 0, 0, 0, 0, 6, 6, 0],
            vec![0, 0, 0, 6, 6, 0x80, 2, 9, 0, 0, 0, 0, 6, 6, 0],
            vec![1, 13, 9, 0, 0, 0, 0x6d, 9, 0, 0, 0, 14, 6, 6, 10, 0],
        ],
    );
    let server = [0, 0, 2, 0, 8, 8, 5, 0, 8];
    let retry = [0x6a, 5, 1, 8];
    write(
        "handshake_server",
        [
            [&server[..], &[10]].concat(),
            [&server[..], &retry, &[10, 12]].concat(),
            [&server[..], &retry, &retry, &[0x6a]].concat(),
            [&server[..], &[0xca, 14, 0, 0, 10, 14, 0, 3]].concat(),
            vec![1, 0, 0x82, 0, 9, 8, 8, 5, 0, 8, 10],
            vec![0, 0, 0x10, 0x20, 0x42, 0, 2, 1, 8, 8, 13, 0],
        ],
    );
    write(
        "server_endpoint",
        [
            vec![0, 0, 0, 0, 0, 6, 0x88, 1, 0, 0, 0, 0],
            vec![0, 0, 0, 13, 0, 6, 6, 6, 0, 0, 18, 0, 0],
            vec![0, 0, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 1],
            vec![2, 0, 3, 14, 3, 0, 2, 17, 1, 0, 6, 6, 8, 0],
        ],
    );
    write(
        "client_endpoint",
        [
            vec![0, 0, 1, 1, 4, 4, 1, 5, 0, 11, 0, 5, 0],
            vec![1, 0, 0, 1, 0x11, 1, 0x11, 4, 4, 4, 4, 1, 0x11, 1, 5, 0, 0x15, 0],
        ],
    );
}

fn corpus(target: &str) -> PathBuf {
    root().join("fuzz/corpus").join(target)
}

/// Removes what an earlier run of this program wrote.
fn clear(target: &str) {
    let Ok(entries) = fs::read_dir(corpus(target)) else { return };
    let files = entries.map(|entry| entry.expect("an entry").path());
    for seed in files
        .filter(|file| file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"seed-")))
    {
        fs::remove_file(seed).expect("removing a seed");
    }
}

/// Adds inputs to the corpus of a target, numbered.
fn write(target: &str, inputs: impl IntoIterator<Item = Vec<u8>>) {
    let folder = corpus(target);
    fs::create_dir_all(&folder).expect("a folder for the corpus");
    for input in inputs.into_iter().filter(|input| input.len() <= LONGEST) {
        let name = (0..).map(|number| folder.join(format!("seed-{number:03}"))).find(|name| !name.exists());
        fs::write(name.expect("a free number"), input).expect("writing an input");
    }
}
