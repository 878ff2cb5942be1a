//! The types of `schema/mtproto.tl`, each beside its line there.
//!
//! Written by `cargo xtask tl`; do not edit.

use crate::*;

/// `resPQ#05162463 nonce:int128 server_nonce:int128 pq:bytes server_public_key_fingerprints:Vector<long> = ResPQ`
#[derive(Clone, Debug, PartialEq)]
pub struct ResPq<'a> {
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `pq:bytes`
    pub pq: &'a [u8],
    /// `server_public_key_fingerprints:Vector<long>`
    pub server_public_key_fingerprints: LongVec<'a>,
}

impl ResPq<'_> {
    /// The constructor id of `resPQ`.
    pub const CONSTRUCTOR: u32 = 0x0516_2463;
}

impl Constructor for ResPq<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "resPQ";
}

impl<'a> ReadBare<'a> for ResPq<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            pq: reader.bytes()?,
            server_public_key_fingerprints: reader.longs()?,
        })
    }
}

impl WriteBare for ResPq<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.bytes(self.pq);
        out.longs(&self.server_public_key_fingerprints);
    }
}

/// `p_q_inner_data_dc#a9f55f95 pq:bytes p:bytes q:bytes nonce:int128 server_nonce:int128 new_nonce:int256 dc:int = P_Q_inner_data`
#[derive(Clone, Copy)]
pub struct PQInnerDataDc<'a> {
    /// `pq:bytes`
    pub pq: &'a [u8],
    /// `p:bytes`
    pub p: &'a [u8],
    /// `q:bytes`
    pub q: &'a [u8],
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `new_nonce:int256`
    pub new_nonce: &'a [u8; 32],
    /// `dc:int`
    pub dc: i32,
}

impl PQInnerDataDc<'_> {
    /// The constructor id of `p_q_inner_data_dc`.
    pub const CONSTRUCTOR: u32 = 0xa9f5_5f95;
}

impl Constructor for PQInnerDataDc<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "p_q_inner_data_dc";
}

impl std::fmt::Debug for PQInnerDataDc<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PQInnerDataDc")
            .field("pq", &self.pq)
            .field("p", &self.p)
            .field("q", &self.q)
            .field("nonce", &self.nonce)
            .field("server_nonce", &self.server_nonce)
            .field("dc", &self.dc)
            .finish_non_exhaustive()
    }
}

impl<'a> ReadBare<'a> for PQInnerDataDc<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            pq: reader.bytes()?,
            p: reader.bytes()?,
            q: reader.bytes()?,
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            new_nonce: reader.int256()?,
            dc: reader.i32()?,
        })
    }
}

impl WriteBare for PQInnerDataDc<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.pq);
        out.bytes(self.p);
        out.bytes(self.q);
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.raw(self.new_nonce);
        out.i32(self.dc);
    }
}

/// `p_q_inner_data_temp_dc#56fddf88 pq:bytes p:bytes q:bytes nonce:int128 server_nonce:int128 new_nonce:int256 dc:int expires_in:int = P_Q_inner_data`
#[derive(Clone, Copy)]
pub struct PQInnerDataTempDc<'a> {
    /// `pq:bytes`
    pub pq: &'a [u8],
    /// `p:bytes`
    pub p: &'a [u8],
    /// `q:bytes`
    pub q: &'a [u8],
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `new_nonce:int256`
    pub new_nonce: &'a [u8; 32],
    /// `dc:int`
    pub dc: i32,
    /// `expires_in:int`
    pub expires_in: i32,
}

impl PQInnerDataTempDc<'_> {
    /// The constructor id of `p_q_inner_data_temp_dc`.
    pub const CONSTRUCTOR: u32 = 0x56fd_df88;
}

impl Constructor for PQInnerDataTempDc<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "p_q_inner_data_temp_dc";
}

impl std::fmt::Debug for PQInnerDataTempDc<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PQInnerDataTempDc")
            .field("pq", &self.pq)
            .field("p", &self.p)
            .field("q", &self.q)
            .field("nonce", &self.nonce)
            .field("server_nonce", &self.server_nonce)
            .field("dc", &self.dc)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl<'a> ReadBare<'a> for PQInnerDataTempDc<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            pq: reader.bytes()?,
            p: reader.bytes()?,
            q: reader.bytes()?,
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            new_nonce: reader.int256()?,
            dc: reader.i32()?,
            expires_in: reader.i32()?,
        })
    }
}

impl WriteBare for PQInnerDataTempDc<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.pq);
        out.bytes(self.p);
        out.bytes(self.q);
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.raw(self.new_nonce);
        out.i32(self.dc);
        out.i32(self.expires_in);
    }
}

/// `server_DH_params_ok#d0e8075c nonce:int128 server_nonce:int128 encrypted_answer:bytes = Server_DH_Params`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerDhParamsOk<'a> {
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `encrypted_answer:bytes`
    pub encrypted_answer: &'a [u8],
}

impl ServerDhParamsOk<'_> {
    /// The constructor id of `server_DH_params_ok`.
    pub const CONSTRUCTOR: u32 = 0xd0e8_075c;
}

impl Constructor for ServerDhParamsOk<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "server_DH_params_ok";
}

impl<'a> ReadBare<'a> for ServerDhParamsOk<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            encrypted_answer: reader.bytes()?,
        })
    }
}

impl WriteBare for ServerDhParamsOk<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.bytes(self.encrypted_answer);
    }
}

/// `server_DH_inner_data#b5890dba nonce:int128 server_nonce:int128 g:int dh_prime:bytes g_a:bytes server_time:int = Server_DH_inner_data`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerDhInnerData<'a> {
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `g:int`
    pub g: i32,
    /// `dh_prime:bytes`
    pub dh_prime: &'a [u8],
    /// `g_a:bytes`
    pub g_a: &'a [u8],
    /// `server_time:int`
    pub server_time: i32,
}

impl ServerDhInnerData<'_> {
    /// The constructor id of `server_DH_inner_data`.
    pub const CONSTRUCTOR: u32 = 0xb589_0dba;
}

impl Constructor for ServerDhInnerData<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "server_DH_inner_data";
}

impl<'a> ReadBare<'a> for ServerDhInnerData<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            g: reader.i32()?,
            dh_prime: reader.bytes()?,
            g_a: reader.bytes()?,
            server_time: reader.i32()?,
        })
    }
}

impl WriteBare for ServerDhInnerData<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.i32(self.g);
        out.bytes(self.dh_prime);
        out.bytes(self.g_a);
        out.i32(self.server_time);
    }
}

/// `client_DH_inner_data#6643b654 nonce:int128 server_nonce:int128 retry_id:long g_b:bytes = Client_DH_Inner_Data`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClientDhInnerData<'a> {
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `retry_id:long`
    pub retry_id: i64,
    /// `g_b:bytes`
    pub g_b: &'a [u8],
}

impl ClientDhInnerData<'_> {
    /// The constructor id of `client_DH_inner_data`.
    pub const CONSTRUCTOR: u32 = 0x6643_b654;
}

impl Constructor for ClientDhInnerData<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "client_DH_inner_data";
}

impl<'a> ReadBare<'a> for ClientDhInnerData<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            retry_id: reader.i64()?,
            g_b: reader.bytes()?,
        })
    }
}

impl WriteBare for ClientDhInnerData<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.i64(self.retry_id);
        out.bytes(self.g_b);
    }
}

/// `dh_gen_ok#3bcbf734 nonce:int128 server_nonce:int128 new_nonce_hash1:int128 = Set_client_DH_params_answer`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DhGenOk {
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `new_nonce_hash1:int128`
    pub new_nonce_hash1: [u8; 16],
}

impl DhGenOk {
    /// The constructor id of `dh_gen_ok`.
    pub const CONSTRUCTOR: u32 = 0x3bcb_f734;
}

impl Constructor for DhGenOk {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "dh_gen_ok";
}

