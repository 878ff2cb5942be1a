//! Bytes that are no value, each for one reason, and the odd forms that are taken all the same.

use dayfly_tl::{Error, MAX_DEPTH, Reader, VECTOR, Write, api, mtproto, read_exact, to_bytes};

fn le(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

const ACK: u32 = mtproto::MsgsAck::CONSTRUCTOR;
const CONTAINER: u32 = mtproto::MsgContainer::CONSTRUCTOR;
const GZIP: u32 = mtproto::GzipPacked::CONSTRUCTOR;

#[test]
fn every_cut_of_a_value_is_an_unexpected_end() {
    let bytes = to_bytes(&mtproto::SetClientDhParams {
        nonce: [1; 16],
        server_nonce: [2; 16],
        encrypted_data: &[3; 254],
    });
    for len in 0..bytes.len() {
        let read = read_exact::<mtproto::SetClientDhParams<'_>>(&bytes[..len]);
        let Err(Error::UnexpectedEnd { at, needed }) = read else { panic!("{len}: {read:?}") };
        assert!(at <= len && at + needed > len, "{len}: {at} + {needed}");
    }
}

#[test]
fn bytes_after_the_value_are_counted() {
    let mut bytes = to_bytes(&mtproto::Ping { ping_id: 1 });
    bytes.extend_from_slice(&[0; 8]);
    assert_eq!(read_exact::<mtproto::Ping>(&bytes), Err(Error::Trailing { at: 12, len: 8 }));
}

#[test]
fn another_constructor_is_named() {
    let bytes = to_bytes(&mtproto::Ping { ping_id: 1 });
    let unknown = Error::UnknownConstructor { at: 0, id: mtproto::Ping::CONSTRUCTOR };
    assert_eq!(read_exact::<mtproto::Pong>(&bytes), Err(unknown));
    assert_eq!(read_exact::<mtproto::DestroySessionRes>(&bytes), Err(unknown));
    assert_eq!(read_exact::<bool>(&bytes), Err(unknown));
    assert_eq!(unknown.to_string(), "constructor 0x7abe77ec at offset 0 cannot stand there");
}

#[test]
fn a_list_without_its_vector_id_is_refused() {
    let bytes = le(&[ACK, VECTOR + 1, 0]);
    let unknown = Error::UnknownConstructor { at: 4, id: VECTOR + 1 };
    assert_eq!(read_exact::<mtproto::MsgsAck<'_>>(&bytes), Err(unknown));
}

#[test]
fn counts_beyond_the_bytes_are_refused_at_once() {
    for count in [1, 1 << 29, 1 << 31, u32::MAX] {
        let longs = le(&[ACK, VECTOR, count]);
        let needed = count as usize * 8;
        assert_eq!(read_exact::<mtproto::MsgsAck<'_>>(&longs), Err(Error::UnexpectedEnd { at: 12, needed }));
        let messages = le(&[CONTAINER, count]);
        let needed = count as usize * 4;
        assert_eq!(
            read_exact::<mtproto::MsgContainer<'_>>(&messages),
            Err(Error::UnexpectedEnd { at: 8, needed })
        );
    }
}

#[test]
fn string_lengths_beyond_the_bytes_are_refused() {
    for (head, needed) in [(0xffff_fffe_u32, 0xff_ffff), (0x0001_00fe, 0x100), (0x0000_0020, 0x20)] {
        let Err(Error::UnexpectedEnd { needed: missing, .. }) =
            read_exact::<mtproto::GzipPacked<'_>>(&le(&[GZIP, head]))
        else {
            panic!("{head:08x} was read");
        };
        assert_eq!(missing, needed);
    }
}

#[test]
fn a_string_that_begins_with_255_is_refused() {
    let bytes = le(&[GZIP, 0xff, 0]);
    let read = read_exact::<mtproto::GzipPacked<'_>>(&bytes);
    assert_eq!(read, Err(Error::StringPrefix { at: 4 }));
}

#[test]
fn a_string_without_its_padding_is_cut() {
    let mut bytes = le(&[GZIP]);
    bytes.extend_from_slice(&[1, 7]);
    let read = read_exact::<mtproto::GzipPacked<'_>>(&bytes);
    assert_eq!(read, Err(Error::UnexpectedEnd { at: 6, needed: 2 }));
}

#[test]
fn a_long_form_that_was_not_needed_is_read_and_never_written() {
    let mut bytes = le(&[GZIP, 0x0000_03fe]);
    bytes.extend_from_slice(&[1, 2, 3, 0]);
    let value: mtproto::GzipPacked<'_> = read_exact(&bytes).unwrap();
    assert_eq!(value.packed_data, [1, 2, 3]);
    assert_eq!(to_bytes(&value)[4..], [3, 1, 2, 3]);
}

#[test]
fn padding_other_than_zero_is_skipped() {
    let mut bytes = le(&[GZIP]);
    bytes.extend_from_slice(&[1, 7, 0xee, 0xee]);
    assert_eq!(read_exact::<mtproto::GzipPacked<'_>>(&bytes).unwrap().packed_data, [7]);
}

fn container_with_body_length(len: i32, body: &[u8]) -> Vec<u8> {
    let mut bytes = le(&[CONTAINER, 1, 5, 0, 1]);
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

#[test]
fn a_body_is_exactly_as_long_as_its_message_says() {
    let bytes = container_with_body_length(4, &[9; 4]);
    let container: mtproto::MsgContainer<'_> = read_exact(&bytes).unwrap();
    assert_eq!(container.messages, [mtproto::Message { msg_id: 5, seqno: 1, body: &[9; 4] }]);
}

#[test]
fn body_lengths_that_cannot_be_are_refused() {
    for len in [-4, i32::MIN, 3, 6] {
        let bytes = container_with_body_length(len, &[9; 8]);
        let read = read_exact::<mtproto::MsgContainer<'_>>(&bytes);
        assert_eq!(read, Err(Error::BodyLength { at: 20, len }));
    }
}

#[test]
fn a_body_beyond_the_bytes_is_refused() {
    for len in [12, 0x7fff_fffc] {
        let bytes = container_with_body_length(len, &[9; 8]);
        let read = read_exact::<mtproto::MsgContainer<'_>>(&bytes);
        assert_eq!(read, Err(Error::UnexpectedEnd { at: 24, needed: len as usize }));
    }
}

fn nested_arrays(depth: usize) -> Vec<u8> {
    let mut words = [api::JsonArray::CONSTRUCTOR, VECTOR, 1].repeat(depth - 1);
    words.push(api::JsonNull::CONSTRUCTOR);
    le(&words)
}

#[test]
fn nesting_has_a_bound() {
    let deepest = nested_arrays(usize::from(MAX_DEPTH));
    let value: api::JsonValue<'_> = read_exact(&deepest).unwrap();
    assert_eq!(value.encoded_len(), deepest.len());

    let one_more = nested_arrays(usize::from(MAX_DEPTH) + 1);
    let at = one_more.len() - 4;
    assert_eq!(read_exact::<api::JsonValue<'_>>(&one_more), Err(Error::TooDeep { at }));

    let hostile = nested_arrays(80_000);
    let at = usize::from(MAX_DEPTH) * 12;
    assert_eq!(read_exact::<api::JsonValue<'_>>(&hostile), Err(Error::TooDeep { at }));
}

#[test]
fn objects_count_as_nesting_too() {
    let level = [api::JsonObject::CONSTRUCTOR, VECTOR, 1, api::JsonObjectValue::CONSTRUCTOR, 0];
    let bytes = le(&level.repeat(1000));
    let read = read_exact::<api::JsonValue<'_>>(&bytes);
    assert_eq!(read, Err(Error::TooDeep { at: usize::from(MAX_DEPTH) * 20 }));
}

#[test]
fn siblings_are_not_nesting() {
    let mut words = vec![api::JsonArray::CONSTRUCTOR, VECTOR, 1000];
    words.extend([api::JsonNull::CONSTRUCTOR; 1000]);
    let bytes = le(&words);
    let api::JsonArray { value } = read_exact(&bytes).unwrap();
    assert_eq!(value.len(), 1000);
}

#[test]
fn peeking_takes_nothing() {
    let bytes = le(&[ACK]);
    let reader = Reader::new(&bytes);
    assert_eq!(reader.peek_id(), Ok(ACK));
    assert_eq!((reader.position(), reader.remaining()), (0, 4));
    assert_eq!(Reader::new(&[1, 2, 3]).peek_id(), Err(Error::UnexpectedEnd { at: 0, needed: 4 }));
}

#[test]
#[should_panic(expected = "fewer than 2^24 bytes")]
fn a_string_that_tl_cannot_hold_is_our_own_mistake() {
    let packed_data = vec![0; dayfly_tl::MAX_STRING + 1];
    let _ = to_bytes(&mtproto::GzipPacked { packed_data: &packed_data });
}
