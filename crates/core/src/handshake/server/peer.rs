//! Whom the bounds for each address count.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::mutant;

/// The address behind a connection, as the bounds count it: an IPv4 one whole, an IPv6 one by its /64 (rule HS-35).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PeerAddr {
    /// All 32 bits.
    V4(u32),
    /// The first 64 bits: one customer of an ordinary provider.
    V6(u64),
}

impl From<IpAddr> for PeerAddr {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.to_bits()),
            IpAddr::V6(v6) => {
                let bits = mutant!("HS-35.network", v6.to_bits() >> 64, v6.to_bits() & u128::from(u64::MAX));
                Self::V6(u64::try_from(bits).unwrap_or(u64::MAX))
            }
        }
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4(bits) => Ipv4Addr::from_bits(bits).fmt(f),
            Self::V6(bits) => write!(f, "{}/64", Ipv6Addr::from_bits(u128::from(bits) << 64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> PeerAddr {
        PeerAddr::from(address.parse::<IpAddr>().unwrap())
    }

    // rule: HS-35
    #[test]
    fn an_ipv6_customer_is_one_peer_and_a_mapped_ipv4_address_its_own() {
        assert_eq!(peer("2001:db8:1:2:3:4:5:6"), peer("2001:db8:1:2::1"));
        assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
        assert_eq!(peer("::ffff:192.0.2.7"), peer("192.0.2.7"));
        assert_ne!(peer("192.0.2.7"), peer("192.0.2.8"));
    }

    #[test]
    fn a_peer_is_shown_as_the_address_or_network_that_it_is() {
        assert_eq!(peer("192.0.2.7").to_string(), "192.0.2.7");
        assert_eq!(peer("2001:db8:1:2:3:4:5:6").to_string(), "2001:db8:1:2::/64");
    }
}
