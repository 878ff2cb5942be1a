//! What comes from the server, and what of it ends a connection or a key.

use dayfly_crypto::kdf::Side;

use crate::env::Env;
use crate::observer::Observer;
use crate::plain;
use crate::session::envelope;
use crate::transport::Frame;

use super::endpoint::ClientEndpoint;
use super::event::LinkId;
use super::line::{LineId, Traffic, Work};

const NOT_FOUND: i32 = -404;
/// -429 counts as so many failed connections: the server is to be left alone for a while.
const TOLD_TO_WAIT: u32 = 3;

impl ClientEndpoint {
    pub(super) fn on_frame<O: Observer>(
        &mut self,
        link: LinkId,
        line_id: LineId,
        frame: Frame,
        env: &mut Env<'_, O>,
    ) {
        match frame {
            Frame::Payload { bytes, .. } => self.on_payload(link, line_id, bytes, env),
            Frame::Error(code) => self.on_transport_error(link, line_id, code, env),
            Frame::QuickAck(_) | Frame::Nop => {}
        }
    }

    fn on_payload<O: Observer>(
        &mut self,
        link: LinkId,
        line_id: LineId,
        mut bytes: Vec<u8>,
        env: &mut Env<'_, O>,
    ) {
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        let taken = match &mut line.work {
            // An error is found by `serve`, which asks the machine for it.
            Work::Handshake(handshake) => handshake.handle_message(&bytes, env).is_ok(),
            // A late answer of the key exchange that this connection began with.
            Work::Traffic(_) if plain::is_plain(&bytes) => return,
            Work::Traffic(traffic) => {
                if !open(traffic, &mut bytes, env) {
                    // Security Guidelines, "Behavior in case of mismatch": discard, close, connect anew.
                    return self.drop_link(link, line_id, env);
                }
                true
            }
        };
        if taken {
            line.failures = 0;
        }
        self.serve(line_id, env);
    }

    fn on_transport_error<O: Observer>(
        &mut self,
        link: LinkId,
        line_id: LineId,
        code: i32,
        env: &mut Env<'_, O>,
    ) {
        let Some(line) = self.lines.get_mut(&line_id) else { return };
        match &mut line.work {
            Work::Handshake(handshake) => {
                // An error is found by `serve`, which asks the machine for it.
                let _ = handshake.handle_transport_error(code, env);
                self.serve(line_id, env);
            }
            Work::Traffic(_) if code == NOT_FOUND => self.on_key_lost(line_id, env),
            Work::Traffic(_) => {
                line.failures = line.failures.saturating_add(TOLD_TO_WAIT);
                self.drop_link(link, line_id, env);
            }
        }
    }
}

/// Gives a packet to the session; whether it was one for it.
fn open<O: Observer>(traffic: &mut Traffic, packet: &mut [u8], env: &mut Env<'_, O>) -> bool {
    let opened = envelope::open(&traffic.key, Side::Server, packet);
    opened.is_ok_and(|opened| traffic.session.handle_message(&opened, env).is_ok())
}
