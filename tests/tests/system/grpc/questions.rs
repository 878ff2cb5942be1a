//! What a back end asks of the server: updates, who is connected, the end of a key.

use dayfly_backend_proto::v1::{
    Outcome, Push, Reason, Refused, Revoke, WhoIsConnected, from_edge, outcome, to_edge,
};

use super::{Scene, words};
use crate::support::within;

/// Whom the questions are about.
struct About {
    permanent_key: u64,
    session: u64,
}

impl Scene {
    /// Who the client is, from a call of it.
    async fn about(&mut self) -> About {
        let asked = self.ask(&words(&[]));
        let call = self.stream().hear_call().await;
        self.stream().result(call.number, &words(&[]));
        super::outcome(asked).await.unwrap();
        About { permanent_key: call.permanent_key, session: call.session }
    }

    /// Asks, and waits for what comes of it.
    async fn question(&mut self, number: u64, message: to_edge::Message) -> outcome::Outcome {
        self.stream().say(message);
        self.outcome(number).await
    }

    /// The outcome of the question `number`, which must be the next.
    async fn outcome(&mut self, number: u64) -> outcome::Outcome {
        match self.stream().hear().await {
            from_edge::Message::Outcome(Outcome { number: told, outcome }) => {
                assert_eq!(told, number);
                outcome.unwrap()
            }
            other => panic!("expected an outcome, got {other:?}"),
        }
    }
}

fn push(number: u64, permanent_key: u64, session: Option<u64>, update: Vec<u8>) -> to_edge::Message {
    to_edge::Message::Push(Push { number, permanent_key, session, update })
}

fn pushed_to(outcome: &outcome::Outcome) -> u32 {
    match outcome {
        outcome::Outcome::Pushed(pushed) => pushed.sessions,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn updates_reach_a_session_or_a_key_in_their_order() {
    let mut scene = Scene::set().await;
    let About { permanent_key, session } = scene.about().await;
    let mut updates = scene.client.updates();
    for number in 0..300_u64 {
        let to = number.is_multiple_of(2).then_some(session);
        let update = words(&[u32::try_from(number).unwrap()]);
        scene.stream().say(push(number, permanent_key, to, update));
    }
    for number in 0..300 {
        assert_eq!(pushed_to(&scene.outcome(number).await), 1);
        let update = within("an update", updates.next()).await.unwrap().unwrap();
        assert_eq!(*update, words(&[u32::try_from(number).unwrap()]));
    }
    for (key, to) in [(permanent_key, Some(session ^ 1)), (permanent_key ^ 1, Some(session)), (1, None)] {
        let nobody = scene.question(7, push(7, key, to, words(&[]))).await;
        assert_eq!(pushed_to(&nobody), 0);
    }
}

#[tokio::test]
async fn an_update_that_no_client_could_read_is_refused_with_a_reason() {
    let mut scene = Scene::set().await;
    let key = scene.about().await.permanent_key;
    for (update, reason, message) in [
        (
            vec![1, 2, 3],
            Reason::UpdateMalformed,
            "an update of 3 bytes: a multiple of 4 was expected, and at least 4",
        ),
        (
            Vec::new(),
            Reason::UpdateMalformed,
            "an update of 0 bytes: a multiple of 4 was expected, and at least 4",
        ),
        (
            vec![0; 2 << 20],
            Reason::UpdateTooLong,
            "an update of 2097152 bytes: at most 2093056 were expected",
        ),
    ] {
        let refused = scene.question(1, push(1, key, None, update)).await;
        let expected = Refused { reason: reason.into(), message: message.to_owned() };
        assert_eq!(refused, outcome::Outcome::Refused(expected));
    }
    scene.is_served().await;
}

#[tokio::test]
async fn the_back_end_knows_who_is_there_and_ends_keys() {
    let mut scene = Scene::set().await;
    let About { permanent_key, session } = scene.about().await;
    let who =
        |number, permanent_key| to_edge::Message::WhoIsConnected(WhoIsConnected { number, permanent_key });
    let sessions = |outcome| match outcome {
        outcome::Outcome::Connected(connected) => connected.sessions,
        other => panic!("{other:?}"),
    };
    assert_eq!(sessions(scene.question(1, who(1, permanent_key)).await), [session]);
    assert_eq!(sessions(scene.question(2, who(2, permanent_key ^ 1)).await), [0; 0]);

    let existed = |outcome| match outcome {
        outcome::Outcome::Revoked(revoked) => revoked.existed,
        other => panic!("{other:?}"),
    };
    let revoke = |number, key| to_edge::Message::Revoke(Revoke { number, key });
    assert!(!existed(scene.question(3, revoke(3, permanent_key ^ 1)).await));
    assert!(existed(scene.question(4, revoke(4, permanent_key)).await));
    assert!(!existed(scene.question(5, revoke(5, permanent_key)).await));
    let ended = scene.server.wait_for("key_revoked", 1).await;
    assert_eq!(ended[0]["key_id"], format!("{permanent_key:016x}"));
    assert_eq!(sessions(scene.question(6, who(6, permanent_key)).await), [0; 0]);
}
