//! As much of TL as the example needs.

/// `help.getInviteText`.
pub const GET_INVITE_TEXT: u32 = 0x4d39_2343;
/// `updates.getState`.
pub const GET_STATE: u32 = 0xedd4_882a;
/// `account.updateStatus`.
pub const UPDATE_STATUS: u32 = 0x6628_562c;

const INVITE_TEXT: u32 = 0x18cb_9f78;
const STATE: u32 = 0xa56c_2a3e;
const UPDATES_TOO_LONG: u32 = 0xe317_af7e;
const BOOL_TRUE: u32 = 0x9972_75b5;
const BOOL_FALSE: u32 = 0xbc79_9737;

/// The constructor in front of a call; 0 if it is shorter than that.
#[must_use]
pub fn method_of(body: &[u8]) -> u32 {
    body.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// `help.inviteText` with `message`, of which the first 253 bytes are taken.
#[must_use]
pub fn invite_text(message: &str) -> Vec<u8> {
    let text: Vec<u8> = message.bytes().take(253).collect();
    let mut bytes = INVITE_TEXT.to_le_bytes().to_vec();
    bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    bytes.extend(text);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// `updates.state`: nothing has happened but `pts` updates.
#[must_use]
pub fn state(pts: u32) -> Vec<u8> {
    [STATE, pts, 0, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// `updatesTooLong`: the client should ask for its state.
#[must_use]
pub fn updates_too_long() -> Vec<u8> {
    UPDATES_TOO_LONG.to_le_bytes().to_vec()
}

/// `boolTrue` or `boolFalse`.
#[must_use]
pub fn boolean(value: bool) -> Vec<u8> {
    if value { BOOL_TRUE } else { BOOL_FALSE }.to_le_bytes().to_vec()
}
