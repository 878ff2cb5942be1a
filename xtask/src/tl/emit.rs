//! Rust for a schema, formatted as rustfmt would.

use std::fmt::Write as _;

use super::schema::{Combinator, Field, Kind, Schema, Traits, Union};

/// rustfmt's `max_width` here.
const MAX_WIDTH: usize = 110;

/// A whole module.
pub(crate) fn module(schema: &Schema) -> String {
    let mut out = head(schema);
    for combinator in &schema.combinators {
        out += &combinator_items(schema, combinator);
    }
    for union in &schema.unions {
        out += &union_items(schema, union);
    }
    out += &name_table(schema);
    out += &test_macro(schema);
    out
}

fn head(schema: &Schema) -> String {
    let name = &schema.name;
    let flags = if uses_flags(schema) { "use super::{flag, has};\n" } else { "" };
    let layer = schema.layer.map(layer_constant).unwrap_or_default();
    format!(
        "//! The types of `schema/{name}.tl`, each beside its line there.\n\
         //!\n\
         //! Written by `cargo xtask tl`; do not edit.\n\
         \n\
         {flags}use crate::*;\n\
         {layer}"
    )
}

fn layer_constant(layer: i32) -> String {
    format!("\n/// The layer that the schema is of.\npub const LAYER: i32 = {layer};\n")
}

fn uses_flags(schema: &Schema) -> bool {
    schema.combinators.iter().any(has_flags)
}

fn has_flags(combinator: &Combinator) -> bool {
    combinator.fields.iter().any(|field| field.kind == Kind::Flags)
}

/// Struct, constants, reading, writing.
fn combinator_items(schema: &Schema, combinator: &Combinator) -> String {
    let mut out = struct_item(schema, combinator);
    out += &constants(combinator);
    if combinator.traits.secret {
        out += &silent_debug(combinator);
    }
    out += &read_bare(combinator);
    out += &write_bare(combinator);
    out
}

fn struct_item(schema: &Schema, combinator: &Combinator) -> String {
    let derives = derives(combinator.traits, !combinator.traits.secret);
    let mut out = format!("\n/// `{}`\n#[derive({derives})]\n", combinator.line);
    let name = with_lifetime(&combinator.rust, combinator.traits, "'a");
    if visible(combinator).next().is_none() {
        return out + &format!("pub struct {name};\n");
    }
    _ = writeln!(out, "pub struct {name} {{");
    for field in visible(combinator) {
        let ty = field_type(schema, field);
        _ = writeln!(out, "    /// `{}`\n    pub {}: {ty},", field.tl, field.rust);
    }
    out + "}\n"
}

/// All but the flags, which the other fields imply.
fn visible(combinator: &Combinator) -> impl Iterator<Item = &Field> {
    combinator.fields.iter().filter(|field| field.kind != Kind::Flags)
}

fn derives(traits: Traits, debug: bool) -> String {
    let wanted =
        [("Clone", true), ("Copy", !traits.owns_list), ("Debug", debug), ("PartialEq", !traits.secret)];
    let derived: Vec<&str> = wanted.iter().filter(|(_, wanted)| *wanted).map(|(name, _)| *name).collect();
    derived.join(", ")
}

fn with_lifetime(rust: &str, traits: Traits, lifetime: &str) -> String {
    if traits.borrows { format!("{rust}<{lifetime}>") } else { rust.to_owned() }
}

fn field_type(schema: &Schema, field: &Field) -> String {
    let ty = kind_type(schema, &field.kind);
    if field.flag.is_some() && field.kind != Kind::True { format!("Option<{ty}>") } else { ty }
}

