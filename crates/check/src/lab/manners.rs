//! What the lab chooses where the specification leaves a choice: not what production does, so that no client comes to rely on
//! that.

use crate::dice::Dice;

use super::fault::Fault;

/// Which choices the lab makes by the seed. What is off is as production does it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Manners {
    /// g is 3, 4 and 7 in turn; 3 otherwise.
    pub generators: bool,
    /// The fingerprint stands among unknown ones; alone otherwise.
    pub fingerprints: bool,
    /// Random bytes follow every third plain answer.
    pub trailing: bool,
    /// server_nonce begins with a zero byte in one run of four, and so does g_a.
    pub zeros: bool,
    /// One key in eight is answered by dh_gen_retry first.
    pub retries: bool,
}

impl Manners {
    /// Every choice is made.
    pub const LIVELY: Self =
        Self { generators: true, fingerprints: true, trailing: true, zeros: true, retries: true };
    /// None is.
    pub const CALM: Self =
        Self { generators: false, fingerprints: false, trailing: false, zeros: false, retries: false };
}

impl Default for Manners {
    fn default() -> Self {
        Self::LIVELY
    }
}

/// The choices of one lab, drawn one after the other.
pub(super) struct Chooser {
    manners: Manners,
    dice: Dice,
    runs: u32,
}

impl Chooser {
    pub(super) fn new(manners: Manners, dice: Dice) -> Self {
        Self { manners, dice, runs: 0 }
    }

    fn one_in(&mut self, many: u8) -> bool {
        self.dice.bytes::<1>()[0].is_multiple_of(many)
    }

    /// For a run that begins.
    pub(super) fn at_res_pq(&mut self) -> Vec<Fault> {
        let zero = self.one_in(4) && self.manners.zeros;
        let around = self.manners.fingerprints.then_some(Fault::ResPqFingerprintsAround);
        let mut chosen: Vec<_> = zero.then_some(Fault::ServerNonceZero).into_iter().chain(around).collect();
        self.trail(&mut chosen);
        chosen
    }

    /// For its server_DH_params_ok.
    pub(super) fn at_dh_params(&mut self) -> Vec<Fault> {
        self.runs = self.runs.wrapping_add(1);
        let generator = match self.runs % 3 {
            1 => None,
            2 => Some(Fault::GFour),
            _ => Some(Fault::GSeven),
        };
        let zero = self.one_in(4) && self.manners.zeros;
        let generator = generator.filter(|_| self.manners.generators);
        let mut chosen: Vec<_> = generator.into_iter().chain(zero.then_some(Fault::GaLeadingZero)).collect();
        self.trail(&mut chosen);
        chosen
    }

    /// For its verdict. A run that was told to try again once is not told so again.
    pub(super) fn at_dh_gen(&mut self, first: bool) -> Vec<Fault> {
        let retry = self.one_in(8) && self.manners.retries && first;
        let mut chosen: Vec<_> = retry.then_some(Fault::DhGenRetry).into_iter().collect();
        self.trail(&mut chosen);
        chosen
    }

    fn trail(&mut self, chosen: &mut Vec<Fault>) {
        if self.one_in(3) && self.manners.trailing {
            chosen.push(Fault::Trailing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(manners: Manners, seed: u64) -> Vec<Fault> {
        let mut chooser = Chooser::new(manners, Dice::new(seed, "choices"));
        let run = |_| [chooser.at_res_pq(), chooser.at_dh_params(), chooser.at_dh_gen(true)].concat();
        (0..40).flat_map(run).collect()
    }

    #[test]
    fn a_lively_lab_makes_every_choice_and_a_calm_one_none() {
        let lively = chosen(Manners::LIVELY, 1);
        let all = [
            Fault::ServerNonceZero,
            Fault::ResPqFingerprintsAround,
            Fault::GFour,
            Fault::GSeven,
            Fault::GaLeadingZero,
            Fault::DhGenRetry,
            Fault::Trailing,
        ];
        for fault in all {
            assert!(lively.contains(&fault), "{fault}");
        }
        assert_eq!(chosen(Manners::CALM, 1), []);
    }

    #[test]
    fn the_same_seed_makes_the_same_choices() {
        assert_eq!(chosen(Manners::LIVELY, 7), chosen(Manners::LIVELY, 7));
        assert_ne!(chosen(Manners::LIVELY, 7), chosen(Manners::LIVELY, 8));
    }
}
