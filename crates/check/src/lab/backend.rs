//! The back end behind a lab: what it is asked, what it says, and what it asks. Nothing of it holds the engine up.

use std::collections::BTreeMap;
use std::future::pending;

use dayfly_core::Now;
use dayfly_core::server::{CallId, RevokeId, Revoked, UpstreamCall};
use dayfly_core::session::server::Answer;
use dayfly_server::{
    Backend, BackendError, Edge, EdgeRequest, GrpcBackend, OwnAnswers, Reply, Upstream as _,
};
use tokio::sync::{mpsc, oneshot};

use super::engine::Engine;
use super::event::What;

/// Questions of the back end that may wait for the engine.
const WAITING: usize = 16;

/// A back end, which was dialled.
pub(super) struct BackEnd {
    grpc: GrpcBackend,
    /// How answers come: without a bound of its own, since each is one of a call that waits.
    answer: mpsc::UnboundedSender<(Called, Answer)>,
    answers: mpsc::UnboundedReceiver<(Called, Answer)>,
    requests: mpsc::Receiver<EdgeRequest>,
    /// Who waits for the end of a key.
    revoking: BTreeMap<RevokeId, oneshot::Sender<Revoked>>,
    next_revoke: u64,
}

/// A call that the back end has.
#[derive(Clone, Copy)]
pub(super) struct Called {
    id: CallId,
    method: u32,
    /// Over which it came.
    connection: Option<u64>,
}

/// What comes from a back end.
pub(super) enum Heard {
    Answer(Called, Answer),
    Request(EdgeRequest),
}

impl BackEnd {
    /// Begins to dial. Until a stream stands, calls get the error that says so.
    ///
    /// # Errors
    /// [`BackendError`].
    pub(super) fn start(settings: &Backend, own: OwnAnswers) -> Result<Self, BackendError> {
        let mut grpc = GrpcBackend::new(settings, own)?;
        let (ask, requests) = mpsc::channel(WAITING);
        let (answer, answers) = mpsc::unbounded_channel();
        grpc.start(Edge::to(ask));
        Ok(Self { grpc, answer, answers, requests, revoking: BTreeMap::new(), next_revoke: 0 })
    }

    fn call(&mut self, connection: Option<u64>, call: UpstreamCall, now: Now) {
        let called = Called { id: call.id, method: call.method(), connection };
        let answer = self.answer.clone();
        // Fails only when the engine is gone.
        self.grpc.call(call, now, Reply::to(move |said| drop(answer.send((called, said)))));
    }

    async fn hear(&mut self) -> Heard {
        tokio::select! {
            Some((called, answer)) = self.answers.recv() => Heard::Answer(called, answer),
            Some(request) = self.requests.recv() => Heard::Request(request),
            else => pending().await,
        }
    }
}

/// The next thing that a back end says; never, where there is none.
pub(super) async fn hear(backend: &mut Option<BackEnd>) -> Heard {
    match backend {
        Some(backend) => backend.hear().await,
        None => pending().await,
    }
}

impl Engine {
    /// A call: a canned answer comes before the back end, and what that leaves to the lab after it.
    pub(super) fn on_call(&mut self, connection: Option<u64>, call: UpstreamCall, now: Now) {
        let method = call.method();
        match &mut self.backend {
            Some(backend) if !self.answers.canned.contains_key(&method) && !backend.grpc.is_own(method) => {
                backend.call(connection, call, now);
            }
            _ => {
                let answer = self.answers.to(method, now);
                self.feed(connection, now, |endpoint, env| endpoint.handle_answer(call.id, answer, env));
            }
        }
    }

    pub(super) fn on_heard(&mut self, heard: Heard) {
        match heard {
            Heard::Answer(called, answer) => self.on_answer(called, answer),
            Heard::Request(request) => self.on_request(request),
        }
    }

    fn on_answer(&mut self, Called { id, method, connection }: Called, answer: Answer) {
        let connection = connection.filter(|number| self.connections.contains_key(number));
        let error = match &answer {
            Answer::Error { code, message } => Some((*code, message.clone())),
            Answer::Result(_) => None,
        };
        self.tell(connection, What::BackEnd { method, error });
        self.with_endpoint(connection, |endpoint, env| endpoint.handle_answer(id, answer, env));
    }

    /// Whoever asked may have stopped waiting.
    fn on_request(&mut self, request: EdgeRequest) {
        match request {
            EdgeRequest::Push { to, update, tell } => {
                self.with_endpoint(None, |endpoint, env| {
                    let _ = tell.send(endpoint.handle_push(to, &update, env));
                });
            }
            EdgeRequest::Sessions { perm, tell } => {
                let sessions = self.endpoint.sessions_of(perm);
                let _ = tell.send(sessions.into_iter().map(|(_, session_id)| session_id).collect());
            }
            EdgeRequest::Revoke { key, tell } => {
                let Some(backend) = &mut self.backend else { return };
                let id = RevokeId(backend.next_revoke);
                backend.next_revoke = backend.next_revoke.wrapping_add(1);
                backend.revoking.insert(id, tell);
                self.with_endpoint(None, |endpoint, env| endpoint.handle_revoke(id, key, env.now));
            }
        }
    }

    pub(super) fn on_revoked(&mut self, id: RevokeId, revoked: Revoked) {
        if let Some(tell) = self.backend.as_mut().and_then(|backend| backend.revoking.remove(&id)) {
            let _ = tell.send(revoked);
        }
    }
}
