//! FETCH: objects of the past, out of the cache.

use std::time::Instant;

use parvis_wire::{
    FetchRange, FullTrackName, GroupId, GroupOrder, Location, ObjectId, Parameters,
    RequestErrorCode,
};

use crate::{
    Forwarder, Receiver, RequestRef,
    keys::TrackKey,
    peer::{Quota, Request},
    subscription::SubscriptionState,
    window::Window,
};

/// A FETCH that waits for its answer.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) receiver: Receiver,
    want: Want,
    pub(crate) order: GroupOrder,
    pub(crate) include_properties: bool,
}

/// Which objects a FETCH asks for.
#[derive(Debug, Clone, Copy)]
enum Want {
    /// A range, ended by the largest object at the latest.
    Range(Window),
    /// From the group that lies this many groups before the subscription's start.
    RelativeJoin {
        subscription: RequestRef,
        groups: u64,
    },
    /// From this group to the subscription's start.
    AbsoluteJoin {
        subscription: RequestRef,
        group: GroupId,
    },
}

/// What becomes of a FETCH now.
enum Verdict {
    Serve(Window),
    Wait,
    Reject(RequestErrorCode, &'static str),
}

impl Forwarder {
    pub(crate) fn fetch(
        &mut self,
        from: Receiver,
        range: FetchRange,
        parameters: &Parameters,
        joining: Option<RequestRef>,
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
        if !parameters.range_filters.is_empty() {
            self.reject(
                from,
                RequestErrorCode::InvalidFilter,
                "range filters are not supported",
            );
            return;
        }
        let found = match range {
            FetchRange::Standalone {
                track,
                start,
                end: (group, object),
            } => {
                let end = Location {
                    group,
                    object: object.unwrap_or(ObjectId(u64::MAX)),
                };
                self.fetched_track(&track)
                    .map(|key| (key, Want::Range(Window { start, end })))
            }
            FetchRange::Filtered { track } => self.fetched_track(&track).map(|key| {
                let largest = self.tracks[key.0].largest;
                (
                    key,
                    Want::Range(Window::resolve(parameters.filter, largest)),
                )
            }),
            FetchRange::RelativeJoining { groups, .. } => {
                self.joined_track(from, joining).map(|(key, subscription)| {
                    (
                        key,
                        Want::RelativeJoin {
                            subscription,
                            groups,
                        },
                    )
                })
            }
            FetchRange::AbsoluteJoining { group, .. } => {
                self.joined_track(from, joining).map(|(key, subscription)| {
                    (
                        key,
                        Want::AbsoluteJoin {
                            subscription,
                            group,
                        },
                    )
                })
            }
        };
        let (key, want) = match found {
            Ok(found) => found,
            Err((code, reason)) => {
                self.reject(from, code, reason);
                return;
            }
        };
        self.remember(from, Request::Fetch(key));
        let order = parameters.group_order.unwrap_or_default();
        let include_properties = parameters.include_properties.unwrap_or(true);
        let fetch = Fetch {
            receiver: from,
            want,
            order,
            include_properties,
        };
        self.tracks[key.0].fetches.push(fetch);
        self.answer_fetches(key);
        self.settle(key, now);
    }

    /// Answers the FETCHes of a track that need not wait any more.
    pub(crate) fn answer_fetches(&mut self, key: TrackKey) {
        for fetch in std::mem::take(&mut self.tracks[key.0].fetches) {
            match self.judge(key, &fetch) {
                Verdict::Wait => self.tracks[key.0].fetches.push(fetch),
                Verdict::Reject(code, reason) => {
                    self.reject(fetch.receiver, code, reason);
                    self.forget(fetch.receiver);
                }
                Verdict::Serve(window) => self.serve(key, &fetch, window),
            }
        }
    }

    pub(crate) fn cancel_fetch(&mut self, key: TrackKey, from: Receiver, now: Instant) {
        self.forget(from);
        self.tracks[key.0]
            .fetches
            .retain(|fetch| fetch.receiver != from);
        self.settle(key, now);
    }

    /// Rejects every FETCH that waits: the track is over.
    pub(crate) fn reject_fetches(&mut self, key: TrackKey) {
        for fetch in std::mem::take(&mut self.tracks[key.0].fetches) {
            self.reject(
                fetch.receiver,
                RequestErrorCode::DoesNotExist,
                "the track is over",
            );
            self.forget(fetch.receiver);
        }
    }

    fn fetched_track(
        &self,
        name: &FullTrackName,
    ) -> Result<TrackKey, (RequestErrorCode, &'static str)> {
        match self.names.get(name) {
            Some(&key) if self.tracks[key.0].largest.is_some() => Ok(key),
            Some(_) => Err((RequestErrorCode::InvalidRange, "the track has no objects")),
            None if self.find_source(name, false, &[]).is_some() => {
                let reason = "only tracks with subscribers can be fetched";
                Err((RequestErrorCode::NotSupported, reason))
            }
            None => Err((RequestErrorCode::DoesNotExist, "nobody publishes the track")),
        }
    }

    fn joined_track(
        &self,
        from: Receiver,
        joining: Option<RequestRef>,
    ) -> Result<(TrackKey, RequestRef), (RequestErrorCode, &'static str)> {
        joining
            .and_then(|request| {
                let at = Receiver { request, ..from };
                match self.request(at)? {
                    Request::Subscription(key) => Some((self.subscriptions[key.0].track, request)),
                    _ => None,
                }
            })
            .ok_or((
                RequestErrorCode::InvalidJoiningRequestId,
                "no such subscription",
            ))
    }

    fn judge(&self, key: TrackKey, fetch: &Fetch) -> Verdict {
        let track = &self.tracks[key.0];
        let (start, end) = match fetch.want {
            Want::Range(window) => (window.start, window.end),
            Want::RelativeJoin { subscription, .. } | Want::AbsoluteJoin { subscription, .. } => {
                let at = Receiver {
                    request: subscription,
                    ..fetch.receiver
                };
                let Some(Request::Subscription(joined)) = self.request(at) else {
                    let code = RequestErrorCode::InvalidJoiningRequestId;
                    return Verdict::Reject(code, "the subscription is over");
                };
                let joined = &self.subscriptions[joined.0];
                if joined.state == SubscriptionState::Waiting {
                    return Verdict::Wait;
                }
                let Some(end) = joined.joined_at.filter(|_| joined.forward) else {
                    let code = RequestErrorCode::InvalidRange;
                    return Verdict::Reject(code, "the subscription joined nothing");
                };
                let group = match fetch.want {
                    Want::RelativeJoin { groups, .. } => end.group.0.saturating_sub(groups),
                    Want::AbsoluteJoin { group, .. } => group.0,
                    Want::Range(_) => 0,
                };
                (Location::new(group, 0), end)
            }
        };
        let Some(largest) = track
            .largest
            .filter(|largest| start <= *largest && start <= end)
        else {
            return Verdict::Reject(RequestErrorCode::InvalidRange, "the range holds nothing");
        };
        let window = Window {
            start,
            end: end.min(largest),
        };
        // An object on its way is waited for.
        let is_incomplete = track.live.iter().any(|live| {
            let subgroup = &self.subgroups[live.0];
            let last = subgroup.last.map(|last| subgroup.location(last));
            subgroup.cached && subgroup.remaining > 0 && last.is_some_and(|l| window.contains(l))
        });
        if is_incomplete {
            Verdict::Wait
        } else {
            Verdict::Serve(window)
        }
    }
}