impl<'a> ReadBare<'a> for DhGenOk {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            new_nonce_hash1: reader.int128()?,
        })
    }
}

impl WriteBare for DhGenOk {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.raw(&self.new_nonce_hash1);
    }
}

/// `dh_gen_retry#46dc1fb9 nonce:int128 server_nonce:int128 new_nonce_hash2:int128 = Set_client_DH_params_answer`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DhGenRetry {
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `new_nonce_hash2:int128`
    pub new_nonce_hash2: [u8; 16],
}

impl DhGenRetry {
    /// The constructor id of `dh_gen_retry`.
    pub const CONSTRUCTOR: u32 = 0x46dc_1fb9;
}

impl Constructor for DhGenRetry {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "dh_gen_retry";
}

impl<'a> ReadBare<'a> for DhGenRetry {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            new_nonce_hash2: reader.int128()?,
        })
    }
}

impl WriteBare for DhGenRetry {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.raw(&self.new_nonce_hash2);
    }
}

/// `dh_gen_fail#a69dae02 nonce:int128 server_nonce:int128 new_nonce_hash3:int128 = Set_client_DH_params_answer`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DhGenFail {
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `new_nonce_hash3:int128`
    pub new_nonce_hash3: [u8; 16],
}

impl DhGenFail {
    /// The constructor id of `dh_gen_fail`.
    pub const CONSTRUCTOR: u32 = 0xa69d_ae02;
}

impl Constructor for DhGenFail {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "dh_gen_fail";
}

impl<'a> ReadBare<'a> for DhGenFail {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            new_nonce_hash3: reader.int128()?,
        })
    }
}

impl WriteBare for DhGenFail {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.raw(&self.new_nonce_hash3);
    }
}

/// `bind_auth_key_inner#75a3f765 nonce:long temp_auth_key_id:long perm_auth_key_id:long temp_session_id:long expires_at:int = BindAuthKeyInner`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BindAuthKeyInner {
    /// `nonce:long`
    pub nonce: i64,
    /// `temp_auth_key_id:long`
    pub temp_auth_key_id: i64,
    /// `perm_auth_key_id:long`
    pub perm_auth_key_id: i64,
    /// `temp_session_id:long`
    pub temp_session_id: i64,
    /// `expires_at:int`
    pub expires_at: i32,
}

impl BindAuthKeyInner {
    /// The constructor id of `bind_auth_key_inner`.
    pub const CONSTRUCTOR: u32 = 0x75a3_f765;
}

impl Constructor for BindAuthKeyInner {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "bind_auth_key_inner";
}

impl<'a> ReadBare<'a> for BindAuthKeyInner {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            nonce: reader.i64()?,
            temp_auth_key_id: reader.i64()?,
            perm_auth_key_id: reader.i64()?,
            temp_session_id: reader.i64()?,
            expires_at: reader.i32()?,
        })
    }
}

impl WriteBare for BindAuthKeyInner {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.nonce);
        out.i64(self.temp_auth_key_id);
        out.i64(self.perm_auth_key_id);
        out.i64(self.temp_session_id);
        out.i32(self.expires_at);
    }
}

/// `rpc_result#f35c6d01 req_msg_id:long result:Object = RpcResult`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RpcResult<'a> {
    /// `req_msg_id:long`
    pub req_msg_id: i64,
    /// `result:Object`
    pub result: &'a [u8],
}

impl RpcResult<'_> {
    /// The constructor id of `rpc_result`.
    pub const CONSTRUCTOR: u32 = 0xf35c_6d01;
}

impl Constructor for RpcResult<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "rpc_result";
}

impl<'a> ReadBare<'a> for RpcResult<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { req_msg_id: reader.i64()?, result: reader.rest() })
    }
}

impl WriteBare for RpcResult<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.req_msg_id);
        out.raw(self.result);
    }
}

/// `rpc_error#2144ca19 error_code:int error_message:string = RpcError`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RpcError<'a> {
    /// `error_code:int`
    pub error_code: i32,
    /// `error_message:string`
    pub error_message: &'a [u8],
}

impl RpcError<'_> {
    /// The constructor id of `rpc_error`.
    pub const CONSTRUCTOR: u32 = 0x2144_ca19;
}

impl Constructor for RpcError<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "rpc_error";
}

impl<'a> ReadBare<'a> for RpcError<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { error_code: reader.i32()?, error_message: reader.bytes()? })
    }
}

impl WriteBare for RpcError<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i32(self.error_code);
        out.bytes(self.error_message);
    }
}

/// `rpc_answer_unknown#5e2ad36e = RpcDropAnswer`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RpcAnswerUnknown;

impl RpcAnswerUnknown {
    /// The constructor id of `rpc_answer_unknown`.
    pub const CONSTRUCTOR: u32 = 0x5e2a_d36e;
}

impl Constructor for RpcAnswerUnknown {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "rpc_answer_unknown";
}

impl<'a> ReadBare<'a> for RpcAnswerUnknown {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for RpcAnswerUnknown {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `rpc_answer_dropped_running#cd78e586 = RpcDropAnswer`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RpcAnswerDroppedRunning;

impl RpcAnswerDroppedRunning {
    /// The constructor id of `rpc_answer_dropped_running`.
    pub const CONSTRUCTOR: u32 = 0xcd78_e586;
}

impl Constructor for RpcAnswerDroppedRunning {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "rpc_answer_dropped_running";
}

impl<'a> ReadBare<'a> for RpcAnswerDroppedRunning {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for RpcAnswerDroppedRunning {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `rpc_answer_dropped#a43ad8b7 msg_id:long seq_no:int bytes:int = RpcDropAnswer`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RpcAnswerDropped {
    /// `msg_id:long`
    pub msg_id: i64,
    /// `seq_no:int`
    pub seq_no: i32,
    /// `bytes:int`
    pub bytes: i32,
}

impl RpcAnswerDropped {
    /// The constructor id of `rpc_answer_dropped`.
    pub const CONSTRUCTOR: u32 = 0xa43a_d8b7;
}

impl Constructor for RpcAnswerDropped {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "rpc_answer_dropped";
}

impl<'a> ReadBare<'a> for RpcAnswerDropped {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { msg_id: reader.i64()?, seq_no: reader.i32()?, bytes: reader.i32()? })
    }
}

impl WriteBare for RpcAnswerDropped {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.msg_id);
        out.i32(self.seq_no);
        out.i32(self.bytes);
    }
}

/// `future_salt#0949d9dc valid_since:int valid_until:int salt:long = FutureSalt`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FutureSalt {
    /// `valid_since:int`
    pub valid_since: i32,
    /// `valid_until:int`
    pub valid_until: i32,
    /// `salt:long`
    pub salt: i64,
}

impl FutureSalt {
    /// The constructor id of `future_salt`.
    pub const CONSTRUCTOR: u32 = 0x0949_d9dc;
}

impl Constructor for FutureSalt {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "future_salt";
}

impl<'a> ReadBare<'a> for FutureSalt {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { valid_since: reader.i32()?, valid_until: reader.i32()?, salt: reader.i64()? })
    }
}

impl WriteBare for FutureSalt {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i32(self.valid_since);
        out.i32(self.valid_until);
        out.i64(self.salt);
    }
}

/// `future_salts#ae500895 req_msg_id:long now:int salts:vector<future_salt> = FutureSalts`
#[derive(Clone, Debug, PartialEq)]
pub struct FutureSalts {
    /// `req_msg_id:long`
    pub req_msg_id: i64,
    /// `now:int`
    pub now: i32,
    /// `salts:vector<future_salt>`
    pub salts: Vec<FutureSalt>,
}

impl FutureSalts {
    /// The constructor id of `future_salts`.
    pub const CONSTRUCTOR: u32 = 0xae50_0895;
}

impl Constructor for FutureSalts {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "future_salts";
}

