//! A recorded key exchange, told as the lab tells it, whole and broken.

use std::time::Duration;

use dayfly_core::handshake::server::HandshakeEvent;
use dayfly_core::keys::requests::Lifetime;
use dayfly_core::observer::Direction;
use dayfly_core::server::Event;
use dayfly_crypto::AuthKeyId;
use serde_json::Value as Json;

use super::*;
use crate::dissect::Form;
use crate::lab::{Fault, LabEvent, What};

const VECTOR: &str = include_str!("../../../../vectors/handshake/2026-06-24-a.json");

fn vector() -> Json {
    serde_json::from_str(VECTOR).unwrap()
}

fn bytes(name: &str) -> Vec<u8> {
    hex::decode(vector()[name].as_str().unwrap()).unwrap()
}

fn payload(number: usize) -> Vec<u8> {
    hex::decode(vector()["messages"][number]["payload"].as_str().unwrap()).unwrap()
}

/// The lab, as far as its events go.
#[derive(Default)]
struct Told {
    recorder: Recorder,
    book: Book,
    lines: Vec<String>,
    events: u64,
}

impl Told {
    fn tell(&mut self, what: What) {
        self.events += 1;
        let at = Duration::from_secs(1_790_000_000 + self.events);
        let since_start = Duration::from_millis(self.events);
        let event = LabEvent { number: self.events, at, since_start, connection: Some(1), what };
        if let Some(entry) = self.recorder.record(&event) {
            self.lines.push(serde_json::to_string(&entry).unwrap());
            self.book.push(entry);
        }
    }

    fn send(&mut self, number: usize, fault: Option<Fault>) {
        let direction = if number.is_multiple_of(2) { Direction::In } else { Direction::Out };
        self.tell(What::Payload { direction, bytes: payload(number), quick_ack: false, fault });
    }

    fn value(&mut self, name: &'static str, bytes: Vec<u8>) {
        self.tell(What::Value { name, bytes });
    }

    /// As far as `req_DH_params`, with what RSA sealed.
    fn begin(inner: Vec<u8>) -> Self {
        let mut told = Self::default();
        told.tell(What::Connected { peer: "127.0.0.1:50000".parse().unwrap() });
        told.tell(What::Transport { name: "intermediate", obfuscated: true });
        (0..3).for_each(|number| told.send(number, None));
        told.value("p_q_inner_data", inner);
        told
    }

    fn whole() -> Self {
        let mut told = Self::begin(bytes("p_q_inner_data"));
        (3..5).for_each(|number| told.send(number, None));
        told.value("auth_key", bytes("auth_key"));
        told.send(5, None);
        let made = HandshakeEvent::KeyMade {
            id: AuthKeyId::from_wire(bytes("auth_key_id").try_into().unwrap()),
            lifetime: Lifetime::Permanent,
            dc: 2,
            took: Duration::ZERO,
        };
        told.tell(What::Server(Event::Handshake(made)));
        told
    }

    fn verdict(&self) -> Verdict {
        verdict(self.book.run(1).unwrap())
    }

    fn markdown(&self) -> String {
        markdown(self.book.run(1).unwrap())
    }
}

#[test]
fn a_whole_exchange_is_told_message_by_message() {
    let told = Told::whole();
    let run = told.book.run(1).unwrap();
    let headings: Vec<String> = run.entries.iter().map(heading).collect();
    let expected = [
        "connected: a connection comes from 127.0.0.1:50000",
        "transport: obfuscated intermediate",
        "client → lab: req_pq_multi, 40 bytes",
        "lab → client: resPQ, 100 bytes",
        "client → lab: req_DH_params, 340 bytes",
        "encrypted_data, opened with the RSA key",
        "lab → client: server_DH_params_ok, 652 bytes",
        "client → lab: set_client_DH_params, 396 bytes",
        "auth_key is derived, 256 bytes",
        "lab → client: dh_gen_ok, 72 bytes",
        "key made: the permanent key 353ab436473c7d01 is made for dc 2",
    ];
    assert_eq!(headings, expected);
    assert_eq!(told.verdict().standing, Standing::Well);
    let opened = run.entries.iter().flat_map(Entry::parts).filter(|part| part.form == Form::Hashed);
    assert_eq!(opened.count(), 2, "both sealed answers are opened with what RSA sealed");
}

#[test]
fn each_line_is_an_entry_with_its_fields() {
    let told = Told::whole();
    let run = told.book.run(1).unwrap();
    for (line, entry) in told.lines.iter().zip(&run.entries) {
        assert_eq!(serde_json::from_str::<Entry>(line).unwrap(), *entry);
    }
    let line: Json = serde_json::from_str(&told.lines[2]).unwrap();
    assert_eq!(
        (&line["what"], &line["direction"], &line["run"]),
        (&"message".into(), &"in".into(), &1.into())
    );
    let nonce = &line["parts"][0]["fields"][3]["fields"][0];
    assert_eq!((&nonce["name"], &nonce["offset"]), (&"nonce".into(), &24.into()));
    assert_eq!(nonce["value"]["hex"], hex::encode(bytes("nonce")));
}

