//! A server endpoint in a scripted world, and everything around it.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use dayfly_core::handshake::server::{KeyRing, ServerConfig, ServerKey};
use dayfly_core::job::{Job, perform_all};
use dayfly_core::keys::kind::TrafficKey;
use dayfly_core::keys::requests::{StoreOutcome, StoreRequest, Ticket};
use dayfly_core::server::{
    CallId, ConnectionId, EndpointConfig, Event, Output, ServerEndpoint, UpstreamCall,
};
use dayfly_core::session::MsgId;
use dayfly_core::session::server::Answer;
use dayfly_crypto::AuthKeyId;
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::kdf::Side;
use dayfly_tl::{api, to_bytes};

use super::heard::{self, Heard, Outcome};
use super::speaker::{Said, Speaker};
use super::store::Store;
use super::world::{Key, START, World, private_key};

/// From where every client comes.
pub(crate) const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

pub(crate) struct Rig {
    pub(crate) server: ServerEndpoint,
    pub(crate) world: World,
    pub(crate) store: Store,
    /// Requests to the store lie about until they are performed by hand.
    pub(crate) hold_store: bool,
    pub(crate) requests: VecDeque<(Ticket, StoreRequest)>,
    /// Calls are answered by hand; else each gets `boolTrue` at once.
    pub(crate) hold_calls: bool,
    /// All calls that reached the back end.
    pub(crate) calls: Vec<UpstreamCall>,
    pub(crate) events: Vec<Event>,
    pub(crate) heard: BTreeMap<ConnectionId, Vec<Heard>>,
    /// How many packets the server has sent.
    pub(crate) packets: usize,
    /// Bytes for connections that another machine reads.
    pub(crate) raw: VecDeque<Output>,
    /// Whether the bytes go to `raw` instead of being read here.
    pub(crate) is_raw: bool,
    keys: BTreeMap<AuthKeyId, TrafficKey>,
    streams: BTreeMap<ConnectionId, Vec<u8>>,
    next_connection: u64,
}

impl Rig {
    pub(crate) fn new(change: impl FnOnce(&mut EndpointConfig)) -> Self {
        let mut config = EndpointConfig::default();
        change(&mut config);
        let ring = KeyRing::new(vec![ServerKey { key: private_key(), old_rsa: false }]).unwrap();
        let mut handshakes = ServerConfig::new(Arc::new(ring), SafePrimeGroup::published());
        handshakes.exponent_bits = 256;
        Self {
            server: ServerEndpoint::new(config, handshakes),
            world: World::new(5),
            store: Store::default(),
            hold_store: false,
            requests: VecDeque::new(),
            hold_calls: false,
            calls: Vec::new(),
            events: Vec::new(),
            heard: BTreeMap::new(),
            packets: 0,
            raw: VecDeque::new(),
            is_raw: false,
            keys: BTreeMap::new(),
            streams: BTreeMap::new(),
            next_connection: 0,
        }
    }

    pub(crate) fn perm(&mut self, number: u8) -> Key {
        let key = Key::perm(number);
        self.keep(&key, 2, None);
        key
    }

    /// A temporary key of DC 2 that ends so many seconds after the start.
    pub(crate) fn temp(&mut self, number: u8, ends_after: u64) -> Key {
        let key = Key::temp(number, ends_after);
        self.keep(&key, 2, None);
        key
    }

    /// A temporary key of DC 2 that is bound and has an hour to live.
    pub(crate) fn bound(&mut self, number: u8, perm: &Key) -> Key {
        let key = Key::temp(number, 3600);
        self.keep(&key, 2, Some(perm.id));
        key
    }

    pub(crate) fn keep(&mut self, key: &Key, dc: i32, bound_to: Option<AuthKeyId>) {
        self.store.keep(key, dc, bound_to);
        self.keys.insert(key.id, key.traffic());
    }

    /// A connection, its transport told already.
    pub(crate) fn connect(&mut self) -> ConnectionId {
        let connection = self.connect_silent();
        self.bytes(connection, &[0xee; 4]);
        connection
    }

    /// A connection on which nothing was said yet.
    pub(crate) fn connect_silent(&mut self) -> ConnectionId {
        self.next_connection += 1;
        let connection = ConnectionId(self.next_connection);
        self.server.handle_connected(connection, PEER, self.world.now);
        connection
    }

    /// The body of a request over HTTP.
    pub(crate) fn request(&mut self, connection: ConnectionId, body: Vec<u8>) {
        self.server.handle_request(connection, body, &mut self.world.env());
        self.settle();
    }

    pub(crate) fn bytes(&mut self, connection: ConnectionId, bytes: &[u8]) {
        self.server.handle_bytes(connection, bytes, &mut self.world.env());
        self.settle();
    }

    /// Sends a payload.
    pub(crate) fn send(&mut self, connection: ConnectionId, payload: &[u8]) {
        self.bytes(connection, &heard::frame(payload));
    }

    /// Sends a message that was made.
    pub(crate) fn post(&mut self, connection: ConnectionId, speaker: &Speaker, said: &Said) {
        let packet = speaker.seal(said, &mut self.world);
        self.send(connection, &packet);
    }

    /// Makes a content-related message and sends it.
    pub(crate) fn say(&mut self, connection: ConnectionId, speaker: &mut Speaker, body: Vec<u8>) -> MsgId {
        let said = speaker.say(body, self.world.now);
        self.post(connection, speaker, &said);
        said.msg_id
    }

