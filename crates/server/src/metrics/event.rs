//! What each event counts as.

use dayfly_core::handshake::server::HandshakeEvent;
use dayfly_core::server::Event;

use super::{Metrics, kind};

/// The bucket of all refusals after the private-key operation (rule HS-12).
const AFTER_DECRYPTION: &str = "after_decryption";
/// The errors that dayfly itself answers in the place of a back end; one of the back end's own counts as [`OF_BACK_END`].
const OWN_ERRORS: [&str; 7] = [
    "BACKEND_CALL_TOO_LONG",
    "BACKEND_GONE",
    "BACKEND_RESULT_MALFORMED",
    "BACKEND_RESULT_TOO_LONG",
    "BACKEND_TIMEOUT",
    "BACKEND_UNAVAILABLE",
    "FLOOD_WAIT_1",
];
const OF_BACK_END: &str = "back_end_error";

impl Metrics {
    /// Counts what happened.
    pub(crate) fn on_event(&self, event: &Event) {
        match event {
            Event::Connected { .. } => {
                self.traffic.accepted.inc();
            }
            Event::Transport { name, obfuscated, .. } => {
                let obfuscated = if *obfuscated { "true" } else { "false" };
                let labels = [("transport", *name), ("obfuscated", obfuscated)];
                self.traffic.transports.get_or_create(&labels).inc();
            }
            Event::TransportError { code, reason, .. } => {
                let labels = [("code", code_name(*code)), ("reason", *reason)];
                self.traffic.errors.get_or_create(&labels).inc();
            }
            Event::Handshake(event) => self.on_handshake(event),
            Event::Bound { .. } => {
                self.exchange.binds.get_or_create(&[("result", "bound")]).inc();
            }
            Event::BindRefused { error, .. } => {
                self.exchange.binds.get_or_create(&[("result", error)]).inc();
            }
            Event::CallRefused { key_use, error, .. } => {
                self.calls.answered.get_or_create(&[("key_use", key_use.name()), ("outcome", error)]).inc();
            }
            Event::Answered { key_use, error, took } => {
                let outcome = error.as_deref().map_or("result", own_name);
                self.calls.answered.get_or_create(&[("key_use", key_use.name()), ("outcome", outcome)]).inc();
                self.calls.seconds.observe(took.as_secs_f64());
            }
            Event::KeyEnded { reason, .. } => {
                self.exchange.keys_ended.get_or_create(&[("reason", reason.name())]).inc();
            }
            _ => {}
        }
    }

    fn on_handshake(&self, event: &HandshakeEvent) {
        match event {
            HandshakeEvent::KeyMade { lifetime, took, .. } => {
                self.on_end(kind(*lifetime));
                self.exchange.seconds.observe(took.as_secs_f64());
            }
            HandshakeEvent::Refused { check } => {
                self.on_end("refused");
                self.exchange.refusals.get_or_create(&[("rule", check.rule())]).inc();
            }
            HandshakeEvent::RefusedAfterDecryption => {
                self.on_end("refused");
                self.exchange.refusals.get_or_create(&[("rule", AFTER_DECRYPTION)]).inc();
            }
            HandshakeEvent::WrongDc { .. } => self.on_end("wrong_dc"),
            HandshakeEvent::PutOff { reason } => {
                self.on_end("put_off");
                self.exchange.put_off.get_or_create(&[("reason", reason.name())]).inc();
            }
            HandshakeEvent::GaveWay => self.on_end("gave_way"),
            HandshakeEvent::Retry { .. } => {
                self.exchange.retries.inc();
            }
            HandshakeEvent::Failed { .. } => self.on_end("failed"),
            _ => {}
        }
    }

    fn on_end(&self, result: &'static str) {
        self.exchange.ends.get_or_create(&[("result", result)]).inc();
    }
}

fn own_name(error: &str) -> &'static str {
    OWN_ERRORS.into_iter().find(|own| *own == error).unwrap_or(OF_BACK_END)
}

fn code_name(code: i32) -> &'static str {
    match code {
        -404 => "-404",
        -429 => "-429",
        -444 => "-444",
        _ => "other",
    }
}
