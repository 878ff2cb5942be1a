//! What stands in a payload: plain messages, the envelope, containers, compression, and what is wrapped around a call.

use std::io::Write as _;
use std::sync::Arc;

use dayfly_core::keys::kind::{TrafficKey, UnboundTempKey};
use dayfly_core::plain::{self, PlainMessage};
use dayfly_core::session::container::{self, ContainerError, Inner};
use dayfly_core::session::envelope::{self, OpenError};
use dayfly_core::session::gzip::{self, GzipError};
use dayfly_core::session::query::{self, PeelError};
use dayfly_core::session::{MsgId, SessionId};
use dayfly_crypto::{AuthKey, ige, kdf, kdf::Side};
use dayfly_tl::api::{
    InitConnection, InitConnection69796de9, InitConnection785188b8, InvokeAfterMsg, InvokeAfterMsgs,
    InvokeWithLayer, InvokeWithoutUpdates, JsonNull, JsonValue,
};
use dayfly_tl::mtproto::{GzipPacked, MsgContainer};
use dayfly_tl::to_bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::input::Input;
use crate::world::Chance;

/// What a packed object may unpack to here.
const UNPACKED: usize = 1 << 12;

/// The first byte says what the others are.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    match input.u8() % 8 {
        0 => plain_message(input.rest()),
        1 => in_container(&mut input),
        2 => packed(input.rest()),
        3 => packed(&pack(input.u8(), input.rest())),
        4 => peeled(input.rest()),
        5 => wrapped(&mut input),
        6 => sealed(&mut input),
        _ => packet(input.rest()),
    }
}

fn plain_message(frame: &[u8]) {
    let of_client = PlainMessage::from_client(frame);
    let of_server = PlainMessage::from_server(frame);
    if let Ok(message) = of_server {
        assert_eq!(of_client, Ok(message), "what a server may send a client may send");
        assert_eq!(plain::write(message.msg_id, message.body), frame, "not written as it was read");
    }
    if let Ok(message) = of_client {
        assert!(plain::is_plain(frame) && message.body.len() + plain::HEADER_LEN <= frame.len());
    }
}

/// A container with the constructor in front, and as it is; a copy; and what came apart packed again.
fn in_container(input: &mut Input<'_>) {
    let outer = MsgId::from_long(input.i64());
    let rest = input.rest();
    let whole = [&MsgContainer::CONSTRUCTOR.to_le_bytes(), rest].concat();
    drop(container::open(rest, outer));
    let _ = container::open_copy(rest, outer);
    let Ok(messages) = container::open(&whole, outer) else { return };
    assert!(messages.len() <= container::MAX_MESSAGES as usize);
    assert!(messages.iter().all(|inner| inner.msg_id < outer && !container::is_container(inner.body)));
    assert_eq!(container::pack(&messages), whole, "a container is not packed as it was");
    let nested = [Inner { msg_id: MsgId(0), seqno: 0, body: &whole }];
    assert_eq!(container::open(&container::pack(&nested), MsgId(4)), Err(ContainerError::Nested));
}

fn packed(object: &[u8]) {
    let unpacked = gzip::unpack(object, UNPACKED);
    let word = gzip::first_word(object, UNPACKED);
    let Ok(unpacked) = unpacked else { return };
    assert!(unpacked.len() <= UNPACKED, "{} bytes were unpacked", unpacked.len());
    assert_eq!(word.as_ref(), unpacked.first_chunk(), "the first word alone is another one");
    if let Some(again) = gzip::pack(&unpacked) {
        assert_eq!(gzip::unpack(&again, UNPACKED), Ok(unpacked));
    }
}

/// A `gzip_packed` with one of the headers, in one of the ways to compress.
pub(crate) fn pack(how: u8, object: &[u8]) -> Vec<u8> {
    let level = Compression::new(u32::from(how >> 1) % 10);
    let packed_data = if how & 1 == 0 {
        let mut encoder = GzEncoder::new(Vec::new(), level);
        encoder.write_all(object).and_then(|()| encoder.finish())
    } else {
        let mut encoder = ZlibEncoder::new(Vec::new(), level);
        encoder.write_all(object).and_then(|()| encoder.finish())
    };
    to_bytes(&GzipPacked { packed_data: &packed_data.expect("compressing in memory") })
}

fn peeled(body: &[u8]) {
    let Ok(peeled) = query::peel(body, UNPACKED) else { return };
    assert!(peeled.query().len() <= body.len().max(UNPACKED));
    assert!(peeled.after.len() <= 1024);
    if let Some(client) = &peeled.client {
        // Bytes that are no UTF-8 become a character of three bytes each.
        assert!(client.device_model.len() <= 3 * 128 && client.lang_code.len() <= 3 * 128);
    }
    let again = query::peel(peeled.query(), UNPACKED).expect("a bare call");
    assert_eq!(again.query(), peeled.query(), "something was left around the call");
}

