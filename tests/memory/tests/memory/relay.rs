//! Stands between client and server: records every byte, and holds back or refuses what the story says.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use dayfly_tl::Constructor as _;
use dayfly_tl::mtproto::SetClientDhParams;

/// Long enough for anything that a slow machine does here.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the object of a plain message begins: behind auth_key_id, msg_id and length.
pub(crate) const BODY: usize = 20;

/// What a relay lets through.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Gate {
    /// Everything up to `set_client_DH_params`, which waits.
    BeforeClientParams,
    /// Everything.
    Open,
    /// No new connection.
    NoMore,
}

/// Every payload of one connection, in order, without its framing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conversation {
    pub(crate) of_client: Vec<Vec<u8>>,
    pub(crate) of_server: Vec<Vec<u8>>,
}

struct State {
    gate: Gate,
    held: usize,
    conversations: Vec<Conversation>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    server: SocketAddr,
}

/// Runs until the process ends.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

impl Relay {
    pub(crate) fn start(server: SocketAddr, gate: Gate) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Mutex::new(State { gate, held: 0, conversations: Vec::new() });
        let shared = Arc::new(Shared { state, changed: Condvar::new(), server });
        let mine = Arc::clone(&shared);
        thread::spawn(move || listener.incoming().for_each(|client| mine.connect(client.unwrap())));
        Self { address, shared }
    }

    pub(crate) fn set(&self, gate: Gate) {
        self.shared.lock().gate = gate;
        self.shared.changed.notify_all();
    }

    /// Waits until so many connections wait at the gate.
    pub(crate) fn wait_until_held(&self, connections: usize) {
        let waiting = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), PATIENCE, |state| state.held < connections);
        assert!(!waiting.unwrap().1.timed_out(), "the exchanges do not come as far as the gate");
    }

    pub(crate) fn conversations(&self) -> Vec<Conversation> {
        self.shared.lock().conversations.clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        let mut state = self.lock();
        if state.gate == Gate::NoMore {
            return;
        }
        let number = state.conversations.len();
        state.conversations.push(Conversation::default());
        drop(state);
        let server = TcpStream::connect(self.server).unwrap();
        let (to_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let (one, other) = (Arc::clone(self), Arc::clone(self));
        thread::spawn(move || one.carry(client, to_server, |frame| one.of_client(number, frame)));
        thread::spawn(move || {
            other.carry(server, to_client, |frame| {
                other.lock().conversations[number].of_server.push(frame);
            })
        });
    }

    /// Carries the frames of the intermediate transport from one side to the other until one of them ends.
    fn carry(&self, mut from: TcpStream, mut to: TcpStream, record: impl Fn(Vec<u8>)) {
        while let Ok((raw, payload)) = read_frame(&mut from) {
            if let Some(payload) = payload {
                record(payload);
            }
            if to.write_all(&raw).is_err() {
                break;
            }
        }
        // Either may be closed already.
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }

    fn of_client(&self, number: usize, frame: Vec<u8>) {
        let is_client_params =
            frame.get(BODY..).is_some_and(|body| body.starts_with(&SetClientDhParams::ID.to_le_bytes()));
        let mut state = self.lock();
        state.conversations[number].of_client.push(frame);
        if is_client_params && state.gate == Gate::BeforeClientParams {
            state.held += 1;
            self.changed.notify_all();
            let opened = self
                .changed
                .wait_timeout_while(state, PATIENCE, |state| state.gate == Gate::BeforeClientParams);
            assert!(!opened.unwrap().1.timed_out(), "the gate was never opened");
        }
    }
}

/// The tag that opens the connection, or a length and its payload: as they stand on the wire, and the payload.
fn read_frame(from: &mut impl Read) -> io::Result<(Vec<u8>, Option<Vec<u8>>)> {
    let mut front = [0; 4];
    from.read_exact(&mut front)?;
    if front == [0xee; 4] {
        return Ok((front.to_vec(), None));
    }
    let mut payload = vec![0; u32::from_le_bytes(front) as usize];
    from.read_exact(&mut payload)?;
    Ok(([&front[..], &payload].concat(), Some(payload)))
}