impl<'a> ReadBare<'a> for FutureSalts {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            req_msg_id: reader.i64()?,
            now: reader.i32()?,
            salts: reader.bare_vector(ReadBare::read_bare)?,
        })
    }
}

impl WriteBare for FutureSalts {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.req_msg_id);
        out.i32(self.now);
        out.bare_vector(&self.salts, |out, item| item.write_bare(out));
    }
}

/// `pong#347773c5 msg_id:long ping_id:long = Pong`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pong {
    /// `msg_id:long`
    pub msg_id: i64,
    /// `ping_id:long`
    pub ping_id: i64,
}

impl Pong {
    /// The constructor id of `pong`.
    pub const CONSTRUCTOR: u32 = 0x3477_73c5;
}

impl Constructor for Pong {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "pong";
}

impl<'a> ReadBare<'a> for Pong {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { msg_id: reader.i64()?, ping_id: reader.i64()? })
    }
}

impl WriteBare for Pong {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.msg_id);
        out.i64(self.ping_id);
    }
}

/// `destroy_session_ok#e22045fc session_id:long = DestroySessionRes`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DestroySessionOk {
    /// `session_id:long`
    pub session_id: i64,
}

impl DestroySessionOk {
    /// The constructor id of `destroy_session_ok`.
    pub const CONSTRUCTOR: u32 = 0xe220_45fc;
}

impl Constructor for DestroySessionOk {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "destroy_session_ok";
}

impl<'a> ReadBare<'a> for DestroySessionOk {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { session_id: reader.i64()? })
    }
}

impl WriteBare for DestroySessionOk {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.session_id);
    }
}

/// `destroy_session_none#62d350c9 session_id:long = DestroySessionRes`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DestroySessionNone {
    /// `session_id:long`
    pub session_id: i64,
}

impl DestroySessionNone {
    /// The constructor id of `destroy_session_none`.
    pub const CONSTRUCTOR: u32 = 0x62d3_50c9;
}

impl Constructor for DestroySessionNone {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "destroy_session_none";
}

impl<'a> ReadBare<'a> for DestroySessionNone {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { session_id: reader.i64()? })
    }
}

impl WriteBare for DestroySessionNone {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.session_id);
    }
}

/// `new_session_created#9ec20908 first_msg_id:long unique_id:long server_salt:long = NewSession`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewSessionCreated {
    /// `first_msg_id:long`
    pub first_msg_id: i64,
    /// `unique_id:long`
    pub unique_id: i64,
    /// `server_salt:long`
    pub server_salt: i64,
}

impl NewSessionCreated {
    /// The constructor id of `new_session_created`.
    pub const CONSTRUCTOR: u32 = 0x9ec2_0908;
}

impl Constructor for NewSessionCreated {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "new_session_created";
}

impl<'a> ReadBare<'a> for NewSessionCreated {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { first_msg_id: reader.i64()?, unique_id: reader.i64()?, server_salt: reader.i64()? })
    }
}

impl WriteBare for NewSessionCreated {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.first_msg_id);
        out.i64(self.unique_id);
        out.i64(self.server_salt);
    }
}

/// `msg_container#73f1f8dc messages:vector<%Message> = MessageContainer`
#[derive(Clone, Debug, PartialEq)]
pub struct MsgContainer<'a> {
    /// `messages:vector<%Message>`
    pub messages: Vec<Message<'a>>,
}

impl MsgContainer<'_> {
    /// The constructor id of `msg_container`.
    pub const CONSTRUCTOR: u32 = 0x73f1_f8dc;
}

impl Constructor for MsgContainer<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "msg_container";
}

impl<'a> ReadBare<'a> for MsgContainer<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { messages: reader.bare_vector(ReadBare::read_bare)? })
    }
}

impl WriteBare for MsgContainer<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bare_vector(&self.messages, |out, item| item.write_bare(out));
    }
}

/// `message msg_id:long seqno:int bytes:int body:Object = Message`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message<'a> {
    /// `msg_id:long`
    pub msg_id: i64,
    /// `seqno:int`
    pub seqno: i32,
    /// `bytes:int body:Object`
    pub body: &'a [u8],
}

impl Message<'_> {
    /// The constructor id of `message`.
    pub const CONSTRUCTOR: u32 = 0x5bb8_e511;
}

impl Constructor for Message<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "message";
}

impl<'a> ReadBare<'a> for Message<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { msg_id: reader.i64()?, seqno: reader.i32()?, body: reader.sized_object()? })
    }
}

impl WriteBare for Message<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.msg_id);
        out.i32(self.seqno);
        out.sized_object(self.body);
    }
}

/// `msg_copy#e06046b2 orig_message:Message = MessageCopy`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MsgCopy<'a> {
    /// `orig_message:Message`
    pub orig_message: Message<'a>,
}

impl MsgCopy<'_> {
    /// The constructor id of `msg_copy`.
    pub const CONSTRUCTOR: u32 = 0xe060_46b2;
}

impl Constructor for MsgCopy<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "msg_copy";
}

impl<'a> ReadBare<'a> for MsgCopy<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { orig_message: Read::read(reader)? })
    }
}

impl WriteBare for MsgCopy<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        self.orig_message.write_to(out);
    }
}

/// `gzip_packed#3072cfa1 packed_data:bytes = Object`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GzipPacked<'a> {
    /// `packed_data:bytes`
    pub packed_data: &'a [u8],
}

impl GzipPacked<'_> {
    /// The constructor id of `gzip_packed`.
    pub const CONSTRUCTOR: u32 = 0x3072_cfa1;
}

impl Constructor for GzipPacked<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "gzip_packed";
}

impl<'a> ReadBare<'a> for GzipPacked<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { packed_data: reader.bytes()? })
    }
}

impl WriteBare for GzipPacked<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.packed_data);
    }
}

/// `msgs_ack#62d6b459 msg_ids:Vector<long> = MsgsAck`
#[derive(Clone, Debug, PartialEq)]
pub struct MsgsAck<'a> {
    /// `msg_ids:Vector<long>`
    pub msg_ids: LongVec<'a>,
}

impl MsgsAck<'_> {
    /// The constructor id of `msgs_ack`.
    pub const CONSTRUCTOR: u32 = 0x62d6_b459;
}

impl Constructor for MsgsAck<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "msgs_ack";
}

impl<'a> ReadBare<'a> for MsgsAck<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { msg_ids: reader.longs()? })
    }
}

impl WriteBare for MsgsAck<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.longs(&self.msg_ids);
    }
}

/// `bad_msg_notification#a7eff811 bad_msg_id:long bad_msg_seqno:int error_code:int = BadMsgNotification`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BadMsgNotificationPlain {
    /// `bad_msg_id:long`
    pub bad_msg_id: i64,
    /// `bad_msg_seqno:int`
    pub bad_msg_seqno: i32,
    /// `error_code:int`
    pub error_code: i32,
}

impl BadMsgNotificationPlain {
    /// The constructor id of `bad_msg_notification`.
    pub const CONSTRUCTOR: u32 = 0xa7ef_f811;
}

impl Constructor for BadMsgNotificationPlain {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "bad_msg_notification";
}

impl<'a> ReadBare<'a> for BadMsgNotificationPlain {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { bad_msg_id: reader.i64()?, bad_msg_seqno: reader.i32()?, error_code: reader.i32()? })
    }
}

impl WriteBare for BadMsgNotificationPlain {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.bad_msg_id);
        out.i32(self.bad_msg_seqno);
        out.i32(self.error_code);
    }
}

/// `bad_server_salt#edab447b bad_msg_id:long bad_msg_seqno:int error_code:int new_server_salt:long = BadMsgNotification`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BadServerSalt {
    /// `bad_msg_id:long`
    pub bad_msg_id: i64,
    /// `bad_msg_seqno:int`
    pub bad_msg_seqno: i32,
    /// `error_code:int`
    pub error_code: i32,
    /// `new_server_salt:long`
    pub new_server_salt: i64,
}