fn kind_type(schema: &Schema, kind: &Kind) -> String {
    match kind {
        Kind::Flags => "u32".to_owned(),
        Kind::True | Kind::Bool => "bool".to_owned(),
        Kind::Int => "i32".to_owned(),
        Kind::Long => "i64".to_owned(),
        Kind::Double => "f64".to_owned(),
        Kind::Int128 => "[u8; 16]".to_owned(),
        Kind::Int256 => "&'a [u8; 32]".to_owned(),
        Kind::Bytes | Kind::Rest | Kind::SizedObject => "&'a [u8]".to_owned(),
        Kind::Longs { .. } => "LongVec<'a>".to_owned(),
        Kind::Vector { item, .. } => format!("Vec<{}>", kind_type(schema, item)),
        Kind::Named { rust, .. } => with_lifetime(rust, traits_of(schema, rust), "'a"),
    }
}

fn traits_of(schema: &Schema, rust: &str) -> Traits {
    let of_union = schema.unions.iter().find(|union| union.rust == rust).map(|union| union.traits);
    let of_struct = || schema.combinators.iter().find(|other| other.rust == rust).map(|other| other.traits);
    of_union.or_else(of_struct).unwrap_or_default()
}

fn constants(combinator: &Combinator) -> String {
    let name = with_lifetime(&combinator.rust, combinator.traits, "'_");
    let Combinator { tl, id, .. } = combinator;
    let id = grouped_hex(*id);
    format!(
        "\nimpl {name} {{\n    \
             /// The constructor id of `{tl}`.\n    \
             pub const CONSTRUCTOR: u32 = {id};\n\
         }}\n\
         \n\
         impl Constructor for {name} {{\n    \
             const ID: u32 = Self::CONSTRUCTOR;\n    \
             const NAME: &'static str = \"{tl}\";\n\
         }}\n"
    )
}

fn grouped_hex(id: u32) -> String {
    format!("0x{:04x}_{:04x}", id >> 16, id & 0xffff)
}

/// Shows everything but the secret.
fn silent_debug(combinator: &Combinator) -> String {
    let Combinator { rust, .. } = combinator;
    let name = with_lifetime(rust, combinator.traits, "'_");
    let mut out = format!(
        "\nimpl std::fmt::Debug for {name} {{\n    \
             fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\n        \
                 f.debug_struct(\"{rust}\")\n"
    );
    for field in visible(combinator).filter(|field| field.kind != Kind::Int256) {
        let Field { rust, .. } = field;
        _ = writeln!(out, "            .field(\"{rust}\", &self.{rust})");
    }
    out + "            .finish_non_exhaustive()\n    }\n}\n"
}

fn read_bare(combinator: &Combinator) -> String {
    let name = with_lifetime(&combinator.rust, combinator.traits, "'a");
    let reader = if combinator.fields.is_empty() { "_" } else { "reader" };
    let mut out = format!(
        "\nimpl<'a> ReadBare<'a> for {name} {{\n    \
             fn read_bare({reader}: &mut Reader<'a>) -> Result<Self, Error> {{\n"
    );
    for field in combinator.fields.iter().filter(|_| has_flags(combinator)) {
        _ = writeln!(out, "        let {} = {};", field.rust, read_field(field));
    }
    out += &self_literal(combinator);
    out + "    }\n}\n"
}

/// `Ok(Self { .. })`, on one line if it fits.
fn self_literal(combinator: &Combinator) -> String {
    let fields: Vec<String> = visible(combinator)
        .map(|field| if has_flags(combinator) { field.rust.clone() } else { read_member(field) })
        .collect();
    if fields.is_empty() {
        return "        Ok(Self)\n".to_owned();
    }
    let line = format!("        Ok(Self {{ {} }})\n", fields.join(", "));
    if line.trim_end().len() <= MAX_WIDTH {
        return line;
    }
    format!("        Ok(Self {{\n            {},\n        }})\n", fields.join(",\n            "))
}

fn read_member(field: &Field) -> String {
    format!("{}: {}", field.rust, read_field(field))
}

fn read_field(field: &Field) -> String {
    match (&field.flag, &field.kind) {
        (Some((flags, bit)), Kind::True) => format!("has({flags}, {bit})"),
        (Some((flags, bit)), kind) => format!("reader.optional(has({flags}, {bit}), {})?", read_path(kind)),
        (None, Kind::Rest) => "reader.rest()".to_owned(),
        (None, Kind::Vector { boxed, item }) => format!("reader.{}({})?", vector(*boxed), read_path(item)),
        (None, Kind::Named { boxed, .. }) => format!("{}(reader)?", named_read(*boxed)),
        (None, kind) => format!("reader.{}()?", base_method(kind)),
    }
}

