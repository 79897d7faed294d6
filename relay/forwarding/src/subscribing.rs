//! SUBSCRIBE and TRACK_STATUS of peers, from arrival to end.

use std::time::{Duration, Instant};

use parvis_wire::{
    FullTrackName, Parameters, Properties, PublishDoneCode, RequestErrorCode, ResetCode,
};

use crate::{
    Forwarder, PeerId, Receiver, Signal, SubgroupEnd,
    keys::{SubscriptionKey, Timer, TrackKey},
    peer::{Quota, Request},
    subscription::{Subscription, SubscriptionKind, SubscriptionState},
    track::{Source, Track},
};

/// How the stream of a subscription that is over ends.
pub(crate) const CANCELLED: SubgroupEnd = SubgroupEnd::Reset(ResetCode::Cancelled);

impl Forwarder {
    pub(crate) fn subscribe(
        &mut self,
        from: Receiver,
        name: FullTrackName,
        parameters: &Parameters,
        kind: SubscriptionKind,
        now: Instant,
    ) {
        if self.over_quota(from.peer, Quota::Subscriptions) {
            self.reject(
                from,
                RequestErrorCode::ExcessiveLoad,
                "too many subscriptions",
            );
            return;
        }
        if let Err((code, reason)) = self.range_filters(None, parameters) {
            self.reject(from, code, reason);
            return;
        }
        if self.reject_stopped(from, &name) {
            return;
        }
        self.finish_ending(&name, now);
        let for_shard = self.is_shard(from.peer);
        let wait = self.rendezvous(parameters);
        let key = match self.names.get(&name) {
            Some(&key) => key,
            None if wait.is_zero() && self.find_source(&name, for_shard, &[]).is_none() => {
                self.reject(
                    from,
                    RequestErrorCode::DoesNotExist,
                    "nobody publishes the track",
                );
                return;
            }
            None => self.add_track(name),
        };
        let upstream = self.tracks[key.0].upstream();
        if self.is_relay(from.peer) && upstream.is_some_and(|u| u.peer == from.peer) {
            self.reject(
                from,
                RequestErrorCode::DoesNotExist,
                "the track comes from there",
            );
            return;
        }
        if for_shard && !self.may_serve_shards(key) {
            self.reject(
                from,
                RequestErrorCode::DoesNotExist,
                "another shard has the track",
            );
            return;
        }
        let subscription = self.add_subscription(Subscription::new(key, from, kind, parameters));
        self.remember(from, Request::Subscription(subscription));
        if !wait.is_zero() {
            self.subscriptions[subscription.0].deadline = Some(now + wait);
            self.schedule(now + wait, Timer::Subscription(subscription));
        }
        match self.tracks[key.0].source {
            Source::Nobody => {
                if !self.find_and_ask(key, now) && wait.is_zero() {
                    self.reject(
                        from,
                        RequestErrorCode::DoesNotExist,
                        "nobody publishes the track",
                    );
                    self.remove_subscription(subscription);
                }
            }
            // A shard waits for the session that is about to replace another shard.
            Source::Established(upstream) if !(for_shard && self.is_shard(upstream.peer)) => {
                self.accept_subscription(subscription, now);
            }
            Source::Pending(_) | Source::Established(_) => {}
        }
        self.settle(key, now);
    }

    /// Answers a subscription that waits; the track is established.
    pub(crate) fn accept_subscription(&mut self, key: SubscriptionKey, now: Instant) {
        let subscription = &mut self.subscriptions[key.0];
        let track = &self.tracks[subscription.track.0];
        let receiver = subscription.receiver;
        let properties = if subscription.include_properties {
            track.properties.clone()
        } else {
            Properties::EMPTY
        };
        let parameters = Parameters {
            largest: track.largest,
            ..Parameters::default()
        };
        subscription.deadline = None;
        if subscription.kind == SubscriptionKind::Status {
            self.say(
                receiver,
                Signal::TrackStatusOk {
                    parameters,
                    properties,
                },
            );
            self.remove_subscription(key);
            return;
        }
        subscription.resolve(track.largest);
        if is_past(subscription, track) {
            self.reject(
                receiver,
                RequestErrorCode::InvalidRange,
                "the range holds nothing",
            );
            self.remove_subscription(key);
            return;
        }
        self.say(
            receiver,
            Signal::SubscribeOk {
                parameters,
                properties,
            },
        );
        self.establish_subscription(key, now);
    }

    /// Lets objects flow to a subscription whose window is known.
    pub(crate) fn establish_subscription(&mut self, key: SubscriptionKey, now: Instant) {
        let subscription = &mut self.subscriptions[key.0];
        subscription.state = SubscriptionState::Established;
        let track = subscription.track;
        if subscription.forward {
            self.join(key);
        }
        if let Some(value) = self.subscriptions[key.0].new_group_request.take() {
            self.request_group(track, value);
        }
        if let Some(fill) = self.subscriptions[key.0].fill.take() {
            self.open_fill(key, None, &fill, now);
        }
        self.check_ranges(track, now);
    }

