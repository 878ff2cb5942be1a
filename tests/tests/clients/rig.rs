//! A recording, the server that it plays to, and what that server says.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use dayfly_core::handshake::server::{HandshakeEvent, ServerConfig};
use dayfly_core::keys::kind::{TrafficKey, UnboundTempKey};
use dayfly_core::keys::requests::Lifetime;
use dayfly_core::server::{ConnectionId, EndpointConfig, Event, Output};
use dayfly_core::session::container::{self, Inner};
use dayfly_core::session::{MsgId, SessionId, envelope, query};
use dayfly_core::transport::{ClientTransport, Frame, Kind, Limits, Obfuscation, ServerTransport};
use dayfly_crypto::kdf::Side;
use dayfly_crypto::{AuthKey, AuthKeyId};
use dayfly_testkit::clients::{Act, Recording, Stage, Step};
use dayfly_testkit::{ScriptedRandom, SeededRandom};
use dayfly_tl::Reader;

use crate::peers::{self, Heard, Outcome};

/// A frame that the client sent, out of its transport.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Duration,
    pub(crate) on: u64,
    pub(crate) frame: Vec<u8>,
}

impl Sent {
    /// Whether it is of the key exchange.
    pub(crate) fn is_plain(&self) -> bool {
        self.frame[..8] == [0; 8]
    }

    /// The constructor of a plain message, 0 for an encrypted one.
    pub(crate) fn constructor(&self) -> u32 {
        if self.is_plain() { Reader::new(&self.frame[20..]).peek_id().unwrap() } else { 0 }
    }
}

/// A message that the client sent, out of its envelope and container.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) key: AuthKeyId,
    pub(crate) salt: i64,
    pub(crate) session: SessionId,
    pub(crate) msg_id: MsgId,
    pub(crate) seqno: i32,
    pub(crate) body: Vec<u8>,
    /// Whether it came in a container.
    pub(crate) contained: bool,
}

impl Said {
    /// The constructor as it stands in the message, wrappers and all.
    pub(crate) fn outermost(&self) -> u32 {
        Reader::new(&self.body).peek_id().unwrap()
    }

    /// The constructor of what the wrappers are around.
    pub(crate) fn innermost(&self) -> u32 {
        query::peel(&self.body, 1 << 20).unwrap().constructor()
    }
}

/// One connection as both ends see it.
struct Line {
    /// Reads what the client sends.
    ours: ServerTransport,
    /// The first bytes, in which an obfuscated client has its keys.
    begin: Vec<u8>,
    /// Reads what the server sends, and frames what a test adds; known as soon as the transport is.
    theirs: Option<ClientTransport>,
}

impl Line {
    fn new() -> Self {
        Self { ours: ServerTransport::new(Arc::new(Limits::default())), begin: Vec::new(), theirs: None }
    }

    /// Takes what the client sends; gives the whole frames.
    fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.begin.extend(bytes);
        self.ours.receive(bytes);
        let mut frames = Vec::new();
        while let Some(frame) = self.ours.poll_frame().unwrap() {
            let Frame::Payload { bytes, .. } = frame else { panic!("a client sends {frame:?}") };
            frames.push(bytes);
        }
        if let (None, Some(kind)) = (&self.theirs, self.ours.kind()) {
            self.theirs = Some(self.other_end(kind));
        }
        frames
    }

    fn other_end(&self, kind: Kind) -> ClientTransport {
        let obfuscation = if self.ours.obfuscated() { Obfuscation::Plain } else { Obfuscation::None };
        let init = self.begin.get(..64).unwrap_or_default();
        ClientTransport::new(kind, &obfuscation, &mut ScriptedRandom::new().public(init)).unwrap().0
    }
}

pub(crate) struct Replay {
    pub(crate) stage: Stage,
    pub(crate) recording: Recording,
    /// What the server said, on which connection.
    pub(crate) heard: Vec<(u64, Heard)>,
    played: usize,
    lines: BTreeMap<u64, Line>,
    connections: u64,
}

impl Replay {
    pub(crate) fn of(name: &str) -> Self {
        Self::with(name, |_, _| {})
    }

    /// The recording of this name, to be played to a server that is configured otherwise.
    pub(crate) fn with(name: &str, change: impl FnOnce(&mut EndpointConfig, &mut ServerConfig)) -> Self {
        let recording = Recording::named(name);
        Self {
            stage: Stage::with(&recording.server, change),
            recording,
            heard: Vec::new(),
            played: 0,
            lines: BTreeMap::new(),
            connections: 1000,
        }
    }

