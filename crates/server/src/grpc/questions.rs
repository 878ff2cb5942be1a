//! What a back end asks of the server: in the order of its questions, so that updates keep theirs, and a bounded number of
//! them at once.

use std::time::Duration;

use dayfly_core::server::{PushError, Revoked};
use dayfly_core::session::SessionId;
use tokio::sync::{mpsc, oneshot};
use tokio::time;

use super::messages::{self, key_id};
use super::proto::{FromEdge, Outcome, Push, Revoke, WhoIsConnected, from_edge};
use super::stream::Ended;
use crate::upstream::{Edge, EdgeError};

/// How many questions of a stream may be without an outcome; then the stream is not read until there is one.
const MOST_OWED: usize = 256;

/// Passes questions on to the engine.
pub(super) struct Desk {
    edge: Edge,
    owed: mpsc::Sender<Owed>,
}

/// An outcome that will come.
pub(super) struct Owed {
    number: u64,
    outcome: Coming,
}

enum Coming {
    Pushed(oneshot::Receiver<Result<usize, PushError>>),
    Connected(oneshot::Receiver<Vec<SessionId>>),
    Revoked(oneshot::Receiver<Revoked>),
}

/// A desk, and the outcomes that it owes.
pub(super) fn desk(edge: Edge) -> (Desk, mpsc::Receiver<Owed>) {
    let (owed, owes) = mpsc::channel(MOST_OWED);
    (Desk { edge, owed }, owes)
}

impl Desk {
    pub(super) async fn push(&self, push: Push) -> Result<(), Ended> {
        let outcome = self.edge.begin_push(messages::recipient(&push), push.update).await?;
        self.owe(push.number, Coming::Pushed(outcome)).await
    }

    pub(super) async fn who_is_connected(&self, question: WhoIsConnected) -> Result<(), Ended> {
        let outcome = self.edge.begin_connected(key_id(question.permanent_key)).await?;
        self.owe(question.number, Coming::Connected(outcome)).await
    }

    pub(super) async fn revoke(&self, revoke: Revoke) -> Result<(), Ended> {
        let outcome = self.edge.begin_revoke(key_id(revoke.key)).await?;
        self.owe(revoke.number, Coming::Revoked(outcome)).await
    }

    async fn owe(&self, number: u64, outcome: Coming) -> Result<(), Ended> {
        // Whoever tells them is gone only with the stream.
        self.owed.send(Owed { number, outcome }).await.map_err(|_| Ended::Closed)
    }
}

/// Tells the back end each outcome; ends when it reads none for as long as `patience`.
pub(super) async fn tell(
    mut owed: mpsc::Receiver<Owed>,
    outgoing: mpsc::Sender<FromEdge>,
    patience: Duration,
) -> Result<Ended, Ended> {
    while let Some(Owed { number, outcome }) = owed.recv().await {
        let outcome = outcome.come().await?;
        let message = from_edge::Message::Outcome(Outcome { number, outcome: Some(outcome) });
        match time::timeout(patience, outgoing.send(FromEdge { message: Some(message) })).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Ended::Closed),
            Err(_) => return Err(Ended::ReadsNothing),
        }
    }
    Err(Ended::Closed)
}

impl Coming {
    async fn come(self) -> Result<super::proto::outcome::Outcome, EdgeError> {
        Ok(match self {
            Self::Pushed(pushed) => messages::pushed(pushed.await.map_err(|_| EdgeError::Ended)?),
            Self::Connected(sessions) => messages::connected(sessions.await.map_err(|_| EdgeError::Ended)?),
            Self::Revoked(revoked) => messages::revoked(revoked.await.map_err(|_| EdgeError::Ended)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::proto::{Connected, Pushed, outcome};
    use super::*;
    use crate::upstream::EdgeRequest;

    /// Outcomes that are there already, in the order of these numbers.
    async fn owed(numbers: impl IntoIterator<Item = u64>) -> mpsc::Receiver<Owed> {
        let (owed, owes) = mpsc::channel(MOST_OWED);
        for number in numbers {
            let (tell, told) = oneshot::channel();
            tell.send(Ok(1)).unwrap();
            owed.send(Owed { number, outcome: Coming::Pushed(told) }).await.unwrap();
        }
        owes
    }

    #[tokio::test]
    async fn a_back_end_that_reads_no_outcome_is_given_up() {
        let (outgoing, mut read) = mpsc::channel(1);
        let ended = tell(owed([1, 2]).await, outgoing, Duration::from_millis(1)).await;
        assert!(matches!(ended, Err(Ended::ReadsNothing)), "{ended:?}");
        let outcome = Some(outcome::Outcome::Pushed(Pushed { sessions: 1 }));
        let message = from_edge::Message::Outcome(Outcome { number: 1, outcome });
        assert_eq!(read.recv().await, Some(FromEdge { message: Some(message) }));
    }

    #[tokio::test]
    async fn outcomes_come_in_the_order_of_the_questions_whichever_is_there_first() {
        let (requests, mut engine) = mpsc::channel(8);
        let (desk, owes) = desk(Edge::to(requests));
        desk.revoke(Revoke { number: 1, key: 5 }).await.unwrap();
        desk.who_is_connected(WhoIsConnected { number: 2, permanent_key: 5 }).await.unwrap();
        let Some(EdgeRequest::Revoke { key, tell: revoked }) = engine.recv().await else {
            panic!("no revocation")
        };
        assert_eq!(key, key_id(5));
        let Some(EdgeRequest::Sessions { tell: sessions, .. }) = engine.recv().await else {
            panic!("no question")
        };
        sessions.send(vec![SessionId(-1)]).unwrap();
        revoked.send(Revoked::Unavailable).unwrap();
        drop(desk);

        let (outgoing, mut read) = mpsc::channel(8);
        assert!(matches!(tell(owes, outgoing, Duration::from_secs(60)).await, Err(Ended::Closed)));
        let mut outcomes = Vec::new();
        while let Some(FromEdge { message: Some(from_edge::Message::Outcome(outcome)) }) = read.recv().await {
            outcomes.push((outcome.number, outcome.outcome.unwrap()));
        }
        assert!(
            matches!(&outcomes[0], (1, outcome::Outcome::Refused(refused)) if refused.reason == 3),
            "{outcomes:?}"
        );
        assert_eq!(outcomes[1], (2, outcome::Outcome::Connected(Connected { sessions: vec![u64::MAX] })));
    }

    #[tokio::test]
    async fn a_server_that_has_ended_asks_nothing_more() {
        let (requests, _) = mpsc::channel(1);
        let (desk, _owes) = desk(Edge::to(requests));
        let ended = desk.push(Push::default()).await;
        assert!(matches!(ended, Err(Ended::Shutdown(EdgeError::Ended))), "{ended:?}");
    }
}
