//! Who publishes which namespace, and who wants to know.

use std::{collections::BTreeMap, time::Instant};

use parvis_wire::{FullTrackName, HopPath, Parameters, RequestErrorCode, TrackNamespace};

use crate::{
    Forwarder, PeerId, Receiver, Signal,
    keys::TrackKey,
    peer::{Quota, Request},
};

/// A namespace and its publishers.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// In order of arrival; of those with the shortest way the newest is preferred.
    pub(crate) publishers: Vec<Route>,
    /// Our word of it to shards, while a session publishes it, and to relays.
    pub(crate) announced: Vec<Announcement>,
}

/// A publisher of a namespace, or a relay on the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) from: Receiver,
    pub(crate) path: HopPath,
}

/// A PUBLISH_NAMESPACE of ours.
#[derive(Debug)]
pub(crate) struct Announcement {
    pub(crate) to: Receiver,
    pub(crate) path: HopPath,
    /// Whether the shard has heard of it.
    pub(crate) accepted: bool,
}

impl Forwarder {
    pub(crate) fn publish_namespace(
        &mut self,
        from: Receiver,
        namespace: &TrackNamespace,
        path: Option<HopPath>,
        now: Instant,
    ) {
        if self.over_quota(from.peer, Quota::Namespaces) {
            self.reject(from, RequestErrorCode::ExcessiveLoad, "too many namespaces");
            return;
        }
        self.remember(from, Request::Namespace(namespace.clone()));
        self.say(from, Signal::Ok);
        self.add_route(from, namespace, path, now);
    }

    /// There is a publisher of a namespace, or another way to it.
    pub(crate) fn add_route(
        &mut self,
        from: Receiver,
        namespace: &TrackNamespace,
        path: Option<HopPath>,
        now: Instant,
    ) {
        let path = path.unwrap_or_else(HopPath::unknown);
        if path.contains(self.config.hop) {
            // Word of our own publishers, which came around.
            self.withdraw_namespace(from, namespace, now);
            return;
        }
        let is_new = !self.namespaces.contains_key(namespace);
        let published = self.namespaces.entry(namespace.clone()).or_default();
        published.publishers.retain(|route| route.from != from);
        published.publishers.push(Route { from, path });
        if is_new {
            self.tell_prefixes(namespace, Signal::Namespace);
        }
        self.advertise(namespace);
        self.seek_in(namespace);
        self.reconsider_sources(namespace, from.peer, now);
    }

    /// A publisher no longer publishes a namespace; subscriptions to it go on, but where a relay
    /// loses its way to it others are asked.
    pub(crate) fn withdraw_namespace(
        &mut self,
        from: Receiver,
        namespace: &TrackNamespace,
        now: Instant,
    ) {
        let Some(published) = self.namespaces.get_mut(namespace) else {
            return;
        };
        let before = published.publishers.len();
        published.publishers.retain(|route| route.from != from);
        if published.publishers.len() == before {
            return;
        }
        let is_gone = published.publishers.is_empty();
        self.advertise(namespace);
        if is_gone {
            self.namespaces.remove(namespace);
            self.tell_prefixes(namespace, Signal::NamespaceDone);
        }
        self.seek_in(namespace);
        if self.is_relay(from.peer) {
            self.route_lost(namespace, from.peer, now);
        }
    }

    pub(crate) fn announcement_accepted(&mut self, from: Receiver, namespace: &TrackNamespace) {
        let published = self.namespaces.get_mut(namespace);
        for announcement in published.into_iter().flat_map(|p| &mut p.announced) {
            if announcement.to == from {
                announcement.accepted = true;
            }
        }
    }

    pub(crate) fn subscribe_namespace(&mut self, from: Receiver, prefix: TrackNamespace) {
        if self.over_quota(from.peer, Quota::Prefixes) {
            self.reject(from, RequestErrorCode::ExcessiveLoad, "too many prefixes");
            return;
        }
        self.remember(from, Request::NamespacePrefix(prefix.clone()));
        self.say(from, Signal::Ok);
        if self.tells_paths(from.peer) {
            self.introduce_relay(from.peer);
            return;
        }
        self.tell_namespaces(from, &prefix);
        self.namespace_prefixes
            .entry(prefix)
            .or_default()
            .push(from);
    }

    /// Tells a subscriber every namespace there is under its prefix.
    pub(crate) fn tell_namespaces(&mut self, to: Receiver, prefix: &TrackNamespace) {
        let suffixes: Vec<TrackNamespace> = self
            .namespaces
            .range(prefix.clone()..)
            .map_while(|(namespace, _)| namespace.strip_prefix(prefix))
            .collect();
        for suffix in suffixes {
            self.say(to, Signal::Namespace(suffix));
        }
    }

