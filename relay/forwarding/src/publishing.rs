//! PUBLISH of peers, and our PUBLISH to those that want every track.

use std::time::Instant;

use parvis_wire::{
    FullTrackName, Parameters, Properties, RangeFilters, RequestErrorCode, TrackNamespace,
};

use crate::{
    Forwarder, PeerId, Receiver, Signal,
    discovery::matching,
    keys::{SubscriptionKey, TrackKey},
    peer::{Peer, Quota, Request},
    subscription::{Subscription, SubscriptionKind, SubscriptionState},
    track::{Demand, Upstream},
};

impl Forwarder {
    /// The namespaces in which a peer publishes.
    pub fn namespaces_of(&self, peer: PeerId) -> Vec<TrackNamespace> {
        let requests = self.peers.get(&peer).into_iter().flat_map(Peer::requests);
        let mut namespaces: Vec<TrackNamespace> = requests
            .filter_map(|(_, request)| match request {
                Request::Namespace(namespace) => Some(namespace.clone()),
                Request::Published(track) => Some(self.tracks[track.0].name.namespace().clone()),
                _ => None,
            })
            .collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        namespaces
    }

    pub(crate) fn publish(
        &mut self,
        from: Receiver,
        name: FullTrackName,
        parameters: &Parameters,
        properties: Properties,
        now: Instant,
    ) {
        if self.over_quota(from.peer, Quota::Published) {
            self.reject(from, RequestErrorCode::ExcessiveLoad, "too many tracks");
            return;
        }
        if self.reject_stopped(from, &name) {
            return;
        }
        self.finish_ending(&name, now);
        let key = match self.names.get(&name) {
            Some(&key) if self.keeps_source(key, from.peer) => {
                self.reject(
                    from,
                    RequestErrorCode::Uninterested,
                    "the track has a publisher",
                );
                return;
            }
            Some(&key) => {
                self.cancel_upstreams(key);
                if self.is_shard(from.peer) {
                    self.end_shard_subscriptions(key, now);
                }
                key
            }
            None => self.add_track(name),
        };
        self.remember(from, Request::Published(key));
        let upstream = Upstream {
            peer: from.peer,
            request: from.request,
            published: true,
            told: Demand {
                forward: parameters.forward.unwrap_or(true),
                ..Demand::default()
            },
            unanswered: 0,
            wants_more: false,
        };
        self.establish(key, upstream, parameters, properties, now);
        self.offer(key);
        let namespace = self.tracks[key.0].name.namespace().clone();
        self.advertise(&namespace);
        let demand = self.demand(key);
        if let Some(upstream) = self.tracks[key.0].upstream_mut() {
            upstream.told = demand;
        }
        self.say(
            from,
            Signal::PublishOk {
                parameters: Parameters {
                    forward: Some(demand.forward),
                    ..demand.parameters()
                },
            },
        );
        self.settle(key, now);
    }

    /// Whether a PUBLISH must not replace the source of this track: one that comes from a shard
    /// while our own word of the track is on its way there would have each side leave its own
    /// publisher for the other's, and a relay tells of publishers that are not newer.
    fn keeps_source(&self, key: TrackKey, from: PeerId) -> bool {
        let Some(upstream) = self.tracks[key.0].upstream() else {
            return false;
        };
        if self.is_relay(from) {
            return true;
        }
        self.is_shard(from)
            && !self.is_shard(upstream.peer)
            && (!upstream.published || self.has_subscription(from, key))
    }

    /// Offers a track to everyone who wants it.
    fn offer(&mut self, key: TrackKey) {
        for shard in self.shards.clone() {
            self.offer_to_shard(key, shard);
        }
        let namespace = self.tracks[key.0].name.namespace().clone();
        for (subscriber, suffix) in matching(&self.track_prefixes, &namespace) {
            self.offer_to(key, subscriber, suffix);
        }
    }

    pub(crate) fn offer_to_prefix(
        &mut self,
        key: TrackKey,
        subscriber: Receiver,
        prefix: &TrackNamespace,
    ) {
        if let Some(suffix) = self.tracks[key.0].name.namespace().strip_prefix(prefix) {
            self.offer_to(key, subscriber, suffix);
        }
    }

