use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use dayfly_core::handshake::SpecCheck;
use dayfly_core::handshake::server::{HandshakeEvent, PutOff};
use dayfly_core::server::{Census, EndReason, Event};
use dayfly_crypto::AuthKeyId;

use super::*;

const TABLE: &str = include_str!("../../../../docs/src/metrics.md");
const KEY: AuthKeyId = AuthKeyId(1);
const SECOND: Duration = Duration::from_secs(1);

fn answered(error: Option<&str>) -> Event {
    Event::Answered { key_use: KeyUse::Bound, took: SECOND, error: error.map(str::to_owned) }
}

/// One event of each kind.
fn events() -> Vec<Event> {
    let made = |lifetime| HandshakeEvent::KeyMade { id: KEY, lifetime, dc: 2, took: SECOND };
    let exchange = [
        made(Lifetime::Permanent),
        made(Lifetime::Temporary { expires_at: 9 }),
        HandshakeEvent::Refused { check: SpecCheck::WrongFactors },
        HandshakeEvent::RefusedAfterDecryption,
        HandshakeEvent::WrongDc { dc: 7 },
        HandshakeEvent::PutOff { reason: PutOff::Store },
        HandshakeEvent::GaveWay,
        HandshakeEvent::Retry { id: KEY },
        HandshakeEvent::Failed { id: KEY },
    ];
    let key_use = KeyUse::Permanent;
    let others = [
        Event::Connected { connection: 1, peer: IpAddr::V4(Ipv4Addr::LOCALHOST) },
        Event::Transport { connection: 1, name: "abridged", obfuscated: true },
        Event::TransportError { connection: 1, code: -404, reason: "there is no such key" },
        Event::Bound { temp: KEY, perm: KEY, expires_at: 9, replaced: Vec::new() },
        Event::BindRefused { key: KEY, error: "ENCRYPTED_MESSAGE_INVALID" },
        Event::CallRefused { key: KEY, key_use, method: 1, error: "TEMP_AUTH_KEY_EMPTY" },
        Event::KeyEnded { key: KEY, reason: EndReason::Expired },
        answered(None),
    ];
    exchange.into_iter().map(Event::Handshake).chain(others).collect()
}

fn figures() -> Figures {
    let connections = [("abridged", 2)].into();
    Figures {
        census: Census { connections, sessions: 3, ..Census::default() },
        crypto_jobs: 4,
        ..Figures::default()
    }
}

/// After one of everything.
fn busy() -> Metrics {
    let metrics = Metrics::new();
    events().iter().for_each(|event| metrics.on_event(event));
    metrics.on_received(100);
    metrics.on_sent(200);
    metrics.on_store(SECOND);
    metrics.on_push(Some(2));
    metrics.on_push(None);
    metrics
}

/// What there is to say of a metric: its type, its labels, its help.
type Said = (String, BTreeSet<String>, String);

/// The metrics of a scrape by name.
fn scraped(text: &str) -> BTreeMap<String, Said> {
    let mut found = BTreeMap::new();
    let comments =
        |kind: &'static str| text.lines().filter_map(move |line| line.strip_prefix(kind)?.split_once(' '));
    for (family, kind) in comments("# TYPE ") {
        let help = comments("# HELP ").find(|(name, _)| *name == family).unwrap().1.trim_end_matches('.');
        let name = if kind == "counter" { format!("{family}_total") } else { family.to_owned() };
        let own = text.lines().filter(|line| is_sample(line, &name));
        let labels = own.flat_map(labels).filter(|label| label != "le").collect();
        found.insert(name, (kind.to_owned(), labels, help.to_owned()));
    }
    found
}

/// Whether a line is a sample of this metric; a histogram has three kinds of them.
fn is_sample(line: &str, metric: &str) -> bool {
    let rest = line.strip_prefix(metric).unwrap_or_default();
    let rest = ["_bucket", "_sum", "_count"].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
    rest.starts_with(['{', ' '])
}

