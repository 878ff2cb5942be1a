//! A whole client without I/O, against a server that the bytes play. The server knows the keys that it makes with the
//! client, so that what it says is encrypted as it should be.

mod bodies;
mod exchange;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dayfly_core::client::{CallId, ClientConfig, ClientEndpoint, LinkId, Output, SavedKey};
use dayfly_core::job::Job;
use dayfly_core::keys::kind::{TrafficKey, UnboundTempKey};
use dayfly_core::plain::{self, PlainMessage};
use dayfly_core::session::container::{self, Inner};
use dayfly_core::session::{MsgId, SessionId, envelope};
use dayfly_core::transport::{Frame, Kind, Limits, Obfuscation, ServerTransport};
use dayfly_crypto::rsa_key::PublicKey;
use dayfly_crypto::{AuthKey, AuthKeyId, kdf::Side};

use crate::input::Input;
use crate::jobs::made_up;
use crate::keys::private_key;
use crate::world::{START, World};

/// The most that a script does.
const MOST_ACTIONS: usize = 250;
/// The most calls that wait for an answer.
const MOST_CALLS: usize = 16;

/// What a script came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Calls that were answered, by a result or an error.
    pub answered: usize,
    /// Messages of the client that the server could read.
    pub read: usize,
    /// Whether calls went out at the end.
    pub ready: bool,
}

/// Plays the script.
pub fn check(data: &[u8]) {
    let _: Report = play(data);
}

/// Plays the script, and says what it came to.
#[must_use = "what a script came to; `check` plays it for its panics alone"]
pub fn play(data: &[u8]) -> Report {
    let mut input = Input::new(data);
    let mut play = Play::new(input.u8());
    input.in_turn(MOST_ACTIONS, |input| play.act(input));
    Report { ready: play.client.is_ready(), ..play.report }
}

/// The server's end of a connection.
struct Link {
    id: LinkId,
    transport: ServerTransport,
    /// The last query of a key exchange.
    query: Option<Vec<u8>>,
    /// The key and the session of the last encrypted message.
    session: Option<(AuthKeyId, SessionId)>,
    /// Content-related messages, the newest last.
    asked: Vec<MsgId>,
}

struct Play {
    world: World,
    client: ClientEndpoint,
    /// Connections that the client wants.
    wanted: Vec<LinkId>,
    links: Vec<Link>,
    known_links: BTreeSet<LinkId>,
    keys: BTreeMap<AuthKeyId, AuthKey>,
    perm: Option<AuthKeyId>,
    jobs: Vec<Job>,
    calls: BTreeSet<CallId>,
    last_msg_id: u64,
    report: Report,
}

impl Play {
    fn new(seed: u8) -> Self {
        let mut world = World::new(seed);
        let keys: Arc<[PublicKey]> = Arc::from([private_key().public().clone()]);
        let kind = Kind::ALL[usize::from(seed >> 1 & 3)];
        let obfuscation = if kind == Kind::Full { Obfuscation::None } else { Obfuscation::Plain };
        let config = ClientConfig {
            transport: kind,
            obfuscation: Arc::new(obfuscation),
            exponent_bits: 256,
            ..ClientConfig::new(keys)
        };
        let perm = AuthKey::copy_of(&[9; 256]);
        let saved = (seed & 1 == 0).then(|| {
            let key = Arc::new(AuthKey::copy_of(perm.expose()));
            SavedKey { key, created_at: START - 1_000, dc: 2 }
        });
        let mut client = ClientEndpoint::new(config, saved);
        client.start(&mut world.env());
        let mut play = Self {
            world,
            client,
            wanted: Vec::new(),
            links: Vec::new(),
            known_links: BTreeSet::new(),
            keys: BTreeMap::new(),
            perm: (seed & 1 == 0).then(|| perm.id()),
            jobs: Vec::new(),
            calls: BTreeSet::new(),
            last_msg_id: START << 32,
            report: Report::default(),
        };
        play.settle();
        play
    }

    /// The lower half of a byte says what happens, the upper half where or how.
    fn act(&mut self, input: &mut Input<'_>) {
        let action = input.u8();
        let how = action >> 4;
        match action & 15 {
            0 => self.connect(how),
            1..4 => self.answer_query(how, input),
            4 => self.finish_job(how),
            5..8 => self.answer_call(how, input),
            8 | 9 => self.say(how, input),
            10 => self.let_time_pass(input.u16()),
            11 => self.call(input),
            12 => self.refuse(how, input),
            13 => self.say_raw(how, input.short()),
            14 => self.hang_up(how),
            _ => self.world.chance.fails = how == 15,
        }
    }

