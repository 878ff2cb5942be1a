//! Values in words.

use dayfly_crypto::AuthKeyId;
use dayfly_server::utc;

/// The meaning of a number in the field `name` of `owner`, where it has one.
pub(super) fn number(owner: &str, name: &str, value: i64) -> Option<String> {
    match name {
        _ if name.ends_with("msg_id") => Some(msg_id(value)),
        "auth_key_id" if value == 0 => Some("a plain message".to_owned()),
        _ if name.ends_with("auth_key_id") => {
            Some(format!("{} on the wire", hex::encode(AuthKeyId::from_long(value).to_wire())))
        }
        "server_time" | "expires_at" | "valid_since" | "valid_until" | "now" | "date" | "expires" => {
            Some(unix(value))
        }
        "error_code" if owner.starts_with("bad_") => notice(value).map(str::to_owned),
        "expires_in" => Some("seconds that the temporary key is to live".to_owned()),
        "g" | "dc" | "flags" | "seqno" | "bytes" => None,
        _ if !(-0xffff..=0xffff_ffff).contains(&value) => Some(format!("0x{value:016x}")),
        _ => None,
    }
}

/// The time of a message identifier, and who made it.
pub(super) fn msg_id(value: i64) -> String {
    let id = value.cast_unsigned();
    let whose = match id % 4 {
        0 => "of the client",
        1 => "of the server, an answer",
        3 => "of the server",
        _ => "of nobody: it is 2 modulo 4",
    };
    format!("{}, {whose}", utc(id >> 32))
}

fn unix(value: i64) -> String {
    u64::try_from(value).map_or_else(|_| "before 1970".to_owned(), utc)
}

/// The decimal form of a number that is sent as big-endian bytes: `pq`, `p`, `q`.
pub(super) fn bytes(name: &str, value: &[u8]) -> Option<String> {
    if !["pq", "p", "q"].contains(&name) || value.len() > 8 {
        return None;
    }
    let number = value.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    Some(format!("= {number}"))
}

/// What a code of bad_msg_notification or bad_server_salt says.
fn notice(code: i64) -> Option<&'static str> {
    Some(match code {
        16 => "the msg_id is too low: the client's clock is behind",
        17 => "the msg_id is too high: the client's clock is ahead",
        18 => "the msg_id is not divisible by 4",
        19 => "a container has the msg_id of an earlier message",
        20 => "the message is too old to tell whether it came",
        32 => "the seqno is too low",
        33 => "the seqno is too high",
        34 => "the seqno is odd where an even one is expected",
        35 => "the seqno is even where an odd one is expected",
        48 => "the server salt is wrong",
        64 => "the container is invalid",
        _ => return None,
    })
}

/// What a transport error says.
pub(super) fn transport_error(code: i32) -> Option<&'static str> {
    Some(match code {
        -404 => "there is no such key, or the message is none of the key exchange",
        -429 => "too many connections or messages",
        -444 => "the DC is not served here",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_identifier_tells_time_and_maker() {
        let at = |low: i64| msg_id((1_700_000_000 << 32) | low);
        assert_eq!(at(4), "2023-11-14 22:13:20 UTC, of the client");
        assert!(at(1).ends_with("an answer") && at(3).ends_with("of the server") && at(2).contains("nobody"));
        assert!(msg_id(-1).ends_with("of the server"));
    }

    #[test]
    fn numbers_have_the_meaning_of_their_field() {
        assert_eq!(number("bad_server_salt", "error_code", 48).as_deref(), Some("the server salt is wrong"));
        assert_eq!(number("rpc_error", "error_code", 48), None);
        assert_eq!(number("x", "expires_at", 0).as_deref(), Some("1970-01-01 00:00:00 UTC"));
        assert_eq!(number("x", "expires_at", -1).as_deref(), Some("before 1970"));
        assert_eq!(number("x", "perm_auth_key_id", 1).as_deref(), Some("0100000000000000 on the wire"));
        assert_eq!(number("x", "salt", -1), None);
        assert_eq!(number("x", "salt", i64::MIN).as_deref(), Some("0x8000000000000000"));
    }

    #[test]
    fn short_big_endian_numbers_are_written_in_decimal() {
        assert_eq!(bytes("pq", &[1, 0]).as_deref(), Some("= 256"));
        assert_eq!(bytes("pq", &[]).as_deref(), Some("= 0"));
        assert_eq!(bytes("pq", &[1; 9]), None);
        assert_eq!(bytes("g_a", &[1]), None);
    }
}