fn labels(sample: &str) -> Vec<String> {
    let Some((_, rest)) = sample.split_once('{') else { return Vec::new() };
    let pairs = rest.rsplit_once('}').unwrap().0.split("\",");
    pairs.map(|pair| pair.split_once('=').unwrap().0.to_owned()).collect()
}

/// The rows of the first table in the docs.
fn documented() -> BTreeMap<String, Said> {
    let table = TABLE.split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `dayfly_"));
    let read = |row: &str| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [name, kind, labels, help] = cells[..] else { panic!("four cells: {row}") };
        let labels = labels.split(", ").map(|label| label.trim_matches('`').to_owned());
        let labels = labels.filter(|label| label != "–").collect();
        (name.trim_matches('`').to_owned(), (kind.to_owned(), labels, help.to_owned()))
    };
    rows.map(read).collect()
}

/// The value of a sample.
fn value(text: &str, sample: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn the_table_in_the_docs_lists_every_metric_and_no_other() {
    let scraped = scraped(&busy().render(&figures()));
    assert!(scraped.len() > 20, "{scraped:?}");
    assert_eq!(documented(), scraped);
}

#[test]
fn everything_is_counted_where_it_belongs() {
    let text = busy().render(&figures());
    for (sample, expected) in [
        ("dayfly_handshakes_total{result=\"permanent\"}", 1.0),
        ("dayfly_handshakes_total{result=\"refused\"}", 2.0),
        ("dayfly_handshake_refusals_total{rule=\"HS-10\"}", 1.0),
        ("dayfly_handshake_refusals_total{rule=\"after_decryption\"}", 1.0),
        ("dayfly_handshake_duration_seconds_sum", 2.0),
        ("dayfly_binds_total{result=\"ENCRYPTED_MESSAGE_INVALID\"}", 1.0),
        ("dayfly_calls_total{key_use=\"bound\",outcome=\"result\"}", 1.0),
        ("dayfly_calls_total{key_use=\"permanent\",outcome=\"TEMP_AUTH_KEY_EMPTY\"}", 1.0),
        ("dayfly_transport_errors_total{code=\"-404\",reason=\"there is no such key\"}", 1.0),
        ("dayfly_pushes_total{result=\"sent\"}", 2.0),
        ("dayfly_received_bytes_total", 100.0),
        ("dayfly_sent_bytes_total", 200.0),
        ("dayfly_connections{transport=\"abridged\"}", 2.0),
        ("dayfly_queue_depth{queue=\"crypto\"}", 4.0),
        ("dayfly_sessions", 3.0),
    ] {
        assert_eq!(value(&text, sample), Some(expected), "{sample} in\n{text}");
    }
}

#[test]
fn what_a_back_end_calls_its_error_is_no_label() {
    let metrics = Metrics::new();
    for error in ["PHONE_NUMBER_INVALID", "<script>", "BACKEND_TIMEOUT"] {
        metrics.on_event(&answered(Some(error)));
    }
    let text = metrics.render(&Figures::default());
    assert!(!text.contains("PHONE") && !text.contains("script"), "{text}");
    let outcome =
        |outcome| value(&text, &format!("dayfly_calls_total{{key_use=\"bound\",outcome=\"{outcome}\"}}"));
    assert_eq!((outcome("back_end_error"), outcome("BACKEND_TIMEOUT")), (Some(2.0), Some(1.0)));
}

#[test]
fn a_transport_that_nobody_speaks_any_more_is_not_shown() {
    let metrics = Metrics::new();
    assert!(metrics.render(&figures()).contains("dayfly_connections{"));
    assert!(!metrics.render(&Figures::default()).contains("dayfly_connections{"));
}

#[test]
fn two_servers_count_apart() {
    let (one, other) = (busy(), Metrics::new());
    assert_eq!((one.keys_made(), one.bytes()), (2, (100, 200)));
    assert_eq!((other.keys_made(), other.bytes()), (0, (0, 0)));
}
