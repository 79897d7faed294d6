use std::{fmt, str::FromStr};

use thiserror::Error;

/// Where a server is: `moqt://host[:port][/path][?query]`, or the same with `https` to reach it by
/// WebTransport.
///
/// draft-ietf-moq-transport-22, "Session establishment".
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerUrl {
    webtransport: bool,
    host: String,
    authority: String,
    port: u16,
    path: String,
}

/// Why a text is no [`ServerUrl`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidUrl {
    /// The scheme is neither `moqt` nor `https`.
    #[error("`{0}` starts with neither moqt:// nor https://")]
    Scheme(String),
    /// There is no host, or it has characters that a host cannot have.
    #[error("`{0}` is not a host")]
    Host(String),
    /// The port is not a number from 1 to 65535.
    #[error("`{0}` is not a port")]
    Port(String),
    /// The path has spaces or control characters.
    #[error("`{0}` is not a path")]
    Path(String),
}

const DEFAULT_PORT: u16 = 443;

impl ServerUrl {
    /// Whether the server is reached by WebTransport instead of raw QUIC.
    pub const fn is_webtransport(&self) -> bool {
        self.webtransport
    }

    /// The host: a name or an address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 443 unless the URL says another.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the URL has them.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query as the URL has them; may be empty.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Path and query with the slash that HTTP wants at the start.
    pub fn absolute_path(&self) -> String {
        if self.path.starts_with('/') {
            self.path.clone()
        } else {
            format!("/{}", self.path)
        }
    }
}

impl FromStr for ServerUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| InvalidUrl::Scheme(text.to_owned()))?;
        let webtransport = scheme.eq_ignore_ascii_case("https");
        if !webtransport && !scheme.eq_ignore_ascii_case("moqt") {
            return Err(InvalidUrl::Scheme(text.to_owned()));
        }
        // A fragment is for the client alone.
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if path.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(InvalidUrl::Path(path.to_owned()));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (host, rest) = bracketed
                    .split_once(']')
                    .ok_or_else(|| InvalidUrl::Host(authority.to_owned()))?;
                (
                    host,
                    rest.strip_prefix(':')
                        .or((!rest.is_empty()).then_some(rest)),
                )
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
        if host.is_empty() || !host.chars().all(allowed) {
            return Err(InvalidUrl::Host(host.to_owned()));
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(text) => match text.parse() {
                Ok(0) | Err(_) => return Err(InvalidUrl::Port(text.to_owned())),
                Ok(port) => port,
            },
        };
        Ok(Self {
            webtransport,
            host: host.to_owned(),
            authority: authority.to_owned(),
            port,
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.webtransport { "https" } else { "moqt" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url: ServerUrl = "moqt://relay.example:4443/live?x=1#token".parse().unwrap();
        assert_eq!((url.host(), url.port()), ("relay.example", 4443));
        assert_eq!(
            (url.authority(), url.path()),
            ("relay.example:4443", "/live?x=1")
        );
        assert_eq!(url.to_string(), "moqt://relay.example:4443/live?x=1");
    }

    #[test]
    fn port_and_path_may_be_absent_and_addresses_are_hosts() {
        let url: ServerUrl = "MOQT://[::1]".parse().unwrap();
        assert_eq!((url.host(), url.port(), url.path()), ("::1", 443, ""));
        let url: ServerUrl = "moqt://127.0.0.1:9".parse().unwrap();
        assert_eq!((url.host(), url.port()), ("127.0.0.1", 9));
    }

    #[test]
    fn https_is_webtransport() {
        let url: ServerUrl = "https://relay.example?x=1".parse().unwrap();
        assert!(url.is_webtransport());
        assert_eq!(
            (url.path(), url.absolute_path().as_str()),
            ("?x=1", "/?x=1")
        );
        assert_eq!(url.to_string(), "https://relay.example?x=1");
        let url: ServerUrl = "moqt://relay.example/a".parse().unwrap();
        assert!(!url.is_webtransport());
        assert_eq!(url.absolute_path(), "/a");
    }

    #[test]
    fn other_texts_are_refused() {
        let parse = |text: &str| text.parse::<ServerUrl>().unwrap_err();
        assert!(matches!(
            parse("http://relay.example/"),
            InvalidUrl::Scheme(_)
        ));
        assert!(matches!(parse("relay.example"), InvalidUrl::Scheme(_)));
        assert!(matches!(parse("moqt://"), InvalidUrl::Host(_)));
        assert!(matches!(parse("moqt://[::1"), InvalidUrl::Host(_)));
        assert!(matches!(parse("moqt://user@host"), InvalidUrl::Host(_)));
        assert!(matches!(parse("moqt://host:0"), InvalidUrl::Port(_)));
        assert!(matches!(parse("moqt://host:70000"), InvalidUrl::Port(_)));
        assert!(matches!(parse("moqt://[::1]x"), InvalidUrl::Port(_)));
        assert!(matches!(parse("moqt://host/a b"), InvalidUrl::Path(_)));
    }
}
