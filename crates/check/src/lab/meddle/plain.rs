//! Plain answers, altered.

use dayfly_crypto::digest::sha1;
use dayfly_crypto::{NewNonce, ige, kdf};
use dayfly_tl::mtproto::{ResPq, ServerDhInnerData, ServerDhParamsFail, ServerDhParamsOk};
use dayfly_tl::{LongVec, read_prefix, to_bytes};

use super::numbers;
use crate::dice::Dice;
use crate::lab::fault::Fault;

/// Bytes of a block of AES.
const BLOCK: usize = 16;
/// Where an answer's fields stand: after the constructor.
const NONCE: usize = 4;
const SERVER_NONCE: usize = 20;
const HASH: usize = 36;

/// What the lab knows of a run.
#[derive(Clone, Default)]
pub(in crate::lab) struct Secrets {
    pub(in crate::lab) new_nonce: Option<[u8; 32]>,
    pub(in crate::lab) tmp_aes: Option<([u8; 32], [u8; 32])>,
    /// `auth_key_aux_hash` of the key of the last attempt.
    pub(in crate::lab) aux_hash: Option<[u8; 8]>,
}

/// The answer as this fault has it; `None` if it does not act on this answer.
pub(super) fn alter(fault: Fault, body: &[u8], secrets: &Secrets, dice: &mut Dice) -> Option<Vec<u8>> {
    use Fault as F;
    match fault {
        F::ResPqNonce | F::DhParamsNonce | F::DhGenNonce => Some(flipped(body, NONCE)),
        F::DhParamsServerNonce | F::DhGenServerNonce => Some(flipped(body, SERVER_NONCE)),
        F::DhGenOkHash | F::DhGenRetryHash | F::DhGenFailHash => Some(flipped(body, HASH)),
        F::DhGenOkRetryHash => hash_of(body, 2, secrets),
        F::DhGenRetryOkHash => hash_of(body, 1, secrets),
        F::DhParamsFail => params_fail(body, secrets),
        F::DhParamsFailHash => params_fail(body, secrets).map(|body| flipped(&body, HASH)),
        F::Trailing => Some([body, dice.bytes::<44>().as_slice()].concat()),
        _ if fault <= F::ResPqFingerprintsAround => res_pq(fault, body, dice),
        F::DhAnswerEmpty => encrypted(body, |_| Vec::new()),
        F::DhAnswerGarbage => encrypted(body, |bytes| bytes.iter().map(|_| dice.bytes::<1>()[0]).collect()),
        F::DhAnswerLength => {
            encrypted(body, |bytes| bytes.split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default())
        }
        _ if (F::DhInnerNonce..=F::GaStripped).contains(&fault) => inner(fault, body, secrets, dice),
        _ => None,
    }
}

/// One bit of the field at `at` is another one.
fn flipped(body: &[u8], at: usize) -> Vec<u8> {
    let mut out = body.to_vec();
    out.iter_mut().skip(at + 5).take(1).for_each(|byte| *byte ^= 0x10);
    out
}

fn res_pq(fault: Fault, body: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    use Fault as F;
    let (mut answer, _) = read_prefix::<ResPq<'_>>(body).ok()?;
    let own: Vec<i64> = answer.server_public_key_fingerprints.iter().collect();
    let number = |number: u64| number.to_be_bytes().to_vec();
    let pq = match fault {
        F::ResPqPrime => number(numbers::PRIME),
        F::ResPqSquare => number(numbers::SQUARE),
        F::ResPqThreePrimes => number(numbers::THREE_PRIMES),
        F::ResPqTooLarge => number(numbers::TOO_LARGE),
        F::ResPqZero => vec![0],
        F::ResPqOne => vec![1],
        F::ResPqEven => number(numbers::EVEN),
        F::ResPqLong => [&[1], answer.pq].concat(),
        F::ResPqPaddedPq => [&[0; 3], answer.pq].concat(),
        _ => answer.pq.to_vec(),
    };
    let fingerprints = match fault {
        F::ResPqNoFingerprint => Vec::new(),
        F::ResPqOtherFingerprint => vec![dice.long(), dice.long()],
        F::ResPqFingerprintsAround => [&[dice.long()], own.as_slice(), &[dice.long(), dice.long()]].concat(),
        _ => own,
    };
    answer.pq = &pq;
    answer.server_public_key_fingerprints = LongVec::from_slice(&fingerprints);
    Some(to_bytes(&answer))
}

