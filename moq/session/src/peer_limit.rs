/// What a peer exceeded. The session has told it already, or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerLimit {
    /// [`Limits::max_peer_requests`](crate::Limits::max_peer_requests).
    OpenRequests,
    /// [`Limits::request_rate`](crate::Limits::request_rate).
    RequestRate,
    /// [`Limits::max_pending_updates`](crate::Limits::max_pending_updates).
    PendingUpdates,
    /// [`Limits::control_buffer`](crate::Limits::control_buffer).
    ControlBuffer,
    /// [`Limits::max_namespaces`](crate::Limits::max_namespaces).
    Namespaces,
}

impl PeerLimit {
    /// Every limit, in the order of the numbers.
    pub const ALL: [Self; 5] = [
        Self::OpenRequests,
        Self::RequestRate,
        Self::PendingUpdates,
        Self::ControlBuffer,
        Self::Namespaces,
    ];
}
