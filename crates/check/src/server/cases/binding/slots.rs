//! How many temporary keys a permanent one has, and what ends them all: rules PF-10, PF-19 and MS-17.

use dayfly_tl::api::{AuthDropTempAuthKeys, Config, HelpGetConfig};
use dayfly_tl::mtproto::{DestroyAuthKey, DestroyAuthKeyOk};
use dayfly_tl::{LongVec, read_prefix, to_bytes};

use super::forge::forged_bind;
use super::{acts_as_bound, introduced, is_error, is_gone, is_there, is_true, told};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe, Told};
use crate::server::talk::Made;
use crate::server::wire::Heard;
use crate::verdict::{Outcome, Stop, failed, not_reached};

cases! {
    "PF-10/1" Must "a second temporary key for one permanent key"
        why "a key that was replaced because it was stolen would still serve the thief"
        expected "-404 for the first key on a new connection, and the second one serves"
        replaced;
    "PF-10/2" Must "a second temporary key, while the first has a connection open"
        why "a key that was replaced because it was stolen would still serve the thief who is connected"
        expected "-404 for the first key on its open connection"
        replaced_while_open;
    "PF-10/3" Must "two binds of one permanent key at once"
        why "a race that leaves two keys leaves the attacker's beside the user's, and nobody sees it"
        expected "one of the two keys serves, the other gets -404"
        race;
    "PF-10/4" Must "a refused bind replaces nothing"
        why "anybody could end the session of a user whose permanent key he does not have"
        expected "400 ENCRYPTED_MESSAGE_INVALID, and the key that was bound before serves on"
        refused_bind_replaces_nothing;
    "PF-10/5" Must "a bind to one permanent key leaves those of others alone"
        why "each login of one user would end another user's"
        expected "the keys of both permanent keys serve"
        others_stay;
    "PF-10/6" Compat "several temporary keys of a media DC"
        why "clients load media over sessions in parallel, each with a key of its own"
        expected "three keys with a negative dc, bound to one permanent key, and all of them serve"
        media_slots;
    "PF-10/7" Compat "a temporary key of a media DC beside the main one"
        why "a media DC is a DC of its own: TDLib would lose its main session whenever it loads a picture"
        expected "both keys serve"
        media_beside_main;
    "PF-10/8" Compat "two temporary keys that name no dc"
        why "on iOS a main and a media key are made so: each would end the other for ever"
        expected "both keys serve"
        without_dc;
    "PF-19/1" Must "auth.dropTempAuthKeys ends the keys that it does not name"
        why "a user ends other sessions with it: a key that stays serves whoever he wanted out"
        expected "boolTrue, -404 for the key that is not named, and the named one serves"
        drops_unnamed;
    "PF-19/2" Must "auth.dropTempAuthKeys leaves the caller's own key"
        why "a client that ends the key under it never hears the answer, and begins anew each time"
        expected "boolTrue, and calls under the caller's key are answered"
        drops_not_its_own;
    "MS-17/20" Must "destroy_auth_key under a bound temporary key"
        why "it is how a device is given away: what is left of the login serves its finder"
        expected "destroy_auth_key_ok, -404 under both keys, and no bind to the permanent one"
        destroyed;
}

/// A new temporary key of a dc, bound to `perm`, and the line on which it was; without `dc` it names none.
async fn bound_to(probe: &mut Probe, perm: &Made, dc: Option<i32>) -> Outcome<(Made, Line)> {
    let made = probe.key_of(Some(3600), |run| match dc {
        Some(dc) => run.inner_temp(3600, |inner| inner.dc = dc),
        None => run.inner_without_dc(Some(3600)),
    });
    let made = made.await?;
    let line = probe.bound_line(perm, &made).await?;
    Ok((made, line))
}

