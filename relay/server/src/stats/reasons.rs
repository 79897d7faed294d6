use parvis_quic::CloseReason;
use parvis_wire::SessionErrorCode;

/// A limit that somebody ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// `max-sessions`: a newcomer was refused.
    Sessions,
    /// `max-half-open`: a newcomer was asked to prove its address.
    HalfOpen,
    /// `max-network-half-open`: a newcomer was not answered.
    NetworkHalfOpen,
    /// `max-attempts`: a newcomer was asked to prove its address.
    Attempts,
    /// The relay is stopping: a newcomer was refused.
    Draining,
    /// `max-subscriptions`: a request was refused.
    Subscriptions,
    /// `max-tracks`: a request was refused.
    Tracks,
    /// `max-namespaces`: a request was refused.
    Namespaces,
    /// `max-prefixes`: a request was refused.
    Prefixes,
    /// `max-requests`: a request or an update of one was refused.
    Requests,
    /// More open requests than all of a session's limits allow: a request was refused.
    OpenRequests,
    /// More updates of one request than may wait for an answer.
    PendingUpdates,
    /// Bytes of requests, or of answers that the peer does not read: the request was ended.
    ControlBuffer,
    /// `too-far-behind`: a subscription was ended.
    TooFarBehind,
    /// A subscriber has too many streams that are not over: a subgroup was not sent to it.
    SendStreams,
    /// The answer to a FETCH was cut off: its reader is too slow.
    FetchBacklog,
    /// `max-subject-sessions`: the oldest session of a participant was closed.
    SubjectSessions,
    /// A quarter of `max-sessions` without a token: the oldest of them was closed.
    Strangers,
    /// `receive-window`: a peer said that it waits for room.
    ReceiveWindow,
    /// `stream-window`: a peer said that it waits for room on a stream.
    StreamWindow,
    /// `max-streams`: a peer said that it waits to open a stream.
    Streams,
}

impl Limit {
    /// Every limit, in the order of its numbers.
    pub const ALL: [Self; 21] = [
        Self::Sessions,
        Self::HalfOpen,
        Self::NetworkHalfOpen,
        Self::Attempts,
        Self::Draining,
        Self::Subscriptions,
        Self::Tracks,
        Self::Namespaces,
        Self::Prefixes,
        Self::Requests,
        Self::OpenRequests,
        Self::PendingUpdates,
        Self::ControlBuffer,
        Self::TooFarBehind,
        Self::SendStreams,
        Self::FetchBacklog,
        Self::SubjectSessions,
        Self::Strangers,
        Self::ReceiveWindow,
        Self::StreamWindow,
        Self::Streams,
    ];
}

/// Why a handshake came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandshakeFailure {
    /// The client offers no draft that is spoken here.
    NoCommonDraft,
    /// The client does not trust the certificate.
    CertificateRejected,
    /// Another failure of TLS.
    Tls,
    /// The client fell silent.
    TimedOut,
    /// The client gave up.
    GivenUp,
    /// Anything else.
    Other,
}

impl HandshakeFailure {
    /// Every failure, in the order of its numbers.
    pub const ALL: [Self; 6] = [
        Self::NoCommonDraft,
        Self::CertificateRejected,
        Self::Tls,
        Self::TimedOut,
        Self::GivenUp,
        Self::Other,
    ];

    pub(crate) const fn of(reason: &CloseReason) -> Self {
        match reason {
            CloseReason::NoCommonDraft
            | CloseReason::VersionMismatch
            | CloseReason::Local {
                code: SessionErrorCode::VersionNegotiationFailed,
                ..
            } => Self::NoCommonDraft,
            CloseReason::CertificateRejected(_) => Self::CertificateRejected,
            CloseReason::Handshake { .. } => Self::Tls,
            CloseReason::TimedOut => Self::TimedOut,
            CloseReason::PeerClosed { .. } | CloseReason::Reset => Self::GivenUp,
            CloseReason::Local { .. }
            | CloseReason::Refused
            | CloseReason::Io(_)
            | CloseReason::Transport { .. }
            | CloseReason::WebTransportRefused { .. }
            | CloseReason::Http3 { .. } => Self::Other,
        }
    }
}

/// Who ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClosedBy {
    /// The peer, in order.
    Peer,
    /// The relay, which was stopped.
    Stop,
    /// The relay: the peer broke a rule or exceeded a limit.
    Relay,
    /// Nobody: the peer fell silent.
    Silence,
    /// A violation of QUIC, or the peer forgot the connection.
    Transport,
}

impl ClosedBy {
    /// Every one, in the order of its numbers.
    pub const ALL: [Self; 5] = [
        Self::Peer,
        Self::Stop,
        Self::Relay,
        Self::Silence,
        Self::Transport,
    ];

    pub(crate) const fn of(reason: &CloseReason) -> Self {
        match reason {
            CloseReason::PeerClosed { .. } => Self::Peer,
            CloseReason::Local {
                code: SessionErrorCode::GoawayTimeout,
                ..
            } => Self::Stop,
            CloseReason::Local { .. } => Self::Relay,
            CloseReason::TimedOut => Self::Silence,
            CloseReason::Reset
            | CloseReason::Refused
            | CloseReason::VersionMismatch
            | CloseReason::NoCommonDraft
            | CloseReason::CertificateRejected(_)
            | CloseReason::Handshake { .. }
            | CloseReason::Io(_)
            | CloseReason::Transport { .. }
            | CloseReason::WebTransportRefused { .. }
            | CloseReason::Http3 { .. } => Self::Transport,
        }
    }
}
