//! Whom to ask for a track, and when another publisher takes over.

use std::time::Instant;

use parvis_wire::{LocationFilter, Parameters, TrackNamespace};

use crate::{
    Forwarder, PeerId, Signal,
    keys::TrackKey,
    peer::Request,
    subscription::SubscriptionKind,
    track::{Source, Upstream},
};

impl Forwarder {
    /// Asks the best publisher there is; says whether there is one.
    pub(crate) fn find_and_ask(&mut self, key: TrackKey, now: Instant) -> bool {
        let track = &self.tracks[key.0];
        if track.subscriptions.is_empty() && track.fetches.is_empty() {
            return false;
        }
        let subscriptions = track.subscriptions.iter();
        let subscribers = subscriptions.map(|s| self.subscriptions[s.0].receiver.peer);
        let fetches = track.fetches.iter();
        let fetchers = fetches.map(|fetch| self.fetches[fetch.0].receiver.peer);
        let only_shards = subscribers.chain(fetchers).all(|peer| self.is_shard(peer));
        // A relay is never asked for what it asks for itself.
        let asking = track.subscriptions.iter();
        let asking = asking.map(|s| self.subscriptions[s.0].receiver.peer);
        let mut tried = track.tried.clone();
        tried.extend(asking.filter(|peer| self.is_relay(*peer)));
        let Some(peer) = self.find_source(&track.name, only_shards, &tried) else {
            return false;
        };
        if self.is_shard(peer) {
            self.end_shard_subscriptions(key, now);
        }
        let upstream = self.ask(key, peer);
        self.tracks[key.0].source = Source::Pending(upstream);
        true
    }

    pub(crate) fn ask(&mut self, key: TrackKey, peer: PeerId) -> Upstream {
        let demand = self.demand(key);
        let track = &self.tracks[key.0];
        let wanted = track.subscriptions.iter().map(|s| &self.subscriptions[s.0]);
        let new_group_request = wanted.filter_map(|s| s.new_group_request).max();
        let parameters = Parameters {
            filter: self.upstream_filter(key, peer),
            new_group_request,
            ..demand.parameters()
        };
        let name = track.name.clone();
        let at = self.open_request(peer, Request::Upstream(key));
        self.say(
            at,
            Signal::Subscribe {
                track: name,
                parameters,
            },
        );
        let track = &mut self.tracks[key.0];
        track.new_group_asked = new_group_request;
        Upstream {
            peer,
            request: at.request,
            published: false,
            told: demand,
            unanswered: 0,
            wants_more: false,
        }
    }

    /// An open end, so that later subscribers share the subscription; the start is what the
    /// first one wants. A relative start exists in one draft only: no filter stands for it.
    fn upstream_filter(&self, key: TrackKey, peer: PeerId) -> Option<LocationFilter> {
        let track = &self.tracks[key.0];
        if track.largest.is_some() {
            return Some(LocationFilter::NextObject);
        }
        let first = track
            .subscriptions
            .iter()
            .map(|s| &self.subscriptions[s.0])
            .find(|s| s.kind != SubscriptionKind::Status)?;
        match first.filter? {
            LocationFilter::Unfiltered | LocationFilter::RelativeStart(_) => None,
            // A shard gives what its cache has of the current group, for those who come later.
            LocationFilter::NextObject | LocationFilter::NextGroup => {
                (!self.is_shard(peer)).then_some(LocationFilter::NextObject)
            }
            LocationFilter::AbsoluteStart(start)
            | LocationFilter::AbsoluteGroups { start, .. }
            | LocationFilter::AbsoluteRange { start, .. } => {
                Some(LocationFilter::AbsoluteStart(start))
            }
        }
    }

    /// A publisher of a namespace came: asks it for tracks that nobody has, and for those that
    /// an older publisher of the namespace has, so that a publisher that reconnects takes over.
    pub(crate) fn reconsider_sources(
        &mut self,
        namespace: &TrackNamespace,
        peer: PeerId,
        now: Instant,
    ) {
        for key in self.tracks_under(namespace) {
            let track = &mut self.tracks[key.0];
            track.tried.retain(|tried| *tried != peer);
            if track.is_orphaned() {
                if self.find_and_ask(key, now) {
                    self.tracks[key.0].ending = None;
                }
                continue;
            }
            if track.ending.is_some() || track.next.is_some() {
                continue;
            }
            let source = track.source;
            match source {
                Source::Nobody => {
                    self.find_and_ask(key, now);
                }
                Source::Established(old)
                    if !old.published
                        && old.peer != peer
                        && self.may_take_over(key, old.peer, peer, namespace) =>
                {
                    if !self.tracks[key.0].is_wanted() {
                        self.release(key);
                    } else if !self.tracks[key.0].subscriptions.is_empty() {
                        let next = self.ask(key, peer);
                        self.tracks[key.0].next = Some(next);
                    }
                }
                Source::Pending(_) | Source::Established(_) => {}
            }
        }
    }

    /// A shard takes over from a session only if it knew of that session: two publishers that
    /// come to two shards at the same time must not be left by both.
    fn may_take_over(
        &self,
        key: TrackKey,
        old: PeerId,
        new: PeerId,
        namespace: &TrackNamespace,
    ) -> bool {
        let track = &self.tracks[key.0];
        if self.find_source(&track.name, false, &track.tried) != Some(new) {
            return false;
        }
        let announced = self
            .namespaces
            .get(namespace)
            .map_or(&[][..], |p| &p.announced);
        !self.is_shard(new)
            || self.is_shard(old)
            || announced
                .iter()
                .filter(|a| a.to.peer == new)
                .all(|a| a.accepted)
    }

    /// Whether a shard may subscribe: never to what comes from a shard.
    pub(crate) fn may_serve_shards(&self, key: TrackKey) -> bool {
        let track = &self.tracks[key.0];
        let from_shard = |upstream: Upstream| self.is_shard(upstream.peer);
        !track.upstream().is_some_and(from_shard) || track.next.is_some_and(|u| !from_shard(u))
    }
}