/// A function from a reader to a value of the kind.
fn read_path(kind: &Kind) -> String {
    match kind {
        Kind::Rest => "|reader| Ok(reader.rest())".to_owned(),
        Kind::Vector { boxed, item } => format!("|reader| reader.{}({})", vector(*boxed), read_path(item)),
        Kind::Named { boxed, .. } => named_read(*boxed).to_owned(),
        kind => format!("Reader::{}", base_method(kind)),
    }
}

fn vector(boxed: bool) -> &'static str {
    if boxed { "vector" } else { "bare_vector" }
}

fn named_read(boxed: bool) -> &'static str {
    if boxed { "Read::read" } else { "ReadBare::read_bare" }
}

/// The method of `Reader` and `Sink` for a kind without a type of its own.
fn base_method(kind: &Kind) -> &'static str {
    match kind {
        Kind::Flags => "u32",
        Kind::True | Kind::Bool => "bool",
        Kind::Int => "i32",
        Kind::Long => "i64",
        Kind::Double => "f64",
        Kind::Int128 => "int128",
        Kind::Int256 => "int256",
        Kind::Bytes => "bytes",
        Kind::SizedObject => "sized_object",
        Kind::Longs { boxed: true } => "longs",
        Kind::Longs { boxed: false } => "bare_longs",
        Kind::Rest | Kind::Vector { .. } | Kind::Named { .. } => unreachable!("has no method of its own"),
    }
}

fn write_bare(combinator: &Combinator) -> String {
    let name = with_lifetime(&combinator.rust, combinator.traits, "'_");
    if combinator.fields.is_empty() {
        return format!(
            "\nimpl WriteBare for {name} {{\n    fn write_bare<S: Sink>(&self, _: &mut S) {{}}\n}}\n"
        );
    }
    let mut out =
        format!("\nimpl WriteBare for {name} {{\n    fn write_bare<S: Sink>(&self, out: &mut S) {{\n");
    for field in combinator.fields.iter().filter(|field| field.kind != Kind::True) {
        out += &write_field(combinator, field);
    }
    out + "    }\n}\n"
}

fn write_field(combinator: &Combinator, field: &Field) -> String {
    if field.kind == Kind::Flags {
        return write_flags(combinator, field);
    }
    if field.flag.is_none() {
        return format!("        {};\n", write_value(&field.kind, &format!("self.{}", field.rust), false));
    }
    let value = write_value(&field.kind, &field.rust, true);
    let Field { rust, .. } = field;
    format!("        if let Some({rust}) = &self.{rust} {{\n            {value};\n        }}\n")
}

/// Each flag on a line of its own, in the order of the fields.
fn write_flags(combinator: &Combinator, flags: &Field) -> String {
    let mut out = format!("        let mut {0} = 0;\n", flags.rust);
    for field in &combinator.fields {
        let Field { rust, kind, flag: Some((of, bit)), .. } = field else { continue };
        if *of == flags.rust {
            let set = if *kind == Kind::True { "" } else { ".is_some()" };
            _ = writeln!(out, "        {of} |= flag({bit}, self.{rust}{set});");
        }
    }
    out + &format!("        out.u32({});\n", flags.rust)
}

/// The expression that writes `place`, a value or a reference to one.
fn write_value(kind: &Kind, place: &str, reference: bool) -> String {
    let lent = if reference { place.to_owned() } else { format!("&{place}") };
    let copied = if reference { format!("*{place}") } else { place.to_owned() };
    match kind {
        Kind::Int128 => format!("out.raw({lent})"),
        Kind::Int256 | Kind::Rest => format!("out.raw({place})"),
        Kind::Longs { .. } => format!("out.{}({lent})", base_method(kind)),
        Kind::Vector { boxed, item } => {
            let item = write_value(item, "item", true);
            format!("out.{}({lent}, |out, item| {item})", vector(*boxed))
        }
        Kind::Named { boxed: true, .. } => format!("{place}.write_to(out)"),
        Kind::Named { boxed: false, .. } => format!("{place}.write_bare(out)"),
        Kind::Bytes | Kind::SizedObject => format!("out.{}({place})", base_method(kind)),
        kind => format!("out.{}({copied})", base_method(kind)),
    }
}

