//! Connections of a capture: each direction's bytes cut into payloads, and told as the lab would have told them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dayfly_core::SecureRandom;
use dayfly_core::env::RandomError;
use dayfly_core::observer::Direction;
use dayfly_core::transport::{
    ClientTransport, Frame, INIT_LEN, Limits, Obfuscation, ServerTransport, TransportError,
};

use super::packet::{Segment, segment};
use super::stream::Stream;
use super::{Packet, add};
use crate::dissect::Secrets;
use crate::lab::{LabEvent, What};
use crate::transcript::{Recorder, Run};

/// Every connection of a capture.
pub(super) struct Flows {
    recorder: Recorder,
    /// By client and server.
    open: HashMap<(SocketAddr, SocketAddr), Flow>,
    connections: u64,
    began: Option<Duration>,
    runs: Vec<Run>,
}

impl Flows {
    pub(super) fn new(secrets: Secrets) -> Self {
        let recorder = Recorder::with(secrets);
        Self { recorder, open: HashMap::new(), connections: 0, began: None, runs: Vec::new() }
    }

    pub(super) fn take(&mut self, packet: &Packet<'_>) {
        let Some(segment) = segment(packet.link, packet.bytes) else { return };
        self.began.get_or_insert(packet.at);
        let mut told = Vec::new();
        let number = match &segment {
            Segment { syn: true, ack: false, .. } => self.begin(&segment, &mut told),
            _ => self.go_on(&segment, &mut told),
        };
        for what in told {
            self.tell(number, packet.at, what);
        }
    }

    fn begin(&mut self, segment: &Segment<'_>, told: &mut Vec<What>) -> u64 {
        if let Some(flow) = self.open.get(&(segment.from, segment.to)).filter(|flow| !flow.ended) {
            return flow.number; // the SYN once more
        }
        self.connections += 1;
        let flow = Flow::new(self.connections, segment.sequence);
        self.open.insert((segment.from, segment.to), flow);
        told.push(What::Connected { peer: segment.from });
        self.connections
    }

    /// Connections whose beginning was not seen are left out: nobody can tell where their frames begin.
    fn go_on(&mut self, segment: &Segment<'_>, told: &mut Vec<What>) -> u64 {
        let Segment { from, to, .. } = *segment;
        let (key, direction) = match self.open.contains_key(&(from, to)) {
            true => ((from, to), Direction::In),
            false => ((to, from), Direction::Out),
        };
        let Some(flow) = self.open.get_mut(&key) else { return 0 };
        flow.take(direction, segment, told);
        flow.number
    }

    fn tell(&mut self, number: u64, at: Duration, what: What) {
        let since_start = at.saturating_sub(self.began.unwrap_or(at));
        let event = LabEvent { number: 0, at, since_start, connection: Some(number), what };
        if let Some(entry) = self.recorder.record(&event) {
            add(&mut self.runs, entry);
        }
    }

    pub(super) fn into_runs(self) -> Vec<Run> {
        self.runs
    }
}

/// One connection.
struct Flow {
    number: u64,
    from_client: Stream,
    /// Once its SYN was seen.
    from_server: Option<Stream>,
    client: ServerTransport,
    /// Once the client told the transport.
    server: Option<ClientTransport>,
    /// The first bytes of the client: an init, where the transport is obfuscated.
    opening: Vec<u8>,
    /// What the server sent before the client told the transport.
    early: Vec<u8>,
    /// Nothing more can be read.
    ended: bool,
}

impl Flow {
    fn new(number: u64, syn: u32) -> Self {
        Self {
            number,
            from_client: Stream::new(syn),
            from_server: None,
            client: ServerTransport::new(Arc::new(Limits::default())),
            server: None,
            opening: Vec::new(),
            early: Vec::new(),
            ended: false,
        }
    }

    fn take(&mut self, direction: Direction, segment: &Segment<'_>, told: &mut Vec<What>) {
        if self.ended {
            return;
        }
        let outcome = match direction {
            Direction::In => {
                let bytes = self.from_client.take(segment.sequence, segment.data);
                self.on_client(&bytes, told)
            }
            Direction::Out if segment.syn => {
                self.from_server.get_or_insert_with(|| Stream::new(segment.sequence));
                Ok(())
            }
            Direction::Out => {
                let stream = self.from_server.as_mut();
                let bytes =
                    stream.map(|stream| stream.take(segment.sequence, segment.data)).unwrap_or_default();
                self.on_server(&bytes, told)
            }
        };
        let by_client = direction == Direction::In;
        match outcome {
            Err(error) => self.end(by_client, format!("what follows cannot be read: {error}"), told),
            Ok(()) if segment.ends => self.end(by_client, self.last_word(), told),
            Ok(()) => {}
        }
    }

    fn last_word(&self) -> String {
        let hole = self.from_client.has_hole() || self.from_server.as_ref().is_some_and(Stream::has_hole);
        let word = if hole {
            "end of the stream; bytes before it are missing in the capture"
        } else {
            "end of the stream"
        };
        word.to_owned()
    }

    fn end(&mut self, by_client: bool, reason: String, told: &mut Vec<What>) {
        self.ended = true;
        told.push(What::Closed { by_client, reason });
    }

    fn on_client(&mut self, bytes: &[u8], told: &mut Vec<What>) -> Result<(), TransportError> {
        let missing = INIT_LEN.saturating_sub(self.opening.len()).min(bytes.len());
        self.opening.extend_from_slice(bytes.get(..missing).unwrap_or_default());
        self.client.receive(bytes);
        while let Some(frame) = self.client.poll_frame()? {
            self.learn_transport(told)?;
            told.extend(what(Direction::In, frame));
        }
        Ok(())
    }

    /// From now on what the server sends can be read, too.
    fn learn_transport(&mut self, told: &mut Vec<What>) -> Result<(), TransportError> {
        let Some(kind) = self.client.kind().filter(|_| self.server.is_none()) else { return Ok(()) };
        let obfuscated = self.client.obfuscated();
        let obfuscation = if obfuscated { Obfuscation::Plain } else { Obfuscation::None };
        told.push(What::Transport { name: kind.name(), obfuscated });
        // It cannot fail: the init is long enough, and was one that a server took.
        self.server =
            ClientTransport::new(kind, &obfuscation, &mut Seen(&self.opening)).ok().map(|(end, _)| end);
        let early = std::mem::take(&mut self.early);
        self.on_server(&early, told)
    }

    fn on_server(&mut self, bytes: &[u8], told: &mut Vec<What>) -> Result<(), TransportError> {
        let Some(server) = &mut self.server else {
            self.early.extend_from_slice(bytes);
            return Ok(());
        };
        server.receive(bytes);
        while let Some(frame) = server.poll_frame()? {
            told.extend(what(Direction::Out, frame));
        }
        Ok(())
    }
}

fn what(direction: Direction, frame: Frame) -> Option<What> {
    Some(match frame {
        Frame::Payload { bytes, quick_ack } => What::Payload { direction, bytes, quick_ack, fault: None },
        Frame::Error(code) => What::TransportError { code, fault: None },
        Frame::QuickAck(token) => What::QuickAck { token },
        Frame::Nop => return None,
    })
}

/// The bytes of an init that was sent, in the place of random ones: the keys of both directions are in it.
struct Seen<'a>(&'a [u8]);

impl SecureRandom for Seen<'_> {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        let seen = self.0.get(..out.len()).ok_or(RandomError)?;
        out.copy_from_slice(seen);
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_public(out)
    }
}
