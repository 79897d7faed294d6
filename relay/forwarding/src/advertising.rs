//! What relays and the threads of a relay tell each other of namespaces: each the best way there is
//! that does not lead through whom it is told.
//!
//! draft-lcurley-moq-cluster-00. A way is told with the names of the relays on it, and nobody takes
//! one that leads through itself: so there are no loops.

use std::time::Instant;

use parvis_wire::{HopId, HopPath, TrackNamespace};

use crate::{
    Forwarder, PeerId, PeerKind, Receiver, Signal, discovery::Announcement, peer::Request,
    source::Loss, track::Source,
};

impl Forwarder {
    /// Another relay is there: asks for all its namespaces.
    pub(crate) fn discover(&mut self, relay: PeerId) {
        let at = self.open_request(relay, Request::Discovery);
        self.say(
            at,
            Signal::SubscribeNamespace {
                prefix: TrackNamespace::default(),
            },
        );
        if !self.tells_paths(relay) {
            self.introduce_relay(relay);
        }
    }

    /// Tells a relay every namespace there is.
    pub(crate) fn introduce_relay(&mut self, relay: PeerId) {
        let mut namespaces: Vec<TrackNamespace> = self.namespaces.keys().cloned().collect();
        namespaces.extend(self.names.keys().map(|name| name.namespace().clone()));
        namespaces.sort_unstable();
        namespaces.dedup();
        for namespace in namespaces {
            self.advertise_to(relay, &namespace);
        }
    }

    /// Brings what others were told of a namespace in line with the ways there are.
    pub(crate) fn advertise(&mut self, namespace: &TrackNamespace) {
        let neighbours = self.peers.iter().filter(|(_, peer)| match peer.kind {
            PeerKind::Session | PeerKind::Service => false,
            PeerKind::Shard | PeerKind::Relay { .. } => true,
        });
        let mut neighbours: Vec<PeerId> = neighbours.map(|(id, _)| *id).collect();
        neighbours.sort_unstable();
        for neighbour in neighbours {
            self.advertise_to(neighbour, namespace);
        }
    }

    pub(crate) fn advertise_to(&mut self, to: PeerId, namespace: &TrackNamespace) {
        let path = self.path_for(to, namespace);
        if self.tells_paths(to) {
            self.tell_route(to, namespace, path);
        } else {
            self.announce(to, namespace, path);
        }
    }

    /// The best way to a namespace for a shard or a relay: none through itself.
    fn path_for(&self, to: PeerId, namespace: &TrackNamespace) -> Option<HopPath> {
        let (hop, to_shard) = match self.peers.get(&to)?.kind {
            PeerKind::Relay { hop, .. } => (hop, false),
            PeerKind::Shard => (HopId(0), true),
            PeerKind::Session | PeerKind::Service => return None,
        };
        let published = self.namespaces.get(namespace);
        let routes = published.map_or(&[][..], |p| &p.publishers);
        let best = routes
            .iter()
            .rev()
            .filter(|route| {
                let peer = route.from.peer;
                peer != to && !route.path.contains(hop) && !(to_shard && self.is_shard(peer))
            })
            .min_by_key(|route| route.path.hops().len())
            .map(|route| route.path.clone());
        if to_shard {
            return best;
        }
        let path = best.or_else(|| self.is_published_to(to, namespace).then(HopPath::unknown))?;
        path.then(self.config.hop)
    }

    /// Whether somebody other than this peer publishes a track of the namespace by PUBLISH.
    fn is_published_to(&self, to: PeerId, namespace: &TrackNamespace) -> bool {
        self.tracks_under(namespace).into_iter().any(|key| {
            let track = &self.tracks[key.0];
            // Of what a relay has, that relay tells the way.
            let upstream = track
                .established()
                .filter(|u| u.published && u.peer != to && !self.is_relay(u.peer));
            upstream.is_some() && track.name.namespace() == namespace
        })
    }

