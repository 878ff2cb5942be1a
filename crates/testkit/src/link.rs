//! A connection that misbehaves, as bytes and time: nothing is sent anywhere.
//!
//! What TCP can do to a connection, it does: bytes arrive late, in pieces that have nothing to do with the writes, and in
//! order. At any byte the connection may be *cut* (both ends learn of it, each in its time) or go *dead* (what follows
//! vanishes both ways, and the ends learn of it only much later). A connection may be refused in the first place.
//!
//! What TCP cannot do, an adversary in the middle does: it drops, repeats and reorders whole transport frames within a
//! connection. For that the link reads the frames, so it carries the intermediate transport, not obfuscated, alone.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use crate::SeededRandom;

/// How a link misbehaves. Probabilities are for each frame written, unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// The shortest and the longest time that bytes take.
    pub latency: (Duration, Duration),
    /// That the bytes of a frame arrive in two pieces, apart in time.
    pub fragment: f64,
    /// That a connection is refused, for each attempt.
    pub refuse: f64,
    /// That the connection is cut at some byte of the frame.
    pub cut: f64,
    /// That the connection goes dead at some byte of the frame.
    pub dead: f64,
    /// The shortest and the longest time until the ends of a dead connection notice.
    pub notice: (Duration, Duration),
    /// That the adversary drops the frame.
    pub drop: f64,
    /// That the adversary sends it twice.
    pub duplicate: f64,
    /// That the adversary holds it back until others have passed, or for a second or three.
    pub reorder: f64,
}

impl Faults {
    /// A good connection: 20 to 60 milliseconds, nothing lost.
    #[must_use]
    pub fn none() -> Self {
        let second = Duration::from_secs(1);
        Self {
            latency: (Duration::from_millis(20), Duration::from_millis(60)),
            fragment: 0.0,
            refuse: 0.0,
            cut: 0.0,
            dead: 0.0,
            notice: (second, second),
            drop: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
        }
    }

    /// A bad network and an adversary in it. 1 is bad, 2 twice as bad.
    #[must_use]
    pub fn bad(degree: f64) -> Self {
        Self {
            latency: (Duration::from_millis(20), Duration::from_millis(800)),
            fragment: 0.3,
            refuse: 0.1 * degree,
            cut: 0.04 * degree,
            dead: 0.02 * degree,
            notice: (Duration::from_secs(1), Duration::from_secs(10)),
            drop: 0.05 * degree,
            duplicate: 0.06 * degree,
            reorder: 0.06 * degree,
        }
    }
}

/// An end of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// Who opened it.
    Client,
    /// Who accepted it.
    Server,
}

impl End {
    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What an end learns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// The connection is up.
    Connected,
    /// Bytes came.
    Bytes(Vec<u8>),
    /// The connection is gone, or could not be opened.
    Closed,
}

/// One connection between two machines.
#[derive(Debug)]
pub struct LossyLink {
    random: SeededRandom,
    to_client: Direction,
    to_server: Direction,
    arrivals: BTreeMap<(Duration, u64), (End, Arrival)>,
    next: u64,
    /// Cut or dead: what is sent vanishes.
    broken: bool,
}

#[derive(Debug, Default)]
struct Direction {
    /// When the last bytes that are on their way arrive: none overtake them.
    last: Duration,
    /// Bytes that are no whole frame yet.
    partial: Vec<u8>,
    tag_passed: bool,
    /// Frames that the adversary holds back, and until when at most.
    held: VecDeque<(Duration, Vec<u8>)>,
    /// The end that it leads to has closed the connection, or knows that it is gone.
    closed: bool,
}

impl LossyLink {
    /// A connection that is asked for at `now`; refused or not, both ends will learn.
    #[must_use]
    pub fn open(now: Duration, faults: &Faults, mut random: SeededRandom) -> Self {
        let refused = random.happens(faults.refuse);
        let mut link = Self {
            random,
            to_client: Direction { tag_passed: true, ..Direction::default() }, // a server sends no tag
            to_server: Direction::default(),
            arrivals: BTreeMap::new(),
            next: 0,
            broken: refused,
        };
        let latency = link.between(faults.latency);
        if refused {
            link.schedule(now + latency, End::Client, Arrival::Closed);
        } else {
            (link.to_server.last, link.to_client.last) = (now + latency, now + latency * 2);
            link.schedule(link.to_server.last, End::Server, Arrival::Connected);
            link.schedule(link.to_client.last, End::Client, Arrival::Connected);
        }
        link
    }

