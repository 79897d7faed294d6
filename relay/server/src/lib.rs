//! The Parvis relay: configuration, threads and sockets around the forwarder.
//!
//! ```
//! use std::time::Duration;
//! use parvis_relay::{Config, Relay};
//!
//! let config = Config::from_toml("listen = '127.0.0.1:0'")?;
//! let running = Relay::start(config)?;
//! println!("listening on {}", running.local_addr());
//! assert_eq!(running.stats().sessions, 0);
//! running.shutdown(Duration::ZERO)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Each thread owns a socket, its QUIC connections with their sessions, and a
//! [`Forwarder`](parvis_forwarding::Forwarder). A turn of a thread takes everything that has come,
//! lets the forwarder work on it, and sends what there is for each connection and each other
//! thread, once. Nothing is locked and no task is switched for an object.

mod access;
mod certificate;
mod config;
mod error;
mod http;
mod logging;
mod parts;
mod placement;
mod relay;
mod reset_key;
mod running;
mod shard;
mod shards;
mod stats;
mod upstream;

pub use access::{KeySourceError, KeysReload};
pub use certificate::CertificateReload;
pub use config::{Args, Config, ConfigError, LogFormat, Options, WebTransport};
pub use error::{RelayError, StartError};
pub use logging::install_logging;
pub use parvis_quic::tls::Fingerprint;
pub use relay::Relay;
pub use running::{Running, Stopper};
pub use shard::SimulatedRelay;
pub use stats::{ClosedBy, Drops, HandshakeFailure, Limit, Stats};
