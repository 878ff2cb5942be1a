//! Recorded handshakes, recomputed value by value. The tests list the folder and go by each file's own fields.

use std::fs;
use std::path::Path;

use dayfly_crypto::dh::{DhError, GroupCache, PublicValue, SafePrimeGroup};
use dayfly_crypto::modexp::{Modulus, Pair};
use dayfly_crypto::{AuthKey, NewNonce, digest, ige, kdf, pq};
use serde_json::Value;

/// One JSON object whose fields are upper-case hex, mostly.
struct Vector(Value);

impl Vector {
    fn bytes(&self, field: &str) -> Vec<u8> {
        hex::decode(self.text(field)).unwrap()
    }

    fn array<const N: usize>(&self, field: &str) -> [u8; N] {
        self.bytes(field).try_into().unwrap()
    }

    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_else(|| panic!("{field} is missing"))
    }

    fn g(&self) -> i32 {
        i32::try_from(self.0["g"].as_i64().unwrap()).unwrap()
    }

    fn new_nonce(&self) -> NewNonce {
        NewNonce::take(&mut self.array("new_nonce"))
    }

    fn tmp_aes(&self) -> dayfly_crypto::AesKeyIv {
        kdf::tmp_aes(&self.new_nonce(), &self.array("server_nonce"))
    }

    /// g_a^b, by the bare exponentiation: the group of one recording is one that must be refused.
    fn auth_key(&self) -> AuthKey {
        let modulus = Modulus::new(&self.bytes("dh_prime")).unwrap();
        let (g_a, b) = (self.bytes("g_a"), self.bytes("b"));
        let powers = modulus.power(&[Pair { base: &g_a, exponent: &b }]).unwrap();
        AuthKey::copy_of(powers[0].try_into().unwrap())
    }
}

fn recorded() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/handshake");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let vectors: Vec<_> =
        json.map(|path| Vector(serde_json::from_slice(&fs::read(path).unwrap()).unwrap())).collect();
    assert!(!vectors.is_empty());
    vectors
}

// rule: HS-07
#[test]
fn vector_pq_is_factored() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/pq.json");
    let cases: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    for case in cases.into_iter().map(Vector).chain(recorded()) {
        let [number, p, q] = ["pq", "p", "q"].map(|field| pq::number(&case.bytes(field)).unwrap());
        let factors = pq::factorize(number).unwrap();
        assert_eq!((factors.p(), factors.q()), (p, q));
        assert_eq!(factors.product(), number);
    }
}

// rule: HS-16
#[test]
fn vector_tmp_keys_follow_from_the_nonces() {
    for vector in recorded() {
        let derived = vector.tmp_aes();
        assert_eq!(derived.key, vector.array("tmp_aes_key"));
        assert_eq!(derived.iv, vector.array("tmp_aes_iv"));
    }
}

// rule: HS-16
#[test]
fn vector_answer_decrypts_to_what_was_recorded() {
    for vector in recorded() {
        let keys = vector.tmp_aes();
        let mut answer = vector.bytes("encrypted_answer");
        ige::decrypt(&mut answer, &keys.key, &keys.iv).unwrap();
        assert_eq!(answer, vector.bytes("answer_with_hash"));
        assert_eq!(answer[..20], digest::sha1(&[&vector.bytes("answer")]));
        ige::encrypt(&mut answer, &keys.key, &keys.iv).unwrap();
        assert_eq!(answer, vector.bytes("encrypted_answer"));
    }
}

// rule: HS-22
#[test]
fn vector_client_data_encrypts_to_what_was_sent() {
    for vector in recorded() {
        let (keys, inner) = (vector.tmp_aes(), vector.bytes("client_DH_inner_data"));
        let mut data = [digest::sha1(&[&inner]).to_vec(), inner, vector.bytes("client_DH_padding")].concat();
        ige::encrypt(&mut data, &keys.key, &keys.iv).unwrap();
        assert_eq!(data, vector.bytes("client_encrypted_data"));
    }
}

// rule: HS-18, HS-19, HS-20
#[test]
fn vector_group_is_taken_or_refused_for_its_generator() {
    let cache = GroupCache::new();
    for vector in recorded() {
        let group = SafePrimeGroup::check(&vector.bytes("dh_prime"), vector.g(), &cache);
        if vector.0["client_must_accept"].as_bool().unwrap() {
            let group = group.unwrap();
            assert_eq!(group.g(), vector.g());
            for field in ["g_a", "g_b"] {
                assert_eq!(
                    PublicValue::parse(&vector.bytes(field), &group).unwrap().bytes(),
                    &vector.array(field)
                );
            }
        } else {
            assert_eq!(group.err(), Some(DhError::GeneratorNotResidue));
        }
    }
}

// rule: HS-21
#[test]
fn vector_public_value_is_g_to_the_b() {
    for vector in recorded() {
        let modulus = Modulus::new(&vector.bytes("dh_prime")).unwrap();
        let (g, b) = (vector.g().to_be_bytes(), vector.bytes("b"));
        let powers = modulus.power(&[Pair { base: &g, exponent: &b }]).unwrap();
        assert_eq!(&powers[0], vector.bytes("g_b"));
    }
}

// rule: HS-24
#[test]
fn vector_key_id_and_aux_hash_follow_from_the_exchange() {
    for vector in recorded() {
        let key = vector.auth_key();
        assert_eq!(key.expose(), &vector.array("auth_key"));
        assert_eq!(key.id().to_wire(), vector.array("auth_key_id"));
        assert_eq!(key.aux_hash(), vector.array("auth_key_aux_hash"));
    }
}

// rule: HS-27
#[test]
fn vector_hashes_of_new_nonce_are_those_of_the_answers() {
    let fields = ["new_nonce_hash1", "new_nonce_hash2_computed", "new_nonce_hash3_computed"];
    for vector in recorded() {
        let aux_hash = vector.auth_key().aux_hash();
        for (number, field) in (1..).zip(fields) {
            assert_eq!(
                kdf::new_nonce_hash(&vector.new_nonce(), number, &aux_hash),
                vector.array(field),
                "{field}"
            );
        }
    }
}

// rule: HS-28
#[test]
fn vector_first_salt_mixes_the_nonces() {
    for vector in recorded() {
        let salt = kdf::server_salt(&vector.new_nonce(), &vector.array("server_nonce"));
        assert_eq!(salt.to_le_bytes(), vector.array("server_salt"));
    }
}
