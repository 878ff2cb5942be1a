//! Between our types and those of the interface.

use std::time::Duration;

use dayfly_core::env::Now;
use dayfly_core::server::{KeyUse, PushError, Recipient, Revoked, UpstreamCall};
use dayfly_core::session::SessionId;
use dayfly_core::session::query::ClientInfo;
use dayfly_core::session::server::Answer;
use dayfly_crypto::AuthKeyId;

use super::proto::{self, answer, outcome};

/// The longest text of an error that a client is told, in bytes.
const LONGEST_ERROR: usize = 255;

/// An error for a client.
pub(super) fn error(code: i32, message: &str) -> Answer {
    Answer::Error { code, message: message.to_owned() }
}

/// How long a call may take from now on.
pub(super) fn time_left(call: &UpstreamCall, now: Now) -> Duration {
    call.deadline.saturating_sub(now.monotonic)
}

/// A call without its number, and with so much time.
pub(super) fn call(call: UpstreamCall, time_left: Duration) -> proto::Call {
    proto::Call {
        number: 0,
        permanent_key: key_number(call.key),
        key_use: key_use(call.key_use).into(),
        session: call.session_id.0.cast_unsigned(),
        msg_id: call.msg_id.0,
        layer: call.layer,
        client: call.client.map(client_info),
        peer_address: call.peer.map(|peer| peer.to_canonical().to_string()).unwrap_or_default(),
        dc: call.dc,
        deadline_ms: u32::try_from(time_left.as_millis()).unwrap_or(u32::MAX),
        body: call.body,
    }
}

fn key_use(key_use: KeyUse) -> proto::KeyUse {
    match key_use {
        KeyUse::Bound => proto::KeyUse::Bound,
        KeyUse::Unbound => proto::KeyUse::Unbound,
        KeyUse::Permanent => proto::KeyUse::Permanent,
    }
}

fn client_info(info: ClientInfo) -> proto::ClientInfo {
    let ClientInfo { api_id, device_model, system_version, app_version, lang_code } = info;
    proto::ClientInfo { api_id, device_model, system_version, app_version, lang_code }
}

/// The number of a key id, as TL reads a long.
fn key_number(key: AuthKeyId) -> u64 {
    key.to_long().cast_unsigned()
}

/// The key id of a number.
pub(super) fn key_id(number: u64) -> AuthKeyId {
    AuthKeyId::from_long(number.cast_signed())
}

/// Whom a push is for.
pub(super) fn recipient(push: &proto::Push) -> Recipient {
    let key = key_id(push.permanent_key);
    match push.session {
        Some(session) => Recipient::Session(key, SessionId(session.cast_signed())),
        None => Recipient::Key(key),
    }
}

/// What a client is told; `None` if the back end said nothing that it could be told. Results are looked at by the core.
pub(super) fn told(said: answer::Answer) -> Option<Answer> {
    match said {
        answer::Answer::Result(bytes) => Some(Answer::Result(bytes)),
        answer::Answer::Error(proto::RpcError { code, message })
            if code != 0 && (1..=LONGEST_ERROR).contains(&message.len()) =>
        {
            Some(Answer::Error { code, message })
        }
        answer::Answer::Error(_) | answer::Answer::Later(_) => None,
    }
}

pub(super) fn pushed(pushed: Result<usize, PushError>) -> outcome::Outcome {
    let reason = match pushed {
        Ok(sessions) => {
            let sessions = u32::try_from(sessions).unwrap_or(u32::MAX);
            return outcome::Outcome::Pushed(proto::Pushed { sessions });
        }
        Err(PushError::TooLong { .. }) => proto::Reason::UpdateTooLong,
        Err(_) => proto::Reason::UpdateMalformed,
    };
    refused(reason, pushed.map_or_else(|error| error.to_string(), |_| String::new()))
}

pub(super) fn connected(sessions: Vec<SessionId>) -> outcome::Outcome {
    let sessions = sessions.into_iter().map(|session| session.0.cast_unsigned()).collect();
    outcome::Outcome::Connected(proto::Connected { sessions })
}

pub(super) fn revoked(revoked: Revoked) -> outcome::Outcome {
    match revoked {
        Revoked::Ended => outcome::Outcome::Revoked(proto::Revoked { existed: true }),
        Revoked::Unknown => outcome::Outcome::Revoked(proto::Revoked { existed: false }),
        Revoked::Unavailable => {
            refused(proto::Reason::StoreUnavailable, "the store of keys cannot be asked now".to_owned())
        }
    }
}

fn refused(reason: proto::Reason, message: String) -> outcome::Outcome {
    outcome::Outcome::Refused(proto::Refused { reason: reason.into(), message })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use dayfly_core::server::CallId;
    use dayfly_core::session::MsgId;

    use super::*;

    fn some_call(peer: Option<&str>) -> UpstreamCall {
        UpstreamCall {
            id: CallId(9),
            key: AuthKeyId::from_long(-2),
            key_use: KeyUse::Permanent,
            session_id: SessionId(-3),
            msg_id: MsgId(4 << 40),
            layer: None,
            client: None,
            dc: -2,
            peer: peer.map(|text| text.parse::<IpAddr>().unwrap()),
            deadline: Duration::from_secs(100),
            body: vec![1, 2, 3, 4],
        }
    }

    #[test]
    fn numbers_are_those_that_tl_reads() {
        let message = call(some_call(Some("::ffff:203.0.113.5")), Duration::from_millis(1500));
        assert_eq!((message.permanent_key, message.session), (u64::MAX - 1, u64::MAX - 2));
        assert_eq!(key_id(message.permanent_key), AuthKeyId::from_long(-2));
        assert_eq!((message.msg_id, message.dc, message.deadline_ms), (4 << 40, -2, 1500));
        assert_eq!(
            (message.key_use(), message.layer, message.client),
            (proto::KeyUse::Permanent, None, None)
        );
        assert_eq!(message.peer_address, "203.0.113.5", "an IPv4 address is told as one");
    }

    #[test]
    fn a_connection_that_is_gone_has_no_address_and_a_deadline_that_is_over_no_time() {
        let now = Now { monotonic: Duration::from_secs(101), unix: Duration::ZERO };
        let late = some_call(None);
        assert_eq!(time_left(&late, now), Duration::ZERO);
        let message = call(late, Duration::from_secs(1 << 40));
        assert_eq!((&message.peer_address[..], message.deadline_ms), ("", u32::MAX));
    }
}
