use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use parvis_meeting::{ErrorKind, ParticipantId, RoomCode, UnixMillis};
use serde::{Deserialize, Serialize};
use thiserror::Error;

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

/// How long a meeting service may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most characters of a service's sentence.
const SENTENCE: usize = 400;

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
                let asking = tokio::task::spawn_blocking(move || ask(&request, session.as_deref()));
                let unavailable = |reason: String| TicketError::Unavailable {
                    site: site.clone(),
                    reason,
                };
                match asking.await {
                    Ok(answer) => answer,
                    Err(error) => Err(unavailable(error.to_string())),
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

#[derive(Serialize)]
struct Body<'a> {
    name: &'a str,
    device: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<&'a str>,
}

/// A ticket as the API says it.
#[derive(Deserialize)]
struct Answer {
    participant: ParticipantId,
    code: RoomCode,
    relay: RelayAddress,
    token: String,
    #[serde(default)]
    resume: Option<String>,
    #[serde(default)]
    expires: Option<String>,
}

impl From<Answer> for Ticket {
    fn from(answer: Answer) -> Self {
        let time = answer.expires.as_deref().map(humantime::parse_rfc3339);
        // One that is not understood is not renewed in time, and refused when it has expired.
        let since = time.and_then(|time| time.ok()?.duration_since(UNIX_EPOCH).ok());
        Self {
            participant: answer.participant,
            code: answer.code,
            relay: answer.relay,
            token: answer.token,
            resume: answer.resume,
            expires: since.map(|since| UnixMillis(since.as_millis() as u64)),
        }
    }
}

#[derive(Deserialize)]
struct Fault {
    error: ErrorKind,
    #[serde(default)]
    message: String,
}

impl Fault {
    /// What the service says, as a text that no terminal obeys.
    fn sentence(&self) -> String {
        let letters = self.message.chars().take(SENTENCE);
        let plain: String = letters
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        plain.trim().to_owned()
    }
}

/// `POST /api/v1/rooms/{code}/join`; blocks.
fn ask(request: &TicketRequest, session: Option<&str>) -> Result<Ticket, TicketError> {
    let site = request.site.as_deref().unwrap_or_default();
    let unavailable = |reason: String| TicketError::Unavailable {
        site: site.to_owned(),
        reason,
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .build()
        .into();
    let url = format!(
        "{}/api/v1/rooms/{}/join",
        site.trim_end_matches('/'),
        request.code
    );
    let mut asking = agent.post(&url).header("Content-Type", "application/json");
    if let Some(session) = session {
        asking = asking.header("Authorization", format!("Bearer {session}"));
    }
    let body = Body {
        name: &request.name,
        device: &request.device,
        resume: request.resume.as_deref(),
    };
    let body = serde_json::to_vec(&body).map_err(|error| unavailable(error.to_string()))?;
    let answer = asking.send(&body[..]);
    let mut answer = answer.map_err(|error| unavailable(error.to_string()))?;
    let status = answer.status();
    let text = answer
        .body_mut()
        .with_config()
        .limit(64 << 10)
        .read_to_vec();
    let text = text.map_err(|error| unavailable(error.to_string()))?;
    if status.is_success() {
        let answer = serde_json::from_slice::<Answer>(&text).map(Ticket::from);
        return answer.map_err(|error| unavailable(error.to_string()));
    }
    let Ok(fault) = serde_json::from_slice::<Fault>(&text) else {
        return Err(unavailable(format!("status {status}")));
    };
    let sentence = fault.sentence();
    // Not this request is at fault, and there is no word for that.
    if status.is_server_error() && !sentence.is_empty() {
        return Err(unavailable(sentence));
    }
    Err(match fault.error {
        kind if sentence.is_empty() => TicketError::Refused(kind),
        kind => TicketError::RefusedBecause { kind, sentence },
    })
}

/// The site that a link names, without the code.
pub(crate) fn site_of(link: &str) -> Option<String> {
    let (scheme, rest) = link.trim().split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    (!host.is_empty()).then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    use super::*;

    #[test]
    fn the_answer_of_the_api_is_a_ticket() {
        let json = r#"{"participant":"pabc","code":"abc-defg-hij","relay":{"url":"moqt://relay",
            "fingerprint":null},"token":"t","resume":"r","expires":"2027-01-15T08:00:00Z",
            "name":"Zoe","verified":false}"#;
        let ticket = Ticket::from(serde_json::from_str::<Answer>(json).unwrap());
        assert_eq!(ticket.code.compact(), "abcdefghij");
        assert_eq!(ticket.expires, Some(UnixMillis(1_800_000_000_000)));
    }

    /// What is made of an answer of a service.
    fn refused(status: &str, body: &str) -> TicketError {
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = format!("http://{}", service.local_addr().unwrap());
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let answering = thread::spawn(move || {
            let (mut client, _) = service.accept().unwrap();
            let mut asked = Vec::new();
            let mut buffer = [0; 1024];
            while !asked.ends_with(b"}") {
                let length = client.read(&mut buffer).unwrap();
                asked.extend_from_slice(&buffer[..length]);
            }
            client.write_all(answer.as_bytes()).unwrap();
        });
        let request = TicketRequest {
            site: Some(site),
            code: RoomCode::parse("abc-defg-hij").unwrap(),
            name: "Zoé".to_owned(),
            device: "d".to_owned(),
            resume: None,
        };
        let refused = ask(&request, None).unwrap_err();
        answering.join().unwrap();
        refused
    }

    #[test]
    fn a_refusal_keeps_its_kind_and_the_sentence_of_the_service() {
        let error = refused(
            "400 Bad Request",
            r#"{"error":"Malformed","message":"a guest says\nits device"}"#,
        );
        assert_eq!(error.kind(), Some(ErrorKind::Malformed));
        assert_eq!(error.to_string(), "a guest says its device");
        let error = refused("404 Not Found", r#"{"error":"NotFound"}"#);
        assert_eq!(error, TicketError::Refused(ErrorKind::NotFound));
        let error = refused(
            "503 Service Unavailable",
            r#"{"error":"Unavailable","message":"the store is away"}"#,
        );
        assert_eq!(error.kind(), None);
        assert!(error.to_string().contains("the store is away"), "{error}");
    }

    #[test]
    fn a_link_names_its_site_and_a_code_does_not() {
        let site = |text| site_of(text);
        let meet = Some("https://meet.example:8443".to_owned());
        assert_eq!(site("https://meet.example:8443/abc-defg-hij?x=1"), meet);
        assert_eq!(site("abc-defg-hij"), None);
        assert_eq!(site("https:///abc-defg-hij"), None);
    }
}
