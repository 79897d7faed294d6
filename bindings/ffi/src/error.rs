use std::time::Duration;

use parvis::{
    ConnectError, PublishError, RebindError, SubscribeError,
    data::FetchError,
    meeting::{BadId, CommandError, JoinError, TicketError},
};

use crate::{ErrorKind, numbers::millis};

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ParvisError {
    /// The one shape of all failures.
    #[error("{reason}")]
    Failed {
        /// What went wrong.
        kind: ErrorKind,
        /// One line for developers: what is wrong, and what to do.
        reason: String,
        /// When it may be tried again, milliseconds from here on.
        retry_after_ms: Option<i64>,
        /// Whether the same may succeed a little later.
        is_retryable: bool,
        /// Whether another ticket or sign-in is needed.
        is_auth: bool,
    },
}

impl ParvisError {
    pub(crate) fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        Self::Failed {
            kind,
            reason: reason.into(),
            retry_after_ms: None,
            is_retryable: kind.is_retryable(),
            is_auth: kind.is_auth(),
        }
    }

    /// The meeting, or what is used of it, was left before.
    pub(crate) fn left() -> Self {
        Self::new(
            ErrorKind::Left,
            "the meeting was left, or this was ended: join again",
        )
    }

    /// What went wrong.
    pub const fn kind(&self) -> ErrorKind {
        let Self::Failed { kind, .. } = self;
        *kind
    }

    fn after(self, pause: Option<Duration>) -> Self {
        let Self::Failed {
            kind,
            reason,
            is_retryable,
            is_auth,
            ..
        } = self;
        let retry_after_ms = pause.map(millis);
        Self::Failed {
            kind,
            reason,
            retry_after_ms,
            is_retryable: is_retryable || retry_after_ms.is_some(),
            is_auth,
        }
    }
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ParvisError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::new(ErrorKind::Callback, error.reason)
    }
}

impl From<JoinError> for ParvisError {
    fn from(error: JoinError) -> Self {
        let reason = error.to_string();
        match error {
            JoinError::BadName(kind) => Self::new(kind.into(), reason),
            JoinError::Ticket(error) => error.into(),
            JoinError::Connect(error) => error.into(),
            JoinError::BadCode(_) => Self::new(ErrorKind::BadCode, reason),
            _ => Self::new(ErrorKind::Unknown, reason),
        }
    }
}

impl From<TicketError> for ParvisError {
    fn from(error: TicketError) -> Self {
        let kind = match &error {
            TicketError::NoSite => ErrorKind::NoSite,
            other => other
                .kind()
                .map_or(ErrorKind::ServiceUnavailable, Into::into),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ConnectError> for ParvisError {
    fn from(error: ConnectError) -> Self {
        let kind = match &error {
            ConnectError::BadUrl { .. } => ErrorKind::BadUrl,
            ConnectError::UnknownHost { .. } => ErrorKind::UnknownHost,
            ConnectError::Unreachable { .. } => ErrorKind::Unreachable,
            ConnectError::CertificateRejected { .. } => ErrorKind::CertificateRejected,
            ConnectError::NoCommonDraft { .. } => ErrorKind::NoCommonDraft,
            ConnectError::BadTrust(_) => ErrorKind::BadTrust,
            ConnectError::NoToken(_) => ErrorKind::NoToken,
            ConnectError::NotLetIn(_) => ErrorKind::NotLetIn,
            ConnectError::NameTaken { .. } => ErrorKind::NameTaken,
            ConnectError::Refused { .. } => ErrorKind::Refused,
            ConnectError::Closed(_) => ErrorKind::Lost,
            ConnectError::Socket(_) => ErrorKind::NoSocket,
            _ => ErrorKind::Unknown,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<CommandError> for ParvisError {
    fn from(error: CommandError) -> Self {
        let reason = error.to_string();
        match error {
            CommandError::Refused { kind, retry_after } => {
                Self::new(kind.into(), reason).after(retry_after)
            }
            CommandError::TimedOut => Self::new(ErrorKind::NoAnswer, reason),
            CommandError::Disconnected => Self::new(ErrorKind::Left, reason),
            _ => Self::new(ErrorKind::Unknown, reason),
        }
    }
}

impl From<PublishError> for ParvisError {
    fn from(error: PublishError) -> Self {
        let kind = match &error {
            PublishError::TrackExists(_) => ErrorKind::TrackExists,
            PublishError::BadLayer { .. } => ErrorKind::BadArgument,
            PublishError::Thread(_) => ErrorKind::NoThread,
            PublishError::Encoder(_) => ErrorKind::Codec,
            PublishError::Closed(_) => ErrorKind::Left,
            PublishError::Observer => ErrorKind::Forbidden,
            PublishError::Refused(kind) => (*kind).into(),
            _ => ErrorKind::Unknown,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<SubscribeError> for ParvisError {
    fn from(error: SubscribeError) -> Self {
        let kind = match &error {
            SubscribeError::NoSuchParticipant(_) => ErrorKind::NotPresent,
            SubscribeError::NoSuchTrack { .. } | SubscribeError::WrongKind { .. } => {
                ErrorKind::NoSuchTrack
            }
            SubscribeError::Rejected { .. } => ErrorKind::Refused,
            SubscribeError::Decoder(_) | SubscribeError::NoDecoder { .. } => ErrorKind::Codec,
            SubscribeError::Closed(_) => ErrorKind::Left,
            _ => ErrorKind::Unknown,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<RebindError> for ParvisError {
    fn from(error: RebindError) -> Self {
        let kind = match &error {
            RebindError::NotConnected => ErrorKind::Lost,
            RebindError::Socket(_) => ErrorKind::NoSocket,
            _ => ErrorKind::Unknown,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<FetchError> for ParvisError {
    fn from(error: FetchError) -> Self {
        let kind = match &error {
            FetchError::Rejected(_) => ErrorKind::Refused,
            FetchError::TimedOut => ErrorKind::NoAnswer,
            FetchError::Closed(_) => ErrorKind::Left,
            _ => ErrorKind::Unknown,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<BadId> for ParvisError {
    fn from(error: BadId) -> Self {
        Self::new(ErrorKind::BadArgument, error.to_string())
    }
}