/// The first key is gone, unless the server says that several are allowed.
async fn is_replaced(probe: &mut Probe, made: &Made, second: &mut Line) -> Outcome {
    let outcome = is_gone(probe, made, "the key that was replaced").await;
    if outcome.is_ok() {
        return outcome;
    }
    let query = introduced(&to_bytes(&HelpGetConfig {}));
    let Ok(config) = second.call(&query, "help.getConfig", &mut probe.dice).await? else { return outcome };
    match read_prefix::<Config<'_>>(&config) {
        Ok((config, _)) if config.tmp_sessions.unwrap_or(1) <= 1 => outcome,
        Ok((config, _)) => Err(Stop::Undecided(format!(
            "help.getConfig allows {} temporary keys at a time",
            config.tmp_sessions.unwrap_or(1)
        ))),
        Err(_) => Err(Stop::Undecided(
            "the first key still serves, and help.getConfig is of a layer in which tmp_sessions cannot be read".to_owned(),
        )),
    }
}

async fn replaced(probe: &mut Probe) -> Outcome {
    let (pair, first) = probe.bound().await?;
    drop(first);
    let (second, mut line) = bound_to(probe, &pair.perm, Some(2)).await?;
    is_replaced(probe, &pair.temp, &mut line).await?;
    acts_as_bound(&mut line, probe, "the key that replaced it").await?;
    is_there(probe, &second, "the key that replaced it").await
}

async fn replaced_while_open(probe: &mut Probe) -> Outcome {
    let (pair, mut first) = probe.bound().await?;
    acts_as_bound(&mut first, probe, "the first key").await?;
    let (_, mut second) = bound_to(probe, &pair.perm, Some(2)).await?;
    is_replaced(probe, &pair.temp, &mut second).await?;
    let query = introduced(&to_bytes(&HelpGetConfig {}));
    match first.attempt(&query, "help.getConfig on the open connection", &mut probe.dice).await? {
        Err(Heard::Error(-404)) => Ok(()),
        Err(other) => failed(format!("the open connection got {} instead of -404", other.told())),
        Ok(answer) => failed(format!("the open connection got {} instead of -404", told(&answer))),
    }
}

async fn race(probe: &mut Probe) -> Outcome {
    let perm = probe.perm().await?;
    let keys = [probe.temp(3600).await?, probe.temp(3600).await?];
    let mut lines = [probe.line(&keys[0]).await?, probe.line(&keys[1]).await?];
    let mut binds = Vec::new();
    for line in &mut lines {
        let ends = line.ends;
        binds.push(probe.bind_call(line, &perm, ends)?);
    }
    for (line, bind) in lines.iter_mut().zip(&binds) {
        line.send(bind, "one of two binds at once", &mut probe.dice).await?;
    }
    for (line, bind) in lines.iter_mut().zip(&binds) {
        // Of the one that is replaced at once the answer may be lost: what counts is which of them serves.
        match line.wait_for(|message| message.answer_to(bind.msg_id)).await? {
            Ok(answer) => is_true(&answer, "one of two binds at once")?,
            Err(Heard::Error(-404) | Heard::Closed) => {}
            Err(other) => return failed(format!("one of two binds at once got {}", other.told())),
        }
    }
    let mut serving = 0;
    for key in &keys {
        match super::tried(probe, key, "one of the two keys").await? {
            Ok(_) => serving += 1,
            Err(Heard::Error(-404)) => {}
            Err(other) => return failed(format!("one of the two keys got {}", other.told())),
        }
    }
    if serving == 1 { Ok(()) } else { failed(format!("{serving} of the two keys serve")) }
}

async fn refused_bind_replaces_nothing(probe: &mut Probe) -> Outcome {
    let (pair, _line) = probe.bound().await?;
    let other = probe.temp(3600).await?;
    let mut line = probe.line(&other).await?;
    let what = "a bind of a second key with a wrong msg_key";
    let answer =
        forged_bind(probe, &mut line, &pair.perm, what, |forged| forged.change = |out| out[8] ^= 1).await?;
    is_error(&answer, (400, "ENCRYPTED_MESSAGE_INVALID"), what)?;
    is_there(probe, &pair.temp, "the key that was bound before").await
}

async fn others_stay(probe: &mut Probe) -> Outcome {
    let (one, _first) = probe.bound().await?;
    let (two, _second) = probe.bound().await?;
    is_there(probe, &one.temp, "the key of the first permanent key").await?;
    is_there(probe, &two.temp, "the key of the second permanent key").await
}

