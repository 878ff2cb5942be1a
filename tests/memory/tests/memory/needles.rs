//! Looks for all 16-byte pieces of many secrets at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::forms::{NAMES, forms};

/// What was found, by secret and form, and where it stood first.
pub(crate) type Found = BTreeMap<String, String>;

/// Secrets and what to call them.
pub(crate) type Named<'a> = Vec<(String, &'a [u8])>;

/// The shortest piece of a secret that counts as found, in bytes.
pub(crate) const PIECE: usize = 16;

/// Pieces of secrets in all their forms.
pub(crate) struct Needles {
    names: Vec<String>,
    pieces: HashMap<[u8; PIECE], usize>,
    /// All words of 8 bytes in the pieces. Wherever a piece stands, one of them stands at a multiple of 8.
    words: HashSet<u64>,
    /// Whether any of these words ends with these bits: most places are passed over by this alone.
    ends: Vec<bool>,
}

const WORD: usize = 8;
const END_BITS: u32 = 18;

impl Needles {
    pub(crate) fn new(secrets: &Named<'_>) -> Self {
        let (names, pieces, words) = (Vec::new(), HashMap::new(), HashSet::new());
        let mut needles = Self { names, pieces, words, ends: vec![false; 1 << END_BITS] };
        for (name, secret) in secrets {
            for (form, bytes) in NAMES.iter().zip(forms(secret)) {
                needles.add(format!("{name}, {form}"), &bytes);
            }
        }
        needles
    }

    fn add(&mut self, name: String, bytes: &[u8]) {
        self.pieces.extend(bytes.array_windows().map(|piece| (*piece, self.names.len())));
        self.names.push(name);
        for word in bytes.array_windows::<WORD>().map(|word| u64::from_le_bytes(*word)) {
            self.words.insert(word);
            self.ends[end(word)] = true;
        }
    }

    /// Adds what is found in `bytes` to `found`; `place` says where a piece at some offset is.
    pub(crate) fn find(&self, bytes: &[u8], found: &mut Found, place: impl Fn(usize) -> String) {
        let (words, _) = bytes.as_chunks::<WORD>();
        for (index, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            if self.ends[end(word)] && self.words.contains(&word) {
                self.find_around(bytes, index * WORD, found, &place);
            }
        }
    }

    /// Looks at every piece that the word at `at` can be part of.
    fn find_around(&self, bytes: &[u8], at: usize, found: &mut Found, place: &impl Fn(usize) -> String) {
        for offset in at.saturating_sub(PIECE - WORD)..=at {
            let name = bytes[offset..].first_chunk().and_then(|piece| self.pieces.get(piece));
            if let Some(name) = name {
                found.entry(self.names[*name].clone()).or_insert_with(|| place(offset));
            }
        }
    }
}

fn end(word: u64) -> usize {
    (word & ((1 << END_BITS) - 1)) as usize
}

#[test]
fn a_piece_of_16_bytes_is_found_wherever_it_stands_and_15_are_not() {
    let secret: Vec<u8> = (0..64_u8).map(|index| index.wrapping_mul(37) ^ 0x5a).collect();
    let needles = Needles::new(&vec![("secret".to_owned(), secret.as_slice())]);
    let seen = |before: usize, piece: &[u8]| {
        let mut found = Found::new();
        let bytes = [&vec![7; before], piece, &[9; 5]].concat();
        needles.find(&bytes, &mut found, |offset| offset.to_string());
        found
    };
    for before in 0..=WORD {
        let expected = Found::from([("secret, wire order".to_owned(), before.to_string())]);
        assert_eq!(seen(before, &secret[20..36]), expected);
        assert_eq!(seen(before, &secret[20..35]), Found::new());
    }
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    assert!(seen(3, &reversed[3..19]).contains_key("secret, reversed"));
}
