//! What a session says beside calls, and what came of it.

use dayfly_tl::mtproto::{
    BadMsgNotificationPlain, BadServerSalt, DestroyAuthKeyFail, DestroyAuthKeyNone, DestroyAuthKeyOk,
    DestroySessionNone, DestroySessionOk, FutureSalts, MsgsStateInfo, Ping, Pong, RpcResult,
};
use dayfly_tl::{Reader, read_exact, to_bytes};

use super::line::Line;
use super::probe::Probe;
use super::talk::{Message, Said};
use super::wire::{Heard, Wire};
use crate::dice::Dice;
use crate::verdict::{Outcome, Stop, failed, not_reached};

/// What the server did with a message.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It answered with this.
    Answered(Message),
    /// `bad_msg_notification`, with this code.
    Refused(i32),
    /// `bad_server_salt`, with this salt.
    Salt(i64),
    /// No message about it came; this did.
    Nothing(Heard),
}

impl Fate {
    /// In words.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Answered(message) => format!("the answer #{:08x}", message.constructor()),
            Self::Refused(code) => format!("bad_msg_notification with code {code}"),
            Self::Salt(_) => "bad_server_salt".to_owned(),
            Self::Nothing(heard) => heard.told(),
        }
    }
}

impl Message {
    /// Whether it says anything of this message: all that a server says of one names its msg_id.
    pub(crate) fn is_about(&self, said: &Said) -> bool {
        self.body.windows(8).any(|bytes| bytes == said.msg_id.to_le_bytes())
    }

    fn fate_of(&self, said: &Said) -> Option<Fate> {
        if let Ok(notice) = read_exact::<BadMsgNotificationPlain>(&self.body) {
            return (notice.bad_msg_id == said.msg_id).then_some(Fate::Refused(notice.error_code));
        }
        if let Ok(notice) = read_exact::<BadServerSalt>(&self.body) {
            return (notice.bad_msg_id == said.msg_id).then_some(Fate::Salt(notice.new_server_salt));
        }
        self.answers(said).then(|| Fate::Answered(self.clone()))
    }

    /// Whether it is an answer, bare or not. The answers about sessions and keys name no msg_id.
    fn answers(&self, said: &Said) -> bool {
        let mut fields = Reader::new(&self.body);
        match fields.u32().unwrap_or(0) {
            Pong::CONSTRUCTOR
            | FutureSalts::CONSTRUCTOR
            | MsgsStateInfo::CONSTRUCTOR
            | RpcResult::CONSTRUCTOR => fields.i64() == Ok(said.msg_id),
            DestroySessionOk::CONSTRUCTOR
            | DestroySessionNone::CONSTRUCTOR
            | DestroyAuthKeyOk::CONSTRUCTOR
            | DestroyAuthKeyNone::CONSTRUCTOR
            | DestroyAuthKeyFail::CONSTRUCTOR => true,
            _ => false,
        }
    }
}

impl Line {
    /// A ping with an id of its own, as the next message.
    pub(crate) fn ping(&mut self, dice: &mut Dice) -> Said {
        self.talk.say(to_bytes(&Ping { ping_id: dice.long() }))
    }

    /// Sends a message and waits for what the server does with it.
    pub(crate) async fn fate(&mut self, said: &Said, what: &str, dice: &mut Dice) -> Outcome<Fate> {
        self.send(said, what, dice).await?;
        self.fate_of(said).await
    }

    /// Waits for what the server does with a message that was sent.
    pub(crate) async fn fate_of(&mut self, said: &Said) -> Outcome<Fate> {
        let came = self.wait_for(|message| message.fate_of(said)).await?;
        Ok(came.unwrap_or_else(Fate::Nothing))
    }

    /// The answer to a service message, such as a pong. Anything else is a failure.
    pub(crate) async fn ask(&mut self, said: &Said, what: &str, dice: &mut Dice) -> Outcome<Message> {
        match self.fate(said, what, dice).await? {
            Fate::Answered(message) => Ok(message),
            other => failed(format!("{what} got {}", other.told())),
        }
    }

    /// A first ping, with the right salt if the first one was wrong: without its pong no case can go on.
    pub(crate) async fn greet(&mut self, dice: &mut Dice) -> Outcome {
        for _ in 0..2 {
            let said = self.ping(dice);
            match self.fate(&said, "a ping", dice).await? {
                Fate::Answered(_) => return Ok(()),
                Fate::Salt(salt) => self.talk.salt = salt,
                other => return not_reached(format!("a plain ping got {}", other.told())),
            }
        }
        not_reached("bad_server_salt came twice in a row")
    }

    /// The session serves as before: a ping gets its pong.
    pub(crate) async fn goes_on(&mut self, dice: &mut Dice) -> Outcome {
        let said = self.ping(dice);
        self.ask(&said, "then a right ping", dice).await.map(drop)
    }

    /// The session serves as before, and nothing was ever said of this message.
    pub(crate) async fn goes_on_without(&mut self, said: &Said, dice: &mut Dice) -> Outcome {
        self.goes_on(dice).await?;
        match self.others.iter().find(|message| message.is_about(said)) {
            Some(message) => failed(format!("afterwards #{:08x} came about it", message.constructor())),
            None => Ok(()),
        }
    }

    /// Whether `bad_msg_notification` about this message is among what came unasked.
    pub(crate) fn notice_about(&self, said: &Said) -> bool {
        self.others.iter().any(|message| matches!(message.fate_of(said), Some(Fate::Refused(_))))
    }

    /// What came unasked and has this constructor.
    pub(crate) fn unasked(&self, constructor: u32) -> Vec<&Message> {
        self.others.iter().filter(|message| message.constructor() == constructor).collect()
    }
}

impl Probe {
    /// A session under a new permanent key, in which service messages are answered.
    pub(crate) async fn session(&mut self) -> Outcome<Line> {
        let made = self.perm().await?;
        let mut line = self.line(&made).await?;
        line.greet(&mut self.dice).await?;
        Ok(line)
    }

    /// Another session under the key of this one, on a connection of its own.
    pub(crate) async fn beside(&mut self, line: &Line) -> Outcome<Line> {
        let wire = self.connect().await?;
        let talk = line.talk.another(self.dice.long() | 1);
        Ok(Line { wire, talk, others: Vec::new(), ends: line.ends })
    }

    /// Gives a session a new connection; the old one is returned, open.
    pub(crate) async fn move_on(&mut self, line: &mut Line) -> Outcome<Wire> {
        let wire = self.connect().await?;
        Ok(std::mem::replace(&mut line.wire, wire))
    }

    /// A session in which API calls are answered: under a bound temporary key or, where the server knows none, a permanent
    /// one.
    pub(crate) async fn caller(&mut self) -> Outcome<Line> {
        match self.bound().await {
            Ok((_, line)) => Ok(line),
            Err(Stop::NotReached(_)) => self.session().await,
            Err(stop) => Err(stop),
        }
    }
}

/// A positive case: what keeps it from being reached is what is being checked.
pub(crate) fn must(outcome: Outcome) -> Outcome {
    match outcome {
        Err(Stop::NotReached(why)) => failed(why),
        other => other,
    }
}
