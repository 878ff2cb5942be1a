//! What a handshake and a message cost: `cargo bench -p dayfly-crypto`.

use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::modexp::Pair;
use dayfly_crypto::rsa_key::{Ciphertext, PrivateKey};
use dayfly_crypto::{AuthKey, RandomError, SecureRandom, digest, ige, kdf, pq};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// Deterministic bytes, so that each run measures the same numbers.
struct Counting(u64);

impl SecureRandom for Counting {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_secret(out)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&digest::sha256(&[&self.0.to_le_bytes()])[..chunk.len()]);
        }
        Ok(())
    }
}

#[divan::bench]
fn pq_factorize(bencher: Bencher<'_, '_>) {
    let mut random = Counting(0);
    bencher.with_inputs(|| pq::random(&mut random).unwrap().product()).bench_local_values(pq::factorize);
}

#[divan::bench]
fn pq_random(bencher: Bencher<'_, '_>) {
    let mut random = Counting(0);
    bencher.bench_local(|| pq::random(&mut random));
}

#[divan::bench(args = [1, 2, 8])]
fn modexp(bencher: Bencher<'_, '_>, count: usize) {
    let group = SafePrimeGroup::published();
    let (base, exponent) = ([0x5A; 256], [0xA5; 256]);
    let pairs = vec![Pair { base: &base, exponent: &exponent }; count];
    bencher.counter(ItemsCount::new(count)).bench(|| group.modulus().power(black_box(&pairs)));
}

#[divan::bench(args = [1, 8])]
fn rsa_private(bencher: Bencher<'_, '_>, count: usize) {
    let key = PrivateKey::from_pem(include_str!("../tests/data/pkcs1.pem")).unwrap();
    let block = Ciphertext::parse(&[0x5A; 256], key.public()).unwrap();
    let blocks = vec![&block; count];
    bencher.counter(ItemsCount::new(count)).bench(|| key.raw(black_box(&blocks)));
}

#[divan::bench(args = [64, 1024, 65536])]
fn ige_encrypt(bencher: Bencher<'_, '_>, len: usize) {
    let mut data = vec![0; len];
    bencher.counter(BytesCount::new(len)).bench_local(|| ige::encrypt(&mut data, &[1; 32], &[2; 32]));
}

#[divan::bench(args = [64, 1024, 65536])]
fn ige_decrypt(bencher: Bencher<'_, '_>, len: usize) {
    let mut data = vec![0; len];
    bencher.counter(BytesCount::new(len)).bench_local(|| ige::decrypt(&mut data, &[1; 32], &[2; 32]));
}

#[divan::bench]
fn keys_of_one_message(bencher: Bencher<'_, '_>) {
    let key = AuthKey::copy_of(&[7; 256]);
    bencher.bench(|| kdf::v2_aes(&key, black_box(&[3; 16]), kdf::Side::Client));
}
