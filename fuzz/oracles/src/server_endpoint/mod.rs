//! A whole server without I/O, against clients that the bytes play. They know three keys that the store has, so that what
//! they say is encrypted as it should be; the store and the back end are played by the bytes too.

mod backend;
mod bodies;
mod known;
mod link;

use core::net::{IpAddr, Ipv4Addr};
use std::collections::{BTreeMap, BTreeSet};

use dayfly_core::handshake::server::{ServerConfig, ServerLimits};
use dayfly_core::job::Job;
use dayfly_core::keys::requests::{StoreRequest, Ticket};
use dayfly_core::plain;
use dayfly_core::server::{
    ConnectionId, EndpointConfig, Event, KeyUse, Output, ServerEndpoint, UpstreamCall,
};
use dayfly_core::session::{MsgId, SessionId, envelope};
use dayfly_core::transport::Kind;
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::{AuthKeyId, kdf::Side};
use dayfly_tl::api::{HelpGetConfig, HelpGetNearestDc};
use dayfly_tl::mtproto::ReqPqMulti;
use dayfly_tl::to_bytes;

use self::known::Known;
use self::link::{Link, Sent};
use crate::input::Input;
use crate::jobs::made_up;
use crate::keys::ring;
use crate::world::{START, World};

/// Connections at a time.
const SLOTS: usize = 3;
/// Calls that may wait for the back end.
const CALLS: usize = 8;
/// The most that a script does.
const MOST_ACTIONS: usize = 200;
/// When the temporary keys end.
const EXPIRES_AT: u64 = START + 86_400;
/// The first salt of every key.
const SALT: i64 = 0x5a17;

/// What a script came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Calls that reached the back end.
    pub calls: usize,
    /// Keys that were bound.
    pub bound: usize,
    /// Encrypted messages of the server that a client could read.
    pub read: usize,
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
    play.report
}

struct Play {
    world: World,
    server: ServerEndpoint,
    allow_no_pfs: bool,
    /// Whether the last slot speaks HTTP.
    http: bool,
    links: [Option<Link>; SLOTS],
    connections: u64,
    last_msg_id: u64,
    seqno: i32,
    salt: i64,
    jobs: Vec<Job>,
    requests: Vec<(Ticket, StoreRequest)>,
    calls: Vec<UpstreamCall>,
    /// Keys that were to be revoked, and of which nothing was heard yet.
    revoking: usize,
    bound: BTreeMap<AuthKeyId, AuthKeyId>,
    /// Calls that were run; none is run twice while its session lasts.
    ran: BTreeSet<(SessionId, MsgId)>,
    report: Report,
}

impl Play {
    fn new(seed: u8) -> Self {
        let allow_no_pfs = seed & 2 != 0;
        let config = EndpointConfig {
            allow_no_pfs,
            tmp_sessions: 1 + usize::from(seed >> 2 & 1),
            frame_bytes: 1 << 14,
            calls: CALLS,
            ..EndpointConfig::default()
        };
        let limits = ServerLimits { unproven_runs: 8, proven_runs: 8, ..ServerLimits::default() };
        let handshakes = ServerConfig {
            exponent_bits: 256,
            limits,
            ..ServerConfig::new(ring(false), SafePrimeGroup::published())
        };
        Self {
            world: World::new(seed),
            server: ServerEndpoint::new(config, handshakes),
            allow_no_pfs,
            http: seed & 8 != 0,
            links: [const { None }; SLOTS],
            connections: 0,
            last_msg_id: START << 32,
            seqno: 0,
            salt: SALT,
            jobs: Vec::new(),
            requests: Vec::new(),
            calls: Vec::new(),
            revoking: 0,
            bound: BTreeMap::new(),
            ran: BTreeSet::new(),
            report: Report::default(),
        }
    }

    /// The lower half of a byte says what happens, the upper half where or how.
    fn act(&mut self, input: &mut Input<'_>) {
        let action = input.u8();
        let how = action >> 4;
        match action & 15 {
            0..6 => self.say(how, input),
            6..8 => self.answer_store(how),
            8 => self.answer_call(how, input),
            9 => self.finish_job(how),
            10 => self.let_time_pass(input.u16()),
            11 => self.say_plain(how, input),
            12 => self.say_raw(how, input.short()),
            13 => self.hang_up(how),
            14 => {
                self.server.handle_ended(&[Known::pick(how).id()], &mut self.world.env());
                self.settle();
            }
            _ => self.act_from_outside(how, input),
        }
    }

