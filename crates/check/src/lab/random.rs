//! The randomness of the lab's server: from the seed, and with leading zeros where a choice or a fault asks for them.

use std::cmp::Ordering;
use std::sync::Arc;

use dayfly_core::SecureRandom;
use dayfly_core::env::RandomError;
use dayfly_crypto::Exponent;
use dayfly_crypto::dh::SafePrimeGroup;

use crate::dice::Dice;

/// Bytes of an exponent, a prime and a public value.
const BYTES: usize = 256;

/// A source that can be asked for rare values.
pub(super) struct LabRandom {
    dice: Dice,
    /// The next server_nonce begins with a zero byte.
    pub(super) zero_nonce: bool,
    /// The next g_a does, in this group.
    pub(super) zero_g_a: Option<Arc<SafePrimeGroup>>,
}

impl LabRandom {
    pub(super) fn new(dice: Dice) -> Self {
        Self { dice, zero_nonce: false, zero_g_a: None }
    }

    pub(super) fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }
}

impl SecureRandom for LabRandom {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.dice.fill_public(out)?;
        // Of all that is drawn for a run that begins, server_nonce alone has this length.
        if out.len() == 16 && std::mem::take(&mut self.zero_nonce) {
            out.iter_mut().take(1).for_each(|byte| *byte = 0);
        }
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        let group = if out.len() == BYTES { self.zero_g_a.take() } else { None };
        self.dice.fill_secret(out)?;
        match group {
            Some(group) => raise_to_zero(out, &group, &mut self.dice),
            None => Ok(()),
        }
    }
}

/// Looks for an exponent whose power of g begins with a zero byte, by counting up from a random one: a step costs one
/// multiplication by g, and one value in 199 begins so.
fn raise_to_zero(out: &mut [u8], group: &SafePrimeGroup, dice: &mut Dice) -> Result<(), RandomError> {
    let begin = Exponent::draw(BYTES * 8, dice)?;
    let power = group.raise_generator(&[&begin]).map_err(|_| RandomError)?.pop();
    let Some(Ok(power)) = power else { return Ok(()) };
    let (mut exponent, mut value) = (begin.expose().to_vec(), *power.bytes());
    for _ in 0..100_000 {
        // Above 2^1984 still: at most one zero byte in front.
        if value[0] == 0 && value[1] != 0 {
            out.copy_from_slice(&exponent);
            return Ok(());
        }
        multiply(&mut value, group);
        exponent.iter_mut().rev().find_map(|byte| {
            *byte = byte.wrapping_add(1);
            (*byte != 0).then_some(())
        });
    }
    Ok(())
}

/// `value * g mod dh_prime`, for a small g.
fn multiply(value: &mut [u8; BYTES], group: &SafePrimeGroup) {
    let mut carry = 0;
    let times = u32::try_from(group.g()).unwrap_or(1);
    for byte in value.iter_mut().rev() {
        let product = u32::from(*byte) * times + carry;
        (*byte, carry) = (product.to_le_bytes()[0], product >> 8);
    }
    while carry > 0 || value.as_slice().cmp(group.prime()) != Ordering::Less {
        carry -= u32::from(subtract(value, group.prime()));
    }
}

/// Takes `less` away from `value`; whether something was borrowed.
fn subtract(value: &mut [u8; BYTES], less: &[u8; BYTES]) -> bool {
    let mut borrow = false;
    for (byte, less) in value.iter_mut().zip(less).rev() {
        let (first, one) = byte.overflowing_sub(*less);
        let (second, two) = first.overflowing_sub(u8::from(borrow));
        (*byte, borrow) = (second, one || two);
    }
    borrow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_g_a_with_a_leading_zero_is_found_by_counting_up() {
        let group = SafePrimeGroup::published();
        let mut random = LabRandom::new(Dice::new(1, "zero"));
        random.zero_g_a = Some(Arc::clone(&group));
        let a = Exponent::draw(2048, &mut random).unwrap();
        let g_a = group.raise_generator(&[&a]).unwrap().pop().unwrap().unwrap();
        assert_eq!(g_a.bytes()[0], 0);
        let next = Exponent::draw(2048, &mut random).unwrap();
        assert_ne!(next.expose(), a.expose(), "once");
    }

    #[test]
    fn a_nonce_with_a_leading_zero_comes_when_it_is_asked_for() {
        let mut random = LabRandom::new(Dice::new(1, "zero"));
        random.zero_nonce = true;
        let mut nonce = [9; 16];
        random.fill_public(&mut nonce).unwrap();
        assert_eq!(nonce[0], 0);
        assert_ne!(nonce, [0; 16]);
    }
}
