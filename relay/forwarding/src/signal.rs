use parvis_wire::{
    FetchOk, FetchRange, FullTrackName, HopPath, Parameters, Properties, PublishDoneCode,
    RequestError, RequestId, TrackName, TrackNamespace,
};

use crate::RequestRef;

/// A control message about one request, in either direction.
///
/// Tokens are checked by the driver before the forwarder hears of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Opens a request: tracks under a namespace can be subscribed to at the sender.
    PublishNamespace {
        /// The namespace.
        namespace: TrackNamespace,
    },
    /// Opens a request: the sender offers a track.
    Publish {
        /// The track.
        track: FullTrackName,
        /// Largest object, forward state.
        parameters: Parameters,
        /// The track's properties.
        properties: Properties,
    },
    /// Opens a request: the sender wants the objects of a track.
    Subscribe {
        /// The track.
        track: FullTrackName,
        /// Filter, priority, forward state, rendezvous timeout.
        parameters: Parameters,
    },
    /// Opens a request: the sender wants to know the namespaces under a prefix. Input only.
    SubscribeNamespace {
        /// The prefix.
        prefix: TrackNamespace,
    },
    /// Opens a request: the sender wants every track under a prefix.
    SubscribeTracks {
        /// The prefix.
        prefix: TrackNamespace,
        /// Parameters of the subscriptions to come.
        parameters: Parameters,
    },
    /// Opens a request: the sender wants the state of a track.
    TrackStatus {
        /// The track.
        track: FullTrackName,
    },
    /// Opens a request: the sender wants objects of the past. We ask publishers for ranges of
    /// their tracks only.
    Fetch {
        /// Which objects.
        range: FetchRange,
        /// Order; draft 22: the range.
        parameters: Parameters,
        /// The subscription that a joining fetch names.
        joining: Option<RequestRef>,
    },
    /// Accepts a SUBSCRIBE.
    SubscribeOk {
        /// Largest object.
        parameters: Parameters,
        /// The track's properties.
        properties: Properties,
    },
    /// Accepts a PUBLISH.
    PublishOk {
        /// Forward state, priority, filter.
        parameters: Parameters,
    },
    /// Accepts a PUBLISH_NAMESPACE, SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS.
    Ok,
    /// Answers a TRACK_STATUS, which is over then.
    TrackStatusOk {
        /// Largest object.
        parameters: Parameters,
        /// The track's properties.
        properties: Properties,
    },
    /// Accepts a FETCH; the objects follow as [`Output::FetchObject`](crate::Output), or come as
    /// [`Input::FetchObject`](crate::Input).
    FetchOk(FetchOk),
    /// Rejects a request, which is over then.
    Reject(RequestError),
    /// Changes a request.
    Update(Parameters),
    /// Changes a subscription and asks for a fill. Input only.
    FillUpdate {
        /// The update's own id, given back by [`Signal::Fill`].
        id: RequestId,
        /// What changes.
        parameters: Parameters,
    },
    /// Opens a stream of objects of the past beside a subscription; they follow as
    /// [`Output::FetchObject`](crate::Output) of this new request. Output only.
    Fill {
        /// The subscription.
        subscription: RequestRef,
        /// The update that asked for it; `None`: the SUBSCRIBE did.
        update: Option<RequestId>,
        /// Priority and order.
        parameters: Parameters,
    },
    /// Accepts the oldest unanswered update.
    UpdateOk(Parameters),
    /// Rejects the oldest unanswered update, which ends the request: nothing more is said of
    /// it.
    UpdateReject(RequestError),
    /// The state of a subscription changed at its publisher: the largest object.
    Notify(Parameters),
    /// A namespace under the prefix of a SUBSCRIBE_NAMESPACE appeared.
    Namespace(TrackNamespace),
    /// A namespace under the prefix of a SUBSCRIBE_NAMESPACE is gone.
    NamespaceDone(TrackNamespace),
    /// Opens a request between shards: tracks under a namespace can be subscribed to at the sender,
    /// which has them from another relay. Said again for another way.
    PublishRoute {
        /// The namespace.
        namespace: TrackNamespace,
        /// The way that word of it has gone.
        path: HopPath,
    },
    /// A namespace under the prefix of a SUBSCRIBE_NAMESPACE can be had by this way; between
    /// relays. Said again for another way.
    Route {
        /// What follows the prefix.
        suffix: TrackNamespace,
        /// The way that word of it has gone.
        path: HopPath,
    },
    /// A track under the prefix of a SUBSCRIBE_TRACKS is not offered. Output only.
    Skipped {
        /// What follows the prefix.
        suffix: TrackNamespace,
        /// The track.
        name: TrackName,
    },
    /// The publisher ends a subscription, which is over then.
    Done {
        /// Why.
        code: PublishDoneCode,
        /// For people.
        reason: String,
    },
    /// The peer asks to move the request: the forwarder makes it again, elsewhere if it can.
    /// Input only.
    GoAway,
    /// Ends a request in every other way: unsubscribes, withdraws a namespace, stops asking.
    Cancel,
}
