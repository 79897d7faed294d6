//! REQUEST_UPDATE of peers.

use std::time::Instant;

use parvis_wire::{
    Location, Parameters, RangeFilters, RequestErrorCode, RequestId, TrackNamespace,
};

use crate::{
    Forwarder, Receiver, Signal,
    forwarder::{remove_prefix, request_error},
    keys::SubscriptionKey,
    peer::Request,
    subscribing::CANCELLED,
    subscription::SubscriptionState,
    window::{Window, next_object},
};

impl Forwarder {
    pub(crate) fn update(
        &mut self,
        from: Receiver,
        request: Request,
        parameters: &Parameters,
        id: Option<RequestId>,
        now: Instant,
    ) {
        match request {
            Request::Subscription(key) => self.update_subscription(key, parameters, id, now),
            Request::NamespacePrefix(prefix) => {
                self.say(from, Signal::UpdateOk(Parameters::default()));
                if let Some(new) = parameters.namespace_prefix.clone() {
                    self.move_namespace_prefix(from, &prefix, new);
                }
            }
            Request::TrackPrefix(prefix, before) => {
                let merged = merged_filters(&before, parameters);
                if let Err((code, reason)) = self.range_filters(None, &merged) {
                    self.say(from, Signal::UpdateReject(request_error(code, reason)));
                    self.forget(from);
                    remove_prefix(&mut self.track_prefixes, &prefix, from);
                    self.seek_under(&prefix);
                    return;
                }
                self.say(from, Signal::UpdateOk(Parameters::default()));
                self.update_track_prefix(from, &prefix, parameters, now);
            }
            Request::Published(track) | Request::Upstream(track) => {
                self.say(from, Signal::UpdateOk(Parameters::default()));
                self.learn_largest(track, parameters.largest, now);
            }
            Request::Namespace(_)
            | Request::Announcement(_)
            | Request::Discovery
            | Request::Seeking(_)
            | Request::Fetch(_)
            | Request::Ask(_)
            | Request::Status(_)
            | Request::StatusAsked(_) => {
                self.say(from, Signal::UpdateOk(Parameters::default()));
            }
        }
    }

    fn update_subscription(
        &mut self,
        key: SubscriptionKey,
        parameters: &Parameters,
        id: Option<RequestId>,
        now: Instant,
    ) {
        let subscription = &self.subscriptions[key.0];
        let (track, receiver) = (subscription.track, subscription.receiver);
        let largest = self.tracks[track.0].largest;
        let window = parameters
            .filter
            .map(|filter| Window::resolve(Some(filter), largest));
        let before = &subscription.filters;
        let filters = self.range_filters(Some(before), parameters);
        let refused = if let Err(refusal) = &filters {
            Some(*refusal)
        } else if window.is_some_and(|window| window.is_empty()) {
            Some((RequestErrorCode::InvalidRange, "the range holds nothing"))
        } else {
            None
        };
        if let Some((code, reason)) = refused {
            self.say(receiver, Signal::UpdateReject(request_error(code, reason)));
            self.drop_subscription(key, now);
            return;
        }
        let subscription = &mut self.subscriptions[key.0];
        subscription.priority = parameters
            .subscriber_priority
            .unwrap_or(subscription.priority);
        subscription.filter = parameters.filter.or(subscription.filter);
        self.say(
            receiver,
            Signal::UpdateOk(Parameters {
                largest,
                ..Parameters::default()
            }),
        );
        if let Some(window) = window {
            match self.subscriptions[key.0].state {
                SubscriptionState::Established => {
                    self.change_window(key, window);
                    self.check_ranges(track, now);
                }
                SubscriptionState::Offered => self.subscriptions[key.0].resolve(largest),
                // Resolved when it is accepted.
                SubscriptionState::Waiting => {}
            }
        }
        if let Ok(filters) = filters {
            self.change_filters(key, filters);
        }
        if let Some(forward) = parameters.forward {
            self.set_forward(key, forward);
        }
        if let Some(value) = parameters.new_group_request {
            self.request_group(track, value);
        }
        let is_established = self.subscriptions[key.0].state == SubscriptionState::Established;
        if let Some(fill) = parameters.fill.as_deref().filter(|_| is_established) {
            self.open_fill(key, id, fill, now);
        }
        self.settle(track, now);
    }

