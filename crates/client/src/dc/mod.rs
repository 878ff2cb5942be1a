//! DCs: their ids, their addresses, and the RSA keys of their servers.

mod telegram;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use dayfly_crypto::rsa_key::PublicKey;

/// What is added to the id of a DC of a test environment.
const TEST: i32 = 10_000;

/// The id of a DC as it stands on the wire: 10000 added in a test environment, negative for media.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DcId(i32);

impl DcId {
    /// The DC of this number, as the wire has it.
    #[must_use]
    pub const fn from_wire(dc: i32) -> Self {
        Self(dc)
    }

    /// As it stands on the wire, and in [`ClientConfig::dc`](crate::ClientConfig::dc).
    #[must_use]
    pub const fn wire(self) -> i32 {
        self.0
    }

    /// The media side of this DC: files go there, under temporary keys of its own.
    #[must_use]
    pub const fn media(self) -> Self {
        Self(-self.main().0)
    }

    /// Whether it is a media side.
    #[must_use]
    pub const fn is_media(self) -> bool {
        self.0 < 0
    }

    /// The DC itself, whose permanent key the media side uses too.
    #[must_use]
    pub const fn main(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl fmt::Display for DcId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a DC listens. The first address that answers is taken.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Dc {
    /// Over IPv4 and IPv6.
    pub addresses: Vec<SocketAddr>,
    /// Those for media; where there are none, the others serve media as well.
    pub media: Vec<SocketAddr>,
}

/// The DCs of one environment, and the RSA keys of its servers.
#[derive(Clone, Debug)]
pub struct DcTable {
    keys: Arc<[PublicKey]>,
    test: bool,
    dcs: BTreeMap<i32, Dc>,
}

impl DcTable {
    /// An environment without any DC, whose servers have one of `keys` each. In a `test` one 10000 is added to each id.
    #[must_use]
    pub fn new(keys: Arc<[PublicKey]>, test: bool) -> Self {
        Self { keys, test, dcs: BTreeMap::new() }
    }

    /// The same table with the DC of this number, counted from 1.
    #[must_use]
    pub fn with(mut self, number: u16, dc: Dc) -> Self {
        self.dcs.insert(i32::from(number), dc);
        self
    }

    /// The id of the DC of this number in this environment.
    #[must_use]
    pub fn id(&self, number: u16) -> DcId {
        DcId(i32::from(number) + if self.test { TEST } else { 0 })
    }

    /// The ids of all DCs, without their media sides.
    pub fn ids(&self) -> impl Iterator<Item = DcId> + '_ {
        self.dcs.keys().map(|number| DcId(number + if self.test { TEST } else { 0 }))
    }

    /// Where the DC listens; `None` if it is none of this environment.
    #[must_use]
    pub fn addresses(&self, id: DcId) -> Option<&[SocketAddr]> {
        let number = id.main().0.checked_sub(if self.test { TEST } else { 0 })?;
        let dc = self.dcs.get(&number)?;
        Some(if id.is_media() && !dc.media.is_empty() { &dc.media } else { &dc.addresses })
    }

    /// The RSA keys that are trusted.
    #[must_use]
    pub fn keys(&self) -> &Arc<[PublicKey]> {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_media_side_is_negative_and_its_dc_is_not() {
        let dc = DcId::from_wire(10_002);
        assert_eq!(dc.media().wire(), -10_002);
        assert_eq!((dc.media().main(), dc.media().media()), (dc, dc.media()));
        assert!(dc.media().is_media() && !dc.is_media());
        assert!(DcId::from_wire(i32::MIN).main().wire() > 0, "no id overflows");
    }

    #[test]
    fn addresses_are_found_by_id_and_media_has_its_own_if_any() {
        let [main, media] = [at("127.0.0.1:1"), at("[::1]:2")];
        let table = DcTable::new([].into(), true)
            .with(1, Dc { addresses: vec![main], media: vec![media] })
            .with(2, Dc { addresses: vec![main], media: vec![] });
        let ids: Vec<DcId> = table.ids().collect();
        assert_eq!(ids, [table.id(1), table.id(2)]);
        assert_eq!(table.id(1), DcId::from_wire(10_001));
        assert_eq!(table.addresses(table.id(1)), Some(&[main][..]));
        assert_eq!(table.addresses(table.id(1).media()), Some(&[media][..]));
        assert_eq!(table.addresses(table.id(2).media()), Some(&[main][..]));
        for unknown in [1, 10_003, 0, i32::MIN] {
            assert_eq!(table.addresses(DcId::from_wire(unknown)), None, "{unknown}");
        }
    }
}