    /// An encrypted message over a connection, a new one if there is none: which key, which session, what in it.
    fn say(&mut self, how: u8, input: &mut Input<'_>) {
        let known = Known::pick(input.u8());
        let session = session(known, how & 1);
        let body = self.body(known, session, input, 3);
        let (msg_id, seqno) = match input.u8() {
            0 => (self.next_msg_id(), self.next_seqno()),
            1 => (MsgId(self.last_msg_id), self.seqno),
            2 => (MsgId(self.next_msg_id().0.wrapping_add(u64::from(input.u16()) << 32)), input.i32()),
            _ => (MsgId(self.last_msg_id.wrapping_sub(u64::from(input.u16()) << 30)), input.i32()),
        };
        self.send(how, known, &envelope::plaintext(self.salt, session, msg_id, seqno, &body));
    }

    fn send(&mut self, how: u8, known: Known, plaintext: &[u8]) {
        let sealed = envelope::seal(&known.traffic(), Side::Client, plaintext, &mut self.world.chance);
        let Ok(packet) = sealed else { return };
        self.send_payload(how, &packet);
    }

    fn send_payload(&mut self, how: u8, payload: &[u8]) {
        let Some(slot) = self.link(how >> 1) else { return };
        let Some(link) = &mut self.links[slot] else { return };
        let id = link.id;
        match link.sent(payload, how & 8 != 0, &mut self.world.chance) {
            Some(Sent::Bytes(bytes)) => self.server.handle_bytes(id, &bytes, &mut self.world.env()),
            Some(Sent::Request(body)) => self.server.handle_request(id, body, &mut self.world.env()),
            None => return,
        }
        self.settle();
    }

    fn say_raw(&mut self, how: u8, bytes: &[u8]) {
        let Some(slot) = self.link(how) else { return };
        let Some(link) = &mut self.links[slot] else { return };
        let id = link.id;
        match link.sent_raw(bytes) {
            Sent::Bytes(bytes) => self.server.handle_bytes(id, &bytes, &mut self.world.env()),
            Sent::Request(body) => self.server.handle_request(id, body, &mut self.world.env()),
        }
        self.settle();
    }

    fn say_plain(&mut self, how: u8, input: &mut Input<'_>) {
        let query = match how & 3 {
            0 => to_bytes(&ReqPqMulti { nonce: [input.u8(); 16] }),
            1 => input.words(),
            _ => return self.send_payload(how, &input.words()),
        };
        self.send_payload(how, &plain::write(0, &query));
    }

