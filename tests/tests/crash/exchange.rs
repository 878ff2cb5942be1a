//! What a client does: makes one key and says whether it was told of it; binds to a permanent key; speaks under a
//! temporary one.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dayfly_client::{Client, SavedKey, SessionStore};
use dayfly_core::handshake::client::{ClientConfig, ClientHandshake, Created, Output};
use dayfly_core::keys::kind::{KeyKind, TrafficKey, UnboundTempKey};
use dayfly_core::session::{MsgId, SessionId, envelope};
use dayfly_core::transport::{ClientTransport, Frame, Kind, Obfuscation};
use dayfly_core::{Env, NoObserver, Now};
use dayfly_crypto::kdf::Side;
use dayfly_testkit::SeededRandom;
use dayfly_tl::mtproto::Ping;
use dayfly_tl::to_bytes;

use crate::server::EXPONENT_BITS;

/// A day: no temporary key of these tests ends by itself.
pub(crate) const TEMP: KeyKind = KeyKind::Temp { expires_in: 86_400 };
/// Messages of either side in one exchange.
pub(crate) const MESSAGES: u64 = 6;

/// How long an answer is waited for while nothing is known to be wrong.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is asked meanwhile whether the server is gone.
const LOOK: Duration = Duration::from_millis(30);

/// One connection to a server, read and written in turn.
struct Wire<'a> {
    socket: TcpStream,
    transport: ClientTransport,
    random: SeededRandom,
    begun: Instant,
    is_gone: &'a dyn Fn() -> bool,
}

impl<'a> Wire<'a> {
    fn connect(address: SocketAddr, seed: u64, is_gone: &'a dyn Fn() -> bool) -> io::Result<Self> {
        let mut random = SeededRandom::new(seed);
        let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(LOOK))?;
        let (transport, opening) =
            ClientTransport::new(Kind::Intermediate, &Obfuscation::None, &mut random).unwrap();
        socket.write_all(&opening)?;
        Ok(Self { socket, transport, random, begun: Instant::now(), is_gone })
    }

    fn env<T>(&mut self, act: impl FnOnce(&mut Env<'_>) -> T) -> T {
        let now = Now { monotonic: self.begun.elapsed(), unix: unix() };
        act(&mut Env::new(now, &mut self.random, &mut NoObserver))
    }

    fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.transport.send(payload, false, &mut bytes, &mut self.random).unwrap();
        self.socket.write_all(&bytes)
    }

    fn receive(&mut self) -> io::Result<Frame> {
        let until = Instant::now() + PATIENCE;
        let mut buffer = [0; 4096];
        loop {
            if let Some(frame) = self.transport.poll_frame().unwrap() {
                return Ok(frame);
            }
            match self.socket.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.transport.receive(&buffer[..count]),
                Err(error) if is_timeout(&error) && !(self.is_gone)() && Instant::now() < until => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn unix() -> Duration {
    std::time::UNIX_EPOCH.elapsed().unwrap()
}

/// One exchange: what to make with whom, and what to do after each message of either side, counted from 1.
pub(crate) struct Exchange<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) kind: KeyKind,
    pub(crate) seed: u64,
    /// Whether the server is known to be gone though its connections are open.
    pub(crate) is_gone: &'a dyn Fn() -> bool,
}

impl Exchange<'_> {
    /// The key, if `dh_gen_ok` came; `None` if the server went away before.
    pub(crate) fn run(&self, mut after_message: impl FnMut(u64)) -> Option<Created> {
        let mut wire = Wire::connect(self.address, self.seed, self.is_gone).ok()?;
        let keys = [dayfly_testkit::test_key().public().clone()].into();
        let config = ClientConfig { exponent_bits: EXPONENT_BITS, ..ClientConfig::new(keys, self.kind, 2) };
        let mut machine = wire.env(|env| ClientHandshake::new(config, env)).unwrap();
        let mut messages = 0;
        let mut count = || {
            messages += 1;
            after_message(messages);
        };
        loop {
            if let Some(output) = machine.poll_output() {
                match output {
                    Output::Send(payload) => wire.send(&payload).ok()?,
                    Output::Done(created) => return Some(created),
                }
                count();
            } else if let Some(job) = machine.poll_job() {
                wire.env(|env| machine.handle_job(job.perform(), env)).unwrap();
            } else {
                let Frame::Payload { bytes, .. } = wire.receive().ok()? else { return None };
                count();
                wire.env(|env| machine.handle_message(&bytes, env)).unwrap();
            }
        }
    }
}

/// Whether a server knows a temporary key: it answers a ping under it; it must say -404 to any other key.
pub(crate) fn is_known(address: SocketAddr, key: &Created) -> bool {
    let mut wire = Wire::connect(address, 1, &|| false).unwrap();
    let traffic = TrafficKey::from(&UnboundTempKey::new(Arc::clone(&key.key), key.expires_at.unwrap()));
    let now = unix();
    let msg_id = MsgId(now.as_secs() << 32 | u64::from(now.subsec_micros()) << 10);
    let body = to_bytes(&Ping { ping_id: 7 });
    let plain = envelope::plaintext(key.server_salt, SessionId(1), msg_id, 1, &body);
    let frame = envelope::seal(&traffic, Side::Client, &plain, &mut wire.random).unwrap();
    wire.send(&frame).unwrap();
    match wire.receive().unwrap() {
        Frame::Payload { .. } => true,
        Frame::Error(-404) => false,
        other => panic!("{other:?} in answer to a ping"),
    }
}

/// Lends a client one permanent key, and notes when the client finds that the server has lost it.
struct Lent {
    key: SavedKey,
    is_lost: Arc<AtomicBool>,
}

impl SessionStore for Lent {
    fn load(&mut self) -> io::Result<Option<SavedKey>> {
        Ok(Some(self.key.clone()))
    }

    fn save(&mut self, _: &SavedKey) -> io::Result<()> {
        self.forget()
    }

    fn forget(&mut self) -> io::Result<()> {
        self.is_lost.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Whether the shipped client can bind a new temporary key to a permanent one. It is told to believe an
/// `ENCRYPTED_MESSAGE_INVALID` at once, however young the key is.
pub(crate) async fn still_binds(address: SocketAddr, key: &Created) -> bool {
    let mut config = dayfly_client::ClientConfig::new([dayfly_testkit::test_key().public().clone()].into());
    config.exponent_bits = EXPONENT_BITS;
    config.delays.young_key = Duration::ZERO;
    let is_lost = Arc::new(AtomicBool::new(false));
    let key = SavedKey { key: Arc::clone(&key.key), created_at: key.created_at, dc: key.dc };
    let session = Lent { key, is_lost: Arc::clone(&is_lost) };
    let connecting = Client::connect(address.to_string(), config, session);
    let connected = tokio::time::timeout(PATIENCE, connecting).await.is_ok_and(|outcome| outcome.is_ok());
    connected && !is_lost.load(Ordering::Relaxed)
}