    /// Every frame of the recording, played or not.
    pub(crate) fn frames(&self) -> Vec<Sent> {
        let mut lines: BTreeMap<u64, Line> = BTreeMap::new();
        let frames = self.recording.steps.iter().flat_map(|step| {
            let frames = match step.act {
                Act::Sends => lines.entry(step.on).or_insert_with(Line::new).take(&step.bytes),
                Act::Posts => vec![step.bytes.to_vec()],
                Act::Connects | Act::Closes => Vec::new(),
            };
            frames.into_iter().map(|frame| Sent { at: step.time(), on: step.on, frame })
        });
        frames.collect()
    }

    /// Plays the recording to its end.
    pub(crate) fn play(&mut self) {
        self.play_until(|_| false);
    }

    /// Plays on until `done`, which is asked before every step, or to the end.
    pub(crate) fn play_until(&mut self, done: impl Fn(&Self) -> bool) {
        while self.played < self.recording.steps.len() && !done(self) {
            let step = self.recording.steps[self.played].clone();
            self.played += 1;
            self.play_step(&step);
        }
    }

    fn play_step(&mut self, step: &Step) {
        match step.act {
            Act::Connects => {
                self.lines.insert(step.on, Line::new());
            }
            Act::Sends => {
                self.line(step.on).take(&step.bytes);
            }
            Act::Posts | Act::Closes => {}
        }
        self.stage.play(step);
        self.listen();
    }

    fn line(&mut self, on: u64) -> &mut Line {
        self.lines.get_mut(&on).unwrap_or_else(|| panic!("there is no connection {on}"))
    }

    /// One more connection of the client's, over intermediate.
    pub(crate) fn connect(&mut self) -> u64 {
        let on = self.connections;
        self.connections += 1;
        self.lines.insert(on, Line::new());
        self.stage.connect(ConnectionId(on));
        self.send(on, &[0xee; 4]);
        on
    }

    fn send(&mut self, on: u64, bytes: &[u8]) {
        self.line(on).take(bytes);
        self.stage.send(ConnectionId(on), bytes);
        self.listen();
    }

    /// Sends a frame on a stream that is open, now; gives what is said on it at once.
    pub(crate) fn say(&mut self, on: u64, frame: &[u8]) -> Vec<Heard> {
        let before = self.heard.len();
        let transport = self.line(on).theirs.as_mut().expect("its transport is known");
        let mut bytes = Vec::new();
        transport.send(frame, false, &mut bytes, &mut SeededRandom::new(on)).unwrap();
        self.send(on, &bytes);
        let new = self.heard[before..].iter().filter(|(from, _)| *from == on);
        new.map(|(_, heard)| heard.clone()).collect()
    }

