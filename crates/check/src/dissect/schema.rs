//! The schema as a table: which constructor has which fields, read from `schema/*.tl` when it is first asked for.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Both schemas; a new line there is known here without more.
const SOURCES: [&str; 2] =
    [include_str!("../../../../schema/mtproto.tl"), include_str!("../../../../schema/api.tl")];

/// A constructor or function.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Definition {
    /// None for what is never boxed.
    pub(super) id: Option<u32>,
    pub(super) name: &'static str,
    /// The type that it makes, or that the function returns.
    pub(super) result: &'static str,
    pub(super) fields: Vec<Param>,
}

/// A field of a definition.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Param {
    pub(super) name: &'static str,
    /// The type as the schema writes it, without its flag.
    pub(super) text: &'static str,
    /// The field of flags and the bit that say whether it is there.
    pub(super) flag: Option<(&'static str, u32)>,
    pub(super) ty: Type,
}

/// What stands in a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Type {
    Flags,
    Int,
    Long,
    Double,
    Int128,
    Int256,
    Bytes,
    Text,
    /// A flag alone, no bytes.
    True,
    /// Whatever object follows.
    Object,
    Vector {
        boxed: bool,
        item: Box<Type>,
    },
    /// A constructor id, then its fields.
    Boxed(&'static str),
    /// The fields of the one constructor that there is.
    Bare(&'static str),
}

impl Type {
    /// For an item of a vector.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Flags => "#",
            Self::Int => "int",
            Self::Long => "long",
            Self::Double => "double",
            Self::Int128 => "int128",
            Self::Int256 => "int256",
            Self::Bytes => "bytes",
            Self::Text => "string",
            Self::True => "true",
            Self::Object => "object",
            Self::Vector { .. } => "vector",
            Self::Boxed(name) | Self::Bare(name) => name,
        }
    }
}

/// All definitions.
pub(super) struct Schema {
    definitions: Vec<Definition>,
    by_id: HashMap<u32, usize>,
}

/// The schema of this build.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::read(&SOURCES));
    &SCHEMA
}

/// The id of the constructor or function of this name; of several, that of the newest form.
pub(crate) fn constructor(name: &str) -> Option<u32> {
    schema().definitions.iter().find(|definition| definition.name == name)?.id
}

