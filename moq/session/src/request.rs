use std::time::Instant;

use parvis_wire::{
    FullTrackName, GroupOrder, PublishDoneCode, RequestId, TrackAlias, TrackNamespace,
};
use rustc_hash::FxHashSet;

use crate::{
    RequestKey, StreamId,
    message_reader::MessageReader,
    wishes::{TrackDefaults, Wishes},
};

/// Which side opened a request's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Own,
    Peer,
}

/// A request that is open.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) origin: Origin,
    pub(crate) id: RequestId,
    pub(crate) kind: Kind,
    /// Whether it was accepted.
    pub(crate) established: bool,
    pub(crate) reader: MessageReader,
    /// Whether the peer may still send on the stream.
    pub(crate) receiving: bool,
    /// Updates of ours that wait for the peer's answer.
    pub(crate) updates_out: usize,
    /// Updates of the peer's that wait for our answer.
    pub(crate) updates_in: usize,
    /// Whether the peer sent a GOAWAY for it.
    pub(crate) moving: bool,
    /// The peer stopped our direction with this code; until then it may say why on its own.
    pub(crate) stopped: Option<(u64, Instant)>,
}

/// What a request is about.
#[derive(Debug)]
pub(crate) enum Kind {
    /// The peer's first message has not come.
    Opening,
    /// A subscription whose publisher this side is: own PUBLISH or the peer's SUBSCRIBE.
    Sending(Sending),
    /// A subscription whose subscriber this side is: own SUBSCRIBE or the peer's PUBLISH.
    Receiving(Receiving),
    PublishNamespace,
    SubscribeNamespace {
        prefix: TrackNamespace,
        /// Own: what the peer announced. `None`: the prefix changed, they are not comparable.
        names: Option<FxHashSet<TrackNamespace>>,
    },
    SubscribeTracks {
        prefix: TrackNamespace,
    },
    TrackStatus,
    Fetch(Fetching),
}

#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) track: FullTrackName,
    pub(crate) alias: TrackAlias,
    pub(crate) forward: bool,
    pub(crate) wishes: Wishes,
    pub(crate) defaults: TrackDefaults,
    pub(crate) streams_opened: u64,
    /// The flows of fill streams that are not over.
    pub(crate) fills: Vec<RequestKey>,
    /// Whether every other stream is handed over, after it was ended.
    pub(crate) drained: bool,
    /// Set when the publisher ended it; PUBLISH_DONE follows the last stream.
    pub(crate) done: Option<(PublishDoneCode, String)>,
}

#[derive(Debug)]
pub(crate) struct Receiving {
    pub(crate) track: FullTrackName,
    pub(crate) alias: Option<TrackAlias>,
    pub(crate) wishes: Wishes,
    pub(crate) defaults: TrackDefaults,
    /// Open streams of the peer's.
    pub(crate) streams: Vec<StreamId>,
    pub(crate) streams_seen: u64,
    /// The messages that asked for fills, and the order of groups in each.
    pub(crate) fills: Vec<(RequestId, GroupOrder)>,
    pub(crate) done: Option<Done>,
}

/// A PUBLISH_DONE whose streams are waited for.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: PublishDoneCode,
    pub(crate) reason: String,
    pub(crate) stream_count: u64,
    pub(crate) until: Instant,
}

#[derive(Debug, Default)]
pub(crate) struct Fetching {
    pub(crate) order: GroupOrder,
    pub(crate) wishes: Wishes,
    /// The stream of objects, once there was one.
    pub(crate) stream: Option<StreamId>,
    /// Whether that stream ended.
    pub(crate) ended: bool,
}

impl Request {
    pub(crate) fn new(origin: Origin, id: RequestId, kind: Kind) -> Self {
        Self {
            origin,
            id,
            kind,
            established: false,
            reader: MessageReader::default(),
            receiving: true,
            updates_out: 0,
            updates_in: 0,
            moving: false,
            stopped: None,
        }
    }

    /// The message that opened it.
    pub(crate) const fn name(&self) -> &'static str {
        match (&self.kind, self.origin) {
            (Kind::Opening, _) => "no request",
            (Kind::Sending(_), Origin::Own) | (Kind::Receiving(_), Origin::Peer) => "PUBLISH",
            (Kind::Sending(_), Origin::Peer) | (Kind::Receiving(_), Origin::Own) => "SUBSCRIBE",
            (Kind::PublishNamespace, _) => "PUBLISH_NAMESPACE",
            (Kind::SubscribeNamespace { .. }, _) => "SUBSCRIBE_NAMESPACE",
            (Kind::SubscribeTracks { .. }, _) => "SUBSCRIBE_TRACKS",
            (Kind::TrackStatus, _) => "TRACK_STATUS",
            (Kind::Fetch(_), _) => "FETCH",
        }
    }
}

impl Receiving {
    pub(crate) fn is_complete(&self) -> bool {
        self.streams.is_empty()
            && self
                .done
                .as_ref()
                .is_some_and(|done| self.streams_seen >= done.stream_count)
    }
}