    pub(crate) fn add_track(&mut self, name: FullTrackName) -> TrackKey {
        let key = TrackKey(self.tracks.insert(Track::new(name.clone())));
        self.names.insert(name, key);
        key
    }

    pub(crate) fn add_subscription(&mut self, subscription: Subscription) -> SubscriptionKey {
        let track = subscription.track;
        let key = SubscriptionKey(self.subscriptions.insert(subscription));
        self.tracks[track.0].subscriptions.push(key);
        key
    }

    /// The subscriber left: resets its streams, says nothing else.
    pub(crate) fn drop_subscription(&mut self, key: SubscriptionKey, now: Instant) {
        let Some(subscription) = self.subscriptions.get(key.0) else {
            return;
        };
        let track = subscription.track;
        self.leave(key, CANCELLED);
        self.remove_subscription(key);
        self.settle(track, now);
    }

    /// Ends a subscription from our side.
    pub(crate) fn finish_subscription(
        &mut self,
        key: SubscriptionKey,
        code: PublishDoneCode,
        reason: &str,
    ) {
        let receiver = self.subscriptions[key.0].receiver;
        self.leave(key, CANCELLED);
        self.say(
            receiver,
            Signal::Done {
                code,
                reason: reason.to_owned(),
            },
        );
        self.remove_subscription(key);
    }

    /// Forgets a subscription that has no streams.
    pub(crate) fn remove_subscription(&mut self, key: SubscriptionKey) {
        self.end_fills(key);
        let subscription = self.subscriptions.remove(key.0);
        debug_assert_eq!(
            subscription.open_streams, 0,
            "its streams are closed before"
        );
        let track = &mut self.tracks[subscription.track.0];
        track.subscriptions.retain(|s| *s != key);
        self.forget(subscription.receiver);
    }

    pub(crate) fn subscription_due(&mut self, key: SubscriptionKey, now: Instant) {
        let Some(subscription) = self.subscriptions.get_mut(key.0) else {
            return;
        };
        if subscription.deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        let (receiver, track) = (subscription.receiver, subscription.track);
        match subscription.state {
            SubscriptionState::Waiting => {
                self.reject(
                    receiver,
                    RequestErrorCode::Timeout,
                    "the track did not appear",
                );
                self.remove_subscription(key);
                self.settle(track, now);
            }
            SubscriptionState::Established if subscription.open_streams == 0 => {
                let code = PublishDoneCode::SubscriptionEnded;
                self.finish_subscription(key, code, "the range has ended");
                self.settle(track, now);
            }
            SubscriptionState::Established | SubscriptionState::Offered => {
                let at = now + self.config.drain;
                subscription.deadline = Some(at);
                self.schedule(at, Timer::Subscription(key));
            }
        }
    }

    /// Sets the end of subscriptions whose range the track has passed.
    pub(crate) fn check_ranges(&mut self, track: TrackKey, now: Instant) {
        let track = &mut self.tracks[track.0];
        track.next_end = None;
        for &key in &track.subscriptions {
            let subscription = &mut self.subscriptions[key.0];
            let end = subscription.window.end;
            if subscription.state != SubscriptionState::Established
                || subscription.deadline.is_some()
                || !subscription.window.is_bounded()
            {
                continue;
            }
            if track.largest.is_some_and(|largest| end < largest) {
                let at = now + self.config.drain;
                subscription.deadline = Some(at);
                self.timers.insert((at, Timer::Subscription(key)));
            } else {
                track.next_end = Some(track.next_end.map_or(end, |next| next.min(end)));
            }
        }
    }

    pub(crate) fn has_subscription(&self, peer: PeerId, track: TrackKey) -> bool {
        let subscriptions = &self.tracks[track.0].subscriptions;
        subscriptions
            .iter()
            .any(|key| self.subscriptions[key.0].receiver.peer == peer)
    }

    fn rendezvous(&self, parameters: &Parameters) -> Duration {
        let asked = Duration::from_millis(parameters.rendezvous_timeout.unwrap_or(0));
        asked.min(self.config.max_rendezvous)
    }
}

/// Whether nothing that the subscription asks for can come any more.
fn is_past(subscription: &Subscription, track: &Track) -> bool {
    let window = subscription.window;
    let last_group_is_over = track.largest.is_some_and(|l| window.end.group < l.group);
    let is_cached = || {
        track
            .groups
            .range(window.start.group..=window.end.group)
            .any(|(_, group)| !group.subgroups.is_empty())
    };
    window.is_empty() || (last_group_is_over && !is_cached())
}
