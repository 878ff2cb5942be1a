//! Step 2: resPQ.

use crate::case::cases;
use crate::client::Entry;
use crate::client::judge::{refuses, takes};
use crate::lab::Fault;

cases! {
    "HS-06/1" Must "resPQ repeats another nonce"
        why "the answer of another run, or of somebody else, could be slipped in"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqNonce);
    "HS-07/1" Compat "pq is a prime"
        why "a client that looks for its factors for ever is stopped by one message"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqPrime);
    "HS-07/2" Compat "pq is the square of a prime"
        why "p < q cannot hold, so what follows is no proof of work, and some factorizers never end"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqSquare);
    "HS-07/3" Compat "pq is the product of three primes"
        why "one of its two factors is no prime: the client computes with numbers that it has not checked"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqThreePrimes);
    "HS-07/4" Compat "pq is above 2^63 - 1"
        why "a signed number overflows, and the client computes with a negative one"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqTooLarge);
    "HS-07/5" Compat "pq is zero"
        why "a division by zero or a search without end stops the client by one message"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqZero);
    "HS-07/6" Compat "pq is one"
        why "there is no factor to be found: a search without end stops the client"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqOne);
    "HS-07/7" Compat "pq is even"
        why "its factor is found at once: a server could spare every client the work, and the client does not look"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqEven);
    "HS-07/8" Compat "pq has nine bytes"
        why "a client that cuts it to eight computes with another number than the server sent"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqLong);
    "HS-07/9" Must "resPQ lists no fingerprint"
        why "a client that goes on encrypts its secret for whatever key it falls back to"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqNoFingerprint);
    "HS-07/10" Must "resPQ lists fingerprints of others alone"
        why "a client that goes on talks to a server that holds none of the keys that it trusts"
        expected "the answer is refused: no req_DH_params"
        refuses(Fault::ResPqOtherFingerprint);
    "HS-05/1" Must "the right fingerprint stands among others"
        why "servers list all their keys, old and new, in any order; a client that looks at the first alone is shut out"
        expected "a key is made and used"
        takes(Fault::ResPqFingerprintsAround);
    "HS-01/2" Compat "pq has leading zeros"
        why "a number may come with leading zeros, and a client that counts bytes is shut out"
        expected "a key is made and used"
        takes(Fault::ResPqPaddedPq);
    "HS-01/3" Must "server_nonce begins with a zero byte"
        why "a client that takes it for a number and strips the zero fails in one run of 256, and nobody finds out why"
        expected "a key is made and used"
        takes(Fault::ServerNonceZero);
}
