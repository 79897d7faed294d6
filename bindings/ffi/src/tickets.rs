use std::sync::{Arc, Mutex, PoisonError};

use parvis::meeting::{self, ParticipantId, RoomCode, TicketError, UnixMillis};

use crate::{ErrorKind, ParvisError};

/// What lets somebody knock at a room.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Ticket {
    /// Who it is for; new for each join unless it is resumed.
    pub participant: String,
    /// The room.
    pub code: String,
    /// Where the room is.
    pub relay: RelayAddress,
    /// What is shown to the relay.
    pub token: String,
    /// With this secret, another ticket is for the same participant.
    #[uniffi(default = None)]
    pub resume: Option<String>,
    /// When the token expires, milliseconds since 1970.
    #[uniffi(default = None)]
    pub expires_ms: Option<i64>,
}

/// Where a relay is, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RelayAddress {
    /// `moqt://host:port`.
    pub url: String,
    /// The SHA-256 fingerprint of its certificate, where no public authority signed it.
    #[uniffi(default = None)]
    pub fingerprint: Option<String>,
}

/// What a ticket is asked for with.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TicketRequest {
    /// The site, such as `https://meet.example`, as the link or the options name it.
    pub site: Option<String>,
    /// The room.
    pub code: String,
    /// The display name.
    pub name: String,
    /// A stable random id of this device.
    pub device: String,
    /// The secret of the ticket before.
    pub resume: Option<String>,
    /// The PEM file of the authority that signed the site's certificate; none: a public one.
    pub authority: Option<String>,
    /// Whether it is to measure a path, and not to knock.
    pub is_test: bool,
}

/// The app's own source of tickets, such as its server.
#[uniffi::export(foreign)]
#[async_trait::async_trait]
pub trait TicketSource: Send + Sync {
    /// A ticket for the room; asked at each join, and again when a connection is replaced after the
    /// ticket has expired.
    async fn ticket(&self, request: TicketRequest) -> Result<Ticket, ParvisError>;
}

/// Where tickets come from.
#[derive(uniffi::Object)]
pub struct Tickets {
    source: meeting::TicketSource,
    /// What the app's own source said last, whose kinds are more than the SDK's.
    failure: Arc<Mutex<Option<ParvisError>>>,
}

#[uniffi::export]
impl Tickets {
    /// The site's HTTP API, as a guest.
    #[uniffi::constructor]
    pub fn guest() -> Self {
        Self::new(meeting::TicketSource::guest())
    }

    /// The site's HTTP API, with this session token of an account.
    #[uniffi::constructor]
    pub fn agent(session: String) -> Self {
        Self::new(meeting::TicketSource::agent(session))
    }

    /// The app's own source.
    #[uniffi::constructor]
    pub fn of(source: Arc<dyn TicketSource>) -> Self {
        let failure: Arc<Mutex<Option<ParvisError>>> = Arc::default();
        let said = Arc::clone(&failure);
        let asked = meeting::TicketSource::new(move |request| {
            let (source, said) = (Arc::clone(&source), Arc::clone(&said));
            async move {
                let site = request.site.clone().unwrap_or_default();
                let answer = source.ticket(request.into()).await;
                let ticket = answer.and_then(meeting::Ticket::try_from);
                ticket.map_err(|error| {
                    let refused = error.kind().word().map(TicketError::Refused);
                    let reason = error.to_string();
                    *said.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    refused.unwrap_or(TicketError::Unavailable { site, reason })
                })
            }
        });
        Self {
            source: asked,
            failure,
        }
    }
}

impl Tickets {
    fn new(source: meeting::TicketSource) -> Self {
        Self {
            source,
            failure: Arc::default(),
        }
    }

    pub(crate) fn source(&self) -> meeting::TicketSource {
        self.source.clone()
    }

    /// Why a join failed, in the words of the app's own source if it was that.
    pub(crate) fn explain(&self, error: meeting::JoinError) -> ParvisError {
        if matches!(error, meeting::JoinError::Ticket(_)) {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(failure) = failure.take() {
                return failure;
            }
        }
        error.into()
    }
}

impl From<meeting::TicketRequest> for TicketRequest {
    fn from(request: meeting::TicketRequest) -> Self {
        Self {
            site: request.site,
            code: request.code.to_string(),
            name: request.name,
            device: request.device,
            resume: request.resume,
            authority: request
                .authority
                .map(|file| file.to_string_lossy().into_owned()),
            is_test: request.is_test,
        }
    }
}

impl TryFrom<Ticket> for meeting::Ticket {
    type Error = ParvisError;

    fn try_from(ticket: Ticket) -> Result<Self, ParvisError> {
        let code = RoomCode::parse(&ticket.code);
        let code = code.map_err(|bad| ParvisError::new(ErrorKind::BadCode, bad.to_string()))?;
        let since_1970 = |ms: i64| UnixMillis(u64::try_from(ms).unwrap_or_default());
        Ok(Self {
            participant: ParticipantId::new(&ticket.participant)?,
            code,
            relay: meeting::RelayAddress {
                url: ticket.relay.url,
                fingerprint: ticket.relay.fingerprint,
            },
            token: ticket.token,
            resume: ticket.resume,
            expires: ticket.expires_ms.map(since_1970),
        })
    }
}
