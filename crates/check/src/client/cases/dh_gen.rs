//! Step 9: dh_gen_ok, dh_gen_retry, dh_gen_fail.

use crate::case::cases;
use crate::client::Entry;
use crate::client::judge::{SameRun, recovers, refuses, retries_are_bounded, takes_rules};
use crate::client::zero::takes_zero_key;
use crate::lab::{Fault, Rule, Step};

cases! {
    "HS-06/6" Must "dh_gen_ok repeats another nonce"
        why "the verdict of another run could be slipped in"
        expected "the answer is refused: the key is not used"
        refuses(Fault::DhGenNonce);
    "HS-06/7" Must "dh_gen_ok repeats another server_nonce"
        why "the verdict of another run could be slipped in"
        expected "the answer is refused: the key is not used"
        refuses(Fault::DhGenServerNonce);
    "HS-27/1" Must "new_nonce_hash1 is wrong"
        why "the hash alone proves that the other side has the same key, and that nobody stands in between"
        expected "the answer is refused: the key is not used"
        refuses(Fault::DhGenOkHash);
    "HS-27/2" Must "dh_gen_ok carries the hash of dh_gen_retry"
        why "an attacker could turn the one answer into the other by four bytes that no hash covers"
        expected "the answer is refused: the key is not used"
        refuses(Fault::DhGenOkRetryHash);
    "HS-27/3" Must "dh_gen_retry with a wrong hash"
        why "whoever does not know the key could make a client compute for ever"
        expected "the answer is refused: no second set_client_DH_params"
        refuses(Fault::DhGenRetryHash);
    "HS-27/4" Must "dh_gen_retry carries the hash of dh_gen_ok"
        why "an attacker could turn the one answer into the other by four bytes that no hash covers"
        expected "the answer is refused: no second set_client_DH_params"
        refuses(Fault::DhGenRetryOkHash);
    "HS-27/5" Must "dh_gen_fail with a wrong hash"
        why "whoever does not know the key could end every run"
        expected "the answer is refused: the key is not used"
        refuses(Fault::DhGenFailHash);
    "HS-25/1" Must "dh_gen_retry comes once"
        why "ids collide; a client that cannot try again with a new b is shut out"
        expected "a second set_client_DH_params with retry_id, and a key that is used"
        takes_rules(vec![Rule { times: Some(2), ..Rule::always(Fault::DhGenRetry) }], Step::DhGen);
    "HS-27/6" Should "dh_gen_retry comes without end"
        why "a server could keep a client computing for ever"
        expected "the client gives up, or begins a new run"
        retries_are_bounded();
    "HS-27/7" Must "dh_gen_fail comes once"
        why "a client that does not begin anew is shut out by one accident of the server's"
        expected "a new run, in which a key is made"
        recovers(Fault::DhGenFail, Step::DhGen, SameRun::Over);
    "HS-24/1" Must "the permanent key begins with a zero byte"
        why "one key in 199 does: a client that leaves the zero out fails so often, whatever the server does"
        expected "the key is used, or a temporary one is bound to it"
        takes_zero_key(), Slow;
}
