//! Creating a key: rules HS.

use dayfly_tl::mtproto::PQInnerDataDc;

use super::cases;
use crate::server::exchange::{Exchange, hashed};
use crate::server::probe::Probe;
use crate::server::wire::{Heard, Wire};
use crate::verdict::{Outcome, failed, not_reached};

cases! {
    "HS-20/1" Must "g_b = 1"
        why "the key is then 1 whatever a is, so whoever changes g_b on the way knows the key"
        expected "-404, and the run is spent"
        g_b_one;
    "HS-14/1" Must "the inner nonce differs in one byte"
        why "an attacker could graft the encrypted part of one run onto another"
        expected "-404, and the run is spent"
        inner_nonce;
}

/// A query that is to be refused: -404, and the right one afterwards too (rule HS-15).
pub(super) async fn refused(
    probe: &mut Probe,
    wire: &mut Wire,
    wrong: &[u8],
    right: &[u8],
    what: &str,
) -> Outcome {
    match probe.ask(wire, wrong, what).await? {
        Heard::Error(-404) => {}
        other => return failed(format!("{what} got {} instead of -404", other.told())),
    }
    match probe.ask(wire, right, "then the right query of the same step").await? {
        Heard::Error(-404) => Ok(()),
        other => failed(format!("the run is not spent: the right query afterwards got {}", other.told())),
    }
}

/// `req_DH_params` with inner data after `change` is refused.
async fn refuses_inner(probe: &mut Probe, what: &str, change: impl Fn(&mut PQInnerDataDc<'_>)) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.open(&mut wire).await?;
    let wrong = run.proof(&run.inner(change), &mut probe.dice)?;
    let right = run.proof(&run.inner(|_| {}), &mut probe.dice)?;
    refused(probe, &mut wire, &wrong, &right, what).await
}

/// `set_client_DH_params` with this g_b is refused.
async fn refuses_g_b(probe: &mut Probe, what: &str, g_b: impl Fn(&Exchange) -> Vec<u8>) -> Outcome {
    let mut wire = probe.connect().await?;
    let run = probe.proven(&mut wire).await?;
    if run.g_b.is_empty() {
        return not_reached("the suite itself: no g_b");
    }
    let value = g_b(&run);
    let wrong = run.set_client(&hashed(&run.client_inner(|inner| inner.g_b = &value), 0))?;
    let right = run.finish(0)?;
    refused(probe, &mut wire, &wrong, &right, what).await
}

async fn g_b_one(probe: &mut Probe) -> Outcome {
    refuses_g_b(probe, "set_client_DH_params with g_b = 1", |_| vec![1]).await
}

async fn inner_nonce(probe: &mut Probe) -> Outcome {
    refuses_inner(probe, "req_DH_params with another inner nonce", |inner| inner.nonce[5] ^= 1).await
}
