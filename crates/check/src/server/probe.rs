//! What a case has in its hands: connections, key exchanges, keys, sessions.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dayfly_core::keys::bind::Binding;
use dayfly_core::keys::kind::PermKey;
use dayfly_core::plain;
use dayfly_core::session::{MsgId, SessionId};
use dayfly_crypto::dh::GroupCache;
use dayfly_crypto::rsa_key::PublicKey;
use dayfly_tl::mtproto::DhGenOk;
use dayfly_tl::{BOOL_TRUE, read_prefix};

use super::exchange::Exchange;
pub(crate) use super::line::{Line, Told};
use super::talk::{Answer, Made, Said, Talk};
use super::trace::{Happened, Trace};
use super::wire::{Heard, Wire, plain_body};
use crate::dice::Dice;
use crate::verdict::{Outcome, Stop, failed, not_reached};

/// How often a query that got -429 is sent again.
const AGAIN: u32 = 20;
/// How long is waited before.
const FLOOD: Duration = Duration::from_millis(500);

/// Whom the cases are about.
#[derive(Clone)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its RSA key.
    pub key: PublicKey,
    /// How long an answer is waited for.
    pub patience: Duration,
    /// How long it must stay silent to count as silent.
    pub silence: Duration,
    /// What decides every random byte.
    pub seed: u64,
}

/// What the cases of a run share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) target: Target,
    groups: GroupCache,
}

impl Shared {
    pub(crate) fn new(target: Target) -> Self {
        Self { target, groups: GroupCache::new() }
    }
}

/// One case's hands.
pub(crate) struct Probe {
    shared: Shared,
    pub(crate) dice: Dice,
    pub(super) trace: Trace,
    pub(super) wires: u32,
    pub(super) case: &'static str,
}

/// Two keys that are bound to each other.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) perm: Made,
    pub(crate) temp: Made,
}

impl Probe {
    pub(crate) fn new(shared: &Shared, case: &'static str) -> Self {
        let dice = Dice::new(shared.target.seed, case);
        Self { shared: shared.clone(), dice, trace: Trace::default(), wires: 0, case }
    }

    /// What went over the wire so far.
    pub(crate) fn take_trace(&self) -> Vec<Happened> {
        self.trace.take()
    }

    pub(crate) fn target(&self) -> &Target {
        &self.shared.target
    }

    /// Sends a plain query and takes what comes. A server that is too busy (-429) is asked again, but not for ever.
    pub(crate) async fn ask(&mut self, wire: &mut Wire, query: &[u8], what: &str) -> Outcome<Heard> {
        for _ in 0..AGAIN {
            wire.send_plain(query, what).await?;
            let heard = wire.hear().await?;
            if heard != Heard::Error(-429) {
                return Ok(heard);
            }
            tokio::time::sleep(FLOOD).await;
        }
        Ok(Heard::Error(-429))
    }

    /// Sends plain queries in one write, so that the later ones arrive before the first is answered.
    pub(crate) async fn send_at_once(&mut self, wire: &mut Wire, queries: &[&[u8]], what: &str) -> Outcome {
        let mut bytes = Vec::new();
        for (number, query) in (1..).zip(queries) {
            bytes.extend(wire.framed(&plain::write(number * 4, query), false)?);
        }
        self.trace.sent(what);
        wire.write(&bytes).await;
        Ok(())
    }

    /// As [`Probe::ask`] where only a plain answer will do: the exchange cannot go on without it.
    pub(crate) async fn answer(&mut self, wire: &mut Wire, query: &[u8], what: &str) -> Outcome<Vec<u8>> {
        match self.ask(wire, query, what).await? {
            Heard::Payload(payload) => Ok(plain_body(&payload).to_vec()),
            other => not_reached(format!("{what} got {}", other.told())),
        }
    }

    /// A run after `resPQ`.
    pub(crate) async fn open(&mut self, wire: &mut Wire) -> Outcome<Exchange> {
        let mut run = Exchange::new(self.shared.target.key.clone(), &mut self.dice);
        let answer = self.answer(wire, &run.req_pq(), "req_pq_multi").await?;
        run.take_res_pq(&answer)?;
        Ok(run)
    }

    /// A run after `server_DH_params_ok`, for a permanent key.
    pub(crate) async fn proven(&mut self, wire: &mut Wire) -> Outcome<Exchange> {
        let mut run = self.open(wire).await?;
        let inner = run.inner(|_| {});
        self.prove(wire, &mut run, &inner).await?;
        Ok(run)
    }

    /// Sends a right `req_DH_params` and takes the answer.
    pub(crate) async fn prove(&mut self, wire: &mut Wire, run: &mut Exchange, inner: &[u8]) -> Outcome {
        let query = run.proof(inner, &mut self.dice)?;
        let answer = self.answer(wire, &query, "req_DH_params").await?;
        self.take_dh_params(run, &answer)
    }

    /// Takes `server_DH_params_ok` and draws b.
    pub(crate) fn take_dh_params(&mut self, run: &mut Exchange, answer: &[u8]) -> Outcome {
        run.take_dh_params(answer, &self.shared.groups, &mut self.dice)
    }

