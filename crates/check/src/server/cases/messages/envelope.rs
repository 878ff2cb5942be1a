//! What is around a message: rules MS-05 to MS-08 and MS-19.

use dayfly_crypto::kdf::{self, Side};
use dayfly_crypto::{AesKeyIv, ige};
use dayfly_tl::mtproto::{GetFutureSalts, MsgsStateReq, PingDelayDisconnect};
use dayfly_tl::{LongVec, to_bytes};

use super::dropped;
use crate::case::cases;
use crate::server::Entry;
use crate::server::fate::{Fate, must};
use crate::server::probe::{Line, Probe};
use crate::server::talk::{Said, plaintext};
use crate::server::wire::Heard;
use crate::verdict::{Outcome, Stop, failed, not_reached};

cases! {
    "MS-05/1" Must "a message and its answer under MTProto 2.0"
        why "without it no client can talk to the server"
        expected "a pong whose msg_key is right for the server's direction"
        two_point_zero;
    "MS-06/1" Must "one bit of msg_key is wrong"
        why "a server that goes on tells an attacker by what it does which bits he may change"
        expected "no answer and no transport error, and the key lives on"
        wrong_msg_key;
    "MS-06/2" Must "one bit of the encrypted part is wrong"
        why "whoever changes bits on the way would change what the client said"
        expected "no answer and no transport error, and the key lives on"
        changed_on_the_way;
    "MS-06/3" Must "msg_key over the message without its padding"
        why "padding that nothing covers can be changed at will: that was the weakness of MTProto 1.0"
        expected "no answer and no transport error, and the key lives on"
        msg_key_without_padding;
    "MS-06/4" Must "the server's own packet is sent back to it"
        why "whoever reflects packets would make the server talk to itself in the client's name"
        expected "no answer and no transport error, and the key lives on"
        reflected;
    "MS-06/5" Should "the connection after a wrong msg_key"
        why "an open connection lets an attacker try on"
        expected "it is closed without a word"
        closed_without_a_word;
    "MS-06/6" Must "a packet without an encrypted part"
        why "a server that reads past the end falls over"
        expected "no answer and no transport error, and the key lives on"
        nothing_encrypted;
    "MS-07/1" Must "padding of 12 and of 1024 bytes"
        why "clients choose any length between the bounds to hide that of the message"
        expected "an answer to each"
        padding_at_the_bounds;
    "MS-07/2" Must "padding of 0, 4 and 8 bytes"
        why "short padding makes the end of the message, and so msg_key, easier to choose"
        expected "no answer and no transport error, and the key lives on"
        padding_too_short;
    "MS-07/3" Must "padding of 1028 and 1040 bytes"
        why "what is behind the message and unchecked is room for whoever probes the server"
        expected "no answer and no transport error, and the key lives on"
        padding_too_long;
    "MS-07/4" Must "a length that is not divisible by 4"
        why "what follows is read from the wrong place"
        expected "no answer and no transport error, and the key lives on"
        length_no_words;
    "MS-07/5" Must "a negative length"
        why "as an unsigned number it is a length beyond all memory"
        expected "no answer and no transport error, and the key lives on"
        length_negative;
    "MS-07/6" Must "a length beyond the end"
        why "a server that reads past the end gives away what is in its memory"
        expected "no answer and no transport error, and the key lives on"
        length_beyond;
    "MS-07/7" Must "an encrypted part that is no multiple of 16"
        why "its last bytes are under no cipher and no check"
        expected "no answer and no transport error, and the key lives on"
        no_whole_blocks;
    "MS-08/1" Must "session_id 0"
        why "a client that lost its state would share one session with all others that did"
        expected "no answer and no transport error, and the key lives on"
        session_zero;
    "MS-08/2" Must "two sessions under one key"
        why "an answer in another session gives a call the result of someone else's"
        expected "each pong in the session of its ping"
        two_sessions;
    "MS-19/1" Must "a ping under MTProto 1.0"
        why "its msg_key leaves the padding open: who may still use it keeps its weakness alive"
        expected "no answer and no transport error, and the key lives on"
        one_point_zero;
}

async fn two_point_zero(probe: &mut Probe) -> Outcome {
    // The suite opens packets with x = 8 only.
    must(probe.session().await.map(drop))
}

