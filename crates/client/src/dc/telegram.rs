//! Telegram's own DCs.
//!
//! Source: the addresses are those that TDLib (td/telegram/net/ConnectionCreator.cpp, `get_default_dc_options`) and Telegram
//! Desktop (mtproto/mtproto_dc_options.cpp) are built with, at port 443; the keys stand in the same two, and their
//! fingerprints in the documentation. Where files are kept, help.getConfig tells: no address for media is built in.

use std::net::SocketAddr;

use dayfly_crypto::rsa_key::PublicKey;

use super::{Dc, DcTable};

const PRODUCTION: [[&str; 2]; 5] = [
    ["149.154.175.50:443", "[2001:b28:f23d:f001::a]:443"],
    ["149.154.167.51:443", "[2001:67c:4e8:f002::a]:443"],
    ["149.154.175.100:443", "[2001:b28:f23d:f003::a]:443"],
    ["149.154.167.91:443", "[2001:67c:4e8:f004::a]:443"],
    ["149.154.171.5:443", "[2001:b28:f23f:f005::a]:443"],
];

const TEST: [[&str; 2]; 3] = [
    ["149.154.175.10:443", "[2001:b28:f23d:f001::e]:443"],
    ["149.154.167.40:443", "[2001:67c:4e8:f002::e]:443"],
    ["149.154.175.117:443", "[2001:b28:f23d:f003::e]:443"],
];

const PRODUCTION_KEY: &str = "-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEA6LszBcC1LGzyr992NzE0ieY+BSaOW622Aa9Bd4ZHLl+TuFQ4lo4g
5nKaMBwK/BIb9xUfg0Q29/2mgIR6Zr9krM7HjuIcCzFvDtr+L0GQjae9H0pRB2OO
62cECs5HKhT5DZ98K33vmWiLowc621dQuwKWSQKjWf50XYFw42h21P2KXUGyp2y/
+aEyZ+uVgLLQbRA1dEjSDZ2iGRy12Mk5gpYc397aYp438fsJoHIgJ2lgMv5h7WY9
t6N/byY9Nw9p21Og3AoXSL2q/2IJ1WRUhebgAdGVMlV1fkuOQoEzR7EdpqtQD9Cs
5+bfo3Nhmcyvk5ftB0WkJ9z6bNZ7yxrP8wIDAQAB
-----END RSA PUBLIC KEY-----
";

const TEST_KEY: &str = "-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAyMEdY1aR+sCR3ZSJrtztKTKqigvO/vBfqACJLZtS7QMgCGXJ6XIR
yy7mx66W0/sOFa7/1mAZtEoIokDP3ShoqF4fVNb6XeqgQfaUHd8wJpDWHcR2OFwv
plUUI1PLTktZ9uW2WE23b+ixNwJjJGwBDJPQEQFBE+vfmH0JP503wr5INS1poWg/
j25sIWeYPHYeOrFp/eXaqhISP6G+q2IeTaWTXpwZj4LzXq5YOpk4bYEQ6mvRq7D1
aHWfYmlEGepfaYR8Q0YqvvhYtMte3ITnuSJs171+GDqpdKcSwHnd6FudwGO4pcCO
j4WcDuXc2CTHgH8gFTNhp/Y8/SpDOhvn9QIDAQAB
-----END RSA PUBLIC KEY-----
";

impl DcTable {
    /// Telegram's five production DCs.
    #[must_use]
    pub fn telegram() -> Self {
        Self::built_in(PRODUCTION_KEY, false, &PRODUCTION)
    }

    /// Telegram's three test DCs.
    #[must_use]
    pub fn telegram_test() -> Self {
        Self::built_in(TEST_KEY, true, &TEST)
    }

    fn built_in(key: &str, test: bool, addresses: &[[&str; 2]]) -> Self {
        let key = PublicKey::from_pem(key).expect("a key that is built in");
        let parsed = |text: &&str| text.parse::<SocketAddr>().expect("an address that is built in");
        (1..).zip(addresses).fold(Self::new([key].into(), test), |table, (number, addresses)| {
            table.with(number, Dc { addresses: addresses.iter().map(parsed).collect(), media: Vec::new() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprints(table: &DcTable) -> Vec<String> {
        table.keys().iter().map(|key| key.fingerprint().to_string()).collect()
    }

    #[test]
    fn the_keys_have_the_published_fingerprints() {
        assert_eq!(fingerprints(&DcTable::telegram()), ["d09d1d85de64fd85"]);
        assert_eq!(fingerprints(&DcTable::telegram_test()), ["b25898df208d2603"]);
    }

    #[test]
    fn each_dc_has_an_ipv4_and_an_ipv6_address() {
        for (table, ids) in [
            (DcTable::telegram(), (1..=5).collect::<Vec<i32>>()),
            (DcTable::telegram_test(), (10_001..=10_003).collect()),
        ] {
            assert_eq!(table.ids().map(|id| id.wire()).collect::<Vec<_>>(), ids);
            for id in table.ids() {
                let [four, six] = table.addresses(id).unwrap() else { panic!("two addresses of {id}") };
                assert!(four.is_ipv4() && six.is_ipv6(), "{id}");
            }
        }
    }
}