    /// A connection that the client wants comes up, or does not.
    fn connect(&mut self, how: u8) {
        if self.wanted.is_empty() {
            return;
        }
        let id = self.wanted.remove(usize::from(how) % self.wanted.len());
        if how == 15 {
            self.client.handle_closed(id, &mut self.world.env());
        } else {
            let transport = ServerTransport::new(Arc::new(Limits::default()));
            self.links.push(Link { id, transport, query: None, session: None, asked: Vec::new() });
            self.client.handle_connected(id, &mut self.world.env());
        }
        self.settle();
    }

    fn link(&mut self, how: u8) -> Option<&mut Link> {
        let at = usize::from(how & 3).checked_rem(self.links.len())?;
        self.links.get_mut(at)
    }

    /// Sends a message under the key and in the session in which the client spoke last on this connection.
    fn encrypt(&mut self, how: u8, answer: bool, body: &[u8]) {
        let msg_id = self.next_msg_id(answer);
        let Some((key, session)) = self.link(how).and_then(|link| link.session) else { return };
        let Some(key) = self.traffic(key) else { return };
        let plaintext = envelope::plaintext(0x5a17, session, msg_id, 1, body);
        let sealed = envelope::seal(&key, Side::Server, &plaintext, &mut self.world.chance);
        if let Ok(packet) = sealed {
            self.deliver(how, &packet);
        }
    }

    fn traffic(&self, id: AuthKeyId) -> Option<TrafficKey> {
        let key = Arc::new(AuthKey::copy_of(self.keys.get(&id)?.expose()));
        Some(TrafficKey::from(&UnboundTempKey::new(key, u64::MAX)))
    }

    fn next_msg_id(&mut self, answer: bool) -> MsgId {
        self.last_msg_id = (self.last_msg_id + 4).max(self.world.now.unix_seconds() << 32) & !3;
        MsgId(self.last_msg_id | if answer { 1 } else { 3 })
    }

    fn deliver(&mut self, how: u8, payload: &[u8]) {
        let Self { links, world, client, .. } = self;
        let Some(at) = usize::from(how & 3).checked_rem(links.len()) else { return };
        let Some(link) = links.get_mut(at) else { return };
        let mut wire = Vec::new();
        if link.transport.send(payload, &mut wire, &mut world.chance).is_ok() {
            client.handle_bytes(link.id, &wire, &mut world.env());
            self.settle();
        }
    }

    fn refuse(&mut self, how: u8, input: &mut Input<'_>) {
        let code = match how >> 2 {
            0 | 1 => -404,
            2 => -429,
            _ => input.i32(),
        };
        let mut wire = Vec::new();
        let Some(link) = self.link(how) else { return };
        let id = link.id;
        if link.transport.send_error(code, &mut wire).is_ok() {
            self.client.handle_bytes(id, &wire, &mut self.world.env());
            self.settle();
        }
    }

    fn say_raw(&mut self, how: u8, bytes: &[u8]) {
        let Some(id) = self.link(how).map(|link| link.id) else { return };
        self.client.handle_bytes(id, bytes, &mut self.world.env());
        self.settle();
    }

    fn hang_up(&mut self, how: u8) {
        let Some(at) = usize::from(how & 3).checked_rem(self.links.len()) else { return };
        let link = self.links.remove(at);
        self.client.handle_closed(link.id, &mut self.world.env());
        self.settle();
    }

    fn finish_job(&mut self, how: u8) {
        if self.jobs.is_empty() {
            return;
        }
        let job = self.jobs.remove(usize::from(how) % self.jobs.len());
        self.client.handle_job(made_up(job, how / 2, &[0; 256]), &mut self.world.env());
        self.settle();
    }

    fn call(&mut self, input: &mut Input<'_>) {
        let body = [&0x1234_5678_u32.to_le_bytes()[..], &input.words()].concat();
        if self.calls.len() < MOST_CALLS {
            let call = self.client.call(body, &mut self.world.env());
            assert!(self.calls.insert(call), "two calls of one name");
            self.settle();
        }
    }