    /// Changes the range filters: what streams is reset, and begins anew with the next object.
    fn change_filters(&mut self, key: SubscriptionKey, filters: RangeFilters) {
        let subscription = &mut self.subscriptions[key.0];
        if subscription.filters == filters {
            return;
        }
        let flows = subscription.forward && subscription.state == SubscriptionState::Established;
        if flows {
            self.leave(key, CANCELLED);
        }
        let subscription = &mut self.subscriptions[key.0];
        subscription.filters = filters;
        if flows {
            let largest = self.tracks[subscription.track.0].largest;
            subscription.replay_start = largest.map_or(subscription.window.start, next_object);
            self.join(key);
        }
    }

    fn set_forward(&mut self, key: SubscriptionKey, forward: bool) {
        let subscription = &mut self.subscriptions[key.0];
        let before = std::mem::replace(&mut subscription.forward, forward);
        if before == forward || subscription.state != SubscriptionState::Established {
            return;
        }
        let largest = self.tracks[subscription.track.0].largest;
        if !forward {
            subscription.paused_at = largest;
            self.leave(key, CANCELLED);
            return;
        }
        // A subscriber is told the largest object and goes on behind it; a shard's cache wants
        // the whole group for those that join there.
        let is_shard = self.is_shard(self.subscriptions[key.0].receiver.peer);
        let subscription = &mut self.subscriptions[key.0];
        subscription.joined_at = largest;
        subscription.replay_start = match largest {
            Some(largest) if is_shard => Location::new(largest.group.0, 0),
            Some(largest) => next_object(largest),
            None => subscription.window.start,
        };
        self.join(key);
    }

    fn move_namespace_prefix(&mut self, from: Receiver, old: &TrackNamespace, new: TrackNamespace) {
        remove_prefix(&mut self.namespace_prefixes, old, from);
        self.namespace_prefixes
            .entry(new.clone())
            .or_default()
            .push(from);
        self.tell_namespaces(from, &new);
        self.replace_request(from, Request::NamespacePrefix(new));
    }

    /// Changes the subscriptions to come.
    fn update_track_prefix(
        &mut self,
        from: Receiver,
        old: &TrackNamespace,
        update: &Parameters,
        now: Instant,
    ) {
        let Some(Request::TrackPrefix(_, parameters)) = self.request(from) else {
            return;
        };
        let before = Parameters::clone(parameters);
        let parameters = Parameters {
            forward: update.forward.or(before.forward),
            subscriber_priority: update.subscriber_priority.or(before.subscriber_priority),
            filter: update.filter.or(before.filter),
            range_filters: merged_filters(&before, update).range_filters,
            group_order: update.group_order.or(before.group_order),
            object_delivery_timeout: update
                .object_delivery_timeout
                .or(before.object_delivery_timeout),
            subgroup_delivery_timeout: update
                .subgroup_delivery_timeout
                .or(before.subgroup_delivery_timeout),
            ..before
        };
        let prefix = update
            .namespace_prefix
            .clone()
            .unwrap_or_else(|| old.clone());
        self.replace_request(
            from,
            Request::TrackPrefix(prefix.clone(), Box::new(parameters)),
        );
        if prefix != *old {
            remove_prefix(&mut self.track_prefixes, old, from);
            self.track_prefixes
                .entry(prefix.clone())
                .or_default()
                .push(from);
            self.offer_all(from, &prefix, now);
            self.seek_under(old);
            self.seek_under(&prefix);
        }
    }

    fn replace_request(&mut self, at: Receiver, request: Request) {
        if let Some(kept) = self
            .peers
            .get_mut(&at.peer)
            .and_then(|p| p.request_mut(at.request))
        {
            *kept = request;
        }
    }
}

/// The range filters of a request after an update: each type that it names is replaced.
fn merged_filters(before: &Parameters, update: &Parameters) -> Parameters {
    let named = |kind: u64| update.range_filters.iter().any(|(other, _)| *other == kind);
    let kept = before
        .range_filters
        .iter()
        .filter(|(kind, _)| !named(*kind));
    let mut range_filters: Vec<_> = kept.chain(&update.range_filters).cloned().collect();
    range_filters.sort_by_key(|(kind, _)| *kind);
    Parameters {
        range_filters,
        ..Parameters::default()
    }
}
