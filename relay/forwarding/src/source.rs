//! Where a track's objects come from: the one upstream subscription of each track.

use std::time::Instant;

use parvis_wire::{
    FullTrackName, Location, LocationFilter, Parameters, Priority, Properties, PublishDoneCode,
    RequestError, RequestErrorCode, ResetCode, TrackNamespace,
};

use crate::{
    Forwarder, PeerId, Receiver, Signal, SubgroupEnd,
    forwarder::request_error,
    keys::{SubscriptionKey, Timer, TrackKey},
    peer::Request,
    subscription::{SubscriptionKind, SubscriptionState},
    track::{Demand, Ending, Source, Upstream},
};

/// Why a source is no more.
#[derive(Debug)]
pub(crate) enum Loss {
    /// It rejected our SUBSCRIBE.
    Rejected(RequestError),
    /// It said PUBLISH_DONE.
    Done(PublishDoneCode, String),
    /// It is gone without a word.
    Gone,
}

impl Default for Demand {
    fn default() -> Self {
        Self {
            forward: true,
            priority: Priority::default(),
        }
    }
}

impl Demand {
    /// What differs from the defaults.
    pub(crate) fn parameters(self) -> Parameters {
        Parameters {
            forward: (!self.forward).then_some(false),
            subscriber_priority: (self.priority != Priority::default()).then_some(self.priority),
            ..Parameters::default()
        }
    }
}

impl Forwarder {
    /// Asks the best publisher there is; says whether there is one.
    pub(crate) fn find_and_ask(&mut self, key: TrackKey, now: Instant) -> bool {
        let track = &self.tracks[key.0];
        if track.subscriptions.is_empty() {
            return false;
        }
        let only_shards = track
            .subscriptions
            .iter()
            .all(|s| self.is_shard(self.subscriptions[s.0].receiver.peer));
        let Some(peer) = self.find_source(&track.name, only_shards, &track.tried) else {
            return false;
        };
        if self.is_shard(peer) {
            self.end_shard_subscriptions(key, now);
        }
        let upstream = self.ask(key, peer);
        self.tracks[key.0].source = Source::Pending(upstream);
        true
    }

