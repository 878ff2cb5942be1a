//! What stands around a call: layer, client info, order, compression. Peeled off through any nesting.

use std::borrow::Cow;

use dayfly_tl::api::{
    AuthBindTempAuthKey, InitConnection, InitConnection7d7f18cf, InitConnection69796de9,
    InitConnection785188b8, InitConnectionc7481da6, InvokeAfterMsg, InvokeAfterMsgs, InvokeWithLayer,
    InvokeWithoutUpdates,
};
use dayfly_tl::mtproto::GzipPacked;
use dayfly_tl::{Read, Reader, read_exact};

use super::gzip::{self, GzipError};
use super::msg_id::MsgId;
use crate::holds;

/// What a client says of itself in `initConnection`. Texts are cut to 128 bytes, and not to be trusted with a
/// terminal.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientInfo {
    /// `api_id`.
    pub api_id: i32,
    /// `device_model`.
    pub device_model: String,
    /// `system_version`.
    pub system_version: String,
    /// `app_version`.
    pub app_version: String,
    /// `lang_code`.
    pub lang_code: String,
}

/// A call without its wrappers, and what they said.
#[derive(Clone, Debug)]
pub struct Peeled<'a> {
    /// Of the innermost `invokeWithLayer`.
    pub layer: Option<i32>,
    /// Of the innermost `initConnection`.
    pub client: Option<ClientInfo>,
    /// Whether `invokeWithoutUpdates` stood around it.
    pub without_updates: bool,
    /// The messages of `invokeAfterMsg` and `invokeAfterMsgs`, after which it wants to run; at most 1024.
    pub after: Vec<MsgId>,
    bytes: Cow<'a, [u8]>,
    start: usize,
}

/// Why a call does not come out of its wrappers.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PeelError {
    /// More wrappers than anyone needs.
    #[error("the call is wrapped more than {MAX_DEPTH} times")]
    TooDeep,
    /// A wrapper is cut or damaged, or there is no call in it.
    #[error("a wrapper of the call is damaged")]
    Malformed,
    /// More messages to wait for than a container holds.
    #[error("the call names too many messages to wait for")]
    TooMany,
    /// A compressed call does not unpack.
    #[error(transparent)]
    Gzip(#[from] GzipError),
}

impl PeelError {
    /// What the client is told: `error_code` and `error_message` of the rpc_error.
    #[must_use]
    pub fn rpc_error(self) -> (i32, &'static str) {
        match self {
            Self::Gzip(GzipError::TooLong) => (400, "INPUT_REQUEST_TOO_LONG"),
            _ => (400, "INPUT_FETCH_ERROR"),
        }
    }
}

impl Peeled<'_> {
    /// The call itself, its constructor first.
    #[must_use]
    pub fn query(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The constructor of the call; 0 if there are not even 4 bytes.
    #[must_use]
    pub fn constructor(&self) -> u32 {
        Reader::new(self.query()).peek_id().unwrap_or(0)
    }
}

/// Peels `invokeWithLayer`, `initConnection` in all its forms, `invokeWithoutUpdates`, `invokeAfterMsg(s)`
/// and `gzip_packed` off a call, in any order (rules PF-05, PF-11, PF-18). No compressed part may unpack to
/// more than `limit`.
///
/// # Errors
/// [`PeelError`]; of what is inside the innermost wrapper nothing is said.
pub fn peel(body: &[u8], limit: usize) -> Result<Peeled<'_>, PeelError> {
    let mut peeled = Peeled {
        layer: None,
        client: None,
        without_updates: false,
        after: Vec::new(),
        bytes: Cow::Borrowed(body),
        start: 0,
    };
    for _ in 0..MAX_DEPTH {
        if !step(&mut peeled, limit)? {
            return Ok(peeled);
        }
    }
    Err(PeelError::TooDeep)
}

