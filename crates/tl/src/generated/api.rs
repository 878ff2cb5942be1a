//! The types of `schema/api.tl`, each beside its line there.
//!
//! Written by `cargo xtask tl`; do not edit.

use super::{flag, has};
use crate::*;

/// The layer that the schema is of.
pub const LAYER: i32 = 230;

/// `boolFalse#bc799737 = Bool`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoolFalse;

impl BoolFalse {
    /// The constructor id of `boolFalse`.
    pub const CONSTRUCTOR: u32 = 0xbc79_9737;
}

impl Constructor for BoolFalse {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "boolFalse";
}

impl<'a> ReadBare<'a> for BoolFalse {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for BoolFalse {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `boolTrue#997275b5 = Bool`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoolTrue;

impl BoolTrue {
    /// The constructor id of `boolTrue`.
    pub const CONSTRUCTOR: u32 = 0x9972_75b5;
}

impl Constructor for BoolTrue {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "boolTrue";
}

impl<'a> ReadBare<'a> for BoolTrue {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for BoolTrue {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `inputClientProxy#75588b3f address:string port:int = InputClientProxy`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputClientProxy<'a> {
    /// `address:string`
    pub address: &'a [u8],
    /// `port:int`
    pub port: i32,
}

impl InputClientProxy<'_> {
    /// The constructor id of `inputClientProxy`.
    pub const CONSTRUCTOR: u32 = 0x7558_8b3f;
}

impl Constructor for InputClientProxy<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "inputClientProxy";
}

impl<'a> ReadBare<'a> for InputClientProxy<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { address: reader.bytes()?, port: reader.i32()? })
    }
}

impl WriteBare for InputClientProxy<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.address);
        out.i32(self.port);
    }
}

/// `jsonObjectValue#c0de1bd9 key:string value:JSONValue = JSONObjectValue`
#[derive(Clone, Debug, PartialEq)]
pub struct JsonObjectValue<'a> {
    /// `key:string`
    pub key: &'a [u8],
    /// `value:JSONValue`
    pub value: JsonValue<'a>,
}

impl JsonObjectValue<'_> {
    /// The constructor id of `jsonObjectValue`.
    pub const CONSTRUCTOR: u32 = 0xc0de_1bd9;
}

impl Constructor for JsonObjectValue<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "jsonObjectValue";
}

impl<'a> ReadBare<'a> for JsonObjectValue<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { key: reader.bytes()?, value: Read::read(reader)? })
    }
}

impl WriteBare for JsonObjectValue<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.key);
        self.value.write_to(out);
    }
}

/// `jsonNull#3f6d7b68 = JSONValue`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JsonNull;

impl JsonNull {
    /// The constructor id of `jsonNull`.
    pub const CONSTRUCTOR: u32 = 0x3f6d_7b68;
}

impl Constructor for JsonNull {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "jsonNull";
}

impl<'a> ReadBare<'a> for JsonNull {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for JsonNull {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `jsonBool#c7345e6a value:Bool = JSONValue`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JsonBool {
    /// `value:Bool`
    pub value: bool,
}

impl JsonBool {
    /// The constructor id of `jsonBool`.
    pub const CONSTRUCTOR: u32 = 0xc734_5e6a;
}

impl Constructor for JsonBool {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "jsonBool";
}

impl<'a> ReadBare<'a> for JsonBool {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { value: reader.bool()? })
    }
}

impl WriteBare for JsonBool {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bool(self.value);
    }
}

/// `jsonNumber#2be0dfa4 value:double = JSONValue`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JsonNumber {
    /// `value:double`
    pub value: f64,
}

impl JsonNumber {
    /// The constructor id of `jsonNumber`.
    pub const CONSTRUCTOR: u32 = 0x2be0_dfa4;
}

impl Constructor for JsonNumber {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "jsonNumber";
}

impl<'a> ReadBare<'a> for JsonNumber {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { value: reader.f64()? })
    }
}

impl WriteBare for JsonNumber {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.f64(self.value);
    }
}

/// `jsonString#b71e767a value:string = JSONValue`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JsonString<'a> {
    /// `value:string`
    pub value: &'a [u8],
}

impl JsonString<'_> {
    /// The constructor id of `jsonString`.
    pub const CONSTRUCTOR: u32 = 0xb71e_767a;
}

impl Constructor for JsonString<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "jsonString";
}

impl<'a> ReadBare<'a> for JsonString<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { value: reader.bytes()? })
    }
}

impl WriteBare for JsonString<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.value);
    }
}

/// `jsonArray#f7444763 value:Vector<JSONValue> = JSONValue`
#[derive(Clone, Debug, PartialEq)]
pub struct JsonArray<'a> {
    /// `value:Vector<JSONValue>`
    pub value: Vec<JsonValue<'a>>,
}

impl JsonArray<'_> {
    /// The constructor id of `jsonArray`.
    pub const CONSTRUCTOR: u32 = 0xf744_4763;
}

impl Constructor for JsonArray<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "jsonArray";
}

impl<'a> ReadBare<'a> for JsonArray<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { value: reader.vector(Read::read)? })
    }
}

impl WriteBare for JsonArray<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.vector(&self.value, |out, item| item.write_to(out));
    }
}

/// `jsonObject#99c1d49d value:Vector<JSONObjectValue> = JSONValue`
#[derive(Clone, Debug, PartialEq)]
pub struct JsonObject<'a> {
    /// `value:Vector<JSONObjectValue>`
    pub value: Vec<JsonObjectValue<'a>>,
}

impl JsonObject<'_> {
    /// The constructor id of `jsonObject`.
    pub const CONSTRUCTOR: u32 = 0x99c1_d49d;
}

impl Constructor for JsonObject<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "jsonObject";
}

impl<'a> ReadBare<'a> for JsonObject<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { value: reader.vector(Read::read)? })
    }
}

impl WriteBare for JsonObject<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.vector(&self.value, |out, item| item.write_to(out));
    }
}

/// `reactionEmpty#79f5d419 = Reaction`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReactionEmpty;

impl ReactionEmpty {
    /// The constructor id of `reactionEmpty`.
    pub const CONSTRUCTOR: u32 = 0x79f5_d419;
}

impl Constructor for ReactionEmpty {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "reactionEmpty";
}

