use std::{io, path::PathBuf};

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
        "`{has}` is set and `{lacks}` is not: set both, or neither for a self-signed certificate"
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
    /// A value is too small or too large.
    #[error("`{name}` must be {allowed}")]
    OutOfRange {
        /// The name.
        name: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
}
