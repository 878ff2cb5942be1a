//! Whom hostile bytes may be sent to: loopback, others with their owner's leave, Telegram never.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};

use anyhow::Context as _;
use dayfly_client::{DcTable, PublicKey};
use dayfly_server::Network;

use crate::commands::WrongUsage;

/// The networks that Telegram publishes as its own (core.telegram.org/resources/cidr.txt).
const TELEGRAM: [&str; 13] = [
    "91.105.192.0/23",
    "91.108.4.0/22",
    "91.108.8.0/22",
    "91.108.12.0/22",
    "91.108.16.0/22",
    "91.108.20.0/22",
    "91.108.56.0/22",
    "149.154.160.0/20",
    "185.76.151.0/24",
    "2001:67c:4e8::/48",
    "2001:b28:f23c::/47",
    "2001:b28:f23f::/48",
    "2a0a:f280::/32",
];

/// What is said to whoever tries.
const NEVER: &str = "is Telegram's own: hostile cases are never sent there, whatever is given";

/// The address to send to.
///
/// # Errors
/// [`WrongUsage`] if it may lie beyond loopback and that was not `authorized`, or is Telegram's own; a name that does not
/// resolve. Nothing was sent then: to resolve a name is to send, so that it takes `authorized` too.
pub(super) fn for_address(text: &str, authorized: bool) -> anyhow::Result<SocketAddr> {
    let places = match literal(text) {
        Some(address) => vec![address],
        None if text.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) => {
            return Err(WrongUsage(format!("{text:?} is no address: expected HOST:PORT")).into());
        }
        None if !authorized => return Err(beyond(text)),
        None => {
            text.to_socket_addrs().with_context(|| format!("{text}: the name does not resolve"))?.collect()
        }
    };
    if places.iter().any(|place| is_telegram(place.ip())) {
        return Err(WrongUsage(format!("{text} {NEVER}")).into());
    }
    match places.first() {
        Some(place) if authorized || place.ip().to_canonical().is_loopback() => Ok(*place),
        Some(_) => Err(beyond(text)),
        None => Err(WrongUsage(format!("{text}: the name has no address")).into()),
    }
}

/// Refuses to listen where others could come unasked.
///
/// # Errors
/// [`WrongUsage`] beyond loopback, if that was not `authorized`.
pub(super) fn for_listening(address: SocketAddr, authorized: bool) -> Result<(), WrongUsage> {
    if authorized || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(WrongUsage(format!("{address} is beyond loopback: --authorized says that the network is yours")))
}

/// Refuses Telegram's own keys: whatever answers with one of them is Telegram, behind a tunnel too.
///
/// # Errors
/// [`WrongUsage`].
pub(super) fn for_key(key: &PublicKey) -> anyhow::Result<()> {
    let tables = [DcTable::telegram(), DcTable::telegram_test()];
    let published = tables.iter().flat_map(|table| table.keys().iter());
    match published.map(PublicKey::fingerprint).find(|one| *one == key.fingerprint()) {
        Some(fingerprint) => Err(WrongUsage(format!("the key {fingerprint} {NEVER}")).into()),
        None => Ok(()),
    }
}

/// An address in figures, or this machine by its usual name.
fn literal(text: &str) -> Option<SocketAddr> {
    let local = || {
        let port = text.strip_prefix("localhost:")?.parse().ok()?;
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    };
    text.parse().ok().or_else(local)
}

fn beyond(text: &str) -> anyhow::Error {
    WrongUsage(format!(
        "{text} is beyond loopback: --authorized says that the server is yours, or that its owner agreed"
    ))
    .into()
}

fn is_telegram(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let networks = TELEGRAM.iter().map(|text| text.parse::<Network>());
    networks.flatten().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, authorized: bool) -> String {
        let error = for_address(text, authorized).unwrap_err();
        assert!(error.is::<WrongUsage>(), "{error}");
        error.to_string()
    }

    #[test]
    fn every_network_can_be_read() {
        assert!(TELEGRAM.iter().all(|text| text.parse::<Network>().is_ok()));
    }

    #[test]
    fn loopback_needs_no_leave_and_everything_else_does() {
        for text in ["127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "localhost:1"] {
            assert!(for_address(text, false).is_ok(), "{text}");
        }
        for text in ["192.0.2.1:443", "0.0.0.0:443", "[2001:db8::1]:443", "example.org:443", "localhost.:1"] {
            assert!(refused(text, false).contains("--authorized"), "{text}");
        }
        assert!(for_address("192.0.2.1:443", true).is_ok());
    }

    #[test]
    fn telegram_is_refused_with_leave_too() {
        let tables = [DcTable::telegram(), DcTable::telegram_test()];
        let known = tables.iter().flat_map(|table| table.ids().filter_map(|id| table.addresses(id)));
        let known: Vec<SocketAddr> = known.flatten().copied().collect();
        assert_eq!(known.len(), 16);
        for address in known {
            assert!(refused(&address.to_string(), true).contains("never"), "{address}");
        }
        for text in ["149.154.175.255:80", "[::ffff:149.154.167.51]:443", "[2001:b28:f23d:f001::a]:5222"] {
            assert!(refused(text, true).contains("never"), "{text}");
        }
        assert!(tables.iter().all(|table| for_key(&table.keys()[0]).is_err()));
    }

    #[test]
    fn listening_beyond_loopback_needs_leave() {
        for (address, is_free) in
            [("127.0.0.1:0", true), ("[::1]:1", true), ("0.0.0.0:1", false), ("[::]:1", false)]
        {
            let address = address.parse().unwrap();
            assert_eq!(for_listening(address, false).is_ok(), is_free, "{address}");
            assert!(for_listening(address, true).is_ok());
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        for text in ["", "127.0.0.1", "127.0.0.1:99999", "example.org", "[::1]"] {
            assert!(refused(text, true).ends_with("is no address: expected HOST:PORT"), "{text}");
        }
    }
}
