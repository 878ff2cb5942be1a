//! TL: every generated type is read from hostile bytes, written, and read again.

use dayfly_tl::{Error, Write as _, api, mtproto, read_exact, read_prefix, to_bytes};

/// A generated type, seen through reading and writing.
struct Kind {
    /// Its name in Rust.
    name: &'static str,
    /// Its constructor id, if it has only one.
    id: Option<u32>,
    /// Reads it off the front and writes it again.
    again: fn(&[u8]) -> Result<Again, Error>,
    /// The same for bytes that must hold nothing else.
    exactly: fn(&[u8]) -> Result<Vec<u8>, Error>,
}

/// The bytes written, and how many were read.
type Again = (Vec<u8>, usize);

/// The first byte picks a type; the constructor id in front of the rest is set right where there is one to set.
///
/// # Panics
/// If a value that was read is not written as it can be read again, or its length is not as foretold.
pub fn check(data: &[u8]) {
    let Some((pick, fields)) = data.split_first() else { return };
    let kinds = kinds();
    match kinds.get(usize::from(*pick)) {
        Some(Kind { id: Some(id), .. }) => {
            let bytes = [&id.to_le_bytes(), fields].concat();
            kinds.iter().for_each(|kind| check_one(kind, &bytes));
        }
        _ => kinds.iter().for_each(|kind| check_one(kind, fields)),
    }
}

fn check_one(kind: &Kind, bytes: &[u8]) {
    let Ok((written, used)) = (kind.again)(bytes) else { return };
    assert!(used <= bytes.len(), "{} read more than there is", kind.name);
    assert!(written.len() <= used, "{} grew from {used} to {} bytes", kind.name, written.len());
    assert_eq!((kind.exactly)(&written).as_ref(), Ok(&written), "{} does not come back", kind.name);
}

macro_rules! kinds {
    ($($module:ident: structs [$($plain:ident),* $(,)?] enums [$($choice:ident),* $(,)?];)*) => {
        /// All generated types.
        #[expect(elided_lifetimes_in_paths, reason = "some of the types have one and some have none")]
        fn kinds() -> Vec<Kind> {
            vec![
                $($(kind!($module $plain, Some($module::$plain::CONSTRUCTOR)),)*)*
                $($(kind!($module $choice, None),)*)*
            ]
        }
    };
}

macro_rules! kind {
    ($module:ident $name:ident, $id:expr) => {
        Kind {
            name: concat!(stringify!($module), "::", stringify!($name)),
            id: $id,
            again: |bytes| {
                let (value, used) = read_prefix::<$module::$name>(bytes)?;
                let written = to_bytes(&value);
                assert_eq!(written.len(), value.encoded_len(), "the length of {}", stringify!($name));
                Ok((written, used))
            },
            exactly: |bytes| Ok(to_bytes(&read_exact::<$module::$name>(bytes)?)),
        }
    };
}

kinds! {
        mtproto:
        structs [
            ResPq, PQInnerDataDc, PQInnerDataTempDc, ServerDhParamsOk, ServerDhInnerData,
            ClientDhInnerData, DhGenOk, DhGenRetry, DhGenFail, BindAuthKeyInner, RpcResult,
            RpcError, RpcAnswerUnknown, RpcAnswerDroppedRunning, RpcAnswerDropped, FutureSalt,
            FutureSalts, Pong, DestroySessionOk, DestroySessionNone, NewSessionCreated,
            MsgContainer, Message, MsgCopy, GzipPacked, MsgsAck, BadMsgNotificationPlain,
            BadServerSalt, MsgResendReqPlain, MsgsStateReq, MsgsStateInfo, MsgsAllInfo,
            MsgDetailedInfoPlain, MsgNewDetailedInfo, DestroyAuthKeyOk, DestroyAuthKeyNone,
            DestroyAuthKeyFail, HttpWait, ReqPqMulti, ReqDhParams, SetClientDhParams,
            RpcDropAnswerCall, GetFutureSalts, Ping, PingDelayDisconnect, DestroySession,
            DestroyAuthKey, PQInnerDataPlain, PQInnerDataTemp, ServerDhParamsFail, MsgResendAnsReq,
            RsaPublicKey, ReqPq,
        ]
        enums [BadMsgNotification, DestroyAuthKeyRes, DestroySessionRes, MsgDetailedInfo, MsgResendReq, PQInnerData, RpcDropAnswer, ServerDhParams, SetClientDhParamsAnswer];
        api:
        structs [
            BoolFalse, BoolTrue, InputClientProxy, JsonObjectValue, JsonNull, JsonBool, JsonNumber,
            JsonString, JsonArray, JsonObject, ReactionEmpty, ReactionEmoji, ReactionCustomEmoji,
            ReactionPaid, DcOption, Config, NearestDc, InvokeAfterMsg, InvokeAfterMsgs,
            InvokeWithLayer, InvokeWithoutUpdates, InitConnection, AuthBindTempAuthKey,
            AuthDropTempAuthKeys, HelpGetConfig, HelpGetNearestDc, InitConnection785188b8,
            InitConnection7d7f18cf, InitConnectionc7481da6, InitConnection69796de9,
        ]
        enums [JsonValue, Reaction];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_generated_type_is_left_out() {
        let sources = [
            ("mtproto", include_str!("../../../crates/tl/src/generated/mtproto.rs")),
            ("api", include_str!("../../../crates/tl/src/generated/api.rs")),
        ];
        let mut generated = Vec::new();
        for (module, source) in sources {
            let items = source.lines().filter_map(|line| line.strip_prefix("pub "));
            let names = items.filter_map(|item| item.strip_prefix("struct ").or(item.strip_prefix("enum ")));
            generated.extend(
                names.filter_map(|rest| Some(format!("{module}::{}", rest.split(['<', ' ', ';']).next()?))),
            );
        }
        let mut checked: Vec<_> = kinds().iter().map(|kind| kind.name.to_owned()).collect();
        generated.sort();
        checked.sort();
        assert_eq!(checked, generated);
    }

    #[test]
    fn a_known_object_is_read_and_written_again() {
        let bytes = to_bytes(&mtproto::ReqPqMulti { nonce: [7; 16] });
        let kind = kinds().into_iter().find(|kind| kind.name == "mtproto::ReqPqMulti").unwrap();
        assert_eq!((kind.again)(&bytes), Ok((bytes.clone(), 20)));
    }
}
