use std::sync::Arc;

use dayfly_client::OsRandom;
use dayfly_core::NoObserver;
use dayfly_core::env::{Clock, Env};
use dayfly_core::handshake::client::Created;
use dayfly_core::keys::bind::Binding;
use dayfly_core::keys::kind::{PermKey, TrafficKey, UnboundTempKey};
use dayfly_core::session::client::{ClientEvent, ClientOptions, ClientSession, RpcFailure};
use dayfly_core::session::{SessionId, envelope};
use dayfly_core::transport::Frame;
use dayfly_crypto::kdf::Side;
use dayfly_tl::mtproto::HttpWait;
use dayfly_tl::to_bytes;

use super::Peer;

/// A session under one key, over one connection at a time.
pub(crate) struct Talk {
    key: TrafficKey,
    binding: Option<Binding>,
    session: ClientSession,
}

/// What came instead of an answer.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Trouble {
    Rpc(RpcFailure),
    Transport(i32),
    Closed,
}

impl Talk {
    /// A session under a temporary key that is not bound yet.
    pub(crate) fn under_temp(created: &Created, peer: &Peer) -> Self {
        let expires_at = created.expires_at.unwrap();
        let key = UnboundTempKey::new(Arc::clone(&created.key), expires_at);
        let binding = Binding { temp: key.id(), expires_at: i32::try_from(expires_at).unwrap() };
        Self::new(TrafficKey::from(&key), Some(binding), created, peer)
    }

    /// A session under a permanent key, as clients without forward secrecy have it.
    pub(crate) fn under_perm(created: &Created, peer: &Peer) -> Self {
        let key = PermKey::new(Arc::clone(&created.key));
        Self::new(TrafficKey::without_forward_secrecy(&key), None, created, peer)
    }

    fn new(key: TrafficKey, binding: Option<Binding>, created: &Created, peer: &Peer) -> Self {
        let options = ClientOptions { ping_every: None, future_salts: 0, ..ClientOptions::default() };
        let (mut random, mut observer) = (OsRandom, NoObserver);
        let env = Env::new(peer.clock.now(), &mut random, &mut observer);
        let (salt, offset) = (created.server_salt, created.time_offset);
        let session = ClientSession::new(SessionId(0x1234_5678), salt, offset, options, &env);
        Self { key, binding, session }
    }

    /// Binds the key to `perm`.
    pub(crate) async fn bind(&mut self, perm: &Created, peer: &mut Peer) -> Result<Vec<u8>, Trouble> {
        let binding = self.binding.expect("a temporary key");
        let perm = PermKey::new(Arc::clone(&perm.key));
        self.session.call_built(Box::new(move |msg_id, session, random| {
            binding.request(&perm, msg_id, session, random)
        }));
        self.answer(peer).await
    }

    /// Makes a call, constructor first, and waits for its answer.
    pub(crate) async fn call(&mut self, body: Vec<u8>, peer: &mut Peer) -> Result<Vec<u8>, Trouble> {
        self.session.call(body);
        self.answer(peer).await
    }

    /// Makes a call without waiting.
    pub(crate) async fn send(&mut self, body: Vec<u8>, peer: &mut Peer) {
        self.session.call(body);
        self.transmit(peer).await;
    }

    /// Waits for the next answer.
    pub(crate) async fn answer(&mut self, peer: &mut Peer) -> Result<Vec<u8>, Trouble> {
        loop {
            self.transmit(peer).await;
            while let Some(event) = self.session.poll_event() {
                if let ClientEvent::Answer { result, .. } = event {
                    return result.map_err(Trouble::Rpc);
                }
            }
            if peer.needs_request() {
                // The server has no other way to say anything.
                self.session.call(to_bytes(&HttpWait { max_delay: 0, wait_after: 0, max_wait: 20_000 }));
                self.transmit(peer).await;
            }
            match peer.frame().await {
                Some(Frame::Payload { mut bytes, .. }) => self.take(&mut bytes, peer),
                Some(Frame::Error(code)) => return Err(Trouble::Transport(code)),
                Some(_) => {}
                None => return Err(Trouble::Closed),
            }
        }
    }

    async fn transmit(&mut self, peer: &mut Peer) {
        let (mut random, mut observer) = (OsRandom, NoObserver);
        let mut env = Env::new(peer.clock.now(), &mut random, &mut observer);
        while let Some(plaintext) = self.session.poll_transmit(&mut env) {
            let packet = envelope::seal(&self.key, Side::Client, &plaintext, env.random).unwrap();
            peer.send(&packet).await;
        }
    }

    fn take(&mut self, packet: &mut [u8], peer: &Peer) {
        let (mut random, mut observer) = (OsRandom, NoObserver);
        let mut env = Env::new(peer.clock.now(), &mut random, &mut observer);
        let opened = envelope::open(&self.key, Side::Server, packet).unwrap();
        self.session.handle_message(&opened, &mut env).unwrap();
    }
}

/// An rpc_error, to be compared with.
pub(crate) fn rpc_error(code: i32, message: &str) -> Trouble {
    Trouble::Rpc(RpcFailure::Error { code, message: message.to_owned() })
}
