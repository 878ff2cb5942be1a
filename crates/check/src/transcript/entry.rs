//! One line of a transcript.

use std::time::Duration;

use dayfly_core::observer::Direction;
use serde::{Deserialize, Serialize};

use crate::dissect::{Form, Part};

/// Something that happened, as it is kept and written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Counted from 1 over the whole transcript.
    pub number: u64,
    /// The run, which is a connection: counted from 1. None for what belongs to none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<u64>,
    /// When, by the lab's clock: seconds since the Unix epoch.
    #[serde(with = "seconds")]
    pub unix: Duration,
    /// When, in seconds since the lab was started, which no setting of the clock changes.
    #[serde(with = "seconds")]
    pub since_start: Duration,
    /// What it is.
    #[serde(flatten)]
    pub told: Told,
}

/// What happened. Directions are seen from the lab: what goes `in` comes from the client.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Told {
    /// A payload went over the wire.
    Message {
        /// Which way.
        #[serde(with = "direction")]
        direction: Direction,
        /// What it holds, by the names of the schema.
        name: String,
        /// The fault that made or altered it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fault: Option<String>,
        /// The payload, then what was opened in it.
        parts: Vec<Part>,
    },
    /// A fault acted: what would have gone without it.
    Fault {
        /// Its name.
        fault: String,
        /// What it does, in a sentence.
        text: String,
        /// The payload as it would have been; empty where the fault made one of its own.
        parts: Vec<Part>,
    },
    /// What a message held was opened later than the message came.
    Opened {
        /// The one part.
        parts: Vec<Part>,
    },
    /// A value was derived.
    Value {
        /// Its name in the specification.
        name: String,
        /// It.
        #[serde(with = "hex::serde")]
        bytes: Vec<u8>,
    },
    /// A check of the specification did not hold.
    Refused {
        /// The rule, such as `HS-14`.
        rule: String,
        /// The field, by its name in the schema.
        field: String,
        /// What is wrong, in a sentence.
        text: String,
        /// Where exactly, if that can be told.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        detail: Option<String>,
    },
    /// Anything else.
    Note {
        /// A word for it: `connected`, `transport`, `key_made`, `bound`, `closed` and so on.
        kind: String,
        /// It, in a sentence.
        text: String,
    },
}

impl Entry {
    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>().saturating_add(match &self.told {
            Told::Message { name, fault, parts, .. } => {
                name.len() + fault.as_ref().map_or(0, String::len) + parts_size(parts)
            }
            Told::Fault { fault, text, parts } => fault.len() + text.len() + parts_size(parts),
            Told::Opened { parts } => parts_size(parts),
            Told::Value { name, bytes } => name.len() + bytes.len(),
            Told::Refused { rule, field, text, detail } => {
                rule.len() + field.len() + text.len() + detail.as_ref().map_or(0, String::len)
            }
            Told::Note { kind, text } => kind.len() + text.len(),
        })
    }

    /// The parts that it has, the payload first.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        match &self.told {
            Told::Message { parts, .. } | Told::Fault { parts, .. } | Told::Opened { parts } => parts,
            _ => &[],
        }
    }

    /// The payload of a message, without what was opened in it.
    #[must_use]
    pub fn payload(&self) -> Option<(Direction, &[u8])> {
        match &self.told {
            Told::Message { direction, parts, .. } => {
                let payload = parts.first().filter(|part| part.form == Form::Payload)?;
                Some((*direction, &payload.bytes))
            }
            _ => None,
        }
    }
}

fn parts_size(parts: &[Part]) -> usize {
    let of = |part: &Part| size_of::<Part>() + part.bytes.len() + part.flaw.as_ref().map_or(0, String::len);
    parts.iter().map(of).sum()
}

/// Seconds with a fraction, exact to the microsecond.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(time.as_micros() as f64 / 1e6)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        let micros = (seconds * 1e6).round();
        if !(0.0..1e18).contains(&micros) {
            return Err(de::Error::custom(format!("{seconds} is no time")));
        }
        Ok(Duration::from_micros(micros as u64))
    }
}

mod direction {
    use dayfly_core::observer::Direction;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(direction: &Direction, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match direction {
            Direction::In => "in",
            Direction::Out => "out",
        })
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Direction, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "in" => Ok(Direction::In),
            "out" => Ok(Direction::Out),
            other => Err(de::Error::custom(format!("{other:?} is no direction, expected in or out"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(told: Told) -> Entry {
        let (unix, since_start) = (Duration::from_micros(1_790_000_000_123_456), Duration::from_millis(5));
        Entry { number: 1, run: Some(2), unix, since_start, told }
    }

    #[test]
    fn every_kind_of_entry_is_written_and_read() {
        let parts = vec![Part { form: Form::Payload, bytes: vec![1, 2], flaw: Some("short".into()) }];
        let (name, text) = ("a".to_owned(), "b".to_owned());
        let message =
            |direction, fault| Told::Message { direction, name: name.clone(), fault, parts: parts.clone() };
        for told in [
            message(Direction::In, None),
            message(Direction::Out, Some("late".to_owned())),
            Told::Fault { fault: name.clone(), text: text.clone(), parts: parts.clone() },
            Told::Opened { parts: parts.clone() },
            Told::Value { name: name.clone(), bytes: vec![0xab] },
            Told::Refused {
                rule: name.clone(),
                field: text.clone(),
                text: text.clone(),
                detail: Some(text.clone()),
            },
            Told::Note { kind: name.clone(), text: text.clone() },
        ] {
            let entry = entry(told);
            let line = serde_json::to_string(&entry).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), entry, "{line}");
        }
    }

    #[test]
    fn a_time_that_is_none_is_refused() {
        let line = serde_json::to_string(&entry(Told::Note { kind: "a".into(), text: "b".into() })).unwrap();
        for wrong in ["-1.0", "1e300", "null"] {
            let line = line.replace("0.005", wrong);
            assert!(serde_json::from_str::<Entry>(&line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_size_counts_the_bytes() {
        let small = entry(Told::Value { name: "a".into(), bytes: vec![0; 8] }).size();
        let large = entry(Told::Value { name: "a".into(), bytes: vec![0; 1008] }).size();
        assert_eq!(large, small + 1000);
    }
}