    fn offer_to(&mut self, key: TrackKey, subscriber: Receiver, suffix: TrackNamespace) {
        let Some(Request::TrackPrefix(_, parameters)) = self.request(subscriber) else {
            return;
        };
        let parameters = Parameters::clone(parameters);
        if !self.is_on_offer(key, subscriber.peer) || self.is_going_away(subscriber.peer) {
            return;
        }
        let upstream = self.tracks[key.0].established();
        if self.is_shard(subscriber.peer) && upstream.is_some_and(|u| self.is_shard(u.peer)) {
            return;
        }
        if self.over_quota(subscriber.peer, Quota::Subscriptions) {
            let name = self.tracks[key.0].name.name().clone();
            self.say(subscriber, Signal::Skipped { suffix, name });
            return;
        }
        let filters = RangeFilters::decode(&parameters.range_filters).unwrap_or_default();
        if let Some(filters) = filters.select(&self.tracks[key.0].properties) {
            self.send_offer(key, subscriber.peer, &parameters, filters);
        }
    }

    /// Tells a shard of a track that a session publishes here; it asks for objects when it wants
    /// them.
    pub(crate) fn offer_to_shard(&mut self, key: TrackKey, shard: PeerId) {
        let upstream = self.tracks[key.0].established();
        if self.is_on_offer(key, shard) && !upstream.is_some_and(|u| self.is_shard(u.peer)) {
            let parameters = Parameters {
                forward: Some(false),
                ..Parameters::default()
            };
            self.send_offer(key, shard, &parameters, RangeFilters::default());
        }
    }

    /// Whether somebody else publishes the track by PUBLISH and the peer has it not yet.
    fn is_on_offer(&self, key: TrackKey, to: PeerId) -> bool {
        let upstream = self.tracks[key.0].established();
        upstream.is_some_and(|u| u.published && u.peer != to) && !self.has_subscription(to, key)
    }

    fn send_offer(
        &mut self,
        key: TrackKey,
        to: PeerId,
        wanted: &Parameters,
        filters: RangeFilters,
    ) {
        let at = Receiver {
            peer: to,
            request: crate::RequestRef::Ours(self.next_request),
        };
        let mut subscription = Subscription::new(key, at, SubscriptionKind::Offer, wanted);
        let track = &self.tracks[key.0];
        subscription.filters = filters;
        subscription.resolve(track.largest);
        let properties = if subscription.include_properties {
            track.properties.clone()
        } else {
            Properties::EMPTY
        };
        let parameters = Parameters {
            largest: track.largest,
            forward: wanted.forward.filter(|forward| !forward),
            subscriber_priority: wanted.subscriber_priority,
            filter: wanted.filter,
            group_order: wanted.group_order,
            object_delivery_timeout: wanted.object_delivery_timeout,
            subgroup_delivery_timeout: wanted.subgroup_delivery_timeout,
            ..Parameters::default()
        };
        let name = track.name.clone();
        let subscription = self.add_subscription(subscription);
        let opened = self.open_request(to, Request::Subscription(subscription));
        debug_assert_eq!(opened, at, "the next request is the one foreseen");
        self.say(
            at,
            Signal::Publish {
                track: name,
                parameters,
                properties,
            },
        );
    }

    pub(crate) fn offer_accepted(
        &mut self,
        key: SubscriptionKey,
        parameters: &Parameters,
        now: Instant,
    ) {
        let subscription = &mut self.subscriptions[key.0];
        if subscription.state != SubscriptionState::Offered {
            return;
        }
        let track = subscription.track;
        subscription.forward = parameters.forward.unwrap_or(subscription.forward);
        subscription.priority = parameters
            .subscriber_priority
            .unwrap_or(subscription.priority);
        subscription.new_group_request = parameters.new_group_request;
        if parameters.filter.is_some() {
            subscription.filter = parameters.filter;
            subscription.resolve(self.tracks[track.0].largest);
        }
        self.establish_subscription(key, now);
        self.settle(track, now);
    }
}
