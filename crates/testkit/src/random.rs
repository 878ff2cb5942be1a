//! Random bytes that a test knows beforehand.

use std::collections::{BTreeMap, VecDeque};

use dayfly_core::SecureRandom;
use dayfly_core::env::RandomError;

/// Which of the two methods of [`SecureRandom`] drew.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Draw {
    /// `fill_public`.
    Public,
    /// `fill_secret`.
    Secret,
}

/// Gives exactly the bytes that it was told, public and secret ones each in their order.
///
/// # Panics
/// When more is drawn than was scripted, or another length than comes next: the test is wrong, or the code under test
/// draws something that nobody expects.
#[derive(Debug, Default)]
pub struct ScriptedRandom {
    public: VecDeque<Vec<u8>>,
    secret: VecDeque<Vec<u8>>,
}

impl ScriptedRandom {
    /// Has nothing to give.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with one more draw of `fill_public` at the end.
    #[must_use]
    pub fn public(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.public.push_back(bytes.into());
        self
    }

    /// The same, with one more draw of `fill_secret` at the end.
    #[must_use]
    pub fn secret(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.secret.push_back(bytes.into());
        self
    }

    /// What was scripted and not drawn: public and secret draws.
    #[must_use]
    pub fn left(&self) -> (usize, usize) {
        (self.public.len(), self.secret.len())
    }
}

impl SecureRandom for ScriptedRandom {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        give(self.public.pop_front(), "public", out);
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        give(self.secret.pop_front(), "secret", out);
        Ok(())
    }
}

fn give(scripted: Option<Vec<u8>>, which: &str, out: &mut [u8]) {
    let scripted =
        scripted.unwrap_or_else(|| panic!("{} {which} bytes are drawn, none are scripted", out.len()));
    assert_eq!(scripted.len(), out.len(), "the script of {which} bytes goes on with another length");
    out.copy_from_slice(&scripted);
}

/// An endless stream of bytes that follows from a seed (splitmix64). Fast, and not secret at all.
#[derive(Clone, Debug)]
pub struct SeededRandom(u64);

impl SeededRandom {
    /// The stream of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "53 of the 64 bits are plenty for a coin")]
        let drawn = (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        drawn < probability
    }

    /// A stream of its own, that follows from this one.
    pub fn fork(&mut self) -> Self {
        Self(self.next_u64())
    }
}

impl SecureRandom for SeededRandom {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_public(out)
    }
}

/// Endless bytes from a seed, a stream of its own for each method and length of a draw. A draw more in one place so leaves
/// alone what is drawn elsewhere in another length: an exponent stays what it was when a padding is drawn anew.
#[derive(Debug)]
pub struct SortedRandom {
    seed: u64,
    streams: BTreeMap<(bool, usize), SeededRandom>,
}

impl SortedRandom {
    /// The streams of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, streams: BTreeMap::new() }
    }

    fn stream(&mut self, secret: bool, len: usize) -> &mut SeededRandom {
        let seed = self.seed;
        self.streams.entry((secret, len)).or_insert_with(|| {
            let sort = u64::try_from(len).unwrap_or_default() << 1 | u64::from(secret);
            SeededRandom::new(SeededRandom::new(seed).next_u64() ^ SeededRandom::new(sort).next_u64())
        })
    }
}

impl SecureRandom for SortedRandom {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.stream(false, out.len()).fill_public(out)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.stream(true, out.len()).fill_secret(out)
    }
}

/// Writes down what another source gives, so that a [`ScriptedRandom`] can give it again.
#[derive(Debug)]
pub struct RecordingRandom<R> {
    source: R,
    /// Every draw, in order.
    pub drawn: Vec<(Draw, Vec<u8>)>,
}

impl<R> RecordingRandom<R> {
    /// Nothing was drawn yet.
    pub fn new(source: R) -> Self {
        Self { source, drawn: Vec::new() }
    }
}

impl<R: SecureRandom> SecureRandom for RecordingRandom<R> {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.source.fill_public(out)?;
        self.drawn.push((Draw::Public, out.to_vec()));
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.source.fill_secret(out)?;
        self.drawn.push((Draw::Secret, out.to_vec()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_given_in_its_order_public_and_secret_apart() {
        let mut random = ScriptedRandom::new().public([1]).secret([2, 3]).public([4]);
        let (mut one, mut two) = ([0; 1], [0; 2]);
        random.fill_secret(&mut two).unwrap();
        random.fill_public(&mut one).unwrap();
        assert_eq!((one, two), ([1], [2, 3]));
        assert_eq!(random.left(), (1, 0));
    }

    #[test]
    #[should_panic(expected = "none are scripted")]
    fn a_draw_beyond_the_script_fails_the_test() {
        let mut random = ScriptedRandom::new().secret([2]);
        let _ = random.fill_public(&mut [0; 1]);
    }

    #[test]
    #[should_panic(expected = "goes on with another length")]
    fn a_draw_of_another_length_fails_the_test() {
        let mut random = ScriptedRandom::new().secret([2, 3]);
        let _ = random.fill_secret(&mut [0; 3]);
    }

    #[test]
    fn a_seed_gives_one_stream_and_another_seed_another() {
        let bytes = |seed| {
            let mut out = [0; 20];
            SeededRandom::new(seed).fill_secret(&mut out).unwrap();
            out
        };
        assert_eq!(bytes(7), bytes(7));
        assert_ne!(bytes(7), bytes(8));
    }

    #[test]
    fn chances_are_met() {
        let mut random = SeededRandom::new(1);
        let hits = (0..10_000).filter(|_| random.happens(0.25)).count();
        assert!((2300..2700).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| random.below(3) < 3));
    }

    #[test]
    fn a_draw_more_leaves_alone_what_is_drawn_in_another_length_or_way() {
        let draws = |more: bool| {
            let mut random = SortedRandom::new(7);
            let (mut other, mut public, mut secret) = ([0; 12], [0; 16], [0; 16]);
            if more {
                random.fill_public(&mut other).unwrap();
            }
            random.fill_public(&mut public).unwrap();
            random.fill_secret(&mut secret).unwrap();
            (public, secret)
        };
        assert_eq!(draws(false), draws(true));
        let (public, secret) = draws(true);
        assert_ne!(public, secret);
    }

    #[test]
    fn what_was_recorded_can_be_scripted() {
        let mut recording = RecordingRandom::new(SeededRandom::new(3));
        let (mut public, mut secret) = ([0; 5], [0; 9]);
        recording.fill_public(&mut public).unwrap();
        recording.fill_secret(&mut secret).unwrap();
        assert_eq!(recording.drawn, [(Draw::Public, public.to_vec()), (Draw::Secret, secret.to_vec())]);
    }
}
