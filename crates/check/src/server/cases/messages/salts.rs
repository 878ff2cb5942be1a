//! Salts: rules MS-09 and MS-10.

use std::collections::BTreeSet;

use dayfly_tl::mtproto::{BadServerSalt, FutureSalts, GetFutureSalts};
use dayfly_tl::{BOOL_TRUE, read_exact, to_bytes};

use super::answered;
use crate::case::cases;
use crate::server::Entry;
use crate::server::fate::Fate;
use crate::server::probe::{Line, Probe, Told};
use crate::server::talk::{Said, unix_now};
use crate::verdict::{Outcome, failed, not_reached};

cases! {
    "MS-09/1" Must "a wrong salt"
        why "salts bound the time in which a recorded packet can be sent again; one that is not checked bounds nothing"
        expected "bad_server_salt with code 48 and a salt that is taken, and nothing of it is done"
        wrong_salt;
    "MS-09/2" Must "the first salt of a key"
        why "a client has no other one, and a server that refuses it costs every client a round trip"
        expected "it is taken"
        first_salt;
    "MS-09/3" Must "the salt in the server's own messages"
        why "a client takes its next salt from there"
        expected "one that is taken"
        salt_of_the_server;
    "MS-09/4" Must "a bind with a wrong salt"
        why "a recorded bind could be sent again when its temporary key is long gone"
        expected "bad_server_salt, and nothing is bound"
        bind_with_wrong_salt;
    "MS-10/1" Must "get_future_salts"
        why "a client that knows the next salts loses no message when one ends"
        expected "future_salts with the msg_id of the request, the server's time, and salts with times that leave no gap"
        future_salts;
    "MS-10/2" Must "get_future_salts for 0, -1, 65 and 1,000,000"
        why "a number that is taken at its word makes the server compute until it has no memory"
        expected "between 1 and 64 salts"
        count_is_cut;
    "MS-10/3" Must "a salt that get_future_salts says is valid now"
        why "a client changes to it in advance"
        expected "it is taken"
        promised_salt;
}

/// A message with a wrong salt gets the notice; the salt in it.
async fn notice(line: &mut Line, said: &Said, what: &str, probe: &mut Probe) -> Outcome<BadServerSalt> {
    line.send(said, what, &mut probe.dice).await?;
    let notice = line.wait_for(|message| {
        let notice =
            read_exact::<BadServerSalt>(&message.body).ok().filter(|notice| notice.bad_msg_id == said.msg_id);
        notice.map(Ok).or_else(|| message.is_about(said).then(|| Err(message.constructor())))
    });
    match notice.await? {
        Ok(Ok(notice)) => Ok(notice),
        Ok(Err(constructor)) => failed(format!("{what} got #{constructor:08x} instead of bad_server_salt")),
        Err(heard) => failed(format!("{what} got {} instead of bad_server_salt", heard.told())),
    }
}

async fn wrong_salt(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let mut said = line.ping(&mut probe.dice);
    said.salt = !said.salt;
    let notice = notice(&mut line, &said, "a ping with a wrong salt", probe).await?;
    if (notice.error_code, notice.bad_msg_seqno) != (48, said.seqno) {
        return failed(format!("the notice says code {}, seqno {}", notice.error_code, notice.bad_msg_seqno));
    }
    line.talk.salt = notice.new_server_salt;
    line.goes_on_without(&said, &mut probe.dice).await
}

async fn first_salt(probe: &mut Probe) -> Outcome {
    let made = probe.perm().await?;
    let mut line = probe.line(&made).await?;
    let said = line.ping(&mut probe.dice);
    answered(&mut line, &said, "a ping with the first salt", probe).await
}

async fn salt_of_the_server(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let ping = line.ping(&mut probe.dice);
    let pong = line.ask(&ping, "a ping", &mut probe.dice).await?;
    line.talk.salt = pong.salt;
    let said = line.ping(&mut probe.dice);
    answered(&mut line, &said, "a ping with the salt of the server's last message", probe).await
}

