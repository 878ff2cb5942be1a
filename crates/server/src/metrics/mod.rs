//! Prometheus metrics: counted as events come by, and looked up at each scrape. The registry belongs to one server.
//!
//! A label is a `&'static str`: what a peer or a back end says cannot become one.

mod event;
#[cfg(test)]
mod tests;

use std::time::Duration;

use dayfly_core::keys::requests::Lifetime;
use dayfly_core::server::KeyUse;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::survey::Figures;

/// Names and values of labels.
type Labels<const N: usize> = [(&'static str, &'static str); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Gauges<const N: usize> = Family<Labels<N>, Gauge>;

/// From 0.1 ms to 26 s, each twice the one before.
const FAST: (f64, u16) = (0.000_1, 19);
/// From 1 ms to 131 s: a key exchange waits for its peer several times.
const SLOW: (f64, u16) = (0.001, 18);

/// Everything that is counted. `docs/src/metrics.md` lists it, and a test compares the two.
pub(crate) struct Metrics {
    exchange: Exchange,
    calls: Calls,
    traffic: Traffic,
    now: Levels,
    store_seconds: Histogram,
    registry: Registry,
}

/// Of key exchanges and keys.
struct Exchange {
    ends: Counters<1>,
    refusals: Counters<1>,
    put_off: Counters<1>,
    retries: Counter,
    seconds: Histogram,
    binds: Counters<1>,
    keys_ended: Counters<1>,
}

/// Of the back end.
struct Calls {
    answered: Counters<2>,
    seconds: Histogram,
    pushes: Counters<1>,
}

/// Of connections.
struct Traffic {
    accepted: Counter,
    transports: Counters<2>,
    errors: Counters<2>,
    received: Counter,
    sent: Counter,
}

/// What is looked up at each scrape.
struct Levels {
    connections: Gauges<1>,
    keys: Gauges<1>,
    sessions: Gauge,
    unfinished: Gauge,
    remembered: Gauge,
    queues: Gauges<1>,
    draining: Gauge,
}

impl Metrics {
    /// Everything at zero.
    pub(crate) fn new() -> Self {
        let mut book = Book { registry: Registry::with_prefix("dayfly") };
        let build: Gauges<1> = book.add("build_info", "1, with the version");
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        Self {
            exchange: Exchange::new(&mut book),
            calls: Calls::new(&mut book),
            traffic: Traffic::new(&mut book),
            now: Levels::new(&mut book),
            store_seconds: book.time(
                "store_duration",
                "From asking the store until all requests of one turn are answered",
                FAST,
            ),
            registry: book.registry,
        }
    }

    /// All of it in the text format of OpenMetrics, with `figures` as they are now.
    pub(crate) fn render(&self, figures: &Figures) -> String {
        self.now.take(figures);
        let mut out = String::new();
        // Writing to a string fails only if a metric refuses to be encoded, which none here does.
        if let Err(error) = text::encode(&mut out, &self.registry) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        out
    }

    /// Peers sent so many bytes.
    pub(crate) fn on_received(&self, bytes: usize) {
        self.traffic.received.inc_by(bytes as u64);
    }

    /// So many bytes are on their way to peers.
    pub(crate) fn on_sent(&self, bytes: usize) {
        self.traffic.sent.inc_by(bytes as u64);
    }

    /// The store took so long.
    pub(crate) fn on_store(&self, took: Duration) {
        self.store_seconds.observe(took.as_secs_f64());
    }

    /// An update went to so many sessions; `None` if it is none that could be sent.
    pub(crate) fn on_push(&self, sessions: Option<usize>) {
        let (result, count) = sessions.map_or(("refused", 1), |count| ("sent", count));
        self.calls.pushes.get_or_create(&[("result", result)]).inc_by(count as u64);
    }

    /// How many keys were made since the start.
    pub(crate) fn keys_made(&self) -> u64 {
        let made =
            |lifetime| self.exchange.ends.get(&[("result", kind(lifetime))]).map_or(0, |made| made.get());
        made(Lifetime::Permanent).saturating_add(made(Lifetime::Temporary { expires_at: 0 }))
    }

    /// How many bytes were received and sent since the start.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.traffic.received.get(), self.traffic.sent.get())
    }
}

/// The word for what a key exchange made.
fn kind(lifetime: Lifetime) -> &'static str {
    match lifetime {
        Lifetime::Permanent => "permanent",
        Lifetime::Temporary { .. } => "temporary",
    }
}

