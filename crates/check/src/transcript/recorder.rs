//! Makes entries of what the lab tells.

use std::collections::HashMap;

use dayfly_core::observer::Direction;
use dayfly_crypto::{AuthKey, NewNonce};

use super::entry::{Entry, Told};
use super::words;
use crate::dissect::{Field, Form, Part, Secrets, Side, parts};
use crate::lab::{Fault, LabEvent, What};

/// Follows a lab, opens what it can, and gives an entry for each thing that is worth one.
#[derive(Default)]
pub struct Recorder {
    secrets: Secrets,
    connections: HashMap<u64, Connection>,
    written: u64,
}

/// What is remembered of a connection to explain what comes next.
#[derive(Default)]
struct Connection {
    /// The last query of each name, in its parts.
    queries: HashMap<String, Vec<Field>>,
    /// The last inner data that RSA sealed.
    inner_data: Option<Field>,
}

impl Recorder {
    /// One that knows these secrets already.
    #[must_use]
    pub fn with(secrets: Secrets) -> Self {
        Self { secrets, ..Self::default() }
    }

    /// The entry for this event; `None` for what others tell already, such as a check that held.
    pub fn record(&mut self, event: &LabEvent) -> Option<Entry> {
        let told = self.told(event)?;
        self.written = self.written.saturating_add(1);
        let &LabEvent { at, since_start, connection, .. } = event;
        Some(Entry { number: self.written, run: connection, unix: at, since_start, told })
    }

    fn told(&mut self, event: &LabEvent) -> Option<Told> {
        let number = event.connection.unwrap_or_default();
        Some(match &event.what {
            What::Connected { peer } => note("connected", format!("a connection comes from {peer}")),
            What::Transport { name, obfuscated } => {
                note("transport", format!("{}{name}", if *obfuscated { "obfuscated " } else { "" }))
            }
            What::Payload { direction, bytes, fault, .. } => self.message(number, *direction, bytes, *fault),
            What::TransportError { code, fault } => {
                self.message(number, Direction::Out, &code.to_le_bytes(), *fault)
            }
            What::QuickAck { token } => note("quick_ack", format!("quick acknowledgement {token:08x}")),
            What::Meddled { fault, direction, honest } => self.fault(*fault, *direction, honest),
            // The fault that made it so is named beside the message.
            What::Unopened { direction: Direction::Out, .. } => return None,
            What::Unopened { why, .. } => note("unopened", format!("the message cannot be opened: {why}")),
            What::Value { name, bytes } => self.value(number, name, bytes),
            What::Checked { held: true, .. } | What::Plain { .. } | What::Sealed { .. } => return None,
            What::Checked { rule, field, message, .. } => self.refused(number, rule, field, message),
            What::Server(event) => {
                let (kind, text) = words::event(event)?;
                note(kind, text)
            }
            What::BackEnd { method, error } => note("back_end", words::back_end(*method, error.as_ref())),
            What::ClockSet => note("clock", "the clock was set".to_owned()),
            What::Closed { by_client, reason } => {
                self.connections.remove(&number);
                let who = if *by_client { "client" } else { "lab" };
                let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
                note("closed", format!("the {who} closes the connection{why}"))
            }
        })
    }

    fn message(&mut self, number: u64, direction: Direction, bytes: &[u8], fault: Option<Fault>) -> Told {
        let parts = parts(bytes, sender(direction), &self.secrets);
        let name = words::name(&parts);
        if direction == Direction::In && QUERIES.contains(&name.as_str()) {
            let roots = parts.iter().map(Part::dissect).collect();
            self.connections.entry(number).or_default().queries.insert(name.clone(), roots);
        }
        Told::Message { direction, name, fault: fault.map(|fault| fault.to_string()), parts }
    }

    fn fault(&self, fault: Fault, direction: Direction, honest: &[u8]) -> Told {
        let parts = match honest {
            [] => Vec::new(),
            honest => parts(honest, sender(direction), &self.secrets),
        };
        Told::Fault { fault: fault.to_string(), text: fault.describe().to_owned(), parts }
    }

    fn value(&mut self, number: u64, name: &str, bytes: &[u8]) -> Told {
        match name {
            "auth_key" => {
                if let Ok(key) = bytes.try_into() {
                    self.secrets.learn_key(AuthKey::copy_of(key));
                }
            }
            "new_nonce" => self.learn_new_nonce(number, bytes),
            "p_q_inner_data" => {
                self.secrets.learn_inner_data(bytes);
                let part = Part::new(Form::InnerData, bytes.to_vec());
                self.connections.entry(number).or_default().inner_data = Some(part.dissect());
                return Told::Opened { parts: vec![part] };
            }
            _ => {}
        }
        Told::Value { name: name.to_owned(), bytes: bytes.to_vec() }
    }

    /// Of the run whose `req_DH_params` came last.
    fn learn_new_nonce(&mut self, number: u64, bytes: &[u8]) {
        let Some(query) = self.query(number, "req_DH_params") else { return };
        let nonce = |name| find(query, name)?.try_into().ok();
        if let (Some(nonce), Some(server_nonce), Ok(new_nonce)) =
            (nonce("nonce"), nonce("server_nonce"), bytes.try_into())
        {
            self.secrets.learn_new_nonce(nonce, server_nonce, NewNonce::copy_of(new_nonce));
        }
    }

    fn query(&self, number: u64, name: &str) -> Option<&Vec<Field>> {
        self.connections.get(&number)?.queries.get(name)
    }

    fn refused(&self, number: u64, rule: &str, field: &str, text: &str) -> Told {
        let (rule, field_name, text) = (rule.to_owned(), field.to_owned(), text.to_owned());
        Told::Refused { rule, field: field_name, text, detail: self.detail(number, field) }
    }

    /// Where a field inside sealed data differs from the one of the same name outside.
    fn detail(&self, number: u64, field: &str) -> Option<String> {
        let (object, name) = field.split_once('.')?;
        let (outer, inner) = match object {
            "p_q_inner_data" => {
                let inner = self.connections.get(&number)?.inner_data.as_ref()?;
                (self.query(number, "req_DH_params")?, inner.find(name)?.bytes()?)
            }
            "client_DH_inner_data" => {
                let query = self.query(number, "set_client_DH_params")?;
                (query, query.get(1)?.find(name)?.bytes()?)
            }
            _ => return None,
        };
        difference(inner, find(outer.get(..1)?, name)?)
    }
}

/// The bytes of the first field of this name.
fn find<'a>(roots: &'a [Field], name: &str) -> Option<&'a [u8]> {
    roots.iter().find_map(|root| root.find(name))?.bytes()
}

fn difference(inner: &[u8], outer: &[u8]) -> Option<String> {
    if inner.len() != outer.len() {
        return Some(format!("{} bytes inside and {} outside", inner.len(), outer.len()));
    }
    let (at, (inner, outer)) =
        inner.iter().zip(outer).enumerate().find(|(_, (inner, outer))| inner != outer)?;
    Some(format!("byte {at} is {inner:02x} inside and {outer:02x} outside"))
}

fn note(kind: &str, text: String) -> Told {
    Told::Note { kind: kind.to_owned(), text }
}

/// Who sent what the lab saw go this way.
pub(super) fn sender(direction: Direction) -> Side {
    match direction {
        Direction::In => Side::Client,
        Direction::Out => Side::Server,
    }
}

/// The queries that later events are explained by.
const QUERIES: [&str; 2] = ["req_DH_params", "set_client_DH_params"];
