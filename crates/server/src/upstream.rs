//! What stands behind the edge and answers calls.

use std::fmt;

use dayfly_core::env::Now;
use dayfly_core::server::{CallId, PushError, Recipient, Revoked, UpstreamCall};
use dayfly_core::session::SessionId;
use dayfly_core::session::server::Answer;
use dayfly_crypto::AuthKeyId;
use tokio::sync::{mpsc, oneshot};

use crate::engine::{Command, Done};

/// Takes calls, in process, one after another; while it holds one up, everything is held up. What takes time is done
/// elsewhere, and answered by the [`Reply`] from there.
pub trait Upstream: Send {
    /// Called once, before the first call: by `edge` updates are sent.
    fn start(&mut self, edge: Edge) {
        drop(edge);
    }

    /// Takes `call`, which came at `now`, and answers it by `reply`, now or later.
    fn call(&mut self, call: UpstreamCall, now: Now, reply: Reply);
}

impl<U: Upstream + ?Sized> Upstream for Box<U> {
    fn start(&mut self, edge: Edge) {
        (**self).start(edge);
    }

    fn call(&mut self, call: UpstreamCall, now: Now, reply: Reply) {
        (**self).call(call, now, reply);
    }
}

/// The answer owed to one call. Dropped without one it says 500 BACKEND_GONE; after the call's deadline it says nothing any
/// more.
pub struct Reply {
    deliver: Option<Deliver>,
}

/// Where an answer goes.
enum Deliver {
    Engine(CallId, mpsc::UnboundedSender<Done>),
    Taker(Box<dyn FnOnce(Answer) + Send>),
}

impl Reply {
    pub(crate) fn new(call: CallId, deliver: mpsc::UnboundedSender<Done>) -> Self {
        Self { deliver: Some(Deliver::Engine(call, deliver)) }
    }

    /// For whoever serves an [`Upstream`] without a [`Server`](crate::Server): `take` gets the answer, once, from whichever thread
    /// gives it. It must not wait, since what answers waits for it, and has to see to the call's deadline itself.
    #[must_use]
    pub fn to(take: impl FnOnce(Answer) + Send + 'static) -> Self {
        Self { deliver: Some(Deliver::Taker(Box::new(take))) }
    }

    /// One that nobody hears.
    #[cfg(test)]
    pub(crate) fn to_nobody() -> Self {
        Self { deliver: None }
    }

    /// Answers. A result has to be an object of TL, at most about 2 MiB; another one becomes an error with a name.
    pub fn answer(mut self, answer: Answer) {
        self.send(answer);
    }

    fn send(&mut self, answer: Answer) {
        match self.deliver.take() {
            // Fails only when the engine is gone, and then nobody is left to answer.
            Some(Deliver::Engine(call, engine)) => drop(engine.send(Done::Answer(call, answer))),
            Some(Deliver::Taker(take)) => take(answer),
            None => {}
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("owed", &self.deliver.is_some()).finish()
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.send(Answer::Error { code: 500, message: "BACKEND_GONE".to_owned() });
    }
}

/// What a back end reaches clients by. Clones reach the same server.
#[derive(Clone, Debug)]
pub struct Edge {
    asks: Asks,
}

/// Who does what an [`Edge`] is asked for.
#[derive(Clone, Debug)]
enum Asks {
    Engine(mpsc::Sender<Command>),
    Taker(mpsc::Sender<EdgeRequest>),
}

/// What a back end asks by its [`Edge`]. Each is told what came of it; whoever asked may have stopped waiting.
#[derive(Debug)]
pub enum EdgeRequest {
    /// Send an update; tell to how many sessions it went, as
    /// [`ServerEndpoint::handle_push`](dayfly_core::server::ServerEndpoint::handle_push) does.
    Push {
        /// Whom it is for.
        to: Recipient,
        /// The update, serialized, constructor first.
        update: Vec<u8>,
        /// Who waits.
        tell: oneshot::Sender<Result<usize, PushError>>,
    },
    /// Tell which sessions of a permanent key are connected.
    Sessions {
        /// The key.
        perm: AuthKeyId,
        /// Who waits.
        tell: oneshot::Sender<Vec<SessionId>>,
    },
    /// End a key for good, and tell once that is so.
    Revoke {
        /// The key, of whichever kind.
        key: AuthKeyId,
        /// Who waits.
        tell: oneshot::Sender<Revoked>,
    },
}

/// Why a back end could not be served.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EdgeError {
    /// The update is none.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The server has ended.
    #[error("the server has ended")]
    Ended,
}

