use serde_json::Value;

use super::*;
use crate::error::Refused;

const PKCS1: &str = include_str!("../../tests/data/pkcs1.pem");
const PKCS8: &str = include_str!("../../tests/data/pkcs8.pem");
const PKCS1_PUBLIC: &str = include_str!("../../tests/data/pkcs1_public.pem");
const SPKI: &str = include_str!("../../tests/data/spki.pem");
const ENCRYPTED: &str = include_str!("../../tests/data/encrypted.pem");
const ENCRYPTED_PKCS1: &str = include_str!("../../tests/data/encrypted_pkcs1.pem");
const SHORT: &str = include_str!("../../tests/data/short.pem");
const SHORT_PUBLIC: &str = include_str!("../../tests/data/short_public.pem");
const EC: &str = include_str!("../../tests/data/ec.pem");

// rule: HS-05
#[test]
fn fingerprints_of_the_published_keys() {
    let keys: Vec<Value> = serde_json::from_str(include_str!("../../../../vectors/rsa_keys.json")).unwrap();
    for key in &keys {
        let [n, e, wire] =
            ["n", "e", "fingerprint_wire"].map(|field| hex::decode(key[field].as_str().unwrap()).unwrap());
        let fingerprint = PublicKey::new(&n, &e).unwrap().fingerprint();
        assert_eq!(fingerprint.to_string(), key["fingerprint"].as_str().unwrap());
        assert_eq!(fingerprint.0.to_le_bytes(), wire.as_slice());
        let padded = [&[0, 0], n.as_slice()].concat();
        assert_eq!(PublicKey::new(&padded, &e).unwrap().fingerprint(), fingerprint);
    }
    assert_eq!(keys.len(), 2);
}

#[test]
fn all_four_forms_of_one_key_are_one_key() {
    let private = PrivateKey::from_pem(PKCS1).unwrap();
    assert_eq!(PrivateKey::from_pem(PKCS8).unwrap().public(), private.public());
    for pem in [PKCS1_PUBLIC, SPKI] {
        assert_eq!(&PublicKey::from_pem(pem).unwrap(), private.public());
    }
    assert_eq!(private.to_pem().unwrap().as_str(), PKCS1);
    assert_eq!(private.public().to_pem().unwrap(), PKCS1_PUBLIC);
    assert_eq!(private.public().to_spki_pem().unwrap(), SPKI);
}

#[test]
fn text_around_the_block_other_line_widths_and_line_ends_do_not_matter() {
    let expected = PublicKey::from_pem(SPKI).unwrap();
    let windows = SPKI.replace('\n', "\r\n");
    let commented = format!("# our key\n\n{SPKI}\nsome more text\n");
    let body: String = SPKI.lines().filter(|line| !line.starts_with('-')).collect();
    let one_line = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----");
    for text in [windows, commented, one_line] {
        assert_eq!(PublicKey::from_pem(&text).unwrap(), expected);
    }
}

#[test]
fn a_generated_key_survives_the_way_through_pem() {
    let key = PrivateKey::generate().unwrap();
    let again = PrivateKey::from_pem(&key.to_pem().unwrap()).unwrap();
    assert_eq!(again.public(), key.public());
    assert_eq!(again.public().e(), [1, 0, 1]);
    assert_eq!(format!("{key:?}"), format!("PrivateKey({}, ..)", key.fingerprint()));
}

// rule: HS-05
#[test]
fn a_modulus_of_another_length_is_refused() {
    assert_eq!(PrivateKey::from_pem(SHORT).err(), Some(KeyError::Bits { bits: 1024 }));
    assert_eq!(PublicKey::from_pem(SHORT_PUBLIC).err(), Some(KeyError::Bits { bits: 1024 }));
    assert_eq!(KeyError::Bits { bits: 1024 }.to_string(), "the RSA key has 1024 bits, 2048 are needed");
}

