//! What points each client library at a server of ours.

use std::net::SocketAddr;
use std::path::Path;

use dayfly_server::{Allow, Config};

/// What somebody who has a client wants to know.
struct Hint {
    client: &'static str,
    /// What the server must allow for it.
    needs: &'static [Allow],
    /// Where the address and the key go; `DC`, `IP` and `PORT` are filled in.
    how: &'static str,
}

const HINTS: [Hint; 5] = [
    Hint {
        client: "mtcute",
        needs: &[],
        how: "network: { usePfs: true }, main and media DC { id: DC, ipAddress: 'IP', port: PORT }, addPublicKey(crypto, pem)",
    },
    Hint {
        client: "TDLib",
        needs: &[],
        how: "option use_pfs; address and key are compiled in: ConnectionCreator.cpp, PublicRsaKeySharedMain.cpp",
    },
    Hint {
        client: "Telethon",
        needs: &[Allow::NoPfs, Allow::OldRsa],
        how: "client.session.set_dc(DC, 'IP', PORT), telethon.crypto.rsa.add_key(pem, old=True)",
    },
    Hint {
        client: "gramjs",
        needs: &[Allow::NoPfs],
        how: "session.setDC(DC, 'IP', PORT), and a connection class that keeps the port; keys are compiled in: crypto/RSA.js",
    },
    Hint {
        client: "grammers",
        needs: &[Allow::NoPfs],
        how: "session.set_dc_option(..) with IP:PORT; keys are compiled in",
    },
];

/// How clients get to `address`, of a server that is configured so and whose public key lies in `pem`; a line each.
pub(crate) fn hints(config: &Config, address: SocketAddr, pem: &Path) -> Vec<String> {
    let own = format!("  dayfly     dayfly connect {address} --server-key {}", pem.display());
    let others = HINTS.iter().map(|hint| format!("  {:<10} {}", hint.client, hint.text(config, address)));
    let head = ["How clients get here; pem is the text of the public key".to_owned(), own];
    head.into_iter().chain(others).collect()
}

impl Hint {
    fn text(&self, config: &Config, address: SocketAddr) -> String {
        if !self.needs.iter().all(|need| config.allows(*need)) {
            let flags: Vec<&str> = self.needs.iter().map(|need| flag(*need)).collect();
            return format!("needs --allow {}", flags.join(","));
        }
        // PORT before IP: an address has no capital letters, the words around it have.
        let text = self.how.replace("PORT", &address.port().to_string());
        text.replace("DC,", &format!("{},", config.dc)).replace("IP", &address.ip().to_string())
    }
}

fn flag(allow: Allow) -> &'static str {
    match allow {
        Allow::NoPfs => "no-pfs",
        Allow::OldRsa => "old-rsa",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_is_served_gets_the_address_and_the_dc() {
        let config = Config { dc: 4, allow: vec![Allow::NoPfs, Allow::OldRsa], ..Config::default() };
        let address = "[::1]:4430".parse().unwrap();
        let texts: Vec<String> = HINTS.iter().map(|hint| hint.text(&config, address)).collect();
        assert!(texts[0].contains("{ id: 4, ipAddress: '::1', port: 4430 }"), "{}", texts[0]);
        assert!(texts[2].starts_with("client.session.set_dc(4, '::1', 4430), "), "{}", texts[2]);
        assert!(texts[3].starts_with("session.setDC(4, '::1', 4430), "), "{}", texts[3]);
    }

    #[test]
    fn a_client_that_is_not_served_gets_the_flag() {
        let address = "127.0.0.1:4430".parse().unwrap();
        let needs = HINTS.map(|hint| hint.text(&Config::default(), address));
        assert_eq!(
            needs[2..],
            ["needs --allow no-pfs,old-rsa", "needs --allow no-pfs", "needs --allow no-pfs"]
        );
    }
}