/// A ping's packet, after `change` of its 24 bytes of header and its encrypted part, is dropped.
async fn changed(probe: &mut Probe, what: &str, change: impl Fn(&mut [u8])) -> Outcome<bool> {
    let mut line = probe.session().await?;
    let said = line.ping(&mut probe.dice);
    let mut packet = line.talk.seal(&said, &mut probe.dice)?;
    change(&mut packet);
    dropped(&mut line, &packet, &said, what, probe).await
}

fn flip(packet: &mut [u8], at: usize, bit: u8) {
    if let Some(byte) = packet.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

async fn wrong_msg_key(probe: &mut Probe) -> Outcome {
    for (at, bit) in [(8, 0), (23, 7)] {
        changed(probe, &format!("bit {bit} of byte {} of msg_key", at - 8), |packet| flip(packet, at, bit))
            .await?;
    }
    Ok(())
}

async fn changed_on_the_way(probe: &mut Probe) -> Outcome {
    // The last block is padding, the third is the message.
    changed(probe, "a bit of the message", |packet| flip(packet, 24 + 34, 3)).await?;
    changed(probe, "a bit of the padding", |packet| flip(packet, packet.len() - 1, 3)).await.map(drop)
}

async fn closed_without_a_word(probe: &mut Probe) -> Outcome {
    match changed(probe, "a wrong msg_key", |packet| flip(packet, 8, 0)).await? {
        true => Ok(()),
        false => failed("it stays open"),
    }
}

async fn msg_key_without_padding(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let said = line.ping(&mut probe.dice);
    let message = plaintext(&said);
    let msg_key = kdf::v2_msg_key(&line.talk.key, &message, Side::Client).msg_key();
    let packet = line.talk.seal_under(msg_key, padded(message, 20, probe))?;
    dropped(&mut line, &packet, &said, "a msg_key without the padding", probe).await.map(drop)
}

async fn reflected(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let said = line.ping(&mut probe.dice);
    line.send(&said, "a ping", &mut probe.dice).await?;
    let packet = match line.wire.hear().await? {
        Heard::Payload(packet) => packet,
        other => return not_reached(format!("a ping got {}", other.told())),
    };
    dropped(&mut line, &packet, &said, "the server's own packet", probe).await.map(drop)
}

async fn nothing_encrypted(probe: &mut Probe) -> Outcome {
    for length in [8, 24, 40] {
        let mut line = probe.session().await?;
        let said = line.ping(&mut probe.dice);
        let packet = line.talk.seal(&said, &mut probe.dice)?;
        let cut = packet.get(..length).unwrap_or_default();
        dropped(&mut line, cut, &said, &format!("the first {length} bytes of a packet"), probe).await?;
    }
    Ok(())
}

/// So many random bytes behind it.
fn padded(mut message: Vec<u8>, padding: usize, probe: &mut Probe) -> Vec<u8> {
    message.extend((0..padding).map(|_| probe.dice.bytes::<1>()[0]));
    message
}

/// A message whose answer shows, and whose length is this modulo 16.
fn of_length(line: &mut Line, modulo: usize, probe: &mut Probe) -> Said {
    match modulo {
        0 => {
            line.talk.say(to_bytes(&PingDelayDisconnect { ping_id: probe.dice.long(), disconnect_delay: 60 }))
        }
        4 => line.talk.say(to_bytes(&MsgsStateReq { msg_ids: LongVec::from_slice(&[4]) })),
        8 => line.talk.say(to_bytes(&GetFutureSalts { num: 1 })),
        _ => line.ping(&mut probe.dice),
    }
}

async fn padding_at_the_bounds(probe: &mut Probe) -> Outcome {
    let made = probe.perm().await?;
    for (modulo, padding) in [(4, 12), (0, 1024)] {
        let mut line = probe.line(&made).await?;
        let said = of_length(&mut line, modulo, probe);
        let packet = line.talk.seal_padded(&said, padding, &mut probe.dice)?;
        line.wire.send(&packet, &format!("a message with {padding} bytes of padding")).await?;
        match line.fate_of(&said).await? {
            Fate::Answered(_) => {}
            other => return failed(format!("{padding} bytes of padding got {}", other.told())),
        }
    }
    Ok(())
}

/// Messages with so much padding, each of a length to which that is whole blocks, are dropped.
async fn wrong_padding(probe: &mut Probe, paddings: &[usize]) -> Outcome {
    for padding in paddings {
        let mut line = probe.session().await?;
        let said = of_length(&mut line, (16 - padding % 16) % 16, probe);
        let packet = line.talk.seal_padded(&said, *padding, &mut probe.dice)?;
        dropped(&mut line, &packet, &said, &format!("{padding} bytes of padding"), probe).await?;
    }
    Ok(())
}

async fn padding_too_short(probe: &mut Probe) -> Outcome {
    wrong_padding(probe, &[0, 4, 8]).await
}

async fn padding_too_long(probe: &mut Probe) -> Outcome {
    wrong_padding(probe, &[1028, 1040]).await
}

/// A ping whose length says something else, with so much behind it, is dropped.
async fn wrong_length(probe: &mut Probe, length: i32, padding: usize) -> Outcome {
    let mut line = probe.session().await?;
    let said = line.ping(&mut probe.dice);
    let mut whole = padded(plaintext(&said), padding, probe);
    whole.splice(28..32, length.to_le_bytes());
    let packet = line.talk.seal_plaintext(whole)?;
    dropped(&mut line, &packet, &said, &format!("a ping that says it has {length} bytes"), probe)
        .await
        .map(drop)
}

async fn length_no_words(probe: &mut Probe) -> Outcome {
    for length in [13, 14, 15] {
        wrong_length(probe, length, 36).await?;
    }
    Ok(())
}

async fn length_negative(probe: &mut Probe) -> Outcome {
    for length in [-4, i32::MIN] {
        wrong_length(probe, length, 20).await?;
    }
    Ok(())
}

async fn length_beyond(probe: &mut Probe) -> Outcome {
    // With 20 bytes of padding 32 is all that is there, and 36 is more.
    for length in [36, i32::MAX - 3] {
        wrong_length(probe, length, 20).await?;
    }
    Ok(())
}

async fn no_whole_blocks(probe: &mut Probe) -> Outcome {
    for more in [4, 8] {
        let mut line = probe.session().await?;
        let said = line.ping(&mut probe.dice);
        let packet = padded(line.talk.seal(&said, &mut probe.dice)?, more, probe);
        dropped(&mut line, &packet, &said, &format!("{more} bytes behind a packet"), probe).await?;
    }
    Ok(())
}

async fn session_zero(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let mut said = line.ping(&mut probe.dice);
    said.session = 0;
    let packet = line.talk.seal(&said, &mut probe.dice)?;
    dropped(&mut line, &packet, &said, "a ping in session 0", probe).await.map(drop)
}

async fn two_sessions(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let first = line.talk.session;
    let mut other = line.talk.another(probe.dice.long() | 1);
    for _ in 0..2 {
        std::mem::swap(&mut line.talk, &mut other);
        let said = line.ping(&mut probe.dice);
        let pong = line.ask(&said, "a ping", &mut probe.dice).await?;
        if pong.session != line.talk.session {
            return failed("a pong came in the other session");
        }
    }
    if line.talk.session != first {
        return Err(Stop::NotReached("the suite itself: the sessions are mixed up".into()));
    }
    let stray = line.others.iter().find(|message| ![first, other.session].contains(&message.session));
    stray.map_or(Ok(()), |message| failed(format!("#{:08x} came in a third session", message.constructor())))
}

async fn one_point_zero(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let said = line.ping(&mut probe.dice);
    let message = plaintext(&said);
    let msg_key = kdf::v1_msg_key(&message);
    let AesKeyIv { key, iv } = kdf::v1_aes(&line.talk.key, &msg_key, Side::Client);
    // The same padding is right for 2.0 too: the key is all that differs.
    let mut encrypted = padded(message, 20, probe);
    if ige::encrypt(&mut encrypted, &key, &iv).is_err() {
        return not_reached("the suite itself: the plaintext is no whole blocks");
    }
    let packet = [&line.talk.key.id().to_wire()[..], &msg_key, &encrypted].concat();
    dropped(&mut line, &packet, &said, "a ping under MTProto 1.0", probe).await.map(drop)
}