/// Whether the call is auth.bindTempAuthKey, bare or wrapped.
#[must_use]
pub fn is_bind(body: &[u8], limit: usize) -> bool {
    peel(body, limit).is_ok_and(|peeled| peeled.constructor() == AuthBindTempAuthKey::CONSTRUCTOR)
}

/// Takes one wrapper off; `false` if there is none.
fn step(peeled: &mut Peeled<'_>, limit: usize) -> Result<bool, PeelError> {
    let query = peeled.bytes.get(peeled.start..).unwrap_or_default();
    let id = Reader::new(query).peek_id().map_err(|_| PeelError::Malformed)?;
    if id == GzipPacked::CONSTRUCTOR {
        let unpacked = gzip::unpack(query, limit)?;
        (peeled.bytes, peeled.start) = (Cow::Owned(unpacked), 0);
        return Ok(true);
    }
    let Some(wrapper) = Wrapper::read(id, query)? else { return Ok(false) };
    let inner = wrapper.inner;
    peeled.start = peeled.bytes.len().saturating_sub(inner); // every wrapper ends with what it wraps
    match wrapper.says {
        Says::Layer(layer) => peeled.layer = Some(layer),
        Says::Client(client) => peeled.client = Some(client),
        Says::WithoutUpdates => peeled.without_updates = true,
        Says::After(ids) => peeled.after.extend(ids),
    }
    if peeled.after.len() > MAX_AFTER {
        return Err(PeelError::TooMany);
    }
    Ok(true)
}

struct Wrapper {
    says: Says,
    /// How many bytes are inside.
    inner: usize,
}

enum Says {
    Layer(i32),
    Client(ClientInfo),
    WithoutUpdates,
    After(Vec<MsgId>),
}

impl Wrapper {
    fn read(id: u32, bytes: &[u8]) -> Result<Option<Self>, PeelError> {
        Ok(Some(match id {
            InvokeWithLayer::CONSTRUCTOR => {
                let InvokeWithLayer { layer, query } = whole(bytes)?;
                Self { says: Says::Layer(layer), inner: query.len() }
            }
            InvokeWithoutUpdates::CONSTRUCTOR => {
                let InvokeWithoutUpdates { query } = whole(bytes)?;
                Self { says: Says::WithoutUpdates, inner: query.len() }
            }
            InvokeAfterMsg::CONSTRUCTOR => {
                let InvokeAfterMsg { msg_id, query } = whole(bytes)?;
                Self { says: Says::After(vec![MsgId::from_long(msg_id)]), inner: query.len() }
            }
            InvokeAfterMsgs::CONSTRUCTOR => {
                let InvokeAfterMsgs { msg_ids, query } = whole(bytes)?;
                let after = msg_ids.iter().take(MAX_AFTER.saturating_add(1)).map(MsgId::from_long).collect();
                Self { says: Says::After(after), inner: query.len() }
            }
            InitConnection::CONSTRUCTOR => whole::<InitConnection<'_>>(bytes)?.into(),
            InitConnection785188b8::CONSTRUCTOR => whole::<InitConnection785188b8<'_>>(bytes)?.into(),
            InitConnection7d7f18cf::CONSTRUCTOR => whole::<InitConnection7d7f18cf<'_>>(bytes)?.into(),
            InitConnectionc7481da6::CONSTRUCTOR => whole::<InitConnectionc7481da6<'_>>(bytes)?.into(),
            InitConnection69796de9::CONSTRUCTOR => whole::<InitConnection69796de9<'_>>(bytes)?.into(),
            _ => return Ok(None),
        }))
    }
}

macro_rules! client_info_of {
    ($($form:ident),*) => {$(
        impl From<$form<'_>> for Wrapper {
            fn from(init: $form<'_>) -> Self {
                let client = ClientInfo {
                    api_id: init.api_id,
                    device_model: short(init.device_model),
                    system_version: short(init.system_version),
                    app_version: short(init.app_version),
                    lang_code: short(init.lang_code),
                };
                Self { says: Says::Client(client), inner: init.query.len() }
            }
        }
    )*};
}