    fn ask(&mut self, key: TrackKey, peer: PeerId) -> Upstream {
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

    /// Our SUBSCRIBE was accepted.
    pub(crate) fn subscribe_ok(
        &mut self,
        key: TrackKey,
        from: Receiver,
        parameters: &Parameters,
        properties: Properties,
        now: Instant,
    ) {
        let track = &mut self.tracks[key.0];
        let upstream = if let Some(next) = track.next.filter(|next| next.is(from)) {
            track.next = None;
            self.cancel_upstreams(key);
            if self.is_shard(next.peer) {
                self.end_shard_subscriptions(key, now);
            }
            next
        } else if let Source::Pending(pending) = track.source
            && pending.is(from)
        {
            pending
        } else {
            return;
        };
        self.establish(key, upstream, parameters, properties, now);
        self.settle(key, now);
    }

    /// Makes a publisher the source of a track and answers who waits for it.
    pub(crate) fn establish(
        &mut self,
        key: TrackKey,
        upstream: Upstream,
        parameters: &Parameters,
        properties: Properties,
        now: Instant,
    ) {
        if parameters.largest < self.tracks[key.0].largest {
            // The new publisher has less than was seen: it counts its groups afresh.
            self.finish_all(key, PublishDoneCode::TrackEnded, "the track started over");
            self.clear_objects(key);
        }
        let track = &mut self.tracks[key.0];
        track.floor = track.largest;
        track.largest = track.largest.max(parameters.largest);
        track.properties = properties;
        track.source = Source::Established(upstream);
        track.tried.clear();
        for subscription in self.waiting(key) {
            self.accept_subscription(subscription, now);
        }
    }

    /// A source, or one that was to be, is no more.
    pub(crate) fn source_lost(&mut self, key: TrackKey, from: Receiver, loss: Loss, now: Instant) {
        self.forget(from);
        let track = &mut self.tracks[key.0];
        if track.next.is_some_and(|next| next.is(from)) {
            track.next = None;
            self.reject_waiting(key, &does_not_exist());
            self.settle(key, now);
            return;
        }
        if !track.upstream().is_some_and(|upstream| upstream.is(from)) {
            return;
        }
        track.source = Source::Nobody;
        let error = match loss {
            Loss::Done(code, reason) if track.next.is_none() => {
                let deadline = now + self.config.drain;
                track.ending = Some(Ending {
                    deadline,
                    code,
                    reason,
                });
                self.schedule(deadline, Timer::Track(key));
                if self.tracks[key.0].live.is_empty() {
                    self.end_track(key, now);
                }
                return;
            }
            Loss::Done(..) => does_not_exist(),
            Loss::Rejected(error) => {
                track.tried.push(from.peer);
                error
            }
            Loss::Gone => {
                track.tried.push(from.peer);
                self.abandon_live(key, SubgroupEnd::Reset(ResetCode::SessionClosed));
                does_not_exist()
            }
        };
        let track = &mut self.tracks[key.0];
        if let Some(next) = track.next.take() {
            track.source = Source::Pending(next);
        } else if !self.find_and_ask(key, now) {
            self.finish_all(key, PublishDoneCode::TrackEnded, "the publisher left");
            self.clear_objects(key);
            self.reject_waiting(key, &error);
        }
        self.settle(key, now);
    }

    /// Ends a track whose publisher is done, if it has not ended yet.
    pub(crate) fn finish_ending(&mut self, name: &FullTrackName, now: Instant) {
        if let Some(&key) = self.names.get(name) {
            self.end_track(key, now);
        }
    }

    /// Ends a track if its publisher is done.
    pub(crate) fn end_track(&mut self, key: TrackKey, now: Instant) {
        let Some(Ending { code, reason, .. }) = self.tracks[key.0].ending.take() else {
            return;
        };
        self.abandon_live(key, SubgroupEnd::Reset(ResetCode::Cancelled));
        self.finish_all(key, code, &reason);
        self.clear_objects(key);
        self.reject_waiting(key, &does_not_exist());
        self.settle(key, now);
    }

    pub(crate) fn track_due(&mut self, key: TrackKey, now: Instant) {
        let Some(track) = self.tracks.get_mut(key.0) else {
            return;
        };
        if track
            .ending
            .as_ref()
            .is_some_and(|ending| ending.deadline <= now)
        {
            self.end_track(key, now);
            return;
        }
        if track.linger.is_some_and(|linger| linger <= now) {
            track.linger = None;
            if track.upstream().is_some_and(|upstream| upstream.published) {
                let demand = self.demand(key);
                self.tell_source(key, demand);
            } else {
                self.release(key);
            }
        }
    }

    /// Brings what the source was told in line with what subscribers want. To be called after
    /// every change of a track's subscriptions.
    pub(crate) fn settle(&mut self, key: TrackKey, now: Instant) {
        let Some(track) = self.tracks.get(key.0) else {
            return;
        };
        if !track.fetches.is_empty() {
            self.answer_fetches(key);
        }
        let track = &mut self.tracks[key.0];
        if track.ending.is_some() {
            return;
        }
        if !track.subscriptions.is_empty() {
            track.linger = None;
            let demand = self.demand(key);
            self.tell_source(key, demand);
        } else if let Some(upstream) = track.upstream() {
            let is_idle = upstream.published && !upstream.told.forward;
            if track.linger.is_none() && !is_idle {
                let at = now + self.config.linger;
                track.linger = Some(at);
                self.schedule(at, Timer::Track(key));
            }
        } else {
            self.release(key);
        }
    }

    pub(crate) fn demand(&self, key: TrackKey) -> Demand {
        let subscriptions = self.tracks[key.0].subscriptions.iter();
        let wanting = subscriptions
            .map(|s| &self.subscriptions[s.0])
            .filter(|s| s.wants_objects());
        let priority = wanting.map(|s| s.priority).min();
        Demand {
            forward: priority.is_some(),
            priority: priority.unwrap_or_default(),
        }
    }

    fn tell_source(&mut self, key: TrackKey, demand: Demand) {
        let track = &mut self.tracks[key.0];
        let Some(upstream) = track.established() else {
            return;
        };
        let told = upstream.told;
        let new_priority = demand.forward && demand.priority != told.priority;
        if demand.forward == told.forward && !new_priority {
            return;
        }
        let parameters = Parameters {
            forward: (demand.forward != told.forward).then_some(demand.forward),
            subscriber_priority: new_priority.then_some(demand.priority),
            ..Parameters::default()
        };
        track.set_told(Demand {
            forward: demand.forward,
            priority: if new_priority {
                demand.priority
            } else {
                told.priority
            },
        });
        self.say(upstream.receiver(), Signal::Update(parameters));
        if !demand.forward {
            self.trim_cache(key);
        }
    }

    /// Asks the publisher for a new group. draft-ietf-moq-transport-22, "NEW GROUP REQUEST
    /// Parameter".
    pub(crate) fn request_group(&mut self, key: TrackKey, value: u64) {
        let track = &mut self.tracks[key.0];
        let is_new = value == 0 || track.largest.is_none_or(|l| value > l.group.0);
        let is_asked = track.new_group_asked.is_some_and(|asked| asked >= value);
        let Some(upstream) = track.established() else {
            return;
        };
        if is_new && !is_asked && track.has_dynamic_groups() {
            track.new_group_asked = Some(value);
            let parameters = Parameters {
                new_group_request: Some(value),
                ..Parameters::default()
            };
            self.say(upstream.receiver(), Signal::Update(parameters));
        }
    }

    pub(crate) fn learn_largest(&mut self, key: TrackKey, largest: Option<Location>, now: Instant) {
        let track = &mut self.tracks[key.0];
        track.largest = track.largest.max(largest);
        self.check_ranges(key, now);
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
                    if self.tracks[key.0].subscriptions.is_empty() {
                        self.release(key);
                    } else {
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

    /// Cancels the upstream subscriptions of a track.
    pub(crate) fn cancel_upstreams(&mut self, key: TrackKey) {
        self.abandon_live(key, SubgroupEnd::Reset(ResetCode::Cancelled));
        let track = &mut self.tracks[key.0];
        let upstreams = [track.upstream(), track.next.take()];
        track.source = Source::Nobody;
        for upstream in upstreams.into_iter().flatten() {
            self.forget(upstream.receiver());
            self.say(upstream.receiver(), Signal::Cancel);
        }
    }

    /// Forgets a track that has no subscriptions.
    fn release(&mut self, key: TrackKey) {
        self.reject_fetches(key);
        self.cancel_upstreams(key);
        self.clear_objects(key);
        let track = self.tracks.remove(key.0);
        debug_assert!(
            track.subscriptions.is_empty(),
            "only unwanted tracks are released"
        );
        self.names.remove(&track.name);
    }

    /// Ends every subscription that is established or offered.
    fn finish_all(&mut self, key: TrackKey, code: PublishDoneCode, reason: &str) {
        for subscription in self.tracks[key.0].subscriptions.clone() {
            if self.subscriptions[subscription.0].state != SubscriptionState::Waiting {
                self.finish_subscription(subscription, code, reason);
            }
        }
    }

    pub(crate) fn end_shard_subscriptions(&mut self, key: TrackKey, now: Instant) {
        for subscription in self.tracks[key.0].subscriptions.clone() {
            let Receiver { peer, .. } = self.subscriptions[subscription.0].receiver;
            if !self.is_shard(peer) {
                continue;
            }
            if self.subscriptions[subscription.0].state == SubscriptionState::Waiting {
                self.reject_subscription(subscription, &does_not_exist());
            } else {
                let code = PublishDoneCode::TrackEnded;
                self.finish_subscription(subscription, code, "another shard has the track");
            }
        }
        self.check_ranges(key, now);
    }

    /// Rejects who waits, except those with time left if the track may still appear.
    fn reject_waiting(&mut self, key: TrackKey, error: &RequestError) {
        for subscription in self.waiting(key) {
            let may_wait = self.subscriptions[subscription.0].deadline.is_some();
            if !(may_wait && error.code == RequestErrorCode::DoesNotExist) {
                self.reject_subscription(subscription, error);
            }
        }
    }

    fn reject_subscription(&mut self, key: SubscriptionKey, error: &RequestError) {
        let receiver = self.subscriptions[key.0].receiver;
        self.say(receiver, Signal::Reject(error.clone()));
        self.remove_subscription(key);
    }

    fn waiting(&self, key: TrackKey) -> Vec<SubscriptionKey> {
        let subscriptions = self.tracks[key.0].subscriptions.iter().copied();
        subscriptions
            .filter(|s| self.subscriptions[s.0].state == SubscriptionState::Waiting)
            .collect()
    }
}

impl Upstream {
    pub(crate) const fn receiver(self) -> Receiver {
        Receiver {
            peer: self.peer,
            request: self.request,
        }
    }

    fn is(self, at: Receiver) -> bool {
        self.receiver() == at
    }
}

fn does_not_exist() -> RequestError {
    request_error(RequestErrorCode::DoesNotExist, "nobody publishes the track")
}
