//! Values that are written and read again, and bytes that are known.

use dayfly_tl::{
    Constructor, LongVec, Read, Write, api, mtproto, read_exact, read_prefix, to_bytes, to_secret_bytes,
};
use proptest::prelude::*;

fn comes_back<'a, T: Read<'a> + Write + PartialEq + std::fmt::Debug>(value: &T, bytes: &'a mut Vec<u8>) {
    *bytes = to_bytes(value);
    assert_eq!(bytes.len(), value.encoded_len());
    assert_eq!(bytes.len() % 4, 0);
    assert_eq!(&read_exact::<T>(bytes).unwrap(), value);
}

fn octets(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

fn words(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<[u8; 4]>(), 0..most).prop_map(|words| words.concat())
}

fn json() -> impl Strategy<Value = OwnedJson> {
    let leaf = prop_oneof![
        Just(OwnedJson::Null),
        any::<bool>().prop_map(OwnedJson::Bool),
        (-1e300..1e300).prop_map(OwnedJson::Number),
        octets(300).prop_map(OwnedJson::String),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(OwnedJson::Array),
            prop::collection::vec((octets(9), inner), 0..4).prop_map(OwnedJson::Object),
        ]
    })
}

/// What a [`api::JsonValue`] lends from.
#[derive(Clone, Debug)]
enum OwnedJson {
    Null,
    Bool(bool),
    Number(f64),
    String(Vec<u8>),
    Array(Vec<OwnedJson>),
    Object(Vec<(Vec<u8>, OwnedJson)>),
}

