//! Steps 5 and 6: the private-key operation and g_a are computed, then `server_DH_params_ok` goes out.

use core::cmp::Ordering;

use dayfly_crypto::dh::{DhError, PublicValue, SafePrimeGroup};
use dayfly_crypto::pq;
use dayfly_crypto::{Exponent, NewNonce, RandomError, kdf, rsa_old, rsa_pad};
use dayfly_tl::mtproto::{PQInnerData, ServerDhInnerData, ServerDhParamsOk};
use dayfly_tl::{read_prefix, to_bytes};
use zeroize::Zeroizing;

use super::config::ServerConfig;
use super::dh_gen::AwaitClientParams;
use super::reply::Refusal;
use super::run::{Act, Agreement, Claim, Head, State, Step, Terms};
use crate::env::Env;
use crate::handshake::{SpecCheck, sealed};
use crate::job::Work;
use crate::keys::kind::KeyKind;
use crate::observer::Observer;
use crate::{holds, mutant};

/// Waits for the private-key operation.
pub(super) struct Unwrap<C> {
    pub(super) claim: Claim<C>,
    /// Whether the key takes the older scheme too.
    pub(super) old_rsa: bool,
}

impl<C: Copy + Ord> Unwrap<C> {
    /// Every check of the inner data. They end in one refusal, whichever failed (rule HS-12), but for the dc, which is
    /// looked at when all the rest is right (rule HS-14).
    pub(super) fn on_raw<O: Observer>(
        self,
        raw: &[u8; 256],
        head: &Head,
        config: &ServerConfig,
        env: &mut Env<'_, O>,
    ) -> Step<C> {
        let Self { mut claim, old_rsa } = self;
        let terms = match terms(raw, old_rsa, head, config, env.observer) {
            Ok(terms) => terms,
            Err(_) => return Step::late(claim.take_waiting()),
        };
        let served = holds!("HS-14.dc", config.dc_policy.takes(terms.dc));
        if SpecCheck::Dc.verify(served, env.observer).is_err() {
            let refusal = Refusal::Dc(terms.dc.unwrap_or_default());
            return Step::Refuse { refusal, waiting: claim.take_waiting(), keep: None };
        }
        env.observer.value("new_nonce", terms.new_nonce.expose());
        MakePublic { claim, terms }.begin(config, env)
    }
}

/// What the inner data asks for, once it passed every check.
fn terms<O: Observer>(
    raw: &[u8; 256],
    old_rsa: bool,
    head: &Head,
    config: &ServerConfig,
    observer: &mut O,
) -> Result<Terms, SpecCheck> {
    let data = unwrapped(raw, old_rsa, observer)?;
    observer.value("p_q_inner_data", &data);
    let (inner, _) = read_prefix::<PQInnerData<'_>>(&data).map_err(|_| SpecCheck::InnerMalformed)?;
    let fields = Fields::of(&inner);
    fields.verify(head, observer)?;
    let kind = fields.kind(config, observer)?;
    Ok(Terms { new_nonce: NewNonce::copy_of(fields.new_nonce), kind, dc: fields.dc })
}

/// The bytes that hold the inner data. For a key that takes both schemes, both are tried in every case, so that the time
/// does not tell which one it was (rule HS-13).
fn unwrapped<O: Observer>(
    raw: &[u8; 256],
    old_rsa: bool,
    observer: &mut O,
) -> Result<Zeroizing<Vec<u8>>, SpecCheck> {
    let new = rsa_pad::unwrap(raw);
    let old = holds!("HS-13.switch", old_rsa).then(|| unwrap_old(raw)).flatten();
    let held = new.is_ok() || old.is_some();
    SpecCheck::DataHash.verify(held, observer)?;
    let new = new.ok().map(|mut padded| {
        padded.truncate(mutant!("HS-12.window", rsa_pad::MAX_DATA, rsa_pad::PADDED));
        padded
    });
    let data = new.or(old).ok_or(SpecCheck::DataHash)?;
    let whole = read_prefix::<PQInnerData<'_>>(&data).is_ok();
    SpecCheck::InnerMalformed.verify(whole, observer)?;
    Ok(data)
}

/// The data of the older scheme: what its SHA1 covers is known once it is parsed.
fn unwrap_old(raw: &[u8; 256]) -> Option<Zeroizing<Vec<u8>>> {
    let contents = rsa_old::contents(raw);
    let (_, len) = read_prefix::<PQInnerData<'_>>(contents).ok()?;
    let right = rsa_old::hash_matches(raw, len);
    right.then(|| Zeroizing::new(contents.get(..len).unwrap_or_default().to_vec()))
}

/// The fields of all four forms of inner data (rule HS-09).
struct Fields<'a> {
    pq: &'a [u8],
    p: &'a [u8],
    q: &'a [u8],
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: &'a [u8; 32],
    dc: Option<i32>,
    expires_in: Option<i32>,
}

macro_rules! fields {
    ($m:expr, $dc:expr, $expires_in:expr) => {
        Fields {
            pq: $m.pq,
            p: $m.p,
            q: $m.q,
            nonce: $m.nonce,
            server_nonce: $m.server_nonce,
            new_nonce: $m.new_nonce,
            dc: $dc,
            expires_in: $expires_in,
        }
    };
}

