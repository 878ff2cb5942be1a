//! Encrypted messages.

use crate::case::cases;
use crate::client::Entry;
use crate::client::evidence::Content;
use crate::client::recovery::corrects_its_clock;
use crate::client::sealed::{calls_again, ignores, keeps_its_salt, says, takes_answer};
use crate::lab::{Fault, Step};

cases! {
    "MS-06/1" Must "the msg_key of an answer is wrong"
        why "without this check an attacker can alter what the server says, block by block"
        expected "the answer is not taken"
        ignores(Fault::MsgKey);
    "MS-07/1" Must "fewer than 12 bytes of padding follow an answer"
        why "the padding is what keeps equal messages from looking equal"
        expected "the answer is not taken"
        ignores(Fault::PaddingShort);
    "MS-07/2" Must "more than 1024 bytes of padding follow an answer"
        why "the bound is part of what makes the packet's meaning certain"
        expected "the answer is not taken"
        ignores(Fault::PaddingLong);
    "MS-07/3" Must "an answer says that it is longer than its packet"
        why "a parser that believes it reads past the end"
        expected "the answer is not taken"
        ignores(Fault::LengthBeyond);
    "MS-07/4" Must "an answer says a length that is no multiple of 4"
        why "TL objects are whole words: what is not was altered"
        expected "the answer is not taken"
        ignores(Fault::LengthOdd);
    "MS-07/5" Must "an answer says a negative length"
        why "a parser that takes it for a large number reads past the end"
        expected "the answer is not taken"
        ignores(Fault::LengthNegative);
    "MS-07/6" Must "the encrypted part of an answer is no whole blocks"
        why "a cipher that works on past the end reads what is not there"
        expected "the answer is not taken"
        ignores(Fault::PartialBlock);
    "MS-08/1" Must "an answer is for another session"
        why "what was recorded in one session could be played back into another"
        expected "the answer is not taken"
        ignores(Fault::OtherSession);
    "MS-08/2" Must "an answer is under another key"
        why "a client that does not look at auth_key_id decrypts garbage, or mixes up its keys"
        expected "the answer is not taken"
        ignores(Fault::OtherKey);
    "MS-20/1" Must "the msg_id of an answer is even"
        why "a client's own message, sent back to it, could pass for an answer"
        expected "the answer is not taken"
        ignores(Fault::EvenMsgId);
    "MS-20/2" Must "the msg_id of an answer is 400 s old"
        why "what was recorded could be played back once the client has forgotten it"
        expected "the answer is not taken"
        ignores(Fault::OldMsgId);
    "MS-20/3" Must "the msg_id of an answer is 60 s ahead"
        why "a message from the future stays valid for longer than the client remembers it"
        expected "the answer is not taken"
        ignores(Fault::FutureMsgId);
    "MS-12/1" Should "an answer stands in a container in a container"
        why "a parser that follows every nesting runs out of stack"
        expected "the answer is not taken"
        ignores(Fault::ContainerNested);
    "MS-12/2" Must "a result is gzip_packed"
        why "servers pack what is long; a client that cannot unpack gets no answer"
        expected "the result is taken"
        takes_answer(Fault::Gzip, Step::Call);
    "MS-12/3" Should "a result unpacks to 64 MiB"
        why "a packet of 64 KiB could fill the memory of the client"
        expected "the client goes on, calls again or closes: it is alive"
        ignores(Fault::GzipBomb);
    "MS-12/4" Compat "the result of the binding is gzip_packed"
        why "a client that unpacks some results and not others depends on what a server thinks is long"
        expected "the result is taken"
        takes_answer(Fault::Gzip, Step::Bind);
    "MS-03/1" Must "an answer comes twice, byte for byte"
        why "networks repeat, and attackers do: what was processed is not to be processed again"
        expected "the repeat is ignored, and the client goes on"
        takes_answer(Fault::Doubled, Step::Answer);
    "MS-13/1" Must "an answer comes late"
        why "a slow server is no wrong one"
        expected "the answer is taken"
        takes_answer(Fault::Late, Step::Answer);
    "MS-13/2" Should "an update comes"
        why "what is not acknowledged is sent again and again"
        expected "msgs_ack for it"
        says(Fault::Push, |said| matches!(said.content, Content::Acks(_)));
    "MS-15/1" Should "msgs_state_req comes"
        why "the server asks in order not to run a call twice"
        expected "msgs_state_info"
        says(Fault::AskState, |said| matches!(said.content, Content::States(_)));
    "MS-18/1" Must "a call gets bad_msg_notification 16"
        why "clocks differ: a client that does not correct its msg_id is shut out"
        expected "the call again, under another msg_id"
        calls_again(Fault::BadMsgOld, false);
    "MS-18/2" Must "a call gets bad_msg_notification 17"
        why "clocks differ: a client that does not correct its msg_id is shut out"
        expected "the call again, under another msg_id"
        calls_again(Fault::BadMsgAhead, false);
    "MS-18/3" Must "a call gets bad_msg_notification 20"
        why "the server cannot tell whether it ran the message"
        expected "the call again, under another msg_id"
        calls_again(Fault::BadMsgForgotten, false);
    "MS-18/4" Must "a call gets bad_msg_notification 64"
        why "its container was damaged: nothing in it was run"
        expected "the call again, under another msg_id"
        calls_again(Fault::BadMsgContainer, false);
    "MS-18/5" Must "a call gets bad_msg_notification 32"
        why "the session is out of step: what follows in it is refused too"
        expected "the call again in a new session, or its end with an error"
        calls_again(Fault::BadMsgSeqno, true);
    "MS-18/6" Must "bad_server_salt comes about a message that was never sent"
        why "whoever can play back one notice could make the client drop its salt for ever"
        expected "the salt stays"
        keeps_its_salt();
    "MS-18/7" Must "the server's clock is 1,000 s ahead of what the client took for it"
        why "clocks are set while programs run: a client that does not follow is shut out from then on"
        expected "after bad_msg_notification 16, a call by the server's time"
        corrects_its_clock(1_000);
    "TR-05/2" Compat "a payload of four zero bytes comes before an answer"
        why "a nop means nothing; a client that takes it for a packet or an error fails"
        expected "the answer is taken"
        takes_answer(Fault::Nop, Step::Answer);
}
