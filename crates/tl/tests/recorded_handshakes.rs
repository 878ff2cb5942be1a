//! The objects of real handshakes with Telegram: read, and written to the same bytes.

use std::fs;
use std::path::Path;

use dayfly_tl::{Read, Write, mtproto, read_prefix, to_bytes};
use serde_json::Value;

fn recordings() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/handshake");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

fn bytes(hex: &Value) -> Vec<u8> {
    hex::decode(hex.as_str().unwrap()).unwrap()
}

/// The whole of `object` is one value.
fn same<'a, T: Read<'a> + Write>(object: &'a [u8]) {
    let (value, used) = read_prefix::<T>(object).unwrap();
    assert_eq!(used, object.len());
    assert_eq!(to_bytes(&value), object);
}

fn same_message(name: &str, body: &[u8]) {
    match name {
        "req_pq" => same::<mtproto::ReqPq>(body),
        "req_pq_multi" => same::<mtproto::ReqPqMulti>(body),
        "resPQ" => same::<mtproto::ResPq<'_>>(body),
        "req_DH_params" => same::<mtproto::ReqDhParams<'_>>(body),
        "server_DH_params_ok" => same::<mtproto::ServerDhParams<'_>>(body),
        "set_client_DH_params" => same::<mtproto::SetClientDhParams<'_>>(body),
        "dh_gen_ok" => same::<mtproto::SetClientDhParamsAnswer>(body),
        other => panic!("{other} is no message of a handshake"),
    }
}

#[test]
fn messages_come_back_byte_for_byte() {
    let recordings = recordings();
    assert!(recordings.len() >= 5);
    for message in recordings.iter().flat_map(|recording| recording["messages"].as_array().unwrap()) {
        let payload = bytes(&message["payload"]);
        same_message(message["name"].as_str().unwrap(), &payload[20..]); // auth_key_id, msg_id, length
    }
}

#[test]
fn inner_objects_come_back_byte_for_byte() {
    for recording in recordings() {
        same::<mtproto::PQInnerData<'_>>(&bytes(&recording["p_q_inner_data"]));
        same::<mtproto::ServerDhInnerData<'_>>(&bytes(&recording["answer"]));
        same::<mtproto::ClientDhInnerData<'_>>(&bytes(&recording["client_DH_inner_data"]));
    }
}

#[test]
fn fields_are_the_recorded_ones() {
    for recording in recordings() {
        let answer = bytes(&recording["answer"]);
        let inner: mtproto::ServerDhInnerData<'_> = read_prefix(&answer).unwrap().0;
        assert_eq!(inner.nonce[..], bytes(&recording["nonce"]));
        assert_eq!(inner.server_nonce[..], bytes(&recording["server_nonce"]));
        assert_eq!(Value::from(inner.g), recording["g"]);
        assert_eq!(inner.dh_prime, bytes(&recording["dh_prime"]));
        assert_eq!(inner.g_a, bytes(&recording["g_a"]));
        assert_eq!(Value::from(inner.server_time), recording["server_time"]);
    }
}