    /// An end writes.
    pub fn send(&mut self, from: End, bytes: &[u8], now: Duration, faults: &Faults) {
        let to = from.other();
        self.direction(to).partial.extend_from_slice(bytes);
        while let Some(frame) = take_unit(self.direction(to)) {
            self.pass(to, frame, now, faults);
        }
    }

    /// An end closes: the other one learns of it after all bytes that are on their way.
    pub fn close(&mut self, from: End, now: Duration, faults: &Faults) {
        self.direction(from).closed = true;
        if !self.broken {
            self.broken = true;
            let at = self.arrival_time(from.other(), now, faults);
            self.schedule(at, from.other(), Arrival::Closed);
        }
    }

    /// The faults are over: what the adversary held goes on, and the ends of a connection that is dead learn of it.
    pub fn heal(&mut self, now: Duration) {
        for to in [End::Client, End::Server] {
            while let Some((_, frame)) = self.direction(to).held.pop_front() {
                self.deliver(to, frame, now, &Faults::none());
            }
        }
        let closings = self.arrivals.extract_if(.., |_, (_, arrival)| *arrival == Arrival::Closed);
        let ends: Vec<End> = closings.map(|(_, (end, _))| end).collect();
        for end in ends {
            let at = self.direction(end).last.max(now);
            self.schedule(at, end, Arrival::Closed);
        }
    }

    /// When [`poll`](Self::poll) has something to give, or to move on.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let arrival = self.arrivals.keys().next().map(|(at, _)| *at);
        let held = [&self.to_client, &self.to_server].into_iter().filter_map(|way| Some(way.held.front()?.0));
        arrival.into_iter().chain(held).min()
    }

    /// What arrives by `now`, the earliest first.
    pub fn poll(&mut self, now: Duration, faults: &Faults) -> Option<(End, Arrival)> {
        for to in [End::Client, End::Server] {
            while self.direction(to).held.front().is_some_and(|(until, _)| *until <= now) {
                if let Some((_, frame)) = self.direction(to).held.pop_front() {
                    self.deliver(to, frame, now, faults);
                }
            }
        }
        loop {
            let entry = self.arrivals.first_entry().filter(|entry| entry.key().0 <= now)?;
            let (end, arrival) = entry.remove();
            let way = self.direction(end);
            if !way.closed {
                way.closed = arrival == Arrival::Closed;
                return Some((end, arrival));
            }
        }
    }

    /// Whether nothing will come of it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.broken && self.poll_timeout().is_none()
    }

    fn pass(&mut self, to: End, frame: Unit, now: Duration, faults: &Faults) {
        if self.broken {
            return;
        }
        let Unit::Frame(frame) = frame else {
            let Unit::Tag(tag) = frame else { return };
            return self.deliver(to, tag, now, faults);
        };
        if self.random.happens(faults.drop) {
            return;
        }
        if self.random.happens(faults.reorder) {
            let until = now + self.between((Duration::from_secs(1), Duration::from_secs(3)));
            self.direction(to).held.push_back((until, frame));
            return;
        }
        let twice = self.random.happens(faults.duplicate);
        self.deliver(to, frame.clone(), now, faults);
        if twice {
            self.deliver(to, frame, now, faults);
        }
        if self.random.happens(0.5)
            && let Some((_, overtaken)) = self.direction(to).held.pop_front()
        {
            self.deliver(to, overtaken, now, faults);
        }
    }

    /// Sends bytes on their way, if the connection holds out.
    fn deliver(&mut self, to: End, bytes: Vec<u8>, now: Duration, faults: &Faults) {
        if self.broken {
            return;
        }
        let (cut, dead) = (self.random.happens(faults.cut), self.random.happens(faults.dead));
        if !cut && !dead {
            return self.deliver_whole(to, bytes, now, faults);
        }
        let kept = self.random.below(bytes.len() as u64 + 1);
        let kept = &bytes[..usize::try_from(kept).unwrap_or_default()];
        self.deliver_whole(to, kept.to_vec(), now, faults);
        self.broken = true;
        for end in [End::Client, End::Server] {
            let notice = if cut { faults.latency } else { faults.notice };
            let at = now + self.between(notice);
            let at = at.max(self.direction(end).last);
            self.schedule(at, end, Arrival::Closed);
        }
    }

    fn deliver_whole(&mut self, to: End, bytes: Vec<u8>, now: Duration, faults: &Faults) {
        let mut pieces = vec![bytes];
        if pieces[0].len() > 1 && self.random.happens(faults.fragment) {
            let at = 1 + self.random.below(pieces[0].len() as u64 - 1);
            let rest = pieces[0].split_off(usize::try_from(at).unwrap_or(1));
            pieces.push(rest);
        }
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            let at = self.arrival_time(to, now, faults);
            self.schedule(at, to, Arrival::Bytes(piece));
        }
    }

    fn arrival_time(&mut self, to: End, now: Duration, faults: &Faults) -> Duration {
        let at = now + self.between(faults.latency);
        let last = &mut self.direction(to).last;
        *last = at.max(*last);
        *last
    }

    fn between(&mut self, (least, most): (Duration, Duration)) -> Duration {
        let span = u64::try_from((most - least).as_micros()).unwrap_or(u64::MAX);
        least + Duration::from_micros(self.random.below(span.max(1)))
    }

    fn schedule(&mut self, at: Duration, end: End, arrival: Arrival) {
        self.next += 1;
        self.arrivals.insert((at, self.next), (end, arrival));
    }

    /// The way to an end.
    fn direction(&mut self, to: End) -> &mut Direction {
        match to {
            End::Client => &mut self.to_client,
            End::Server => &mut self.to_server,
        }
    }
}

