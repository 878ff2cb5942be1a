//! Steps 7 to 9: `set_client_DH_params` is awaited, auth_key computed and kept, the verdict given.

use core::time::Duration;
use std::sync::Arc;

use dayfly_crypto::dh::{PublicValue, SafePrimeGroup};
use dayfly_crypto::{AuthKey, AuthKeyId, Exponent, kdf};
use dayfly_tl::mtproto::{ClientDhInnerData, DhGenRetry, SetClientDhParams};
use dayfly_tl::to_bytes;

use super::config::ServerConfig;
use super::event::PutOff;
use super::memory::Verdict;
use super::query::{Digest, RunQuery};
use super::reply::Refusal;
use super::run::{Act, Agreement, Asked, Claim, Head, State, Step};
use crate::env::{Env, Now};
use crate::handshake::{SpecCheck, sealed};
use crate::holds;
use crate::job::Work;
use crate::keys::kind::KeyKind;
use crate::keys::requests::{KeyRecord, Lifetime};
use crate::observer::Observer;

/// Waits for `set_client_DH_params`, the first one or one after dh_gen_retry.
pub(super) struct AwaitClientParams {
    pub(super) agreement: Box<Agreement>,
    pub(super) a: Exponent,
}

impl AwaitClientParams {
    pub(super) fn on_query<C: Copy + Ord, O: Observer>(
        self,
        asked: &Asked<'_, C>,
        head: &Head,
        config: &ServerConfig,
        env: &mut Env<'_, O>,
    ) -> Step<C> {
        if let Some((name, answer)) = self.repeated(head, asked.digest) {
            let act = Act::Answer { name, answer, waiting: vec![asked.connection] };
            return Step::Go { state: State::AwaitClientParams(self), act };
        }
        match self.g_b(asked, head, &config.group, env.observer) {
            Ok(g_b) => {
                let Self { agreement, a } = self;
                let claim = Claim::new(asked.digest, asked.connection);
                let work = Work::Power { group: config.group.clone(), base: Box::new(g_b), exponent: a };
                Step::work(State::ComputeKey(ComputeKey { agreement, claim }), work)
            }
            Err(refusal) => Step::refuse(refusal, asked.connection, State::AwaitClientParams(self)),
        }
    }

    /// The answer to a query that was answered before (rule HS-31).
    fn repeated(&self, head: &Head, query: Digest) -> Option<(&'static str, Vec<u8>)> {
        let agreement = &self.agreement;
        if query == agreement.dh_params && !agreement.answer.is_empty() {
            return Some(("server_DH_params_ok", agreement.answer.to_vec()));
        }
        let last = agreement.refused.last().is_some_and(|last| *last == query);
        last.then(|| ("dh_gen_retry", retry(head, agreement)))
    }

    /// The client's public value, once every check was made. What fails is not told apart outside (rule HS-12).
    fn g_b<C, O: Observer>(
        &self,
        asked: &Asked<'_, C>,
        head: &Head,
        group: &SafePrimeGroup,
        observer: &mut O,
    ) -> Result<PublicValue, Refusal> {
        if self.agreement.is_earlier(asked.digest) {
            return Err(SpecCheck::EarlierQuery.into());
        }
        let m = match &asked.query {
            RunQuery::ClientParams(m) => m,
            // rule HS-15: another req_DH_params than the one that was answered
            RunQuery::DhParams(_) => return Err(Refusal::Late),
        };
        self.checked(m, head, group, observer).map_err(|_| Refusal::Late)
    }

