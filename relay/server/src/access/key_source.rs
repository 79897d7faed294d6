use std::{
    fs::File,
    io::{self, Read},
    net::IpAddr,
    path::PathBuf,
    time::Duration,
};

use parvis_token::{KeySet, KeySetError};
use thiserror::Error;

/// Where the trusted keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    File(PathBuf),
    Url(String),
}

/// Why keys cannot be had: one line that says what to change.
#[derive(Debug, Error)]
pub enum KeySourceError {
    /// Whoever is on the way could put in keys of their own.
    #[error("{0}: keys come over https, or over http from this machine only")]
    Insecure(String),
    /// The file cannot be read.
    #[error("cannot read the keys {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server does not answer as it should.
    #[error("cannot get the keys {url}: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// What came is no key set.
    #[error("cannot use the keys {place}: {source}")]
    Unusable {
        /// The file or the address.
        place: String,
        /// Why.
        source: KeySetError,
    },
}

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl KeySource {
    /// Reads what `auth-keys` says: a URL has a scheme, everything else is a file.
    pub(crate) fn parse(text: &str) -> Result<Self, KeySourceError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::File(text.into()));
        };
        match scheme {
            "https" => Ok(Self::Url(text.to_owned())),
            "http" if is_loopback(rest) => Ok(Self::Url(text.to_owned())),
            _ => Err(KeySourceError::Insecure(text.to_owned())),
        }
    }

    /// Reads the text of the keys. May wait for a server.
    pub(crate) fn read(&self) -> Result<String, KeySourceError> {
        match self {
            Self::File(path) => read_file(path).map_err(|source| KeySourceError::Unreadable {
                path: path.clone(),
                source,
            }),
            Self::Url(url) => get(url).map_err(|error| KeySourceError::Unreachable {
                url: url.clone(),
                reason: error.to_string(),
            }),
        }
    }

    /// Makes keys of a text that was read.
    pub(crate) fn keys(&self, text: &str) -> Result<KeySet, KeySourceError> {
        KeySet::parse(text).map_err(|source| KeySourceError::Unusable {
            place: self.to_string(),
            source,
        })
    }
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

/// One byte more than is parsed says that it is too large.
const LIMIT: u64 = KeySet::MAX_BYTES as u64 + 1;

fn read_file(path: &PathBuf) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LIMIT).read_to_string(&mut text)?;
    Ok(text)
}

fn get(url: &str) -> Result<String, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        // The address is the operator's word; nobody else's.
        .max_redirects(0)
        .build()
        .into();
    let mut response = agent.get(url).call()?;
    response
        .body_mut()
        .with_config()
        .limit(LIMIT)
        .read_to_string()
}

/// rest: a URL after `http://`.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for good in [
            "https://id.example/keys",
            "http://127.0.0.1:8080/keys",
            "http://[::1]:8080/keys",
            "http://localhost/keys",
        ] {
            let source = KeySource::parse(good).unwrap();
            assert_eq!(source, KeySource::Url(good.to_owned()));
        }
        for bad in [
            "http://id.example/keys",
            "http://127.0.0.1@id.example/keys",
            "http://127.0.0.1:80@id.example/keys",
            "http://127.0.0.1.id.example/keys",
            "http://localhost.id.example",
            "ftp://127.0.0.1/keys",
            "http://",
        ] {
            let refused = KeySource::parse(bad);
            assert!(matches!(refused, Err(KeySourceError::Insecure(_))), "{bad}");
        }
        let file = KeySource::parse("keys.json").unwrap();
        assert_eq!(file, KeySource::File("keys.json".into()));
    }
}
