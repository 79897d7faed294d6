use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use parvis_wire::{FullTrackName, GroupId, RequestError, RequestErrorCode, TrackNamespace};
use rustc_hash::FxHashMap;
use slab::Slab;

use crate::{
    Config, Input, Output, PeerId, PeerKind, Receiver, RequestRef, Signal, Stats, UpstreamStream,
    ask::Ask,
    discovery::Published,
    fetch::Fetch,
    fetch_run::Reading,
    keys::{AskKey, SubgroupKey, SubscriptionKey, Timer, TrackKey},
    peer::{Peer, Quota, Request},
    spared_groups::SparedGroups,
    status::Status,
    subgroup::Subgroup,
    subscription::Subscription,
    track::Track,
};

/// Decides who gets which object; one for each thread of a relay.
#[derive(Debug, Default)]
pub struct Forwarder {
    pub(crate) config: Config,
    pub(crate) stats: Stats,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) peers: FxHashMap<PeerId, Peer>,
    pub(crate) shards: Vec<PeerId>,
    pub(crate) namespaces: BTreeMap<TrackNamespace, Published>,
    pub(crate) namespace_prefixes: BTreeMap<TrackNamespace, Vec<Receiver>>,
    pub(crate) track_prefixes: BTreeMap<TrackNamespace, Vec<Receiver>>,
    /// Our SUBSCRIBE_TRACKS to relays, or to shards that have tracks from relays.
    pub(crate) sought: BTreeMap<TrackNamespace, Receiver>,
    pub(crate) names: BTreeMap<FullTrackName, TrackKey>,
    /// Tracks that the operator stopped.
    pub(crate) stopped: BTreeSet<FullTrackName>,
    pub(crate) tracks: Slab<Track>,
    pub(crate) subscriptions: Slab<Subscription>,
    pub(crate) subgroups: Slab<Subgroup>,
    pub(crate) fetches: Slab<Fetch>,
    pub(crate) reading: Reading,
    /// Answers that are whole here, and may wait at a slow reader.
    pub(crate) answered: FxHashMap<Receiver, FullTrackName>,
    pub(crate) asks: Slab<Ask>,
    pub(crate) statuses: Slab<Status>,
    pub(crate) streams_in: FxHashMap<(PeerId, UpstreamStream), SubgroupKey>,
    pub(crate) streams_out: Slab<StreamOut>,
    /// Cached groups, first to evict first.
    pub(crate) cached_groups: BTreeMap<u64, (TrackKey, GroupId)>,
    /// Small newest groups that an eviction passed over.
    pub(crate) spared_groups: SparedGroups,
    pub(crate) next_cached: u64,
    /// Groups of the past, first to evict first.
    pub(crate) past_groups: BTreeMap<u64, (TrackKey, GroupId)>,
    /// When cached groups are looked at for their age.
    pub(crate) cache_look: Option<Instant>,
    pub(crate) next_request: u64,
    pub(crate) next_generation: u32,
    /// Whether it is a relay that has just gone.
    pub(crate) losing_relay: bool,
    pub(crate) timers: BTreeSet<(Instant, Timer)>,
}

/// A stream to a subscriber.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamOut {
    pub(crate) subgroup: SubgroupKey,
    pub(crate) subscription: SubscriptionKey,
    pub(crate) generation: u32,
}

impl Forwarder {
    /// A forwarder without peers.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// Takes what happened; drain [`Self::poll`] after each call.
    pub fn handle(&mut self, input: Input, now: Instant) {
        match input {
            Input::Object {
                peer,
                stream,
                header,
                raw,
                header_len,
            } => {
                self.object((peer, stream), header, raw, header_len, now);
            }
            Input::Data { peer, stream, data } => self.data((peer, stream), data, now),
            Input::Subgroup {
                peer,
                request,
                stream,
                header,
            } => {
                self.subgroup(Receiver { peer, request }, stream, header);
            }
            Input::SubgroupEnd { peer, stream, end } => self.subgroup_end((peer, stream), end, now),
            Input::Datagram {
                peer,
                request,
                datagram,
            } => {
                self.datagram(Receiver { peer, request }, datagram, now);
            }
            Input::FetchObject {
                peer,
                request,
                object,
                payload,
            } => {
                if let Some(ask) = self.ask_of(Receiver { peer, request }) {
                    self.ask_entry(ask, *object, payload, now);
                }
            }
            Input::FetchData {
                peer,
                request,
                data,
            } => {
                if let Some(ask) = self.ask_of(Receiver { peer, request }) {
                    self.ask_data(ask, &data, now);
                }
            }
            Input::FetchEnd { peer, request, end } => {
                if let Some(ask) = self.ask_of(Receiver { peer, request }) {
                    self.ask_ended(ask, end, now);
                }
            }
            Input::StreamStopped { stream } => self.stream_stopped(stream),
            Input::Signal {
                peer,
                request,
                signal,
            } => {
                if self.peers.contains_key(&peer) {
                    self.signal(Receiver { peer, request }, *signal, now);
                }
            }
            Input::PeerConnected { peer, kind } => self.peer_connected(peer, kind),
            Input::PeerGoingAway { peer } => self.peer_going_away(peer, now),
            Input::PeerDisconnected { peer } => self.peer_disconnected(peer, now),
            Input::StopTrack { track } => self.stop_track(&track, now),
            Input::PublisherRemoved { namespace } => self.publisher_removed(&namespace, now),
            Input::AllowTrack { track } => {
                self.stopped.remove(&track);
            }
        }
    }

