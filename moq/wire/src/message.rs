use crate::{
    FullTrackName, GroupId, Location, Parameters, Properties, PublishDoneCode, RequestErrorCode,
    RequestId, Setup, TrackAlias, TrackName, TrackNamespace,
};

/// A control message of either draft.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented on its struct")]
pub enum Message {
    Setup(Setup),
    GoAway(GoAway),
    RequestOk(RequestOk),
    RequestError(RequestError),
    Subscribe(Subscribe),
    SubscribeOk(SubscribeOk),
    RequestUpdate(RequestUpdate),
    Publish(Publish),
    /// Draft 22 only.
    PublishStateNotify(PublishStateNotify),
    PublishDone(PublishDone),
    PublishNamespace(PublishNamespace),
    Namespace(Namespace),
    NamespaceDone(NamespaceDone),
    SubscribeNamespace(SubscribeNamespace),
    SubscribeTracks(SubscribeTracks),
    TrackStatus(TrackStatus),
    Fetch(Fetch),
    FetchOk(FetchOk),
    PublishSkipped(PublishSkipped),
}

/// Asks the peer to move to another session; on a request stream, for that request alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoAway {
    /// Where to go; empty: the same URI.
    pub new_session_uri: String,
    /// Milliseconds until the sender closes the session; 0: not said.
    pub timeout_ms: u64,
    /// Draft 18, control stream: the smallest request id the sender has not processed.
    pub request_id: Option<RequestId>,
}

/// Accepts a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestOk {
    /// Parameters of the answer.
    pub parameters: Parameters,
    /// Properties of the track, for TRACK_STATUS.
    pub track_properties: Properties,
}

/// Where a rejected request should be sent instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The session to open; empty: this one.
    pub connect_uri: String,
    /// The namespace to ask for.
    pub namespace: TrackNamespace,
    /// The track to ask for.
    pub name: TrackName,
}

/// Rejects a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// Why.
    pub code: RequestErrorCode,
    /// Milliseconds plus one until a retry makes sense; 0: never.
    pub retry_interval: u64,
    /// For people; cut to [`Message::MAX_REASON_BYTES`] on the wire.
    pub reason: String,
    /// Present exactly when `code` is `Redirect`.
    pub redirect: Option<Redirect>,
}

/// Asks for the objects of a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// This request.
    pub request_id: RequestId,
    /// The track.
    pub track: FullTrackName,
    /// Filter, priority, forward state, timeouts, tokens.
    pub parameters: Parameters,
}

/// Accepts a SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeOk {
    /// The track's name on data streams.
    pub track_alias: TrackAlias,
    /// Largest object, expiry.
    pub parameters: Parameters,
    /// The track's properties.
    pub track_properties: Properties,
}

/// Changes an established request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestUpdate {
    /// A request id of its own.
    pub request_id: RequestId,
    /// What changes.
    pub parameters: Parameters,
}

/// Offers a track: the publisher's way to start a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// This request.
    pub request_id: RequestId,
    /// The track.
    pub track: FullTrackName,
    /// The track's name on data streams.
    pub track_alias: TrackAlias,
    /// Largest object, forward state, expiry, tokens.
    pub parameters: Parameters,
    /// The track's properties.
    pub track_properties: Properties,
}

/// Says that a subscription's state changed for a reason other than an update; draft 22.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishStateNotify {
    /// What changed.
    pub parameters: Parameters,
}

/// Ends a subscription from the publisher's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishDone {
    /// Why.
    pub code: PublishDoneCode,
    /// Streams opened for the subscription; `u64::MAX`: not counted.
    pub stream_count: u64,
    /// For people; cut to [`Message::MAX_REASON_BYTES`] on the wire.
    pub reason: String,
}

/// Announces that tracks under a namespace can be subscribed to here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishNamespace {
    /// This request.
    pub request_id: RequestId,
    /// The namespace.
    pub namespace: TrackNamespace,
    /// Tokens.
    pub parameters: Parameters,
}

/// A namespace under a subscribed prefix appeared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// What follows the prefix.
    pub suffix: TrackNamespace,
    /// Path and cost, where both sides offered RELAY_HOPS; without them the message has no
    /// parameters at all.
    pub parameters: Parameters,
}

/// A namespace under a subscribed prefix went away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceDone {
    /// What follows the prefix.
    pub suffix: TrackNamespace,
}

/// Asks for the namespaces under a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeNamespace {
    /// This request.
    pub request_id: RequestId,
    /// The prefix; may be empty.
    pub prefix: TrackNamespace,
    /// Tokens.
    pub parameters: Parameters,
}

/// Asks for a PUBLISH of every track under a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeTracks {
    /// This request.
    pub request_id: RequestId,
    /// The prefix; may be empty.
    pub prefix: TrackNamespace,
    /// Parameters of the subscriptions to come.
    pub parameters: Parameters,
}

/// Asks for the state of a track without subscribing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackStatus {
    /// This request.
    pub request_id: RequestId,
    /// The track.
    pub track: FullTrackName,
    /// Tokens.
    pub parameters: Parameters,
}

/// Asks for objects of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// This request.
    pub request_id: RequestId,
    /// Which objects.
    pub range: FetchRange,
    /// Priority, order, tokens; in draft 22 also the range, as the location filter.
    pub parameters: Parameters,
}

/// The objects that a FETCH asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchRange {
    /// A range of a named track. Draft 18 carries `start` and `end` in the message; in draft 22
    /// they travel as `Parameters::filter`, and the codec moves them there and back; that field
    /// must be `None`.
    Standalone {
        /// The track.
        track: FullTrackName,
        /// The first object.
        start: Location,
        /// The last group, and the last object in it; `None`: the whole group.
        end: (GroupId, Option<crate::ObjectId>),
    },
    /// Draft 22: a fetch whose filter is absent or not an absolute range.
    Filtered {
        /// The track.
        track: FullTrackName,
    },
    /// Draft 18: this many groups before the named subscription's start.
    RelativeJoining {
        /// The subscription.
        request_id: RequestId,
        /// How many groups.
        groups: u64,
    },
    /// Draft 18: from this group to the named subscription's start.
    AbsoluteJoining {
        /// The subscription.
        request_id: RequestId,
        /// The first group.
        group: GroupId,
    },
}

/// Accepts a FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOk {
    /// Whether the end is the end of the track.
    pub end_of_track: bool,
    /// The last object of the answer, inclusive in both drafts. Draft 18 can also say "the whole
    /// group", which is an object of `u64::MAX` here.
    pub end: Location,
    /// Parameters of the answer.
    pub parameters: Parameters,
    /// The track's properties.
    pub track_properties: Properties,
}

/// A track under a subscribed prefix that the publisher did not offer (draft 18 PUBLISH_BLOCKED).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishSkipped {
    /// What follows the prefix.
    pub suffix: TrackNamespace,
    /// The track.
    pub name: TrackName,
}