impl<'a> ReadBare<'a> for ReactionEmpty {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for ReactionEmpty {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `reactionEmoji#1b2286b8 emoticon:string = Reaction`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReactionEmoji<'a> {
    /// `emoticon:string`
    pub emoticon: &'a [u8],
}

impl ReactionEmoji<'_> {
    /// The constructor id of `reactionEmoji`.
    pub const CONSTRUCTOR: u32 = 0x1b22_86b8;
}

impl Constructor for ReactionEmoji<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "reactionEmoji";
}

impl<'a> ReadBare<'a> for ReactionEmoji<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { emoticon: reader.bytes()? })
    }
}

impl WriteBare for ReactionEmoji<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.emoticon);
    }
}

/// `reactionCustomEmoji#8935fc73 document_id:long = Reaction`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReactionCustomEmoji {
    /// `document_id:long`
    pub document_id: i64,
}

impl ReactionCustomEmoji {
    /// The constructor id of `reactionCustomEmoji`.
    pub const CONSTRUCTOR: u32 = 0x8935_fc73;
}

impl Constructor for ReactionCustomEmoji {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "reactionCustomEmoji";
}

impl<'a> ReadBare<'a> for ReactionCustomEmoji {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { document_id: reader.i64()? })
    }
}

impl WriteBare for ReactionCustomEmoji {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.document_id);
    }
}

/// `reactionPaid#523da4eb = Reaction`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReactionPaid;

impl ReactionPaid {
    /// The constructor id of `reactionPaid`.
    pub const CONSTRUCTOR: u32 = 0x523d_a4eb;
}

impl Constructor for ReactionPaid {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "reactionPaid";
}

impl<'a> ReadBare<'a> for ReactionPaid {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for ReactionPaid {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `dcOption#18b7a10d flags:# ipv6:flags.0?true media_only:flags.1?true tcpo_only:flags.2?true cdn:flags.3?true static:flags.4?true this_port_only:flags.5?true id:int ip_address:string port:int secret:flags.10?bytes = DcOption`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DcOption<'a> {
    /// `ipv6:flags.0?true`
    pub ipv6: bool,
    /// `media_only:flags.1?true`
    pub media_only: bool,
    /// `tcpo_only:flags.2?true`
    pub tcpo_only: bool,
    /// `cdn:flags.3?true`
    pub cdn: bool,
    /// `static:flags.4?true`
    pub r#static: bool,
    /// `this_port_only:flags.5?true`
    pub this_port_only: bool,
    /// `id:int`
    pub id: i32,
    /// `ip_address:string`
    pub ip_address: &'a [u8],
    /// `port:int`
    pub port: i32,
    /// `secret:flags.10?bytes`
    pub secret: Option<&'a [u8]>,
}

impl DcOption<'_> {
    /// The constructor id of `dcOption`.
    pub const CONSTRUCTOR: u32 = 0x18b7_a10d;
}

impl Constructor for DcOption<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "dcOption";
}

impl<'a> ReadBare<'a> for DcOption<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let flags = reader.u32()?;
        let ipv6 = has(flags, 0);
        let media_only = has(flags, 1);
        let tcpo_only = has(flags, 2);
        let cdn = has(flags, 3);
        let r#static = has(flags, 4);
        let this_port_only = has(flags, 5);
        let id = reader.i32()?;
        let ip_address = reader.bytes()?;
        let port = reader.i32()?;
        let secret = reader.optional(has(flags, 10), Reader::bytes)?;
        Ok(Self { ipv6, media_only, tcpo_only, cdn, r#static, this_port_only, id, ip_address, port, secret })
    }
}

impl WriteBare for DcOption<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        let mut flags = 0;
        flags |= flag(0, self.ipv6);
        flags |= flag(1, self.media_only);
        flags |= flag(2, self.tcpo_only);
        flags |= flag(3, self.cdn);
        flags |= flag(4, self.r#static);
        flags |= flag(5, self.this_port_only);
        flags |= flag(10, self.secret.is_some());
        out.u32(flags);
        out.i32(self.id);
        out.bytes(self.ip_address);
        out.i32(self.port);
        if let Some(secret) = &self.secret {
            out.bytes(secret);
        }
    }
}

