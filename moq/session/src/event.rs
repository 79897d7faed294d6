use bytes::Bytes;
use parvis_wire::{
    Datagram, FetchObject, FetchOk, FetchRange, FullTrackName, HopPath, ObjectHeader, Parameters,
    Properties, PublishDoneCode, RequestError, RequestErrorCode, RequestId, SessionErrorCode,
    Setup, SubgroupHeader, TrackName, TrackNamespace,
};

use crate::{Dropped, PeerLimit, RequestKey, StreamId};

/// What the user of a session must know, from [`Session::poll`](crate::Session::poll).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The peer's SETUP came; requests of the peer follow.
    Established {
        /// What the peer said.
        peer: Setup,
    },
    /// The peer makes a request; answer it with the method that its variant names.
    Request {
        /// The request.
        key: RequestKey,
        /// What it asks.
        request: IncomingRequest,
    },
    /// The peer accepted a request of ours.
    Accepted {
        /// The request.
        key: RequestKey,
        /// The peer's answer.
        answer: Answer,
    },
    /// The peer rejected a request of ours. The last event of that request.
    Rejected {
        /// The request.
        key: RequestKey,
        /// Why.
        error: RequestError,
    },
    /// The peer updates a request; answer with `accept_update` or `reject_update`. A
    /// subscription's priority, timeouts and forward state are in force already.
    Updated {
        /// The request.
        key: RequestKey,
        /// The update's own id, for [`Session::open_fill`](crate::Session::open_fill).
        id: RequestId,
        /// What changes.
        parameters: Parameters,
    },
    /// The peer accepted our oldest update of a request.
    UpdateAccepted {
        /// The request.
        key: RequestKey,
        /// The peer's answer.
        parameters: Parameters,
    },
    /// The peer rejected our oldest update of a request; the request is about to end.
    UpdateRejected {
        /// The request.
        key: RequestKey,
        /// Why.
        error: RequestError,
    },
    /// The publisher says that a subscription's state changed; draft 22.
    StateChanged {
        /// The subscription.
        key: RequestKey,
        /// What changed.
        parameters: Parameters,
    },
    /// A request is over. The last event of that request.
    Ended {
        /// The request.
        key: RequestKey,
        /// Why.
        reason: EndReason,
    },
    /// A namespace appeared under the prefix of our SUBSCRIBE_NAMESPACE, or word of it comes
    /// another way now.
    Namespace {
        /// The SUBSCRIBE_NAMESPACE.
        key: RequestKey,
        /// What follows the prefix.
        suffix: TrackNamespace,
        /// The way that word of it has gone, where both sides offered to tell.
        path: Option<HopPath>,
    },
    /// A namespace is gone.
    NamespaceDone {
        /// The SUBSCRIBE_NAMESPACE.
        key: RequestKey,
        /// What follows the prefix.
        suffix: TrackNamespace,
    },
    /// A track under the prefix of our SUBSCRIBE_TRACKS is not offered by a PUBLISH.
    PublishSkipped {
        /// The SUBSCRIBE_TRACKS.
        key: RequestKey,
        /// What follows the prefix.
        suffix: TrackNamespace,
        /// The track.
        name: TrackName,
    },
    /// The peer opened a stream of objects for a subscription of ours.
    Subgroup {
        /// The stream.
        stream: StreamId,
        /// The subscription.
        key: RequestKey,
        /// What it carries.
        header: SubgroupHeader,
    },
    /// An object began on a subgroup stream.
    Object {
        /// The stream.
        stream: StreamId,
        /// The object.
        header: ObjectHeader,
        /// The encoded header and as much payload as has come. The object is whole when
        /// `raw.len() - header_len == header.payload_len`; otherwise `ObjectData` follows.
        raw: Bytes,
        /// The length of the encoded header.
        header_len: usize,
    },
    /// More payload of the stream's current object.
    ObjectData {
        /// The stream.
        stream: StreamId,
        /// The next bytes of payload.
        data: Bytes,
    },
    /// A subgroup stream ended. The last event of that stream.
    SubgroupEnd {
        /// The stream.
        stream: StreamId,
        /// How.
        end: StreamEnd,
    },
    /// An object came in a datagram.
    Datagram {
        /// The subscription.
        key: RequestKey,
        /// The object.
        datagram: Datagram,
        /// Its bytes as they came.
        raw: Bytes,
    },
    /// The peer opened the stream of objects for a FETCH of ours (draft 22: or the fill stream
    /// of a SUBSCRIBE).
    Fetch {
        /// The stream.
        stream: StreamId,
        /// The request.
        key: RequestKey,
    },
    /// An entry of a fetch stream began.
    FetchObject {
        /// The stream.
        stream: StreamId,
        /// The entry.
        object: FetchObject,
        /// As much payload as has come; `ObjectData` brings the rest.
        payload: Bytes,
    },
    /// A fetch stream ended. The last event of that stream.
    FetchEnd {
        /// The stream.
        stream: StreamId,
        /// The request.
        key: RequestKey,
        /// How.
        end: StreamEnd,
    },
    /// The peer stopped one of our data streams; it takes no more data.
    StreamStopped {
        /// The stream.
        stream: StreamId,
        /// The peer's code.
        code: u64,
    },
    /// A fetch stream that refused data for a full queue takes it again.
    SendReady {
        /// The stream.
        stream: StreamId,
    },
    /// Bytes were dropped. For a stream: it takes, or brings, no more data.
    Dropped(Dropped),
    /// The session refused a request of the peer's, or an update of one, by itself.
    Refused(RequestErrorCode),
    /// The peer exceeded a limit.
    LimitExceeded(PeerLimit),
    /// The peer asks to move: the whole session, or one request.
    GoAway {
        /// The request; `None`: the session.
        key: Option<RequestKey>,
        /// Where to; empty: the same URI.
        uri: String,
        /// Milliseconds until the peer closes; 0: not said.
        timeout_ms: u64,
    },
    /// The session closed itself. The last event.
    Closed {
        /// Why.
        code: SessionErrorCode,
        /// For people.
        reason: String,
    },
}

