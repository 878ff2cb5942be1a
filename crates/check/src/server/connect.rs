//! Connections of a case.

use dayfly_core::transport::{Kind, Obfuscation};
use tokio::net::TcpStream;

use super::http::Http;
use super::probe::Probe;
use super::wire::{Stream, Wire, dial};
use crate::dice::Dice;
use crate::verdict::Outcome;

impl Probe {
    /// A connection over the intermediate transport.
    pub(crate) async fn connect(&mut self) -> Outcome<Wire> {
        self.connect_over(Kind::Intermediate, &Obfuscation::None).await
    }

    pub(crate) async fn connect_over(&mut self, kind: Kind, obfuscation: &Obfuscation) -> Outcome<Wire> {
        let (mut wire, opening) = self.connect_silent(kind, obfuscation).await?;
        wire.write(&opening).await;
        Ok(wire)
    }

    /// A connection on which nothing was said, and what opens it.
    pub(crate) async fn connect_silent(
        &mut self,
        kind: Kind,
        obfuscation: &Obfuscation,
    ) -> Outcome<(Wire, Vec<u8>)> {
        let stream = self.dial().await?;
        self.wire_over(Box::new(stream), kind, obfuscation)
    }

    /// A bare connection.
    pub(crate) async fn dial(&self) -> Outcome<TcpStream> {
        dial(self.target().address, self.target().patience).await
    }

    /// A connection over a stream of the case's own, and what opens it.
    pub(crate) fn wire_over(
        &mut self,
        stream: Box<dyn Stream>,
        kind: Kind,
        obfuscation: &Obfuscation,
    ) -> Outcome<(Wire, Vec<u8>)> {
        self.wires += 1;
        let target = self.target();
        let dice = Dice::new(target.seed, &format!("{} connection {}", self.case, self.wires));
        Wire::over(stream, kind, obfuscation, dice, self.trace.clone(), target.patience)
    }

    /// The next connection draws what the last one drew: its init is the same.
    pub(crate) fn repeat_dice(&mut self) {
        self.wires = self.wires.saturating_sub(1);
    }

    /// A connection for HTTP.
    pub(crate) async fn http(&self) -> Outcome<Http> {
        let stream = self.dial().await?;
        Ok(Http::new(stream, self.target(), self.trace.clone()))
    }
}
