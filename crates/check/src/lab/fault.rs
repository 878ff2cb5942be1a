//! What the lab can do wrong, or rarely does: each fault by name, with the step at which it acts.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

macro_rules! named {
    ($(#[$doc:meta])* $kind:ident, $unknown:ident, $what:literal: $($variant:ident $name:literal $text:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[serde(try_from = "String")]
        pub enum $kind {
            $(#[doc = $text] $variant,)*
        }

        impl $kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name in scenarios.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it is, in a sentence without its full stop.
            #[must_use]
            pub fn describe(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        #[doc = concat!("A text that names no ", $what, ".")]
        #[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
        #[error("there is no {what} {0:?}; there are: {all}", what = $what, all = list($kind::ALL))]
        pub struct $unknown(pub String);

        impl FromStr for $kind {
            type Err = $unknown;

            fn from_str(text: &str) -> Result<Self, $unknown> {
                let found = Self::ALL.iter().find(|one| one.name() == text);
                found.copied().ok_or_else(|| $unknown(text.to_owned()))
            }
        }

        impl TryFrom<String> for $kind {
            type Error = $unknown;

            fn try_from(text: String) -> Result<Self, $unknown> {
                text.parse()
            }
        }
    };
}

fn list(all: &[impl fmt::Display]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

named! {
    /// An answer of the lab's at which a fault acts.
    Step, UnknownStep, "step":
    ResPq "res-pq" "resPQ";
    DhParams "dh-params" "server_DH_params_ok";
    DhGen "dh-gen" "dh_gen_ok, dh_gen_retry or dh_gen_fail";
    Bind "bind" "the result of auth.bindTempAuthKey";
    Call "call" "the result of any other call";
    Answer "answer" "the result of any call, auth.bindTempAuthKey among them";
}

impl Step {
    /// Whether a fault of this step acts where an answer is of `other`.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self == other || (self == Self::Answer && matches!(other, Self::Bind | Self::Call))
    }

    /// Whether the answer is encrypted.
    #[must_use]
    pub fn is_sealed(self) -> bool {
        matches!(self, Self::Bind | Self::Call | Self::Answer)
    }
}

named! {
    /// Something that the lab does and an honest server does not, or seldom.
    Fault, UnknownFault, "fault":
    ResPqNonce "res-pq-nonce" "resPQ repeats another nonce";
    ResPqPrime "res-pq-prime" "pq is a prime";
    ResPqSquare "res-pq-square" "pq is the square of a prime";
    ResPqThreePrimes "res-pq-three-primes" "pq is the product of three primes";
    ResPqTooLarge "res-pq-too-large" "pq is above 2^63 - 1";
    ResPqZero "res-pq-zero" "pq is zero";
    ResPqOne "res-pq-one" "pq is one";
    ResPqEven "res-pq-even" "pq is even";
    ResPqLong "res-pq-long" "pq has nine bytes, none of them a leading zero";
    ResPqPaddedPq "res-pq-padded-pq" "pq has leading zeros; legal";
    ResPqNoFingerprint "res-pq-no-fingerprint" "resPQ lists no fingerprint at all";
    ResPqOtherFingerprint "res-pq-other-fingerprint" "resPQ lists fingerprints of others alone";
    ResPqFingerprintsAround "res-pq-fingerprints-around" "the right fingerprint stands among others; legal";
    ServerNonceZero "server-nonce-zero" "server_nonce begins with a zero byte; legal";
    DhParamsNonce "dh-params-nonce" "server_DH_params_ok repeats another nonce";
    DhParamsServerNonce "dh-params-server-nonce" "server_DH_params_ok repeats another server_nonce";
    DhInnerNonce "dh-inner-nonce" "the encrypted answer repeats another nonce";
    DhInnerServerNonce "dh-inner-server-nonce" "the encrypted answer repeats another server_nonce";
    DhAnswerHash "dh-answer-hash" "the SHA1 in front of the encrypted answer is wrong";
    DhAnswerHashPadded "dh-answer-hash-padded" "the SHA1 in front is that of the answer and its padding";
    DhAnswerPadding "dh-answer-padding" "16 and more bytes of padding follow the encrypted answer";
    DhAnswerLength "dh-answer-length" "the length of encrypted_answer is no multiple of 16";
    DhAnswerEmpty "dh-answer-empty" "encrypted_answer is empty";
    DhAnswerGarbage "dh-answer-garbage" "encrypted_answer is random bytes";
    DhPrimeComposite "dh-prime-composite" "dh_prime is not prime";
    DhPrimeHalf "dh-prime-half" "dh_prime is not prime, though (dh_prime - 1) / 2 is";
    DhPrimeNotSafe "dh-prime-not-safe" "dh_prime is prime, (dh_prime - 1) / 2 is not";
    DhPrimeShort "dh-prime-short" "dh_prime has 2047 bits";
    DhPrimeLong "dh-prime-long" "dh_prime has 2049 bits";
    DhPrimeSmall "dh-prime-small" "dh_prime is 23, a safe prime of 5 bits";
    GZero "g-zero" "g is 0";
    GOne "g-one" "g is 1";
    GEight "g-eight" "g is 8";
    GNegative "g-negative" "g is -1";
    GTwo "g-two" "g is 2, which does not generate the subgroup of prime order";
    GFive "g-five" "g is 5, which does not generate the subgroup of prime order";
    GSix "g-six" "g is 6, which does not generate the subgroup of prime order";
    GFour "g-four" "g is 4; legal";
    GSeven "g-seven" "g is 7; legal";
    GaZero "ga-zero" "g_a is 0";
    GaOne "ga-one" "g_a is 1";
    GaPMinusOne "ga-p-minus-one" "g_a is dh_prime - 1";
    GaP "ga-p" "g_a is dh_prime";
    GaAboveP "ga-above-p" "g_a is above dh_prime";
    GaLong "ga-long" "g_a has 257 bytes, none of them a leading zero";
    GaTooLow "ga-too-low" "g_a is 2^1984 - 1";
    GaLowest "ga-lowest" "g_a is 2^1984; legal";
    GaHighest "ga-highest" "g_a is dh_prime - 2^1984; legal";
    GaTooHigh "ga-too-high" "g_a is dh_prime - 2^1984 + 1";
    GaLeadingZero "ga-leading-zero" "g_a begins with a zero byte; legal";
    GaPadded "ga-padded" "g_a has 257 bytes, the first of them zero; legal";
    GaStripped "ga-stripped" "g_a begins with a zero byte, which is left out; legal";
    DhParamsFail "dh-params-fail" "server_DH_params_fail, with the right hash; legal, but no longer used";
    DhParamsFailHash "dh-params-fail-hash" "server_DH_params_fail with a wrong hash";
    DhGenNonce "dh-gen-nonce" "the answer to set_client_DH_params repeats another nonce";
    DhGenServerNonce "dh-gen-server-nonce" "the answer to set_client_DH_params repeats another server_nonce";
    DhGenOkHash "dh-gen-ok-hash" "new_nonce_hash1 is wrong";
    DhGenOkRetryHash "dh-gen-ok-retry-hash" "dh_gen_ok carries the hash of dh_gen_retry";
    DhGenRetryHash "dh-gen-retry-hash" "dh_gen_retry with a wrong hash";
    DhGenRetryOkHash "dh-gen-retry-ok-hash" "dh_gen_retry carries the hash of dh_gen_ok";
    DhGenFailHash "dh-gen-fail-hash" "dh_gen_fail with a wrong hash";
    DhGenRetry "dh-gen-retry" "dh_gen_retry, as if the id of the key were taken; legal";
    DhGenFail "dh-gen-fail" "dh_gen_fail, as if the key could not be kept; legal";
    ZeroKey "zero-key" "dh_gen_retry until the permanent key begins with a zero byte; legal";
    Trailing "trailing" "random bytes follow the object in a plain message; legal";
    PlainMsgId "plain-msg-id" "the msg_id of a plain message is no answer's";
    PlainLength "plain-length" "a plain message says that it is longer than its frame";
    Late "late" "the answer comes later; legal";
    Doubled "doubled" "the answer comes twice; legal";
    Reordered "reordered" "the answer comes after the next one on its connection; legal";
    Dropped "dropped" "no answer comes";
    Nop "nop" "a payload of four zero bytes comes first; legal";
    Error404 "error-404" "the transport error -404 comes instead";
    Error429 "error-429" "the transport error -429 comes instead";
    Error444 "error-444" "the transport error -444 comes instead";
    Close "close" "the connection is closed instead";
    MsgKey "msg-key" "the msg_key is not that of the message";
    PaddingShort "padding-short" "fewer than 12 bytes of padding";
    PaddingLong "padding-long" "more than 1024 bytes of padding";
    LengthBeyond "length-beyond" "the message says that it is longer than its packet";
    LengthOdd "length-odd" "the message says a length that is no multiple of 4";
    LengthNegative "length-negative" "the message says a negative length";
    OtherSession "other-session" "the message is for another session";
    EvenMsgId "even-msg-id" "the msg_id is even";
    OldMsgId "old-msg-id" "the msg_id is 400 s old";
    FutureMsgId "future-msg-id" "the msg_id is 60 s ahead";
    OtherKey "other-key" "the packet names a key that the client does not have";
    PartialBlock "partial-block" "the encrypted part is no whole blocks";
    ContainerNested "container-nested" "the answer stands in a container in a container";
    Gzip "gzip" "the result is gzip_packed; legal";
    GzipBomb "gzip-bomb" "the result is gzip_packed and unpacks to 64 MiB";
    Salt "salt" "the salts were turned over: the first message of a key gets bad_server_salt; legal";
    BindInvalid "bind-invalid" "the bind gets 400 ENCRYPTED_MESSAGE_INVALID";
    BindExpiresAt "bind-expires-at" "the bind gets 400 EXPIRES_AT_INVALID";
    BindTempEmpty "bind-temp-empty" "the bind gets 400 TEMP_AUTH_KEY_EMPTY";
    BindAlreadyBound "bind-already-bound" "the bind gets 400 TEMP_AUTH_KEY_ALREADY_BOUND";
    BindFalse "bind-false" "the bind gets boolFalse";
    BindNotBool "bind-not-bool" "the bind gets a result that is no Bool";
    Internal "internal" "the call gets 500 INTERNAL";
    NotInited "not-inited" "the call gets 400 CONNECTION_NOT_INITED";
    BadMsgOld "bad-msg-old" "the call gets bad_msg_notification 16: its msg_id is too low";
    BadMsgAhead "bad-msg-ahead" "the call gets bad_msg_notification 17: its msg_id is too high";
    BadMsgForgotten "bad-msg-forgotten" "the call gets bad_msg_notification 20: it is too old to tell";
    BadMsgContainer "bad-msg-container" "the call gets bad_msg_notification 64: its container was damaged";
    BadMsgSeqno "bad-msg-seqno" "the call gets bad_msg_notification 32: its seqno is too low";
    StrangeNotice "strange-notice" "bad_server_salt about a message that was never sent comes first";
    Push "push" "an update comes first, which wants an acknowledgement; legal";
    AskState "ask-state" "msgs_state_req about the call comes first; legal";
    KeyEnded "key-ended" "the temporary key ends when a call under it comes; legal";
}

impl Fault {
    /// Where it acts by itself; `None` for what can act at any step.
    #[must_use]
    pub fn step(self) -> Option<Step> {
        use Fault as F;
        match self {
            F::Trailing | F::PlainMsgId | F::PlainLength | F::Late | F::Doubled | F::Reordered => None,
            F::Dropped | F::Nop | F::Error404 | F::Error429 | F::Error444 | F::Close => None,
            _ if self <= F::ServerNonceZero => Some(Step::ResPq),
            _ if self <= F::DhParamsFailHash => Some(Step::DhParams),
            _ if self <= F::ZeroKey => Some(Step::DhGen),
            F::BindInvalid | F::BindExpiresAt | F::BindTempEmpty | F::BindAlreadyBound => Some(Step::Bind),
            F::BindFalse | F::BindNotBool => Some(Step::Bind),
            F::NotInited | F::KeyEnded => Some(Step::Call),
            F::Salt => Some(Step::DhGen),
            _ => Some(Step::Answer),
        }
    }

    /// Whether it acts on what the lab's server draws or keeps, and not on what that makes of it.
    #[must_use]
    pub fn acts_inside(self) -> bool {
        use Fault as F;
        matches!(
            self,
            F::ServerNonceZero
                | F::GFour
                | F::GSeven
                | F::GaLeadingZero
                | F::DhGenRetry
                | F::DhGenFail
                | F::ZeroKey
                | F::Salt
        )
    }

    /// Whether it can act at `step`.
    #[must_use]
    pub fn acts_at(self, step: Step) -> bool {
        match self.step() {
            None => {
                !matches!(self, Self::Trailing | Self::PlainMsgId | Self::PlainLength) || !step.is_sealed()
            }
            Some(own) => own.covers(step) || own == step,
        }
    }
}

/// When a fault acts: one line of a scenario.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What is done.
    pub fault: Fault,
    /// At which answer; the fault's own step if it has one, else at every answer.
    #[serde(default)]
    pub step: Option<Step>,
    /// How many times; without it, always.
    #[serde(default)]
    pub times: Option<u32>,
    /// How many occasions pass before the first time.
    #[serde(default)]
    pub skip: u32,
    /// On which connection alone, counted from 1 in the order in which they came.
    #[serde(default)]
    pub connection: Option<u64>,
    /// In which key exchange alone, counted from 1 in the order in which they were begun.
    #[serde(default)]
    pub run: Option<u64>,
    /// For [`Fault::Late`]: by how many milliseconds. 1500 if it is left out.
    #[serde(default)]
    pub millis: Option<u64>,
    /// Whether an answer that was altered is followed by the error 500 LAB_FOLLOW_UP to the same call, unaltered: what a client
    /// does next then tells which of the two it took.
    #[serde(default)]
    pub follow_up: bool,
}

/// A rule that can never act.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the fault {fault} cannot act at the step {step}")]
pub struct NoSuchRule {
    /// The fault.
    pub fault: Fault,
    /// The step.
    pub step: Step,
}

impl Rule {
    /// The fault, wherever it acts, always.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self {
            fault,
            step: None,
            times: None,
            skip: 0,
            connection: None,
            run: None,
            millis: None,
            follow_up: false,
        }
    }

    /// The fault, once.
    #[must_use]
    pub fn once(fault: Fault) -> Self {
        Self { times: Some(1), ..Self::always(fault) }
    }

    /// The same, at this step.
    #[must_use]
    pub fn at(self, step: Step) -> Self {
        Self { step: Some(step), ..self }
    }

    /// Whether it can act at all.
    ///
    /// # Errors
    /// [`NoSuchRule`] if its step is none of its fault's.
    pub fn check(&self) -> Result<(), NoSuchRule> {
        match self.step {
            Some(step) if !self.fault.acts_at(step) => Err(NoSuchRule { fault: self.fault, step }),
            _ => Ok(()),
        }
    }

    /// Whether it acts at answers of this step.
    pub(super) fn is_for(&self, step: Step) -> bool {
        let own = self.fault.acts_at(step);
        own && self.step.or(self.fault.step()).is_none_or(|wanted| wanted.covers(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own_that_it_is_found_by() {
        let mut names: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Fault::ALL.len());
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse(), Ok(*fault));
            assert!(!fault.describe().ends_with('.'), "{fault}");
            assert!(Step::ALL.iter().any(|step| Rule::always(*fault).is_for(*step)), "{fault} acts nowhere");
        }
    }

    #[test]
    fn an_unknown_fault_is_told_what_there_is() {
        let told = "g-nine".parse::<Fault>().unwrap_err().to_string();
        assert!(told.starts_with("there is no fault \"g-nine\"; there are: res-pq-nonce, "), "{told}");
    }

    #[test]
    fn a_fault_acts_at_its_step_and_at_no_other() {
        assert!(Rule::always(Fault::GFour).is_for(Step::DhParams));
        assert!(!Rule::always(Fault::GFour).is_for(Step::ResPq));
        assert!(Rule::always(Fault::MsgKey).is_for(Step::Bind));
        assert!(!Rule::always(Fault::MsgKey).at(Step::Call).is_for(Step::Bind));
        assert!(Rule::always(Fault::Error404).at(Step::DhGen).is_for(Step::DhGen));
        assert!(!Rule::always(Fault::Error404).at(Step::DhGen).is_for(Step::ResPq));
        assert!(!Rule::always(Fault::Trailing).is_for(Step::Call));
        let wrong = Rule::always(Fault::GFour).at(Step::Bind).check().unwrap_err();
        assert_eq!(wrong.to_string(), "the fault g-four cannot act at the step bind");
    }
}
