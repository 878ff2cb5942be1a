//! Temporary keys and their binding.

use crate::case::cases;
use crate::client::Entry;
use crate::client::binding::{
    Habit, Then, after_refusal, binds_anew, gives_up_an_old_key, goes_by_server_time, has_habit,
    makes_another,
};
use crate::client::recovery::calls_once_more;
use crate::lab::{Fault, Step};

cases! {
    "PF-04/1" Must "calls go under a bound temporary key"
        why "what goes under the permanent key is read by whoever steals that key later"
        expected "no call under the permanent key"
        has_habit(Habit::CallsUnderBound);
    "PF-05/1" Must "nothing but what is allowed goes under an unbound key"
        why "the server does not know yet whose key it is: a call is lost, or answered for nobody"
        expected "no call that gets AUTH_KEY_PERM_EMPTY"
        has_habit(Habit::WaitsForBinding);
    "PF-11/1" Must "the client says who it is after the binding"
        why "a server forgets the client info with the key before; without it, it answers in an old layer"
        expected "initConnection around the binding or around the first call after it"
        has_habit(Habit::IntroducesItself);
    "PF-03/1" Should "both keys are made at the same time"
        why "one after the other takes twice as long before the first call"
        expected "the second exchange is begun before the first one ends"
        has_habit(Habit::Parallel);
    "PF-02/1" Must "the server's clock is ten years ahead"
        why "a client that counts by its own clock asks for a binding that has ended already"
        expected "expires_at counted by the server's time"
        goes_by_server_time(10);
    "PF-02/2" Must "the server's clock is ten years behind"
        why "a client that counts by its own clock uses a key long after its end, or never renews it"
        expected "expires_at counted by the server's time"
        goes_by_server_time(-10);
    "PF-21/1" Must "the binding gets bad_server_salt"
        why "the binding names the msg_id of its message: sent again as it was, it is refused, and the login may go"
        expected "a binding that is made anew for its new msg_id"
        binds_anew();
    "PF-12/1" Must "ENCRYPTED_MESSAGE_INVALID for a permanent key that is younger than 60 s"
        why "the key may not have reached every machine of the server: whoever drops it now loses a good login"
        expected "the same permanent key is bound again"
        after_refusal(Fault::BindInvalid, Then::BindAgain);
    "PF-12/2" Must "ENCRYPTED_MESSAGE_INVALID again and again, beyond 60 s"
        why "the key is gone: a client that keeps it tries for ever"
        expected "another permanent key after 60 s, and not before"
        gives_up_an_old_key(), Slow;
    "PF-22/1" Must "EXPIRES_AT_INVALID"
        why "the clocks differ: a client that drops its permanent key loses the login for nothing"
        expected "the same permanent key is bound again"
        after_refusal(Fault::BindExpiresAt, Then::BindAgain);
    "PF-22/2" Must "TEMP_AUTH_KEY_EMPTY"
        why "the temporary key is gone, the permanent one is not"
        expected "another temporary key, bound to the same permanent key"
        after_refusal(Fault::BindTempEmpty, Then::OtherTemp);
    "PF-22/3" Must "TEMP_AUTH_KEY_ALREADY_BOUND"
        why "the temporary key is of no use any more, the permanent one is"
        expected "another temporary key, bound to the same permanent key"
        after_refusal(Fault::BindAlreadyBound, Then::OtherTemp);
    "PF-22/4" Must "500 INTERNAL"
        why "a server that cannot ask its store says nothing of any key"
        expected "the same permanent key is bound again"
        after_refusal(Fault::Internal, Then::BindAgain);
    "PF-06/2" Must "the binding gets boolFalse"
        why "a client that takes it for success calls under a key that is not bound"
        expected "the binding is tried again"
        after_refusal(Fault::BindFalse, Then::BindAgain);
    "PF-06/3" Must "the binding gets a result that is no Bool"
        why "a client that takes it for success calls under a key that is not bound"
        expected "the binding is tried again"
        after_refusal(Fault::BindNotBool, Then::BindAgain);
    "PF-14/1" Must "-404 comes for a call under a temporary key"
        why "the server may forget a temporary key at any time; a client that waits, or logs out, is shut out"
        expected "another temporary key, bound to the same permanent key"
        makes_another(Fault::Error404, Step::Call);
    "PF-14/2" Must "-404 comes instead of the answer to the binding"
        why "the server may forget a temporary key at any time"
        expected "another temporary key, bound to the same permanent key"
        makes_another(Fault::Error404, Step::Bind);
    "PF-14/3" Should "-404 comes for a call, which is made again"
        why "a key is lost once a day or so: a call that is lost with it fails for a reason that is none of its own"
        expected "the call again, under another key"
        calls_once_more();
    "PF-13/1" Must "the temporary key ends during a call"
        why "keys end while calls are under way: a client that does not make another is cut off once a day"
        expected "another temporary key, bound to the same permanent key"
        makes_another(Fault::KeyEnded, Step::Call);
}
