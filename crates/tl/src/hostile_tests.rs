//! Every generated type against bytes that an attacker could send.

use proptest::prelude::*;

use crate::{Read, VECTOR, Write, api, mtproto, read_exact, read_prefix, to_bytes};

/// What reads must come back from without a panic; what was read must survive being written and read again.
fn survives<'a, T: Read<'a> + Write>(bytes: &'a [u8], rewritten: &'a mut Vec<u8>) -> bool {
    let Ok((value, used)) = read_prefix::<T>(bytes) else { return false };
    assert!(used <= bytes.len());
    *rewritten = to_bytes(&value);
    assert_eq!(rewritten.len(), value.encoded_len());
    assert_eq!(rewritten.capacity(), rewritten.len(), "allocated once");
    let rewritten: &'a [u8] = rewritten;
    let again = read_exact::<T>(rewritten).expect("what was written can be read");
    assert_eq!(to_bytes(&again), rewritten);
    true
}

/// Offers `tail` to every type, behind each id with which the type may begin; tells how many values were read.
fn offer(tail: &[u8]) -> usize {
    let mut read = 0;
    macro_rules! check {
        ($type:ty, $id:literal) => {
            let bytes: Vec<u8> = u32::to_le_bytes($id).iter().chain(tail).copied().collect();
            let mut rewritten = Vec::new();
            read += usize::from(survives::<$type>(&bytes, &mut rewritten));
        };
    }
    mtproto::every_type!(check);
    api::every_type!(check);
    read
}

/// Four bytes of the kind that gets a parser into trouble, or further on.
fn word() -> impl Strategy<Value = [u8; 4]> {
    let ids =
        [VECTOR, crate::BOOL_TRUE, crate::BOOL_FALSE, 0xf744_4763, 0x99c1_d49d, 0xc0de_1bd9, 0x3f6d_7b68];
    prop_oneof![
        4 => (0_u32..16).prop_map(u32::to_le_bytes),
        3 => prop::sample::select(ids.to_vec()).prop_map(u32::to_le_bytes),
        2 => any::<[u8; 4]>(),
        1 => prop::sample::select(vec![u32::MAX, 1 << 31, 0x3fff_ffff, 0x2000_0001]).prop_map(u32::to_le_bytes),
        1 => any::<[u8; 3]>().prop_map(|[a, b, c]| [254, a, b, c]),
        1 => (0_u8..4).prop_map(|len| [len, b'a', b'b', b'c']),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(tail in prop::collection::vec(any::<u8>(), 0..256)) {
        offer(&tail);
    }

    #[test]
    fn plausible_words_never_panic(words in prop::collection::vec(word(), 0..96)) {
        offer(words.as_flattened());
    }

    #[test]
    fn words_cut_anywhere_never_panic(words in prop::collection::vec(word(), 1..48), cut in 0_usize..4) {
        let bytes = words.as_flattened();
        offer(&bytes[..bytes.len() - cut]);
    }
}

#[test]
fn zeros_are_a_value_of_almost_every_type() {
    let mut all = 0;
    macro_rules! count {
        ($type:ty, $id:literal) => {
            all += 1;
        };
    }
    mtproto::every_type!(count);
    api::every_type!(count);

    let read = offer(&[0; 512]);
    assert!(read > all * 3 / 4, "the oracle saw {read} of {all}");
}

#[test]
fn another_types_id_is_refused_everywhere() {
    macro_rules! check {
        ($type:ty, $id:literal) => {
            assert!(read_prefix::<$type>(&[0xaa; 512]).is_err(), stringify!($type));
        };
    }
    mtproto::every_type!(check);
    api::every_type!(check);
}
