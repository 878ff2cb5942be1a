//! A store that cannot be asked loses nobody a key.

use dayfly_core::keys::kind::KeyKind;
use dayfly_tl::{api, to_bytes};

use crate::support::{A_DAY, HandClock, Peer, Switch, Talk, TestServer, peer_of, rpc_error, within};

/// A server whose store can be silenced.
struct Outage {
    server: TestServer,
    clock: HandClock,
    switch: Switch,
}

impl Outage {
    async fn ready() -> Self {
        let (clock, switch) = (HandClock::default(), Switch::default());
        let server = TestServer::with_silent_store(clock.clone(), switch.clone()).await;
        Self { server, clock, switch }
    }

    /// Lets the server's patience with its store run out, once it has asked.
    async fn outlast_patience(&self) {
        let asked = async {
            while self.switch.asked_in_vain() == 0 {
                tokio::task::yield_now().await;
            }
        };
        within("a question to the store", asked).await;
        self.clock.advance(6);
    }

    async fn peer(&self) -> Peer {
        peer_of(&self.server).await
    }
}

fn nearest_dc() -> Vec<u8> {
    to_bytes(&api::HelpGetNearestDc {})
}

// rule: HS-36
#[tokio::test]
async fn a_frame_waits_and_then_is_put_off_and_never_refused() {
    let outage = Outage::ready().await;
    outage.switch.silence();
    let mut peer = outage.peer().await;
    peer.send(&[0x77; 8 + 16 + 64]).await;
    outage.outlast_patience().await;
    assert_eq!(peer.error().await, -429);
    outage.switch.speak();
    peer.send(&[0x77; 8 + 16 + 64]).await;
    assert_eq!(peer.error().await, -404);
}

// rule: HS-36
#[tokio::test]
async fn a_frame_whose_key_is_found_in_time_is_served() {
    let outage = Outage::ready().await;
    let mut peer = outage.peer().await;
    let perm = peer.make_key(KeyKind::Perm).await;
    outage.switch.silence();
    let mut talk = Talk::under_perm(&perm, &peer);
    talk.send(nearest_dc(), &mut peer).await;
    within("a question to the store", async {
        while outage.switch.asked_in_vain() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    outage.switch.speak();
    // Served: what a permanent key gets here is the refusal of a call, from behind the look-up.
    assert_eq!(talk.call(nearest_dc(), &mut peer).await, Err(rpc_error(400, "TEMP_AUTH_KEY_EMPTY")));
}

// rule: PF-08
#[tokio::test]
async fn a_binding_gets_an_error_that_destroys_no_key() {
    let outage = Outage::ready().await;
    let mut peer = outage.peer().await;
    let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
    let mut talk = Talk::under_temp(&temp, &peer);
    talk.call(nearest_dc(), &mut peer).await.unwrap();
    outage.switch.silence();
    assert_eq!(talk.bind(&perm, &mut peer).await, Err(rpc_error(500, "AUTH_KEY_STORE_UNAVAILABLE")));
    outage.switch.speak();
    assert_eq!(talk.bind(&perm, &mut peer).await, Ok(to_bytes(&api::BoolTrue {})));
}

// rule: HS-36
#[tokio::test]
async fn a_bound_key_is_served_all_the_while() {
    let outage = Outage::ready().await;
    let mut peer = outage.peer().await;
    let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
    let mut talk = Talk::under_temp(&temp, &peer);
    talk.bind(&perm, &mut peer).await.unwrap();
    outage.switch.silence();
    talk.call(nearest_dc(), &mut peer).await.unwrap();
    // On a new connection too: temporary keys are not in the store.
    let mut other = outage.peer().await;
    talk.call(nearest_dc(), &mut other).await.unwrap();
}

// rule: TR-06
#[tokio::test]
async fn a_peer_that_goes_on_sending_while_its_key_is_looked_up_is_cut_off() {
    let outage = Outage::ready().await;
    let mut witness = outage.peer().await;
    outage.switch.silence();
    let mut flooder = outage.peer().await;
    flooder.send(&[0x77; 8 + 16 + 64]).await;
    let more = flooder.framed(&[0x77; 1 << 19]);
    for _ in 0..24 {
        flooder.send_raw(&more).await;
    }
    assert_eq!(flooder.frame().await, None);
    let closed = outage.server.wait_for("closed", 1).await;
    assert_eq!(closed[0]["reason"], "too much came while its key was being looked up");
    witness.is_served().await;
}
