//! Recorded handshakes with Telegram's own servers, replayed through the shipped client machine.
//!
//! Compared are: each query byte for byte as a TL object, the second in its msg_id and that it is divisible by 4, the key,
//! its id, the salt and the time offset. The lower half of a msg_id is each client's own. `temp_key` of RSA_PAD is not
//! known of a recording, so `encrypted_data` is handed to the machine, which shows the inner data that it has to hold.

use core::time::Duration;
use std::sync::Arc;

use dayfly_core::handshake::SpecCheck;
use dayfly_core::handshake::client::{self, ClientConfig, ClientHandshake, Created, HandshakeError, Wrap};
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::{Env, NoObserver, Now, SecureRandom};
use dayfly_crypto::rsa_key::Fingerprint;
use dayfly_testkit::ScriptedRandom;
use dayfly_testkit::vectors::{Message, Recording, Scheme, recordings};
use dayfly_tl::mtproto::{PQInnerData, PQInnerDataDc, ReqPqMulti};
use dayfly_tl::{read_exact, to_bytes};

/// Telegram's RSA key as a recording knows it: its name, and what it made of the inner data.
struct RecordedKey {
    fingerprint: Fingerprint,
    data: Vec<u8>,
    encrypted_data: [u8; 256],
}

impl RecordedKey {
    fn of(recording: &Recording) -> Self {
        Self {
            fingerprint: Fingerprint(i64::from_le_bytes(recording.public_key_fingerprint.array())),
            data: expected_inner_data(recording),
            encrypted_data: recording.encrypted_data.array(),
        }
    }
}

impl Wrap for RecordedKey {
    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn wrap(&self, data: &[u8], _: &mut dyn SecureRandom) -> Result<[u8; 256], HandshakeError> {
        assert_eq!(data, self.data, "p_q_inner_data");
        Ok(self.encrypted_data)
    }
}

/// The recorded inner data, in the form that our client sends: with a dc, which it always states (rule HS-09).
fn expected_inner_data(recording: &Recording) -> Vec<u8> {
    match read_exact(&recording.p_q_inner_data).unwrap() {
        PQInnerData::PQInnerDataPlain(m) => {
            let (pq, p, q, dc) = (m.pq, m.p, m.q, dc(recording));
            let (nonce, server_nonce, new_nonce) = (m.nonce, m.server_nonce, m.new_nonce);
            to_bytes(&PQInnerDataDc { pq, p, q, nonce, server_nonce, new_nonce, dc })
        }
        PQInnerData::PQInnerDataTemp(_) => panic!("no recording makes a temporary key without a dc"),
        PQInnerData::PQInnerDataDc(_) | PQInnerData::PQInnerDataTempDc(_) => {
            recording.p_q_inner_data.to_vec()
        }
    }
}

fn kind(recording: &Recording) -> KeyKind {
    match read_exact(&recording.p_q_inner_data).unwrap() {
        PQInnerData::PQInnerDataTempDc(m) => KeyKind::Temp { expires_in: m.expires_in.try_into().unwrap() },
        _ => KeyKind::Perm,
    }
}

/// The dc of the recording; before there was one, the DC that was spoken to.
fn dc(recording: &Recording) -> i32 {
    recording.dc.unwrap_or(2)
}

/// The machine, and the clock of the client that was recorded.
struct Replay<'a> {
    recording: &'a Recording,
    random: ScriptedRandom,
    machine: ClientHandshake<RecordedKey>,
    done: Option<Created>,
}

/// A client's clock that shows the second in which a message was made.
fn clock(message: &Message) -> Now {
    let unix = Duration::from_secs(message.unix_seconds());
    Now { monotonic: Duration::from_secs(1), unix }
}

impl<'a> Replay<'a> {
    fn new(recording: &'a Recording) -> Self {
        let mut random = ScriptedRandom::new()
            .public(recording.nonce.0.clone())
            .secret(recording.new_nonce.0.clone())
            .secret(recording.b.0.clone())
            .public(recording.client_dh_padding.0.clone());
        let keys = Arc::from([RecordedKey::of(recording)]);
        let config = ClientConfig::new(keys, kind(recording), dc(recording));
        let mut observer = NoObserver;
        let mut env = Env::new(clock(recording.message("req_pq")), &mut random, &mut observer);
        let machine = ClientHandshake::new(config, &mut env).unwrap();
        Self { recording, random, machine, done: None }
    }

    /// Feeds one recorded answer, and does the jobs that it leads to; the query that follows is made in its own second.
    fn answer(&mut self, answer: &str, next: &str) -> Result<(), HandshakeError> {
        let now = clock(self.recording.message(next));
        let message = self.recording.message(answer).received();
        let mut observer = NoObserver;
        let mut env = Env::new(now, &mut self.random, &mut observer);
        self.machine.handle_message(&message, &mut env)?;
        while let Some(job) = self.machine.poll_job() {
            // The query goes out as soon as g_b is there, while auth_key is being computed.
            self.machine.handle_job(job.perform(), &mut env)?;
        }
        Ok(())
    }

