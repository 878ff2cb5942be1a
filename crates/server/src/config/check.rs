//! What a value has to be beyond its form.

use std::path::Path;

use super::error::{ConfigError, line_of};
use super::{Admin, Backend, Config, Keys, Limits, Sealing};
use crate::grpc::BackendAddress;

/// A key with its table, whether its value will do, the value, and what is expected.
struct Row {
    key: &'static str,
    right: bool,
    value: String,
    expected: &'static str,
}

fn row(key: &'static str, right: bool, value: impl ToString, expected: &'static str) -> Row {
    Row { key, right, value: value.to_string(), expected }
}

/// The first value that will not do.
pub(super) fn check(config: &Config, text: &str, path: &Path) -> Result<(), ConfigError> {
    let own = [
        row("dc", (1..10_000).contains(&config.dc), config.dc, "1 to 9999"),
        row("rsa_keys", config.rsa_keys.len() <= 64, config.rsa_keys.len(), "at most 64"),
        row("tmp_sessions", config.tmp_sessions >= 1, config.tmp_sessions, "at least 1"),
    ];
    let back_end = config.backend.iter().flat_map(backend);
    let rows = own.into_iter().chain(admin(&config.admin)).chain(back_end);
    let rows = rows.chain(sealing(&config.sealing)).chain(keys(&config.keys));
    match rows.chain(limits(&config.limits)).find(|row| !row.right) {
        None => Ok(()),
        Some(Row { key, value, expected, .. }) => Err(ConfigError::OutOfRange {
            path: path.to_owned(),
            line: line_of(text, key),
            key,
            value,
            expected,
        }),
    }
}

fn admin(admin: &Admin) -> Option<Row> {
    let listen = admin.listen?;
    let safe = listen.ip().to_canonical().is_loopback() || admin.tls.is_some();
    Some(row(
        "admin.listen",
        safe,
        listen,
        "an address of this machine alone, such as 127.0.0.1:9190, or [admin.tls] with it",
    ))
}

fn sealing(sealing: &Sealing) -> [Row; 2] {
    let sources = [sealing.file.is_some(), sealing.credential.is_some(), sealing.descriptor.is_some()];
    let count = sources.iter().filter(|&&set| set).count();
    let descriptor = sealing.descriptor.unwrap_or_default();
    [
        row("sealing", count <= 1, "set in more than one way", "one of file, credential, descriptor"),
        row("sealing.descriptor", descriptor >= 0, descriptor, "the number of an open descriptor, such as 3"),
    ]
}

fn keys(keys: &Keys) -> [Row; 2] {
    let bits = keys.exponent_bits;
    let fit = (256..=2048).contains(&bits) && bits.is_multiple_of(8);
    [
        row("keys.temp_seconds", keys.temp_seconds >= 1, keys.temp_seconds, "at least 1"),
        row("keys.exponent_bits", fit, bits, "256 to 2048, a multiple of 8"),
    ]
}

fn limits(limits: &Limits) -> [Row; 7] {
    let Limits { connections, unfinished_handshakes: unfinished, frame_bytes, temp_keys, .. } = *limits;
    let per_address = limits.unfinished_per_address;
    let (least, frame) = ("at least 1", (4096..=1 << 24).contains(&frame_bytes));
    let call_seconds = limits.call_seconds;
    let queue = limits.crypto_queue.unwrap_or(1);
    [
        row("limits.connections", connections != Some(0), 0, least),
        row("limits.unfinished_per_address", per_address >= 1, per_address, least),
        row("limits.unfinished_handshakes", unfinished >= 1, unfinished, least),
        row("limits.crypto_queue", queue >= 1, queue, least),
        row("limits.frame_bytes", frame, frame_bytes, "4096 to 16777216"),
        row("limits.temp_keys", temp_keys >= 1, temp_keys, least),
        row("limits.call_seconds", (1..=3600).contains(&call_seconds), call_seconds, "1 to 3600"),
    ]
}

fn backend(backend: &Backend) -> [Row; 8] {
    let address = &backend.address;
    let tls = matches!(address, BackendAddress::Tls { .. });
    let files = [&backend.ca, &backend.certificate, &backend.key].map(Option::is_some);
    let (plain, wanted) = (matches!(address, BackendAddress::Plain(_)), backend.plain_tcp);
    let Backend {
        streams, calls_in_flight, calls_later, message_bytes, queue_bytes, silence_seconds, ..
    } = *backend;
    let files_right = files == [tls; 3];
    let files = "set without ca, certificate and key, or they without https://";
    [
        row("backend.address", !plain || wanted, address, "plain_tcp = true beside it, https:// or unix:"),
        row("backend", files_right, files, "all three for an address with https://, none for others"),
        row("backend.streams", (1..=64).contains(&streams), streams, "1 to 64"),
        row(
            "backend.calls_in_flight",
            (1..=1_000_000).contains(&calls_in_flight),
            calls_in_flight,
            "1 to 1000000",
        ),
        row("backend.calls_later", calls_later <= 1_000_000, calls_later, "0 to 1000000"),
        row(
            "backend.message_bytes",
            (65_536..=1 << 26).contains(&message_bytes),
            message_bytes,
            "65536 to 67108864",
        ),
        row(
            "backend.queue_bytes",
            queue_bytes >= message_bytes as usize,
            queue_bytes,
            "at least message_bytes",
        ),
        row("backend.silence_seconds", (1..=3600).contains(&silence_seconds), silence_seconds, "1 to 3600"),
    ]
}
