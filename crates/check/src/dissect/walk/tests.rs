//! Objects that are whole, cut, altered and nested.

use dayfly_tl::mtproto::{MsgsAck, ReqPqMulti, RpcError};
use dayfly_tl::{LongVec, to_bytes};
use proptest::prelude::*;

use super::*;

fn object(bytes: &[u8]) -> Field {
    Walk::new(bytes).object("body")
}

fn names(field: &Field) -> Vec<&str> {
    field.fields.iter().map(|field| field.name.as_ref()).collect()
}

#[test]
fn fields_have_their_places() {
    let bytes = to_bytes(&RpcError { error_code: -5, error_message: b"NO" });
    let field = object(&bytes);
    let places: Vec<_> = field.fields.iter().map(|field| (field.offset, field.length)).collect();
    assert_eq!((field.kind.as_ref(), field.length, places), ("rpc_error", 12, vec![(4, 4), (8, 4)]));
    assert_eq!(field.fields[0].value, Value::Number(-5));
    assert_eq!(field.fields[1].value, Value::Text("NO".to_owned()));
}

#[test]
fn a_cut_object_says_where_it_ends() {
    let bytes = to_bytes(&ReqPqMulti { nonce: [7; 16] });
    for length in 0..bytes.len() {
        let field = object(&bytes[..length]);
        let (at, flaw) = field.first_flaw().unwrap();
        assert!(flaw.starts_with("ends here"), "{length}: {flaw}");
        assert_eq!(at.offset, if length < 4 { 0 } else { 4 });
    }
    assert_eq!(object(&bytes).first_flaw(), None);
}

#[test]
fn what_follows_an_object_is_shown() {
    let bytes = [to_bytes(&ReqPqMulti { nonce: [7; 16] }), vec![1, 2, 3, 4]].concat();
    let field = object(&bytes);
    assert_eq!((names(&field), field.length), (vec!["nonce", "trailing bytes"], 24));
}

#[test]
fn a_constructor_of_nobody_is_bytes_and_no_error() {
    let field = object(&[0x78, 0x56, 0x34, 0x12, 9, 9]);
    assert_eq!((field.kind.as_ref(), field.note.as_deref()), ("unknown constructor", Some("0x12345678")));
    assert_eq!((field.first_flaw(), field.bytes().map(<[u8]>::len)), (None, Some(6)));
}

/// A container of messages, each with its body.
fn container(bodies: &[&[u8]]) -> Vec<u8> {
    let mut bytes = 0x73f1_f8dc_u32.to_le_bytes().to_vec();
    bytes.extend((bodies.len() as i32).to_le_bytes());
    for body in bodies {
        bytes.extend([0; 12]);
        bytes.extend((body.len() as i32).to_le_bytes());
        bytes.extend(*body);
    }
    bytes
}

#[test]
fn a_container_goes_on_behind_a_body_that_nobody_knows() {
    let ack = to_bytes(&MsgsAck { msg_ids: LongVec::from_iter([1, 2]) });
    let field = object(&container(&[&[1, 2, 3, 4], &[], &ack]));
    let bodies: Vec<_> =
        field.fields[0].fields.iter().map(|message| message.find("body").unwrap().kind.as_ref()).collect();
    assert_eq!(bodies, ["unknown constructor", "object", "msgs_ack"]);
    assert_eq!(field.fields[0].fields[2].find("[1]").unwrap().value, Value::Number(2));
}

#[test]
fn a_length_beyond_the_end_is_told() {
    let mut bytes = container(&[&[1, 2, 3, 4]]);
    bytes[20] = 200;
    let field = object(&bytes);
    assert_eq!(field.first_flaw().unwrap().1, "200 bytes are announced, 4 are left");
}

#[test]
fn a_count_makes_no_more_items_than_there_are_bytes() {
    let mut bytes = to_bytes(&MsgsAck { msg_ids: LongVec::from_iter([1, 2]) });
    bytes[8..12].copy_from_slice(&i32::MAX.to_le_bytes());
    let field = object(&bytes);
    let (vector, flaw) = field.first_flaw().unwrap();
    assert_eq!((vector.fields.len(), flaw), (2, "ends here: 2 of 2147483647 items are there"));
}

#[test]
fn objects_within_objects_end_at_a_depth() {
    let wrapper = 0xbf94_59b7_u32.to_le_bytes(); // invokeWithoutUpdates
    let field = object(&wrapper.repeat(10_000));
    assert!(field.first_flaw().unwrap().1.starts_with("more than"));
}

#[test]
fn what_is_sealed_or_packed_is_handed_out() {
    let bytes = to_bytes(&dayfly_tl::mtproto::GzipPacked { packed_data: &[1, 2, 3] });
    let mut walk = Walk::new(&bytes);
    walk.object("body");
    assert_eq!(walk.inside, [Inside { owner: "gzip_packed", name: "packed_data", bytes: vec![1, 2, 3] }]);
}

fn assert_within(field: &Field, from: usize, to: usize) {
    let end = field.offset.checked_add(field.length).unwrap();
    assert!(field.offset >= from && end <= to, "{field:?} leaves {from}..{to}");
    field.fields.iter().for_each(|inner| assert_within(inner, field.offset, end));
}

proptest! {
    #[test]
    fn any_bytes_give_fields_within_each_other(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        assert_within(&object(&bytes), 0, bytes.len());
    }

    #[test]
    fn so_does_any_change_of_what_is_right(at in 0_usize..64, to in any::<u8>(), cut in 0_usize..64) {
        let ack = to_bytes(&MsgsAck { msg_ids: LongVec::from_iter([1, 2]) });
        let mut bytes = container(&[&to_bytes(&ReqPqMulti { nonce: [7; 16] }), &ack]);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = to;
        }
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        assert_within(&object(&bytes), 0, bytes.len());
    }
}
