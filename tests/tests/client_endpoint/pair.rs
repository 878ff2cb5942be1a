//! Both endpoints, and a wire between them.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use dayfly_core::client::{CallId, ClientConfig, ClientEndpoint, Event, LinkId, SavedKey};
use dayfly_core::job::Job;
use dayfly_core::server::ConnectionId;
use dayfly_core::session::client::RpcFailure;
use dayfly_core::transport::{Kind, Obfuscation};
use dayfly_crypto::AuthKeyId;
use dayfly_tl::mtproto::{RpcError, RpcResult};
use dayfly_tl::{api, to_bytes};

use crate::peers::{Key, Rig, START, Speaker, World, call, frame, public_key, seconds};
use crate::wire::{Catch, Caught};

pub(crate) struct Pair {
    pub(crate) client: ClientEndpoint,
    pub(crate) world: World,
    pub(crate) rig: Rig,
    pub(crate) events: Vec<Event>,
    pub(crate) answers: BTreeMap<CallId, Result<Vec<u8>, RpcFailure>>,
    /// Connections that the client asked for, in order.
    pub(crate) wanted: Vec<LinkId>,
    /// Connections are left to be made by hand.
    pub(crate) hold_connects: bool,
    /// Connections fail.
    pub(crate) offline: bool,
    /// What the client says on these is lost.
    pub(crate) stalled: BTreeSet<LinkId>,
    pub(crate) catch: Catch,
    pub(crate) caught: VecDeque<Caught>,
    pub(crate) hold_jobs: bool,
    pub(crate) jobs: Vec<Job>,
    /// Every payload that the client sent.
    pub(crate) sent: Vec<(LinkId, Vec<u8>)>,
    /// The link on which each key was spoken under last.
    pub(crate) links_of: BTreeMap<AuthKeyId, LinkId>,
    pub(crate) links: BTreeMap<LinkId, ConnectionId>,
    pub(crate) streams: BTreeMap<LinkId, Vec<u8>>,
    puppets: BTreeMap<AuthKeyId, Speaker>,
}

/// A permanent key of number 1 that was made so many seconds before the start.
pub(crate) fn saved(age: u64) -> SavedKey {
    SavedKey { key: Key::perm(1).secret, created_at: START - age, dc: 2 }
}

impl Pair {
    /// Neither has any key.
    pub(crate) fn new() -> Self {
        Self::with(None, |_| {})
    }

    /// Both have the permanent key of number 1.
    pub(crate) fn with_perm() -> Self {
        Self::with(Some(saved(1000)), |_| {})
    }

    pub(crate) fn with(saved: Option<SavedKey>, change: impl FnOnce(&mut ClientConfig)) -> Self {
        let mut config = ClientConfig::new([public_key()].into());
        config.transport = Kind::Intermediate;
        config.obfuscation = Arc::new(Obfuscation::None);
        config.expires_in = 4000;
        config.exponent_bits = 256;
        change(&mut config);
        // Calls that a test holds back may be owed for as long as it likes.
        let mut rig = Rig::new(|config| config.call_deadline = seconds(1_000_000));
        rig.is_raw = true;
        rig.perm(1);
        Self {
            client: ClientEndpoint::new(config, saved),
            world: World::new(6),
            rig,
            events: Vec::new(),
            answers: BTreeMap::new(),
            wanted: Vec::new(),
            hold_connects: false,
            offline: false,
            stalled: BTreeSet::new(),
            catch: Catch::Nothing,
            caught: VecDeque::new(),
            hold_jobs: false,
            jobs: Vec::new(),
            sent: Vec::new(),
            links_of: BTreeMap::new(),
            links: BTreeMap::new(),
            streams: BTreeMap::new(),
            puppets: BTreeMap::new(),
        }
    }

    pub(crate) fn start(&mut self) {
        self.client.start(&mut self.world.env());
        self.settle();
    }

    /// Starts, and takes the binding for granted.
    pub(crate) fn started(mut self) -> Self {
        self.start();
        assert!(self.client.is_ready(), "{:?}", self.events);
        self.events.clear();
        self
    }

    pub(crate) fn call(&mut self, number: u32) -> CallId {
        let call = self.client.call(call(number), &mut self.world.env());
        self.settle();
        call
    }

    /// Whether the call was answered, and well.
    pub(crate) fn is_answered(&self, call: CallId) -> bool {
        self.answers.get(&call) == Some(&Ok(to_bytes(&api::BoolTrue)))
    }

    /// The temporary keys that were bound, in order.
    pub(crate) fn bound(&self) -> Vec<AuthKeyId> {
        self.pick(|event| if let Event::Bound { temp, .. } = event { Some(*temp) } else { None })
    }