#[test]
fn the_wrong_kind_of_key_is_named() {
    assert_eq!(PrivateKey::from_pem(SPKI).err(), Some(KeyError::PublicKey));
    assert_eq!(PrivateKey::from_pem(PKCS1_PUBLIC).err(), Some(KeyError::PublicKey));
    assert_eq!(PublicKey::from_pem(PKCS8).err(), Some(KeyError::PrivateKey));
    assert_eq!(PublicKey::from_pem(PKCS1).err(), Some(KeyError::PrivateKey));
    assert_eq!(PrivateKey::from_pem(ENCRYPTED).err(), Some(KeyError::Encrypted));
    assert_eq!(PrivateKey::from_pem(ENCRYPTED_PKCS1).err(), Some(KeyError::Encrypted));
    assert_eq!(PrivateKey::from_pem(EC).err(), Some(KeyError::Contents { label: "PRIVATE KEY" }));
    let certificate = "\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let other = KeyError::OtherLabel { line: 2, expected: "RSA PRIVATE KEY" };
    assert_eq!(PrivateKey::from_pem(certificate).err(), Some(other));
}

#[test]
fn a_damaged_file_is_named_by_line() {
    let expected = "RSA PRIVATE KEY";
    assert_eq!(PrivateKey::from_pem("").err(), Some(KeyError::NoPem { expected }));
    assert_eq!(PrivateKey::from_pem("hello\nworld").err(), Some(KeyError::NoPem { expected }));
    let cut = &PKCS1[..PKCS1.len() / 2];
    assert_eq!(PrivateKey::from_pem(cut).err(), Some(KeyError::NoEnd { line: 1 }));
    let mut lines: Vec<_> = PKCS1.lines().collect();
    lines[3] = "this is no base64!";
    assert_eq!(PrivateKey::from_pem(&lines.join("\n")).err(), Some(KeyError::Line { line: 4 }));
    lines[3] = "AAA";
    assert_eq!(PrivateKey::from_pem(&lines.join("\n")).err(), Some(KeyError::Damaged { line: 1 }));
    lines.remove(3);
    let label = "RSA PRIVATE KEY";
    assert_eq!(PrivateKey::from_pem(&lines.join("\n")).err(), Some(KeyError::Contents { label }));
}

#[test]
fn a_key_whose_numbers_contradict_each_other_is_refused() {
    // Other base64 in the middle is another number: the encoding still holds, the arithmetic does not.
    let mut lines: Vec<_> = PKCS1.lines().map(String::from).collect();
    lines[12] = lines[12].chars().rev().collect();
    let outcome = PrivateKey::from_pem(&lines.join("\n")).err();
    assert_eq!(outcome, Some(KeyError::Contents { label: "RSA PRIVATE KEY" }));
}

#[test]
fn numbers_that_are_no_key_are_refused() {
    for (n, e) in [(&[0x80; 256], &[2]), (&[0xFF; 256], &[1]), (&[0; 256], &[3])] {
        assert_eq!(PublicKey::new(n, e), Err(KeyError::Numbers));
    }
}

// rule: HS-12
#[test]
fn encrypted_data_of_another_length_is_refused() {
    let key = PublicKey::from_pem(SPKI).unwrap();
    for len in [0, 1, 255, 257, 512] {
        assert_eq!(Ciphertext::parse(&vec![0; len], &key), Err(Refused::Length));
    }
}

// rule: HS-12
#[test]
fn encrypted_data_that_is_not_below_the_modulus_is_refused() {
    let key = PublicKey::from_pem(SPKI).unwrap();
    assert_eq!(Ciphertext::parse(key.n(), &key), Err(Refused::NotBelowModulus));
    assert_eq!(Ciphertext::parse(&[0xFF; 256], &key), Err(Refused::NotBelowModulus));
    let mut below = key.n().to_vec();
    below[255] -= 1; // odd, so there is no borrow
    assert_eq!(Ciphertext::parse(&below, &key).unwrap().bytes(), below.as_slice());
}

#[test]
fn a_batch_of_private_operations_undoes_the_public_ones_in_order() {
    let key = PrivateKey::from_pem(PKCS1).unwrap();
    let plain: Vec<[u8; 256]> =
        (0..8).map(|at| core::array::from_fn(|i| if i == 0 { 0 } else { at + i as u8 })).collect();
    let blocks: Vec<_> = plain
        .iter()
        .map(|block| Ciphertext::parse(&key.public().raw(block).unwrap(), key.public()).unwrap())
        .collect();
    let results = key.raw(&blocks.iter().collect::<Vec<_>>()).unwrap();
    assert!(results.iter().eq(plain.iter().map(|block| block.as_slice())));
    assert_eq!(key.raw(&[]).err(), Some(dayfly_modexp::Error::BatchSize));
}
