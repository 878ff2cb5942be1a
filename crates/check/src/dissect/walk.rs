//! The walk along the bytes of an object, with the schema as the map. It has no word on whether a value is right.

use std::borrow::Cow;

use dayfly_tl::{MAX_DEPTH, Reader, VECTOR};

use super::field::{Field, Value};
use super::notes;
use super::schema::{Definition, Type, schema};

#[cfg(test)]
mod tests;

type Name = Cow<'static, str>;

/// Bytes with something inside: sealed, or packed.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Inside {
    /// The constructor that holds them.
    pub(super) owner: &'static str,
    /// The name of their field.
    pub(super) name: &'static str,
    /// They themselves, without the length of the string.
    pub(super) bytes: Vec<u8>,
}

/// The fields that hold something more.
const INSIDE: [(&str, &str); 5] = [
    ("req_DH_params", "encrypted_data"),
    ("server_DH_params_ok", "encrypted_answer"),
    ("set_client_DH_params", "encrypted_data"),
    ("gzip_packed", "packed_data"),
    ("auth.bindTempAuthKey", "encrypted_message"),
];
/// How many items of a vector are shown one by one.
const MOST_ITEMS: i32 = 1024;

/// A walk under way.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where what is being read has to end.
    end: usize,
    depth: u8,
    /// The bytes ended, or stopped making sense: nothing behind can be read.
    stopped: bool,
    /// What was met that is sealed or packed.
    pub(super) inside: Vec<Inside>,
}