impl BadServerSalt {
    /// The constructor id of `bad_server_salt`.
    pub const CONSTRUCTOR: u32 = 0xedab_447b;
}

impl Constructor for BadServerSalt {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "bad_server_salt";
}

impl<'a> ReadBare<'a> for BadServerSalt {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            bad_msg_id: reader.i64()?,
            bad_msg_seqno: reader.i32()?,
            error_code: reader.i32()?,
            new_server_salt: reader.i64()?,
        })
    }
}

impl WriteBare for BadServerSalt {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.bad_msg_id);
        out.i32(self.bad_msg_seqno);
        out.i32(self.error_code);
        out.i64(self.new_server_salt);
    }
}

/// `msg_resend_req#7d861a08 msg_ids:Vector<long> = MsgResendReq`
#[derive(Clone, Debug, PartialEq)]
pub struct MsgResendReqPlain<'a> {
    /// `msg_ids:Vector<long>`
    pub msg_ids: LongVec<'a>,
}

impl MsgResendReqPlain<'_> {
    /// The constructor id of `msg_resend_req`.
    pub const CONSTRUCTOR: u32 = 0x7d86_1a08;
}

impl Constructor for MsgResendReqPlain<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "msg_resend_req";
}

impl<'a> ReadBare<'a> for MsgResendReqPlain<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { msg_ids: reader.longs()? })
    }
}

impl WriteBare for MsgResendReqPlain<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.longs(&self.msg_ids);
    }
}

/// `msgs_state_req#da69fb52 msg_ids:Vector<long> = MsgsStateReq`
#[derive(Clone, Debug, PartialEq)]
pub struct MsgsStateReq<'a> {
    /// `msg_ids:Vector<long>`
    pub msg_ids: LongVec<'a>,
}

impl MsgsStateReq<'_> {
    /// The constructor id of `msgs_state_req`.
    pub const CONSTRUCTOR: u32 = 0xda69_fb52;
}

impl Constructor for MsgsStateReq<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "msgs_state_req";
}

impl<'a> ReadBare<'a> for MsgsStateReq<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { msg_ids: reader.longs()? })
    }
}

impl WriteBare for MsgsStateReq<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.longs(&self.msg_ids);
    }
}

/// `msgs_state_info#04deb57d req_msg_id:long info:bytes = MsgsStateInfo`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MsgsStateInfo<'a> {
    /// `req_msg_id:long`
    pub req_msg_id: i64,
    /// `info:bytes`
    pub info: &'a [u8],
}

impl MsgsStateInfo<'_> {
    /// The constructor id of `msgs_state_info`.
    pub const CONSTRUCTOR: u32 = 0x04de_b57d;
}

impl Constructor for MsgsStateInfo<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "msgs_state_info";
}

impl<'a> ReadBare<'a> for MsgsStateInfo<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { req_msg_id: reader.i64()?, info: reader.bytes()? })
    }
}

impl WriteBare for MsgsStateInfo<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.req_msg_id);
        out.bytes(self.info);
    }
}

/// `msgs_all_info#8cc0d131 msg_ids:Vector<long> info:bytes = MsgsAllInfo`
#[derive(Clone, Debug, PartialEq)]
pub struct MsgsAllInfo<'a> {
    /// `msg_ids:Vector<long>`
    pub msg_ids: LongVec<'a>,
    /// `info:bytes`
    pub info: &'a [u8],
}

impl MsgsAllInfo<'_> {
    /// The constructor id of `msgs_all_info`.
    pub const CONSTRUCTOR: u32 = 0x8cc0_d131;
}

impl Constructor for MsgsAllInfo<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "msgs_all_info";
}

impl<'a> ReadBare<'a> for MsgsAllInfo<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { msg_ids: reader.longs()?, info: reader.bytes()? })
    }
}

impl WriteBare for MsgsAllInfo<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.longs(&self.msg_ids);
        out.bytes(self.info);
    }
}

/// `msg_detailed_info#276d3ec6 msg_id:long answer_msg_id:long bytes:int status:int = MsgDetailedInfo`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MsgDetailedInfoPlain {
    /// `msg_id:long`
    pub msg_id: i64,
    /// `answer_msg_id:long`
    pub answer_msg_id: i64,
    /// `bytes:int`
    pub bytes: i32,
    /// `status:int`
    pub status: i32,
}

impl MsgDetailedInfoPlain {
    /// The constructor id of `msg_detailed_info`.
    pub const CONSTRUCTOR: u32 = 0x276d_3ec6;
}

impl Constructor for MsgDetailedInfoPlain {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "msg_detailed_info";
}

impl<'a> ReadBare<'a> for MsgDetailedInfoPlain {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            msg_id: reader.i64()?,
            answer_msg_id: reader.i64()?,
            bytes: reader.i32()?,
            status: reader.i32()?,
        })
    }
}

impl WriteBare for MsgDetailedInfoPlain {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.msg_id);
        out.i64(self.answer_msg_id);
        out.i32(self.bytes);
        out.i32(self.status);
    }
}

/// `msg_new_detailed_info#809db6df answer_msg_id:long bytes:int status:int = MsgDetailedInfo`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MsgNewDetailedInfo {
    /// `answer_msg_id:long`
    pub answer_msg_id: i64,
    /// `bytes:int`
    pub bytes: i32,
    /// `status:int`
    pub status: i32,
}

impl MsgNewDetailedInfo {
    /// The constructor id of `msg_new_detailed_info`.
    pub const CONSTRUCTOR: u32 = 0x809d_b6df;
}

impl Constructor for MsgNewDetailedInfo {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "msg_new_detailed_info";
}

impl<'a> ReadBare<'a> for MsgNewDetailedInfo {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { answer_msg_id: reader.i64()?, bytes: reader.i32()?, status: reader.i32()? })
    }
}

impl WriteBare for MsgNewDetailedInfo {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.answer_msg_id);
        out.i32(self.bytes);
        out.i32(self.status);
    }
}

/// `destroy_auth_key_ok#f660e1d4 = DestroyAuthKeyRes`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DestroyAuthKeyOk;

impl DestroyAuthKeyOk {
    /// The constructor id of `destroy_auth_key_ok`.
    pub const CONSTRUCTOR: u32 = 0xf660_e1d4;
}

impl Constructor for DestroyAuthKeyOk {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "destroy_auth_key_ok";
}

impl<'a> ReadBare<'a> for DestroyAuthKeyOk {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for DestroyAuthKeyOk {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `destroy_auth_key_none#0a9f2259 = DestroyAuthKeyRes`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DestroyAuthKeyNone;

impl DestroyAuthKeyNone {
    /// The constructor id of `destroy_auth_key_none`.
    pub const CONSTRUCTOR: u32 = 0x0a9f_2259;
}

impl Constructor for DestroyAuthKeyNone {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "destroy_auth_key_none";
}

impl<'a> ReadBare<'a> for DestroyAuthKeyNone {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for DestroyAuthKeyNone {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `destroy_auth_key_fail#ea109b13 = DestroyAuthKeyRes`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DestroyAuthKeyFail;

impl DestroyAuthKeyFail {
    /// The constructor id of `destroy_auth_key_fail`.
    pub const CONSTRUCTOR: u32 = 0xea10_9b13;
}

impl Constructor for DestroyAuthKeyFail {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "destroy_auth_key_fail";
}

impl<'a> ReadBare<'a> for DestroyAuthKeyFail {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for DestroyAuthKeyFail {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `http_wait#9299359f max_delay:int wait_after:int max_wait:int = HttpWait`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HttpWait {
    /// `max_delay:int`
    pub max_delay: i32,
    /// `wait_after:int`
    pub wait_after: i32,
    /// `max_wait:int`
    pub max_wait: i32,
}

impl HttpWait {
    /// The constructor id of `http_wait`.
    pub const CONSTRUCTOR: u32 = 0x9299_359f;
}

impl Constructor for HttpWait {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "http_wait";
}

impl<'a> ReadBare<'a> for HttpWait {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { max_delay: reader.i32()?, wait_after: reader.i32()?, max_wait: reader.i32()? })
    }
}

impl WriteBare for HttpWait {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i32(self.max_delay);
        out.i32(self.wait_after);
        out.i32(self.max_wait);
    }
}

/// `req_pq_multi#be7e8ef1 nonce:int128 = ResPQ`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReqPqMulti {
    /// `nonce:int128`
    pub nonce: [u8; 16],
}

impl ReqPqMulti {
    /// The constructor id of `req_pq_multi`.
    pub const CONSTRUCTOR: u32 = 0xbe7e_8ef1;
}

impl Constructor for ReqPqMulti {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "req_pq_multi";
}

impl<'a> ReadBare<'a> for ReqPqMulti {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { nonce: reader.int128()? })
    }
}