fn encrypted(body: &[u8], change: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<Vec<u8>> {
    let (answer, _) = read_prefix::<ServerDhParamsOk<'_>>(body).ok()?;
    let changed = change(answer.encrypted_answer);
    Some(to_bytes(&ServerDhParamsOk { encrypted_answer: &changed, ..answer }))
}

/// `server_DH_inner_data` is opened, altered, hashed, padded and encrypted again.
fn inner(fault: Fault, body: &[u8], secrets: &Secrets, dice: &mut Dice) -> Option<Vec<u8>> {
    let (key, iv) = secrets.tmp_aes?;
    let (answer, _) = read_prefix::<ServerDhParamsOk<'_>>(body).ok()?;
    let mut plain = answer.encrypted_answer.to_vec();
    ige::decrypt(&mut plain, &key, &iv).ok()?;
    let (mut data, _) = read_prefix::<ServerDhInnerData<'_>>(plain.get(20..)?).ok()?;
    let (dh_prime, g_a) = (prime_of(fault, data.dh_prime), g_a_of(fault, data.g_a));
    (data.dh_prime, data.g_a, data.g) = (&dh_prime, &g_a, g_of(fault, data.g));
    match fault {
        Fault::DhInnerNonce => data.nonce[5] ^= 0x10,
        Fault::DhInnerServerNonce => data.server_nonce[5] ^= 0x10,
        _ => {}
    }
    let mut sealed = enveloped(fault, &to_bytes(&data), dice);
    ige::encrypt(&mut sealed, &key, &iv).ok()?;
    Some(to_bytes(&ServerDhParamsOk { encrypted_answer: &sealed, ..answer }))
}

/// SHA1 + data + padding.
fn enveloped(fault: Fault, data: &[u8], dice: &mut Dice) -> Vec<u8> {
    let whole = (20 + data.len()).next_multiple_of(BLOCK) - 20;
    let mut padded = data.to_vec();
    padded.resize_with(whole, || dice.bytes::<1>()[0]);
    let mut hash = sha1(&[data]);
    match fault {
        Fault::DhAnswerHash => hash[3] ^= 1,
        Fault::DhAnswerHashPadded => {
            // With no padding it would be the right hash.
            if padded.len() == data.len() {
                padded.extend_from_slice(&dice.bytes::<BLOCK>());
            }
            hash = sha1(&[&padded]);
        }
        Fault::DhAnswerPadding => padded.extend_from_slice(&dice.bytes::<BLOCK>()),
        _ => {}
    }
    [hash.as_slice(), &padded].concat()
}

fn prime_of(fault: Fault, honest: &[u8]) -> Vec<u8> {
    match fault {
        Fault::DhPrimeComposite => numbers::composite().to_vec(),
        Fault::DhPrimeHalf => numbers::half().to_vec(),
        Fault::DhPrimeNotSafe => numbers::not_safe().to_vec(),
        Fault::DhPrimeShort => numbers::short().to_vec(),
        Fault::DhPrimeLong => [&[1], honest].concat(),
        Fault::DhPrimeSmall => vec![23],
        _ => honest.to_vec(),
    }
}

fn g_a_of(fault: Fault, honest: &[u8]) -> Vec<u8> {
    let mut g_a = honest.to_vec();
    match fault {
        Fault::GaZero => vec![0],
        Fault::GaOne => vec![1],
        Fault::GaPMinusOne => numbers::p_minus_one().to_vec(),
        Fault::GaP => numbers::prime().to_vec(),
        Fault::GaAboveP => numbers::above_p().to_vec(),
        Fault::GaLong => [&[1], honest].concat(),
        Fault::GaPadded => [&[0], honest].concat(),
        Fault::GaTooLow => numbers::too_low().to_vec(),
        Fault::GaLowest => numbers::lowest().to_vec(),
        Fault::GaHighest => numbers::highest().to_vec(),
        Fault::GaTooHigh => numbers::too_high().to_vec(),
        Fault::GaStripped => g_a.into_iter().skip_while(|byte| *byte == 0).collect(),
        // Within the range that the smaller prime allows: that the prime is small is the fault, nothing else.
        Fault::DhPrimeShort => {
            g_a.iter_mut().take(1).for_each(|byte| *byte &= 0x3f);
            g_a
        }
        Fault::DhPrimeSmall => vec![4],
        _ => g_a,
    }
}

fn g_of(fault: Fault, honest: i32) -> i32 {
    match fault {
        Fault::GZero => 0,
        Fault::GOne => 1,
        Fault::GEight => 8,
        Fault::GNegative => -1,
        Fault::GTwo => 2,
        Fault::GFive => 5,
        Fault::GSix => 6,
        // A g that fits whatever the prime is, so that it is the prime that is refused.
        Fault::DhPrimeShort | Fault::DhPrimeLong | Fault::DhPrimeSmall => 4,
        _ => honest,
    }
}

/// The answer with new_nonce_hash of this number.
fn hash_of(body: &[u8], number: u8, secrets: &Secrets) -> Option<Vec<u8>> {
    let new_nonce = NewNonce::copy_of(&secrets.new_nonce?);
    let hash = kdf::new_nonce_hash(&new_nonce, number, &secrets.aux_hash?);
    Some([body.get(..HASH)?, &hash, body.get(HASH + 16..)?].concat())
}

fn params_fail(body: &[u8], secrets: &Secrets) -> Option<Vec<u8>> {
    let (answer, _) = read_prefix::<ServerDhParamsOk<'_>>(body).ok()?;
    let new_nonce_hash = kdf::new_nonce_fail_hash(&NewNonce::copy_of(&secrets.new_nonce?));
    let (nonce, server_nonce) = (answer.nonce, answer.server_nonce);
    Some(to_bytes(&ServerDhParamsFail { nonce, server_nonce, new_nonce_hash }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: ([u8; 32], [u8; 32]) = ([3; 32], [4; 32]);

    fn secrets() -> Secrets {
        Secrets { new_nonce: Some([5; 32]), tmp_aes: Some(KEYS), aux_hash: Some([6; 8]) }
    }

    fn honest() -> Vec<u8> {
        let g_a = numbers::highest();
        let dh_prime = numbers::prime();
        let data = ServerDhInnerData {
            nonce: [1; 16],
            server_nonce: [2; 16],
            g: 3,
            dh_prime: &dh_prime,
            g_a: &g_a,
            server_time: 7,
        };
        let mut sealed = enveloped(Fault::Late, &to_bytes(&data), &mut Dice::new(1, "honest"));
        ige::encrypt(&mut sealed, &KEYS.0, &KEYS.1).unwrap();
        to_bytes(&ServerDhParamsOk { nonce: [1; 16], server_nonce: [2; 16], encrypted_answer: &sealed })
    }

    fn opened(body: &[u8]) -> Vec<u8> {
        let (answer, _) = read_prefix::<ServerDhParamsOk<'_>>(body).unwrap();
        let mut plain = answer.encrypted_answer.to_vec();
        ige::decrypt(&mut plain, &KEYS.0, &KEYS.1).unwrap();
        plain
    }

    #[test]
    fn each_fault_of_the_encrypted_answer_changes_what_it_names_and_leaves_the_rest_right() {
        let dice = || Dice::new(1, "test");
        for fault in
            Fault::ALL.iter().filter(|fault| (Fault::DhInnerNonce..=Fault::GaStripped).contains(fault))
        {
            if matches!(fault, Fault::DhAnswerLength | Fault::DhAnswerEmpty | Fault::DhAnswerGarbage) {
                continue;
            }
            let altered = alter(*fault, &honest(), &secrets(), &mut dice()).unwrap();
            let plain = opened(&altered);
            let (data, len) = read_prefix::<ServerDhInnerData<'_>>(&plain[20..]).unwrap();
            let padding = plain.len() - 20 - len;
            let hashes = !matches!(fault, Fault::DhAnswerHash | Fault::DhAnswerHashPadded);
            assert_eq!(sha1(&[&plain[20..20 + len]]) == plain[..20], hashes, "{fault}");
            assert_eq!(
                padding > 15,
                *fault == Fault::DhAnswerPadding || (!hashes && padding == 16),
                "{fault}"
            );
            assert_eq!(data.nonce == [1; 16], *fault != Fault::DhInnerNonce, "{fault}");
            assert_eq!(data.server_nonce == [2; 16], *fault != Fault::DhInnerServerNonce, "{fault}");
        }
    }

    #[test]
    fn the_hash_of_another_answer_is_the_right_one_of_that_answer() {
        let body = [&[0; 4][..], &[1; 16], &[2; 16], &[9; 16]].concat();
        let altered = alter(Fault::DhGenRetryOkHash, &body, &secrets(), &mut Dice::new(1, "test")).unwrap();
        let right = kdf::new_nonce_hash(&NewNonce::copy_of(&[5; 32]), 1, &[6; 8]);
        assert_eq!(altered[36..52], right);
        assert_eq!(altered[..36], body[..36]);
    }

    #[test]
    fn a_fault_of_another_answer_changes_nothing() {
        for fault in [Fault::GOne, Fault::ResPqPrime, Fault::DhAnswerEmpty] {
            assert_eq!(alter(fault, &[0; 8], &secrets(), &mut Dice::new(1, "test")), None, "{fault}");
        }
    }
}