impl<'a> Walk<'a> {
    /// At the first byte.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, end: bytes.len(), depth: 0, stopped: false, inside: Vec::new() }
    }

    /// What is left, as an object and what follows it.
    pub(super) fn object(&mut self, name: &'static str) -> Field {
        let mut field = self.boxed(name.into(), None);
        self.trailing(&mut field);
        field
    }

    /// As [`object`](Self::object), without the padding that follows: what is left then is `padding`.
    pub(super) fn padded_object(&mut self, name: &'static str) -> [Option<Field>; 2] {
        let field = self.boxed(name.into(), None);
        [Some(field), self.left("padding")]
    }

    /// A number of 4 or 8 bytes.
    pub(super) fn number_field(&mut self, name: &'static str, kind: &'static str) -> Field {
        self.number(name.into(), kind.into(), if kind == "int" { 4 } else { 8 }, "")
    }

    /// So many bytes.
    pub(super) fn bytes_field(&mut self, name: &'static str, kind: &'static str, length: usize) -> Field {
        self.fixed(name.into(), kind.into(), length)
    }

    /// What is left, if anything is.
    pub(super) fn left(&mut self, name: &'static str) -> Option<Field> {
        (self.at < self.end).then(|| self.rest(self.at, name, "bytes"))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.end)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn word(&mut self) -> Option<u32> {
        self.take(4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes)
    }

    /// A field from `from` to where the walk stands.
    fn since(&self, from: usize, name: impl Into<Name>, kind: impl Into<Name>) -> Field {
        Field::new(name, kind, from, self.at.saturating_sub(from))
    }

    /// All that is left, as bytes; the walk ends.
    fn rest(&mut self, from: usize, name: impl Into<Name>, kind: impl Into<Name>) -> Field {
        self.at = self.end;
        self.stopped = true;
        let left = self.bytes.get(from..self.end).unwrap_or_default();
        self.since(from, name, kind).with(Value::bytes(left))
    }

    /// A field of which `needed` bytes are not there.
    fn cut(&mut self, name: Name, kind: impl Into<Name>, needed: usize) -> Field {
        let left = self.end.saturating_sub(self.at);
        self.rest(self.at, name, kind)
            .flawed(format!("ends here: {needed} bytes are needed, {left} are left"))
    }

    /// A constructor id and its fields; or a vector of what nobody can tell.
    fn boxed(&mut self, name: Name, expected: Option<&'static str>) -> Field {
        let from = self.at;
        let Some(id) = self.word() else { return self.cut(name, expected.unwrap_or("object"), 4) };
        let Some(definition) = schema().by_id(id) else {
            let kind = if id == VECTOR { "vector" } else { "unknown constructor" };
            return self.rest(from, name, kind).noted(Some(format!("0x{id:08x}")));
        };
        let field = self.combinator(name, definition, from);
        match expected.filter(|expected| *expected != definition.result) {
            Some(expected) => field.flawed(format!("a {} where a {expected} is expected", definition.result)),
            None => field,
        }
    }

    /// The fields of the one constructor that can stand here.
    fn bare(&mut self, name: Name, of: &'static str) -> Field {
        let from = self.at;
        match schema().bare(of) {
            Some(definition) => self.combinator(name, definition, from),
            None => self.rest(from, name, of),
        }
    }

    fn combinator(&mut self, name: Name, definition: &'static Definition, from: usize) -> Field {
        if self.depth >= MAX_DEPTH {
            let flaw = format!("more than {MAX_DEPTH} objects stand within each other");
            return self.rest(from, name, definition.name).flawed(flaw);
        }
        self.depth = self.depth.saturating_add(1);
        let fields = self.fields(definition);
        self.depth = self.depth.saturating_sub(1);
        Field { fields, ..self.since(from, name, definition.name) }
    }

    fn fields(&mut self, definition: &'static Definition) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::with_capacity(definition.fields.len());
        for param in &definition.fields {
            if self.stopped {
                break;
            }
            if param.flag.is_some_and(|(flags, bit)| !is_set(&fields, flags, bit)) {
                continue;
            }
            let field = match (announced(&fields), &param.ty) {
                (Some(length), Type::Object) => self.sized(param.name, length),
                _ => self.value(param.name.into(), param.text.into(), &param.ty, definition.name),
            };
            self.look_inside(definition.name, param.name, &field);
            fields.push(field);
        }
        fields
    }

    fn look_inside(&mut self, owner: &'static str, name: &'static str, field: &Field) {
        if let (true, Some(bytes)) = (INSIDE.contains(&(owner, name)), field.bytes()) {
            self.inside.push(Inside { owner, name, bytes: bytes.to_vec() });
        }
    }

    /// A `body:Object` whose length stands in front: whatever it holds, what is behind it can be read.
    pub(super) fn sized(&mut self, name: &'static str, length: i64) -> Field {
        let left = self.end.saturating_sub(self.at);
        let there = usize::try_from(length).unwrap_or(0).min(left);
        let outer = std::mem::replace(&mut self.end, self.at.saturating_add(there));
        let field = self.object(name);
        self.end = outer;
        self.stopped = false;
        if usize::try_from(length) == Ok(there) {
            return field;
        }
        field.flawed(format!("{length} bytes are announced, {left} are left"))
    }

    /// What is left behind an object.
    fn trailing(&mut self, object: &mut Field) {
        if self.at < self.end {
            let rest = self.rest(self.at, "trailing bytes", "bytes");
            object.length = object.length.saturating_add(rest.length);
            object.fields.push(rest);
        }
    }

    fn value(&mut self, name: Name, kind: Name, ty: &Type, owner: &str) -> Field {
        match ty {
            Type::Flags | Type::Int => self.number(name, kind, 4, owner),
            Type::Long => self.number(name, kind, 8, owner),
            Type::Double => self.double(name),
            Type::Int128 => self.fixed(name, kind, 16),
            Type::Int256 => self.fixed(name, kind, 32),
            Type::Bytes | Type::Text => self.string(name, kind, *ty == Type::Text),
            Type::True => self.since(self.at, name, kind).with(Value::Bool(true)),
            Type::Object => self.boxed(name, None),
            Type::Boxed(expected) => self.boxed(name, Some(expected)),
            Type::Bare(of) => self.bare(name, of),
            Type::Vector { boxed, item } => self.vector(name, kind, *boxed, item),
        }
    }

    fn number(&mut self, name: Name, kind: Name, length: usize, owner: &str) -> Field {
        let from = self.at;
        let value = match self.take(length) {
            Some([a, b, c, d]) => i64::from(i32::from_le_bytes([*a, *b, *c, *d])),
            Some([a, b, c, d, e, f, g, h]) => i64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
            _ => return self.cut(name, kind, length),
        };
        let note = notes::number(owner, &name, value);
        self.since(from, name, kind).with(Value::Number(value)).noted(note)
    }

    fn double(&mut self, name: Name) -> Field {
        let from = self.at;
        match self.take(8).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => self.since(from, name, "double").with(Value::Double(f64::from_le_bytes(bytes))),
            None => self.cut(name, "double", 8),
        }
    }

    fn fixed(&mut self, name: Name, kind: Name, length: usize) -> Field {
        let from = self.at;
        match self.take(length) {
            Some(bytes) => self.since(from, name, kind).with(Value::bytes(bytes)),
            None => self.cut(name, kind, length),
        }
    }

    fn string(&mut self, name: Name, kind: Name, text: bool) -> Field {
        let from = self.at;
        let mut reader = Reader::new(self.bytes.get(from..self.end).unwrap_or_default());
        let Ok(content) = reader.bytes() else {
            return self.rest(from, name, kind).flawed("ends here, within its length or its bytes");
        };
        self.at = from.saturating_add(reader.position());
        let note = notes::bytes(&name, content);
        let as_text = std::str::from_utf8(content).ok().filter(|_| text);
        let value = as_text.map_or_else(|| Value::bytes(content), |text| Value::Text(text.to_owned()));
        self.since(from, name, kind).with(value).noted(note)
    }

    fn vector(&mut self, name: Name, kind: Name, boxed: bool, item: &Type) -> Field {
        let from = self.at;
        if boxed && self.word() != Some(VECTOR) {
            return self.rest(from, name, kind).flawed("no vector begins here");
        }
        let Some(count) = self.word().map(u32::cast_signed) else { return self.cut(name, kind, 4) };
        let (fields, flaw) = self.items(count, item);
        let field = self.since(from, name, kind).noted(Some(format!("{count} items")));
        Field { fields, flaw, ..field }
    }

    /// An item takes bytes, so that a count from the wire makes no more fields than there are bytes.
    fn items(&mut self, count: i32, item: &Type) -> (Vec<Field>, Option<String>) {
        let mut fields = Vec::new();
        for number in 0..count {
            if self.stopped || self.at >= self.end {
                self.stopped = true;
                return (fields, Some(format!("ends here: {number} of {count} items are there")));
            }
            if number >= MOST_ITEMS {
                fields.push(self.rest(self.at, "further items", "bytes"));
                break;
            }
            fields.push(self.value(format!("[{number}]").into(), item.name().into(), item, ""));
        }
        (fields, (count < 0).then(|| "a negative count".to_owned()))
    }
}

fn is_set(fields: &[Field], flags: &str, bit: u32) -> bool {
    let named = fields.iter().find(|field| field.name == flags);
    named.is_some_and(|field| matches!(field.value, Value::Number(set) if set >> bit.min(31) & 1 == 1))
}

/// The length that stands in front of an object.
fn announced(fields: &[Field]) -> Option<i64> {
    match fields.last() {
        Some(Field { name, value: Value::Number(length), .. }) if name == "bytes" => Some(*length),
        _ => None,
    }
}
