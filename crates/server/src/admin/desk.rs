//! What all requests share: who may come in, and the way to the engine.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dayfly_crypto::AuthKeyId;
use dayfly_store::OsRandom;
use tokio::sync::{mpsc, oneshot};
use tokio::time;
use zeroize::Zeroizing;

use super::guard::Names;
use super::sessions::Sessions;
use super::token::Token;
use super::wrong::WrongTokens;
use crate::engine::Command;
use crate::metrics::Metrics;
use crate::survey::Question;
use crate::upstream::Edge;
use dayfly_core::server::Revoked;

/// How long the engine, and the store behind it, may take for an answer.
const ANSWER_WAITS: Duration = Duration::from_secs(2);
/// A revocation writes to the disk.
const REVOKE_WAITS: Duration = Duration::from_secs(8);

/// What all requests share.
pub(crate) struct Desk {
    pub(crate) names: Names,
    /// Cookies are for TLS alone.
    pub(crate) https: bool,
    pub(crate) token_file: PathBuf,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) started: Instant,
    token: Token,
    sessions: Mutex<Sessions>,
    wrong: Mutex<WrongTokens>,
    engine: mpsc::Sender<Command>,
    edge: Edge,
}

/// What came of a token that was shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shown {
    Right,
    Wrong,
    /// It was not looked at: too many wrong ones came from there.
    Unheard(Duration),
}

/// The engine, or the store behind it, did not answer in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Silent;

/// The ways from the operator to the server.
pub(crate) struct Ways {
    pub(crate) engine: mpsc::Sender<Command>,
    pub(crate) edge: Edge,
    pub(crate) metrics: Arc<Metrics>,
}

impl Desk {
    pub(crate) fn new(names: Names, https: bool, token: Token, token_file: PathBuf, ways: Ways) -> Self {
        let Ways { engine, edge, metrics } = ways;
        Self {
            names,
            https,
            token_file,
            metrics,
            started: Instant::now(),
            token,
            sessions: Mutex::default(),
            wrong: Mutex::default(),
            engine,
            edge,
        }
    }

    /// Looks at a token, unless `peer` has shown too many wrong ones.
    pub(crate) fn look_at(&self, token: &str, peer: IpAddr) -> Shown {
        let now = Instant::now();
        let mut wrong = held(&self.wrong);
        if let Some(left) = wrong.refuse(peer, now) {
            return Shown::Unheard(left);
        }
        if self.token.is(token) {
            return Shown::Right;
        }
        wrong.count(peer, now);
        tracing::warn!(%peer, "somebody showed a wrong admin token");
        Shown::Wrong
    }

    /// Opens a session and gives the value of its cookie.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub(crate) fn log_in(&self) -> Result<Zeroizing<String>, String> {
        held(&self.sessions).begin(&mut OsRandom, Instant::now())
    }

    /// The form token of the session with this cookie.
    pub(crate) fn form_token(&self, cookie: &str) -> Option<Zeroizing<String>> {
        held(&self.sessions).form_token(cookie, Instant::now())
    }

    /// Ends the session with this form token.
    pub(crate) fn log_out(&self, form_token: &str) {
        held(&self.sessions).end(form_token);
    }

    /// Asks the engine.
    ///
    /// # Errors
    /// [`Silent`].
    pub(crate) async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Question,
    ) -> Result<T, Silent> {
        let (tell, told) = oneshot::channel();
        let answer = async {
            self.engine.send(Command::Ask(question(tell))).await.map_err(|_| Silent)?;
            told.await.map_err(|_| Silent)
        };
        time::timeout(ANSWER_WAITS, answer).await.unwrap_or(Err(Silent))
    }

    /// Ends a key for good.
    ///
    /// # Errors
    /// [`Silent`]; whether the key is there still is not known then.
    pub(crate) async fn revoke(&self, key: AuthKeyId) -> Result<Revoked, Silent> {
        let revoked = time::timeout(REVOKE_WAITS, self.edge.revoke(key)).await;
        revoked.map_err(|_| Silent)?.map_err(|_| Silent)
    }
}

/// Nothing panics while it is held; if something did, what it guards is whole all the same.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
