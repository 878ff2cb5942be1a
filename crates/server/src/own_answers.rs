//! What answers calls when nothing else does.

use std::net::SocketAddr;

use dayfly_core::env::Now;
use dayfly_core::server::UpstreamCall;
use dayfly_core::session::server::Answer;
use dayfly_tl::{Constructor, api, to_bytes};

use crate::upstream::{Reply, Upstream};

/// Answers `help.getConfig` and `help.getNearestDc`, and refuses everything else with a name.
#[derive(Clone, Copy, Debug)]
pub struct OwnAnswers {
    /// The address that `dc_options` names.
    pub address: SocketAddr,
    /// The id of this DC.
    pub dc: u16,
    /// Whether this is a test server.
    pub test: bool,
    /// How many parallel sessions the main slot allows; told when there is more than one.
    pub tmp_sessions: usize,
}

/// For how long a client may take the answer of `help.getConfig` as it is.
const CONFIG_LASTS: u64 = 3600;

impl Upstream for OwnAnswers {
    fn call(&mut self, call: UpstreamCall, now: Now, reply: Reply) {
        reply.answer(self.answer(call.method(), now));
    }
}

impl OwnAnswers {
    /// What is said to a call of `method`, the constructor of the innermost query, at `now`.
    #[must_use]
    pub fn answer(&self, method: u32, now: Now) -> Answer {
        match method {
            api::HelpGetConfig::ID => Answer::Result(self.config(now)),
            api::HelpGetNearestDc::ID => Answer::Result(self.nearest_dc()),
            method => Answer::Error { code: 400, message: format!("INPUT_METHOD_INVALID_{method:08x}") },
        }
    }

    fn nearest_dc(&self) -> Vec<u8> {
        let dc = i32::from(self.dc);
        to_bytes(&api::NearestDc { country: b"ZZ", this_dc: dc, nearest_dc: dc })
    }

    fn config(&self, now: Now) -> Vec<u8> {
        let seconds = |unix: u64| i32::try_from(unix).unwrap_or(i32::MAX);
        let address = self.address.ip().to_string();
        let sessions = i32::try_from(self.tmp_sessions).unwrap_or(i32::MAX);
        to_bytes(&api::Config {
            date: seconds(now.unix_seconds()),
            expires: seconds(now.unix_seconds().saturating_add(CONFIG_LASTS)),
            test_mode: self.test,
            this_dc: i32::from(self.dc),
            dc_options: vec![self.dc_option(address.as_bytes())],
            tmp_sessions: (sessions > 1).then_some(sessions),
            ..quiet_config()
        })
    }

    fn dc_option<'a>(&self, ip_address: &'a [u8]) -> api::DcOption<'a> {
        api::DcOption {
            ipv6: self.address.is_ipv6(),
            media_only: false,
            tcpo_only: false,
            cdn: false,
            r#static: true,
            this_port_only: true,
            id: i32::from(self.dc),
            ip_address,
            port: i32::from(self.address.port()),
            secret: None,
        }
    }
}

/// The fields that say nothing of a key server; the figures are those that Telegram's servers give.
fn quiet_config() -> api::Config<'static> {
    api::Config {
        default_p2p_contacts: false,
        preload_featured_stickers: false,
        revoke_pm_inbox: false,
        blocked_mode: false,
        force_try_ipv6: false,
        date: 0,
        expires: 0,
        test_mode: false,
        this_dc: 0,
        dc_options: Vec::new(),
        dc_txt_domain_name: b"",
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: 100,
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5_000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1_500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: 172_800,
        revoke_time_limit: i32::MAX,
        revoke_pm_time_limit: i32::MAX,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: 90_000,
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: b"",
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: 1024,
        message_length_max: 4096,
        webfile_dc_id: 0,
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    }
}
