//! Where a track's objects come from: the one upstream subscription of each track.

use std::time::Instant;

use parvis_wire::{
    FullTrackName, Parameters, Properties, PublishDoneCode, RequestError, RequestErrorCode,
    ResetCode,
};

use crate::{
    Forwarder, Receiver, Signal, SubgroupEnd,
    forwarder::request_error,
    keys::{SubscriptionKey, Timer, TrackKey},
    subscription::SubscriptionState,
    track::{Ending, Source, Upstream},
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

impl Forwarder {
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
                    orphaned: false,
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
            if self.losing_relay {
                self.orphan(key, &error, now);
                return;
            }
            self.finish_all(key, PublishDoneCode::TrackEnded, "the publisher left");
            self.clear_objects(key);
            self.reject_waiting(key, &error);
            self.reject_relative_fetches(key, &error);
        }
        self.settle(key, now);
    }

    /// The relay that a track came from is gone. Who has the track keeps it for a while.
    fn orphan(&mut self, key: TrackKey, error: &RequestError, now: Instant) {
        self.reject_waiting(key, error);
        self.reject_relative_fetches(key, error);
        let deadline = now + self.config.relay_grace;
        self.tracks[key.0].ending = Some(Ending {
            deadline,
            code: PublishDoneCode::TrackEnded,
            reason: "the publisher left".to_owned(),
            orphaned: true,
        });
        self.schedule(deadline, Timer::Track(key));
    }

    /// Ends a track whose publisher is done, if it has not ended yet.
    pub(crate) fn finish_ending(&mut self, name: &FullTrackName, now: Instant) {
        if let Some(&key) = self.names.get(name)
            && !self.tracks[key.0].is_orphaned()
        {
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

    /// Ends every subscription that is established or offered.
    pub(crate) fn finish_all(&mut self, key: TrackKey, code: PublishDoneCode, reason: &str) {
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
    pub(crate) fn reject_waiting(&mut self, key: TrackKey, error: &RequestError) {
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