/// `config#cc1a241e flags:# default_p2p_contacts:flags.3?true preload_featured_stickers:flags.4?true revoke_pm_inbox:flags.6?true blocked_mode:flags.8?true force_try_ipv6:flags.14?true date:int expires:int test_mode:Bool this_dc:int dc_options:Vector<DcOption> dc_txt_domain_name:string chat_size_max:int megagroup_size_max:int forwarded_count_max:int online_update_period_ms:int offline_blur_timeout_ms:int offline_idle_timeout_ms:int online_cloud_timeout_ms:int notify_cloud_delay_ms:int notify_default_delay_ms:int push_chat_period_ms:int push_chat_limit:int edit_time_limit:int revoke_time_limit:int revoke_pm_time_limit:int rating_e_decay:int stickers_recent_limit:int channels_read_media_period:int tmp_sessions:flags.0?int call_receive_timeout_ms:int call_ring_timeout_ms:int call_connect_timeout_ms:int call_packet_timeout_ms:int me_url_prefix:string autoupdate_url_prefix:flags.7?string gif_search_username:flags.9?string venue_search_username:flags.10?string img_search_username:flags.11?string static_maps_provider:flags.12?string caption_length_max:int message_length_max:int webfile_dc_id:int suggested_lang_code:flags.2?string lang_pack_version:flags.2?int base_lang_pack_version:flags.2?int reactions_default:flags.15?Reaction autologin_token:flags.16?string = Config`
#[derive(Clone, Debug, PartialEq)]
pub struct Config<'a> {
    /// `default_p2p_contacts:flags.3?true`
    pub default_p2p_contacts: bool,
    /// `preload_featured_stickers:flags.4?true`
    pub preload_featured_stickers: bool,
    /// `revoke_pm_inbox:flags.6?true`
    pub revoke_pm_inbox: bool,
    /// `blocked_mode:flags.8?true`
    pub blocked_mode: bool,
    /// `force_try_ipv6:flags.14?true`
    pub force_try_ipv6: bool,
    /// `date:int`
    pub date: i32,
    /// `expires:int`
    pub expires: i32,
    /// `test_mode:Bool`
    pub test_mode: bool,
    /// `this_dc:int`
    pub this_dc: i32,
    /// `dc_options:Vector<DcOption>`
    pub dc_options: Vec<DcOption<'a>>,
    /// `dc_txt_domain_name:string`
    pub dc_txt_domain_name: &'a [u8],
    /// `chat_size_max:int`
    pub chat_size_max: i32,
    /// `megagroup_size_max:int`
    pub megagroup_size_max: i32,
    /// `forwarded_count_max:int`
    pub forwarded_count_max: i32,
    /// `online_update_period_ms:int`
    pub online_update_period_ms: i32,
    /// `offline_blur_timeout_ms:int`
    pub offline_blur_timeout_ms: i32,
    /// `offline_idle_timeout_ms:int`
    pub offline_idle_timeout_ms: i32,
    /// `online_cloud_timeout_ms:int`
    pub online_cloud_timeout_ms: i32,
    /// `notify_cloud_delay_ms:int`
    pub notify_cloud_delay_ms: i32,
    /// `notify_default_delay_ms:int`
    pub notify_default_delay_ms: i32,
    /// `push_chat_period_ms:int`
    pub push_chat_period_ms: i32,
    /// `push_chat_limit:int`
    pub push_chat_limit: i32,
    /// `edit_time_limit:int`
    pub edit_time_limit: i32,
    /// `revoke_time_limit:int`
    pub revoke_time_limit: i32,
    /// `revoke_pm_time_limit:int`
    pub revoke_pm_time_limit: i32,
    /// `rating_e_decay:int`
    pub rating_e_decay: i32,
    /// `stickers_recent_limit:int`
    pub stickers_recent_limit: i32,
    /// `channels_read_media_period:int`
    pub channels_read_media_period: i32,
    /// `tmp_sessions:flags.0?int`
    pub tmp_sessions: Option<i32>,
    /// `call_receive_timeout_ms:int`
    pub call_receive_timeout_ms: i32,
    /// `call_ring_timeout_ms:int`
    pub call_ring_timeout_ms: i32,
    /// `call_connect_timeout_ms:int`
    pub call_connect_timeout_ms: i32,
    /// `call_packet_timeout_ms:int`
    pub call_packet_timeout_ms: i32,
    /// `me_url_prefix:string`
    pub me_url_prefix: &'a [u8],
    /// `autoupdate_url_prefix:flags.7?string`
    pub autoupdate_url_prefix: Option<&'a [u8]>,
    /// `gif_search_username:flags.9?string`
    pub gif_search_username: Option<&'a [u8]>,
    /// `venue_search_username:flags.10?string`
    pub venue_search_username: Option<&'a [u8]>,
    /// `img_search_username:flags.11?string`
    pub img_search_username: Option<&'a [u8]>,
    /// `static_maps_provider:flags.12?string`
    pub static_maps_provider: Option<&'a [u8]>,
    /// `caption_length_max:int`
    pub caption_length_max: i32,
    /// `message_length_max:int`
    pub message_length_max: i32,
    /// `webfile_dc_id:int`
    pub webfile_dc_id: i32,
    /// `suggested_lang_code:flags.2?string`
    pub suggested_lang_code: Option<&'a [u8]>,
    /// `lang_pack_version:flags.2?int`
    pub lang_pack_version: Option<i32>,
    /// `base_lang_pack_version:flags.2?int`
    pub base_lang_pack_version: Option<i32>,
    /// `reactions_default:flags.15?Reaction`
    pub reactions_default: Option<Reaction<'a>>,
    /// `autologin_token:flags.16?string`
    pub autologin_token: Option<&'a [u8]>,
}

impl Config<'_> {
    /// The constructor id of `config`.
    pub const CONSTRUCTOR: u32 = 0xcc1a_241e;
}

impl Constructor for Config<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "config";
}

impl<'a> ReadBare<'a> for Config<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let flags = reader.u32()?;
        let default_p2p_contacts = has(flags, 3);
        let preload_featured_stickers = has(flags, 4);
        let revoke_pm_inbox = has(flags, 6);
        let blocked_mode = has(flags, 8);
        let force_try_ipv6 = has(flags, 14);
        let date = reader.i32()?;
        let expires = reader.i32()?;
        let test_mode = reader.bool()?;
        let this_dc = reader.i32()?;
        let dc_options = reader.vector(Read::read)?;
        let dc_txt_domain_name = reader.bytes()?;
        let chat_size_max = reader.i32()?;
        let megagroup_size_max = reader.i32()?;
        let forwarded_count_max = reader.i32()?;
        let online_update_period_ms = reader.i32()?;
        let offline_blur_timeout_ms = reader.i32()?;
        let offline_idle_timeout_ms = reader.i32()?;
        let online_cloud_timeout_ms = reader.i32()?;
        let notify_cloud_delay_ms = reader.i32()?;
        let notify_default_delay_ms = reader.i32()?;
        let push_chat_period_ms = reader.i32()?;
        let push_chat_limit = reader.i32()?;
        let edit_time_limit = reader.i32()?;
        let revoke_time_limit = reader.i32()?;
        let revoke_pm_time_limit = reader.i32()?;
        let rating_e_decay = reader.i32()?;
        let stickers_recent_limit = reader.i32()?;
        let channels_read_media_period = reader.i32()?;
        let tmp_sessions = reader.optional(has(flags, 0), Reader::i32)?;
        let call_receive_timeout_ms = reader.i32()?;
        let call_ring_timeout_ms = reader.i32()?;
        let call_connect_timeout_ms = reader.i32()?;
        let call_packet_timeout_ms = reader.i32()?;
        let me_url_prefix = reader.bytes()?;
        let autoupdate_url_prefix = reader.optional(has(flags, 7), Reader::bytes)?;
        let gif_search_username = reader.optional(has(flags, 9), Reader::bytes)?;
        let venue_search_username = reader.optional(has(flags, 10), Reader::bytes)?;
        let img_search_username = reader.optional(has(flags, 11), Reader::bytes)?;
        let static_maps_provider = reader.optional(has(flags, 12), Reader::bytes)?;
        let caption_length_max = reader.i32()?;
        let message_length_max = reader.i32()?;
        let webfile_dc_id = reader.i32()?;
        let suggested_lang_code = reader.optional(has(flags, 2), Reader::bytes)?;
        let lang_pack_version = reader.optional(has(flags, 2), Reader::i32)?;
        let base_lang_pack_version = reader.optional(has(flags, 2), Reader::i32)?;
        let reactions_default = reader.optional(has(flags, 15), Read::read)?;
        let autologin_token = reader.optional(has(flags, 16), Reader::bytes)?;
        Ok(Self {
            default_p2p_contacts,
            preload_featured_stickers,
            revoke_pm_inbox,
            blocked_mode,
            force_try_ipv6,
            date,
            expires,
            test_mode,
            this_dc,
            dc_options,
            dc_txt_domain_name,
            chat_size_max,
            megagroup_size_max,
            forwarded_count_max,
            online_update_period_ms,
            offline_blur_timeout_ms,
            offline_idle_timeout_ms,
            online_cloud_timeout_ms,
            notify_cloud_delay_ms,
            notify_default_delay_ms,
            push_chat_period_ms,
            push_chat_limit,
            edit_time_limit,
            revoke_time_limit,
            revoke_pm_time_limit,
            rating_e_decay,
            stickers_recent_limit,
            channels_read_media_period,
            tmp_sessions,
            call_receive_timeout_ms,
            call_ring_timeout_ms,
            call_connect_timeout_ms,
            call_packet_timeout_ms,
            me_url_prefix,
            autoupdate_url_prefix,
            gif_search_username,
            venue_search_username,
            img_search_username,
            static_maps_provider,
            caption_length_max,
            message_length_max,
            webfile_dc_id,
            suggested_lang_code,
            lang_pack_version,
            base_lang_pack_version,
            reactions_default,
            autologin_token,
        })
    }
}

