use bytes::Bytes;
use parvis_wire::{
    Datagram, FetchObject, FullTrackName, ObjectHeader, ResetCode, SubgroupHeader, TrackNamespace,
};

use crate::{PeerId, PeerKind, RequestRef, Signal, StreamKey, UpstreamStream};

/// What happened, for [`Forwarder::handle`](crate::Forwarder::handle).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A peer is there; nothing else may name it before.
    PeerConnected {
        /// The peer.
        peer: PeerId,
        /// What it is.
        kind: PeerKind,
    },
    /// A peer is gone with all its requests and streams; no output names it any more, and the
    /// keys of its streams are given to others from the first output on.
    PeerDisconnected {
        /// The peer.
        peer: PeerId,
    },
    /// A peer is about to leave: it is asked for nothing new. What it has goes on.
    PeerGoingAway {
        /// The peer.
        peer: PeerId,
    },
    /// A peer said something about a request.
    Signal {
        /// The peer.
        peer: PeerId,
        /// The request.
        request: RequestRef,
        /// What it said.
        signal: Box<Signal>,
    },
    /// A publisher opened a stream of objects.
    Subgroup {
        /// The publisher.
        peer: PeerId,
        /// The subscription: our SUBSCRIBE or its PUBLISH.
        request: RequestRef,
        /// The stream.
        stream: UpstreamStream,
        /// What it carries; the alias is not looked at.
        header: SubgroupHeader,
    },
    /// An object began on a stream.
    Object {
        /// The publisher.
        peer: PeerId,
        /// The stream.
        stream: UpstreamStream,
        /// The object.
        header: ObjectHeader,
        /// The encoded header and as much payload as has come.
        raw: Bytes,
        /// The length of the encoded header.
        header_len: usize,
    },
    /// More payload of a stream's current object.
    Data {
        /// The publisher.
        peer: PeerId,
        /// The stream.
        stream: UpstreamStream,
        /// The next bytes of payload.
        data: Bytes,
    },
    /// A stream of objects ended.
    SubgroupEnd {
        /// The publisher.
        peer: PeerId,
        /// The stream.
        stream: UpstreamStream,
        /// How.
        end: SubgroupEnd,
    },
    /// An object came in a datagram.
    Datagram {
        /// The publisher.
        peer: PeerId,
        /// The subscription.
        request: RequestRef,
        /// The object; the alias is not looked at.
        datagram: Box<Datagram>,
    },
    /// An entry of the answer to a FETCH of ours began.
    FetchObject {
        /// The publisher.
        peer: PeerId,
        /// Our FETCH.
        request: RequestRef,
        /// The entry.
        object: Box<FetchObject>,
        /// As much payload as has come.
        payload: Bytes,
    },
    /// More payload of the current object of an answer.
    FetchData {
        /// The publisher.
        peer: PeerId,
        /// Our FETCH.
        request: RequestRef,
        /// The next bytes of payload.
        data: Bytes,
    },
    /// The stream of an answer ended.
    FetchEnd {
        /// The publisher.
        peer: PeerId,
        /// Our FETCH.
        request: RequestRef,
        /// How.
        end: SubgroupEnd,
    },
    /// A stream to a subscriber takes no more data: the subscriber stopped it, or the session
    /// dropped it. Nothing more is said of it.
    StreamStopped {
        /// The stream.
        stream: StreamKey,
    },
    /// The operator stops a track: its subscriptions end, and it is refused until it is allowed
    /// again.
    StopTrack {
        /// The track.
        track: FullTrackName,
    },
    /// The operator removed who published in a namespace: nothing more of it is given to anybody.
    PublisherRemoved {
        /// The namespace.
        namespace: TrackNamespace,
    },
    /// The operator allows a track again.
    AllowTrack {
        /// The track.
        track: FullTrackName,
    },
}

/// How a stream of objects ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubgroupEnd {
    /// After its last object.
    Finished,
    /// Given up.
    Reset(ResetCode),
}
