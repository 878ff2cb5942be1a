//! What a case has in its hands: a lab, the client, and what happens between them.

use std::sync::Arc;
use std::time::Duration;

use dayfly_core::observer::Direction;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::Subject;
use super::child::Running;
use crate::dice::Dice;
use crate::lab::{Lab, LabConfig, LabEvent, Manners, Rule, What};
use crate::server::Happened;
use crate::verdict::{Outcome, Stop, not_reached};

/// How long after the client's end what it did last may still arrive.
const AFTERMATH: Duration = Duration::from_millis(500);

/// What is waited for.
pub(super) enum Next {
    /// Something happened.
    Event(LabEvent),
    /// The client, which the suite started, has ended, and nothing comes any more.
    Exited,
    /// Nothing happened for as long as the patience lasts.
    Silence,
}

/// One case's hands.
pub(super) struct Stage {
    subject: Subject,
    listener: Arc<TcpListener>,
    case: &'static str,
    lab: Option<Lab>,
    events: Option<mpsc::UnboundedReceiver<LabEvent>>,
    child: Option<Running>,
    exited: bool,
    trace: Vec<Happened>,
    /// How long the client may stay silent.
    pub(super) patience: Duration,
}

impl Stage {
    pub(super) fn new(subject: &Subject, listener: &Arc<TcpListener>, case: &'static str) -> Self {
        Self {
            subject: subject.clone(),
            listener: Arc::clone(listener),
            case,
            lab: None,
            events: None,
            child: None,
            exited: false,
            trace: Vec::new(),
            patience: subject.patience,
        }
    }

    /// Starts a calm lab with these faults, and the client.
    pub(super) async fn begin(&mut self, rules: Vec<Rule>) -> Outcome {
        self.begin_with(rules, |_| {}).await
    }

    /// The same, in a lab that `change` has had its hands on.
    pub(super) async fn begin_with(
        &mut self,
        rules: Vec<Rule>,
        change: impl FnOnce(&mut LabConfig),
    ) -> Outcome {
        let misuse = |error: std::io::Error| Stop::NotReached(format!("the suite itself: {error}"));
        let seed = Dice::new(self.subject.seed, self.case).long().unsigned_abs();
        let mut config = LabConfig::new(seed, Arc::clone(&self.subject.key));
        config.manners = Manners::CALM;
        config.rules = rules;
        change(&mut config);
        let (tell, events) = mpsc::unbounded_channel();
        let lab = Lab::start(&config, Arc::clone(&self.listener), tell).map_err(misuse)?;
        let address = lab.address();
        (self.lab, self.events) = (Some(lab), Some(events));
        self.start_client(address).await
    }

    async fn start_client(&mut self, address: std::net::SocketAddr) -> Outcome {
        if let Some(before) = self.child.take() {
            before.end().await;
        }
        self.exited = false;
        let Some(command) = &self.subject.run else { return Ok(()) };
        match Running::start(command, address, &self.subject.pem) {
            Ok(child) => self.child = Some(child),
            Err(error) => return not_reached(format!("the client cannot be started: {error}")),
        }
        Ok(())
    }

    /// Starts the client once more, against the same lab; `false` if it is not the suite that starts it.
    pub(super) async fn start_again(&mut self) -> Outcome<bool> {
        let Some(address) = self.lab.as_ref().map(Lab::address) else { return Ok(false) };
        self.start_client(address).await?;
        Ok(self.child.is_some())
    }

    /// What happens next.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            let until = Instant::now() + if self.exited { AFTERMATH } else { self.patience };
            let Some(events) = &mut self.events else { return Next::Exited };
            let event = tokio::select! {
                event = timeout_at(until, events.recv()) => event,
                _ = ended(&mut self.child), if !self.exited => {
                    self.exited = true;
                    continue;
                }
            };
            return match event {
                Ok(Some(event)) => {
                    self.note(&event);
                    Next::Event(event)
                }
                Ok(None) => Next::Exited,
                Err(_) if self.exited => Next::Exited,
                Err(_) => Next::Silence,
            };
        }
    }

    /// Ends the client and the lab; gives what went over the wire, in words.
    pub(super) async fn end(mut self) -> Vec<Happened> {
        if let Some(child) = self.child.take() {
            child.end().await;
        }
        self.trace
    }

    /// Adds a line to what went over the wire.
    pub(super) fn remark(&mut self, text: String) {
        self.trace.push(Happened::Got(text));
    }

    fn note(&mut self, event: &LabEvent) {
        let connection = event.connection.unwrap_or_default();
        let line = |text: String| format!("connection {connection}: {text}");
        let happened = match &event.what {
            What::Connected { .. } => Happened::Got(line("it connects".to_owned())),
            What::Plain { direction, name, .. } => of(*direction, line((*name).to_owned())),
            What::Sealed { direction, seqno, body, .. } => {
                let id = dayfly_tl::Reader::new(body).peek_id().unwrap_or_default();
                of(*direction, line(format!("an encrypted message, seqno {seqno}, #{id:08x}")))
            }
            What::Unopened { direction, why, .. } => {
                of(*direction, line(format!("an encrypted packet: {why}")))
            }
            What::TransportError { code, .. } => Happened::Sent(line(format!("the transport error {code}"))),
            What::Meddled { fault, .. } => Happened::Sent(line(format!("now {fault}: {}", fault.describe()))),
            What::Closed { by_client, .. } => match by_client {
                true => Happened::Got(line("it closes".to_owned())),
                false => Happened::Sent(line("closed".to_owned())),
            },
            What::Checked { rule, message, held: false, .. } => {
                Happened::Got(line(format!("{rule}: {message}")))
            }
            _ => return,
        };
        self.trace.push(happened);
    }
}

fn of(direction: Direction, text: String) -> Happened {
    match direction {
        Direction::In => Happened::Got(text),
        Direction::Out => Happened::Sent(text),
    }
}

/// The end of the client; never ready where there is none.
async fn ended(child: &mut Option<Running>) {
    match child {
        // An error means that there is nothing to wait for: it has ended.
        Some(child) => drop(child.ended().await),
        None => std::future::pending().await,
    }
}