    /// Sends a right `set_client_DH_params` and takes the key.
    pub(crate) async fn finish(
        &mut self,
        wire: &mut Wire,
        run: &mut Exchange,
        expires_in: Option<i64>,
    ) -> Outcome<Made> {
        let mut retry_id = 0;
        for _ in 0..=5 {
            let query = run.finish(retry_id)?;
            let answer = self.answer(wire, &query, "set_client_DH_params").await?;
            let key = run.auth_key()?;
            if let Ok((ok, _)) = read_prefix::<DhGenOk>(&answer) {
                if ok.new_nonce_hash1 != run.hash(1, &key) {
                    return failed("new_nonce_hash1 is wrong");
                }
                return run.made(expires_in);
            }
            // dh_gen_retry: another b, and the hash of the key that was refused.
            retry_id = i64::from_le_bytes(key.aux_hash());
            run.draw_b(&mut self.dice)?;
        }
        not_reached("six keys in a row were refused")
    }

    /// A whole exchange on a connection: a permanent key, or a temporary one of so many seconds.
    pub(crate) async fn key_on(&mut self, wire: &mut Wire, expires_in: Option<i32>) -> Outcome<Made> {
        let mut run = self.open(wire).await?;
        let inner = match expires_in {
            None => run.inner(|_| {}),
            Some(seconds) => run.inner_temp(seconds, |_| {}),
        };
        self.prove(wire, &mut run, &inner).await?;
        self.finish(wire, &mut run, expires_in.map(i64::from)).await
    }

    /// A whole exchange on a connection of its own, with inner data that `inner` gives.
    pub(crate) async fn key_of(
        &mut self,
        expires_in: Option<i64>,
        inner: impl Fn(&Exchange) -> Vec<u8>,
    ) -> Outcome<Made> {
        let mut wire = self.connect().await?;
        let mut run = self.open(&mut wire).await?;
        let inner = inner(&run);
        self.prove(&mut wire, &mut run, &inner).await?;
        self.finish(&mut wire, &mut run, expires_in).await
    }

    /// A new permanent key, made on a connection of its own.
    pub(crate) async fn perm(&mut self) -> Outcome<Made> {
        let mut wire = self.connect().await?;
        self.key_on(&mut wire, None).await
    }

    /// A new temporary key that ends after so many seconds.
    pub(crate) async fn temp(&mut self, expires_in: i32) -> Outcome<Made> {
        let mut wire = self.connect().await?;
        self.key_on(&mut wire, Some(expires_in)).await
    }

    /// A new connection with a new session under a key.
    pub(crate) async fn line(&mut self, made: &Made) -> Outcome<Line> {
        let wire = self.connect().await?;
        Ok(self.line_on(wire, made))
    }

    /// A new session under a key, on this connection.
    pub(crate) fn line_on(&mut self, wire: Wire, made: &Made) -> Line {
        let ends = made.expires_at.unwrap_or(made.server_time + 3600);
        Line { wire, talk: Talk::new(made, self.dice.long() | 1), others: Vec::new(), ends }
    }

    /// `auth.bindTempAuthKey` for the session of a line, as the next message.
    pub(crate) fn bind_call(&mut self, line: &mut Line, perm: &Made, expires_at: i64) -> Outcome<Said> {
        let mut said = line.talk.say(Vec::new());
        let binding =
            Binding { temp: line.talk.key.id(), expires_at: i32::try_from(expires_at).unwrap_or(i32::MAX) };
        let perm = PermKey::new(Arc::clone(&perm.key));
        let session = SessionId(line.talk.session);
        said.body = binding
            .request(&perm, MsgId::from_long(said.msg_id), session, &mut self.dice)
            .map_err(|error| Stop::NotReached(format!("the suite itself: {error}")))?;
        Ok(said)
    }

    /// Binds the key of a line to a permanent one.
    pub(crate) async fn bind(&mut self, line: &mut Line, perm: &Made, expires_at: i64) -> Outcome<Answer> {
        for _ in 0..2 {
            let said = self.bind_call(line, perm, expires_at)?;
            match line.answer(&said, "auth.bindTempAuthKey", &mut self.dice).await? {
                Told::Answer(answer) => return Ok(answer),
                // The request names its msg_id: it is made anew.
                Told::Salt => {}
                Told::Nothing(heard) => return not_reached(format!("the bind got {}", heard.told())),
            }
        }
        not_reached("bad_server_salt came twice in a row")
    }

    /// Two new keys, bound, and the line on which they were.
    pub(crate) async fn bound(&mut self) -> Outcome<(Pair, Line)> {
        let (perm, temp) = (self.perm().await?, self.temp(3600).await?);
        let line = self.bound_line(&perm, &temp).await?;
        Ok((Pair { perm, temp }, line))
    }

    /// Binds a temporary key until its own end, on a new line.
    pub(crate) async fn bound_line(&mut self, perm: &Made, temp: &Made) -> Outcome<Line> {
        let mut line = self.line(temp).await?;
        let ends = line.ends;
        match self.bind(&mut line, perm, ends).await? {
            Ok(result) if result == BOOL_TRUE.to_le_bytes() => Ok(line),
            other => not_reached(format!("the plain binding got {other:?}")),
        }
    }
}
