mod site;

use std::{
    fmt,
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use parvis_meeting::{ErrorKind, ParticipantId, RoomCode, UnixMillis};
use serde::Deserialize;
use thiserror::Error;

use self::site::NoTicket;

/// How long a ticket is asked for again and again where many ask from one address.
const CROWD: Duration = Duration::from_secs(30);

/// What lets somebody knock at a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Who it is for; new for each join unless it is resumed.
    pub participant: ParticipantId,
    /// The room.
    pub code: RoomCode,
    /// Where the room is.
    pub relay: RelayAddress,
    /// What is shown to the relay.
    pub token: String,
    /// With this secret, another ticket is for the same participant.
    pub resume: Option<String>,
    /// When the token expires.
    pub expires: Option<UnixMillis>,
}

/// Where a relay is, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RelayAddress {
    /// `moqt://host:port`.
    pub url: String,
    /// The SHA-256 fingerprint of its certificate, where no public authority signed it.
    #[serde(default)]
    pub fingerprint: Option<String>,
}

/// What a ticket is asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRequest {
    /// The site, such as `https://meet.example`, as the link or the options name it.
    pub site: Option<String>,
    /// The room.
    pub code: RoomCode,
    /// The display name.
    pub name: String,
    /// A stable random id of this device.
    pub device: String,
    /// The secret of the ticket before.
    pub resume: Option<String>,
    /// The PEM file of the authority that signed the site's certificate; `None`: a public one.
    pub authority: Option<PathBuf>,
    /// Whether it is to measure a path, and not to knock.
    pub is_test: bool,
}

/// Why there is no ticket.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TicketError {
    /// The service says no.
    #[error("{0}")]
    Refused(ErrorKind),
    /// The service says no, and why in a sentence of its own.
    #[error("{sentence}")]
    RefusedBecause {
        /// In a word.
        kind: ErrorKind,
        /// In the service's words, on one line.
        sentence: String,
    },
    /// No site is known: the link names none, and neither do the options.
    #[error("a bare code needs a site: set JoinOptions::site, or give the whole link")]
    NoSite,
    /// The service does not answer, or not in words that are understood.
    #[error(
        "the meeting service at {site} does not help ({reason}): check the link and your network"
    )]
    Unavailable {
        /// The site.
        site: String,
        /// What came instead.
        reason: String,
    },
}

impl TicketError {
    /// The kind, of a refusal.
    pub const fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Refused(kind) | Self::RefusedBecause { kind, .. } => Some(*kind),
            Self::NoSite | Self::Unavailable { .. } => None,
        }
    }
}

type Asked = Pin<Box<dyn Future<Output = Result<Ticket, TicketError>> + Send>>;

/// Where tickets come from; asked at each join and again before one expires.
///
/// ```
/// use parvis::meeting::{TicketError, TicketSource};
///
/// let mine = TicketSource::new(|request| async move {
///     // Here an app asks its own server for `request.code`.
///     Err(TicketError::NoSite)
/// });
/// ```
#[derive(Clone)]
pub struct TicketSource(Arc<dyn Fn(TicketRequest) -> Asked + Send + Sync>);

impl TicketSource {
    /// Asks this for tickets.
    pub fn new<F, Asked>(ask: F) -> Self
    where
        F: Fn(TicketRequest) -> Asked + Send + Sync + 'static,
        Asked: Future<Output = Result<Ticket, TicketError>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(ask(request))))
    }

    /// Asks the site's HTTP API as a guest.
    pub fn guest() -> Self {
        Self::http(None)
    }

    /// Asks the site's HTTP API with this session token of an account.
    pub fn agent(session: impl Into<String>) -> Self {
        Self::http(Some(session.into()))
    }

    fn http(session: Option<String>) -> Self {
        Self::new(move |request| {
            let session = session.clone();
            async move {
                let site = request.site.clone().ok_or(TicketError::NoSite)?;
                let until = Instant::now() + CROWD;
                let mut tries = 0;
                loop {
                    let (request, session) = (request.clone(), session.clone());
                    let asking = tokio::task::spawn_blocking(move || {
                        site::ask(&request, session.as_deref())
                    });
                    let answer = asking.await.map_err(|error| TicketError::Unavailable {
                        site: site.clone(),
                        reason: error.to_string(),
                    })?;
                    let NoTicket { error, again } = match answer {
                        Ok(ticket) => return Ok(ticket),
                        Err(none) => none,
                    };
                    // Who is refused more often waits longer: others of the crowd had the place.
                    tries += 1;
                    match again.map(|again| Instant::now() + again * tries) {
                        Some(at) if at <= until => tokio::time::sleep_until(at.into()).await,
                        _ => return Err(error),
                    }
                }
            }
        })
    }

    pub(crate) async fn ticket(&self, request: TicketRequest) -> Result<Ticket, TicketError> {
        (self.0)(request).await
    }
}

impl fmt::Debug for TicketSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketSource")
    }
}

/// The site that a link names, without the code.
pub(crate) fn site_of(link: &str) -> Option<String> {
    let (scheme, rest) = link.trim().split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    (!host.is_empty()).then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_its_site_and_a_code_does_not() {
        let site = |text| site_of(text);
        let meet = Some("https://meet.example:8443".to_owned());
        assert_eq!(site("https://meet.example:8443/abc-defg-hij?x=1"), meet);
        assert_eq!(site("abc-defg-hij"), None);
        assert_eq!(site("https:///abc-defg-hij"), None);
    }
}
