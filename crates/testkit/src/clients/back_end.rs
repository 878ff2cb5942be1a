//! What stands behind the stage: the answers of a `dayfly serve` without a back end, kept as data.

use std::collections::BTreeMap;

use dayfly_core::env::Now;
use dayfly_core::server::UpstreamCall;
use dayfly_core::session::server::Answer;
use dayfly_tl::{Constructor, api, read_exact, to_bytes};

use super::Setup;
use crate::vectors::Hex;

/// Answers `help.getConfig` and `help.getNearestDc`, and nothing else.
pub(super) struct BackEnd {
    answers: BTreeMap<String, Hex>,
    not_inited: u32,
    calls: u32,
    dc: i32,
    tmp_sessions: usize,
}

impl BackEnd {
    pub(super) fn new(setup: &Setup) -> Self {
        let json = include_str!("../../../../vectors/clients/back_end/answers.json");
        let answers = serde_json::from_str(json).unwrap_or_else(|error| panic!("answers.json: {error}"));
        Self {
            answers,
            not_inited: setup.not_inited,
            calls: 0,
            dc: setup.dc,
            tmp_sessions: setup.tmp_sessions,
        }
    }

    pub(super) fn answer(&mut self, call: &UpstreamCall, now: Now) -> Answer {
        self.calls += 1;
        if self.calls == self.not_inited {
            return Answer::Error { code: 400, message: "CONNECTION_NOT_INITED".to_owned() };
        }
        match call.method() {
            api::HelpGetConfig::ID => Answer::Result(self.config(now)),
            api::HelpGetNearestDc::ID => Answer::Result(self.nearest_dc()),
            method => Answer::Error { code: 400, message: format!("INPUT_METHOD_INVALID_{method:08x}") },
        }
    }

    fn config(&self, now: Now) -> Vec<u8> {
        let bytes = self.kept("help.getConfig");
        let mut config: api::Config<'_> = read_exact(bytes).unwrap_or_else(|error| panic!("{error}"));
        config.date = i32::try_from(now.unix_seconds()).unwrap_or(i32::MAX);
        config.expires = config.date.saturating_add(3600);
        config.this_dc = self.dc % 10_000;
        config.test_mode = self.dc >= 10_000;
        config.tmp_sessions = i32::try_from(self.tmp_sessions).ok().filter(|sessions| *sessions > 1);
        to_bytes(&config)
    }

    fn nearest_dc(&self) -> Vec<u8> {
        let bytes = self.kept("help.getNearestDc");
        let mut nearest: api::NearestDc<'_> = read_exact(bytes).unwrap_or_else(|error| panic!("{error}"));
        (nearest.this_dc, nearest.nearest_dc) = (self.dc % 10_000, self.dc % 10_000);
        to_bytes(&nearest)
    }

    fn kept(&self, method: &str) -> &[u8] {
        self.answers.get(method).unwrap_or_else(|| panic!("answers.json has no {method}"))
    }
}