/// Enum, reading, writing.
fn union_items(schema: &Schema, union: &Union) -> String {
    let members: Vec<&Combinator> = union.members.iter().map(|at| &schema.combinators[*at]).collect();
    union_item(union, &members) + &union_read(union, &members) + &union_write(union, &members)
}

fn union_item(union: &Union, members: &[&Combinator]) -> String {
    let derives = derives(union.traits, true);
    let name = with_lifetime(&union.rust, union.traits, "'a");
    let mut out = format!(
        "\n/// The boxed type `{}`\n\
         #[derive({derives})]\n\
         #[allow(clippy::enum_variant_names, reason = \"each is named as its constructor\")]\n\
         pub enum {name} {{\n",
        union.tl
    );
    for member in members {
        let inner = with_lifetime(&member.rust, member.traits, "'a");
        _ = writeln!(out, "    /// `{}#{:08x}`\n    {}({inner}),", member.tl, member.id, member.rust);
    }
    out + "}\n"
}

fn union_read(union: &Union, members: &[&Combinator]) -> String {
    let name = with_lifetime(&union.rust, union.traits, "'a");
    let read = if union.recursive { "reader.nested(Read::read)" } else { "Read::read(reader)" };
    let mut out = format!(
        "\nimpl<'a> Read<'a> for {name} {{\n    \
             fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {{\n        \
                 match reader.peek_id()? {{\n"
    );
    for Combinator { rust, .. } in members {
        _ = writeln!(out, "            {rust}::CONSTRUCTOR => {read}.map(Self::{rust}),");
    }
    out + "            id => Err(Error::UnknownConstructor { at: reader.position(), id }),\n        }\n    }\n}\n"
}

fn union_write(union: &Union, members: &[&Combinator]) -> String {
    let name = with_lifetime(&union.rust, union.traits, "'_");
    let mut out = format!(
        "\nimpl Write for {name} {{\n    \
             fn write_to<S: Sink>(&self, out: &mut S) {{\n        \
                 match self {{\n"
    );
    for Combinator { rust, .. } in members {
        _ = writeln!(out, "            Self::{rust}(value) => value.write_to(out),");
    }
    out + "        }\n    }\n}\n"
}

fn name_table(schema: &Schema) -> String {
    let mut out = "\n/// The name of a constructor or function, for logs and transcripts.\n\
         #[must_use]\n\
         pub fn name_of(id: u32) -> Option<&'static str> {\n    \
             Some(match id {\n"
        .to_owned();
    for Combinator { id, tl, .. } in &schema.combinators {
        _ = writeln!(out, "        {} => \"{tl}\",", grouped_hex(*id));
    }
    out + "        _ => return None,\n    })\n}\n"
}

/// Lets a test do one thing for every type and each id with which it may begin.
fn test_macro(schema: &Schema) -> String {
    let mut out = "\n#[cfg(test)]\n\
         macro_rules! every_type {\n    \
             ($check:ident) => {\n"
        .to_owned();
    let mut check = |rust: &str, traits: Traits, id: u32| {
        let ty = with_lifetime(rust, traits, "'_");
        _ = writeln!(out, "        $check!({}::{ty}, {});", schema.name, grouped_hex(id));
    };
    for Combinator { rust, traits, id, .. } in &schema.combinators {
        check(rust, *traits, *id);
    }
    for Union { rust, traits, members, .. } in &schema.unions {
        members.iter().for_each(|at| check(rust, *traits, schema.combinators[*at].id));
    }
    out + "    };\n}\n#[cfg(test)]\npub(crate) use every_type;\n"
}
