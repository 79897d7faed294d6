use parvis_meeting::{BadCode, ErrorKind, Refusal};
use std::time::Duration;
use thiserror::Error;

use super::TicketError;
use crate::ConnectError;

/// Why a meeting is not joined.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The text is no link and no code.
    #[error(transparent)]
    BadCode(#[from] BadCode),
    /// The name has not 1 to 50 visible characters.
    #[error("{0}")]
    BadName(ErrorKind),
    /// There is no ticket.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// The relay is not reached, or does not let one in.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// Why a command is not done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The meeting refuses it.
    #[error("{kind}")]
    Refused {
        /// Why.
        kind: ErrorKind,
        /// When it may be tried again.
        retry_after: Option<Duration>,
    },
    /// Nobody answers; it may still be done.
    #[error("the meeting does not answer: try again")]
    TimedOut,
    /// The meeting is over for this participant.
    #[error("the meeting is over")]
    Disconnected,
}

impl CommandError {
    /// The kind, of a refusal.
    pub const fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Refused { kind, .. } => Some(*kind),
            Self::TimedOut | Self::Disconnected => None,
        }
    }
}

impl From<Refusal> for CommandError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused {
            kind: refusal.error,
            retry_after: refusal.retry_after_ms.map(Duration::from_millis),
        }
    }
}