/// Wraps a call as the script says, and peels it.
fn wrapped(input: &mut Input<'_>) {
    let call = [&0x1234_5678_u32.to_le_bytes(), input.short()].concat();
    let (mut body, mut wrappers) = (call.clone(), 0);
    while !input.is_empty() && body.len() < UNPACKED {
        body = wrap(input.u8(), &body);
        wrappers += 1;
    }
    let peeled = query::peel(&body, 2 * UNPACKED);
    if wrappers >= 16 {
        assert_eq!(peeled.err(), Some(PeelError::TooDeep));
    } else {
        assert_eq!(peeled.expect("a call that was wrapped well").query(), call);
    }
    let packed = pack(0, &[0; 64]);
    let tight = query::peel(&packed, 63);
    assert_eq!(tight.err(), Some(PeelError::Gzip(GzipError::TooLong)));
}

fn wrap(how: u8, query: &[u8]) -> Vec<u8> {
    let (api_id, lang_code, text) = (i32::from(how), b"xx", [how; 200]);
    let (device_model, system_version, app_version) = (&text[..], b"1", b"2");
    let (system_lang_code, lang_pack, proxy) = (b"yy", b"", None);
    match how % 9 {
        0 => to_bytes(&InvokeWithLayer { layer: api_id, query }),
        1 => to_bytes(&InvokeWithoutUpdates { query }),
        2 => to_bytes(&InvokeAfterMsg { msg_id: i64::from(how), query }),
        3 => to_bytes(&InvokeAfterMsgs { msg_ids: vec![4; usize::from(how >> 4)].into(), query }),
        4 => to_bytes(&InitConnection69796de9 {
            api_id,
            device_model,
            system_version,
            app_version,
            lang_code,
            query,
        }),
        5 => to_bytes(&InitConnection785188b8 {
            api_id,
            device_model,
            system_version,
            app_version,
            system_lang_code,
            lang_pack,
            lang_code,
            proxy,
            query,
        }),
        6 => to_bytes(&InitConnection {
            api_id,
            device_model,
            system_version,
            app_version,
            system_lang_code,
            lang_pack,
            lang_code,
            proxy,
            params: Some(JsonValue::JsonNull(JsonNull)),
            query,
        }),
        how => pack(how, query),
    }
}

fn key() -> TrafficKey {
    let key = Arc::new(AuthKey::copy_of(&[0x3c; 256]));
    TrafficKey::from(&UnboundTempKey::new(key, u64::MAX))
}

/// What we seal is opened by the other side as it was, and by nobody once a bit of it is another.
fn sealed(input: &mut Input<'_>) {
    let (flip, seed) = (input.u16(), input.u8());
    let (salt, session_id, msg_id) = (input.i64(), SessionId(input.i64()), MsgId::from_long(input.i64()));
    let (seqno, body) = (input.i32(), input.words());
    let plaintext = envelope::plaintext(salt, session_id, msg_id, seqno, &body);
    let side = if seed & 1 == 0 { Side::Client } else { Side::Server };
    let mut packet = envelope::seal(&key(), side, &plaintext, &mut Chance::new(seed)).expect("a message");
    let mut broken = packet.clone();
    let opened = envelope::open(&key(), side, &mut packet).expect("what was sealed");
    let found = (opened.salt, opened.session_id, opened.msg_id, opened.seqno, opened.body);
    assert_eq!(found, (salt, session_id, msg_id, seqno, &body[..]));
    let at = usize::from(flip >> 3) % broken.len();
    broken[at] ^= 1 << (flip & 7);
    let refused = if at < 8 { OpenError::OtherKey } else { OpenError::MsgKey };
    assert_eq!(envelope::open(&key(), side, &mut broken).err(), Some(refused), "byte {at}");
}

/// A plaintext with all its padding, encrypted as it should be: nothing but its contents can be wrong.
fn packet(plaintext: &[u8]) {
    let mut encrypted = plaintext.to_vec();
    encrypted.resize(plaintext.len().next_multiple_of(16), 0);
    let auth_key = AuthKey::copy_of(&[0x3c; 256]);
    let padded = encrypted.len();
    let msg_key = kdf::v2_msg_key(&auth_key, &encrypted, Side::Client).msg_key();
    let aes = kdf::v2_aes(&auth_key, &msg_key, Side::Client);
    ige::encrypt(&mut encrypted, &aes.key, &aes.iv).expect("whole blocks");
    let mut packet = [&auth_key.id().to_wire()[..], &msg_key, &encrypted].concat();
    match envelope::open(&key(), Side::Client, &mut packet) {
        Ok(opened) => {
            let padding = padded - 32 - opened.body.len();
            assert!((12..=1024).contains(&padding) && opened.body.len().is_multiple_of(4));
        }
        Err(error) => assert!(
            matches!(error, OpenError::TooShort | OpenError::Length | OpenError::Padding),
            "{error} of a packet that is encrypted well"
        ),
    }
}
