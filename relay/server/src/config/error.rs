use std::{io, net::SocketAddr, path::PathBuf};

use parvis_quic::InvalidUrl;
use thiserror::Error;

/// Why a configuration is refused: one line that says what to change.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The text does not parse, or has an unknown name or a wrong value.
    #[error("{place}: {problem}")]
    Malformed {
        /// The file, if there is one, and the line.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// One of two values that belong together is missing.
    #[error(
        "`{has}` is set and `{lacks}` is not: set both, or neither{}",
        neither(has)
    )]
    Incomplete {
        /// What is there.
        has: &'static str,
        /// What is not.
        lacks: &'static str,
    },
    /// A value is no URL of a relay.
    #[error("`{name}` is no URL of a relay: {source}")]
    Url {
        /// The name.
        name: &'static str,
        /// What is wrong with it.
        source: InvalidUrl,
    },
    /// Everybody who reaches the address could publish and subscribe.
    #[error(
        "listening on {listen} needs `auth-keys`, the public keys of those who issue tokens (make \
         some with `parvis token`); without it a relay listens on a loopback address only"
    )]
    Open {
        /// The address.
        listen: SocketAddr,
    },
    /// A rule for tokens where none are asked for.
    #[error("`{name}` is set and `auth-keys` is not: set the public keys that sign tokens")]
    NoKeys {
        /// What is set.
        name: &'static str,
    },
    /// Orders go over the network in clear text.
    #[error("`control` must be a loopback address, {control} is not one: use a tunnel to reach it")]
    ControlAfar {
        /// The address.
        control: SocketAddr,
    },
    /// A value is too small or too large.
    #[error("`{name}` must be {allowed}")]
    OutOfRange {
        /// The name.
        name: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
}

/// What one has with neither of two values.
fn neither(has: &str) -> &'static str {
    match has {
        "cert" | "key" => " for a self-signed certificate",
        _ => "",
    }
}