client_info_of!(
    InitConnection,
    InitConnection785188b8,
    InitConnection7d7f18cf,
    InitConnectionc7481da6,
    InitConnection69796de9
);

fn whole<'a, T: Read<'a>>(bytes: &'a [u8]) -> Result<T, PeelError> {
    read_exact(bytes).map_err(|_| PeelError::Malformed)
}

/// A bounded copy of a text of the client's.
fn short(text: &[u8]) -> String {
    let length = if holds!("PF-11.short", text.len() <= MAX_TEXT) { text.len() } else { MAX_TEXT };
    String::from_utf8_lossy(text.get(..length).unwrap_or_default()).into_owned()
}

/// How many wrappers a call may have.
const MAX_DEPTH: usize = 16;
/// How many messages a call may wait for.
const MAX_AFTER: usize = 1024;
/// Bytes kept of each text.
const MAX_TEXT: usize = 128;

#[cfg(test)]
mod tests {
    use dayfly_tl::api::{HelpGetConfig, InputClientProxy, JsonNull, JsonValue};
    use dayfly_tl::to_bytes;
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1 << 16;

    fn config() -> Vec<u8> {
        to_bytes(&HelpGetConfig)
    }

    fn init(query: &[u8]) -> Vec<u8> {
        to_bytes(&InitConnection {
            api_id: 17,
            device_model: b"lamp",
            system_version: b"2",
            app_version: b"3",
            system_lang_code: b"en",
            lang_pack: b"",
            lang_code: b"de",
            proxy: Some(InputClientProxy { address: b"localhost", port: 1 }),
            params: Some(JsonValue::JsonNull(JsonNull)),
            query,
        })
    }

    fn layer(query: &[u8]) -> Vec<u8> {
        to_bytes(&InvokeWithLayer { layer: 230, query })
    }

    fn lamp() -> ClientInfo {
        ClientInfo {
            api_id: 17,
            device_model: "lamp".into(),
            system_version: "2".into(),
            app_version: "3".into(),
            lang_code: "de".into(),
        }
    }

    /// Long enough that packing it makes it shorter.
    fn packed(query: &[u8]) -> Vec<u8> {
        use std::io::Write as _;
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(query).unwrap();
        to_bytes(&GzipPacked { packed_data: &encoder.finish().unwrap() })
    }

    #[test]
    fn a_bare_call_stays_as_it_is() {
        let body = config();
        let peeled = peel(&body, LIMIT).unwrap();
        assert_eq!((peeled.query(), peeled.layer, peeled.client.as_ref()), (&body[..], None, None));
    }

    // rule: PF-11, PF-18
    #[test]
    fn either_nesting_gives_layer_and_client_info() {
        for body in [
            layer(&init(&config())),
            init(&layer(&config())),
            packed(&layer(&packed(&init(&packed(&config()))))),
        ] {
            let peeled = peel(&body, LIMIT).unwrap();
            assert_eq!((peeled.query(), peeled.layer), (&config()[..], Some(230)));
            assert_eq!(peeled.client, Some(lamp()));
        }
    }

    // rule: PF-05
    #[test]
    fn the_other_wrappers_come_off_too() {
        let after = to_bytes(&InvokeAfterMsg { msg_id: 4, query: &config() });
        let afters = to_bytes(&InvokeAfterMsgs { msg_ids: vec![8, 12].into(), query: &after });
        let body = to_bytes(&InvokeWithoutUpdates { query: &afters });
        let peeled = peel(&body, LIMIT).unwrap();
        assert_eq!((peeled.query(), peeled.without_updates), (&config()[..], true));
        assert_eq!(peeled.after, [MsgId(8), MsgId(12), MsgId(4)]);
    }

