//! What every client does: the cases that all others need.

use crate::case::cases;
use crate::client::Entry;
use crate::client::binding::{Habit, has_habit, is_not_objected_to};
use crate::client::judge::takes_rules;
use crate::lab::Step;

cases! {
    "HS-01/1" Must "a key is made and used, and nothing is altered"
        why "a client that does not get through this talks to no server at all"
        expected "an encrypted message under a key that was made"
        takes_rules(Vec::new(), Step::DhGen);
    "PF-06/1" Must "a temporary key is bound, and nothing is altered"
        why "a binding that is wrong in a field ends as ENCRYPTED_MESSAGE_INVALID, which costs the login"
        expected "a binding that is right in every field"
        has_habit(Habit::BindsRight);
    "MS-01/1" Must "three calls are made, and nothing is altered"
        why "a client whose msg_id or seqno is off is answered with notices instead of results"
        expected "calls to which the server has nothing to object"
        is_not_objected_to();
}
