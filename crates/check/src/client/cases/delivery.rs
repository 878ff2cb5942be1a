//! How answers come: late, twice, not at all, with something around them, or an error in their place.

use crate::case::cases;
use crate::client::Entry;
use crate::client::judge::{SameRun, gives_up, recovers, refuses_at, takes_at};
use crate::lab::{Fault, Step};

cases! {
    "HS-34/1" Compat "random bytes follow resPQ"
        why "Telegram's servers have sent up to 104 of them; a client that does not skip them is shut out"
        expected "a key is made and used"
        takes_at(Fault::Trailing, Step::ResPq);
    "HS-34/2" Compat "random bytes follow server_DH_params_ok"
        why "Telegram's servers have sent up to 104 of them; a client that does not skip them is shut out"
        expected "a key is made and used"
        takes_at(Fault::Trailing, Step::DhParams);
    "HS-34/3" Compat "random bytes follow dh_gen_ok"
        why "Telegram's servers have sent up to 104 of them; a client that does not skip them is shut out"
        expected "a key is made and used"
        takes_at(Fault::Trailing, Step::DhGen);
    "HS-34/4" Compat "a plain message says that it is longer than its frame"
        why "a parser that believes it reads past the end"
        expected "the answer is refused: no req_DH_params"
        refuses_at(Fault::PlainLength, Step::ResPq);
    "HS-34/5" Compat "the msg_id of a plain answer is no answer's"
        why "a client's own message, sent back to it, could pass for an answer"
        expected "the answer is refused: no req_DH_params"
        refuses_at(Fault::PlainMsgId, Step::ResPq);
    "HS-06/8" Compat "resPQ comes twice"
        why "networks repeat; a client that takes the repeat for an answer to its next query fails"
        expected "the repeat is ignored: a key is made and used"
        takes_at(Fault::Doubled, Step::ResPq);
    "HS-06/9" Compat "server_DH_params_ok comes twice"
        why "networks repeat; a client that takes the repeat for an answer to its next query fails"
        expected "the repeat is ignored: a key is made and used"
        takes_at(Fault::Doubled, Step::DhParams);
    "HS-06/10" Compat "dh_gen_ok comes twice"
        why "networks repeat; a client that takes the repeat for something else loses its key"
        expected "the repeat is ignored: the key is used"
        takes_at(Fault::Doubled, Step::DhGen);
    "HS-30/1" Must "resPQ comes late"
        why "a slow server is no wrong one"
        expected "a key is made and used"
        takes_at(Fault::Late, Step::ResPq);
    "HS-30/2" Must "server_DH_params_ok comes late"
        why "a slow server is no wrong one"
        expected "a key is made and used"
        takes_at(Fault::Late, Step::DhParams);
    "HS-30/3" Must "dh_gen_ok comes late"
        why "a slow server is no wrong one, and another query of the same step spends the run"
        expected "a key is made and used"
        takes_at(Fault::Late, Step::DhGen);
    "HS-30/4" Must "resPQ does not come, once"
        why "a client that waits for ever is shut out by one lost packet"
        expected "the same query again, or a new run"
        recovers(Fault::Dropped, Step::ResPq, SameRun::Repeats), Slow;
    "HS-30/5" Must "server_DH_params_ok does not come, once"
        why "a different query of the same step spends the run at every server that keeps the rules"
        expected "the same query again, byte for byte, or a new run"
        recovers(Fault::Dropped, Step::DhParams, SameRun::Repeats), Slow;
    "HS-30/6" Must "dh_gen_ok does not come, once"
        why "the server may have made the key: only the same query again tells"
        expected "the same query again, byte for byte, or a new run"
        recovers(Fault::Dropped, Step::DhGen, SameRun::Repeats), Slow;
    "HS-30/7" Must "the connection is closed instead of resPQ, once"
        why "connections end; a client that does not come back is shut out"
        expected "the same query on a new connection, or a new run"
        recovers(Fault::Close, Step::ResPq, SameRun::Repeats);
    "HS-30/8" Must "the connection is closed instead of server_DH_params_ok, once"
        why "connections end; a client that does not come back is shut out"
        expected "the same query on a new connection, or a new run"
        recovers(Fault::Close, Step::DhParams, SameRun::Repeats);
    "HS-30/9" Must "the connection is closed instead of dh_gen_ok, once"
        why "connections end; a client that does not come back is shut out"
        expected "the same query on a new connection, or a new run"
        recovers(Fault::Close, Step::DhGen, SameRun::Repeats);
    "HS-38/3" Must "-404 comes instead of resPQ, once"
        why "a client that does not begin anew is shut out by a server that has forgotten its run"
        expected "a new run with a new nonce, in which a key is made"
        recovers(Fault::Error404, Step::ResPq, SameRun::Over);
    "HS-38/4" Must "-404 comes instead of server_DH_params_ok, once"
        why "the run is spent: whoever repeats its queries gets -404 for ever"
        expected "a new run with a new nonce, in which a key is made"
        recovers(Fault::Error404, Step::DhParams, SameRun::Over);
    "HS-38/5" Must "-404 comes instead of dh_gen_ok, once"
        why "the run is spent: whoever repeats its queries gets -404 for ever"
        expected "a new run with a new nonce, in which a key is made"
        recovers(Fault::Error404, Step::DhGen, SameRun::Over);
    "HS-38/6" Compat "-429 comes instead of resPQ, once"
        why "a busy server asks for patience; a client that gives up is shut out"
        expected "after a while the same query again, or a new run"
        recovers(Fault::Error429, Step::ResPq, SameRun::Repeats);
    "HS-38/7" Compat "-429 comes instead of server_DH_params_ok, once"
        why "a busy server asks for patience; a different query of the same step would spend the run"
        expected "after a while the same query again, or a new run"
        recovers(Fault::Error429, Step::DhParams, SameRun::Repeats);
    "HS-38/8" Compat "-429 comes instead of dh_gen_ok, once"
        why "a busy server asks for patience; a different query of the same step would spend the run"
        expected "after a while the same query again, or a new run"
        recovers(Fault::Error429, Step::DhGen, SameRun::Repeats);
    "HS-38/9" Must "-444 comes instead of server_DH_params_ok"
        why "the dc is not served: a client that tries for ever is a storm"
        expected "the run is over: no set_client_DH_params"
        gives_up(Fault::Error444, Step::DhParams);
    "TR-05/1" Compat "a payload of four zero bytes comes before server_DH_params_ok"
        why "a nop means nothing; a client that takes it for an answer or an error fails"
        expected "a key is made and used"
        takes_at(Fault::Nop, Step::DhParams);
}
