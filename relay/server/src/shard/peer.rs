use std::{net::SocketAddr, time::Instant};

use parvis_forwarding::{PeerId, RequestRef, StreamKey};
use parvis_quic::{Blocked, ConnectionKey};
use parvis_session::{DropCounts, RequestKey, Role, StreamId};
use parvis_wire::Draft;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{fetches::FetchStream, permits::Permits};

/// A session of this shard, as the glue between it and the forwarder knows it.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) key: ConnectionKey,
    pub(super) id: PeerId,
    pub(super) story: Story,
    /// Whether the forwarder knows the peer.
    pub(super) announced: bool,
    /// Which side of the connection the peer is.
    role: Role,
    /// The forwarder's requests.
    ours: FxHashMap<u64, OwnRequest>,
    ours_by_key: FxHashMap<RequestKey, u64>,
    /// Streams of objects to the peer.
    pub(super) streams: FxHashMap<StreamId, StreamKey>,
    /// Streams of answers to FETCH.
    pub(super) fetches: FxHashMap<RequestRef, FetchStream>,
    /// Bytes of answers that wait in front of the session.
    pub(super) fetch_backlog: usize,
    /// Streams of answers to the forwarder's own FETCHes.
    pub(super) answers: FxHashMap<StreamId, RequestRef>,
    /// FETCHes of the forwarder's of which either the answer or the end of the stream has come.
    half_answered: FxHashSet<RequestKey>,
    pub(super) permits: Permits,
    /// What it had said of flow control when it was last looked at.
    pub(super) blocked: Blocked,
}

/// What there is to tell of a session when it ends.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) remote: SocketAddr,
    pub(super) draft: Draft,
    pub(super) since: Instant,
    pub(super) implementation: String,
    pub(super) requests: u64,
    pub(super) objects_in: u64,
    pub(super) objects_out: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) dropped: DropCounts,
}

/// What the forwarder asked of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnRequest {
    Subscribe(RequestKey),
    Publish(RequestKey),
    PublishNamespace(RequestKey),
    SubscribeNamespace(RequestKey),
    SubscribeTracks(RequestKey),
    Fetch(RequestKey),
    TrackStatus(RequestKey),
}

impl OwnRequest {
    pub(super) const fn key(self) -> RequestKey {
        match self {
            Self::Subscribe(key)
            | Self::Publish(key)
            | Self::PublishNamespace(key)
            | Self::SubscribeNamespace(key)
            | Self::SubscribeTracks(key)
            | Self::Fetch(key)
            | Self::TrackStatus(key) => key,
        }
    }
}

impl Story {
    /// Adds what a stream that is over carried.
    pub(super) const fn add(&mut self, stream: &OutStream) {
        self.objects_out += stream.objects;
        self.bytes_out += stream.bytes;
    }
}

impl Peer {
    pub(super) fn new(key: ConnectionKey, remote: SocketAddr, draft: Draft, now: Instant) -> Self {
        let story = Story {
            remote,
            draft,
            since: now,
            implementation: String::new(),
            requests: 0,
            objects_in: 0,
            objects_out: 0,
            bytes_in: 0,
            bytes_out: 0,
            dropped: DropCounts::default(),
        };
        Self {
            key,
            id: PeerId(key.to_u64()),
            story,
            announced: false,
            role: Role::Client,
            ours: FxHashMap::default(),
            ours_by_key: FxHashMap::default(),
            streams: FxHashMap::default(),
            fetches: FxHashMap::default(),
            fetch_backlog: 0,
            answers: FxHashMap::default(),
            half_answered: FxHashSet::default(),
            permits: Permits::default(),
            blocked: Blocked::default(),
        }
    }

    /// The same of a server that this relay has connected to.
    pub(super) fn into_server(self) -> Self {
        Self {
            role: Role::Server,
            ..self
        }
    }

    /// How the forwarder names a request of the session; `None`: it is over on our side.
    pub(super) fn request(&self, key: RequestKey) -> Option<RequestRef> {
        if key.0.opener() == self.role {
            Some(RequestRef::Theirs(key.0.0))
        } else {
            let number = self.ours_by_key.get(&key)?;
            Some(RequestRef::Ours(*number))
        }
    }