/// A request of the peer's. Its tokens are all [`AuthToken::UseValue`](parvis_wire::AuthToken):
/// aliases are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncomingRequest {
    /// Answer with `accept_subscribe`.
    Subscribe {
        /// The track.
        track: FullTrackName,
        /// Filter, priority, forward state, timeouts, tokens.
        parameters: Parameters,
    },
    /// Answer with `accept_publish`. Objects may come before the answer.
    Publish {
        /// The track.
        track: FullTrackName,
        /// Largest object, forward state, tokens.
        parameters: Parameters,
        /// The track's properties.
        track_properties: Properties,
    },
    /// Answer with `accept`.
    PublishNamespace {
        /// The namespace.
        namespace: TrackNamespace,
        /// Tokens.
        parameters: Parameters,
    },
    /// Answer with `accept`, then say `namespace` and `namespace_done`.
    SubscribeNamespace {
        /// The prefix.
        prefix: TrackNamespace,
        /// Tokens.
        parameters: Parameters,
    },
    /// Answer with `accept`, then `publish` each track, or say `publish_skipped`.
    SubscribeTracks {
        /// The prefix.
        prefix: TrackNamespace,
        /// Parameters of the subscriptions to come.
        parameters: Parameters,
    },
    /// Answer with `accept_track_status`.
    TrackStatus {
        /// The track.
        track: FullTrackName,
        /// Tokens.
        parameters: Parameters,
    },
    /// Answer with `accept_fetch`; send with `open_fetch`.
    Fetch {
        /// Which objects.
        range: FetchRange,
        /// Priority, order, tokens; draft 22: the range.
        parameters: Parameters,
        /// Draft 18, joining: the subscription that the range names.
        joining: Option<RequestKey>,
    },
}

/// How the peer accepted a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A SUBSCRIBE.
    Subscribe {
        /// Largest object, expiry.
        parameters: Parameters,
        /// The track's properties.
        track_properties: Properties,
    },
    /// A PUBLISH, a namespace request or a TRACK_STATUS.
    Ok {
        /// Parameters of the answer.
        parameters: Parameters,
        /// The track's properties, for a TRACK_STATUS.
        track_properties: Properties,
    },
    /// A FETCH.
    Fetch(FetchOk),
}

/// Why a request is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndReason {
    /// The peer reset or stopped the request's stream, with this code.
    Cancelled(u64),
    /// The peer ended the request's stream in order, without a message that says why.
    Finished,
    /// The publisher ended the subscription; every stream of it has been seen, or waited for.
    PublishDone {
        /// Why.
        code: PublishDoneCode,
        /// For people.
        reason: String,
    },
    /// This session ended the subscription because the subscriber kept falling behind.
    TooFarBehind,
    /// This session ended the request because it exceeded a limit.
    LimitExceeded,
}

/// How a stream of objects ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamEnd {
    /// After its last object.
    Finished,
    /// The publisher gave it up, with this code.
    Reset(u64),
    /// This session gave it up because its subscription ended.
    Abandoned,
}