    /// The temporary keys that were made, in order.
    pub(crate) fn made(&self) -> Vec<AuthKeyId> {
        self.pick(|event| if let Event::TempKeyMade { key, .. } = event { Some(*key) } else { None })
    }

    pub(crate) fn pick<T>(&self, of: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(of).collect()
    }

    pub(crate) fn perm_lost(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::PermKeyLost { .. }))
    }

    /// The permanent keys that calls came under at the back end, each once.
    pub(crate) fn callers(&self) -> BTreeSet<AuthKeyId> {
        self.rig.calls.iter().map(|call| call.key).collect()
    }

    /// Lets time pass, and both do what is due, each thing at its time.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.world.now.monotonic + time;
        for _ in 0..20_000 {
            let due = [self.client.poll_timeout(), self.rig.server.poll_timeout()];
            let next = due.into_iter().flatten().min().filter(|at| *at <= until);
            let step = next.unwrap_or(until).saturating_sub(self.world.now.monotonic);
            self.world.pass(step);
            self.rig.world.pass(step);
            self.client.handle_timeout(&mut self.world.env());
            self.rig.server.handle_timeout(&mut self.rig.world.env());
            self.settle();
            if next.is_none() {
                return;
            }
        }
        panic!("the timers do not come to rest");
    }

    /// Lets time pass until `happened`, for `most` at the longest; how long it took.
    pub(crate) fn pass_until(&mut self, most: Duration, happened: impl Fn(&Self) -> bool) -> Duration {
        let start = self.world.now.monotonic;
        while !happened(self) {
            assert!(self.world.now.monotonic - start < most, "it did not happen: {:?}", self.events);
            self.pass(Duration::from_millis(50));
        }
        self.world.now.monotonic - start
    }

    /// A connection is lost.
    pub(crate) fn cut(&mut self, link: LinkId) {
        if let Some(connection) = self.links.remove(&link) {
            self.rig.close(connection);
        }
        self.client.handle_closed(link, &mut self.world.env());
        self.settle();
    }

    /// Something comes to the client that the server never sent.
    pub(crate) fn inject(&mut self, link: LinkId, payload: &[u8]) {
        self.client.handle_bytes(link, &frame(payload), &mut self.world.env());
        self.settle();
    }

    pub(crate) fn transport_error(&mut self, link: LinkId, code: i32) {
        self.inject(link, &code.to_le_bytes());
    }

    /// Answers a message that was caught.
    pub(crate) fn answer(&mut self, caught: &Caught, result: &[u8]) {
        let body = to_bytes(&RpcResult { req_msg_id: caught.msg_id.to_long(), result });
        let key = self.traffic_key(caught.key).expect("a key");
        let puppet = self.puppets.entry(caught.key).or_insert_with(|| Speaker::server(key, caught.session));
        let said = puppet.say(body, self.rig.world.now);
        let packet = puppet.seal(&said, &mut self.rig.world);
        self.inject(caught.link, &packet);
    }

    pub(crate) fn refuse(&mut self, caught: &Caught, error_code: i32, error: &str) {
        self.answer(caught, &to_bytes(&RpcError { error_code, error_message: error.as_bytes() }));
    }

    /// The oldest binding that was caught; whatever came before it is dropped.
    pub(crate) fn caught_bind(&mut self) -> Option<Caught> {
        while let Some(caught) = self.caught.pop_front() {
            if caught.is_bind() {
                return Some(caught);
            }
        }
        None
    }

    /// Lets time pass until a binding was caught; how long it took.
    pub(crate) fn wait_for_bind(&mut self, most: Duration) -> (Caught, Duration) {
        let start = self.world.now.monotonic;
        loop {
            if let Some(caught) = self.caught_bind() {
                return (caught, self.world.now.monotonic - start);
            }
            assert!(self.world.now.monotonic - start < most, "no binding: {:?}", self.events);
            self.pass(Duration::from_millis(10));
        }
    }

    /// Lets time pass until the binding of the next key was sent, which does not arrive.
    pub(crate) fn renewing(&mut self) -> Caught {
        self.catch = Catch::Bindings;
        self.pass_until(seconds(4000), |pair| pair.caught.iter().any(Caught::is_bind));
        self.catch = Catch::Nothing;
        self.caught_bind().expect("a binding")
    }

    /// The server has forgotten a temporary key.
    pub(crate) fn lose(&mut self, key: AuthKeyId) {
        self.rig.store.forget(key);
        self.rig.server.handle_ended(&[key], &mut self.rig.world.env());
        self.rig.settle();
        self.settle();
    }
}