impl WriteBare for Config<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        let mut flags = 0;
        flags |= flag(3, self.default_p2p_contacts);
        flags |= flag(4, self.preload_featured_stickers);
        flags |= flag(6, self.revoke_pm_inbox);
        flags |= flag(8, self.blocked_mode);
        flags |= flag(14, self.force_try_ipv6);
        flags |= flag(0, self.tmp_sessions.is_some());
        flags |= flag(7, self.autoupdate_url_prefix.is_some());
        flags |= flag(9, self.gif_search_username.is_some());
        flags |= flag(10, self.venue_search_username.is_some());
        flags |= flag(11, self.img_search_username.is_some());
        flags |= flag(12, self.static_maps_provider.is_some());
        flags |= flag(2, self.suggested_lang_code.is_some());
        flags |= flag(2, self.lang_pack_version.is_some());
        flags |= flag(2, self.base_lang_pack_version.is_some());
        flags |= flag(15, self.reactions_default.is_some());
        flags |= flag(16, self.autologin_token.is_some());
        out.u32(flags);
        out.i32(self.date);
        out.i32(self.expires);
        out.bool(self.test_mode);
        out.i32(self.this_dc);
        out.vector(&self.dc_options, |out, item| item.write_to(out));
        out.bytes(self.dc_txt_domain_name);
        out.i32(self.chat_size_max);
        out.i32(self.megagroup_size_max);
        out.i32(self.forwarded_count_max);
        out.i32(self.online_update_period_ms);
        out.i32(self.offline_blur_timeout_ms);
        out.i32(self.offline_idle_timeout_ms);
        out.i32(self.online_cloud_timeout_ms);
        out.i32(self.notify_cloud_delay_ms);
        out.i32(self.notify_default_delay_ms);
        out.i32(self.push_chat_period_ms);
        out.i32(self.push_chat_limit);
        out.i32(self.edit_time_limit);
        out.i32(self.revoke_time_limit);
        out.i32(self.revoke_pm_time_limit);
        out.i32(self.rating_e_decay);
        out.i32(self.stickers_recent_limit);
        out.i32(self.channels_read_media_period);
        if let Some(tmp_sessions) = &self.tmp_sessions {
            out.i32(*tmp_sessions);
        }
        out.i32(self.call_receive_timeout_ms);
        out.i32(self.call_ring_timeout_ms);
        out.i32(self.call_connect_timeout_ms);
        out.i32(self.call_packet_timeout_ms);
        out.bytes(self.me_url_prefix);
        if let Some(autoupdate_url_prefix) = &self.autoupdate_url_prefix {
            out.bytes(autoupdate_url_prefix);
        }
        if let Some(gif_search_username) = &self.gif_search_username {
            out.bytes(gif_search_username);
        }
        if let Some(venue_search_username) = &self.venue_search_username {
            out.bytes(venue_search_username);
        }
        if let Some(img_search_username) = &self.img_search_username {
            out.bytes(img_search_username);
        }
        if let Some(static_maps_provider) = &self.static_maps_provider {
            out.bytes(static_maps_provider);
        }
        out.i32(self.caption_length_max);
        out.i32(self.message_length_max);
        out.i32(self.webfile_dc_id);
        if let Some(suggested_lang_code) = &self.suggested_lang_code {
            out.bytes(suggested_lang_code);
        }
        if let Some(lang_pack_version) = &self.lang_pack_version {
            out.i32(*lang_pack_version);
        }
        if let Some(base_lang_pack_version) = &self.base_lang_pack_version {
            out.i32(*base_lang_pack_version);
        }
        if let Some(reactions_default) = &self.reactions_default {
            reactions_default.write_to(out);
        }
        if let Some(autologin_token) = &self.autologin_token {
            out.bytes(autologin_token);
        }
    }
}

/// `nearestDc#8e1a1775 country:string this_dc:int nearest_dc:int = NearestDc`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearestDc<'a> {
    /// `country:string`
    pub country: &'a [u8],
    /// `this_dc:int`
    pub this_dc: i32,
    /// `nearest_dc:int`
    pub nearest_dc: i32,
}

impl NearestDc<'_> {
    /// The constructor id of `nearestDc`.
    pub const CONSTRUCTOR: u32 = 0x8e1a_1775;
}

impl Constructor for NearestDc<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "nearestDc";
}

impl<'a> ReadBare<'a> for NearestDc<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { country: reader.bytes()?, this_dc: reader.i32()?, nearest_dc: reader.i32()? })
    }
}