impl WriteBare for ReqPqMulti {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
    }
}

/// `req_DH_params#d712e4be nonce:int128 server_nonce:int128 p:bytes q:bytes public_key_fingerprint:long encrypted_data:bytes = Server_DH_Params`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReqDhParams<'a> {
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `p:bytes`
    pub p: &'a [u8],
    /// `q:bytes`
    pub q: &'a [u8],
    /// `public_key_fingerprint:long`
    pub public_key_fingerprint: i64,
    /// `encrypted_data:bytes`
    pub encrypted_data: &'a [u8],
}

impl ReqDhParams<'_> {
    /// The constructor id of `req_DH_params`.
    pub const CONSTRUCTOR: u32 = 0xd712_e4be;
}

impl Constructor for ReqDhParams<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "req_DH_params";
}

impl<'a> ReadBare<'a> for ReqDhParams<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            p: reader.bytes()?,
            q: reader.bytes()?,
            public_key_fingerprint: reader.i64()?,
            encrypted_data: reader.bytes()?,
        })
    }
}

impl WriteBare for ReqDhParams<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.bytes(self.p);
        out.bytes(self.q);
        out.i64(self.public_key_fingerprint);
        out.bytes(self.encrypted_data);
    }
}

/// `set_client_DH_params#f5045f1f nonce:int128 server_nonce:int128 encrypted_data:bytes = Set_client_DH_params_answer`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetClientDhParams<'a> {
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `encrypted_data:bytes`
    pub encrypted_data: &'a [u8],
}

impl SetClientDhParams<'_> {
    /// The constructor id of `set_client_DH_params`.
    pub const CONSTRUCTOR: u32 = 0xf504_5f1f;
}

impl Constructor for SetClientDhParams<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "set_client_DH_params";
}

impl<'a> ReadBare<'a> for SetClientDhParams<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { nonce: reader.int128()?, server_nonce: reader.int128()?, encrypted_data: reader.bytes()? })
    }
}

impl WriteBare for SetClientDhParams<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.bytes(self.encrypted_data);
    }
}

/// `rpc_drop_answer#58e4a740 req_msg_id:long = RpcDropAnswer`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RpcDropAnswerCall {
    /// `req_msg_id:long`
    pub req_msg_id: i64,
}

impl RpcDropAnswerCall {
    /// The constructor id of `rpc_drop_answer`.
    pub const CONSTRUCTOR: u32 = 0x58e4_a740;
}

impl Constructor for RpcDropAnswerCall {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "rpc_drop_answer";
}

impl<'a> ReadBare<'a> for RpcDropAnswerCall {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { req_msg_id: reader.i64()? })
    }
}

impl WriteBare for RpcDropAnswerCall {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.req_msg_id);
    }
}

/// `get_future_salts#b921bd04 num:int = FutureSalts`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GetFutureSalts {
    /// `num:int`
    pub num: i32,
}

impl GetFutureSalts {
    /// The constructor id of `get_future_salts`.
    pub const CONSTRUCTOR: u32 = 0xb921_bd04;
}

impl Constructor for GetFutureSalts {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "get_future_salts";
}

impl<'a> ReadBare<'a> for GetFutureSalts {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { num: reader.i32()? })
    }
}

impl WriteBare for GetFutureSalts {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i32(self.num);
    }
}

/// `ping#7abe77ec ping_id:long = Pong`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ping {
    /// `ping_id:long`
    pub ping_id: i64,
}

impl Ping {
    /// The constructor id of `ping`.
    pub const CONSTRUCTOR: u32 = 0x7abe_77ec;
}

impl Constructor for Ping {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "ping";
}

impl<'a> ReadBare<'a> for Ping {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { ping_id: reader.i64()? })
    }
}

impl WriteBare for Ping {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.ping_id);
    }
}

/// `ping_delay_disconnect#f3427b8c ping_id:long disconnect_delay:int = Pong`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PingDelayDisconnect {
    /// `ping_id:long`
    pub ping_id: i64,
    /// `disconnect_delay:int`
    pub disconnect_delay: i32,
}

impl PingDelayDisconnect {
    /// The constructor id of `ping_delay_disconnect`.
    pub const CONSTRUCTOR: u32 = 0xf342_7b8c;
}

impl Constructor for PingDelayDisconnect {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "ping_delay_disconnect";
}

impl<'a> ReadBare<'a> for PingDelayDisconnect {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { ping_id: reader.i64()?, disconnect_delay: reader.i32()? })
    }
}

impl WriteBare for PingDelayDisconnect {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.ping_id);
        out.i32(self.disconnect_delay);
    }
}

/// `destroy_session#e7512126 session_id:long = DestroySessionRes`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DestroySession {
    /// `session_id:long`
    pub session_id: i64,
}

impl DestroySession {
    /// The constructor id of `destroy_session`.
    pub const CONSTRUCTOR: u32 = 0xe751_2126;
}

impl Constructor for DestroySession {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "destroy_session";
}

impl<'a> ReadBare<'a> for DestroySession {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { session_id: reader.i64()? })
    }
}

impl WriteBare for DestroySession {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.i64(self.session_id);
    }
}

/// `destroy_auth_key#d1435160 = DestroyAuthKeyRes`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DestroyAuthKey;

impl DestroyAuthKey {
    /// The constructor id of `destroy_auth_key`.
    pub const CONSTRUCTOR: u32 = 0xd143_5160;
}

impl Constructor for DestroyAuthKey {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "destroy_auth_key";
}

impl<'a> ReadBare<'a> for DestroyAuthKey {
    fn read_bare(_: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl WriteBare for DestroyAuthKey {
    fn write_bare<S: Sink>(&self, _: &mut S) {}
}

/// `p_q_inner_data#83c95aec pq:bytes p:bytes q:bytes nonce:int128 server_nonce:int128 new_nonce:int256 = P_Q_inner_data`
#[derive(Clone, Copy)]
pub struct PQInnerDataPlain<'a> {
    /// `pq:bytes`
    pub pq: &'a [u8],
    /// `p:bytes`
    pub p: &'a [u8],
    /// `q:bytes`
    pub q: &'a [u8],
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `new_nonce:int256`
    pub new_nonce: &'a [u8; 32],
}

impl PQInnerDataPlain<'_> {
    /// The constructor id of `p_q_inner_data`.
    pub const CONSTRUCTOR: u32 = 0x83c9_5aec;
}

impl Constructor for PQInnerDataPlain<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "p_q_inner_data";
}

impl std::fmt::Debug for PQInnerDataPlain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PQInnerDataPlain")
            .field("pq", &self.pq)
            .field("p", &self.p)
            .field("q", &self.q)
            .field("nonce", &self.nonce)
            .field("server_nonce", &self.server_nonce)
            .finish_non_exhaustive()
    }
}

impl<'a> ReadBare<'a> for PQInnerDataPlain<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            pq: reader.bytes()?,
            p: reader.bytes()?,
            q: reader.bytes()?,
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            new_nonce: reader.int256()?,
        })
    }
}