impl Edge {
    pub(crate) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self { asks: Asks::Engine(commands) }
    }

    /// For whoever serves an [`Upstream`] without a [`Server`](crate::Server): what is asked goes to the receiver of `requests`, and
    /// the edge has ended once that is gone.
    #[must_use]
    pub fn to(requests: mpsc::Sender<EdgeRequest>) -> Self {
        Self { asks: Asks::Taker(requests) }
    }

    /// Sends an update, serialized, constructor first; gives to how many sessions it went. Waits while the server has too
    /// much to do.
    ///
    /// # Errors
    /// [`EdgeError`].
    pub async fn push(&self, to: Recipient, update: Vec<u8>) -> Result<usize, EdgeError> {
        let told = self.begin_push(to, update).await?;
        Ok(told.await.map_err(|_| EdgeError::Ended)??)
    }

    /// The sessions of a permanent key that are connected now.
    ///
    /// # Errors
    /// [`EdgeError::Ended`].
    pub async fn connected(&self, perm: AuthKeyId) -> Result<Vec<SessionId>, EdgeError> {
        self.begin_connected(perm).await?.await.map_err(|_| EdgeError::Ended)
    }

    /// Ends a key for good, of whichever kind, with everything bound to it, and every connection under it. Durable when this
    /// returns [`Revoked::Ended`].
    ///
    /// # Errors
    /// [`EdgeError::Ended`].
    pub async fn revoke(&self, key: AuthKeyId) -> Result<Revoked, EdgeError> {
        self.begin_revoke(key).await?.await.map_err(|_| EdgeError::Ended)
    }

    /// What was begun before something else is done before it.
    pub(crate) async fn begin_push(
        &self,
        to: Recipient,
        update: Vec<u8>,
    ) -> Result<oneshot::Receiver<Result<usize, PushError>>, EdgeError> {
        let (tell, told) = oneshot::channel();
        self.ask(EdgeRequest::Push { to, update, tell }).await?;
        Ok(told)
    }

    pub(crate) async fn begin_connected(
        &self,
        perm: AuthKeyId,
    ) -> Result<oneshot::Receiver<Vec<SessionId>>, EdgeError> {
        let (tell, told) = oneshot::channel();
        self.ask(EdgeRequest::Sessions { perm, tell }).await?;
        Ok(told)
    }

    pub(crate) async fn begin_revoke(&self, key: AuthKeyId) -> Result<oneshot::Receiver<Revoked>, EdgeError> {
        let (tell, told) = oneshot::channel();
        self.ask(EdgeRequest::Revoke { key, tell }).await?;
        Ok(told)
    }

    async fn ask(&self, request: EdgeRequest) -> Result<(), EdgeError> {
        match &self.asks {
            Asks::Engine(engine) => engine.send(Command::Edge(request)).await.map_err(|_| EdgeError::Ended),
            Asks::Taker(requests) => requests.send(request).await.map_err(|_| EdgeError::Ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is taken where `use_it` is given a reply.
    fn taken(use_it: impl FnOnce(Reply)) -> Vec<Answer> {
        let (tell, told) = std::sync::mpsc::channel();
        use_it(Reply::to(move |answer| tell.send(answer).unwrap()));
        told.iter().collect()
    }

    #[test]
    fn a_reply_to_another_owner_is_taken_once_also_if_nothing_is_answered() {
        let answer = Answer::Result(vec![1, 2, 3, 4]);
        assert_eq!(taken(|reply| reply.answer(answer.clone())), [answer]);
        assert_eq!(taken(drop), [Answer::Error { code: 500, message: "BACKEND_GONE".to_owned() }]);
    }
}