    /// What the machine sends next, compared with what was sent then.
    fn sends(&mut self, name: &str) {
        let sent = self.sent();
        let recorded = self.recording.message(name);
        assert_eq!(sent.body(), recorded.body(), "{}: {name}", self.recording.id);
        assert_eq!(sent.unix_seconds(), recorded.unix_seconds(), "{}: {name}", self.recording.id);
        assert_eq!(sent.msg_id() % 4, 0, "{}: {name}", self.recording.id);
    }

    fn sent(&mut self) -> Message {
        match self.machine.poll_output() {
            Some(client::Output::Send(payload)) => {
                let declared = u32::from_le_bytes(payload[16..20].try_into().unwrap());
                assert_eq!(payload.len(), 20 + declared as usize);
                Message { payload: payload.into(), ..self.recording.messages[0].clone() }
            }
            other => panic!("{}: {other:?} instead of a query", self.recording.id),
        }
    }

    fn finish(mut self) -> Created {
        if let Some(client::Output::Done(created)) = self.machine.poll_output() {
            self.done = Some(created);
        }
        assert!(self.machine.poll_output().is_none());
        assert_eq!(self.random.left(), (0, 0), "{}: random bytes not drawn", self.recording.id);
        self.done.unwrap_or_else(|| panic!("{}: no key", self.recording.id))
    }
}

fn accepted() -> impl Iterator<Item = Recording> {
    recordings().into_iter().filter(|recording| recording.client_must_accept)
}

// rule: HS-01, HS-02, HS-08, HS-09, HS-16, HS-22, HS-24, HS-27, HS-28, HS-34
#[test]
fn vector_client_sends_what_was_recorded_and_makes_the_recorded_key() {
    let mut replayed = 0;
    for recording in accepted() {
        assert_eq!(recording.scheme, Scheme::RsaPad, "{}: our client knows no other", recording.id);
        let mut replay = Replay::new(&recording);
        replay.sends("req_pq_multi");
        replay.answer("resPQ", "req_DH_params").unwrap();
        replay.sends("req_DH_params");
        replay.answer("server_DH_params_ok", "set_client_DH_params").unwrap();
        replay.sends("set_client_DH_params");
        replay.answer("dh_gen_ok", "set_client_DH_params").unwrap();
        compare(&replay.finish(), &recording);
        replayed += 1;
    }
    assert!(replayed > 0, "no recording is to be accepted");
}

fn compare(created: &Created, recording: &Recording) {
    let id = &recording.id;
    assert_eq!(created.key.expose()[..], recording.auth_key[..], "{id}");
    assert_eq!(created.key.id().to_wire(), recording.auth_key_id.array(), "{id}");
    assert_eq!(created.key.aux_hash(), recording.auth_key_aux_hash.array(), "{id}");
    assert_eq!(created.server_salt.to_le_bytes(), recording.server_salt.array(), "{id}");
    assert_eq!(created.created_at, recording.server_time, "{id}");
    let own_clock = recording.message("set_client_DH_params").unix_seconds();
    assert_eq!(created.time_offset, recording.server_time.cast_signed() - own_clock.cast_signed(), "{id}");
    assert_eq!((created.kind, created.dc), (kind(recording), dc(recording)), "{id}");
}

/// The recording of 2013. Our client opens with `req_pq_multi` and not `req_pq`, which have the same field; then its
/// `req_DH_params` is the recorded one byte for byte, the RSA block of the older scheme handed in, and its inner data is
/// the recorded one but for the dc, which it always states. At g it stops.
// rule: HS-19
#[test]
fn vector_a_generator_that_is_no_residue_is_refused() {
    let mut refused = 0;
    for recording in recordings().into_iter().filter(|recording| !recording.client_must_accept) {
        let mut replay = Replay::new(&recording);
        let opening = replay.sent();
        let nonce = recording.nonce.array();
        assert_eq!(opening.body(), to_bytes(&ReqPqMulti { nonce }));
        assert_eq!(
            opening.body()[4..],
            recording.message("req_pq").body()[4..],
            "only the constructors differ"
        );
        replay.answer("resPQ", "req_DH_params").unwrap();
        let query = replay.sent();
        assert_eq!(query.body(), recording.message("req_DH_params").body());
        let error = replay.answer("server_DH_params_ok", "set_client_DH_params").unwrap_err();
        let HandshakeError::PeerMisbehaved(check) = error else { panic!("{}: {error}", recording.id) };
        assert_eq!((check, check.rule(), check.field()), (SpecCheck::Generator, "HS-19", "g"));
        assert!(replay.machine.poll_output().is_none(), "nothing is sent after the refusal");
        refused += 1;
    }
    assert!(refused > 0, "no recording is to be refused");
}