fn set(gauge: &Gauge, value: usize) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}

impl Exchange {
    fn new(book: &mut Book) -> Self {
        Self {
            ends: book.add("handshakes", "Key exchanges that made a key, and queries that were refused or put off"),
            refusals: book.add(
                "handshake_refusals",
                "Refused queries of the key exchange by rule, with one bucket for all after the private-key operation",
            ),
            put_off: book.add("handshakes_put_off", "Queries of the key exchange put off with -429, by reason"),
            retries: book.add("handshake_retries", "New keys whose id was taken, answered with dh_gen_retry"),
            seconds: book.time(
                "handshake_duration",
                "From the first query of a key exchange until its key is kept, the client's share included",
                SLOW,
            ),
            binds: book.add("binds", "Requests to bind a temporary key by answer"),
            keys_ended: book.add("keys_ended", "Keys in use that ended, by reason"),
        }
    }
}

impl Calls {
    fn new(book: &mut Book) -> Self {
        Self {
            answered: book.add("calls", "Calls by the kind of key that they came under and by outcome"),
            seconds: book.time(
                "call_duration",
                "From passing a call to the back end until its answer, or until its time was up",
                FAST,
            ),
            pushes: book.add("pushes", "Updates of the back end, one for each session that they go to"),
        }
    }
}

impl Traffic {
    fn new(book: &mut Book) -> Self {
        Self {
            accepted: book.add("connections_accepted", "Connections that were taken in"),
            transports: book.add("transports", "Connections by what their first bytes told"),
            errors: book.add("transport_errors", "Transport errors sent, by code and reason"),
            received: book
                .bytes("received", "Bytes that peers sent, without TLS, HTTP and WebSocket around them"),
            sent: book.bytes("sent", "Bytes for peers, without TLS, HTTP and WebSocket around them"),
        }
    }
}

impl Levels {
    fn new(book: &mut Book) -> Self {
        Self {
            connections: book.add("connections", "Open connections by transport"),
            keys: book.add("keys", "Keys in use, or remembered with their sessions, by kind"),
            sessions: book.add("sessions", "Sessions, with and without a connection"),
            unfinished: book.add("unfinished_handshakes", "Key exchanges that have no verdict yet"),
            remembered: book.add("remembered_handshakes", "Finished key exchanges that are kept for repeats"),
            queues: book.add("queue_depth", "How much waits in each queue of the server"),
            draining: book.add("draining", "1 while the server answers what it owes before it ends"),
        }
    }

    fn take(&self, figures: &Figures) {
        let census = &figures.census;
        // What no connection speaks any more is not there, rather than as it was.
        self.connections.clear();
        for (transport, count) in &census.connections {
            set(&self.connections.get_or_create(&[("transport", transport)]), *count);
        }
        for kind in [KeyUse::Permanent, KeyUse::Unbound, KeyUse::Bound] {
            let count = census.keys.get(&kind).copied().unwrap_or_default();
            set(&self.keys.get_or_create(&[("kind", kind.name())]), count);
        }
        let queues = [
            ("crypto", figures.crypto_jobs),
            ("store", census.store_requests),
            ("calls", census.calls_owed),
            ("commands", figures.commands),
            ("results", figures.results),
        ];
        for (queue, depth) in queues {
            set(&self.queues.get_or_create(&[("queue", queue)]), depth);
        }
        set(&self.sessions, census.sessions);
        set(&self.unfinished, census.unfinished_handshakes);
        set(&self.remembered, census.finished_handshakes);
        set(&self.draining, usize::from(figures.draining));
    }
}

/// Registers what it hands out.
struct Book {
    registry: Registry,
}

impl Book {
    fn add<M: Metric + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        let metric = M::default();
        self.registry.register(name, help, metric.clone());
        metric
    }

    fn bytes(&mut self, name: &str, help: &str) -> Counter {
        let metric = Counter::default();
        self.registry.register_with_unit(name, help, Unit::Bytes, metric.clone());
        metric
    }

    /// In buckets of which each ends at twice the one before.
    fn time(&mut self, name: &str, help: &str, (first, buckets): (f64, u16)) -> Histogram {
        let metric = Histogram::new(exponential_buckets(first, 2.0, buckets));
        self.registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
        metric
    }
}