impl Schema {
    fn read(sources: &[&'static str]) -> Self {
        let definitions: Vec<_> =
            sources.iter().flat_map(|text| text.lines()).filter_map(definition).collect();
        let ids = definitions.iter().enumerate();
        let by_id = ids.filter_map(|(at, definition)| Some((definition.id?, at))).collect();
        Self { definitions, by_id }
    }

    /// What begins with this id.
    pub(super) fn by_id(&self, id: u32) -> Option<&Definition> {
        self.definitions.get(*self.by_id.get(&id)?)
    }

    /// The constructor that a bare type stands for: by its own name, or by the name of its type.
    pub(super) fn bare(&self, name: &str) -> Option<&Definition> {
        let named = self.definitions.iter().find(|definition| definition.name == name);
        named.or_else(|| self.definitions.iter().find(|definition| definition.result == name))
    }
}

/// A line of a schema; none of what declares nothing (comments, marks, the base types).
fn definition(line: &'static str) -> Option<Definition> {
    let line = line.trim().strip_suffix(';')?;
    let (left, result) = line.rsplit_once(" = ")?;
    let mut words = left.split(' ').filter(|word| !word.starts_with('{'));
    let (name, id) = name_and_id(words.next()?)?;
    let fields = words.map(param).collect::<Option<_>>()?;
    Some(Definition { id, name, result, fields })
}

fn name_and_id(word: &'static str) -> Option<(&'static str, Option<u32>)> {
    match word.split_once('#') {
        Some((name, id)) => Some((name, Some(u32::from_str_radix(id, 16).ok()?))),
        None => Some((word, None)),
    }
}

/// `name:type` or `name:flags.3?type`.
fn param(word: &'static str) -> Option<Param> {
    let (name, text) = word.split_once(':')?;
    let (flag, text) = match text.split_once('?') {
        Some((flag, text)) => {
            let (flags, bit) = flag.split_once('.')?;
            (Some((flags, bit.parse().ok()?)), text)
        }
        None => (None, text),
    };
    Some(Param { name, text, flag, ty: ty(text) })
}

fn ty(text: &'static str) -> Type {
    if let Some((vector, item)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        return Type::Vector { boxed: vector == "Vector", item: Box::new(ty(item)) };
    }
    match text {
        "#" => Type::Flags,
        "int" => Type::Int,
        "long" => Type::Long,
        "double" => Type::Double,
        "int128" => Type::Int128,
        "int256" => Type::Int256,
        "bytes" => Type::Bytes,
        "string" => Type::Text,
        "true" => Type::True,
        "Object" => Type::Object,
        _ if text.starts_with('!') => Type::Object,
        _ => named(text),
    }
}

/// `%Type` and `constructor` are bare, `Type` is boxed; what stands behind a dot is the name.
fn named(text: &'static str) -> Type {
    if let Some(bare) = text.strip_prefix('%') {
        return Type::Bare(bare);
    }
    let name = text.rsplit('.').next().unwrap_or(text);
    if name.starts_with(char::is_uppercase) { Type::Boxed(text) } else { Type::Bare(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What declares nothing of its own: the base types, and the vector, which the walker knows.
    fn is_base(line: &str) -> bool {
        ["int", "long ?", "double ?", "string ?", "vector"].iter().any(|base| line.starts_with(base))
            && !line.starts_with("inv")
    }

    #[test]
    fn every_line_of_both_files_is_in_the_table() {
        let lines = SOURCES.iter().flat_map(|text| text.lines());
        for line in lines.filter(|line| line.ends_with(';') && !line.starts_with("//") && !is_base(line)) {
            let read = definition(line).unwrap_or_else(|| panic!("{line}"));
            if let Some(id) = read.id {
                assert_eq!(schema().by_id(id), Some(&read), "{line}");
            }
        }
    }

    #[test]
    fn every_type_that_is_named_has_a_constructor() {
        for definition in &schema().definitions {
            for field in &definition.fields {
                assert_type_is_known(&field.ty, definition.name);
            }
        }
    }

    fn assert_type_is_known(ty: &Type, of: &str) {
        match ty {
            Type::Vector { item, .. } => assert_type_is_known(item, of),
            Type::Bare(name) => assert!(schema().bare(name).is_some(), "{name} of {of}"),
            Type::Boxed(name) => {
                let made = schema().definitions.iter().any(|definition| definition.result == *name);
                assert!(made, "{name} of {of}");
            }
            _ => {}
        }
    }

    #[test]
    fn flags_wrappers_and_bare_items_are_read() {
        let line =
            "a.b#0a {X:Type} flags:# x:flags.3?Vector<long> y:vector<%Message> z:flags.4?true q:!X = A.B;";
        let read = definition(line).unwrap();
        assert_eq!((read.id, read.name, read.result), (Some(10), "a.b", "A.B"));
        let bits: Vec<_> = read.fields.iter().map(|field| (field.name, field.flag)).collect();
        let (flags, plain) = ("flags", None);
        let expected =
            [(flags, plain), ("x", Some((flags, 3))), ("y", plain), ("z", Some((flags, 4))), ("q", plain)];
        assert_eq!(bits, expected);
        let long = Type::Vector { boxed: true, item: Box::new(Type::Long) };
        let message = Type::Vector { boxed: false, item: Box::new(Type::Bare("Message")) };
        assert_eq!((&read.fields[1].ty, &read.fields[2].ty), (&long, &message));
        assert_eq!((&read.fields[3].ty, &read.fields[4].ty), (&Type::True, &Type::Object));
    }

    #[test]
    fn lines_that_declare_nothing_are_left_out() {
        for line in
            ["", "// a#1 = A;", "---functions---", "a#zz = A;", "a#1 b = A;", "a#1 = A", "int ? = Int;"]
        {
            assert_eq!(definition(line), None, "{line}");
        }
    }
}