    /// NAMESPACE with its path, to a relay that asked for it.
    fn tell_route(&mut self, to: PeerId, namespace: &TrackNamespace, path: Option<HopPath>) {
        let Some(peer) = self.peers.get_mut(&to) else {
            return;
        };
        let asked = peer.requests().find_map(|(request, kind)| match kind {
            Request::NamespacePrefix(prefix) => Some((request, namespace.strip_prefix(prefix)?)),
            _ => None,
        });
        let Some((request, suffix)) = asked else {
            return;
        };
        if peer.told.get(namespace) == path.as_ref() {
            return;
        }
        let signal = if let Some(path) = path {
            peer.told.insert(namespace.clone(), path.clone());
            Signal::Route { suffix, path }
        } else {
            peer.told.remove(namespace);
            Signal::NamespaceDone(suffix)
        };
        self.say(Receiver { peer: to, request }, signal);
    }

    /// PUBLISH_NAMESPACE, to a shard or to a relay that tells no paths.
    fn announce(&mut self, to: PeerId, namespace: &TrackNamespace, path: Option<HopPath>) {
        let published = self.namespaces.get_mut(namespace);
        let announced = published.into_iter().flat_map(|p| &mut p.announced);
        let before = announced.into_iter().find(|a| a.to.peer == to);
        match (before, path) {
            (None, None) => {}
            (Some(before), Some(path)) if before.path == path => {}
            (Some(before), Some(path)) => {
                before.path = path.clone();
                let at = before.to;
                // Only shards are interested in the way.
                if self.is_shard(to) {
                    self.say(at, publish(namespace, path));
                }
            }
            (Some(before), None) => {
                let at = before.to;
                if let Some(published) = self.namespaces.get_mut(namespace) {
                    published.announced.retain(|a| a.to != at);
                }
                self.forget(at);
                self.say(at, Signal::Cancel);
            }
            (None, Some(path)) => {
                let Some(published) = self.namespaces.get_mut(namespace) else {
                    return;
                };
                let at = Receiver {
                    peer: to,
                    request: crate::RequestRef::Ours(self.next_request),
                };
                published.announced.push(Announcement {
                    to: at,
                    path: path.clone(),
                    accepted: false,
                });
                let opened = self.open_request(to, Request::Announcement(namespace.clone()));
                debug_assert_eq!(opened, at, "the next request is the one foreseen");
                let signal = if self.is_shard(to) {
                    publish(namespace, path)
                } else {
                    let namespace = namespace.clone();
                    Signal::PublishNamespace { namespace }
                };
                self.say(at, signal);
            }
        }
    }

    /// A relay has no way to a namespace any more: its tracks are asked of others.
    pub(crate) fn route_lost(&mut self, namespace: &TrackNamespace, relay: PeerId, now: Instant) {
        for key in self.tracks_under(namespace) {
            match self.tracks[key.0].source {
                Source::Pending(upstream) if upstream.peer == relay => {
                    self.say(upstream.receiver(), Signal::Cancel);
                    self.source_lost(key, upstream.receiver(), Loss::Gone, now);
                }
                Source::Established(upstream) if upstream.peer == relay => {
                    self.move_source(key, upstream.receiver());
                }
                _ => {}
            }
        }
    }

    /// A relay has stopped telling us of namespaces.
    pub(crate) fn discovery_ended(&mut self, from: Receiver, now: Instant) {
        let told = self.namespaces.iter().filter(|(_, published)| {
            let mut routes = published.publishers.iter();
            routes.any(|route| route.from == from)
        });
        let told: Vec<TrackNamespace> = told.map(|(namespace, _)| namespace.clone()).collect();
        for namespace in told {
            self.withdraw_namespace(from, &namespace, now);
        }
    }

    pub(crate) fn is_relay(&self, peer: PeerId) -> bool {
        let peer = self.peers.get(&peer);
        peer.is_some_and(|peer| matches!(peer.kind, PeerKind::Relay { .. }))
    }

    pub(crate) fn tells_paths(&self, peer: PeerId) -> bool {
        let peer = self.peers.get(&peer);
        peer.is_some_and(|peer| {
            matches!(
                peer.kind,
                PeerKind::Relay {
                    tells_paths: true,
                    ..
                }
            )
        })
    }
}

fn publish(namespace: &TrackNamespace, path: HopPath) -> Signal {
    let namespace = namespace.clone();
    if path == HopPath::unknown() {
        Signal::PublishNamespace { namespace }
    } else {
        Signal::PublishRoute { namespace, path }
    }
}