impl WriteBare for NearestDc<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.country);
        out.i32(self.this_dc);
        out.i32(self.nearest_dc);
    }
}

/// `invokeAfterMsg#cb9f372d {X:Type} msg_id:long query:!X = X`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvokeAfterMsg<'a> {
    /// `msg_id:long`
    pub msg_id: i64,
    /// `query:!X`
    pub query: &'a [u8],
}

impl InvokeAfterMsg<'_> {
    /// The constructor id of `invokeAfterMsg`.
    pub const CONSTRUCTOR: u32 = 0xcb9f_372d;
}

impl Constructor for InvokeAfterMsg<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "invokeAfterMsg";
}

impl<'a> ReadBare<'a> for InvokeAfterMsg<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { msg_id: reader.i64()?, query: reader.rest() })
    }
}

impl WriteBare for InvokeAfterMsg<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.msg_id);
        out.raw(self.query);
    }
}

/// `invokeAfterMsgs#3dc4b4f0 {X:Type} msg_ids:Vector<long> query:!X = X`
#[derive(Clone, Debug, PartialEq)]
pub struct InvokeAfterMsgs<'a> {
    /// `msg_ids:Vector<long>`
    pub msg_ids: LongVec<'a>,
    /// `query:!X`
    pub query: &'a [u8],
}

impl InvokeAfterMsgs<'_> {
    /// The constructor id of `invokeAfterMsgs`.
    pub const CONSTRUCTOR: u32 = 0x3dc4_b4f0;
}

impl Constructor for InvokeAfterMsgs<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "invokeAfterMsgs";
}

impl<'a> ReadBare<'a> for InvokeAfterMsgs<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { msg_ids: reader.longs()?, query: reader.rest() })
    }
}

impl WriteBare for InvokeAfterMsgs<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.longs(&self.msg_ids);
        out.raw(self.query);
    }
}

/// `invokeWithLayer#da9b0d0d {X:Type} layer:int query:!X = X`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvokeWithLayer<'a> {
    /// `layer:int`
    pub layer: i32,
    /// `query:!X`
    pub query: &'a [u8],
}

impl InvokeWithLayer<'_> {
    /// The constructor id of `invokeWithLayer`.
    pub const CONSTRUCTOR: u32 = 0xda9b_0d0d;
}

impl Constructor for InvokeWithLayer<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "invokeWithLayer";
}

impl<'a> ReadBare<'a> for InvokeWithLayer<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { layer: reader.i32()?, query: reader.rest() })
    }
}

impl WriteBare for InvokeWithLayer<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i32(self.layer);
        out.raw(self.query);
    }
}

/// `invokeWithoutUpdates#bf9459b7 {X:Type} query:!X = X`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvokeWithoutUpdates<'a> {
    /// `query:!X`
    pub query: &'a [u8],
}

impl InvokeWithoutUpdates<'_> {
    /// The constructor id of `invokeWithoutUpdates`.
    pub const CONSTRUCTOR: u32 = 0xbf94_59b7;
}

impl Constructor for InvokeWithoutUpdates<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "invokeWithoutUpdates";
}

impl<'a> ReadBare<'a> for InvokeWithoutUpdates<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { query: reader.rest() })
    }
}

impl WriteBare for InvokeWithoutUpdates<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(self.query);
    }
}

/// `initConnection#c1cd5ea9 {X:Type} flags:# api_id:int device_model:string system_version:string app_version:string system_lang_code:string lang_pack:string lang_code:string proxy:flags.0?InputClientProxy params:flags.1?JSONValue query:!X = X`
#[derive(Clone, Debug, PartialEq)]
pub struct InitConnection<'a> {
    /// `api_id:int`
    pub api_id: i32,
    /// `device_model:string`
    pub device_model: &'a [u8],
    /// `system_version:string`
    pub system_version: &'a [u8],
    /// `app_version:string`
    pub app_version: &'a [u8],
    /// `system_lang_code:string`
    pub system_lang_code: &'a [u8],
    /// `lang_pack:string`
    pub lang_pack: &'a [u8],
    /// `lang_code:string`
    pub lang_code: &'a [u8],
    /// `proxy:flags.0?InputClientProxy`
    pub proxy: Option<InputClientProxy<'a>>,
    /// `params:flags.1?JSONValue`
    pub params: Option<JsonValue<'a>>,
    /// `query:!X`
    pub query: &'a [u8],
}

impl InitConnection<'_> {
    /// The constructor id of `initConnection`.
    pub const CONSTRUCTOR: u32 = 0xc1cd_5ea9;
}

impl Constructor for InitConnection<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "initConnection";
}

impl<'a> ReadBare<'a> for InitConnection<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let flags = reader.u32()?;
        let api_id = reader.i32()?;
        let device_model = reader.bytes()?;
        let system_version = reader.bytes()?;
        let app_version = reader.bytes()?;
        let system_lang_code = reader.bytes()?;
        let lang_pack = reader.bytes()?;
        let lang_code = reader.bytes()?;
        let proxy = reader.optional(has(flags, 0), Read::read)?;
        let params = reader.optional(has(flags, 1), Read::read)?;
        let query = reader.rest();
        Ok(Self {
            api_id,
            device_model,
            system_version,
            app_version,
            system_lang_code,
            lang_pack,
            lang_code,
            proxy,
            params,
            query,
        })
    }
}

impl WriteBare for InitConnection<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        let mut flags = 0;
        flags |= flag(0, self.proxy.is_some());
        flags |= flag(1, self.params.is_some());
        out.u32(flags);
        out.i32(self.api_id);
        out.bytes(self.device_model);
        out.bytes(self.system_version);
        out.bytes(self.app_version);
        out.bytes(self.system_lang_code);
        out.bytes(self.lang_pack);
        out.bytes(self.lang_code);
        if let Some(proxy) = &self.proxy {
            proxy.write_to(out);
        }
        if let Some(params) = &self.params {
            params.write_to(out);
        }
        out.raw(self.query);
    }
}