    fn checked<O: Observer>(
        &self,
        m: &SetClientDhParams<'_>,
        head: &Head,
        group: &SafePrimeGroup,
        observer: &mut O,
    ) -> Result<PublicValue, SpecCheck> {
        let whole = holds!("HS-23.length", sealed::is_whole(m.encrypted_data.len()));
        SpecCheck::ClientDataLength.verify(whole, observer)?;
        let keys = kdf::tmp_aes(&self.agreement.terms.new_nonce, &head.id.server_nonce());
        let plain = sealed::open(m.encrypted_data, &keys).ok_or(SpecCheck::ClientDataMalformed)?;
        let inner = sealed::read::<ClientDhInnerData<'_>>(&plain);
        SpecCheck::ClientDataMalformed.verify(inner.is_some(), observer)?;
        let inner = inner.ok_or(SpecCheck::ClientDataMalformed)?;
        SpecCheck::ClientDataHash.verify(holds!("HS-23.hash", inner.hash_matches), observer)?;
        let padded = holds!("HS-23.padding", inner.padding <= sealed::MOST_PADDING);
        SpecCheck::ClientDataPadding.verify(padded, observer)?;
        self.fields(&inner.value, head, observer)?;
        observer.value("g_b", inner.value.g_b);
        let g_b = PublicValue::parse(inner.value.g_b, group);
        SpecCheck::GBOutOfRange.verify(g_b.is_ok(), observer)?;
        g_b.map_err(|_| SpecCheck::GBOutOfRange)
    }

    fn fields<O: Observer>(
        &self,
        inner: &ClientDhInnerData<'_>,
        head: &Head,
        observer: &mut O,
    ) -> Result<(), SpecCheck> {
        let nonce = holds!("HS-23.nonce", inner.nonce == head.id.nonce());
        SpecCheck::ClientNonce.verify(nonce, observer)?;
        let server_nonce = holds!("HS-23.server_nonce", inner.server_nonce == head.id.server_nonce());
        SpecCheck::ClientServerNonce.verify(server_nonce, observer)?;
        // 0 first, then the aux hash of the key that was refused: `aux_hash` begins as zeros.
        let right = inner.retry_id == i64::from_le_bytes(self.agreement.aux_hash);
        SpecCheck::RetryId.verify(holds!("HS-23.retry_id", right), observer)
    }
}

/// `dh_gen_retry` for the key that was refused last.
fn retry(head: &Head, agreement: &Agreement) -> Vec<u8> {
    let new_nonce_hash2 = kdf::new_nonce_hash(&agreement.terms.new_nonce, 2, &agreement.aux_hash);
    to_bytes(&DhGenRetry { nonce: head.id.nonce(), server_nonce: head.id.server_nonce(), new_nonce_hash2 })
}

/// Waits for the job that computes auth_key; a is with the job.
pub(super) struct ComputeKey<C> {
    pub(super) agreement: Box<Agreement>,
    pub(super) claim: Claim<C>,
}

impl<C: Copy + Ord> ComputeKey<C> {
    /// There is a key; now it must be kept.
    pub(super) fn on_key<O: Observer>(
        self,
        a: Exponent,
        key: AuthKey,
        head: &Head,
        config: &ServerConfig,
        env: &mut Env<'_, O>,
    ) -> Step<C> {
        env.observer.value("auth_key", key.expose());
        let Self { mut agreement, claim } = self;
        // rule HS-32: the next query was accepted. The key takes the place of the answer, so that a run stays small.
        agreement.answer = Box::default();
        let (id, aux_hash) = (key.id(), key.aux_hash());
        let patience = env.now.monotonic.saturating_add(config.limits.store_patience);
        let key = Arc::new(key);
        KeepKey { agreement, claim, a, key, id, aux_hash, asked: false, patience, ask_at: None }
            .begin(head, config)
    }
}

/// Waits for the store.
pub(super) struct KeepKey<C> {
    agreement: Box<Agreement>,
    pub(super) claim: Claim<C>,
    a: Exponent,
    key: Arc<AuthKey>,
    id: AuthKeyId,
    aux_hash: [u8; 8],
    /// Whether an insertion is under way.
    asked: bool,
    /// Until when the query waits.
    patience: Duration,
    /// When a store that could not be asked is asked again.
    ask_at: Option<Duration>,
}

/// How long after a failure the store is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(250);

