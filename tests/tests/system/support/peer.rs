use std::net::SocketAddr;

use dayfly_client::{Obfuscation, OsRandom, SystemClock};
use dayfly_core::NoObserver;
use dayfly_core::env::{Clock, Env};
use dayfly_core::handshake::client::{ClientConfig, ClientHandshake, Created, Output};
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::plain;
use dayfly_core::transport::{ClientTransport, Frame, Kind};
use dayfly_testkit::test_key;
use dayfly_tl::mtproto::{ReqPqMulti, ResPq};
use dayfly_tl::{Read, to_bytes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::road::{Road, head_of};
use super::{EXPONENT_BITS, within};

/// The key is that of RFC 6455, whose accept is there too.
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// One connection of a client, frame by frame.
pub(crate) struct Peer {
    socket: TcpStream,
    road: Road,
    transport: ClientTransport,
    pub(crate) clock: SystemClock,
}

impl Peer {
    pub(crate) async fn connect(address: SocketAddr, kind: Kind) -> Self {
        Self::obfuscated(address, kind, &Obfuscation::None).await
    }

    pub(crate) async fn obfuscated(address: SocketAddr, kind: Kind, obfuscation: &Obfuscation) -> Self {
        let mut peer = Self::silent(address, kind, obfuscation).await;
        let (transport, opening) = ClientTransport::new(kind, obfuscation, &mut OsRandom).unwrap();
        peer.transport = transport;
        peer.send_raw(&opening).await;
        peer
    }

    /// Connected, and not a byte sent.
    pub(crate) async fn silent(address: SocketAddr, kind: Kind, obfuscation: &Obfuscation) -> Self {
        let socket = within("a connection", TcpStream::connect(address)).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (transport, _) = ClientTransport::new(kind, obfuscation, &mut OsRandom).unwrap();
        Self { socket, road: Road::Tcp, transport, clock: SystemClock::default() }
    }

    /// Over WebSocket, which every server frame and every client frame is cut for at odd places.
    pub(crate) async fn websocket(address: SocketAddr) -> Self {
        let obfuscation = Obfuscation::Plain;
        let mut peer = Self::silent(address, Kind::Intermediate, &obfuscation).await;
        peer.send_raw(&head_of("GET", "/apiws", UPGRADE)).await;
        let (status, head) = super::read_head(&mut peer.socket).await;
        assert_eq!(status, 101, "{head}");
        assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
        assert!(head.contains("sec-websocket-protocol: binary\r\n"), "{head}");
        peer.road = Road::WebSocket { unread: Vec::new() };
        let (transport, opening) =
            ClientTransport::new(Kind::Intermediate, &obfuscation, &mut OsRandom).unwrap();
        peer.transport = transport;
        peer.send_raw(&opening).await;
        peer
    }

    /// Over HTTP, by this path.
    pub(crate) async fn http(address: SocketAddr, path: &'static str) -> Self {
        let mut peer = Self::silent(address, Kind::Abridged, &Obfuscation::None).await;
        peer.road = Road::Http { path, owed: 0 };
        peer
    }

    /// Whether the server can say nothing before it is asked again.
    pub(crate) fn needs_request(&self) -> bool {
        matches!(self.road, Road::Http { owed: 0, .. })
    }

    /// Sends bytes as they are. A server that has closed already is no error here: tests look at what it says.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(&self.road.wrapped(bytes)).await;
    }

    /// Frames a payload, without sending it.
    pub(crate) fn framed(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.transport.send(payload, false, &mut bytes, &mut OsRandom).unwrap();
        bytes
    }

    pub(crate) async fn send(&mut self, payload: &[u8]) {
        if self.road.count_request() {
            return self.send_raw(payload).await;
        }
        let bytes = self.framed(payload);
        self.send_raw(&bytes).await;
    }

    /// The next frame; `None` once the server has closed the connection.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        if let Road::Http { owed, .. } = &mut self.road {
            *owed = owed.checked_sub(1).expect("a request that waits");
            return self.response().await;
        }
        let mut buffer = [0; 4096];
        loop {
            if let Some(frame) = self.transport.poll_frame().unwrap() {
                return Some(frame);
            }
            match within("a frame or the end of the connection", self.socket.read(&mut buffer)).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.transport.receive(&self.road.unwrapped(&buffer[..count])?),
            }
        }
    }

    /// The next response as a frame.
    async fn response(&mut self) -> Option<Frame> {
        let (status, head) = super::read_head(&mut self.socket).await;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut bytes = vec![0; length.parse().unwrap()];
        within("a body", self.socket.read_exact(&mut bytes)).await.ok()?;
        Some(match status {
            200 if bytes.is_empty() => Frame::Nop,
            200 => Frame::Payload { bytes, quick_ack: false },
            error => Frame::Error(-i32::from(error)),
        })
    }

    /// The next payload.
    pub(crate) async fn payload(&mut self) -> Vec<u8> {
        match self.frame().await {
            Some(Frame::Payload { bytes, .. }) => bytes,
            other => panic!("expected a payload, got {other:?}"),
        }
    }

    /// The next transport error.
    pub(crate) async fn error(&mut self) -> i32 {
        match self.frame().await {
            Some(Frame::Error(code)) => code,
            other => panic!("expected a transport error, got {other:?}"),
        }
    }

    /// Waits until the server closes the connection; nothing may come before that.
    pub(crate) async fn is_closed_without_a_word(&mut self) {
        let mut buffer = [0; 64];
        match within("the end of the connection", self.socket.read(&mut buffer)).await {
            Ok(0) | Err(_) => {}
            Ok(count) => panic!("the server said {} before it closed", hex::encode(&buffer[..count])),
        }
    }

    /// Waits until the server closes the connection, and gives all that it said before that, framing and all.
    pub(crate) async fn last_words(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        // A connection that is reset after its last words ends as well as one that is closed.
        let _ = within("the end of the connection", self.socket.read_to_end(&mut said)).await;
        said
    }

    /// Closes our side of the connection alone.
    pub(crate) async fn shut_down_writing(&mut self) {
        self.socket.shutdown().await.unwrap();
    }

    /// Asks for a `resPQ` with a `nonce`, in the older form or the newer; panics unless it comes.
    pub(crate) async fn ask_res_pq(&mut self, query: &[u8], nonce: [u8; 16]) -> [u8; 16] {
        self.send(&plain::write(0, query)).await;
        self.take_res_pq(nonce).await
    }

    /// Takes a `resPQ` with `nonce`, and gives its server_nonce.
    pub(crate) async fn take_res_pq(&mut self, nonce: [u8; 16]) -> [u8; 16] {
        let payload = self.payload().await;
        let message = plain::PlainMessage::from_server(&payload).unwrap();
        let answer = ResPq::read(&mut dayfly_tl::Reader::new(message.body)).unwrap();
        assert_eq!(answer.nonce, nonce);
        answer.server_nonce
    }

    /// Whether the server still serves this connection.
    pub(crate) async fn is_served(&mut self) {
        let nonce = [0x5a; 16];
        self.ask_res_pq(&to_bytes(&ReqPqMulti { nonce }), nonce).await;
    }

    /// A whole key exchange by the shipped machine; panics unless there is a key at its end.
    pub(crate) async fn make_key(&mut self, kind: KeyKind) -> Created {
        self.try_make_key(kind)
            .await
            .unwrap_or_else(|code| panic!("transport error {code} in a key exchange"))
    }

    /// The same, up to the first transport error.
    pub(crate) async fn try_make_key(&mut self, kind: KeyKind) -> Result<Created, i32> {
        let mut config = ClientConfig::new([test_key().public().clone()].into(), kind, 2);
        config.exponent_bits = EXPONENT_BITS;
        let (mut random, mut observer, clock) = (OsRandom, NoObserver, self.clock);
        let mut env = Env::new(clock.now(), &mut random, &mut observer);
        let mut machine = ClientHandshake::new(config, &mut env).unwrap();
        loop {
            while let Some(job) = machine.poll_job() {
                machine.handle_job(job.perform(), &mut env).unwrap();
            }
            match machine.poll_output() {
                Some(Output::Send(message)) => self.send(&message).await,
                Some(Output::Done(created)) => return Ok(created),
                None => match self.frame().await {
                    Some(Frame::Payload { bytes, .. }) => machine.handle_message(&bytes, &mut env).unwrap(),
                    Some(Frame::Error(code)) => return Err(code),
                    other => panic!("a key exchange was answered with {other:?}"),
                },
            }
        }
    }
}
