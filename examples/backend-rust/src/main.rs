//! Runs the example back end: `dayfly-example-backend unix:/path/to/socket`, or an address and three files for TLS.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a command line tool")]

use std::error::Error;
use std::fs;
use std::net::SocketAddr;

use dayfly_backend_proto::v1::backend_server::BackendServer;
use dayfly_example_backend::Example;
use tokio::net::UnixListener;
use tonic::codegen::tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

const USAGE: &str = "\
usage: dayfly-example-backend unix:/path/to/socket
       dayfly-example-backend ADDRESS:PORT CA.pem CERTIFICATE.pem KEY.pem";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [socket] if socket.starts_with("unix:/") => on_socket(socket.trim_start_matches("unix:")).await,
        [address, ca, certificate, key] => over_tls(address.parse()?, [ca, certificate, key]).await,
        _ => {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
    }
}

async fn on_socket(path: &str) -> Result<(), Box<dyn Error>> {
    // Of a run before this one.
    if fs::exists(path)? {
        fs::remove_file(path)?;
    }
    let incoming = UnixListenerStream::new(UnixListener::bind(path)?);
    Ok(Server::builder().serve_with_incoming(BackendServer::new(Example), incoming).await?)
}

/// Takes whoever has a certificate of the authority.
async fn over_tls(address: SocketAddr, [ca, certificate, key]: [&str; 3]) -> Result<(), Box<dyn Error>> {
    let identity = Identity::from_pem(fs::read(certificate)?, fs::read(key)?);
    let tls = ServerTlsConfig::new().identity(identity).client_ca_root(Certificate::from_pem(fs::read(ca)?));
    Ok(Server::builder().tls_config(tls)?.serve(address, BackendServer::new(Example)).await?)
}