impl WriteBare for PQInnerDataPlain<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.pq);
        out.bytes(self.p);
        out.bytes(self.q);
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.raw(self.new_nonce);
    }
}

/// `p_q_inner_data_temp#3c6a84d4 pq:bytes p:bytes q:bytes nonce:int128 server_nonce:int128 new_nonce:int256 expires_in:int = P_Q_inner_data`
#[derive(Clone, Copy)]
pub struct PQInnerDataTemp<'a> {
    /// `pq:bytes`
    pub pq: &'a [u8],
    /// `p:bytes`
    pub p: &'a [u8],
    /// `q:bytes`
    pub q: &'a [u8],
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `new_nonce:int256`
    pub new_nonce: &'a [u8; 32],
    /// `expires_in:int`
    pub expires_in: i32,
}

impl PQInnerDataTemp<'_> {
    /// The constructor id of `p_q_inner_data_temp`.
    pub const CONSTRUCTOR: u32 = 0x3c6a_84d4;
}

impl Constructor for PQInnerDataTemp<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "p_q_inner_data_temp";
}

impl std::fmt::Debug for PQInnerDataTemp<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PQInnerDataTemp")
            .field("pq", &self.pq)
            .field("p", &self.p)
            .field("q", &self.q)
            .field("nonce", &self.nonce)
            .field("server_nonce", &self.server_nonce)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl<'a> ReadBare<'a> for PQInnerDataTemp<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            pq: reader.bytes()?,
            p: reader.bytes()?,
            q: reader.bytes()?,
            nonce: reader.int128()?,
            server_nonce: reader.int128()?,
            new_nonce: reader.int256()?,
            expires_in: reader.i32()?,
        })
    }
}

impl WriteBare for PQInnerDataTemp<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.pq);
        out.bytes(self.p);
        out.bytes(self.q);
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.raw(self.new_nonce);
        out.i32(self.expires_in);
    }
}

/// `server_DH_params_fail#79cb045d nonce:int128 server_nonce:int128 new_nonce_hash:int128 = Server_DH_Params`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerDhParamsFail {
    /// `nonce:int128`
    pub nonce: [u8; 16],
    /// `server_nonce:int128`
    pub server_nonce: [u8; 16],
    /// `new_nonce_hash:int128`
    pub new_nonce_hash: [u8; 16],
}

impl ServerDhParamsFail {
    /// The constructor id of `server_DH_params_fail`.
    pub const CONSTRUCTOR: u32 = 0x79cb_045d;
}

impl Constructor for ServerDhParamsFail {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "server_DH_params_fail";
}

impl<'a> ReadBare<'a> for ServerDhParamsFail {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { nonce: reader.int128()?, server_nonce: reader.int128()?, new_nonce_hash: reader.int128()? })
    }
}

impl WriteBare for ServerDhParamsFail {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
        out.raw(&self.server_nonce);
        out.raw(&self.new_nonce_hash);
    }
}

/// `msg_resend_ans_req#8610baeb msg_ids:Vector<long> = MsgResendReq`
#[derive(Clone, Debug, PartialEq)]
pub struct MsgResendAnsReq<'a> {
    /// `msg_ids:Vector<long>`
    pub msg_ids: LongVec<'a>,
}

impl MsgResendAnsReq<'_> {
    /// The constructor id of `msg_resend_ans_req`.
    pub const CONSTRUCTOR: u32 = 0x8610_baeb;
}

impl Constructor for MsgResendAnsReq<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "msg_resend_ans_req";
}

impl<'a> ReadBare<'a> for MsgResendAnsReq<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { msg_ids: reader.longs()? })
    }
}

impl WriteBare for MsgResendAnsReq<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.longs(&self.msg_ids);
    }
}

/// `rsa_public_key n:string e:string = RSAPublicKey`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RsaPublicKey<'a> {
    /// `n:string`
    pub n: &'a [u8],
    /// `e:string`
    pub e: &'a [u8],
}

impl RsaPublicKey<'_> {
    /// The constructor id of `rsa_public_key`.
    pub const CONSTRUCTOR: u32 = 0x7a19_cb76;
}

impl Constructor for RsaPublicKey<'_> {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "rsa_public_key";
}

impl<'a> ReadBare<'a> for RsaPublicKey<'a> {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { n: reader.bytes()?, e: reader.bytes()? })
    }
}

impl WriteBare for RsaPublicKey<'_> {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.bytes(self.n);
        out.bytes(self.e);
    }
}

/// `req_pq#60469778 nonce:int128 = ResPQ`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReqPq {
    /// `nonce:int128`
    pub nonce: [u8; 16],
}

impl ReqPq {
    /// The constructor id of `req_pq`.
    pub const CONSTRUCTOR: u32 = 0x6046_9778;
}

impl Constructor for ReqPq {
    const ID: u32 = Self::CONSTRUCTOR;
    const NAME: &'static str = "req_pq";
}

impl<'a> ReadBare<'a> for ReqPq {
    fn read_bare(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { nonce: reader.int128()? })
    }
}

impl WriteBare for ReqPq {
    fn write_bare<S: Sink>(&self, out: &mut S) {
        out.raw(&self.nonce);
    }
}

/// The boxed type `BadMsgNotification`
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum BadMsgNotification {
    /// `bad_msg_notification#a7eff811`
    BadMsgNotificationPlain(BadMsgNotificationPlain),
    /// `bad_server_salt#edab447b`
    BadServerSalt(BadServerSalt),
}

impl<'a> Read<'a> for BadMsgNotification {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            BadMsgNotificationPlain::CONSTRUCTOR => Read::read(reader).map(Self::BadMsgNotificationPlain),
            BadServerSalt::CONSTRUCTOR => Read::read(reader).map(Self::BadServerSalt),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for BadMsgNotification {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::BadMsgNotificationPlain(value) => value.write_to(out),
            Self::BadServerSalt(value) => value.write_to(out),
        }
    }
}

/// The boxed type `DestroyAuthKeyRes`
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum DestroyAuthKeyRes {
    /// `destroy_auth_key_ok#f660e1d4`
    DestroyAuthKeyOk(DestroyAuthKeyOk),
    /// `destroy_auth_key_none#0a9f2259`
    DestroyAuthKeyNone(DestroyAuthKeyNone),
    /// `destroy_auth_key_fail#ea109b13`
    DestroyAuthKeyFail(DestroyAuthKeyFail),
}

impl<'a> Read<'a> for DestroyAuthKeyRes {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            DestroyAuthKeyOk::CONSTRUCTOR => Read::read(reader).map(Self::DestroyAuthKeyOk),
            DestroyAuthKeyNone::CONSTRUCTOR => Read::read(reader).map(Self::DestroyAuthKeyNone),
            DestroyAuthKeyFail::CONSTRUCTOR => Read::read(reader).map(Self::DestroyAuthKeyFail),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for DestroyAuthKeyRes {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::DestroyAuthKeyOk(value) => value.write_to(out),
            Self::DestroyAuthKeyNone(value) => value.write_to(out),
            Self::DestroyAuthKeyFail(value) => value.write_to(out),
        }
    }
}

/// The boxed type `DestroySessionRes`
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum DestroySessionRes {
    /// `destroy_session_ok#e22045fc`
    DestroySessionOk(DestroySessionOk),
    /// `destroy_session_none#62d350c9`
    DestroySessionNone(DestroySessionNone),
}

impl<'a> Read<'a> for DestroySessionRes {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            DestroySessionOk::CONSTRUCTOR => Read::read(reader).map(Self::DestroySessionOk),
            DestroySessionNone::CONSTRUCTOR => Read::read(reader).map(Self::DestroySessionNone),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for DestroySessionRes {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::DestroySessionOk(value) => value.write_to(out),
            Self::DestroySessionNone(value) => value.write_to(out),
        }
    }
}

