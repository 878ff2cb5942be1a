//! What lies in the file: the tables, the format number, the store's id.

use std::fmt;

use dayfly_crypto::{RandomError, SecureRandom};
use redb::{ReadOnlyTable, ReadableDatabase, TableDefinition};

use crate::{
    error::Unavailable,
    sealing::{CHECK_LEN, SealingKey},
};

/// The newest format known here. A store with a greater one is left alone.
pub(super) const FORMAT: u32 = 1;

/// Name to value: `format`, `id`, `check`.
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// Key id to sealed record.
pub(super) const KEYS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("keys");
/// Key id to the Unix second at which the key was last seen in use, to within a day.
pub(super) const USED: TableDefinition<'_, u64, u64> = TableDefinition::new("used");
/// (Unix second of creation, key id) of each key that was never in use: what sweeping looks at.
pub(super) const UNUSED: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("unused");

pub(super) const CHECK: &str = "check";
const FORMAT_NAME: &str = "format";
const ID: &str = "id";

/// A store's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct StoreId(pub(super) [u8; 8]);

impl StoreId {
    pub(super) fn draw(random: &mut dyn SecureRandom) -> Result<Self, RandomError> {
        let mut id = [0; 8];
        random.fill_public(&mut id)?;
        Ok(Self(id))
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a store says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta {
    pub(super) format: u32,
    pub(super) id: StoreId,
    pub(super) check: [u8; CHECK_LEN],
}

impl Meta {
    pub(super) fn fresh(
        id: StoreId,
        key: &SealingKey,
        random: &mut dyn SecureRandom,
    ) -> Result<Self, RandomError> {
        Ok(Self { format: FORMAT, id, check: key.check_value(&id.0, random)? })
    }

    /// `None`: this file holds no meta table, or not all of it. With a newer format only `format` is sure to be there,
    /// so it is read first and the rest not missed.
    pub(super) fn read(database: &impl ReadableDatabase) -> Result<Option<Self>, Unavailable> {
        let table = match database.begin_read()?.open_table(META) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            table => table?,
        };
        let Some(format) = read(&table, FORMAT_NAME)?.map(u32::from_le_bytes) else { return Ok(None) };
        let (id, check) = (read(&table, ID)?, read(&table, CHECK)?);
        if format > FORMAT {
            let (id, check) = (id.unwrap_or_default(), check.unwrap_or([0; CHECK_LEN]));
            return Ok(Some(Self { format, id: StoreId(id), check }));
        }
        let (Some(id), Some(check)) = (id, check) else { return Ok(None) };
        Ok(Some(Self { format, id: StoreId(id), check }))
    }

    /// Makes the tables of a new store.
    pub(super) fn write(&self, database: &redb::Database) -> Result<(), Unavailable> {
        let transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(META)?;
            table.insert(FORMAT_NAME, self.format.to_le_bytes().as_slice())?;
            table.insert(ID, self.id.0.as_slice())?;
            table.insert(CHECK, self.check.as_slice())?;
            transaction.open_table(KEYS)?;
            transaction.open_table(USED)?;
            transaction.open_table(UNUSED)?;
        }
        Ok(transaction.commit()?)
    }
}

fn read<const N: usize>(
    table: &ReadOnlyTable<&'static str, &'static [u8]>,
    name: &str,
) -> Result<Option<[u8; N]>, Unavailable> {
    Ok(table.get(name)?.and_then(|value| value.value().try_into().ok()))
}
