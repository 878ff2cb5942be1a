//! The classic bug: a key that begins with a zero byte, which some clients leave out.

use dayfly_core::handshake::server::HandshakeEvent;
use dayfly_core::keys::requests::Lifetime;
use dayfly_core::observer::Direction;
use dayfly_core::server::{Event, KeyUse};

use super::stage::{Next, Stage};
use crate::lab::{Fault, Rule, What};
use crate::verdict::{Outcome, Stop, failed, not_reached};

/// One key in 199 begins so: after this many attempts all but one client in a thousand have met it.
const ATTEMPTS: u32 = 1400;

/// dh_gen_retry until the permanent key begins with a zero byte, where the client goes on; else new exchanges.
pub(super) async fn takes_zero_key(stage: &mut Stage) -> Outcome {
    stage.begin(vec![Rule::always(Fault::ZeroKey)]).await?;
    let (mut attempts, mut made) = (0, false);
    loop {
        let event = match stage.next().await {
            Next::Event(event) => event,
            Next::Exited if made => return failed("it ended without using the key"),
            Next::Exited if attempts >= ATTEMPTS || !stage.start_again().await? => {
                return not_reached(format!("no key of {attempts} began with a zero byte"));
            }
            Next::Exited => continue,
            Next::Silence if made => return Err(Stop::Undecided("it has the key and keeps silent".into())),
            Next::Silence => return not_reached(format!("no key of {attempts} began with a zero byte")),
        };
        match &event.what {
            What::Plain { direction: Direction::In, name: "set_client_DH_params", .. } => attempts += 1,
            What::Server(Event::Handshake(HandshakeEvent::KeyMade { lifetime, .. }))
                if *lifetime == Lifetime::Permanent =>
            {
                if made {
                    return failed(format!("after {attempts} attempts it had the key, and made another one"));
                }
                made = true;
            }
            What::Server(Event::Bound { .. }) if made => return used(stage, attempts),
            What::Server(Event::Call { key_use: KeyUse::Permanent, .. }) if made => {
                return used(stage, attempts);
            }
            What::Server(Event::BindRefused { error, .. }) if made => {
                return failed(format!("after {attempts} attempts it had the key; its binding got {error}"));
            }
            What::Unopened { direction: Direction::In, why, .. } if made => {
                return failed(format!("after {attempts} attempts it had the key; its first packet: {why}"));
            }
            _ => {}
        }
    }
}

/// The report tells how long it took.
fn used(stage: &mut Stage, attempts: u32) -> Outcome {
    stage.remark(format!(
        "the key that begins with a zero byte came with set_client_DH_params number {attempts}"
    ));
    Ok(())
}
