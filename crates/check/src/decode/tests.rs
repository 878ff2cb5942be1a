//! Captures that are made here of a recorded key exchange, whole and damaged.

use std::sync::Arc;

use dayfly_core::transport::{ClientTransport, Kind, Limits, Obfuscation, ServerTransport};
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::dice::Dice;
use crate::transcript::{Told, heading};

const VECTOR: &str = include_str!("../../../../vectors/handshake/2026-06-24-a.json");
const CLIENT: u16 = 50_000;
const SERVER: u16 = 4431;
const SYN: u8 = 2;
const FIN: u8 = 1;
const ACK: u8 = 16;

fn vector() -> Json {
    serde_json::from_str(VECTOR).unwrap()
}

fn bytes(text: &Json) -> Vec<u8> {
    hex::decode(text.as_str().unwrap()).unwrap()
}

/// A segment over IPv4 on loopback.
fn segment(from: u16, to: u16, sequence: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let mut tcp = [from.to_be_bytes(), to.to_be_bytes()].concat();
    tcp.extend(sequence.to_be_bytes());
    tcp.extend([0, 0, 0, 0, 5 << 4, flags, 0, 0, 0, 0, 0, 0]);
    tcp.extend(data);
    let mut ip = vec![0x45, 0];
    ip.extend((20 + tcp.len() as u16).to_be_bytes());
    ip.extend([0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    [ip, tcp].concat()
}

/// A conversation: who sends, and what.
fn exchange(kind: Kind, obfuscation: &Obfuscation) -> Vec<(bool, Vec<u8>)> {
    let mut dice = Dice::new(1, "capture");
    let (mut client, opening) = ClientTransport::new(kind, obfuscation, &mut dice).unwrap();
    let mut server = ServerTransport::new(Arc::new(Limits::default()));
    server.receive(&opening);
    let mut sent = vec![(true, opening)];
    for message in vector()["messages"].as_array().unwrap() {
        let (payload, mut wire) = (bytes(&message["payload"]), Vec::new());
        if message["dir"] == "client" {
            client.send(&payload, false, &mut wire, &mut dice).unwrap();
            server.receive(&wire);
            while server.poll_frame().unwrap().is_some() {} // it learns the transport by the first
            sent.push((true, wire));
        } else {
            server.send(&payload, &mut wire, &mut dice).unwrap();
            sent.push((false, wire));
        }
    }
    sent
}

/// The segments of a conversation, each with at most 100 bytes, and its end.
fn segments(sent: &[(bool, Vec<u8>)]) -> Vec<Vec<u8>> {
    let mut next = [u32::MAX - 50, 7000];
    let mut out =
        vec![segment(CLIENT, SERVER, next[0], SYN, &[]), segment(SERVER, CLIENT, next[1], SYN | ACK, &[])];
    next = next.map(|sequence| sequence.wrapping_add(1));
    for (by_client, bytes) in sent {
        let (at, from, to) = if *by_client { (0, CLIENT, SERVER) } else { (1, SERVER, CLIENT) };
        for data in bytes.chunks(100) {
            out.push(segment(from, to, next[at], ACK, data));
            next[at] = next[at].wrapping_add(data.len() as u32);
        }
    }
    out.push(segment(CLIENT, SERVER, next[0], FIN | ACK, &[]));
    out
}

fn pcap(link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0];
    file.extend(link.to_le_bytes());
    for (number, packet) in (0_u32..).zip(packets) {
        for word in [1_790_000_000, number * 1000, packet.len() as u32, packet.len() as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = [body, &vec![0; body.len().next_multiple_of(4) - body.len()]].concat();
    let length = (padded.len() as u32 + 12).to_be_bytes();
    [&kind.to_be_bytes()[..], &length, &padded, &length].concat()
}

/// Big-endian, with nanoseconds, as no tool of this machine writes it.
fn pcapng(link: u16, packets: &[Vec<u8>]) -> Vec<u8> {
    let section = [0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255];
    let interface = [&link.to_be_bytes()[..], &[0; 6], &[0, 9, 0, 1, 9, 0, 0, 0], &[0; 4]].concat();
    let mut file = [block(0x0a0d_0d0a, &section), block(1, &interface), block(99, b"skip")].concat();
    for packet in packets {
        let time = 1_790_000_000_000_000_005_u64;
        let mut body =
            [0_u32.to_be_bytes(), ((time >> 32) as u32).to_be_bytes(), (time as u32).to_be_bytes()].concat();
        body.extend((packet.len() as u32).to_be_bytes());
        body.extend((packet.len() as u32).to_be_bytes());
        body.extend(packet);
        file.extend(block(6, &body));
    }
    file
}

fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    assert!(secrets.learn_inner_data(&bytes(&vector()["p_q_inner_data"])));
    secrets
}

/// The messages of the one run, by name, with the number of parts of each.
fn messages(file: &[u8]) -> Vec<(String, usize)> {
    let runs = decode(file, Some(secrets())).unwrap();
    let [run] = &runs[..] else { panic!("{} runs", runs.len()) };
    let message = |entry: &Entry| match &entry.told {
        Told::Message { name, parts, .. } => Some((name.clone(), parts.len())),
        _ => None,
    };
    run.entries.iter().filter_map(message).collect()
}

fn expected() -> Vec<(String, usize)> {
    let names = [
        "req_pq_multi",
        "resPQ",
        "req_DH_params",
        "server_DH_params_ok",
        "set_client_DH_params",
        "dh_gen_ok",
    ];
    names.iter().map(|name| (*name).to_owned()).zip([1, 1, 2, 2, 2, 1]).collect()
}

#[test]
fn every_transport_is_read_and_opened() {
    for kind in Kind::ALL {
        for obfuscation in [Obfuscation::None, Obfuscation::Plain] {
            if kind == Kind::Full && matches!(obfuscation, Obfuscation::Plain) {
                continue; // there is no such thing
            }
            let packets = segments(&exchange(kind, &obfuscation));
            assert_eq!(messages(&pcap(101, &packets)), expected(), "{kind:?}, {obfuscation:?}");
        }
    }
}

#[test]
fn every_form_of_capture_and_link_is_read() {
    let packets = segments(&exchange(Kind::Intermediate, &Obfuscation::Plain));
    let framed = |head: &[u8]| packets.iter().map(|packet| [head, packet].concat()).collect::<Vec<_>>();
    let ethernet = framed(&[&[0; 12][..], &[0x08, 0]].concat());
    let vlan = framed(&[&[0; 12][..], &[0x81, 0, 0, 5, 0x08, 0]].concat());
    let links = [
        (0, framed(&[2, 0, 0, 0])),
        (1, ethernet),
        (1, vlan),
        (113, framed(&[0; 16])),
        (276, framed(&[0; 20])),
    ];
    for (link, packets) in links {
        assert_eq!(messages(&pcap(link, &packets)), expected(), "link {link}");
        assert_eq!(messages(&pcapng(link as u16, &packets)), expected(), "link {link}");
    }
}

#[test]
fn reordered_and_repeated_segments_make_no_difference() {
    let mut packets = segments(&exchange(Kind::Padded, &Obfuscation::Plain));
    let last = packets.len() - 1;
    let again = packets[2].clone();
    packets.insert(last, again);
    packets.swap(5, 6); // of req_DH_params, which has several
    assert_eq!(messages(&pcap(101, &packets)), expected());
}

#[test]
fn a_hole_is_told() {
    let mut packets = segments(&exchange(Kind::Intermediate, &Obfuscation::None));
    packets.remove(6);
    let runs = decode(&pcap(101, &packets), None).unwrap();
    let last = heading(runs[0].entries.back().unwrap());
    assert!(last.contains("bytes before it are missing"), "{last}");
}

#[test]
fn damage_is_told_with_its_place() {
    let file = pcap(101, &segments(&exchange(Kind::Intermediate, &Obfuscation::None)));
    let told = |file: &[u8]| decode(file, None).err().unwrap().to_string();
    assert_eq!(told(&file[..30]), "byte 24: the header of a packet is cut");
    assert_eq!(told(&file[..50]), "byte 40: a packet of 40 bytes begins, 10 are left");
    assert_eq!(told(&file[..20]), "byte 20: the header of the file ends here");
    assert_eq!(told(&file[..24]), "no TCP connection begins in this capture (0 packets)");
    assert_eq!(told(b"GIF89a"), DecodeError::Unknown.to_string());
    assert_eq!(told(b""), DecodeError::Unknown.to_string());
    let newer = pcapng(101, &[vec![0; 8]]);
    assert!(
        told(&newer[..newer.len() - 4]).starts_with("byte 76: a block of 40 bytes begins"),
        "{}",
        told(&newer[..newer.len() - 4])
    );
    let no_interface = [&newer[..28], &newer[newer.len() - 40..]].concat();
    assert_eq!(told(&no_interface), "byte 28: a packet is of interface 0, which no block describes");
}

#[test]
fn a_transcript_is_read_and_needs_no_key_log() {
    let packets = segments(&exchange(Kind::Intermediate, &Obfuscation::None));
    let runs = decode(&pcap(101, &packets), Some(secrets())).unwrap();
    let lines: Vec<String> =
        runs[0].entries.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    let file = lines.join("\n");
    let again = decode(file.as_bytes(), None).unwrap();
    assert_eq!(again[0].entries, runs[0].entries);
    let verdict = crate::transcript::verdict(&again[0]);
    assert_eq!(verdict.text, "Well: a key was made; the last message is dh_gen_ok.");
    assert_eq!(decode(file.as_bytes(), Some(secrets())).err(), Some(DecodeError::NoKeyLog));
    let told = decode(format!("{}\n{{}}", lines[0]).as_bytes(), None).err().unwrap().to_string();
    assert!(told.starts_with("line 2: missing field"), "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_change_of_a_capture_ends_well(at in 0_usize..4000, to in any::<u8>(), newer in any::<bool>()) {
        let packets = segments(&exchange(Kind::Full, &Obfuscation::None));
        let mut file = if newer { pcapng(101, &packets) } else { pcap(101, &packets) };
        if let Some(byte) = file.get_mut(at) {
            *byte = to;
        }
        if let Ok(runs) = decode(&file, Some(secrets())) {
            prop_assert!(!runs.is_empty());
        }
    }
}