/// `auth.bindTempAuthKey#cdd42a05 perm_auth_key_id:long nonce:long expires_at:int encrypted_message:bytes = Bool`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AuthBindTempAuthKey<'a> {
    /// `perm_auth_key_id:long`
    pub perm_auth_key_id: i64,
    /// `nonce:long`
    pub nonce: i64,
    /// `expires_at:int`
    pub expires_at: i32,
    /// `encrypted_message:bytes`
    pub encrypted_message: &'a [u8],
}

impl AuthBindTempAuthKey<'_> {
    /// The constructor id of `auth.bindTempAuthKey`.
    pub const CONSTRUCTOR: u32 = 0xcdd4_2a05;
}

impl Constructor for AuthBindTempAuthKey<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "auth.bindTempAuthKey";
}

impl<'a> ReadBare<'a> for AuthBindTempAuthKey<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            perm_auth_key_id: reader.i64()?,
            nonce: reader.i64()?,
            expires_at: reader.i32()?,
            encrypted_message: reader.bytes()?,
        })
    }
}

impl WriteBare for AuthBindTempAuthKey<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.perm_auth_key_id);
        out.i64(self.nonce);
        out.i32(self.expires_at);
        out.bytes(self.encrypted_message);
    }
}

/// `auth.dropTempAuthKeys#8e48a188 except_auth_keys:Vector<long> = Bool`
#[derive(Clone, Debug, PartialEq)]
pub struct AuthDropTempAuthKeys<'a> {
    /// `except_auth_keys:Vector<long>`
    pub except_auth_keys: LongVec<'a>,
}

impl AuthDropTempAuthKeys<'_> {
    /// The constructor id of `auth.dropTempAuthKeys`.
    pub const CONSTRUCTOR: u32 = 0x8e48_a188;
}

impl Constructor for AuthDropTempAuthKeys<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "auth.dropTempAuthKeys";
}

impl<'a> ReadBare<'a> for AuthDropTempAuthKeys<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { except_auth_keys: reader.longs()? })
    }
}

impl WriteBare for AuthDropTempAuthKeys<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.longs(&self.except_auth_keys);
    }
}

/// `help.getConfig#c4f9186b = Config`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HelpGetConfig;

impl HelpGetConfig {
    /// The constructor id of `help.getConfig`.
    pub const CONSTRUCTOR: u32 = 0xc4f9_186b;
}

impl Constructor for HelpGetConfig {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "help.getConfig";
}

impl<'a> ReadBare<'a> for HelpGetConfig {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for HelpGetConfig {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `help.getNearestDc#1fb33026 = NearestDc`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HelpGetNearestDc;

impl HelpGetNearestDc {
    /// The constructor id of `help.getNearestDc`.
    pub const CONSTRUCTOR: u32 = 0x1fb3_3026;
}

impl Constructor for HelpGetNearestDc {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "help.getNearestDc";
}

impl<'a> ReadBare<'a> for HelpGetNearestDc {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for HelpGetNearestDc {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `initConnection#785188b8 {X:Type} flags:# api_id:int device_model:string system_version:string app_version:string system_lang_code:string lang_pack:string lang_code:string proxy:flags.0?InputClientProxy query:!X = X`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitConnection785188b8<'a> {
    /// `api_id:int`
    pub api_id: i32,
    /// `device_model:string`
    pub device_model: &'a [u8],
    /// `system_version:string`
    pub system_version: &'a [u8],
    /// `app_version:string`
    pub app_version: &'a [u8],
    /// `system_lang_code:string`
    pub system_lang_code: &'a [u8],
    /// `lang_pack:string`
    pub lang_pack: &'a [u8],
    /// `lang_code:string`
    pub lang_code: &'a [u8],
    /// `proxy:flags.0?InputClientProxy`
    pub proxy: Option<InputClientProxy<'a>>,
    /// `query:!X`
    pub query: &'a [u8],
}

impl InitConnection785188b8<'_> {
    /// The constructor id of `initConnection`.
    pub const CONSTRUCTOR: u32 = 0x7851_88b8;
}

impl Constructor for InitConnection785188b8<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "initConnection";
}

impl<'a> ReadBare<'a> for InitConnection785188b8<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let flags = reader.u32()?;
        let api_id = reader.i32()?;
        let device_model = reader.bytes()?;
        let system_version = reader.bytes()?;
        let app_version = reader.bytes()?;
        let system_lang_code = reader.bytes()?;
        let lang_pack = reader.bytes()?;
        let lang_code = reader.bytes()?;
        let proxy = reader.optional(has(flags, 0), Read::read)?;
        let query = reader.rest();
        Ok(Self {
            api_id,
            device_model,
            system_version,
            app_version,
            system_lang_code,
            lang_pack,
            lang_code,
            proxy,
            query,
        })
    }
}

impl WriteBare for InitConnection785188b8<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        let mut flags = 0;
        flags |= flag(0, self.proxy.is_some());
        out.u32(flags);
        out.i32(self.api_id);
        out.bytes(self.device_model);
        out.bytes(self.system_version);
        out.bytes(self.app_version);
        out.bytes(self.system_lang_code);
        out.bytes(self.lang_pack);
        out.bytes(self.lang_code);
        if let Some(proxy) = &self.proxy {
            proxy.write_to(out);
        }
        out.raw(self.query);
    }
}

/// `initConnection#7d7f18cf {X:Type} flags:# api_id:int api_hash:flags.1?string device_model:string system_version:string app_version:string system_lang_code:string lang_pack:string lang_code:string proxy:flags.0?InputClientProxy query:!X = X`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitConnection7d7f18cf<'a> {
    /// `api_id:int`
    pub api_id: i32,
    /// `api_hash:flags.1?string`
    pub api_hash: Option<&'a [u8]>,
    /// `device_model:string`
    pub device_model: &'a [u8],
    /// `system_version:string`
    pub system_version: &'a [u8],
    /// `app_version:string`
    pub app_version: &'a [u8],
    /// `system_lang_code:string`
    pub system_lang_code: &'a [u8],
    /// `lang_pack:string`
    pub lang_pack: &'a [u8],
    /// `lang_code:string`
    pub lang_code: &'a [u8],
    /// `proxy:flags.0?InputClientProxy`
    pub proxy: Option<InputClientProxy<'a>>,
    /// `query:!X`
    pub query: &'a [u8],
}

impl InitConnection7d7f18cf<'_> {
    /// The constructor id of `initConnection`.
    pub const CONSTRUCTOR: u32 = 0x7d7f_18cf;
}