async fn media_slots(probe: &mut Probe) -> Outcome {
    let perm = probe.perm().await?;
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(bound_to(probe, &perm, Some(-2)).await?);
    }
    for (key, _) in &keys {
        is_there(probe, key, "one of three media keys").await?;
    }
    Ok(())
}

async fn media_beside_main(probe: &mut Probe) -> Outcome {
    let (pair, _main) = probe.bound().await?;
    let (media, _media) = bound_to(probe, &pair.perm, Some(-2)).await?;
    is_there(probe, &pair.temp, "the main key").await?;
    is_there(probe, &media, "the media key").await
}

async fn without_dc(probe: &mut Probe) -> Outcome {
    let perm = probe.perm().await?;
    let (one, _first) = bound_to(probe, &perm, None).await?;
    let (two, _second) = bound_to(probe, &perm, None).await?;
    is_there(probe, &one, "the first key").await?;
    is_there(probe, &two, "the second key").await
}

/// Three media keys of one permanent key; the first has dropped all but the second. Not reached where they do not all serve.
async fn dropped(probe: &mut Probe) -> Outcome<Vec<(Made, Line)>> {
    let perm = probe.perm().await?;
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(bound_to(probe, &perm, Some(-2)).await?);
    }
    for (key, _) in &keys {
        if let Err(Stop::Failed(why)) = is_there(probe, key, "one of three media keys").await {
            return not_reached(why);
        }
    }
    let [(_, caller), (named, _), _] = keys.as_mut_slice() else { return not_reached("not three keys") };
    let named = [named.key.id().to_long()];
    let call = to_bytes(&AuthDropTempAuthKeys { except_auth_keys: LongVec::from_slice(&named) });
    match caller.attempt(&introduced(&call), "auth.dropTempAuthKeys", &mut probe.dice).await? {
        Ok(answer) => is_true(&answer, "auth.dropTempAuthKeys")?,
        Err(heard) => return failed(format!("auth.dropTempAuthKeys got {}", heard.told())),
    }
    Ok(keys)
}

async fn drops_unnamed(probe: &mut Probe) -> Outcome {
    let keys = dropped(probe).await?;
    let [_, (named, _), (unnamed, _)] = keys.as_slice() else { return not_reached("not three keys") };
    is_gone(probe, unnamed, "the key that was not named").await?;
    is_there(probe, named, "the key that was named").await
}

async fn drops_not_its_own(probe: &mut Probe) -> Outcome {
    let mut keys = dropped(probe).await?;
    let Some((own, line)) = keys.first_mut() else { return not_reached("no key") };
    acts_as_bound(line, probe, "the caller's key").await?;
    is_there(probe, own, "the caller's key").await
}

async fn destroyed(probe: &mut Probe) -> Outcome {
    let (pair, mut line) = probe.bound().await?;
    let said = line.talk.say(to_bytes(&DestroyAuthKey {}));
    line.send(&said, "destroy_auth_key", &mut probe.dice).await?;
    let ok = to_bytes(&DestroyAuthKeyOk {});
    match line.wait_for(|message| (message.body == ok).then_some(())).await? {
        // After it -404 says the same.
        Ok(()) | Err(Heard::Error(-404)) => {}
        Err(heard) => return failed(format!("destroy_auth_key got {}", heard.told())),
    }
    is_gone(probe, &pair.temp, "the temporary key").await?;
    is_gone(probe, &pair.perm, "the permanent key").await?;
    let temp = probe.temp(3600).await?;
    let mut line = probe.line(&temp).await?;
    let said = probe.bind_call(&mut line, &pair.perm, temp.server_time + 3600)?;
    let what = "a bind to the permanent key that was destroyed";
    match line.answer(&said, what, &mut probe.dice).await? {
        Told::Answer(answer) => is_error(&answer, (400, "ENCRYPTED_MESSAGE_INVALID"), what),
        Told::Salt => failed("bad_server_salt for the first salt of the key"),
        Told::Nothing(heard) => failed(format!("{what} got {}", heard.told())),
    }
}
