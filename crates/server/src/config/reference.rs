//! Every setting with its default and what it does: what `serve --print-config` prints and the handbook shows.

use std::fmt::Write as _;

use super::Config;

/// A table of the file; the first one has no name.
struct Table {
    header: &'static str,
    /// Where it is there by default, and what it is for.
    status: Status,
    about: &'static str,
    settings: &'static [Setting],
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Status {
    /// What stands behind is the default.
    Default,
    /// It is not set by default; what stands behind is an example.
    Example,
}

struct Setting {
    key: &'static str,
    status: Status,
    value: &'static str,
    about: &'static str,
}

const fn set(key: &'static str, value: &'static str, about: &'static str) -> Setting {
    Setting { key, status: Status::Default, value, about }
}

const fn example(key: &'static str, value: &'static str, about: &'static str) -> Setting {
    Setting { key, status: Status::Example, value, about }
}

impl Config {
    /// A file that sets every default, with what each setting does, and an example of each that is not set by default.
    #[must_use]
    pub fn commented_default() -> String {
        let mut text = String::new();
        for table in TABLES {
            let mark = if table.status == Status::Example { "# " } else { "" };
            if !table.header.is_empty() {
                text.push('\n');
                push_line(&mut text, &format!("{mark}{}", table.header), table.about);
            }
            for Setting { key, status, value, about } in table.settings {
                let mark = if *status == Status::Example { "# " } else { mark };
                push_line(&mut text, &format!("{mark}{key} = {value}"), about);
            }
        }
        text
    }
}

/// A line and, in a column of its own, what it does.
fn push_line(text: &mut String, line: &str, about: &str) {
    // Writing to a String does not fail.
    let _ = if about.is_empty() { writeln!(text, "{line}") } else { writeln!(text, "{line:<34}  # {about}") };
}

const TABLES: &[Table] = &[
    Table { header: "", status: Status::Default, about: "", settings: SERVER },
    Table {
        header: "[[proxy]]",
        status: Status::Example,
        about: "a listener for balancers, as often as needed",
        settings: PROXY,
    },
    Table {
        header: "[tls]",
        status: Status::Example,
        about: "HTTPS and secure WebSocket on the same addresses",
        settings: TLS,
    },
    Table {
        header: "[backend]",
        status: Status::Example,
        about: "what answers calls, see \"Writing a back end\"",
        settings: BACKEND,
    },
    Table {
        header: "[admin]",
        status: Status::Example,
        about: "metrics, health and the admin page; off until it listens",
        settings: ADMIN,
    },
    Table { header: "[admin.tls]", status: Status::Example, about: "", settings: ADMIN_TLS },
    Table {
        header: "[sealing]",
        status: Status::Default,
        about: "one of these; without any, a file in ~/.config/dayfly named by the store's id",
        settings: SEALING,
    },
    Table { header: "[keys]", status: Status::Default, about: "", settings: KEYS },
    Table { header: "[limits]", status: Status::Default, about: "", settings: LIMITS },
];

const SERVER: &[Setting] = &[
    set("listen", "\"127.0.0.1:4430\"", "where clients connect"),
    example("listen_also", "[\"[::1]:4430\"]", "more addresses, for the same clients"),
    example(
        "advertise",
        "\"203.0.113.5:4430\"",
        "what help.getConfig tells clients, if not the address listened on",
    ),
    example(
        "proxy_secrets",
        "[\"dd000102030405060708090a0b0c0d0e0f\"]",
        "of MTProxies whose clients are to be served",
    ),
    set("data_dir", "\"dayfly-data\"", "the RSA key, the store and the control socket"),
    example(
        "rsa_keys",
        "[{ file = \"new.pem\" }, { file = \"old.pem\", old_rsa = true }]",
        "offered in this order; without it server.pem in data_dir, made at the first start",
    ),
    set("dc", "2", "the id of this DC"),
    set("test", "false", "a test server: clients add 10000 to the dc"),
    set("strict_dc", "false", "take this DC's ids alone, others get -444"),
    set(
        "cdn",
        "false",
        "a CDN DC: nothing is bound, and an unbound temporary key may call what the back end serves",
    ),
    set("allow", "[]", "\"no-pfs\", \"old-rsa\" (under every RSA key)"),
    set("tmp_sessions", "1", "temporary keys that a permanent key may have in its main slot at once"),
    example("event_log", "\"events.jsonl\"", "JSON lines of what happened; no secrets"),
    set("drain_seconds", "5", "how long a stopping server answers what it owes"),
];

const PROXY: &[Setting] = &[
    set("listen", "\"10.0.0.1:4431\"", ""),
    set("networks", "[\"10.0.0.0/24\", \"fd00::1\"]", "where the balancers are"),
];

const TLS: &[Setting] =
    &[set("certificate", "\"/etc/dayfly/fullchain.pem\"", ""), set("key", "\"/etc/dayfly/privkey.pem\"", "")];

const BACKEND: &[Setting] = &[
    set(
        "address",
        "\"https://backend.example:7443\"",
        "or unix:/run/backend/backend.sock, or http://127.0.0.1:port",
    ),
    set("ca", "\"/etc/dayfly/backend-ca.pem\"", "with https: authorities of the back end's certificate,"),
    set("certificate", "\"/etc/dayfly/dayfly.pem\"", "our certificate"),
    set("key", "\"/etc/dayfly/dayfly.key\"", "and its key"),
    set("plain_tcp", "false", "whether http:// to this machine is wanted"),
    set("streams", "4", "conversations in parallel, 1 to 64"),
    set(
        "calls_in_flight",
        "1024",
        "a stream: calls that the back end has said nothing of, then 420 FLOOD_WAIT_1",
    ),
    set("calls_later", "16384", "a stream: calls that it has put off"),
    set("queue_bytes", "16777216", "a stream: bytes of calls that it has not read, then 420 FLOOD_WAIT_1"),
    set("message_bytes", "4194304", "the longest message either way, 65536 to 67108864"),
    set("silence_seconds", "60", "after which a back end that says nothing is given up"),
    set("takes_config", "false", "help.getConfig and help.getNearestDc go to the back end too"),
];

const ADMIN: &[Setting] = &[
    set("listen", "\"127.0.0.1:9190\"", "any address that others reach needs [admin.tls]"),
    set("token_file", "\"/etc/dayfly/admin.token\"", "mode 0600; made in data_dir, unless it is set"),
    set("hosts", "[\"admin.example.org\"]", "names under which it is asked for, beside this machine's own"),
];

const ADMIN_TLS: &[Setting] =
    &[set("certificate", "\"/etc/dayfly/admin.pem\"", ""), set("key", "\"/etc/dayfly/admin.key\"", "")];

const SEALING: &[Setting] = &[
    example("file", "\"/etc/dayfly/sealing.key\"", ""),
    example("credential", "\"dayfly-sealing\"", "a systemd credential"),
    example("descriptor", "3", "an open file descriptor"),
];

const KEYS: &[Setting] = &[
    set("temp_seconds", "172800", "the longest life of a temporary key"),
    set("unbound_seconds", "3600", "how long one may stay unbound"),
    set("unused_days", "7", "after which a permanent key that nothing was ever bound to goes"),
    set(
        "exponent_bits",
        "2048",
        "of the server's exponent a; a shorter one, at least 256, makes g_b^a up to seven times cheaper",
    ),
];

const LIMITS: &[Setting] = &[
    example(
        "connections",
        "10000",
        "open at once; as many as the process may open files, less 256, unless it is set",
    ),
    set("unfinished_handshakes", "20000", "in all"),
    set("unfinished_per_address", "2000", "the same for one address"),
    set("handshakes_per_address", "600", "private-key operations a minute, beyond it -429"),
    example("crypto_queue", "500", "costly jobs that may wait, beyond it -429; 250 for each processor"),
    set("frame_bytes", "1048576", "the largest encrypted frame"),
    set("answer_memory_bytes", "67108864", "of finished handshakes, for repeats"),
    set("temp_keys", "1000000", "at once"),
    set("first_frame_seconds", "60", "that a connection may stay silent at its beginning"),
    set("call_seconds", "30", "that the back end may take for a call, then 500 BACKEND_TIMEOUT"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("printed.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_printed_is_the_default() {
        let printed = parse(&Config::commented_default()).unwrap();
        assert_eq!(format!("{printed:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn every_example_can_be_set() {
        for Table { header, status, settings, .. } in TABLES {
            let line = |setting: &Setting| format!("{} = {}\n", setting.key, setting.value);
            // The settings of a table that is an example belong together; other examples may exclude each other.
            let texts: Vec<String> = match status {
                Status::Example => vec![settings.iter().map(line).collect()],
                Status::Default => settings.iter().map(line).collect(),
            };
            for text in texts {
                parse(&format!("{header}\n{text}")).unwrap_or_else(|error| panic!("{text}: {error}"));
            }
        }
    }

    /// The keys of a table, as the reader of the file names them when it refuses another one.
    fn known(header: &str) -> BTreeSet<String> {
        let refusal = parse(&format!("{header}\nno_such_key = 1")).unwrap_err();
        let expected = refusal.split_once("expected").expect(&refusal).1;
        expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// The name of the table and of the one that it is in: `[admin.tls]` is `tls` in `admin`.
    fn name_and_place(table: &Table) -> (&str, &str) {
        let name = table.header.trim_matches(['[', ']']);
        name.rsplit_once('.').map_or((name, ""), |(place, name)| (name, place))
    }

    #[test]
    fn every_setting_is_in_the_table_and_nothing_else() {
        for table in TABLES {
            let keys = table.settings.iter().map(|setting| setting.key);
            let own = table.header.trim_matches(['[', ']']);
            let below =
                TABLES.iter().map(name_and_place).filter(|(name, place)| *place == own && !name.is_empty());
            let listed: BTreeSet<String> =
                keys.chain(below.map(|(name, _)| name)).map(str::to_owned).collect();
            assert_eq!(listed, known(table.header), "{}", table.header);
        }
    }

    #[test]
    fn the_handbook_shows_what_is_printed() {
        let handbook = include_str!("../../../../docs/src/server.md");
        let block = format!("```toml\n{}```\n", Config::commented_default());
        assert!(handbook.contains(&block), "docs/src/server.md has to hold:\n{block}");
    }
}
