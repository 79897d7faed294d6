use std::{collections::HashMap, time::Instant};

use parvis_session::{ObjectAssembler, RequestKey, StreamId};
use parvis_wire::{GroupId, RequestErrorCode, TrackNamespace};
use tokio::sync::oneshot;

use super::{
    data::{DataKey, DataLinkState},
    subscription::TrackKey,
};
use crate::{ConnectError, ParticipantName};

/// Names a connection of a room; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LinkId(pub u64);

/// What is under way on one connection: its requests and streams mean nothing on another.
#[derive(Default)]
pub(super) struct Link {
    pub(super) own: HashMap<RequestKey, Purpose>,
    /// The peer's subscriptions to our tracks.
    pub(super) served: HashMap<RequestKey, String>,
    /// Participants whom the peer announced by a request of its own.
    pub(super) announced: HashMap<RequestKey, ParticipantName>,
    pub(super) streams: HashMap<StreamId, Incoming>,
    pub(super) discovery: Standing,
    pub(super) visibility: Standing,
    pub(super) data: DataLinkState,
    /// Whether the relay has answered to anything.
    pub(super) let_in: bool,
    /// The relay asked to move: nothing new is asked of it.
    pub(super) going_away: bool,
    /// Whether the room was told that nothing is left here.
    pub(super) settled: bool,
}

/// How far a request has come that a connection needs from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// To be asked; again, at that time.
    #[default]
    Due,
    RetryAt(Instant),
    Asked,
    Accepted,
}

/// Why a request of our own was made.
pub(super) enum Purpose {
    Discover(Option<oneshot::Sender<Result<(), ConnectError>>>),
    Probe(oneshot::Sender<bool>),
    Announce(Option<oneshot::Sender<Result<(), ConnectError>>>),
    Catalog(ParticipantName),
    Track(TrackKey),
    /// A SUBSCRIBE of a data track.
    Data(DataKey),
    /// A FETCH of what lies before one.
    Joining(DataKey),
    /// A FETCH of a data track.
    Fetch(DataKey),
    /// A PUBLISH_NAMESPACE for data tracks.
    Namespace(TrackNamespace),
    /// A SUBSCRIBE_NAMESPACE for a data link.
    Prefix(DataKey),
}

/// How a request of our own ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Rejected(RequestErrorCode),
    /// The publisher has no more.
    Done,
    Lost,
}

pub(super) struct Incoming {
    pub(super) key: RequestKey,
    pub(super) group: GroupId,
    pub(super) assembler: ObjectAssembler,
}

impl Standing {
    pub(super) fn is_due(self, now: Instant) -> bool {
        match self {
            Self::Due => true,
            Self::RetryAt(at) => at <= now,
            Self::Asked | Self::Accepted => false,
        }
    }

    pub(super) const fn retry_at(self) -> Option<Instant> {
        match self {
            Self::RetryAt(at) => Some(at),
            Self::Due | Self::Asked | Self::Accepted => None,
        }
    }
}