    /// Sends all these frames on one new connection, each at its time; gives what is said on it.
    pub(crate) fn say_all<'a>(&mut self, frames: impl IntoIterator<Item = &'a Sent>) -> Vec<Heard> {
        let on = self.connect();
        for sent in frames {
            self.pass_until(sent.at);
            self.say(on, &sent.frame);
        }
        self.heard_on(on)
    }

    /// Lets time pass until this long after the start.
    pub(crate) fn pass_until(&mut self, at: Duration) {
        self.stage.pass_until(at);
        self.listen();
    }

    pub(crate) fn heard_on(&self, on: u64) -> Vec<Heard> {
        self.heard.iter().filter(|(from, _)| *from == on).map(|(_, heard)| heard.clone()).collect()
    }

    /// The answer to a message of the client's, on whichever connection it came.
    pub(crate) fn answer_to(&self, msg_id: MsgId) -> Option<Outcome> {
        self.heard.iter().find_map(|(_, heard)| heard.answer_to(msg_id))
    }

    /// Every plain answer of the server, in order.
    pub(crate) fn plain_answers(&self) -> Vec<&[u8]> {
        let plain = self.heard.iter().filter_map(|(_, heard)| match heard {
            Heard::Plain(message) => Some(message.as_slice()),
            _ => None,
        });
        plain.collect()
    }

    /// Every message that the client sends in the recording, in order; all keys must have been made.
    pub(crate) fn said(&self) -> Vec<Said> {
        let frames = self.frames();
        frames.iter().filter(|sent| !sent.is_plain()).flat_map(|sent| self.open(&sent.frame)).collect()
    }

    /// The messages of an encrypted frame of the client's.
    pub(crate) fn open(&self, frame: &[u8]) -> Vec<Said> {
        let key = envelope::key_id(frame).unwrap();
        let secret = self.stage.keys.get(&key).unwrap_or_else(|| panic!("nobody made the key {key:?}"));
        let mut packet = frame.to_vec();
        let opened = envelope::open(&traffic(secret), Side::Client, &mut packet).unwrap();
        let contained = container::is_container(opened.body);
        let inners = if contained {
            container::open(opened.body, opened.msg_id).unwrap()
        } else {
            vec![Inner { msg_id: opened.msg_id, seqno: opened.seqno, body: opened.body }]
        };
        let said = |inner: Inner<'_>| Said {
            key,
            salt: opened.salt,
            session: opened.session_id,
            msg_id: inner.msg_id,
            seqno: inner.seqno,
            body: inner.body.to_vec(),
            contained,
        };
        inners.into_iter().map(said).collect()
    }

    /// A message of the client's, alone in a packet, with another body.
    pub(crate) fn reseal(&self, said: &Said, body: &[u8]) -> Vec<u8> {
        let plaintext = envelope::plaintext(said.salt, said.session, said.msg_id, said.seqno, body);
        let key = traffic(&self.stage.keys[&said.key]);
        envelope::seal(&key, Side::Client, &plaintext, &mut SeededRandom::new(1)).unwrap()
    }

    /// Events that `pick` makes something of.
    pub(crate) fn events<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.stage.events.iter().filter_map(pick).collect()
    }

    /// Every key that was made: its id, its life, the dc of its inner data.
    pub(crate) fn keys_made(&self) -> Vec<(AuthKeyId, Lifetime, i32)> {
        self.events(|event| match event {
            Event::Handshake(HandshakeEvent::KeyMade { id, lifetime, dc, .. }) => Some((*id, *lifetime, *dc)),
            _ => None,
        })
    }

    /// Every binding that was made: the temporary key, when it ends, the keys that it replaced.
    pub(crate) fn bindings(&self) -> Vec<(AuthKeyId, u64, Vec<AuthKeyId>)> {
        self.events(|event| match event {
            Event::Bound { temp, expires_at, replaced, .. } => Some((*temp, *expires_at, replaced.clone())),
            _ => None,
        })
    }

    fn listen(&mut self) {
        while let Some(output) = self.stage.poll_output() {
            let (on, heard) = match output {
                Output::Send { connection: ConnectionId(on), bytes } => (on, self.read_stream(on, &bytes)),
                Output::Respond { connection, status, body } => {
                    let response = Heard::Response { status, empty: body.is_empty() };
                    let inside = if body.is_empty() { Vec::new() } else { self.read(body) };
                    (connection.0, [vec![response], inside].concat())
                }
                Output::Close { connection } => (connection.0, vec![Heard::Closed]),
            };
            self.heard.extend(heard.into_iter().map(|heard| (on, heard)));
        }
    }

    fn read_stream(&mut self, on: u64, bytes: &[u8]) -> Vec<Heard> {
        let transport = self.line(on).theirs.as_mut().expect("a server answers nobody who said nothing");
        transport.receive(bytes);
        let mut frames = Vec::new();
        while let Some(frame) = transport.poll_frame().unwrap() {
            frames.push(frame);
        }
        let read = |frame| match frame {
            Frame::Payload { bytes, .. } => self.read(bytes),
            Frame::Error(code) => vec![Heard::Error(code)],
            Frame::QuickAck(_) | Frame::Nop => Vec::new(),
        };
        frames.into_iter().flat_map(read).collect()
    }

    fn read(&self, payload: Vec<u8>) -> Vec<Heard> {
        let keys: BTreeMap<_, _> =
            self.stage.keys.iter().map(|(id, secret)| (*id, traffic(secret))).collect();
        peers::read(payload, Side::Server, |id| keys.get(&id))
    }
}

/// A key as one that traffic is sealed with.
fn traffic(secret: &Arc<AuthKey>) -> TrafficKey {
    TrafficKey::from(&UnboundTempKey::new(Arc::clone(secret), u64::MAX))
}
