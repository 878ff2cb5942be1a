//! Values that TOML has no form for, each refused with what is expected in its place.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use dayfly_core::transport::ProxySecret;
use serde::{Deserialize as _, Deserializer, de};
use zeroize::Zeroizing;

use crate::grpc::BackendAddress;
use crate::proxy::Network;

/// An address and a port; whoever leaves out the port is told so.
pub(super) fn socket_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    parse_address(&String::deserialize(deserializer)?)
}

pub(super) fn socket_addresses<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<SocketAddr>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| parse_address(text)).collect()
}

pub(super) fn some_socket_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    socket_address(deserializer).map(Some)
}

/// Names as they stand in a Host header, in lower case and without a port.
pub(super) fn hosts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let host = |text: String| {
        let named = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
        if (named && !text.is_empty()) || text.parse::<IpAddr>().is_ok() {
            return Ok(text.to_ascii_lowercase());
        }
        let expected = "expected a name or an address without a port, such as \"admin.example.org\"";
        Err(de::Error::custom(format!("{text:?} is no host, {expected}")))
    };
    texts.into_iter().map(host).collect()
}

pub(super) fn backend_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BackendAddress, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

fn parse_address<E: de::Error>(text: &str) -> Result<SocketAddr, E> {
    text.parse().map_err(|_| {
        de::Error::custom(format!(
            "{text:?} is no address to listen on, expected one such as \"127.0.0.1:4430\""
        ))
    })
}

pub(super) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Network>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    if texts.is_empty() {
        return Err(de::Error::custom("no network is named, expected those of the balancers"));
    }
    let network = |text: &String| {
        text.parse().map_err(|_| {
            let expected = "expected one such as \"10.0.0.0/8\" or \"fd00::/8\"";
            de::Error::custom(format!("{text:?} is no network, {expected}"))
        })
    };
    texts.iter().map(network).collect()
}

/// What is wrong with a secret does not repeat it.
pub(super) fn proxy_secrets<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Arc<ProxySecret>>, D::Error> {
    let texts = Zeroizing::new(Vec::<String>::deserialize(deserializer)?);
    let secret = |text: &String| {
        proxy_secret(text).map(Arc::new).ok_or_else(|| {
            de::Error::custom("no secret of a proxy, expected dd and 32 more hexadecimal digits")
        })
    };
    texts.iter().map(secret).collect()
}

fn proxy_secret(text: &str) -> Option<ProxySecret> {
    let digits = text.strip_prefix("dd")?;
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 16]);
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
    }
    Some(ProxySecret::take(&mut bytes))
}
