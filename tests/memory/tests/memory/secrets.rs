//! Every secret of the two processes, computed from their seeds.

use dayfly_crypto::dh::{PublicValue, SafePrimeGroup};
use dayfly_crypto::{AuthKey, Exponent};

use crate::needles::Named;
use crate::script::{Again, CLIENT_SEED, Draw, SERVER_SEED, write_draw};

/// A secret draw: which one it was of its process, and its bytes.
pub(crate) struct Drawn {
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Each list in the order in which the process drew them.
pub(crate) struct Secrets {
    pub(crate) a: Vec<Drawn>,
    pub(crate) b: Vec<Drawn>,
    pub(crate) new_nonces: Vec<Drawn>,
    /// What else the client drew: padding, and temp_key of RSA_PAD, under which new_nonce is sealed.
    pub(crate) others: Vec<Drawn>,
}

/// A 2048-bit exponent, in bytes.
const EXPONENT: usize = 256;
const NONCE: usize = 32;

impl Secrets {
    pub(crate) fn of(server: &[Draw], client: &[Draw]) -> Self {
        let is_exponent = |draws: &[(u64, Draw)], at: usize| draws[at].1.len == EXPONENT;
        let is_other = |draws: &[(u64, Draw)], at| !is_exponent(draws, at) && !is_new_nonce(draws, at);
        let a = choose(SERVER_SEED, server, is_exponent);
        let b = choose(CLIENT_SEED, client, is_exponent);
        let new_nonces = choose(CLIENT_SEED, client, is_new_nonce);
        let others = choose(CLIENT_SEED, client, is_other);
        Self { a, b, new_nonces, others }
    }

    /// The secrets of all exchanges, named.
    pub(crate) fn named(&self) -> Named<'_> {
        let kinds =
            [("a", &self.a), ("b", &self.b), ("new_nonce", &self.new_nonces), ("other", &self.others)];
        kinds
            .into_iter()
            .flat_map(|(kind, drawn)| {
                let all = drawn.iter().enumerate();
                all.map(move |(index, drawn)| (format!("{kind} {index}"), drawn.bytes.as_slice()))
            })
            .collect()
    }

    /// Every key that an a and a b make together: which b went with which a only the processes know.
    pub(crate) fn keys(&self) -> Vec<AuthKey> {
        let group = SafePrimeGroup::published();
        let exponents = |seed, drawn: &[Drawn]| -> Vec<Exponent> {
            let draw = |drawn: &Drawn| Exponent::draw(2048, &mut Again { seed, number: drawn.number });
            drawn.iter().map(|drawn| draw(drawn).unwrap()).collect()
        };
        let (a, b) = (exponents(SERVER_SEED, &self.a), exponents(CLIENT_SEED, &self.b));
        let g_a: Vec<PublicValue> =
            a.iter().map(|a| group.raise_generator(&[a]).unwrap().remove(0).unwrap()).collect();
        let pairs = g_a.iter().flat_map(|g_a| b.iter().map(move |b| (g_a, b)));
        pairs.map(|pair| group.shared_keys(&[pair]).unwrap().remove(0)).collect()
    }
}

/// The secret draws that are chosen among all secret draws.
fn choose(seed: u64, draws: &[Draw], is_chosen: impl Fn(&[(u64, Draw)], usize) -> bool) -> Vec<Drawn> {
    let secret: Vec<(u64, Draw)> =
        (0..).zip(draws).filter(|(_, draw)| draw.secret).map(|(number, draw)| (number, *draw)).collect();
    let chosen = (0..secret.len()).filter(|at| is_chosen(&secret, *at));
    let draw_again = |at: usize| {
        let (number, draw) = secret[at];
        let mut bytes = vec![0; draw.len];
        write_draw(seed, number, &mut bytes);
        Drawn { number, bytes }
    };
    chosen.map(draw_again).collect()
}

/// A client draws new_nonce, then the padding of RSA_PAD, then temp_key for each try.
fn is_new_nonce(draws: &[(u64, Draw)], at: usize) -> bool {
    let padding = draws.get(at + 1).is_some_and(|(_, next)| ![NONCE, EXPONENT].contains(&next.len));
    draws[at].1.len == NONCE && padding
}
