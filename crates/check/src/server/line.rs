//! A session on a connection.

use dayfly_tl::mtproto::BadServerSalt;
use dayfly_tl::read_exact;

use super::talk::{Answer, Message, Said, Talk};
use super::wire::{Heard, Wire};
use crate::dice::Dice;
use crate::verdict::{Outcome, not_reached};

/// A connection and a session on it.
pub(crate) struct Line {
    pub(crate) wire: Wire,
    pub(crate) talk: Talk,
    /// What came and was not asked for.
    pub(crate) others: Vec<Message>,
    /// When its key ends, by the server's clock, in Unix seconds; in an hour if the key does not end.
    pub(crate) ends: i64,
}

/// What came to a call.
pub(crate) enum Told {
    /// Its `rpc_result`.
    Answer(Answer),
    /// `bad_server_salt`; the line has taken the new salt.
    Salt,
    /// Neither.
    Nothing(Heard),
}

impl Line {
    /// Seals a message and sends it.
    pub(crate) async fn send(&mut self, said: &Said, what: &str, dice: &mut Dice) -> Outcome {
        let packet = self.talk.seal(said, dice)?;
        self.wire.send(&packet, what).await
    }

    /// The messages of the next packet; `Err` in it if something else came.
    pub(crate) async fn hear(&mut self) -> Outcome<Result<Vec<Message>, Heard>> {
        match self.wire.hear().await? {
            Heard::Payload(payload) => Ok(Ok(self.talk.open(&payload)?)),
            other => Ok(Err(other)),
        }
    }

    /// Waits for a message that `wanted` makes something of; the others are kept in `others`.
    pub(crate) async fn wait_for<T>(
        &mut self,
        wanted: impl Fn(&Message) -> Option<T>,
    ) -> Outcome<Result<T, Heard>> {
        loop {
            let messages = match self.hear().await? {
                Ok(messages) => messages,
                Err(heard) => return Ok(Err(heard)),
            };
            let mut found = None;
            for message in messages {
                match found.is_none().then(|| wanted(&message)).flatten() {
                    Some(some) => found = Some(some),
                    None => self.others.push(message),
                }
            }
            if let Some(found) = found {
                return Ok(Ok(found));
            }
        }
    }

    /// Sends a call and waits for what comes to it.
    pub(crate) async fn answer(&mut self, said: &Said, what: &str, dice: &mut Dice) -> Outcome<Told> {
        enum Came {
            Answer(Answer),
            Salt(i64),
        }
        self.send(said, what, dice).await?;
        let came = self.wait_for(|message| {
            let salt = read_exact::<BadServerSalt>(&message.body).ok();
            let salt = salt.filter(|notice| notice.bad_msg_id == said.msg_id);
            salt.map(|notice| Came::Salt(notice.new_server_salt))
                .or_else(|| message.answer_to(said.msg_id).map(Came::Answer))
        });
        Ok(match came.await? {
            Ok(Came::Answer(answer)) => Told::Answer(answer),
            Ok(Came::Salt(salt)) => {
                self.talk.salt = salt;
                Told::Salt
            }
            Err(heard) => Told::Nothing(heard),
        })
    }

    /// Calls a function and returns its answer, with the right salt if the first one was wrong.
    pub(crate) async fn call(&mut self, body: &[u8], what: &str, dice: &mut Dice) -> Outcome<Answer> {
        match self.attempt(body, what, dice).await? {
            Ok(answer) => Ok(answer),
            Err(heard) => not_reached(format!("{what} got {}", heard.told())),
        }
    }

    /// The same where it may well be that no answer comes: what came instead is in `Err`.
    pub(crate) async fn attempt(
        &mut self,
        body: &[u8],
        what: &str,
        dice: &mut Dice,
    ) -> Outcome<Result<Answer, Heard>> {
        for _ in 0..2 {
            let said = self.talk.say(body.to_vec());
            match self.answer(&said, what, dice).await? {
                Told::Answer(answer) => return Ok(Ok(answer)),
                Told::Salt => {}
                Told::Nothing(heard) => return Ok(Err(heard)),
            }
        }
        not_reached("bad_server_salt came twice in a row")
    }
}
