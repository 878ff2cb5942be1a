//! Step 6: server_DH_params_ok.

use crate::case::cases;
use crate::client::Entry;
use crate::client::judge::{SameRun, goes_on_after, recovers, refuses, takes};
use crate::lab::{Fault, Step};

cases! {
    "HS-06/2" Must "server_DH_params_ok repeats another nonce"
        why "the answer of another run could be slipped in"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhParamsNonce);
    "HS-06/3" Must "server_DH_params_ok repeats another server_nonce"
        why "the answer of another run could be slipped in"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhParamsServerNonce);
    "HS-06/4" Must "the encrypted answer repeats another nonce"
        why "the outer nonce can be altered by anybody; only the inner one proves which run the answer is of"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhInnerNonce);
    "HS-06/5" Must "the encrypted answer repeats another server_nonce"
        why "only the inner server_nonce proves which run the answer is of"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhInnerServerNonce);
    "HS-17/1" Must "the SHA1 in front of the encrypted answer is wrong"
        why "bits flipped in the ciphertext would go unnoticed: IGE alone protects nothing"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhAnswerHash);
    "HS-17/2" Must "the SHA1 is that of the answer and its padding"
        why "a client that takes it lets the padding carry what it should not"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhAnswerHashPadded);
    "HS-17/3" Compat "16 and more bytes of padding follow the encrypted answer"
        why "blocks that no hash covers can be appended by anybody"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhAnswerPadding);
    "HS-17/4" Must "the length of encrypted_answer is no multiple of 16"
        why "a cipher that works on past the end reads what is not there"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhAnswerLength);
    "HS-17/5" Must "encrypted_answer is empty"
        why "a parser that does not look at the length reads past the end"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhAnswerEmpty);
    "HS-17/6" Must "encrypted_answer is random bytes"
        why "whoever does not know new_nonce could answer in the place of the server"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhAnswerGarbage);
    "HS-18/1" Must "dh_prime is not prime"
        why "who knows its factors computes the key from what goes over the wire"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhPrimeComposite);
    "HS-18/2" Must "dh_prime is not prime, though its half is"
        why "a client that tests the half alone takes a modulus whose factors somebody knows"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhPrimeHalf);
    "HS-18/3" Must "dh_prime is prime, and its half is not"
        why "small subgroups give the key away bit by bit"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhPrimeNotSafe);
    "HS-18/4" Must "dh_prime has 2047 bits"
        why "a server that may choose shorter primes will choose one that it can break"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhPrimeShort);
    "HS-18/5" Must "dh_prime has 2049 bits"
        why "a client that cuts it computes modulo a number that nobody checked"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhPrimeLong);
    "HS-18/6" Must "dh_prime is 23"
        why "a safe prime of five bits gives every key away"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::DhPrimeSmall);
    "HS-19/1" Must "g is 0"
        why "the key is then known to everybody"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GZero);
    "HS-19/2" Must "g is 1"
        why "the key is then known to everybody"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GOne);
    "HS-19/3" Must "g is 8"
        why "for g above 7 nothing says that it generates the subgroup"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GEight);
    "HS-19/4" Must "g is -1"
        why "the key is then one of two numbers"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GNegative);
    "HS-19/5" Must "g is 2, of the wrong residue"
        why "g_b then tells whether b is even: one bit of the secret"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GTwo);
    "HS-19/6" Must "g is 5, of the wrong residue"
        why "g_b then tells whether b is even: one bit of the secret"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GFive);
    "HS-19/7" Must "g is 6, of the wrong residue"
        why "g_b then tells whether b is even: one bit of the secret"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GSix);
    "HS-19/8" Must "g is 4"
        why "the specification allows it, whatever one server sends"
        expected "a key is made and used"
        takes(Fault::GFour);
    "HS-19/9" Must "g is 7, of the right residue"
        why "the specification allows it, whatever one server sends"
        expected "a key is made and used"
        takes(Fault::GSeven);
    "HS-20/1" Must "g_a is 0"
        why "the key is then 0 whatever b is"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GaZero);
    "HS-20/2" Must "g_a is 1"
        why "the key is then 1 whatever b is"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GaOne);
    "HS-20/3" Must "g_a is dh_prime - 1"
        why "the key is then one of two numbers"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GaPMinusOne);
    "HS-20/4" Must "g_a is dh_prime"
        why "the key is then 0 whatever b is"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GaP);
    "HS-20/5" Must "g_a is above dh_prime"
        why "what is not below the modulus was not computed by an honest server"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GaAboveP);
    "HS-20/6" Must "g_a has 257 bytes"
        why "a client that cuts it computes with a number that nobody checked"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GaLong);
    "HS-20/7" Should "g_a is 2^1984 - 1"
        why "numbers near the ends of the range come of small exponents, or of none"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GaTooLow);
    "HS-20/8" Should "g_a is dh_prime - 2^1984 + 1"
        why "numbers near the ends of the range come of small exponents, or of none"
        expected "the answer is refused: no set_client_DH_params"
        refuses(Fault::GaTooHigh);
    "HS-20/9" Compat "g_a is 2^1984"
        why "the text says between, and not whether the bound itself is in: a client that refuses it loses next to nothing"
        expected "set_client_DH_params"
        goes_on_after(Fault::GaLowest);
    "HS-20/10" Compat "g_a is dh_prime - 2^1984"
        why "the text says between, and not whether the bound itself is in: a client that refuses it loses next to nothing"
        expected "set_client_DH_params"
        goes_on_after(Fault::GaHighest);
    "HS-01/4" Must "g_a begins with a zero byte"
        why "one g_a in 199 does: a client that cannot fails seldom, and nobody finds out why"
        expected "a key is made and used"
        takes(Fault::GaLeadingZero);
    "HS-01/5" Compat "g_a begins with a zero byte, which is left out"
        why "a number may come without its leading zeros"
        expected "a key is made and used"
        takes(Fault::GaStripped);
    "HS-01/6" Must "g_a has a leading zero beyond its 256 bytes"
        why "a number may come with leading zeros, and a client that counts bytes is shut out"
        expected "a key is made and used"
        takes(Fault::GaPadded);
    "HS-38/1" Compat "server_DH_params_fail comes once, with the right hash"
        why "an older server tells so that the run is over; a client that does not know it waits for ever"
        expected "a new run, in which a key is made"
        recovers(Fault::DhParamsFail, Step::DhParams, SameRun::Over);
    "HS-38/2" Must "server_DH_params_fail comes with a wrong hash"
        why "whoever does not know new_nonce could end every run"
        expected "the answer is refused"
        refuses(Fault::DhParamsFailHash);
}