    // rule: PF-11
    #[test]
    fn older_forms_of_init_connection_are_read() {
        let query = &config();
        let (device_model, system_version, app_version, lang_code) = (b"lamp", b"2", b"3", b"de");
        let (system_lang_code, lang_pack, api_id, proxy) = (b"en", b"", 17, None);
        let forms = [
            to_bytes(&InitConnection69796de9 {
                api_id,
                device_model,
                system_version,
                app_version,
                lang_code,
                query,
            }),
            to_bytes(&InitConnectionc7481da6 {
                api_id,
                device_model,
                system_version,
                app_version,
                system_lang_code,
                lang_pack,
                lang_code,
                query,
            }),
            to_bytes(&InitConnection785188b8 {
                api_id,
                device_model,
                system_version,
                app_version,
                system_lang_code,
                lang_pack,
                lang_code,
                proxy,
                query,
            }),
            to_bytes(&InitConnection7d7f18cf {
                api_id,
                api_hash: Some(b"hash"),
                device_model,
                system_version,
                app_version,
                system_lang_code,
                lang_pack,
                lang_code,
                proxy: None,
                query,
            }),
        ];
        for body in forms {
            let peeled = peel(&body, LIMIT).unwrap();
            assert_eq!((peeled.query(), peeled.client.clone()), (&config()[..], Some(lamp())));
        }
    }

    // rule: PF-11
    #[test]
    fn texts_of_the_client_are_cut() {
        let body = to_bytes(&InitConnection69796de9 {
            api_id: 1,
            device_model: &[b'x'; 5000],
            system_version: &[0xff; 5000],
            app_version: b"",
            lang_code: b"",
            query: &config(),
        });
        let client = peel(&body, LIMIT).unwrap().client.unwrap();
        assert_eq!((client.device_model.len(), client.system_version.chars().count()), (128, 128));
    }

    #[test]
    fn endless_wrappers_are_refused() {
        let wrap =
            |times| (0..times).fold(config(), |query, _| to_bytes(&InvokeWithoutUpdates { query: &query }));
        assert!(peel(&wrap(15), LIMIT).is_ok());
        assert_eq!(peel(&wrap(16), LIMIT).err(), Some(PeelError::TooDeep));
    }

    // rule: MS-12
    #[test]
    fn a_call_that_unpacks_beyond_the_bound_gets_a_400() {
        let error = peel(&packed(&vec![0; LIMIT + 4]), LIMIT).unwrap_err();
        assert_eq!(error.rpc_error(), (400, "INPUT_REQUEST_TOO_LONG"));
    }

    #[test]
    fn a_wrapper_around_nothing_is_malformed() {
        assert_eq!(peel(&layer(&[]), LIMIT).err(), Some(PeelError::Malformed));
        assert_eq!(peel(&init(&config())[..20], LIMIT).err(), Some(PeelError::Malformed));
        assert_eq!(peel(&[], LIMIT).err(), Some(PeelError::Malformed));
        let many = to_bytes(&InvokeAfterMsgs { msg_ids: vec![4; 2000].into(), query: &config() });
        assert_eq!(peel(&many, LIMIT).err(), Some(PeelError::TooMany));
    }

    // rule: PF-18
    #[test]
    fn a_bind_is_seen_through_its_wrappers() {
        let bind = to_bytes(&AuthBindTempAuthKey {
            perm_auth_key_id: 1,
            nonce: 2,
            expires_at: 3,
            encrypted_message: &[0; 104],
        });
        assert!(is_bind(&bind, LIMIT) && is_bind(&packed(&layer(&init(&bind))), LIMIT));
        assert!(!is_bind(&layer(&config()), LIMIT));
    }

    proptest! {
        #[test]
        fn damaged_wrappers_never_panic(at in 0usize..80, bit in 0u8..8, cut in 0usize..90) {
            let mut body = layer(&init(&packed(&config())));
            let at = at % body.len();
            body[at] ^= 1 << bit;
            body.truncate(cut.max(4));
            if let Ok(peeled) = peel(&body, LIMIT) {
                prop_assert!(peeled.query().len() >= 4);
            }
        }
    }
}
