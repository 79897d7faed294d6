//! What subscribers want of a track's source together, and for how long it is kept.

use std::time::Instant;

use parvis_wire::{Location, Parameters, Priority};

use crate::{
    Forwarder, Receiver, Signal,
    keys::{Timer, TrackKey},
    subscription::SubscriptionState,
    track::{Demand, Source},
};

/// What a source may be told before it has answered: for many updates at once it may close the
/// session.
const UNANSWERED: u8 = 4;

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
            self.answer_fetches(key, now);
        }
        let Some(track) = self.tracks.get_mut(key.0) else {
            return;
        };
        if track.ending.is_some() {
            return;
        }
        if !track.subscriptions.is_empty() {
            track.linger = None;
            let demand = self.demand(key);
            self.tell_source(key, demand);
        } else if track.is_wanted() {
            track.linger = None;
        } else if let Some(upstream) = track.upstream() {
            let is_idle = upstream.published && !upstream.told.forward;
            if track.linger.is_none() && !is_idle {
                let at = now + self.config.linger;
                track.linger = Some(at);
                self.schedule(at, Timer::Track(key));
            }
        } else if track.past.is_empty() {
            self.release(key);
        } else if track.linger.is_none() {
            let at = now + self.config.cache_age;
            track.linger = Some(at);
            self.schedule(at, Timer::Track(key));
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

    pub(crate) fn tell_source(&mut self, key: TrackKey, demand: Demand) {
        self.update_source(key, demand, None);
    }

    fn update_source(&mut self, key: TrackKey, demand: Demand, new_group_request: Option<u64>) {
        let track = &mut self.tracks[key.0];
        let Source::Established(upstream) = &mut track.source else {
            return;
        };
        let told = upstream.told;
        let new_priority = demand.forward && demand.priority != told.priority;
        let new_forward = demand.forward != told.forward;
        if !new_forward && !new_priority && new_group_request.is_none() {
            return;
        }
        if upstream.unanswered >= UNANSWERED {
            upstream.wants_more = true;
            track.new_group_waits |= new_group_request.is_some();
            return;
        }
        upstream.unanswered += 1;
        upstream.told.forward = demand.forward;
        if new_priority {
            upstream.told.priority = demand.priority;
        }
        let receiver = upstream.receiver();
        let parameters = Parameters {
            forward: new_forward.then_some(demand.forward),
            subscriber_priority: new_priority.then_some(demand.priority),
            new_group_request,
            ..Parameters::default()
        };
        self.say(receiver, Signal::Update(parameters));
        if new_forward && !demand.forward {
            self.trim_cache(key);
        }
    }

    /// The source has answered something that it was told, and is told what is wanted by now.
    pub(crate) fn source_updated(&mut self, key: TrackKey, from: Receiver) {
        let Some(track) = self.tracks.get_mut(key.0) else {
            return;
        };
        let is_lingering = track.linger.is_some();
        let Some(upstream) = track.upstream_mut() else {
            return;
        };
        if upstream.receiver() != from {
            return;
        }
        let told = upstream.told;
        upstream.unanswered = upstream.unanswered.saturating_sub(1);
        if std::mem::take(&mut upstream.wants_more) {
            let waits = std::mem::take(&mut track.new_group_waits);
            // It may have come by itself.
            let new_group = track.new_group_asked.filter(|_| waits);
            let demand = if is_lingering { told } else { self.demand(key) };
            self.update_source(key, demand, new_group);
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
            self.update_source(key, upstream.told, Some(value));
        }
    }

    pub(crate) fn learn_largest(&mut self, key: TrackKey, largest: Option<Location>, now: Instant) {
        let track = &mut self.tracks[key.0];
        track.largest = track.largest.max(largest);
        self.check_ranges(key, now);
    }

    /// The source says how far the track is, unasked: subscribers are told as well.
    ///
    /// What else changed is between the source and this relay.
    pub(crate) fn state_changed(
        &mut self,
        key: TrackKey,
        from: Receiver,
        largest: Option<Location>,
        now: Instant,
    ) {
        let source = self.tracks[key.0].established();
        if largest.is_none() || source.is_none_or(|source| source.receiver() != from) {
            return;
        }
        self.learn_largest(key, largest, now);
        let subscriptions = self.tracks[key.0].subscriptions.iter();
        let receivers: Vec<Receiver> = subscriptions
            .map(|subscription| &self.subscriptions[subscription.0])
            .filter(|s| s.state == SubscriptionState::Established)
            .map(|s| s.receiver)
            .collect();
        for receiver in receivers {
            let parameters = Parameters {
                largest: self.tracks[key.0].largest,
                ..Parameters::default()
            };
            self.say(receiver, Signal::Notify(parameters));
        }
    }

    /// Forgets a track that has no subscriptions.
    pub(crate) fn release(&mut self, key: TrackKey) {
        self.cancel_upstreams(key);
        self.clear_objects(key);
        let track = self.tracks.remove(key.0);
        debug_assert!(
            !track.is_wanted() && track.asks.is_empty(),
            "only unwanted tracks are released"
        );
        self.names.remove(&track.name);
    }
}
