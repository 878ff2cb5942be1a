//! A schema file as the emitter wants it: every name resolved, every field of a known kind.

use anyhow::{Context, Result};

use super::reach::Reached;
use super::resolve::Names;
use super::source::Source;

/// One schema file.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) name: String,
    /// Of the line `// LAYER n`.
    pub(crate) layer: Option<i32>,
    /// Constructors and functions in their order.
    pub(crate) combinators: Vec<Combinator>,
    /// Types of several constructors, by their TL name.
    pub(crate) unions: Vec<Union>,
}

/// A constructor or function: one struct.
#[derive(Debug)]
pub(crate) struct Combinator {
    /// As in the schema, without the semicolon.
    pub(crate) line: String,
    pub(crate) tl: String,
    pub(crate) rust: String,
    pub(crate) id: u32,
    pub(crate) fields: Vec<Field>,
    pub(crate) traits: Traits,
}

/// A type of several constructors: one enum.
#[derive(Debug)]
pub(crate) struct Union {
    pub(crate) tl: String,
    pub(crate) rust: String,
    /// Indices of its constructors.
    pub(crate) members: Vec<usize>,
    pub(crate) traits: Traits,
    /// Whether a value may hold one of the same type.
    pub(crate) recursive: bool,
}

/// What the types of the fields make of the whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traits {
    pub(crate) borrows: bool,
    pub(crate) owns_list: bool,
    pub(crate) secret: bool,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) rust: String,
    /// As in the schema: `pq:bytes`.
    pub(crate) tl: String,
    pub(crate) kind: Kind,
    /// The flags field and the bit that tell whether it is there.
    pub(crate) flag: Option<(String, u32)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Flags,
    /// `true` behind a flag: the flag alone.
    True,
    Bool,
    Int,
    Long,
    Double,
    Int128,
    Int256,
    Bytes,
    Longs {
        boxed: bool,
    },
    /// `Object` or `!X`: the rest of what encloses it.
    Rest,
    /// The `body:Object` of a `message`; the field `bytes` in front of it is read and written with it.
    SizedObject,
    Vector {
        boxed: bool,
        item: Box<Kind>,
    },
    /// A struct or an enum.
    Named {
        rust: String,
        boxed: bool,
    },
}

/// Reads a schema file: one definition a line.
pub(crate) fn parse(name: &str, text: &str) -> Result<Schema> {
    let mut source = Source::default();
    for (number, line) in (1..).zip(text.lines()) {
        source.line(line).with_context(|| format!("line {number}"))?;
    }
    let names = Names::of(&source.lines)?;
    let combinators: Vec<Combinator> = source
        .lines
        .iter()
        .enumerate()
        .map(|(at, line)| names.combinator(at, line))
        .collect::<Result<_>>()?;
    let mut schema =
        Schema { name: name.to_owned(), layer: source.layer, combinators, unions: names.into_unions() };
    schema.derive_traits();
    Ok(schema)
}

impl Schema {
    fn derive_traits(&mut self) {
        for at in 0..self.combinators.len() {
            let mut kinds = Reached::default();
            kinds.combinator(self, at);
            self.combinators[at].traits = kinds.traits;
        }
        for at in 0..self.unions.len() {
            let mut kinds = Reached::default();
            kinds.union(self, at);
            self.unions[at].traits = kinds.traits;
            self.unions[at].recursive = kinds.cycle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        format!("{:#}", parse("test", text).unwrap_err())
    }

    #[test]
    fn mistakes_in_a_schema_are_named() {
        let cases = [
            ("a#1 = A", "line 1: no semicolon at the end"),
            ("// LAYER x", "line 1: the layer is no number"),
            ("a#1 b:Missing = A;", "no constructor makes Missing"),
            ("a#1 = A;\nb#2 = A;\nc#3 x:%A = C;", "%A has several constructors"),
            ("a#1 x:true = A;", "true without a flag"),
            ("a#1 x:Map<int> = A;", "no generic type but vector is known"),
            ("a#1 x:Vector<Object> = A;", "a vector of objects has no known end"),
            ("a#zz = A;", "InvalidId"),
        ];
        for (text, reason) in cases {
            assert!(refused(text).contains(reason), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn a_type_has_the_first_claim_to_its_name() {
        let text = "a_b#1 = A_B;\nother#2 = A_B;\n---functions---\nother#3 = A_B;\nb.a#4 = A_B;\naB#5 = A_B;";
        let schema = parse("test", text).unwrap();
        let names: Vec<&str> = schema.combinators.iter().map(|combinator| combinator.rust.as_str()).collect();
        assert_eq!(names, ["ABPlain", "Other", "Other00000003", "BA", "ABCall"]);
        assert_eq!(schema.unions[0].rust, "AB");
    }

    #[test]
    fn lending_secrets_and_recursion_are_found_through_other_types() {
        let text =
            "leaf#1 = Tree;\nnode#2 items:Vector<Tree> = Tree;\nkey#3 k:int256 = Key;\nbox#4 key:Key = Box;";
        let schema = parse("test", text).unwrap();
        assert!(schema.unions[0].recursive && !schema.unions[0].traits.borrows);
        let sealed = &schema.combinators[3].traits;
        assert!(sealed.secret && sealed.borrows && !sealed.owns_list);
    }

    #[test]
    fn an_object_takes_its_length_in() {
        let schema = parse("test", "m#1 id:long bytes:int body:Object = M;").unwrap();
        let kinds: Vec<&Kind> = schema.combinators[0].fields.iter().map(|field| &field.kind).collect();
        assert_eq!(kinds, [&Kind::Long, &Kind::SizedObject]);
    }
}