#[test]
fn what_a_back_end_says_is_told_with_the_method() {
    let mut told = Told::default();
    told.tell(What::Connected { peer: "127.0.0.1:50000".parse().unwrap() });
    told.tell(What::BackEnd { method: 0xc4f9_186b, error: None });
    told.tell(What::BackEnd { method: 1, error: Some((500, "BACKEND_UNAVAILABLE".to_owned())) });
    let headings: Vec<String> = told.book.run(1).unwrap().entries.iter().map(heading).collect();
    let expected = [
        "back end: for help.getConfig: a result",
        "back end: for 0x00000001: the error 500 BACKEND_UNAVAILABLE",
    ];
    assert_eq!(headings[1..], expected);
}

#[test]
fn a_refusal_says_at_which_byte() {
    let mut inner = bytes("p_q_inner_data");
    let nonce = bytes("server_nonce");
    let at = inner.windows(16).position(|window| window == nonce).unwrap();
    inner[at + 3] ^= 0xff;
    let mut told = Told::begin(inner);
    told.tell(What::Checked {
        rule: "HS-14",
        field: "p_q_inner_data.server_nonce",
        message: "the inner server_nonce differs",
        held: false,
    });
    told.tell(What::TransportError { code: -404, fault: None });
    let expected = "The lab refused what the client sent: the inner server_nonce differs: byte 3 is 79 inside \
                    and 86 outside (rule HS-14, field p_q_inner_data.server_nonce).";
    assert_eq!(told.verdict(), Verdict { standing: Standing::Failed, text: expected.to_owned() });
    assert!(told.markdown().contains("lab → client: transport error -404, 4 bytes"));
}

#[test]
fn a_fault_that_the_client_notices_is_named() {
    let mut told = Told::begin(bytes("p_q_inner_data"));
    let fault = Fault::DhAnswerHash;
    told.tell(What::Meddled { fault, direction: Direction::Out, honest: payload(3) });
    told.send(3, Some(fault));
    told.tell(What::Closed { by_client: true, reason: "end of the stream".to_owned() });
    let Verdict { standing, text } = told.verdict();
    assert_eq!(standing, Standing::Failed);
    assert!(text.contains("after server_DH_params_ok, which the fault dh-answer-hash had altered"), "{text}");
}

#[test]
fn a_fault_that_the_client_does_not_notice_is_named_too() {
    let mut told = Told::begin(bytes("p_q_inner_data"));
    told.send(3, Some(Fault::DhPrimeShort));
    let Verdict { standing, text } = told.verdict();
    assert_eq!(standing, Standing::Open);
    let expected = "Under way: the client has said nothing to server_DH_params_ok, which the fault dh-prime-short had altered.";
    assert_eq!(text, expected);
    told.send(4, None);
    told.send(5, None);
    let Verdict { standing, text } = told.verdict();
    assert_eq!(standing, Standing::Failed);
    let expected = "The client went on with set_client_DH_params after server_DH_params_ok, which the fault dh-prime-short \
                    had altered.";
    assert_eq!(text, expected);
}

#[test]
fn what_is_legal_is_no_fault_of_a_run_that_went_well() {
    let mut told = Told::whole();
    told.send(5, Some(Fault::Trailing));
    told.tell(What::Closed { by_client: true, reason: "end of the stream".to_owned() });
    assert_eq!(told.verdict().standing, Standing::Well);
    assert!(told.markdown().contains("with trailing, which is legal"));
    let mut told = Told::begin(bytes("p_q_inner_data"));
    told.send(3, Some(Fault::GFour));
    told.tell(What::Closed { by_client: true, reason: "end of the stream".to_owned() });
    let Verdict { standing, text } = told.verdict();
    assert!(standing == Standing::Failed && text.contains("did what is legal (g-four)"), "{text}");
}

#[test]
fn checks_that_held_take_no_room() {
    let mut told = Told::default();
    told.tell(What::Checked { rule: "HS-14", field: "pq", message: "", held: true });
    assert!(told.lines.is_empty());
}

#[test]
fn markdown_shows_each_field_and_escapes_what_a_peer_wrote() {
    let mut told = Told::whole();
    let text = "*bold* | <script> [link](x)\n# heading".to_owned();
    told.tell(What::Closed { by_client: true, reason: text });
    let written = told.markdown();
    assert!(written.starts_with("# Run 1\n\nWell: the permanent key"), "{written}");
    let pq = "| 56 | 12 | &ensp;pq | bytes | `1fef2ae1a3e34e11` = 2301105083215203857 |";
    assert!(written.contains(pq), "{written}");
    assert!(written.contains(r"\*bold\* \| \<script> \[link](x)�\# heading"));
}
