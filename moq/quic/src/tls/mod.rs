//! Certificates: what a server shows, and what a client trusts.

mod client;
mod error;
mod fingerprint;
mod server;

pub use client::ClientTls;
pub use error::TlsError;
pub use fingerprint::Fingerprint;
pub use server::ServerTls;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn alpn(protocols: &[&[u8]]) -> Vec<Vec<u8>> {
    protocols.iter().map(|name| name.to_vec()).collect()
}