/// The boxed type `MsgDetailedInfo`
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum MsgDetailedInfo {
    /// `msg_detailed_info#276d3ec6`
    MsgDetailedInfoPlain(MsgDetailedInfoPlain),
    /// `msg_new_detailed_info#809db6df`
    MsgNewDetailedInfo(MsgNewDetailedInfo),
}

impl<'a> Read<'a> for MsgDetailedInfo {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            MsgDetailedInfoPlain::CONSTRUCTOR => Read::read(reader).map(Self::MsgDetailedInfoPlain),
            MsgNewDetailedInfo::CONSTRUCTOR => Read::read(reader).map(Self::MsgNewDetailedInfo),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for MsgDetailedInfo {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::MsgDetailedInfoPlain(value) => value.write_to(out),
            Self::MsgNewDetailedInfo(value) => value.write_to(out),
        }
    }
}

/// The boxed type `MsgResendReq`
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum MsgResendReq<'a> {
    /// `msg_resend_req#7d861a08`
    MsgResendReqPlain(MsgResendReqPlain<'a>),
    /// `msg_resend_ans_req#8610baeb`
    MsgResendAnsReq(MsgResendAnsReq<'a>),
}

impl<'a> Read<'a> for MsgResendReq<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            MsgResendReqPlain::CONSTRUCTOR => Read::read(reader).map(Self::MsgResendReqPlain),
            MsgResendAnsReq::CONSTRUCTOR => Read::read(reader).map(Self::MsgResendAnsReq),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for MsgResendReq<'_> {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::MsgResendReqPlain(value) => value.write_to(out),
            Self::MsgResendAnsReq(value) => value.write_to(out),
        }
    }
}

/// The boxed type `P_Q_inner_data`
#[derive(Clone, Copy, Debug)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum PQInnerData<'a> {
    /// `p_q_inner_data_dc#a9f55f95`
    PQInnerDataDc(PQInnerDataDc<'a>),
    /// `p_q_inner_data_temp_dc#56fddf88`
    PQInnerDataTempDc(PQInnerDataTempDc<'a>),
    /// `p_q_inner_data#83c95aec`
    PQInnerDataPlain(PQInnerDataPlain<'a>),
    /// `p_q_inner_data_temp#3c6a84d4`
    PQInnerDataTemp(PQInnerDataTemp<'a>),
}

impl<'a> Read<'a> for PQInnerData<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            PQInnerDataDc::CONSTRUCTOR => Read::read(reader).map(Self::PQInnerDataDc),
            PQInnerDataTempDc::CONSTRUCTOR => Read::read(reader).map(Self::PQInnerDataTempDc),
            PQInnerDataPlain::CONSTRUCTOR => Read::read(reader).map(Self::PQInnerDataPlain),
            PQInnerDataTemp::CONSTRUCTOR => Read::read(reader).map(Self::PQInnerDataTemp),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for PQInnerData<'_> {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::PQInnerDataDc(value) => value.write_to(out),
            Self::PQInnerDataTempDc(value) => value.write_to(out),
            Self::PQInnerDataPlain(value) => value.write_to(out),
            Self::PQInnerDataTemp(value) => value.write_to(out),
        }
    }
}

/// The boxed type `RpcDropAnswer`
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum RpcDropAnswer {
    /// `rpc_answer_unknown#5e2ad36e`
    RpcAnswerUnknown(RpcAnswerUnknown),
    /// `rpc_answer_dropped_running#cd78e586`
    RpcAnswerDroppedRunning(RpcAnswerDroppedRunning),
    /// `rpc_answer_dropped#a43ad8b7`
    RpcAnswerDropped(RpcAnswerDropped),
}

impl<'a> Read<'a> for RpcDropAnswer {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            RpcAnswerUnknown::CONSTRUCTOR => Read::read(reader).map(Self::RpcAnswerUnknown),
            RpcAnswerDroppedRunning::CONSTRUCTOR => Read::read(reader).map(Self::RpcAnswerDroppedRunning),
            RpcAnswerDropped::CONSTRUCTOR => Read::read(reader).map(Self::RpcAnswerDropped),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for RpcDropAnswer {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::RpcAnswerUnknown(value) => value.write_to(out),
            Self::RpcAnswerDroppedRunning(value) => value.write_to(out),
            Self::RpcAnswerDropped(value) => value.write_to(out),
        }
    }
}

/// The boxed type `Server_DH_Params`
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum ServerDhParams<'a> {
    /// `server_DH_params_ok#d0e8075c`
    ServerDhParamsOk(ServerDhParamsOk<'a>),
    /// `server_DH_params_fail#79cb045d`
    ServerDhParamsFail(ServerDhParamsFail),
}

impl<'a> Read<'a> for ServerDhParams<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            ServerDhParamsOk::CONSTRUCTOR => Read::read(reader).map(Self::ServerDhParamsOk),
            ServerDhParamsFail::CONSTRUCTOR => Read::read(reader).map(Self::ServerDhParamsFail),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for ServerDhParams<'_> {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::ServerDhParamsOk(value) => value.write_to(out),
            Self::ServerDhParamsFail(value) => value.write_to(out),
        }
    }
}

/// The boxed type `Set_client_DH_params_answer`
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "each is named as its constructor")]
pub enum SetClientDhParamsAnswer {
    /// `dh_gen_ok#3bcbf734`
    DhGenOk(DhGenOk),
    /// `dh_gen_retry#46dc1fb9`
    DhGenRetry(DhGenRetry),
    /// `dh_gen_fail#a69dae02`
    DhGenFail(DhGenFail),
}

impl<'a> Read<'a> for SetClientDhParamsAnswer {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        match reader.peek_id()? {
            DhGenOk::CONSTRUCTOR => Read::read(reader).map(Self::DhGenOk),
            DhGenRetry::CONSTRUCTOR => Read::read(reader).map(Self::DhGenRetry),
            DhGenFail::CONSTRUCTOR => Read::read(reader).map(Self::DhGenFail),
            id => Err(Error::UnknownConstructor { at: reader.position(), id }),
        }
    }
}

impl Write for SetClientDhParamsAnswer {
    fn write_to<S: Sink>(&self, out: &mut S) {
        match self {
            Self::DhGenOk(value) => value.write_to(out),
            Self::DhGenRetry(value) => value.write_to(out),
            Self::DhGenFail(value) => value.write_to(out),
        }
    }
}

