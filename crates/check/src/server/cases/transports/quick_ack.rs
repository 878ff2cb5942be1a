//! Quick acknowledgements: rule TR-04.

use dayfly_core::transport::{Kind, Obfuscation};
use dayfly_crypto::kdf::{self, Side};
use dayfly_tl::mtproto::BadServerSalt;
use dayfly_tl::read_exact;

use super::{FORMS, form};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe};
use crate::server::talk::{Said, plaintext};
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed};

cases! {
    "TR-04/1" Must "a quick acknowledgement over abridged"
        why "a client shows a message as sent by it"
        expected "the token, its bytes swapped, without a length"
        abridged;
    "TR-04/2" Must "a quick acknowledgement over intermediate"
        why "a client shows a message as sent by it"
        expected "the token without a length"
        intermediate;
    "TR-04/3" Must "a quick acknowledgement over padded intermediate"
        why "a client shows a message as sent by it"
        expected "a packet of -1, the token and up to 8 bytes"
        padded;
    "TR-04/4" Must "a quick acknowledgement over the obfuscated forms"
        why "a client shows a message as sent by it"
        expected "the token in the form of each"
        obfuscated;
    "TR-04/5" Must "a message of which none is asked, in each form"
        why "a token that nobody waits for is taken for the length of a frame"
        expected "a pong, and no token"
        unasked;
    "TR-04/6" Must "a quick acknowledgement for a message that is refused"
        why "a client shows a message as sent that the server never took"
        expected "bad_server_salt, and no token"
        refused;
}

/// A line over a form, with a ping answered.
async fn line_over(kind: Kind, obfuscation: &Obfuscation, probe: &mut Probe) -> Outcome<Line> {
    let made = probe.perm().await?;
    let wire = probe.connect_over(kind, obfuscation).await?;
    let mut line = probe.line_on(wire, &made);
    line.greet(&mut probe.dice).await?;
    Ok(line)
}

/// The packet of a message, and the token that acknowledges it.
fn with_token(line: &Line, said: &Said, probe: &mut Probe) -> Outcome<(Vec<u8>, u32)> {
    let mut whole = plaintext(said);
    let padding: [u8; 32] = probe.dice.bytes();
    // At least 12 bytes, to whole blocks.
    whole.extend(padding.iter().take(12 + (16 - (whole.len() + 12) % 16) % 16));
    let token = kdf::v2_msg_key(&line.talk.key, &whole, Side::Client).quick_ack();
    Ok((line.talk.seal_plaintext(whole)?, token))
}

/// Asked for, the right token comes, and the pong as well.
async fn acknowledged(kind: Kind, obfuscation: &Obfuscation, probe: &mut Probe) -> Outcome {
    let mut line = line_over(kind, obfuscation, probe).await?;
    for _ in 0..3 {
        let said = line.ping(&mut probe.dice);
        let (packet, expected) = with_token(&line, &said, probe)?;
        line.wire.send_asking(&packet, true, "a ping that asks for a quick acknowledgement").await?;
        let (mut ponged, mut tokens) = (false, 0);
        while !ponged || tokens == 0 {
            match line.wire.hear().await? {
                Heard::QuickAck(token) if token == expected => tokens += 1,
                Heard::QuickAck(token) => {
                    return failed(format!("the token is {token:08x}, not {expected:08x}"));
                }
                Heard::Payload(payload) => {
                    ponged |= line.talk.open(&payload)?.iter().any(|message| message.is_about(&said));
                }
                other => return failed(format!("{} token, pong: {ponged}; then {}", tokens, other.told())),
            }
        }
    }
    Ok(())
}

async fn abridged(probe: &mut Probe) -> Outcome {
    acknowledged(Kind::Abridged, &Obfuscation::None, probe).await
}

async fn intermediate(probe: &mut Probe) -> Outcome {
    acknowledged(Kind::Intermediate, &Obfuscation::None, probe).await
}

async fn padded(probe: &mut Probe) -> Outcome {
    acknowledged(Kind::Padded, &Obfuscation::None, probe).await
}

async fn obfuscated(probe: &mut Probe) -> Outcome {
    for kind in [Kind::Abridged, Kind::Intermediate, Kind::Padded] {
        acknowledged(kind, &Obfuscation::Plain, probe).await?;
    }
    Ok(())
}

async fn unasked(probe: &mut Probe) -> Outcome {
    for (kind, obfuscation) in &FORMS {
        let mut line = line_over(*kind, obfuscation, probe).await?;
        line.goes_on(&mut probe.dice).await?;
        match line.wire.hear_within(probe.target().silence).await? {
            Heard::QuickAck(_) => return failed(format!("a token came over {}", form(*kind, obfuscation))),
            _ => line.goes_on(&mut probe.dice).await?,
        }
    }
    Ok(())
}

async fn refused(probe: &mut Probe) -> Outcome {
    let mut line = line_over(Kind::Intermediate, &Obfuscation::None, probe).await?;
    let mut said = line.ping(&mut probe.dice);
    said.salt = !said.salt;
    let (packet, _) = with_token(&line, &said, probe)?;
    line.wire
        .send_asking(&packet, true, "a ping with a wrong salt that asks for a quick acknowledgement")
        .await?;
    let notice = line.wait_for(|message| {
        let notice = read_exact::<BadServerSalt>(&message.body).ok();
        notice.filter(|notice| notice.bad_msg_id == said.msg_id).map(drop)
    });
    if let Err(heard) = notice.await? {
        return failed(format!("it got {}", heard.told()));
    }
    match line.wire.hear_within(probe.target().silence).await? {
        Heard::QuickAck(_) => failed("a token came for what was refused"),
        _ => line.goes_on(&mut probe.dice).await,
    }
}