    pub(crate) fn subscribe_tracks(
        &mut self,
        from: Receiver,
        prefix: &TrackNamespace,
        parameters: Parameters,
        now: Instant,
    ) {
        if self.over_quota(from.peer, Quota::Prefixes) {
            self.reject(from, RequestErrorCode::ExcessiveLoad, "too many prefixes");
            return;
        }
        if let Err((code, reason)) = self.range_filters(None, &parameters) {
            self.reject(from, code, reason);
            return;
        }
        let request = Request::TrackPrefix(prefix.clone(), Box::new(parameters));
        self.remember(from, request);
        self.say(from, Signal::Ok);
        self.track_prefixes
            .entry(prefix.clone())
            .or_default()
            .push(from);
        self.offer_all(from, prefix, now);
        self.seek_under(prefix);
    }

    /// Offers a subscriber every track there is under its prefix.
    pub(crate) fn offer_all(&mut self, to: Receiver, prefix: &TrackNamespace, now: Instant) {
        for track in self.tracks_under(prefix) {
            self.offer_to_prefix(track, to, prefix);
            self.settle(track, now);
        }
    }

    pub(crate) fn tracks_under(&self, prefix: &TrackNamespace) -> Vec<TrackKey> {
        let Ok(first) = FullTrackName::new(prefix.clone(), "".into()) else {
            return Vec::new();
        };
        self.names
            .range(first..)
            .take_while(|(name, _)| name.namespace().starts_with(prefix))
            .map(|(_, key)| *key)
            .collect()
    }

    /// The peer to ask for a track: the newest publisher of the longest matching namespace.
    pub(crate) fn find_source(
        &self,
        name: &FullTrackName,
        for_shard: bool,
        tried: &[PeerId],
    ) -> Option<PeerId> {
        let route = self.best_route(name.namespace(), |peer| {
            !tried.contains(&peer) && (!for_shard || !self.is_shard(peer))
        });
        route.map(|route| route.from.peer)
    }

    /// The newest of the shortest ways to the longest matching namespace, over peers that stay and are
    /// wanted.
    pub(crate) fn best_route(
        &self,
        namespace: &TrackNamespace,
        is_wanted: impl Fn(PeerId) -> bool,
    ) -> Option<&Route> {
        prefixes(namespace).find_map(|prefix| {
            let routes = self.namespaces.get(&prefix)?.publishers.iter().rev();
            let usable = routes.filter(|route| {
                let peer = route.from.peer;
                is_wanted(peer) && !self.is_going_away(peer)
            });
            usable.min_by_key(|route| route.path.hops().len())
        })
    }

    /// Tells a new shard what sessions publish here.
    pub(crate) fn introduce_shard(&mut self, shard: PeerId) {
        let namespaces: Vec<TrackNamespace> = self.namespaces.keys().cloned().collect();
        for namespace in namespaces {
            self.advertise_to(shard, &namespace);
        }
        for track in self.tracks_under(&TrackNamespace::default()) {
            self.offer_to_shard(track, shard);
        }
    }

    fn tell_prefixes(&mut self, namespace: &TrackNamespace, signal: fn(TrackNamespace) -> Signal) {
        for (subscriber, suffix) in matching(&self.namespace_prefixes, namespace) {
            self.say(subscriber, signal(suffix));
        }
    }
}

/// Every prefix of a namespace, itself first, the empty one last.
fn prefixes(namespace: &TrackNamespace) -> impl Iterator<Item = TrackNamespace> + '_ {
    let fields = namespace.fields();
    (0..=fields.len())
        .rev()
        .filter_map(|len| TrackNamespace::new(fields[..len].iter().cloned()).ok())
}

/// Who subscribed to a prefix of this namespace, with what follows that prefix.
pub(crate) fn matching(
    prefixes_of: &BTreeMap<TrackNamespace, Vec<Receiver>>,
    namespace: &TrackNamespace,
) -> Vec<(Receiver, TrackNamespace)> {
    let mut found = Vec::new();
    for prefix in prefixes(namespace) {
        let Some(suffix) = namespace.strip_prefix(&prefix) else {
            continue;
        };
        for subscriber in prefixes_of.get(&prefix).into_iter().flatten() {
            found.push((*subscriber, suffix.clone()));
        }
    }
    found
}