    /// Makes a call and takes the answer to it.
    pub(crate) fn ask(&mut self, connection: ConnectionId, speaker: &mut Speaker, body: Vec<u8>) -> Outcome {
        let msg_id = self.say(connection, speaker, body);
        self.answer_to(connection, msg_id).expect("an answer")
    }

    /// Binds the key that is spoken under, until its end.
    pub(crate) fn bind(&mut self, connection: ConnectionId, speaker: &mut Speaker, perm: &Key) -> Outcome {
        self.bind_until(connection, speaker, perm, START + 3600)
    }

    pub(crate) fn bind_until(
        &mut self,
        connection: ConnectionId,
        speaker: &mut Speaker,
        perm: &Key,
        expires_at: u64,
    ) -> Outcome {
        let said = speaker.bind(perm, expires_at, &mut self.world);
        self.post(connection, speaker, &said);
        self.answer_to(connection, said.msg_id).expect("an answer")
    }

    /// The answer that came to a message.
    pub(crate) fn answer_to(&self, connection: ConnectionId, msg_id: MsgId) -> Option<Outcome> {
        self.heard.get(&connection)?.iter().find_map(|heard| heard.answer_to(msg_id))
    }

    /// Takes what came on a connection.
    pub(crate) fn heard(&mut self, connection: ConnectionId) -> Vec<Heard> {
        self.heard.remove(&connection).unwrap_or_default()
    }

    /// Takes what came on a connection but messages.
    pub(crate) fn signals(&mut self, connection: ConnectionId) -> Vec<Heard> {
        let is_signal = |heard: &Heard| !matches!(heard, Heard::Message { .. });
        self.heard(connection).into_iter().filter(is_signal).collect()
    }

    /// The back end answers a call.
    pub(crate) fn answer(&mut self, call: CallId, answer: Answer) {
        self.server.handle_answer(call, answer, &mut self.world.env());
        self.settle();
    }

    /// The store answers a request.
    pub(crate) fn store_says(&mut self, ticket: Ticket, outcome: StoreOutcome) {
        self.server.handle_store(ticket, outcome, &mut self.world.env());
        self.settle();
    }

    /// The store performs the oldest of the requests that lie about.
    pub(crate) fn perform_one(&mut self) {
        let (ticket, request) = self.requests.pop_front().expect("a request");
        let outcome = self.store.perform(request);
        self.store_says(ticket, outcome);
    }

    pub(crate) fn close(&mut self, connection: ConnectionId) {
        self.server.handle_closed(connection, self.world.now);
        self.settle();
    }

    /// Lets time pass, and the server do what is due, each thing at its time.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.world.now.monotonic + time;
        for _ in 0..10_000 {
            let next = self.server.poll_timeout().filter(|at| *at <= until);
            let step = next.unwrap_or(until).saturating_sub(self.world.now.monotonic);
            self.world.pass(step);
            self.server.handle_timeout(&mut self.world.env());
            self.settle();
            if next.is_none() {
                return;
            }
        }
        panic!("the server's timers do not come to rest");
    }

    /// Does all work that was given out, until nothing happens any more.
    pub(crate) fn settle(&mut self) {
        loop {
            self.drain();
            let jobs: Vec<Job> = std::iter::from_fn(|| self.server.poll_job()).collect();
            let idle = jobs.is_empty();
            for result in perform_all(jobs) {
                self.server.handle_job(result, &mut self.world.env());
            }
            if !self.ask_store() && !self.take_calls() && idle {
                return;
            }
        }
    }

    fn ask_store(&mut self) -> bool {
        let asked = std::iter::from_fn(|| self.server.poll_store());
        self.requests.extend(asked);
        if self.hold_store || self.requests.is_empty() {
            return false;
        }
        while let Some((ticket, request)) = self.requests.pop_front() {
            let outcome = self.store.perform(request);
            self.server.handle_store(ticket, outcome, &mut self.world.env());
        }
        true
    }

    fn take_calls(&mut self) -> bool {
        let mut any = false;
        while let Some(call) = self.server.poll_call() {
            any = true;
            if !self.hold_calls {
                let answer = Answer::Result(to_bytes(&api::BoolTrue));
                self.server.handle_answer(call.id, answer, &mut self.world.env());
            }
            self.calls.push(call);
        }
        any
    }

    fn drain(&mut self) {
        self.events.extend(std::iter::from_fn(|| self.server.poll_event()));
        while let Some(output) = self.server.poll_output() {
            if self.is_raw {
                self.raw.push_back(output);
            } else {
                self.take(output);
            }
        }
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Send { connection, bytes } => {
                self.packets += 1;
                let stream = self.streams.entry(connection).or_default();
                stream.extend(bytes);
                for payload in heard::frames(stream) {
                    let heard = heard::read(payload, Side::Server, |id| self.keys.get(&id));
                    self.heard.entry(connection).or_default().extend(heard);
                }
            }
            Output::Respond { connection, status, body } => {
                let heard = self.heard.entry(connection).or_default();
                heard.push(Heard::Response { status, empty: body.is_empty() });
                if !body.is_empty() {
                    heard.extend(heard::read(body, Side::Server, |id| self.keys.get(&id)));
                }
            }
            Output::Close { connection } => {
                self.heard.entry(connection).or_default().push(Heard::Closed);
            }
        }
    }
}