impl Constructor for InitConnection7d7f18cf<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "initConnection";
}

impl<'a> ReadBare<'a> for InitConnection7d7f18cf<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let flags = reader.u32()?;
        let api_id = reader.i32()?;
        let api_hash = reader.optional(has(flags, 1), Reader::bytes)?;
        let device_model = reader.bytes()?;
        let system_version = reader.bytes()?;
        let app_version = reader.bytes()?;
        let system_lang_code = reader.bytes()?;
        let lang_pack = reader.bytes()?;
        let lang_code = reader.bytes()?;
        let proxy = reader.optional(has(flags, 0), Read::read)?;
        let query = reader.rest();
        Ok(Self {
            api_id,
            api_hash,
            device_model,
            system_version,
            app_version,
            system_lang_code,
            lang_pack,
            lang_code,
            proxy,
            query,
        })
    }
}

impl WriteBare for InitConnection7d7f18cf<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        let mut flags = 0;
        flags |= flag(1, self.api_hash.is_some());
        flags |= flag(0, self.proxy.is_some());
        out.u32(flags);
        out.i32(self.api_id);
        if let Some(api_hash) = &self.api_hash {
            out.bytes(api_hash);
        }
        out.bytes(self.device_model);
        out.bytes(self.system_version);
        out.bytes(self.app_version);
        out.bytes(self.system_lang_code);
        out.bytes(self.lang_pack);
        out.bytes(self.lang_code);
        if let Some(proxy) = &self.proxy {
            proxy.write_to(out);
        }
        out.raw(self.query);
    }
}

/// `initConnection#c7481da6 {X:Type} api_id:int device_model:string system_version:string app_version:string system_lang_code:string lang_pack:string lang_code:string query:!X = X`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitConnectionc7481da6<'a> {
    /// `api_id:int`
    pub api_id: i32,
    /// `device_model:string`
    pub device_model: &'a [u8],
    /// `system_version:string`
    pub system_version: &'a [u8],
    /// `app_version:string`
    pub app_version: &'a [u8],
    /// `system_lang_code:string`
    pub system_lang_code: &'a [u8],
    /// `lang_pack:string`
    pub lang_pack: &'a [u8],
    /// `lang_code:string`
    pub lang_code: &'a [u8],
    /// `query:!X`
    pub query: &'a [u8],
}

impl InitConnectionc7481da6<'_> {
    /// The constructor id of `initConnection`.
    pub const CONSTRUCTOR: u32 = 0xc748_1da6;
}

impl Constructor for InitConnectionc7481da6<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "initConnection";
}

impl<'a> ReadBare<'a> for InitConnectionc7481da6<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            api_id: reader.i32()?,
            device_model: reader.bytes()?,
            system_version: reader.bytes()?,
            app_version: reader.bytes()?,
            system_lang_code: reader.bytes()?,
            lang_pack: reader.bytes()?,
            lang_code: reader.bytes()?,
            query: reader.rest(),
        })
    }
}

impl WriteBare for InitConnectionc7481da6<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i32(self.api_id);
        out.bytes(self.device_model);
        out.bytes(self.system_version);
        out.bytes(self.app_version);
        out.bytes(self.system_lang_code);
        out.bytes(self.lang_pack);
        out.bytes(self.lang_code);
        out.raw(self.query);
    }
}

/// `initConnection#69796de9 {X:Type} api_id:int device_model:string system_version:string app_version:string lang_code:string query:!X = X`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitConnection69796de9<'a> {
    /// `api_id:int`
    pub api_id: i32,
    /// `device_model:string`
    pub device_model: &'a [u8],
    /// `system_version:string`
    pub system_version: &'a [u8],
    /// `app_version:string`
    pub app_version: &'a [u8],
    /// `lang_code:string`
    pub lang_code: &'a [u8],
    /// `query:!X`
    pub query: &'a [u8],
}

impl InitConnection69796de9<'_> {
    /// The constructor id of `initConnection`.
    pub const CONSTRUCTOR: u32 = 0x6979_6de9;
}

impl Constructor for InitConnection69796de9<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "initConnection";
}

impl<'a> ReadBare<'a> for InitConnection69796de9<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            api_id: reader.i32()?,
            device_model: reader.bytes()?,
            system_version: reader.bytes()?,
            app_version: reader.bytes()?,
            lang_code: reader.bytes()?,
            query: reader.rest(),
        })
    }
}

impl WriteBare for InitConnection69796de9<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i32(self.api_id);
        out.bytes(self.device_model);
        out.bytes(self.system_version);
        out.bytes(self.app_version);
        out.bytes(self.lang_code);
        out.raw(self.query);
    }
}

/// The boxed type `JSONValue`
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum JsonValue<'a> {
    /// `jsonNull#3f6d7b68`
    JsonNull(JsonNull),
    /// `jsonBool#c7345e6a`
    JsonBool(JsonBool),
    /// `jsonNumber#2be0dfa4`
    JsonNumber(JsonNumber),
    /// `jsonString#b71e767a`
    JsonString(JsonString<'a>),
    /// `jsonArray#f7444763`
    JsonArray(JsonArray<'a>),
    /// `jsonObject#99c1d49d`
    JsonObject(JsonObject<'a>),
}

impl<'a> Read<'a> for JsonValue<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            JsonNull::CONSTRUCTOR => reader.nested(Read::read).map(Self::JsonNull),
            JsonBool::CONSTRUCTOR => reader.nested(Read::read).map(Self::JsonBool),
            JsonNumber::CONSTRUCTOR => reader.nested(Read::read).map(Self::JsonNumber),
            JsonString::CONSTRUCTOR => reader.nested(Read::read).map(Self::JsonString),
            JsonArray::CONSTRUCTOR => reader.nested(Read::read).map(Self::JsonArray),
            JsonObject::CONSTRUCTOR => reader.nested(Read::read).map(Self::JsonObject),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for JsonValue<'_> {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::JsonNull(value) => value.write_to(out),
            Self::JsonBool(value) => value.write_to(out),
            Self::JsonNumber(value) => value.write_to(out),
            Self::JsonString(value) => value.write_to(out),
            Self::JsonArray(value) => value.write_to(out),
            Self::JsonObject(value) => value.write_to(out),
        }
    }
}