    /// The connection of a slot; opened if it is not there.
    fn link(&mut self, how: u8) -> Option<usize> {
        let slot = usize::from(how) % SLOTS;
        if self.links[slot].is_none() {
            let id = ConnectionId(self.connections);
            let (link, opening) = if self.http && slot == SLOTS - 1 {
                (Link::http(id), Vec::new())
            } else {
                Link::stream(id, Kind::ALL[usize::from(how) % 4], &mut self.world.chance)?
            };
            self.connections += 1;
            self.links[slot] = Some(link);
            let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, how));
            self.server.handle_connected(id, peer, self.world.now);
            self.server.handle_bytes(id, &opening, &mut self.world.env());
            self.settle();
        }
        self.links[slot].is_some().then_some(slot)
    }

    fn hang_up(&mut self, how: u8) {
        if let Some(link) = self.links[usize::from(how) % SLOTS].take() {
            self.server.handle_closed(link.id, self.world.now);
            self.settle();
        }
    }

    fn next_msg_id(&mut self) -> MsgId {
        self.last_msg_id = (self.last_msg_id + 4).max(self.world.now.unix_seconds() << 32);
        MsgId(self.last_msg_id)
    }

    /// As if everything were related to content.
    fn next_seqno(&mut self) -> i32 {
        self.seqno = self.seqno.wrapping_add(2) | 1;
        self.seqno
    }

    fn finish_job(&mut self, how: u8) {
        if self.jobs.is_empty() {
            return;
        }
        let job = self.jobs.remove(0);
        self.server.handle_job(made_up(job, how, &[0x11; 256]), &mut self.world.env());
        self.settle();
    }

    /// Some seconds, or until the server wants to be called.
    fn let_time_pass(&mut self, seconds: u16) {
        self.world.wait_or_until(seconds, self.server.poll_timeout());
        self.server.handle_timeout(&mut self.world.env());
        self.settle();
        let stuck = self.world.is_due(self.server.poll_timeout());
        assert!(!stuck, "the server wants to be called again at once");
    }

    /// Takes what came out of a call, and checks what must hold after each.
    fn settle(&mut self) {
        self.take_events();
        while let Some(call) = self.server.poll_call() {
            self.on_call(call);
        }
        let mut outputs = 0;
        while let Some(output) = self.server.poll_output() {
            outputs += 1;
            match output {
                Output::Send { connection, bytes } => self.on_bytes(connection, &bytes),
                Output::Respond { connection, status, body } => self.on_response(connection, status, body),
                Output::Close { connection } => self.on_close(connection),
            }
        }
        assert!(outputs <= 256, "{outputs} outputs of one call");
        self.jobs.extend(core::iter::from_fn(|| self.server.poll_job()));
        self.requests.extend(core::iter::from_fn(|| self.server.poll_store()));
        self.revoking -= core::iter::from_fn(|| self.server.poll_revoked()).count();
        assert!(self.server.calls_owed() <= CALLS, "{} calls wait", self.server.calls_owed());
        assert_eq!(self.server.connection_count(), self.links.iter().flatten().count(), "connections");
    }

    fn take_events(&mut self) {
        while let Some(event) = self.server.poll_event() {
            if let Event::SessionCreated { session_id, .. } = event {
                self.ran.retain(|(session, _)| *session != session_id);
            }
        }
    }

    /// Rules PF-05 and PF-23 hold, and no call comes twice.
    fn on_call(&mut self, call: UpstreamCall) {
        self.report.calls += 1;
        let open_to_all =
            [HelpGetConfig::CONSTRUCTOR, HelpGetNearestDc::CONSTRUCTOR].contains(&call.method());
        match call.key_use {
            KeyUse::Bound => assert!(self.bound.values().any(|perm| *perm == call.key), "a key nobody bound"),
            KeyUse::Unbound => assert!(open_to_all, "{:08x} under an unbound key", call.method()),
            KeyUse::Permanent => assert!(self.allow_no_pfs, "a call under a permanent key"),
        }
        assert!(self.ran.insert((call.session_id, call.msg_id)), "a call was run twice");
        self.calls.push(call);
    }

    fn on_close(&mut self, connection: ConnectionId) {
        let slot = self.links.iter_mut().find(|slot| slot.as_ref().is_some_and(|link| link.id == connection));
        let slot = slot.expect("only a connection that is there is closed");
        *slot = None;
    }

    fn link_of(&mut self, connection: ConnectionId) -> &mut Link {
        let link = self.links.iter_mut().flatten().find(|link| link.id == connection);
        link.expect("something for a connection that is there")
    }

    fn on_bytes(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let payloads = self.link_of(connection).received(bytes);
        payloads.into_iter().for_each(|payload| self.on_payload(payload));
    }

    fn on_response(&mut self, connection: ConnectionId, status: u16, body: Vec<u8>) {
        self.link_of(connection).responded();
        if status == 200 {
            self.on_payload(body);
        }
    }

    /// The client can read what the server says.
    fn on_payload(&mut self, mut payload: Vec<u8>) {
        let Some(known) = envelope::key_id(&payload).and_then(Known::of) else { return };
        let opened = envelope::open(&known.traffic(), Side::Server, &mut payload);
        self.salt = opened.expect("a server's message").salt;
        self.report.read += 1;
    }
}

/// Each key has two sessions of its own.
fn session(known: Known, which: u8) -> SessionId {
    SessionId(known as i64 * 16 + 2 + i64::from(which))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_under_an_unbound_key_reaches_the_back_end_and_is_answered() {
        // help.getConfig; the store finds the key; the back end answers.
        let report = play(&[0, 0, 0, 0, 0, 6, 0x88, 1, 0, 0, 0, 0]);
        assert_eq!((report.calls, report.bound), (1, 0));
        assert!(report.read > 0);
    }

    #[test]
    fn a_key_is_bound_and_may_then_call_anything() {
        // The bind; the store finds the temporary key, then the permanent one, then binds; a call.
        let report = play(&[0, 0, 0, 13, 0, 6, 6, 6, 0, 0, 18, 0, 0]);
        assert_eq!((report.calls, report.bound), (1, 1));
    }

    #[test]
    fn over_http_a_call_is_answered_in_the_response() {
        // As the first one, on the last slot.
        let report = play(&[8, 0x40, 0, 0, 0, 6, 0x88, 1, 0, 0, 0, 0]);
        assert_eq!(report.calls, 1);
        assert!(report.read > 0);
    }

    #[test]
    fn an_update_reaches_a_client() {
        let session = [0, 0, 0, 0, 0, 6];
        let update = [0xdf, 0, 0, 4, 7, 7, 7, 7];
        let report = play(&[&session[..], &update].concat());
        assert_eq!(report.read, play(&session).read + 1);
    }

    #[test]
    fn a_message_that_is_repeated_is_run_once() {
        let report = play(&[0, 0, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!(report.calls, 1);
    }
}