    /// Gives up upstream subscriptions as soon as nobody wants them any more, because the relay
    /// is about to stop.
    pub const fn stop_lingering(&mut self) {
        self.config.linger = Duration::ZERO;
    }

    /// What to do next; `None`: nothing until the next `handle` or `handle_timeout`.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle_timeout`]; may change with every call.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Does what is due; drain [`Self::poll`] afterwards.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, timer)) = self.timers.first() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            match timer {
                Timer::Track(key) => self.track_due(key, now),
                Timer::Subscription(key) => self.subscription_due(key, now),
                Timer::Fetch(key) => self.fetch_due(key, now),
                Timer::Cache => self.evict_old(now),
            }
        }
    }

    /// Counters and gauges.
    pub fn stats(&self) -> Stats {
        Stats {
            peers: self.peers.len(),
            namespaces: self.namespaces.len(),
            tracks: self.tracks.len(),
            subscriptions: self.subscriptions.len(),
            prefixes: self
                .namespace_prefixes
                .values()
                .chain(self.track_prefixes.values())
                .map(Vec::len)
                .sum(),
            subgroups: self.subgroups.len(),
            streams: self.streams_out.len(),
            fetches: self.fetches.len(),
            asks: self.asks.len() + self.statuses.len(),
            ..self.stats
        }
    }

    fn peer_connected(&mut self, peer: PeerId, kind: PeerKind) {
        let before = self.peers.insert(peer, Peer::new(kind));
        debug_assert!(before.is_none(), "a peer connects once");
        if kind == PeerKind::Shard {
            self.shards.push(peer);
            self.introduce_shard(peer);
        }
        if self.is_relay(peer) {
            self.discover(peer);
        }
    }

    fn peer_disconnected(&mut self, peer: PeerId, now: Instant) {
        let Some(gone) = self.peers.remove(&peer) else {
            return;
        };
        self.losing_relay = matches!(gone.kind, PeerKind::Relay { .. });
        self.shards.retain(|shard| *shard != peer);
        self.answered.retain(|receiver, _| receiver.peer != peer);
        let mut requests: Vec<_> = gone.into_requests().into_iter().collect();
        // Its subscriptions first, so that no output for others names it; then its namespaces,
        // so that its tracks are not looked for at itself.
        requests.sort_by_key(|(_, request)| match request {
            Request::Subscription(_) => 0,
            Request::Namespace(_) | Request::Discovery => 1,
            _ => 2,
        });
        for (request, kind) in requests {
            self.cancelled(Receiver { peer, request }, kind, now);
        }
        self.losing_relay = false;
    }

    fn ask_of(&self, at: Receiver) -> Option<AskKey> {
        match self.request(at)? {
            Request::Ask(ask) => Some(*ask),
            _ => None,
        }
    }

    pub(crate) fn request(&self, at: Receiver) -> Option<&Request> {
        self.peers.get(&at.peer)?.request(at.request)
    }

    pub(crate) fn remember(&mut self, at: Receiver, request: Request) {
        if let Some(peer) = self.peers.get_mut(&at.peer) {
            peer.insert(at.request, request);
        }
    }

    pub(crate) fn forget(&mut self, at: Receiver) {
        if let Some(peer) = self.peers.get_mut(&at.peer) {
            peer.remove(at.request);
        }
    }

    /// A new request of ours to a peer.
    pub(crate) fn open_request(&mut self, peer: PeerId, request: Request) -> Receiver {
        let at = Receiver {
            peer,
            request: RequestRef::Ours(self.next_request),
        };
        self.next_request += 1;
        self.remember(at, request);
        at
    }

    pub(crate) fn is_shard(&self, peer: PeerId) -> bool {
        self.peers
            .get(&peer)
            .is_some_and(|p| p.kind == PeerKind::Shard)
    }

    /// Whether the peer has too many of these already; counts it if so.
    pub(crate) fn over_quota(&mut self, peer: PeerId, quota: Quota) -> bool {
        let full = self
            .peers
            .get(&peer)
            .is_some_and(|p| p.is_full(quota, &self.config));
        if full {
            self.stats.count_refusal(quota);
        }
        full
    }

    /// Says something to a peer, unless it is gone.
    pub(crate) fn say(&mut self, to: Receiver, signal: Signal) {
        if self.peers.contains_key(&to.peer) {
            let Receiver { peer, request } = to;
            self.outputs.push_back(Output::Signal {
                peer,
                request,
                signal: Box::new(signal),
            });
        }
    }

    pub(crate) fn reject(&mut self, to: Receiver, code: RequestErrorCode, reason: &str) {
        self.say(to, Signal::Reject(request_error(code, reason)));
    }

    pub(crate) fn schedule(&mut self, at: Instant, timer: Timer) {
        self.timers.insert((at, timer));
    }
}

pub(crate) fn request_error(code: RequestErrorCode, reason: &str) -> RequestError {
    RequestError {
        code,
        retry_interval: 0,
        reason: reason.to_owned(),
        redirect: None,
    }
}

pub(crate) fn remove_prefix(
    prefixes: &mut BTreeMap<TrackNamespace, Vec<Receiver>>,
    prefix: &TrackNamespace,
    subscriber: Receiver,
) {
    if let Some(subscribers) = prefixes.get_mut(prefix) {
        subscribers.retain(|s| *s != subscriber);
        if subscribers.is_empty() {
            prefixes.remove(prefix);
        }
    }
}
