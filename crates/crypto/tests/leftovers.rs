//! After a secret was used and dropped, no 16 bytes of it are anywhere in the memory of the process.
//!
//! One test alone in this file: a second one's living secrets would be found.

#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};

use dayfly_crypto::dh::{PublicValue, SafePrimeGroup};
use dayfly_crypto::rsa_key::{Ciphertext, PrivateKey};
use dayfly_crypto::{Exponent, NewNonce, RandomError, SecureRandom, kdf, rsa_pad};
use zeroize::Zeroizing;

/// Writes a simple sequence straight into the buffer, byte by byte, so that the test itself leaves no copy.
struct Sequence(u64);

impl Sequence {
    /// `black_box`, or the compiler would compute the bytes and put them into the binary.
    fn from(seed: u64) -> Self {
        Self(core::hint::black_box(seed))
    }

    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }
}

impl SecureRandom for Sequence {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_secret(out)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.iter_mut().for_each(|byte| *byte = self.next());
        Ok(())
    }
}

/// Kept instead of the secret's own bytes, which would be found in this test's memory.
const MASK: u128 = 0xA1B2_C3D4_E5F6_0718_293A_4B5C_6D7E_8F90;

/// All 16-byte pieces of the secrets in the forms in which code may hold them, masked.
#[derive(Default)]
struct Needles(HashMap<u128, String>);

impl Needles {
    fn add(&mut self, name: &str, secret: &[u8]) {
        let reversed = Zeroizing::new(secret.iter().rev().copied().collect::<Vec<_>>());
        self.add_form(&format!("{name}, wire order"), secret);
        self.add_form(&format!("{name}, reversed (little-endian limbs of 64 bits)"), &reversed);
        self.add_form(&format!("{name}, limbs of 52 bits"), &limbs_52(&reversed));
    }

    fn add_form(&mut self, form: &str, bytes: &[u8]) {
        for piece in bytes.windows(16) {
            self.0.insert(u128::from_ne_bytes(piece.try_into().unwrap()) ^ MASK, form.to_owned());
        }
    }

    /// The forms that are found in the readable memory of this process.
    fn found(&self) -> Vec<String> {
        let mut memory = File::open("/proc/self/mem").unwrap();
        let mut buffer = Zeroizing::new(Vec::new());
        let mut found: Vec<_> = readable_maps()
            .into_iter()
            .flat_map(|(start, end)| {
                buffer.resize((end - start) as usize, 0);
                let read = memory.seek(SeekFrom::Start(start)).and_then(|_| memory.read_exact(&mut buffer));
                let hits = read.map(|()| self.found_in(&buffer)).unwrap_or_default(); // a guard page, or gone since
                buffer.fill(0);
                hits
            })
            .collect();
        found.sort();
        found.dedup();
        found
    }

    fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let pieces = bytes.windows(16).map(|piece| u128::from_ne_bytes(piece.try_into().unwrap()));
        pieces.filter_map(|piece| self.0.get(&(piece ^ MASK)).cloned()).collect()
    }
}

/// The number, little-endian, cut into 52 bits a 64-bit word.
fn limbs_52(little_endian: &[u8]) -> Zeroizing<Vec<u8>> {
    let bit = |at: usize| little_endian.get(at / 8).map_or(0, |byte| u64::from(byte >> (at % 8) & 1));
    let limbs = (0..little_endian.len() * 8 / 52)
        .map(|limb| (0..52).fold(0, |word, i| word | bit(limb * 52 + i) << i));
    Zeroizing::new(limbs.flat_map(u64::to_le_bytes).collect())
}

fn readable_maps() -> Vec<(u64, u64)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let readable = maps.lines().filter(|line| line.contains(" r") && !line.contains("[v"));
    let range = |line: &str| {
        let (start, end) = line.split(' ').next()?.split_once('-')?;
        Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
    };
    readable.filter_map(range).collect()
}

/// Both sides of an exchange, and the sealing of `new_nonce`, with every secret dropped at the end.
fn exchange(needles: &mut Needles, key: &PrivateKey) {
    let group = SafePrimeGroup::published();
    let (a, b) = (
        Exponent::draw(2048, &mut Sequence::from(1)).unwrap(),
        Exponent::draw(2048, &mut Sequence::from(2)).unwrap(),
    );
    let short = Exponent::draw(256, &mut Sequence::from(3)).unwrap();
    let publics = group.raise_generator(&[&a, &b, &short]).unwrap();
    let publics: Vec<PublicValue> = publics.into_iter().map(Result::unwrap).collect();
    let together = group.shared_keys(&[(&publics[0], &b), (&publics[1], &a), (&publics[0], &short)]).unwrap();
    let alone = group.shared_keys(&[(&publics[0], &b)]).unwrap();
    assert_eq!(alone[0].id(), together[1].id());
    assert_eq!(alone[0].aux_hash(), together[0].aux_hash());

    let nonce = sealed_and_opened(key);
    let keys = kdf::tmp_aes(&nonce, &[7; 16]);
    assert_ne!(keys.key, keys.iv);
    assert_ne!(kdf::new_nonce_hash(&nonce, 1, &alone[0].aux_hash()), [0; 16]);

    needles.add("exponent a", a.expose());
    needles.add("exponent b", b.expose());
    needles.add("short exponent", short.expose());
    needles.add("auth_key", alone[0].expose());
    needles.add("auth_key of the short exponent", together[2].expose());
    needles.add("new_nonce", nonce.expose());
    let living = needles.found();
    for name in ["exponent a", "exponent b", "short exponent", "auth_key", "new_nonce"] {
        let form = format!("{name}, wire order");
        assert!(living.contains(&form), "the scan does not see the living {form}: {living:?}");
    }
}

/// `new_nonce` through RSA_PAD to the server's side.
fn sealed_and_opened(key: &PrivateKey) -> NewNonce {
    let mut data = Zeroizing::new(vec![0; 96]);
    Sequence::from(4).fill_secret(&mut data[64..]).unwrap();
    let wrapped = rsa_pad::wrap(&data, key.public(), &mut Sequence::from(5)).unwrap();
    let block = Ciphertext::parse(&wrapped, key.public()).unwrap();
    let raw = key.raw(&[&block]).unwrap();
    let opened = rsa_pad::unwrap(raw[0].try_into().unwrap()).unwrap();
    NewNonce::copy_of(opened[64..96].try_into().unwrap())
}

// rule: HS-29
#[test]
fn nothing_of_a_dropped_secret_stays_in_memory() {
    let key = PrivateKey::from_pem(include_str!("data/pkcs1.pem")).unwrap();
    let mut needles = Needles::default();
    exchange(&mut needles, &key);
    assert_eq!(needles.found(), Vec::<String>::new());
}
