//! What every client does: the cases that all others need.

use dayfly_tl::api::HelpGetConfig;
use dayfly_tl::to_bytes;

use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::Probe;
use crate::verdict::{Outcome, failed};

cases! {
    "HS-01/1" Must "a permanent key is made"
        why "without it nobody can talk to the server at all"
        expected "resPQ, server_DH_params_ok and dh_gen_ok, each as the specification has them"
        permanent_key;
    "HS-09/1" Must "a temporary key is made"
        why "without temporary keys there is no forward secrecy: whoever takes the server reads what was recorded before"
        expected "resPQ, server_DH_params_ok and dh_gen_ok for p_q_inner_data_temp_dc"
        temporary_key;
    "PF-08/1" Must "a temporary key is bound, and a call under it answered"
        why "a client with forward secrecy has no other way to call anything"
        expected "boolTrue for auth.bindTempAuthKey, and a result for help.getConfig in invokeWithLayer(initConnection)"
        bound_call;
}

async fn permanent_key(probe: &mut Probe) -> Outcome {
    probe.perm().await.map(|_| ())
}

async fn temporary_key(probe: &mut Probe) -> Outcome {
    probe.temp(3600).await.map(|_| ())
}

async fn bound_call(probe: &mut Probe) -> Outcome {
    let (_, mut line) = probe.bound().await?;
    let query = dayfly_core::client::ClientInfo::default().introduce(&to_bytes(&HelpGetConfig {}));
    match line.call(&query, "help.getConfig in invokeWithLayer(initConnection)", &mut probe.dice).await? {
        Ok(_) => Ok(()),
        Err((code, message)) => failed(format!("the error {code} {message}")),
    }
}