impl<'a> Fields<'a> {
    fn of(inner: &PQInnerData<'a>) -> Self {
        match inner {
            PQInnerData::PQInnerDataDc(m) => fields!(m, Some(m.dc), None),
            PQInnerData::PQInnerDataTempDc(m) => fields!(m, Some(m.dc), Some(m.expires_in)),
            PQInnerData::PQInnerDataPlain(m) => fields!(m, None, None),
            PQInnerData::PQInnerDataTemp(m) => fields!(m, None, Some(m.expires_in)),
        }
    }

    /// The inner values equal the outer ones, numbers as numbers (rule HS-14).
    fn verify<O: Observer>(&self, head: &Head, observer: &mut O) -> Result<(), SpecCheck> {
        let factors = &head.factors;
        let rows = [
            (SpecCheck::InnerPq, holds!("HS-14.pq", pq::number(self.pq) == Some(factors.product()))),
            (SpecCheck::InnerP, holds!("HS-14.p", pq::number(self.p) == Some(factors.p()))),
            (SpecCheck::InnerQ, holds!("HS-14.q", pq::number(self.q) == Some(factors.q()))),
            (SpecCheck::InnerNonce, holds!("HS-14.nonce", self.nonce == head.id.nonce())),
            (
                SpecCheck::InnerServerNonce,
                holds!("HS-14.server_nonce", self.server_nonce == head.id.server_nonce()),
            ),
        ];
        rows.into_iter().try_for_each(|(check, held)| check.verify(held, observer))
    }

    /// Permanent or temporary; a temporary one is cut to the operator's longest life (rules HS-09, PF-25).
    fn kind<O: Observer>(&self, config: &ServerConfig, observer: &mut O) -> Result<KeyKind, SpecCheck> {
        let Some(expires_in) = self.expires_in else {
            return Ok(KeyKind::Perm);
        };
        let held = holds!("HS-09.expires_in", expires_in.cmp(&1) != Ordering::Less);
        SpecCheck::ExpiresIn.verify(held, observer)?;
        let asked = u32::try_from(expires_in).unwrap_or_default();
        let expires_in = mutant!("PF-25.longest", asked.min(config.longest_expires_in), asked);
        Ok(KeyKind::Temp { expires_in })
    }
}

/// Waits for the job that computes g_a.
pub(super) struct MakePublic<C> {
    pub(super) claim: Claim<C>,
    terms: Terms,
}

impl<C: Copy + Ord> MakePublic<C> {
    /// Draws a new a and has g_a computed (rule HS-21).
    fn begin<O: Observer>(mut self, config: &ServerConfig, env: &mut Env<'_, O>) -> Step<C> {
        let Ok(exponent) = Exponent::draw(config.exponent_bits(), env.random) else {
            return Step::late(self.claim.take_waiting());
        };
        env.observer.value("a", exponent.expose());
        Step::work(State::MakePublic(self), Work::NewPair { group: config.group.clone(), exponent })
    }

    /// Answers `req_DH_params`.
    pub(super) fn on_pair<O: Observer>(
        mut self,
        exponent: Exponent,
        g_a: Result<Box<PublicValue>, DhError>,
        head: &Head,
        config: &ServerConfig,
        env: &mut Env<'_, O>,
    ) -> Step<C> {
        // rule HS-20: our own value too; one that is out of range is replaced by that of a new a.
        let Ok(g_a) = g_a else {
            return self.begin(config, env);
        };
        env.observer.value("g_a", g_a.bytes());
        let server_time = env.now.unix_seconds();
        let offer = Offer { head, terms: &self.terms, group: &config.group, g_a: &g_a, server_time };
        let waiting = self.claim.take_waiting();
        let Ok(answer) = offer.answer(env) else {
            return Step::late(waiting);
        };
        let agreement = Agreement {
            terms: self.terms,
            server_time,
            answer: answer.clone().into_boxed_slice(),
            dh_params: self.claim.query,
            refused: Vec::new(),
            aux_hash: [0; 8],
        };
        let state = AwaitClientParams { agreement: Box::new(agreement), a: exponent };
        Step::Go {
            state: State::AwaitClientParams(state),
            act: Act::Answer { name: "server_DH_params_ok", answer, waiting },
        }
    }
}

struct Offer<'a> {
    head: &'a Head,
    terms: &'a Terms,
    group: &'a SafePrimeGroup,
    g_a: &'a PublicValue,
    server_time: u64,
}

impl Offer<'_> {
    /// `server_DH_params_ok` (rule HS-16).
    fn answer<O: Observer>(&self, env: &mut Env<'_, O>) -> Result<Vec<u8>, RandomError> {
        let (nonce, server_nonce) = (self.head.id.nonce(), self.head.id.server_nonce());
        let inner = ServerDhInnerData {
            nonce,
            server_nonce,
            g: self.group.g(),
            dh_prime: self.group.prime(),
            g_a: self.g_a.bytes(),
            server_time: i32::try_from(self.server_time).unwrap_or(i32::MAX),
        };
        let keys = kdf::tmp_aes(&self.terms.new_nonce, &server_nonce);
        env.observer.value("tmp_aes_key", &keys.key);
        env.observer.value("tmp_aes_iv", &keys.iv);
        let encrypted_answer = sealed::seal(&inner, &keys, env.random)?;
        Ok(to_bytes(&ServerDhParamsOk { nonce, server_nonce, encrypted_answer: &encrypted_answer }))
    }
}
