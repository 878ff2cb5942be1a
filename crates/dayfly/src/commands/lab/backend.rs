//! The back end of a lab.

use dayfly_server::{Backend, BackendAddress, GrpcBackend};

use crate::args::lab::Lab as Args;
use crate::commands::WrongUsage;

/// The back end that was asked for, if its files are there. One stream, so that calls come to it in the order in which the lab
/// took them, whichever keys a seed drew.
pub(super) fn configure(args: &Args) -> anyhow::Result<Option<Backend>> {
    let Some(address) = &args.backend else { return Ok(None) };
    let over_tls = matches!(address, BackendAddress::Tls { .. });
    let mut backend = Backend { plain_tcp: true, streams: 1, ..Backend::at(address.clone()) };
    match args.backend_tls.as_deref() {
        Some([ca, certificate, key]) if over_tls => {
            [backend.ca, backend.certificate, backend.key] =
                [ca, certificate, key].map(|file| Some(file.clone()));
        }
        None if !over_tls => {}
        Some(_) => return Err(WrongUsage(format!("--backend-tls is for https://, not for {address}")).into()),
        None => {
            let text =
                format!("{address} needs certificates on both sides: --backend-tls CA CERTIFICATE KEY");
            return Err(WrongUsage(text).into());
        }
    }
    GrpcBackend::check(&backend)?;
    Ok(Some(backend))
}
