//! The checks of the key exchange, one variant each.

use crate::observer::{Checked, Observer};

macro_rules! spec_checks {
    ($($(#[doc = $doc:literal])* $name:ident, $rule:literal, $field:literal, $message:literal;)*) => {
        /// A check that a peer failed. Holds no byte of what the peer sent.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
        #[non_exhaustive]
        pub enum SpecCheck {
            $($(#[doc = $doc])* #[doc = ""] #[doc = concat!("Rule ", $rule, ".")] #[error($message)] $name,)*
        }

        impl SpecCheck {
            /// Every check, in the order of the exchange.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The rule that the check stands for, such as `HS-06`.
            #[must_use]
            pub fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule),* }
            }

            /// The field that is looked at, by its name in the schema.
            #[must_use]
            pub fn field(self) -> &'static str {
                match self { $(Self::$name => $field),* }
            }

            /// What it means if the check fails: the sentence of its `Display`.
            #[must_use]
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $message),* }
            }
        }
    };
}

spec_checks! {
    /// A plain message is whole: auth_key_id 0, a length within the frame, a TL object that can be read.
    Malformed, "HS-34", "message", "the message cannot be read";
    /// A plain query is one of those of the key exchange, or `msgs_ack`.
    UnknownQuery, "HS-34", "message", "the query is none of the key exchange";

    /// An answer repeats our `nonce`.
    NonceMismatch, "HS-06", "nonce", "the answer does not repeat our nonce";
    /// An answer repeats the `server_nonce` of `resPQ`.
    ServerNonceMismatch, "HS-06", "server_nonce", "the answer does not repeat the server_nonce";
    /// `server_DH_inner_data` repeats our `nonce`.
    InnerAnswerNonce, "HS-06", "server_DH_inner_data.nonce", "the encrypted answer does not repeat our nonce";
    /// `server_DH_inner_data` repeats the `server_nonce` of `resPQ`.
    InnerAnswerServerNonce, "HS-06", "server_DH_inner_data.server_nonce",
        "the encrypted answer does not repeat the server_nonce";
    /// `pq` is at most 2^63 - 1. Source: step 2.
    PqTooLarge, "HS-07", "pq", "pq is above 2^63 - 1";
    /// `pq` is the product of two different odd primes. Source: step 2.
    PqNotTwoPrimes, "HS-07", "pq", "pq is not the product of two different odd primes";
    /// `resPQ` names a key that we trust. Source: step 2.
    NoTrustedKey, "HS-07", "server_public_key_fingerprints", "the server has none of the RSA keys that we trust";
    /// The length of `encrypted_answer` is a positive multiple of 16. Source: step 6.
    AnswerLength, "HS-17", "encrypted_answer", "the length of encrypted_answer is not a positive multiple of 16";
    /// `encrypted_answer` holds a `server_DH_inner_data`. Source: step 6.
    AnswerMalformed, "HS-17", "encrypted_answer", "encrypted_answer holds no server_DH_inner_data";
    /// The SHA1 in front is that of exactly the parsed answer. Source: step 6.
    AnswerHash, "HS-17", "encrypted_answer", "the SHA1 of the encrypted answer is wrong";
    /// Fewer than 16 bytes follow the answer. Source: step 6.
    AnswerPadding, "HS-17", "encrypted_answer", "16 or more bytes follow the encrypted answer";
    /// `dh_prime` is a safe prime of 2048 bits. Source: step 6.
    DhPrime, "HS-18", "dh_prime", "dh_prime is not a safe prime of 2048 bits";
    /// `g` generates the subgroup of prime order (p-1)/2. Source: step 6.
    Generator, "HS-19", "g", "g does not generate the subgroup of prime order";
    /// `g_a` lies within 2^(2048-64) and dh_prime - 2^(2048-64). Source: step 9, "IMPORTANT".
    GAOutOfRange, "HS-20", "g_a", "g_a is out of range";
    /// `new_nonce_hash1` of `dh_gen_ok`. Source: step 9.
    NewNonceHash1, "HS-27", "new_nonce_hash1", "new_nonce_hash1 is wrong";
    /// `new_nonce_hash2` of `dh_gen_retry`. Source: step 9.
    NewNonceHash2, "HS-27", "new_nonce_hash2", "new_nonce_hash2 is wrong";
    /// `new_nonce_hash3` of `dh_gen_fail`. Source: step 9.
    NewNonceHash3, "HS-27", "new_nonce_hash3", "new_nonce_hash3 is wrong";
    /// `new_nonce_hash` of the older `server_DH_params_fail`.
    DhParamsFailHash, "HS-38", "new_nonce_hash", "new_nonce_hash of server_DH_params_fail is wrong";

    /// The server knows the run that the query names.
    UnknownRun, "HS-33", "server_nonce", "there is no such run, or it is forgotten";
    /// The query is the one that the run waits for.
    OutOfTurn, "HS-15", "message", "the query is out of its turn";
    /// One step of a run has one query.
    SecondQuery, "HS-15", "message", "a second, different query of one step";
    /// The query is not one of a step that the run has left behind. Does not spend the run.
    EarlierQuery, "HS-32", "message", "a repeat of a query whose answer was forgotten";
    /// The fingerprint is one of the server's. Source: step 5.
    UnknownFingerprint, "HS-10", "public_key_fingerprint", "the fingerprint is none of this server's";
    /// `p` and `q` are the factors of this run's `pq`, in that order. Source: step 5.
    WrongFactors, "HS-10", "p", "p and q are not the factors of this run's pq";
    /// `encrypted_data` of `req_DH_params` has 256 bytes. Source: step 4.1.
    DataLength, "HS-12", "encrypted_data", "encrypted_data has not 256 bytes";
    /// `encrypted_data` is below the modulus. Source: step 4.1.
    DataTooLarge, "HS-12", "encrypted_data", "encrypted_data is not below the modulus";
    /// The hash inside RSA_PAD (or, where it is allowed, of the older scheme). Source: step 4.1.
    DataHash, "HS-12", "encrypted_data", "the hash inside encrypted_data is wrong";
    /// The inner data is one of the four constructors, whole within 144 bytes. Source: step 4.
    InnerMalformed, "HS-12", "encrypted_data", "encrypted_data holds no p_q_inner_data";
    /// `expires_in` is at least 1. Source: step 4.
    ExpiresIn, "HS-09", "expires_in", "expires_in is below 1";
    /// The inner `pq` equals that of the run. Source: step 4.
    InnerPq, "HS-14", "p_q_inner_data.pq", "the inner pq differs";
    /// The inner `p` equals the outer one. Source: step 4.
    InnerP, "HS-14", "p_q_inner_data.p", "the inner p differs";
    /// The inner `q` equals the outer one. Source: step 4.
    InnerQ, "HS-14", "p_q_inner_data.q", "the inner q differs";
    /// The inner `nonce` equals the outer one. Source: step 4.
    InnerNonce, "HS-14", "p_q_inner_data.nonce", "the inner nonce differs";
    /// The inner `server_nonce` equals the outer one. Source: step 4.
    InnerServerNonce, "HS-14", "p_q_inner_data.server_nonce", "the inner server_nonce differs";
    /// Under the strict policy, `dc` is one of those served. Source: step 6.
    Dc, "HS-14", "dc", "the dc is not served here";
    /// The length of `encrypted_data` of `set_client_DH_params` is a positive multiple of 16. Source: step 7.
    ClientDataLength, "HS-23", "encrypted_data", "the length of encrypted_data is not a positive multiple of 16";
    /// It holds a `client_DH_inner_data`. Source: step 7.
    ClientDataMalformed, "HS-23", "encrypted_data", "encrypted_data holds no client_DH_inner_data";
    /// The SHA1 in front is that of exactly the parsed object. Source: step 7.
    ClientDataHash, "HS-23", "encrypted_data", "the SHA1 of client_DH_inner_data is wrong";
    /// Fewer than 16 bytes follow the object. Source: step 7.
    ClientDataPadding, "HS-23", "encrypted_data", "16 or more bytes follow client_DH_inner_data";
    /// Its `nonce` is that of the run. Source: step 7.
    ClientNonce, "HS-23", "client_DH_inner_data.nonce", "the nonce of client_DH_inner_data differs";
    /// Its `server_nonce` is that of the run. Source: step 7.
    ClientServerNonce, "HS-23", "client_DH_inner_data.server_nonce",
        "the server_nonce of client_DH_inner_data differs";
    /// `retry_id` is 0 first, then the auth_key_aux_hash of the key that was refused. Source: step 7.
    RetryId, "HS-23", "retry_id", "retry_id is wrong";
    /// `g_b` lies within 2^(2048-64) and dh_prime - 2^(2048-64). Source: step 9, "IMPORTANT".
    GBOutOfRange, "HS-20", "g_b", "g_b is out of range";
}

impl SpecCheck {
    /// Shows the check to the observer, and passes it on as an error unless it held.
    ///
    /// The condition comes through [`holds!`](crate::holds), which names the rule.
    pub(super) fn verify<O: Observer>(self, held: bool, observer: &mut O) -> Result<(), Self> {
        let (rule, field, message) = (self.rule(), self.field(), self.message());
        observer.check(Checked { rule, field, offset: None, message, held });
        if held { Ok(()) } else { Err(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_rule_a_field_and_a_message_of_its_own() {
        let mut messages: Vec<_> = SpecCheck::ALL.iter().map(ToString::to_string).collect();
        messages.sort();
        messages.dedup();
        assert_eq!(messages.len(), SpecCheck::ALL.len(), "no two share a sentence");
        for check in SpecCheck::ALL {
            assert!(check.rule().starts_with("HS-"), "{check:?}");
            assert!(!check.field().is_empty(), "{check:?}");
        }
    }
}
