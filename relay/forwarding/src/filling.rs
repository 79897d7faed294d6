//! Fills: objects of the past on a stream beside a subscription.

use std::time::Instant;

use parvis_wire::{Parameters, RequestId, ResetCode};

use crate::{
    Forwarder, Signal, SubgroupEnd,
    fetch::Fetch,
    keys::{FetchKey, SubscriptionKey},
    peer::{Quota, Request},
    window::Window,
};

impl Forwarder {
    /// Opens a fill of a subscription that is established, unless there is nothing to fill.
    ///
    /// draft-ietf-moq-transport-22, "Fill Semantics".
    pub(crate) fn open_fill(
        &mut self,
        key: SubscriptionKey,
        update: Option<RequestId>,
        asked: &Parameters,
        now: Instant,
    ) {
        let subscription = &self.subscriptions[key.0];
        let (track, receiver) = (subscription.track, subscription.receiver);
        let largest = self.tracks[track.0]
            .largest
            .filter(|_| subscription.forward);
        let Some(largest) = largest else {
            return;
        };
        let filter = asked.filter.or(subscription.filter);
        let wanted = Window::resolve(filter, Some(largest));
        let window = Window {
            start: wanted.start,
            end: wanted.end.min(largest),
        };
        if window.is_empty() {
            return;
        }
        let parameters = Parameters {
            group_order: asked.group_order.or(subscription.group_order),
            subscriber_priority: asked.subscriber_priority.or(Some(subscription.priority)),
            ..asked.clone()
        };
        let filters = if asked.range_filters.is_empty() {
            Ok(subscription.filters.clone())
        } else {
            self.range_filters(None, asked)
        };
        let is_too_many = self.over_quota(receiver.peer, Quota::Subscriptions);
        let fetch = FetchKey(self.fetches.vacant_key());
        let at = self.open_request(receiver.peer, Request::Fetch(fetch));
        let (is_valid, filters) = (filters.is_ok(), filters.unwrap_or_default());
        let new = Fetch::fill(track, at, key, window, &parameters, filters);
        self.fetches.insert(new);
        self.say(
            at,
            Signal::Fill {
                subscription: receiver.request,
                update,
                parameters: Parameters {
                    group_order: parameters.group_order,
                    subscriber_priority: parameters.subscriber_priority,
                    ..Parameters::default()
                },
            },
        );
        let refused = match (is_too_many, is_valid) {
            (true, _) => Some(ResetCode::ExcessiveLoad),
            (false, false) => Some(ResetCode::InternalError),
            (false, true) => None,
        };
        if let Some(code) = refused {
            self.write_fetch_end(at, SubgroupEnd::Reset(code));
            self.remove_fetch(fetch);
            return;
        }
        self.tracks[track.0].fetches.push(fetch);
        self.answer_fetches(track, now);
    }

    /// Ends the fills of a subscription that is over.
    pub(crate) fn end_fills(&mut self, key: SubscriptionKey) {
        let track = &self.tracks[self.subscriptions[key.0].track.0];
        let fetches = track.fetches.iter().chain(&track.running).copied();
        let fills: Vec<FetchKey> = fetches
            .filter(|fetch| self.fetches[fetch.0].fills == Some(key))
            .collect();
        for fill in fills {
            let receiver = self.fetches[fill.0].receiver;
            self.write_fetch_end(receiver, SubgroupEnd::Reset(ResetCode::Cancelled));
            self.remove_fetch(fill);
        }
    }
}