/// The boxed type `Reaction`
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum Reaction<'a> {
    /// `reactionEmpty#79f5d419`
    ReactionEmpty(ReactionEmpty),
    /// `reactionEmoji#1b2286b8`
    ReactionEmoji(ReactionEmoji<'a>),
    /// `reactionCustomEmoji#8935fc73`
    ReactionCustomEmoji(ReactionCustomEmoji),
    /// `reactionPaid#523da4eb`
    ReactionPaid(ReactionPaid),
}

impl<'a> Read<'a> for Reaction<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            ReactionEmpty::CONSTRUCTOR => Read::read(reader).map(Self::ReactionEmpty),
            ReactionEmoji::CONSTRUCTOR => Read::read(reader).map(Self::ReactionEmoji),
            ReactionCustomEmoji::CONSTRUCTOR => Read::read(reader).map(Self::ReactionCustomEmoji),
            ReactionPaid::CONSTRUCTOR => Read::read(reader).map(Self::ReactionPaid),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for Reaction<'_> {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::ReactionEmpty(value) => value.write_to(out),
            Self::ReactionEmoji(value) => value.write_to(out),
            Self::ReactionCustomEmoji(value) => value.write_to(out),
            Self::ReactionPaid(value) => value.write_to(out),
        }
    }
}

/// The name of a constructor or function, for logs and transcripts.
#[must_use]
pub fn name_of(id: u32) -> Option<&'static str> {
    Some(match id {
        0xbc79_9737 => "boolFalse",
        0x9972_75b5 => "boolTrue",
        0x7558_8b3f => "inputClientProxy",
        0xc0de_1bd9 => "jsonObjectValue",
        0x3f6d_7b68 => "jsonNull",
        0xc734_5e6a => "jsonBool",
        0x2be0_dfa4 => "jsonNumber",
        0xb71e_767a => "jsonString",
        0xf744_4763 => "jsonArray",
        0x99c1_d49d => "jsonObject",
        0x79f5_d419 => "reactionEmpty",
        0x1b22_86b8 => "reactionEmoji",
        0x8935_fc73 => "reactionCustomEmoji",
        0x523d_a4eb => "reactionPaid",
        0x18b7_a10d => "dcOption",
        0xcc1a_241e => "config",
        0x8e1a_1775 => "nearestDc",
        0xcb9f_372d => "invokeAfterMsg",
        0x3dc4_b4f0 => "invokeAfterMsgs",
        0xda9b_0d0d => "invokeWithLayer",
        0xbf94_59b7 => "invokeWithoutUpdates",
        0xc1cd_5ea9 => "initConnection",
        0xcdd4_2a05 => "auth.bindTempAuthKey",
        0x8e48_a188 => "auth.dropTempAuthKeys",
        0xc4f9_186b => "help.getConfig",
        0x1fb3_3026 => "help.getNearestDc",
        0x7851_88b8 => "initConnection",
        0x7d7f_18cf => "initConnection",
        0xc748_1da6 => "initConnection",
        0x6979_6de9 => "initConnection",
        _ => return None,
    })
}

#[cfg(test)]
macro_rules! every_type {
    ($check:ident) => {
        $check!(api::BoolFalse, 0xbc79_9737);
        $check!(api::BoolTrue, 0x9972_75b5);
        $check!(api::InputClientProxy<'_>, 0x7558_8b3f);
        $check!(api::JsonObjectValue<'_>, 0xc0de_1bd9);
        $check!(api::JsonNull, 0x3f6d_7b68);
        $check!(api::JsonBool, 0xc734_5e6a);
        $check!(api::JsonNumber, 0x2be0_dfa4);
        $check!(api::JsonString<'_>, 0xb71e_767a);
        $check!(api::JsonArray<'_>, 0xf744_4763);
        $check!(api::JsonObject<'_>, 0x99c1_d49d);
        $check!(api::ReactionEmpty, 0x79f5_d419);
        $check!(api::ReactionEmoji<'_>, 0x1b22_86b8);
        $check!(api::ReactionCustomEmoji, 0x8935_fc73);
        $check!(api::ReactionPaid, 0x523d_a4eb);
        $check!(api::DcOption<'_>, 0x18b7_a10d);
        $check!(api::Config<'_>, 0xcc1a_241e);
        $check!(api::NearestDc<'_>, 0x8e1a_1775);
        $check!(api::InvokeAfterMsg<'_>, 0xcb9f_372d);
        $check!(api::InvokeAfterMsgs<'_>, 0x3dc4_b4f0);
        $check!(api::InvokeWithLayer<'_>, 0xda9b_0d0d);
        $check!(api::InvokeWithoutUpdates<'_>, 0xbf94_59b7);
        $check!(api::InitConnection<'_>, 0xc1cd_5ea9);
        $check!(api::AuthBindTempAuthKey<'_>, 0xcdd4_2a05);
        $check!(api::AuthDropTempAuthKeys<'_>, 0x8e48_a188);
        $check!(api::HelpGetConfig, 0xc4f9_186b);
        $check!(api::HelpGetNearestDc, 0x1fb3_3026);
        $check!(api::InitConnection785188b8<'_>, 0x7851_88b8);
        $check!(api::InitConnection7d7f18cf<'_>, 0x7d7f_18cf);
        $check!(api::InitConnectionc7481da6<'_>, 0xc748_1da6);
        $check!(api::InitConnection69796de9<'_>, 0x6979_6de9);
        $check!(api::JsonValue<'_>, 0x3f6d_7b68);
        $check!(api::JsonValue<'_>, 0xc734_5e6a);
        $check!(api::JsonValue<'_>, 0x2be0_dfa4);
        $check!(api::JsonValue<'_>, 0xb71e_767a);
        $check!(api::JsonValue<'_>, 0xf744_4763);
        $check!(api::JsonValue<'_>, 0x99c1_d49d);
        $check!(api::Reaction<'_>, 0x79f5_d419);
        $check!(api::Reaction<'_>, 0x1b22_86b8);
        $check!(api::Reaction<'_>, 0x8935_fc73);
        $check!(api::Reaction<'_>, 0x523d_a4eb);
    };
}
#[cfg(test)]
pub(crate) use every_type;
