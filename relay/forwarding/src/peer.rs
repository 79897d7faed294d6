use std::collections::BTreeMap;

use parvis_wire::{HopPath, Parameters, TrackNamespace};

use crate::{
    Config, PeerKind, RequestRef,
    keys::{AskKey, FetchKey, StatusKey, SubscriptionKey, TrackKey},
};

/// What is known of a peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) kind: PeerKind,
    /// Whether it is about to leave.
    pub(crate) going_away: bool,
    /// A relay: the namespaces that it was told, by its SUBSCRIBE_NAMESPACE, and their ways.
    pub(crate) told: BTreeMap<TrackNamespace, HopPath>,
    requests: BTreeMap<RequestRef, Request>,
    counts: [usize; Quota::ALL.len()],
}

/// A request between us and a peer.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    /// Its PUBLISH_NAMESPACE.
    Namespace(TrackNamespace),
    /// Our PUBLISH_NAMESPACE.
    Announcement(TrackNamespace),
    /// Its SUBSCRIBE_NAMESPACE.
    NamespacePrefix(TrackNamespace),
    /// Our SUBSCRIBE_NAMESPACE to a relay.
    Discovery,
    /// Its SUBSCRIBE_TRACKS.
    TrackPrefix(TrackNamespace, Box<Parameters>),
    /// Our SUBSCRIBE_TRACKS to a relay.
    Seeking(TrackNamespace),
    /// Its SUBSCRIBE or TRACK_STATUS, or our PUBLISH.
    Subscription(SubscriptionKey),
    /// Its PUBLISH.
    Published(TrackKey),
    /// Our SUBSCRIBE.
    Upstream(TrackKey),
    /// Its FETCH, or our fill of its subscription, until all is written.
    Fetch(FetchKey),
    /// Our FETCH.
    Ask(AskKey),
    /// Its TRACK_STATUS, passed on.
    Status(StatusKey),
    /// Our TRACK_STATUS.
    StatusAsked(StatusKey),
}

/// What a session may have a limited number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quota {
    /// [`Config::max_namespaces`].
    Namespaces,
    /// [`Config::max_published_tracks`].
    Published,
    /// [`Config::max_subscriptions`].
    Subscriptions,
    /// [`Config::max_prefixes`].
    Prefixes,
}

impl Quota {
    /// Every quota, in the order of the numbers.
    pub const ALL: [Self; 4] = [
        Self::Namespaces,
        Self::Published,
        Self::Subscriptions,
        Self::Prefixes,
    ];

    const fn limit(self, config: &Config) -> usize {
        match self {
            Self::Namespaces => config.max_namespaces,
            Self::Published => config.max_published_tracks,
            Self::Subscriptions => config.max_subscriptions,
            Self::Prefixes => config.max_prefixes,
        }
    }
}

impl Request {
    const fn quota(&self) -> Option<Quota> {
        match self {
            Self::Namespace(_) => Some(Quota::Namespaces),
            Self::Published(_) => Some(Quota::Published),
            Self::Subscription(_) | Self::Fetch(_) | Self::Status(_) => Some(Quota::Subscriptions),
            Self::NamespacePrefix(_) | Self::TrackPrefix(..) => Some(Quota::Prefixes),
            Self::Announcement(_)
            | Self::Discovery
            | Self::Seeking(_)
            | Self::Upstream(_)
            | Self::Ask(_)
            | Self::StatusAsked(_) => None,
        }
    }
}

impl Peer {
    pub(crate) const fn new(kind: PeerKind) -> Self {
        Self {
            kind,
            going_away: false,
            told: BTreeMap::new(),
            requests: BTreeMap::new(),
            counts: [0; Quota::ALL.len()],
        }
    }

    /// Whether one more is too many; shards are trusted.
    pub(crate) fn is_full(&self, quota: Quota, config: &Config) -> bool {
        self.kind == PeerKind::Session && self.counts[quota as usize] >= quota.limit(config)
    }

    pub(crate) fn request(&self, name: RequestRef) -> Option<&Request> {
        self.requests.get(&name)
    }

    pub(crate) fn request_mut(&mut self, name: RequestRef) -> Option<&mut Request> {
        self.requests.get_mut(&name)
    }

    /// Remembers a request; a name in use is not given away.
    pub(crate) fn insert(&mut self, name: RequestRef, request: Request) {
        if let Some(quota) = request.quota() {
            self.counts[quota as usize] += 1;
        }
        let before = self.requests.insert(name, request);
        debug_assert!(before.is_none(), "a request is opened once");
    }

    pub(crate) fn remove(&mut self, name: RequestRef) -> Option<Request> {
        let request = self.requests.remove(&name)?;
        if let Some(quota) = request.quota() {
            self.counts[quota as usize] -= 1;
        }
        Some(request)
    }

    pub(crate) fn requests(&self) -> impl Iterator<Item = (RequestRef, &Request)> {
        self.requests.iter().map(|(name, request)| (*name, request))
    }

    pub(crate) fn into_requests(self) -> BTreeMap<RequestRef, Request> {
        self.requests
    }
}
