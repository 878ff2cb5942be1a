//! What a dissection gives: fields with their places.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A field, with where it stands in its part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in the schema; `[3]` for an item of a vector.
    pub name: Cow<'static, str>,
    /// Its TL type; for an object, the name of its constructor.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The first byte, counted from the beginning of the part.
    pub offset: usize,
    /// How many bytes it takes, with the length and the padding of a string.
    pub length: usize,
    /// What it says, unless its fields say it.
    #[serde(skip_serializing_if = "Value::is_nothing", default)]
    pub value: Value,
    /// The value in words: a time, the meaning of a code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
    /// What is wrong with its form.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flaw: Option<String>,
    /// What it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fields: Vec<Field>,
}

/// What a field says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Its fields say it.
    #[default]
    Nothing,
    /// Whether a flag is set.
    Bool(bool),
    /// An `int` or a `long`.
    Number(i64),
    /// A `double`.
    Double(f64),
    /// A `string` that is text.
    Text(String),
    /// Bytes.
    Bytes {
        /// In hexadecimal.
        #[serde(with = "hex::serde")]
        hex: Vec<u8>,
    },
}

impl Value {
    fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }

    pub(super) fn bytes(bytes: &[u8]) -> Self {
        Self::Bytes { hex: bytes.to_vec() }
    }
}

impl Field {
    pub(super) fn new(
        name: impl Into<Cow<'static, str>>,
        kind: impl Into<Cow<'static, str>>,
        offset: usize,
        length: usize,
    ) -> Self {
        let (value, note, flaw, fields) = (Value::Nothing, None, None, Vec::new());
        Self { name: name.into(), kind: kind.into(), offset, length, value, note, flaw, fields }
    }

    pub(super) fn with(self, value: Value) -> Self {
        Self { value, ..self }
    }

    pub(super) fn noted(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }

    pub(super) fn flawed(self, flaw: impl Into<String>) -> Self {
        Self { flaw: Some(flaw.into()), ..self }
    }

    /// The first field of this name, this one or one below it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name { Some(self) } else { self.fields.iter().find_map(|field| field.find(name)) }
    }

    /// The first thing that is wrong, here or below, with the field that has it.
    #[must_use]
    pub fn first_flaw(&self) -> Option<(&Self, &str)> {
        let own = self.flaw.as_deref().map(|flaw| (self, flaw));
        own.or_else(|| self.fields.iter().find_map(Self::first_flaw))
    }

    /// The bytes of the value, if it is bytes.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.value {
            Value::Bytes { hex } => Some(hex),
            _ => None,
        }
    }

    /// The value in one line: numbers in decimal, bytes in hexadecimal and cut behind `most` of them.
    #[must_use]
    pub fn shown(&self, most: usize) -> String {
        match &self.value {
            Value::Nothing => String::new(),
            Value::Bool(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Double(value) => value.to_string(),
            Value::Text(text) => format!("{text:?}"),
            Value::Bytes { hex } => shortened(hex, most),
        }
    }
}

/// Bytes in hexadecimal; of many, the first and how many there are.
fn shortened(bytes: &[u8], most: usize) -> String {
    match bytes.get(..most).filter(|front| front.len() < bytes.len()) {
        None => hex::encode(bytes),
        Some(front) => format!("{}… ({} bytes)", hex::encode(front), bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_written_and_read_as_json() {
        let mut parent = Field::new("body", "pong", 20, 20).flawed("cut");
        let bytes = Value::bytes(&[0xab, 0xcd]);
        for value in
            [Value::Number(-5), Value::Bool(true), Value::Text("a".into()), Value::Double(1.5), bytes]
        {
            parent.fields.push(Field::new("[0]", "long", 24, 8).with(value).noted(Some("a note".into())));
        }
        let json = serde_json::to_string(&parent).unwrap();
        assert!(json.contains(r#""value":{"hex":"abcd"}"#), "{json}");
        assert_eq!(serde_json::from_str::<Field>(&json).unwrap(), parent);
    }

    #[test]
    fn fields_and_flaws_are_found_in_their_order() {
        let mut parent = Field::new("message", "x", 0, 8);
        parent.fields.push(Field::new("first", "int", 0, 4));
        parent.fields.push(Field::new("second", "int", 4, 4).flawed("ends here"));
        assert_eq!(parent.find("second").map(|field| field.offset), Some(4));
        assert_eq!(parent.find("third"), None);
        assert_eq!(parent.first_flaw().map(|(field, flaw)| (field.offset, flaw)), Some((4, "ends here")));
    }

    #[test]
    fn long_bytes_are_shown_by_their_front() {
        let field = Field::new("a", "bytes", 0, 4).with(Value::bytes(&[1, 2, 3]));
        assert_eq!(field.shown(3), "010203");
        assert_eq!(field.shown(2), "0102… (3 bytes)");
    }
}
