//! Raw RSA there and back, keys in and out, and every refusal.

use dayfly_modexp::{Error, RsaPrivateKey, RsaPublicKey};
use proptest::prelude::*;

fn key() -> RsaPrivateKey {
    RsaPrivateKey::generate(2048).unwrap()
}

/// A block that is surely below any modulus of 2048 bits.
fn block(fill: u8) -> [u8; 256] {
    let mut block = [fill; 256];
    block[0] = 0;
    block
}

#[test]
fn the_private_operation_undoes_the_public_one() {
    let key = key();
    let plain = [block(1), block(0x80), block(0xFF)];
    let sealed = plain.map(|block| key.public().raw(&block).unwrap());
    let opened = key.raw(&sealed.each_ref()).unwrap();
    assert!(opened.iter().eq(plain.iter().map(|block| block.as_slice())));
}

#[test]
fn blocks_that_are_their_own_powers_do_not_spoil_a_batch() {
    let key = key();
    let mut one = [0; 256];
    one[255] = 1;
    let mut less_one: [u8; 256] = key.public().n().try_into().unwrap();
    less_one[255] &= !1;
    let sealed = key.public().raw(&block(7)).unwrap();
    let opened = key.raw(&[&[0; 256], &one, &less_one, &sealed]).unwrap();
    assert!(opened.iter().eq([[0; 256], one, less_one, block(7)].iter().map(|block| block.as_slice())));
    for fixed in [[0; 256], one, less_one] {
        assert_eq!(key.public().raw(&fixed), Ok(fixed));
    }
}

#[test]
fn keys_survive_their_encodings() {
    let key = key();
    let der = key.to_pkcs1_der().unwrap();
    let again = RsaPrivateKey::from_pkcs1_der(&der).unwrap();
    assert_eq!(again.public(), key.public());
    let public = key.public();
    assert_eq!(&RsaPublicKey::from_pkcs1_der(&public.to_pkcs1_der()).unwrap(), public);
    assert_eq!(&RsaPublicKey::from_spki_der(&public.to_spki_der()).unwrap(), public);
    assert_eq!(&RsaPublicKey::new(public.n(), public.e()).unwrap(), public);
    assert_eq!((public.bits(), public.e()), (2048, [1, 0, 1].as_slice()));
}

#[test]
fn a_public_exponent_with_its_top_bit_set_is_encoded_as_a_positive_number() {
    let key = key();
    let odd = RsaPublicKey::new(key.public().n(), &[0x81]).unwrap();
    assert_eq!(RsaPublicKey::from_pkcs1_der(&odd.to_pkcs1_der()).unwrap(), odd);
    assert_ne!(&odd, key.public());
}

#[test]
fn keys_of_another_length_load_and_do_not_compute() {
    let short = RsaPrivateKey::generate(1024).unwrap();
    let short = RsaPrivateKey::from_pkcs1_der(&short.to_pkcs1_der().unwrap()).unwrap();
    assert_eq!(short.public().bits(), 1024);
    assert_eq!(short.raw(&[&block(1)]).err(), Some(Error::KeySize));
    assert_eq!(short.public().raw(&block(1)), Err(Error::KeySize));
    assert_eq!([0, 512, 8193].map(|bits| RsaPrivateKey::generate(bits).err()), [Some(Error::KeySize); 3]);
}

#[test]
fn blocks_that_are_not_below_the_modulus_and_wrong_batches_are_refused() {
    let key = key();
    let modulus: &[u8; 256] = key.public().n().try_into().unwrap();
    for block in [modulus, &[0xFF; 256]] {
        assert_eq!(key.raw(&[block]).err(), Some(Error::NotReduced));
        assert_eq!(key.public().raw(block), Err(Error::NotReduced));
    }
    assert_eq!(key.raw(&[]).err(), Some(Error::BatchSize));
    assert_eq!(key.raw(&[&block(1); 9]).err(), Some(Error::BatchSize));
    assert_eq!(key.raw(&[&block(1), modulus]).err(), Some(Error::NotReduced));
}

#[test]
fn broken_encodings_are_refused_everywhere() {
    let key = key();
    let (private, public) = (key.to_pkcs1_der().unwrap(), key.public().to_spki_der());
    for cut in [0, 1, 10, private.len() - 1] {
        assert_eq!(RsaPrivateKey::from_pkcs1_der(&private[..cut]).err(), Some(Error::Key));
    }
    let long = [private.as_slice(), &[0]].concat();
    assert_eq!(RsaPrivateKey::from_pkcs1_der(&long).err(), Some(Error::Key));
    assert_eq!(RsaPrivateKey::from_pkcs8_der(&private).err(), Some(Error::Key));
    assert_eq!(RsaPublicKey::from_spki_der(&[public.as_slice(), &[0]].concat()).err(), Some(Error::Key));
    assert_eq!(RsaPublicKey::from_pkcs1_der(&public).err(), Some(Error::Key));
    assert_eq!(RsaPublicKey::new(&[], &[3]).err(), Some(Error::Key));
}

#[test]
fn a_private_key_whose_numbers_contradict_each_other_is_refused() {
    let der = key().to_pkcs1_der().unwrap();
    // Inside the private exponent, inside a factor, inside the last coefficient.
    for at in [400, 700, der.len() - 5] {
        let mut broken = der.to_vec();
        broken[at] ^= 1;
        assert_eq!(RsaPrivateKey::from_pkcs1_der(&broken).err(), Some(Error::Key), "byte {at}");
    }
}

#[test]
fn private_keys_show_nothing() {
    assert_eq!(format!("{:?}", key()), "RsaPrivateKey(..)");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_crash(der in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(RsaPrivateKey::from_pkcs1_der(&der).is_err());
        prop_assert!(RsaPrivateKey::from_pkcs8_der(&der).is_err());
        prop_assert!(RsaPublicKey::from_pkcs1_der(&der).is_err());
        prop_assert!(RsaPublicKey::from_spki_der(&der).is_err());
    }
}
