//! What happened, in sentences.

use dayfly_core::handshake::server::HandshakeEvent;
use dayfly_core::keys::requests::Lifetime;
use dayfly_core::server::Event;
use dayfly_server::utc;
use dayfly_tl::{api, mtproto};

use crate::dissect::{Field, Form, Part, Value};
use crate::lab::Fault;

/// Whether a fault only does what the specification leaves open.
pub(super) fn is_legal(fault: &str) -> bool {
    fault.parse().is_ok_and(|fault: Fault| fault.describe().contains("; legal"))
}

/// What a message holds, by the names of the schema: `req_pq_multi`, `msg_container (msgs_ack, ping)`.
pub(super) fn name(parts: &[Part]) -> String {
    let message = parts.iter().find(|part| part.form == Form::Message).or(parts.first());
    let Some(root) = message.map(Part::dissect) else { return "nothing".to_owned() };
    if let Some(object) = root.find("message_data") {
        return object_name(object);
    }
    match root.fields.first() {
        Some(Field { name, value: Value::Number(code), .. }) if name == "error_code" => {
            format!("transport error {code}")
        }
        _ => "encrypted message".to_owned(),
    }
}

fn object_name(object: &Field) -> String {
    let inner = |name: &str| object.fields.iter().find(|field| field.name == name).map(object_name);
    match object.kind.as_ref() {
        "unknown constructor" => object.note.clone().unwrap_or_default(),
        "msg_container" => {
            let messages = object.fields.iter().flat_map(|vector| &vector.fields);
            let bodies = messages.filter_map(|message| message.find("body")).map(object_name);
            format!("msg_container ({})", bodies.collect::<Vec<_>>().join(", "))
        }
        kind => match inner("query").or_else(|| inner("result")) {
            Some(inner) => format!("{kind} ({inner})"),
            None => kind.to_owned(),
        },
    }
}

/// A word and a sentence for an event of the lab's server; `None` for what other entries tell already.
pub(super) fn event(event: &Event) -> Option<(&'static str, String)> {
    Some(match event {
        Event::Handshake(event) => handshake(event),
        Event::TransportError { code, reason, .. } => ("refused", format!("{code} because {reason}")),
        Event::SessionCreated { key, session_id } => {
            ("session", format!("session {:016x} begins under the key {key}", session_id.0))
        }
        Event::Bound { temp, perm, expires_at, .. } => {
            let until = utc(*expires_at);
            ("bound", format!("the temporary key {temp} is bound to the permanent key {perm} until {until}"))
        }
        Event::BindRefused { key, error } => {
            ("bind_refused", format!("the binding of {key} is refused: {error}"))
        }
        Event::Call { key, key_use, method, .. } => {
            ("call", format!("{} under the {} key {key}", method_name(*method), key_use.name()))
        }
        Event::CallRefused { key, key_use, method, error } => {
            let text = format!("{} under the {} key {key}: {error}", method_name(*method), key_use.name());
            ("call_refused", text)
        }
        Event::Answered { error, .. } => {
            let text = error.as_ref().map_or("the call is answered".to_owned(), |error| {
                format!("the call is answered with the error {error}")
            });
            ("answered", text)
        }
        Event::KeyDestroyed { key } => ("key_destroyed", format!("the client destroys its key {key}")),
        Event::KeyEnded { key, reason } => ("key_ended", format!("the key {key} ends: {}", reason.name())),
        Event::KeyRevoked { key } => ("key_revoked", format!("the key {key} is revoked")),
        _ => return None, // connections are told by the lab itself
    })
}

/// What came from the back end for a call.
pub(super) fn back_end(method: u32, error: Option<&(i32, String)>) -> String {
    let said = error.map_or("a result".to_owned(), |(code, message)| format!("the error {code} {message}"));
    format!("for {}: {said}", method_name(method))
}

fn handshake(event: &HandshakeEvent) -> (&'static str, String) {
    match event {
        HandshakeEvent::Refused { check } => ("handshake_refused", format!("{}: {check}", check.rule())),
        HandshakeEvent::RefusedAfterDecryption => (
            "handshake_refused",
            "refused after the private-key operation, with the reply that every such refusal gets".to_owned(),
        ),
        HandshakeEvent::WrongDc { dc } => ("handshake_refused", format!("dc {dc} is not served here")),
        HandshakeEvent::PutOff { reason } => ("put_off", format!("-429: too many {}", reason.name())),
        HandshakeEvent::GaveWay => ("gave_way", "an older key exchange gives way to this one".to_owned()),
        HandshakeEvent::KeyMade { id, lifetime, dc, .. } => ("key_made", key_made(*id, lifetime, *dc)),
        HandshakeEvent::Retry { id } => ("dh_gen_retry", format!("the id {id} is taken")),
        HandshakeEvent::Failed { id } => ("dh_gen_fail", format!("the key {id} cannot be kept")),
        _ => ("other", String::new()),
    }
}

fn key_made(id: dayfly_crypto::AuthKeyId, lifetime: &Lifetime, dc: i32) -> String {
    match lifetime {
        Lifetime::Permanent => format!("the permanent key {id} is made for dc {dc}"),
        Lifetime::Temporary { expires_at } => {
            format!("the temporary key {id} is made for dc {dc}, until {}", utc(*expires_at))
        }
    }
}

fn method_name(method: u32) -> String {
    let name = api::name_of(method).or_else(|| mtproto::name_of(method));
    name.map_or_else(|| format!("0x{method:08x}"), str::to_owned)
}
