use parvis_wire::{DecodeError, RequestErrorCode, SessionErrorCode};
use thiserror::Error;

use crate::{RequestKey, StreamId};

/// Why a session ended while it took an input.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SessionError {
    /// The peer broke the protocol; [`Transmit::Close`](crate::Transmit::Close) is queued.
    #[error("peer misbehaved ({code:?}): {reason}")]
    PeerMisbehaved {
        /// What the session closes with.
        code: SessionErrorCode,
        /// What was expected and what came.
        reason: String,
    },
}

impl SessionError {
    pub(crate) fn new(code: SessionErrorCode, reason: impl Into<String>) -> Self {
        Self::PeerMisbehaved {
            code,
            reason: reason.into(),
        }
    }

    pub(crate) fn violation(reason: impl Into<String>) -> Self {
        Self::new(SessionErrorCode::ProtocolViolation, reason)
    }

    /// The code the session closes with.
    pub const fn code(&self) -> SessionErrorCode {
        let Self::PeerMisbehaved { code, .. } = self;
        *code
    }
}

impl From<DecodeError> for SessionError {
    fn from(error: DecodeError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// Why a call on the session makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApiMisuse {
    /// The session is closed.
    #[error("the session is closed")]
    Closed,
    /// The peer said GOAWAY: no new requests go to it.
    #[error("the peer is going away")]
    GoingAway,
    /// More own requests than [`Limits::max_own_requests`](crate::Limits::max_own_requests).
    #[error("{0} requests are open, the most allowed")]
    TooManyRequests(usize),
    /// No such request is open. It may just have ended: its `Ended` event is on its way.
    #[error("no request {0} is open")]
    UnknownRequest(RequestKey),
    /// The request's kind or state does not allow this.
    #[error("request {key} does not allow {action}")]
    NotAllowed {
        /// The request.
        key: RequestKey,
        /// What was tried.
        action: &'static str,
    },
    /// A value does not fit the draft.
    #[error("the message does not encode: {0}")]
    Unencodable(String),
}

/// Why data is not sent. Most are ordinary: the peer lost interest, or the stream was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendRefused {
    /// The session is closed.
    #[error("the session is closed")]
    Closed,
    /// No such subscription or fetch is open with this side as its publisher.
    #[error("nothing is published as {0}")]
    NotPublished(RequestKey),
    /// The subscriber's forward state is 0.
    #[error("{0} does not forward")]
    NotForwarded(RequestKey),
    /// The stream was finished, reset, stopped by the peer or dropped.
    #[error("stream {0} takes no more data")]
    StreamGone(StreamId),
    /// More data streams than [`SendLimits::max_streams`](crate::SendLimits::max_streams).
    #[error("{0} data streams are open, the most allowed")]
    TooManyStreams(usize),
    /// A fetch's bytes wait already; go on after [`Event::SendReady`](crate::Event::SendReady).
    #[error("{0} bytes of the fetch wait already")]
    QueueFull(usize),
    /// A header or datagram is not a valid one.
    #[error("the header does not encode")]
    Unencodable,
}

/// Shortens the making of a [`parvis_wire::RequestError`].
pub(crate) fn rejection(code: RequestErrorCode, reason: &str) -> parvis_wire::RequestError {
    parvis_wire::RequestError {
        code,
        retry_interval: 0,
        reason: reason.to_owned(),
        redirect: None,
    }
}