async fn bind_with_wrong_salt(probe: &mut Probe) -> Outcome {
    let (perm, temp) = (probe.perm().await?, probe.temp(3600).await?);
    let mut line = probe.line(&temp).await?;
    line.greet(&mut probe.dice).await?;
    let expires_at = temp.expires_at.unwrap_or_default();
    let mut said = probe.bind_call(&mut line, &perm, expires_at)?;
    said.salt = !said.salt;
    notice(&mut line, &said, "auth.bindTempAuthKey with a wrong salt", probe).await?;
    // Bound it would answer other calls than the three that an unbound key may make.
    let call = line
        .talk
        .say(to_bytes(&dayfly_tl::api::AuthDropTempAuthKeys { except_auth_keys: Vec::new().into() }));
    match line.answer(&call, "a call that only a bound key may make", &mut probe.dice).await? {
        Told::Answer(Err((401, _))) => {}
        Told::Answer(other) => return failed(format!("that call got {other:?}: the key is bound")),
        Told::Salt | Told::Nothing(_) => return not_reached("a call under an unbound key got no answer"),
    }
    match probe.bind(&mut line, &perm, expires_at).await? {
        Ok(result) if result == BOOL_TRUE.to_le_bytes() => Ok(()),
        other => failed(format!("the bind with the right salt got {other:?}")),
    }
}

async fn ask_for(line: &mut Line, num: i32, probe: &mut Probe) -> Outcome<FutureSalts> {
    let said = line.talk.say(to_bytes(&GetFutureSalts { num }));
    let answer = line.ask(&said, &format!("get_future_salts for {num}"), &mut probe.dice).await?;
    let Ok(salts) = read_exact::<FutureSalts>(&answer.body) else {
        return failed(format!("get_future_salts got #{:08x}", answer.constructor()));
    };
    if salts.req_msg_id != said.msg_id {
        return failed("req_msg_id is not the msg_id of the request");
    }
    Ok(salts)
}

async fn future_salts(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let answer = ask_for(&mut line, 3, probe).await?;
    let now = unix_now().0 + line.talk.skew;
    if (i64::from(answer.now) - now).abs() > 30 {
        return failed(format!("now is {}, and by server_time it is {now}", answer.now));
    }
    if !(1..=3).contains(&answer.salts.len()) {
        return failed(format!("{} salts came for 3", answer.salts.len()));
    }
    let different: BTreeSet<_> = answer.salts.iter().map(|salt| salt.salt).collect();
    if different.len() != answer.salts.len() {
        return failed("two of the salts are the same");
    }
    let mut known_until = answer.now;
    let mut salts = answer.salts;
    salts.sort_by_key(|salt| salt.valid_since);
    for salt in salts {
        if salt.valid_since >= salt.valid_until {
            return failed("a salt ends before it begins");
        }
        if salt.valid_since > known_until {
            return failed(format!("from {known_until} to {} no salt is valid", salt.valid_since));
        }
        known_until = salt.valid_until;
    }
    Ok(())
}

async fn count_is_cut(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    for num in [0, -1, 65, 1_000_000] {
        let count = ask_for(&mut line, num, probe).await?.salts.len();
        if !(1..=64).contains(&count) {
            return failed(format!("{count} salts came for {num}"));
        }
    }
    Ok(())
}

async fn promised_salt(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let answer = ask_for(&mut line, 8, probe).await?;
    // Ends of a salt are left out: the server's clock goes on.
    let valid = |since: i32, until: i32| since <= answer.now && answer.now < until.saturating_sub(60);
    let Some(salt) = answer.salts.iter().find(|salt| valid(salt.valid_since, salt.valid_until)) else {
        return failed("none of the salts is valid now");
    };
    line.talk.salt = salt.salt;
    let said = line.ping(&mut probe.dice);
    match line.fate(&said, "a ping with a promised salt", &mut probe.dice).await? {
        Fate::Answered(_) => Ok(()),
        other => failed(format!("it got {}", other.told())),
    }
}