impl<C: Copy + Ord> KeepKey<C> {
    /// Asks the store to keep the key. An id of zero counts as taken (rule HS-25): on the wire it means that there is none.
    fn begin(self, head: &Head, config: &ServerConfig) -> Step<C> {
        if holds!("HS-25.zero", self.id != AuthKeyId(0)) {
            self.ask(head)
        } else {
            self.on_taken(head, config)
        }
    }

    /// The same query again, after its -429 (rule HS-26): it waits for the key that is there already.
    pub(super) fn on_repeat(
        mut self,
        connection: C,
        head: &Head,
        config: &ServerConfig,
        now: Now,
    ) -> Step<C> {
        if self.claim.waiting.is_empty() {
            self.patience = now.monotonic.saturating_add(config.limits.store_patience);
        }
        self.claim.wait(connection, config.limits.waiters);
        if self.asked || self.ask_at.is_some() {
            return Step::stay(State::KeepKey(self));
        }
        self.ask(head)
    }

    fn ask(mut self, head: &Head) -> Step<C> {
        self.asked = true;
        self.ask_at = None;
        let record = self.record(head);
        Step::Go { state: State::KeepKey(self), act: Act::Insert(record) }
    }

    /// The key is kept: dh_gen_ok (rule PF-17).
    pub(super) fn on_inserted(mut self, head: &Head) -> (Step<C>, KeyRecord) {
        let hash = kdf::new_nonce_hash(&self.agreement.terms.new_nonce, 1, &self.aux_hash);
        let record = self.record(head);
        let waiting = self.claim.take_waiting();
        (self.finish(Verdict::Ok(hash), waiting), record)
    }

    /// The id is taken: dh_gen_retry, or dh_gen_fail once the bound is reached (rules HS-25, HS-26).
    pub(super) fn on_taken(mut self, head: &Head, config: &ServerConfig) -> Step<C> {
        let refused = u32::try_from(self.agreement.refused.len()).unwrap_or(u32::MAX);
        if !holds!("HS-26.retries", refused < config.max_retries) {
            return self.on_refused();
        }
        let waiting = self.claim.take_waiting();
        let Self { mut agreement, claim, a, aux_hash, .. } = self;
        agreement.refused.push(claim.query);
        agreement.aux_hash = aux_hash;
        let answer = retry(head, &agreement);
        Step::Go {
            state: State::AwaitClientParams(AwaitClientParams { agreement, a }),
            act: Act::Answer { name: "dh_gen_retry", answer, waiting },
        }
    }

    /// The key cannot be made: dh_gen_fail (rule HS-26).
    pub(super) fn on_refused(mut self) -> Step<C> {
        let hash = kdf::new_nonce_hash(&self.agreement.terms.new_nonce, 3, &self.aux_hash);
        let waiting = self.claim.take_waiting();
        self.finish(Verdict::Fail(hash), waiting)
    }

    /// The store cannot be asked: it is asked again for as long as somebody waits.
    pub(super) fn on_unavailable(mut self, now: Now) -> Step<C> {
        self.asked = false;
        self.ask_at = Some(now.monotonic.saturating_add(ASK_AGAIN));
        Step::stay(State::KeepKey(self))
    }

    /// Asks again, or puts off whoever waited long enough.
    pub(super) fn on_deadline(mut self, head: &Head, now: Now) -> Step<C> {
        if holds!("HS-26.patience", self.patience <= now.monotonic) {
            let waiting = self.claim.take_waiting();
            self.ask_at = None;
            let refusal = Refusal::PutOff(PutOff::Store);
            return Step::Refuse { refusal, waiting, keep: Some(State::KeepKey(self)) };
        }
        match self.ask_at {
            Some(at) if at <= now.monotonic => self.ask(head),
            _ => Step::stay(State::KeepKey(self)),
        }
    }

    pub(super) fn id(&self) -> AuthKeyId {
        self.id
    }

    pub(super) fn claim_and_agreement(&mut self) -> (&mut Claim<C>, &Agreement) {
        (&mut self.claim, &self.agreement)
    }

    fn finish(self, verdict: Verdict, waiting: Vec<C>) -> Step<C> {
        let mut earlier = vec![self.agreement.dh_params];
        earlier.extend(&self.agreement.refused);
        Step::Finish { verdict, last: self.claim.query, earlier, waiting }
    }

