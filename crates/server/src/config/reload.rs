//! What of a configuration a running server can take.

use super::Config;

impl Config {
    /// This configuration as a server takes it that runs by `running`: what only a start can change stays as it is there. Gives
    /// the keys whose values were kept so, too.
    #[must_use]
    pub fn reloaded(mut self, running: &Self) -> (Self, Vec<&'static str>) {
        let mut kept = Vec::new();
        macro_rules! keep {
            ($($key:ident)*) => {$(
                if self.$key != running.$key {
                    self.$key.clone_from(&running.$key);
                    kept.push(stringify!($key));
                }
            )*};
        }
        keep!(listen listen_also advertise proxy admin backend data_dir dc test cdn tmp_sessions event_log sealing);
        // Whoever adds a setting says here, or above, which it is.
        let Self {
            rsa_keys: _,
            proxy_secrets: _,
            strict_dc: _,
            allow: _,
            drain_seconds: _,
            tls: _,
            keys: _,
            limits: _,
            listen: _,
            listen_also: _,
            advertise: _,
            proxy: _,
            admin: _,
            backend: _,
            data_dir: _,
            dc: _,
            test: _,
            cdn: _,
            tmp_sessions: _,
            event_log: _,
            sealing: _,
        } = &self;
        (self, kept)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parse(text: &str) -> Config {
        Config::parse(text, Path::new("dayfly.toml")).unwrap()
    }

    #[test]
    fn what_only_a_start_can_change_is_kept_and_named() {
        let running = parse("dc = 2\nlisten = \"127.0.0.1:1\"\n[limits]\nconnections = 5");
        let next = parse("dc = 3\nlisten = \"127.0.0.1:2\"\nallow = [\"no-pfs\"]\n[limits]\nconnections = 6");
        let (config, kept) = next.reloaded(&running);
        assert_eq!(kept, ["listen", "dc"]);
        assert_eq!((config.dc, config.listen), (2, running.listen));
        assert_eq!((config.limits.connections, config.allow.len()), (Some(6), 1));
    }

    #[test]
    fn the_same_again_keeps_nothing_back() {
        let text =
            "[[proxy]]\nlisten = \"127.0.0.1:1\"\nnetworks = [\"10.0.0.0/8\"]\n[sealing]\nfile = \"a\"";
        assert!(parse(text).reloaded(&parse(text)).1.is_empty());
    }
}
