//! Bytes in rows of 16, each with the field that it belongs to.

use crate::dissect::Field;

/// Bytes of a part that are shown; a transcript has all.
pub(super) const MOST: usize = 4096;
const ROW: usize = 16;

/// A field without fields of its own, numbered as the table numbers it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Leaf {
    number: usize,
    from: usize,
    to: usize,
}

/// Bytes that stand in one row and belong to one field.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Span {
    /// The field's number in the table; `None` for bytes of none.
    pub(super) field: Option<usize>,
    /// The bytes in hexadecimal, blanks between them.
    pub(super) text: String,
}

/// A row: the offset of its first byte, and what stands there.
pub(super) type Row = (usize, Vec<Span>);

/// The rows of a part.
pub(super) fn rows(bytes: &[u8], fields: &[Field]) -> Vec<Row> {
    let mut leaves = Vec::new();
    let mut number = 0;
    fields.iter().for_each(|field| collect(field, &mut number, &mut leaves));
    let shown = bytes.get(..MOST).unwrap_or(bytes);
    let row = |(at, row): (usize, &[u8])| (at * ROW, spans(at * ROW, row, &leaves));
    shown.chunks(ROW).enumerate().map(row).collect()
}

/// In the order of the table: a field, then the fields in it.
fn collect(field: &Field, number: &mut usize, leaves: &mut Vec<Leaf>) {
    let own = *number;
    *number += 1;
    let first = field.fields.first().map_or(field.offset + field.length, |inner| inner.offset);
    if first > field.offset {
        leaves.push(Leaf { number: own, from: field.offset, to: first });
    }
    field.fields.iter().for_each(|inner| collect(inner, number, leaves));
}

fn spans(from: usize, row: &[u8], leaves: &[Leaf]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (at, byte) in (from..).zip(row) {
        let leaf = leaf_at(leaves, at);
        match spans.last_mut().filter(|span| span.field == leaf) {
            Some(span) => span.text.push_str(&format!(" {byte:02x}")),
            None => spans.push(Span { field: leaf, text: format!("{byte:02x}") }),
        }
    }
    spans
}

/// Leaves stand in the order of their bytes.
fn leaf_at(leaves: &[Leaf], at: usize) -> Option<usize> {
    let behind = leaves.partition_point(|leaf| leaf.from <= at);
    let leaf = leaves.get(behind.checked_sub(1)?)?;
    (at < leaf.to).then_some(leaf.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::{Form, Part};

    #[test]
    fn each_byte_belongs_to_the_innermost_field() {
        let mut query = vec![0; 40];
        query[16] = 20;
        query[20..24].copy_from_slice(&0xbe7e_8ef1_u32.to_le_bytes());
        let fields = Part::new(Form::Payload, query.clone()).dissect().fields;
        let rows = rows(&query, &fields);
        assert_eq!(rows.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 16, 32]);
        let fields = |at: usize| rows[at].1.iter().map(|span| span.field.unwrap()).collect::<Vec<_>>();
        assert_eq!((fields(0), fields(1), fields(2)), (vec![0, 1], vec![2, 3, 4], vec![4]));
        assert_eq!(rows[1].1[1].text, "f1 8e 7e be");
    }

    #[test]
    fn a_long_part_is_cut() {
        assert_eq!(rows(&vec![0; 2 * MOST], &[]).len(), MOST / ROW);
        assert_eq!(rows(&[], &[]).len(), 0);
    }
}