impl OwnedJson {
    fn lend(&self) -> api::JsonValue<'_> {
        match self {
            Self::Null => api::JsonValue::JsonNull(api::JsonNull),
            Self::Bool(value) => api::JsonValue::JsonBool(api::JsonBool { value: *value }),
            Self::Number(value) => api::JsonValue::JsonNumber(api::JsonNumber { value: *value }),
            Self::String(value) => api::JsonValue::JsonString(api::JsonString { value }),
            Self::Array(items) => {
                api::JsonValue::JsonArray(api::JsonArray { value: items.iter().map(Self::lend).collect() })
            }
            Self::Object(items) => {
                let value =
                    items.iter().map(|(key, value)| api::JsonObjectValue { key, value: value.lend() });
                api::JsonValue::JsonObject(api::JsonObject { value: value.collect() })
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn res_pq(nonce: [u8; 16], server_nonce: [u8; 16], pq in octets(300), longs: Vec<i64>) {
        let fingerprints = LongVec::from_slice(&longs);
        let value = mtproto::ResPq {
            nonce, server_nonce, pq: &pq, server_public_key_fingerprints: fingerprints,
        };
        comes_back(&value, &mut Vec::new());
    }

    #[test]
    fn container(parts in prop::collection::vec((any::<i64>(), any::<i32>(), words(20)), 0..20)) {
        let messages = parts.iter().map(|(msg_id, seqno, body)| mtproto::Message {
            msg_id: *msg_id, seqno: *seqno, body,
        });
        comes_back(&mtproto::MsgContainer { messages: messages.collect() }, &mut Vec::new());
    }

    #[test]
    fn init_connection(
        api_id: i32, app in octets(40), proxy in prop::option::of((octets(40), any::<i32>())),
        params in prop::option::of(json()), query in words(20),
    ) {
        let value = api::InitConnection {
            api_id, device_model: b"", system_version: b"x", app_version: &app, system_lang_code: b"en",
            lang_pack: b"", lang_code: b"en",
            proxy: proxy.as_ref().map(|(address, port)| api::InputClientProxy { address, port: *port }),
            params: params.as_ref().map(OwnedJson::lend),
            query: &query,
        };
        comes_back(&value, &mut Vec::new());
    }

    #[test]
    fn dc_option(ipv6: bool, cdn: bool, r#static: bool, port: i32, secret in prop::option::of(octets(20))) {
        let value = api::DcOption {
            ipv6, media_only: !ipv6, tcpo_only: false, cdn, r#static, this_port_only: true, id: 2,
            ip_address: b"127.0.0.1", port, secret: secret.as_deref(),
        };
        comes_back(&value, &mut Vec::new());
    }

    #[test]
    fn inner_data_with_its_secret(new_nonce: [u8; 32], dc: i32, expires_in: i32) {
        let value = mtproto::PQInnerDataTempDc {
            pq: &[1; 8], p: &[2; 4], q: &[3; 4], nonce: [4; 16], server_nonce: [5; 16],
            new_nonce: &new_nonce, dc, expires_in,
        };
        let bytes = to_secret_bytes(&value);
        prop_assert_eq!(bytes.capacity(), bytes.len());
        prop_assert_eq!(bytes.len(), value.encoded_len());
        let mtproto::PQInnerData::PQInnerDataTempDc(read) = read_exact(&bytes).unwrap() else {
            panic!("another constructor was read");
        };
        prop_assert_eq!(read.new_nonce, &new_nonce);
        prop_assert_eq!((read.dc, read.expires_in), (dc, expires_in));
        prop_assert_eq!(&to_bytes(&read), &*bytes);
    }

    #[test]
    fn prefixes_tell_where_they_end(ping_id: i64, tail in octets(40)) {
        let mut bytes = to_bytes(&mtproto::Ping { ping_id });
        bytes.extend_from_slice(&tail);
        prop_assert_eq!(read_prefix(&bytes), Ok((mtproto::Ping { ping_id }, 12)));
    }
}

#[test]
fn strings_take_the_short_form_up_to_253_bytes() {
    for (len, encoded) in
        [(0, 4), (1, 4), (3, 4), (4, 8), (252, 256), (253, 256), (254, 260), (255, 260), (256, 260)]
    {
        let packed_data = vec![7; len];
        let bytes = to_bytes(&mtproto::GzipPacked { packed_data: &packed_data });
        assert_eq!(bytes.len(), 4 + encoded, "{len} bytes");
        assert_eq!(bytes[4] == 254, len > 253, "{len} bytes");
        assert_eq!(read_exact::<mtproto::GzipPacked<'_>>(&bytes).unwrap().packed_data, packed_data);
    }
}

#[test]
fn flags_are_computed_from_the_fields() {
    let option = api::DcOption {
        ipv6: true,
        media_only: false,
        tcpo_only: false,
        cdn: false,
        r#static: true,
        this_port_only: false,
        id: 1,
        ip_address: b"::1",
        port: 443,
        secret: Some(b"s"),
    };
    assert_eq!(to_bytes(&option)[4..8], (1_u32 | 1 << 4 | 1 << 10).to_le_bytes());
}

#[test]
fn message_tells_the_length_of_its_body() {
    let container =
        mtproto::MsgContainer { messages: vec![mtproto::Message { msg_id: 1, seqno: 2, body: &[9; 8] }] };
    let expected = "dcf8f173".to_owned()
        + "01000000"
        + "0100000000000000"
        + "02000000"
        + "08000000"
        + "0909090909090909";
    assert_eq!(hex::encode(to_bytes(&container)), expected);
}

#[test]
fn rest_of_the_bytes_is_the_query() {
    let query = to_bytes(&api::HelpGetConfig);
    let wrapped = to_bytes(&api::InvokeWithLayer { layer: api::LAYER, query: &query });
    let read: api::InvokeWithLayer<'_> = read_exact(&wrapped).unwrap();
    assert_eq!(read.layer, 230);
    assert_eq!(read_exact(read.query), Ok(api::HelpGetConfig));
}

#[test]
fn longs_are_the_same_lent_and_owned() {
    let longs = [1, -1, i64::MIN];
    let sent = mtproto::MsgsAck { msg_ids: LongVec::from(longs.to_vec()) };
    let bytes = to_bytes(&sent);
    let mtproto::MsgsAck { msg_ids } = read_exact(&bytes).unwrap();
    assert_eq!(msg_ids, LongVec::from_slice(&longs));
    assert!(msg_ids.contains(-1) && !msg_ids.contains(2));
    assert_eq!(msg_ids.into_owned().iter().collect::<Vec<_>>(), longs);
}

#[test]
fn debug_keeps_the_new_nonce_to_itself() {
    let inner = mtproto::PQInnerDataPlain {
        pq: &[1],
        p: &[2],
        q: &[3],
        nonce: [4; 16],
        server_nonce: [5; 16],
        new_nonce: &[0xab; 32],
    };
    let shown = format!("{inner:?} {:?}", mtproto::PQInnerData::PQInnerDataPlain(inner));
    assert!(shown.contains("server_nonce") && !shown.contains("new_nonce"), "{shown}");
    assert!(!shown.contains("171") && !shown.to_lowercase().contains("ab, "), "{shown}");
}

#[test]
fn names_are_those_of_the_schema() {
    assert_eq!(mtproto::name_of(0x0516_2463), Some("resPQ"));
    assert_eq!(api::name_of(0xcdd4_2a05), Some(api::AuthBindTempAuthKey::NAME));
    assert_eq!(api::name_of(1), None);
}
