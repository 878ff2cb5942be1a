//! The parts of a message: the payload as it went over the wire, and what was found sealed or packed in it.

use dayfly_crypto::digest;
use serde::{Deserialize, Serialize, Serializer};

use super::field::{Field, Value};
use super::notes;
use super::walk::{Inside, Walk};

/// How the bytes of a part are laid out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A payload of a transport.
    Payload,
    /// What RSA sealed: inner data, and what fills it up.
    InnerData,
    /// What the temporary AES key sealed: a SHA1, the object, padding.
    Hashed,
    /// What an authorization key sealed: salt, session, header, object, padding.
    Message,
    /// What the permanent key sealed in a binding message.
    Binding,
    /// What was packed.
    Packed,
}

/// Bytes that belong together, with offsets of their own. Written as JSON with its fields, which are not read again: they
/// follow from the bytes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Part {
    /// How they are laid out.
    pub form: Form,
    /// They themselves.
    #[serde(with = "hex::serde")]
    pub bytes: Vec<u8>,
    /// What was wrong when they were opened.
    #[serde(default)]
    pub flaw: Option<String>,
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            form: Form,
            title: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            flaw: Option<&'a str>,
            #[serde(with = "hex::serde")]
            bytes: &'a [u8],
            fields: Vec<Field>,
        }
        let Self { form, bytes, flaw } = self;
        let (title, fields) = (self.title(), self.dissect().fields);
        Written { form: *form, title, flaw: flaw.as_deref(), bytes, fields }.serialize(serializer)
    }
}

impl Part {
    /// Bytes that nothing was wrong with.
    #[must_use]
    pub fn new(form: Form, bytes: Vec<u8>) -> Self {
        Self { form, bytes, flaw: None }
    }

    /// What it is, for people.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self.form {
            Form::Payload => "as it went over the wire",
            Form::InnerData => "encrypted_data, opened with the RSA key",
            Form::Hashed => "opened with tmp_aes_key and tmp_aes_iv",
            Form::Message => "opened with the authorization key",
            Form::Binding => "encrypted_message, opened with the permanent key",
            Form::Packed => "packed_data, unpacked",
        }
    }

    /// Its fields.
    #[must_use]
    pub fn dissect(&self) -> Field {
        self.walk().0
    }

    pub(super) fn walk(&self) -> (Field, Vec<Inside>) {
        let mut walk = Walk::new(&self.bytes);
        let fields = match self.form {
            Form::Payload => payload(&mut walk, &self.bytes),
            Form::InnerData => walk.padded_object("data").into_iter().flatten().collect(),
            Form::Hashed => hashed(&mut walk, &self.bytes),
            Form::Message => message(&mut walk),
            Form::Binding => binding(&mut walk),
            Form::Packed => vec![walk.object("object")],
        };
        let whole = Field::new("part", self.title(), 0, self.bytes.len());
        let flaw = self.flaw.clone();
        (Field { fields, flaw, ..whole }, walk.inside)
    }
}

fn payload(walk: &mut Walk<'_>, bytes: &[u8]) -> Vec<Field> {
    match bytes {
        [_, _, _, _] => transport_error(walk),
        [0, 0, 0, 0, 0, 0, 0, 0, ..] => plain(walk),
        _ => {
            let key = walk.bytes_field("auth_key_id", "long", 8);
            let msg_key = walk.bytes_field("msg_key", "int128", 16);
            [Some(key), Some(msg_key), walk.left("encrypted_data")].into_iter().flatten().collect()
        }
    }
}

fn transport_error(walk: &mut Walk<'_>) -> Vec<Field> {
    let code = walk.number_field("error_code", "int");
    let note = number(&code).and_then(|code| notes::transport_error(i32::try_from(code).ok()?));
    vec![code.noted(note.map(str::to_owned))]
}

fn plain(walk: &mut Walk<'_>) -> Vec<Field> {
    let mut fields = vec![walk.number_field("auth_key_id", "long"), walk.number_field("msg_id", "long")];
    fields.extend(sized(walk, "message_data_length", "message_data"));
    fields.extend(walk.left("trailing bytes"));
    fields
}

fn hashed(walk: &mut Walk<'_>, bytes: &[u8]) -> Vec<Field> {
    let hash = walk.bytes_field("SHA1", "20 bytes", 20);
    let [object, padding] = walk.padded_object("answer");
    let length = object.as_ref().map_or(0, |object| object.length);
    let hashed = bytes.get(20..).and_then(|rest| rest.get(..length)).unwrap_or_default();
    let right = hash.bytes() == Some(&digest::sha1(&[hashed]));
    let hash = if right { hash } else { hash.flawed("not the SHA1 of the object that follows") };
    let padding = padding.map(|field| match field.length {
        0..16 => field,
        length => field.flawed(format!("{length} bytes, where at most 15 are allowed")),
    });
    [Some(hash), object, padding].into_iter().flatten().collect()
}

fn message(walk: &mut Walk<'_>) -> Vec<Field> {
    let mut fields = vec![
        walk.bytes_field("salt", "long", 8),
        walk.bytes_field("session_id", "long", 8),
        walk.number_field("msg_id", "long"),
        walk.number_field("seqno", "int"),
    ];
    fields.extend(sized(walk, "message_data_length", "message_data"));
    let padding = walk.left("padding").unwrap_or_else(|| walk.bytes_field("padding", "bytes", 0));
    let flaw = format!("{} bytes, where 12 to 1024 are allowed", padding.length);
    fields.push(if (12..=1024).contains(&padding.length) { padding } else { padding.flawed(flaw) });
    fields
}

fn binding(walk: &mut Walk<'_>) -> Vec<Field> {
    let mut fields = vec![
        walk.bytes_field("random", "int128", 16),
        walk.number_field("msg_id", "long"),
        walk.number_field("seqno", "int"),
    ];
    fields.extend(sized(walk, "message_data_length", "message_data"));
    fields.extend(walk.left("padding"));
    fields
}

/// A length and the object that is so long.
fn sized(walk: &mut Walk<'_>, length: &'static str, object: &'static str) -> Vec<Field> {
    let length = walk.number_field(length, "int");
    let body = number(&length).map(|length| walk.sized(object, length));
    [Some(length), body].into_iter().flatten().collect()
}

fn number(field: &Field) -> Option<i64> {
    match field.value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}
