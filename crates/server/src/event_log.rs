//! The event log: a JSON line for each thing that happened. Ids, kinds, methods and rules; never a secret.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use dayfly_core::env::Now;
use dayfly_core::handshake::server::HandshakeEvent;
use dayfly_core::keys::requests::Lifetime;
use dayfly_core::server::Event;
use dayfly_tl::api;
use serde_json::{Value, json};

/// Where events go.
#[derive(Default)]
pub(crate) struct EventLog {
    file: Option<BufWriter<File>>,
}

impl EventLog {
    /// Appends to `path`, which is made with mode 0600.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        Ok(Self { file: Some(BufWriter::new(file)) })
    }

    pub(crate) fn write(&mut self, event: &Event, now: Now) {
        tracing::debug!(?event);
        // The call is in the log; answers are counted, and would double it.
        if matches!(event, Event::Answered { .. }) {
            return;
        }
        let Some(file) = &mut self.file else { return };
        let mut line = describe(event);
        if let Value::Object(fields) = &mut line {
            fields.insert("time".to_owned(), json!(now.unix.as_secs_f64()));
        }
        if let Err(error) = writeln!(file, "{line}") {
            self.give_up(&error);
        }
    }

    pub(crate) fn flush(&mut self) {
        if let Some(Err(error)) = self.file.as_mut().map(BufWriter::flush) {
            self.give_up(&error);
        }
    }

    /// A full disk must not end the server; the log says where it ends.
    fn give_up(&mut self, error: &io::Error) {
        tracing::error!(%error, "the event log cannot be written and ends here");
        self.file = None;
    }
}

fn method_name(method: u32) -> String {
    api::name_of(method).map_or_else(|| format!("{method:08x}"), str::to_owned)
}

fn describe(event: &Event) -> Value {
    match event {
        Event::Connected { connection, peer } => {
            json!({"event": "connected", "connection": connection, "peer": peer.to_string()})
        }
        Event::Transport { connection, name, obfuscated } => {
            json!({"event": "transport", "connection": connection, "name": name, "obfuscated": obfuscated})
        }
        Event::Closed { connection, reason } => {
            json!({"event": "closed", "connection": connection, "reason": reason})
        }
        Event::TransportError { connection, code, reason } => {
            json!({"event": "transport_error", "connection": connection, "code": code, "reason": reason})
        }
        Event::Handshake(event) => describe_handshake(event),
        Event::SessionCreated { key, session_id } => {
            json!({"event": "session_created", "key_id": key.to_string(), "session_id": format!("{:016x}", session_id.0)})
        }
        Event::Bound { temp, perm, expires_at, replaced } => json!({
            "event": "bound",
            "temp_key_id": temp.to_string(),
            "perm_key_id": perm.to_string(),
            "expires_at": expires_at,
            "replaced": replaced.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        Event::BindRefused { key, error } => {
            json!({"event": "bind_refused", "key_id": key.to_string(), "error": error})
        }
        Event::Call { key, key_use, session_id, method } => json!({
            "event": "call",
            "key_id": key.to_string(),
            "key_use": key_use.name(),
            "session_id": format!("{:016x}", session_id.0),
            "method": method_name(*method),
        }),
        Event::CallRefused { key, key_use, method, error } => json!({
            "event": "call_refused",
            "key_id": key.to_string(),
            "key_use": key_use.name(),
            "method": method_name(*method),
            "error": error,
        }),
        Event::KeyDestroyed { key } => json!({"event": "key_destroyed", "key_id": key.to_string()}),
        Event::KeyRevoked { key } => json!({"event": "key_revoked", "key_id": key.to_string()}),
        Event::KeyEnded { key, reason } => {
            json!({"event": "key_ended", "key_id": key.to_string(), "reason": reason.name()})
        }
        _ => json!({"event": "other"}),
    }
}

fn describe_handshake(event: &HandshakeEvent) -> Value {
    match event {
        HandshakeEvent::Refused { check } => {
            json!({"event": "handshake_refused", "rule": check.rule(), "reason": check.to_string()})
        }
        HandshakeEvent::RefusedAfterDecryption => json!({"event": "handshake_refused_after_decryption"}),
        HandshakeEvent::WrongDc { dc } => json!({"event": "wrong_dc", "dc": dc}),
        HandshakeEvent::PutOff { reason } => json!({"event": "put_off", "reason": reason.name()}),
        HandshakeEvent::GaveWay => json!({"event": "gave_way"}),
        HandshakeEvent::KeyMade { id, lifetime, dc, .. } => {
            let (kind, expires_at) = match lifetime {
                Lifetime::Permanent => ("permanent", None),
                Lifetime::Temporary { expires_at } => ("temporary", Some(expires_at)),
            };
            json!({"event": "key_created", "kind": kind, "key_id": id.to_string(), "dc": dc, "expires_at": expires_at})
        }
        HandshakeEvent::Retry { id } => json!({"event": "dh_gen_retry", "key_id": id.to_string()}),
        HandshakeEvent::Failed { id } => json!({"event": "dh_gen_fail", "key_id": id.to_string()}),
        _ => json!({"event": "other"}),
    }
}
