//! What the configuration says of the upstream relay.

use std::fs;

use parvis_quic::tls::ClientTls;
use parvis_wire::{Draft, HopId};

use crate::{Config, ConfigError, StartError, shard::UpstreamTarget};

/// What this relay calls itself.
pub(crate) const IMPLEMENTATION: &str = concat!("parvis-relay/", env!("CARGO_PKG_VERSION"));

/// Where the upstream relay is, and how it is spoken to.
pub(crate) fn upstream(config: &Config, hop: HopId) -> Result<Option<UpstreamTarget>, StartError> {
    let Some(url) = &config.upstream else {
        return Ok(None);
    };
    let url = url.parse().map_err(|source| ConfigError::Url {
        name: "upstream",
        source,
    })?;
    let trust = |source| StartError::UpstreamTrust { source };
    let tls = if let Some(fingerprint) = &config.upstream_fingerprint {
        ClientTls::pinned([fingerprint.parse().map_err(|_| ConfigError::OutOfRange {
            name: "upstream-fingerprint",
            allowed: "64 hexadecimal digits",
        })?])
    } else if let Some(path) = &config.upstream_ca {
        let pem = fs::read(path).map_err(|source| StartError::Unreadable {
            what: "authority of the upstream relay",
            path: path.clone(),
            source,
        })?;
        ClientTls::with_roots_pem(&pem).map_err(trust)?
    } else {
        ClientTls::public_roots()
    };
    let drafts = match config.upstream_draft {
        Some(18) => vec![Draft::D18],
        Some(_) => vec![Draft::D22],
        None => Draft::ALL.to_vec(),
    };
    let session = parvis_session::Config {
        implementation: IMPLEMENTATION.to_owned(),
        relay_hops: Some(hop),
        ..parvis_session::Config::default()
    };
    Ok(Some(UpstreamTarget {
        url,
        tls,
        drafts,
        session,
        token: config.upstream_token.clone(),
    }))
}