/// The name of a constructor or function, for logs and transcripts.
#[must_use]
pub fn name_of(id: u32) -> Option<&'static str> {
    Some(match id {
        0x0516_2463 => "resPQ",
        0xa9f5_5f95 => "p_q_inner_data_dc",
        0x56fd_df88 => "p_q_inner_data_temp_dc",
        0xd0e8_075c => "server_DH_params_ok",
        0xb589_0dba => "server_DH_inner_data",
        0x6643_b654 => "client_DH_inner_data",
        0x3bcb_f734 => "dh_gen_ok",
        0x46dc_1fb9 => "dh_gen_retry",
        0xa69d_ae02 => "dh_gen_fail",
        0x75a3_f765 => "bind_auth_key_inner",
        0xf35c_6d01 => "rpc_result",
        0x2144_ca19 => "rpc_error",
        0x5e2a_d36e => "rpc_answer_unknown",
        0xcd78_e586 => "rpc_answer_dropped_running",
        0xa43a_d8b7 => "rpc_answer_dropped",
        0x0949_d9dc => "future_salt",
        0xae50_0895 => "future_salts",
        0x3477_73c5 => "pong",
        0xe220_45fc => "destroy_session_ok",
        0x62d3_50c9 => "destroy_session_none",
        0x9ec2_0908 => "new_session_created",
        0x73f1_f8dc => "msg_container",
        0x5bb8_e511 => "message",
        0xe060_46b2 => "msg_copy",
        0x3072_cfa1 => "gzip_packed",
        0x62d6_b459 => "msgs_ack",
        0xa7ef_f811 => "bad_msg_notification",
        0xedab_447b => "bad_server_salt",
        0x7d86_1a08 => "msg_resend_req",
        0xda69_fb52 => "msgs_state_req",
        0x04de_b57d => "msgs_state_info",
        0x8cc0_d131 => "msgs_all_info",
        0x276d_3ec6 => "msg_detailed_info",
        0x809d_b6df => "msg_new_detailed_info",
        0xf660_e1d4 => "destroy_auth_key_ok",
        0x0a9f_2259 => "destroy_auth_key_none",
        0xea10_9b13 => "destroy_auth_key_fail",
        0x9299_359f => "http_wait",
        0xbe7e_8ef1 => "req_pq_multi",
        0xd712_e4be => "req_DH_params",
        0xf504_5f1f => "set_client_DH_params",
        0x58e4_a740 => "rpc_drop_answer",
        0xb921_bd04 => "get_future_salts",
        0x7abe_77ec => "ping",
        0xf342_7b8c => "ping_delay_disconnect",
        0xe751_2126 => "destroy_session",
        0xd143_5160 => "destroy_auth_key",
        0x83c9_5aec => "p_q_inner_data",
        0x3c6a_84d4 => "p_q_inner_data_temp",
        0x79cb_045d => "server_DH_params_fail",
        0x8610_baeb => "msg_resend_ans_req",
        0x7a19_cb76 => "rsa_public_key",
        0x6046_9778 => "req_pq",
        _ => return None,
    })
}

#[cfg(test)]
macro_rules! every_type {
    ($check:ident) => {
        $check!(mtproto::ResPq<'_>, 0x0516_2463);
        $check!(mtproto::PQInnerDataDc<'_>, 0xa9f5_5f95);
        $check!(mtproto::PQInnerDataTempDc<'_>, 0x56fd_df88);
        $check!(mtproto::ServerDhParamsOk<'_>, 0xd0e8_075c);
        $check!(mtproto::ServerDhInnerData<'_>, 0xb589_0dba);
        $check!(mtproto::ClientDhInnerData<'_>, 0x6643_b654);
        $check!(mtproto::DhGenOk, 0x3bcb_f734);
        $check!(mtproto::DhGenRetry, 0x46dc_1fb9);
        $check!(mtproto::DhGenFail, 0xa69d_ae02);
        $check!(mtproto::BindAuthKeyInner, 0x75a3_f765);
        $check!(mtproto::RpcResult<'_>, 0xf35c_6d01);
        $check!(mtproto::RpcError<'_>, 0x2144_ca19);
        $check!(mtproto::RpcAnswerUnknown, 0x5e2a_d36e);
        $check!(mtproto::RpcAnswerDroppedRunning, 0xcd78_e586);
        $check!(mtproto::RpcAnswerDropped, 0xa43a_d8b7);
        $check!(mtproto::FutureSalt, 0x0949_d9dc);
        $check!(mtproto::FutureSalts, 0xae50_0895);
        $check!(mtproto::Pong, 0x3477_73c5);
        $check!(mtproto::DestroySessionOk, 0xe220_45fc);
        $check!(mtproto::DestroySessionNone, 0x62d3_50c9);
        $check!(mtproto::NewSessionCreated, 0x9ec2_0908);
        $check!(mtproto::MsgContainer<'_>, 0x73f1_f8dc);
        $check!(mtproto::Message<'_>, 0x5bb8_e511);
        $check!(mtproto::MsgCopy<'_>, 0xe060_46b2);
        $check!(mtproto::GzipPacked<'_>, 0x3072_cfa1);
        $check!(mtproto::MsgsAck<'_>, 0x62d6_b459);
        $check!(mtproto::BadMsgNotificationPlain, 0xa7ef_f811);
        $check!(mtproto::BadServerSalt, 0xedab_447b);
        $check!(mtproto::MsgResendReqPlain<'_>, 0x7d86_1a08);
        $check!(mtproto::MsgsStateReq<'_>, 0xda69_fb52);
        $check!(mtproto::MsgsStateInfo<'_>, 0x04de_b57d);
        $check!(mtproto::MsgsAllInfo<'_>, 0x8cc0_d131);
        $check!(mtproto::MsgDetailedInfoPlain, 0x276d_3ec6);
        $check!(mtproto::MsgNewDetailedInfo, 0x809d_b6df);
        $check!(mtproto::DestroyAuthKeyOk, 0xf660_e1d4);
        $check!(mtproto::DestroyAuthKeyNone, 0x0a9f_2259);
        $check!(mtproto::DestroyAuthKeyFail, 0xea10_9b13);
        $check!(mtproto::HttpWait, 0x9299_359f);
        $check!(mtproto::ReqPqMulti, 0xbe7e_8ef1);
        $check!(mtproto::ReqDhParams<'_>, 0xd712_e4be);
        $check!(mtproto::SetClientDhParams<'_>, 0xf504_5f1f);
        $check!(mtproto::RpcDropAnswerCall, 0x58e4_a740);
        $check!(mtproto::GetFutureSalts, 0xb921_bd04);
        $check!(mtproto::Ping, 0x7abe_77ec);
        $check!(mtproto::PingDelayDisconnect, 0xf342_7b8c);
        $check!(mtproto::DestroySession, 0xe751_2126);
        $check!(mtproto::DestroyAuthKey, 0xd143_5160);
        $check!(mtproto::PQInnerDataPlain<'_>, 0x83c9_5aec);
        $check!(mtproto::PQInnerDataTemp<'_>, 0x3c6a_84d4);
        $check!(mtproto::ServerDhParamsFail, 0x79cb_045d);
        $check!(mtproto::MsgResendAnsReq<'_>, 0x8610_baeb);
        $check!(mtproto::RsaPublicKey<'_>, 0x7a19_cb76);
        $check!(mtproto::ReqPq, 0x6046_9778);
        $check!(mtproto::BadMsgNotification, 0xa7ef_f811);
        $check!(mtproto::BadMsgNotification, 0xedab_447b);
        $check!(mtproto::DestroyAuthKeyRes, 0xf660_e1d4);
        $check!(mtproto::DestroyAuthKeyRes, 0x0a9f_2259);
        $check!(mtproto::DestroyAuthKeyRes, 0xea10_9b13);
        $check!(mtproto::DestroySessionRes, 0xe220_45fc);
        $check!(mtproto::DestroySessionRes, 0x62d3_50c9);
        $check!(mtproto::MsgDetailedInfo, 0x276d_3ec6);
        $check!(mtproto::MsgDetailedInfo, 0x809d_b6df);
        $check!(mtproto::MsgResendReq<'_>, 0x7d86_1a08);
        $check!(mtproto::MsgResendReq<'_>, 0x8610_baeb);
        $check!(mtproto::PQInnerData<'_>, 0xa9f5_5f95);
        $check!(mtproto::PQInnerData<'_>, 0x56fd_df88);
        $check!(mtproto::PQInnerData<'_>, 0x83c9_5aec);
        $check!(mtproto::PQInnerData<'_>, 0x3c6a_84d4);
        $check!(mtproto::RpcDropAnswer, 0x5e2a_d36e);
        $check!(mtproto::RpcDropAnswer, 0xcd78_e586);
        $check!(mtproto::RpcDropAnswer, 0xa43a_d8b7);
        $check!(mtproto::ServerDhParams<'_>, 0xd0e8_075c);
        $check!(mtproto::ServerDhParams<'_>, 0x79cb_045d);
        $check!(mtproto::SetClientDhParamsAnswer, 0x3bcb_f734);
        $check!(mtproto::SetClientDhParamsAnswer, 0x46dc_1fb9);
        $check!(mtproto::SetClientDhParamsAnswer, 0xa69d_ae02);
    };
}
#[cfg(test)]
pub(crate) use every_type;
