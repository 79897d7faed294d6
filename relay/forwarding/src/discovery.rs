//! Who publishes which namespace, and who wants to know.

use std::{collections::BTreeMap, time::Instant};

use parvis_wire::{FullTrackName, Parameters, RequestErrorCode, TrackNamespace};

use crate::{
    Forwarder, PeerId, Receiver, Signal,
    keys::TrackKey,
    peer::{Quota, Request},
};

/// A namespace and its publishers.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// In order of arrival; the newest is preferred.
    pub(crate) publishers: Vec<Receiver>,
    /// Our word of it to shards, while a session publishes it.
    pub(crate) announced: Vec<Announcement>,
}

/// A PUBLISH_NAMESPACE of ours to a shard.
#[derive(Debug)]
pub(crate) struct Announcement {
    pub(crate) to: Receiver,
    /// Whether the shard has heard of it.
    pub(crate) accepted: bool,
}

impl Forwarder {
    pub(crate) fn publish_namespace(
        &mut self,
        from: Receiver,
        namespace: &TrackNamespace,
        now: Instant,
    ) {
        if self.over_quota(from.peer, Quota::Namespaces) {
            self.reject(from, RequestErrorCode::ExcessiveLoad, "too many namespaces");
            return;
        }
        self.remember(from, Request::Namespace(namespace.clone()));
        self.say(from, Signal::Ok);
        let is_new = !self.namespaces.contains_key(namespace);
        let published = self.namespaces.entry(namespace.clone()).or_default();
        published.publishers.push(from);
        let announce = published.announced.is_empty();
        if is_new {
            self.tell_prefixes(namespace, Signal::Namespace);
        }
        if !self.is_shard(from.peer) && announce {
            for shard in self.shards.clone() {
                self.announce(namespace, shard);
            }
        }
        self.reconsider_sources(namespace, from.peer, now);
    }

    /// A publisher no longer publishes a namespace; subscriptions go on.
    pub(crate) fn withdraw_namespace(&mut self, from: Receiver, namespace: &TrackNamespace) {
        let Some(published) = self.namespaces.get_mut(namespace) else {
            return;
        };
        published.publishers.retain(|publisher| *publisher != from);
        let peers: Vec<PeerId> = published.publishers.iter().map(|p| p.peer).collect();
        if peers.iter().all(|peer| self.is_shard(*peer)) {
            let published = self.namespaces.get_mut(namespace);
            let announced = published
                .map(|p| std::mem::take(&mut p.announced))
                .unwrap_or_default();
            for announcement in announced {
                self.forget(announcement.to);
                self.say(announcement.to, Signal::Cancel);
            }
        }
        if peers.is_empty() {
            self.namespaces.remove(namespace);
            self.tell_prefixes(namespace, Signal::NamespaceDone);
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
        prefixes(name.namespace()).find_map(|prefix| {
            let publishers = &self.namespaces.get(&prefix)?.publishers;
            publishers
                .iter()
                .rev()
                .map(|publisher| publisher.peer)
                .find(|peer| {
                    !tried.contains(peer)
                        && !self.is_going_away(*peer)
                        && (!for_shard || !self.is_shard(*peer))
                })
        })
    }

    /// Tells a new shard what sessions publish here.
    pub(crate) fn introduce_shard(&mut self, shard: PeerId) {
        let namespaces: Vec<TrackNamespace> = self
            .namespaces
            .iter()
            .filter(|(_, published)| published.publishers.iter().any(|p| !self.is_shard(p.peer)))
            .map(|(namespace, _)| namespace.clone())
            .collect();
        for namespace in namespaces {
            self.announce(&namespace, shard);
        }
        for track in self.tracks_under(&TrackNamespace::default()) {
            self.offer_to_shard(track, shard);
        }
    }

    fn announce(&mut self, namespace: &TrackNamespace, shard: PeerId) {
        let to = self.open_request(shard, Request::Announcement(namespace.clone()));
        self.say(
            to,
            Signal::PublishNamespace {
                namespace: namespace.clone(),
            },
        );
        if let Some(published) = self.namespaces.get_mut(namespace) {
            published.announced.push(Announcement {
                to,
                accepted: false,
            });
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