/// What can be told apart in a stream of the intermediate transport.
enum Unit {
    /// `eeeeeeee`, which opens it.
    Tag(Vec<u8>),
    /// The length and a payload, or a quick acknowledgement.
    Frame(Vec<u8>),
}

/// Takes a unit out of the front of what was written, once it is whole.
fn take_unit(way: &mut Direction) -> Option<Unit> {
    let word = u32::from_le_bytes(*way.partial.first_chunk()?);
    let is_token = word >> 31 == 1;
    let len = if way.tag_passed && !is_token { 4 + word as usize } else { 4 };
    if way.partial.len() < len {
        return None;
    }
    let unit: Vec<u8> = way.partial.drain(..len).collect();
    let is_frame = core::mem::replace(&mut way.tag_passed, true);
    Some(if is_frame { Unit::Frame(unit) } else { Unit::Tag(unit) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LATER: Duration = Duration::from_secs(1000);

    fn frame(byte: u8) -> Vec<u8> {
        [vec![4, 0, 0, 0], vec![byte; 4]].concat()
    }

    /// A link that is up, over which the client sent its tag.
    fn link(seed: u64) -> LossyLink {
        let good = Faults::none();
        let mut link = LossyLink::open(Duration::ZERO, &good, SeededRandom::new(seed));
        link.send(End::Client, &[0xee; 4], SECOND, &good);
        let expected = [
            (End::Server, Arrival::Connected),
            (End::Client, Arrival::Connected),
            (End::Server, Arrival::Bytes(vec![0xee; 4])),
        ];
        assert_eq!(everything(&mut link, &good), expected);
        link
    }

    fn everything(link: &mut LossyLink, faults: &Faults) -> Vec<(End, Arrival)> {
        core::iter::from_fn(|| link.poll(LATER, faults)).collect()
    }

    fn bytes_to_server(arrivals: &[(End, Arrival)]) -> Vec<u8> {
        let to_server = arrivals.iter().filter_map(|arrival| match arrival {
            (End::Server, Arrival::Bytes(bytes)) => Some(bytes.clone()),
            _ => None,
        });
        to_server.flatten().collect()
    }

    /// Ten frames over many links, with one fault alone.
    fn ten_frames(faults: &Faults) -> impl Iterator<Item = Vec<(End, Arrival)>> {
        (0..200).map(|seed| {
            let mut link = link(seed);
            (0..10).for_each(|byte| link.send(End::Client, &frame(byte), SECOND * 2, faults));
            everything(&mut link, faults)
        })
    }

    #[test]
    fn pieces_arrive_in_their_order_whatever_the_latency() {
        let faults = Faults { latency: (Duration::ZERO, SECOND), fragment: 0.5, ..Faults::none() };
        let sent: Vec<u8> = (0..10).flat_map(frame).collect();
        let mut most = 0;
        for arrivals in ten_frames(&faults) {
            assert_eq!(bytes_to_server(&arrivals), sent);
            most = most.max(arrivals.len());
        }
        assert!(most > 10, "no frame came in pieces");
    }

    #[test]
    fn a_cut_leaves_whatever_came_before_and_both_ends_learn_of_it() {
        let faults = Faults { cut: 0.2, ..Faults::none() };
        let sent: Vec<u8> = (0..10).flat_map(frame).collect();
        let (mut cuts, mut within) = (0, 0);
        for arrivals in ten_frames(&faults) {
            let got = bytes_to_server(&arrivals);
            assert!(sent.starts_with(&got));
            let closings = arrivals.iter().filter(|(_, arrival)| *arrival == Arrival::Closed).count();
            assert!(closings == 2 || (closings == 0 && got == sent));
            cuts += usize::from(closings == 2);
            within += usize::from(!got.len().is_multiple_of(8));
        }
        assert!(cuts > 100 && within > 50, "{cuts} cuts, {within} of them within a frame");
    }

    #[test]
    fn the_adversary_moves_whole_frames() {
        let faults = Faults { drop: 0.1, duplicate: 0.1, reorder: 0.1, ..Faults::none() };
        let (mut dropped, mut repeated, mut reordered) = (0, 0, 0);
        for arrivals in ten_frames(&faults) {
            let got = bytes_to_server(&arrivals);
            let bytes: Vec<u8> = got.chunks(8).map(|frame| frame[7]).collect();
            assert!(got.chunks(8).zip(&bytes).all(|(got, byte)| got == frame(*byte)));
            dropped += (0..10).filter(|byte| !bytes.contains(byte)).count();
            repeated += bytes.windows(2).filter(|pair| pair[0] == pair[1]).count();
            reordered += bytes.windows(2).filter(|pair| pair[0] > pair[1]).count();
        }
        for (what, count) in [("dropped", dropped), ("repeated", repeated), ("reordered", reordered)] {
            assert!((100..400).contains(&count), "{count} of 2000 frames were {what}");
        }
    }

    #[test]
    fn a_dead_connection_is_noticed_late_or_when_it_heals() {
        let faults = Faults { dead: 1.0, notice: (SECOND * 60, SECOND * 90), ..Faults::none() };
        let mut link = link(1);
        link.send(End::Client, &frame(1), SECOND * 2, &faults);
        assert!(link.poll(SECOND * 50, &faults).is_none_or(|(_, arrival)| arrival != Arrival::Closed));
        link.heal(SECOND * 51);
        let told: Vec<_> = core::iter::from_fn(|| link.poll(SECOND * 51, &Faults::none())).collect();
        assert!(
            told.contains(&(End::Client, Arrival::Closed)) && told.contains(&(End::Server, Arrival::Closed))
        );
        assert!(link.is_over());
    }

    #[test]
    fn who_closes_learns_nothing_more_and_the_other_end_gets_what_was_sent_before() {
        let good = Faults::none();
        let mut link = link(1);
        link.send(End::Client, &frame(1), SECOND * 2, &good);
        link.send(End::Server, &frame(2), SECOND * 2, &good);
        link.close(End::Client, SECOND * 2, &good);
        let expected = [(End::Server, Arrival::Bytes(frame(1))), (End::Server, Arrival::Closed)];
        assert_eq!(everything(&mut link, &good), expected);
    }

    #[test]
    fn a_refused_connection_is_closed_to_the_client_and_unknown_to_the_server() {
        let faults = Faults { refuse: 1.0, ..Faults::none() };
        let mut link = LossyLink::open(Duration::ZERO, &faults, SeededRandom::new(1));
        assert_eq!(everything(&mut link, &faults), [(End::Client, Arrival::Closed)]);
    }
}