    fn record(&self, head: &Head) -> KeyRecord {
        let Agreement { terms, server_time, .. } = &*self.agreement;
        let lifetime = match terms.kind {
            KeyKind::Perm => Lifetime::Permanent,
            KeyKind::Temp { expires_in } => {
                Lifetime::Temporary { expires_at: server_time.saturating_add(u64::from(expires_in)) }
            }
        };
        KeyRecord {
            key: Arc::clone(&self.key),
            id: self.id,
            lifetime,
            dc: terms.dc.unwrap_or_default(),
            created_at: *server_time,
            first_salt: kdf::server_salt(&terms.new_nonce, &head.id.server_nonce()),
            bound_to: None,
        }
    }
}

impl<C> KeepKey<C> {
    pub(super) fn deadline(&self) -> Option<Duration> {
        if self.claim.waiting.is_empty() {
            return None;
        }
        Some(self.ask_at.map_or(self.patience, |at| at.min(self.patience)))
    }
}

#[cfg(test)]
mod tests {
    use dayfly_crypto::{RandomError, SecureRandom, pq};

    use super::*;
    use crate::handshake::server::run::{RunId, Terms};
    use crate::handshake::server::{KeyRing, PeerAddr, ServerKey};

    struct Counting(u8);

    impl SecureRandom for Counting {
        fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            for byte in out {
                self.0 = self.0.wrapping_mul(5).wrapping_add(113);
                *byte = self.0;
            }
            Ok(())
        }

        fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            self.fill_public(out)
        }
    }

    fn config() -> ServerConfig {
        let pem = include_str!("../../../../../vectors/keys/test_rsa.pem");
        let key = Arc::new(dayfly_crypto::rsa_key::PrivateKey::from_pem(pem).unwrap());
        let ring = KeyRing::new(vec![ServerKey { key, old_rsa: false }]).unwrap();
        ServerConfig::new(Arc::new(ring), SafePrimeGroup::published())
    }

    fn head() -> Head {
        Head {
            id: RunId::new([1; 16], [2; 16]),
            peer: PeerAddr::V4(1),
            older: false,
            factors: pq::factorize(1_073_741_827 * 2_147_483_647).unwrap(),
            keys: Arc::clone(&config().keys),
            number: 1,
            until: Duration::from_secs(600),
        }
    }

    /// The state of a run whose key has this id, which no test can bring about from outside.
    fn keep_key(id: AuthKeyId) -> KeepKey<u32> {
        let new_nonce = dayfly_crypto::NewNonce::copy_of(&[3; 32]);
        let agreement = Agreement {
            terms: Terms { new_nonce, kind: KeyKind::Perm, dc: None },
            server_time: 1,
            answer: Box::new([]),
            dh_params: [4; 16],
            refused: Vec::new(),
            aux_hash: [0; 8],
        };
        KeepKey {
            agreement: Box::new(agreement),
            claim: Claim::new([5; 16], 7),
            a: Exponent::draw(256, &mut Counting(1)).unwrap(),
            key: Arc::new(AuthKey::copy_of(&[6; 256])),
            id,
            aux_hash: [8; 8],
            asked: false,
            patience: Duration::from_secs(4),
            ask_at: None,
        }
    }

    // rule: HS-25
    #[test]
    fn an_id_of_zero_counts_as_taken() {
        match keep_key(AuthKeyId(0)).begin(&head(), &config()) {
            Step::Go { state: State::AwaitClientParams(state), act: Act::Answer { name, waiting, .. } } => {
                assert_eq!((name, waiting), ("dh_gen_retry", vec![7]));
                assert_eq!(state.agreement.aux_hash, [8; 8]);
            }
            _ => panic!("no retry"),
        }
        let kept = keep_key(AuthKeyId(1)).begin(&head(), &config());
        assert!(matches!(kept, Step::Go { act: Act::Insert(record), .. } if record.id == AuthKeyId(1)));
    }
}