    /// Some seconds, or until the client wants to be called.
    fn let_time_pass(&mut self, seconds: u16) {
        self.world.wait_or_until(seconds, self.client.poll_timeout());
        self.client.handle_timeout(&mut self.world.env());
        self.settle();
        let stuck = self.world.is_due(self.client.poll_timeout());
        assert!(!stuck, "the client wants to be called again at once");
    }

    /// Takes what came out of a call, and checks what must hold after each.
    fn settle(&mut self) {
        let mut outputs = 0;
        while let Some(output) = self.client.poll_output() {
            outputs += 1;
            match output {
                Output::Connect { link } => {
                    assert!(self.known_links.insert(link), "two connections of one name");
                    self.wanted.push(link);
                }
                Output::Send { link, bytes } => self.on_bytes(link, &bytes),
                Output::Close { link } => {
                    self.wanted.retain(|wanted| *wanted != link);
                    self.links.retain(|open| open.id != link);
                }
                Output::Answer { call, .. } => {
                    assert!(self.calls.remove(&call), "an answer to no call, or a second one");
                    self.report.answered += 1;
                }
                Output::Update(_) | Output::Event(_) => {}
            }
        }
        assert!(outputs <= 256, "{outputs} outputs of one call");
        self.jobs.extend(core::iter::from_fn(|| self.client.poll_job()));
        // rule PF-04: the permanent key encrypts no message.
        assert_eq!(self.client.sent().under_perm, 0, "messages under the permanent key");
        assert!(self.links.len() + self.wanted.len() <= 8, "{} connections", self.links.len());
    }

    /// The server can read what the client says.
    fn on_bytes(&mut self, id: LinkId, bytes: &[u8]) {
        let link =
            self.links.iter_mut().find(|link| link.id == id).expect("bytes for a connection that is up");
        link.transport.receive(bytes);
        let mut payloads = Vec::new();
        while let Some(frame) = link.transport.poll_frame().expect("a client's frame") {
            if let Frame::Payload { bytes, .. } = frame {
                payloads.push(bytes);
            }
        }
        for payload in payloads {
            self.on_payload(id, payload);
        }
    }

    fn on_payload(&mut self, id: LinkId, mut payload: Vec<u8>) {
        let key = envelope::key_id(&payload).expect("a key id");
        assert_ne!(Some(key), self.perm, "a message under the permanent key");
        let traffic = self.traffic(key);
        let link = self.links.iter_mut().find(|link| link.id == id).expect("the same connection");
        if plain::is_plain(&payload) {
            let message = PlainMessage::from_client(&payload).expect("a plain message");
            link.query = Some(message.body.to_vec());
            return;
        }
        let traffic = traffic.expect("a key that the server helped to make");
        let opened = envelope::open(&traffic, Side::Client, &mut payload).expect("a client's message");
        link.session = Some((key, opened.session_id));
        let whole = Inner { msg_id: opened.msg_id, seqno: opened.seqno, body: opened.body };
        let messages = container::open(opened.body, opened.msg_id).unwrap_or_else(|_| vec![whole]);
        let content = messages.iter().filter(|message| message.seqno & 1 == 1);
        link.asked.extend(content.map(|message| message.msg_id));
        self.report.read += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The connection; resPQ, server_DH_params_ok, g_b and auth_key, dh_gen_ok.
    const HANDSHAKE: [u8; 6] = [0, 1, 1, 4, 4, 1];

    #[test]
    fn a_client_that_has_its_permanent_key_makes_another_binds_it_and_calls() {
        // boolTrue to the bind; a call, and its answer.
        let script = [&[0][..], &HANDSHAKE, &[5, 0, 11, 0, 5, 0]].concat();
        let report = play(&script);
        assert!(report.ready);
        assert_eq!(report.answered, 1);
    }

    #[test]
    fn without_a_permanent_key_both_are_made_at_once() {
        // Both connections, then each step on both of them.
        let steps: Vec<u8> = [[0x01, 0x11]; 2].concat();
        let jobs = [4, 4, 4, 4];
        let script = [&[1, 0, 0][..], &steps, &jobs, &[0x01, 0x11, 0x01], &[5, 0, 0x15, 0]].concat();
        assert!(play(&script).ready);
    }
}