    /// How the session names a request of the forwarder.
    pub(super) fn key(&self, request: RequestRef) -> Option<RequestKey> {
        match request {
            RequestRef::Theirs(number) => Some(RequestKey(StreamId(number))),
            RequestRef::Ours(number) => self.ours.get(&number).map(|request| request.key()),
        }
    }

    /// What the forwarder asked with this request.
    pub(super) fn own(&self, key: RequestKey) -> Option<OwnRequest> {
        self.ours.get(self.ours_by_key.get(&key)?).copied()
    }

    pub(super) fn open(&mut self, number: u64, request: OwnRequest) {
        self.ours.insert(number, request);
        self.ours_by_key.insert(request.key(), number);
    }

    /// Forgets a request that is over.
    pub(super) fn close(&mut self, key: RequestKey) {
        if let Some(request) = self.request(key)
            && let Some(fetch) = self.fetches.remove(&request)
        {
            self.fetch_backlog -= fetch.waiting();
        }
        if let Some(number) = self.ours_by_key.remove(&key) {
            self.ours.remove(&number);
        }
        self.half_answered.remove(&key);
        self.permits.close(key);
    }

    /// A FETCH is answered whole, or given up: it needs no grant any more.
    pub(super) fn fetch_is_over(&mut self, request: RequestRef) {
        if let Some(key) = self.key(request) {
            self.permits.close(key);
        }
    }

    /// One half of what answers a FETCH of the forwarder's has come: it is over with the other.
    pub(super) fn half_answered(&mut self, key: RequestKey) {
        if !self.half_answered.insert(key) {
            self.close(key);
        }
    }
}

/// The sessions of a shard.
#[derive(Debug, Default)]
pub(super) struct Peers(Vec<Option<Box<Peer>>>);

impl Peers {
    pub(super) fn insert(&mut self, peer: Peer) {
        let index = peer.key.index();
        if self.0.len() <= index {
            self.0.resize_with(index + 1, || None);
        }
        self.0[index] = Some(Box::new(peer));
    }

    pub(super) fn get(&self, key: ConnectionKey) -> Option<&Peer> {
        let peer = self.0.get(key.index())?.as_deref()?;
        (peer.key == key).then_some(peer)
    }

    pub(super) fn get_mut(&mut self, key: ConnectionKey) -> Option<&mut Peer> {
        let peer = self.0.get_mut(key.index())?.as_deref_mut()?;
        (peer.key == key).then_some(peer)
    }

    pub(super) fn remove(&mut self, key: ConnectionKey) -> Option<Box<Peer>> {
        self.get_mut(key)?;
        self.0[key.index()].take()
    }

    pub(super) fn keys(&self) -> Vec<ConnectionKey> {
        self.0.iter().flatten().map(|peer| peer.key).collect()
    }
}

/// The session's stream behind each of the forwarder's.
#[derive(Debug, Default)]
pub(super) struct Streams(Vec<Option<(StreamKey, OutStream)>>);

/// A stream of objects to a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutStream {
    pub(super) id: StreamId,
    /// Objects begun on it.
    pub(super) objects: u64,
    /// Bytes written to it.
    pub(super) bytes: u64,
}

impl Streams {
    pub(super) fn insert(&mut self, key: StreamKey, id: StreamId) {
        if self.0.len() <= key.index() {
            self.0.resize(key.index() + 1, None);
        }
        let stream = OutStream {
            id,
            objects: 0,
            bytes: 0,
        };
        self.0[key.index()] = Some((key, stream));
    }

    pub(super) fn get_mut(&mut self, key: StreamKey) -> Option<&mut OutStream> {
        let (owner, stream) = self.0.get_mut(key.index())?.as_mut()?;
        (*owner == key).then_some(stream)
    }

    pub(super) fn remove(&mut self, key: StreamKey) -> Option<OutStream> {
        let stream = *self.get_mut(key)?;
        self.0[key.index()] = None;
        Some(stream)
    }
}
