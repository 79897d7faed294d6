//! FETCH: who asks for which objects of the past.

use std::time::{Duration, Instant};

use parvis_wire::{
    FetchObject, FetchRange, FilteredObject, FullTrackName, GroupId, GroupOrder, Location,
    LocationFilter, ObjectId, Parameters, Priority, Properties, RangeFilters, RequestError,
    RequestErrorCode, ResetCode,
};

use crate::{
    Forwarder, Receiver, RequestRef, Signal, SubgroupEnd,
    forwarder::request_error,
    keys::{AskKey, FetchKey, SubscriptionKey, TrackKey},
    peer::{Quota, Request},
    progress::Progress,
    stopping::STOPPED,
    subscription::SubscriptionState,
    track::Source,
    window::Window,
};

/// A FETCH that is not answered to its end, or a fill of a subscription.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) track: TrackKey,
    pub(crate) receiver: Receiver,
    /// The subscription that it fills; `None`: it is a FETCH.
    pub(crate) fills: Option<SubscriptionKey>,
    want: Want,
    filters: RangeFilters,
    pub(crate) order: GroupOrder,
    pub(crate) priority: Option<Priority>,
    pub(crate) include_properties: bool,
    /// How long it waits for publishers in all, if the requester said so.
    pub(crate) patience: Option<Duration>,
    /// `None`: it waits for its range to be known.
    pub(crate) run: Option<Run>,
}

/// The state of an answer.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) progress: Progress,
    /// Whether the end of the window is the end of the answer; else a publisher tells.
    pub(crate) knows_end: bool,
    /// Whether `FETCH_OK` was said.
    pub(crate) answered: bool,
    /// Whether entries were written.
    pub(crate) started: bool,
    pub(crate) end_of_track: bool,
    /// `None`: it goes on in the next turn.
    pub(crate) asked: Option<Asked>,
    /// Publishers are not asked any more.
    pub(crate) gave_up: Option<GaveUp>,
    /// When the requester's patience ends.
    pub(crate) until: Option<Instant>,
    /// When something came last.
    pub(crate) touched: Instant,
}

/// The part of an answer that a publisher was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) ask: AskKey,
    /// The last location of that part.
    pub(crate) last: Location,
    /// Whether an object was written in part.
    pub(crate) inside: bool,
}

/// Why publishers are not asked any more.
#[derive(Debug, Clone)]
pub(crate) enum GaveUp {
    TimedOut,
    /// They failed; with what the last one said.
    Failed(Option<RequestError>),
}

/// Which objects a FETCH asks for.
#[derive(Debug, Clone, Copy)]
enum Want {
    /// A range, ended by the largest object at the latest.
    Range(Window),
    /// What a filter names.
    Filter(Option<LocationFilter>),
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
    /// The publisher knows where the track ends.
    Ask(Window),
    /// The publisher must say where the track ends first.
    Establish,
    Wait,
    Reject(RequestErrorCode, &'static str),
}

type Refusal = (RequestErrorCode, &'static str);

const NOBODY: Refusal = (RequestErrorCode::DoesNotExist, "nobody publishes the track");
const EMPTY: Refusal = (RequestErrorCode::InvalidRange, "the range holds nothing");

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
        let filters = match self.range_filters(None, parameters) {
            Ok(filters) => filters,
            Err((code, reason)) => {
                self.reject(from, code, reason);
                return;
            }
        };
        let (track, want) = match self.what_is_wanted(from, range, parameters, joining) {
            Ok(found) => found,
            Err((code, reason)) => {
                self.reject(from, code, reason);
                return;
            }
        };
        let fetch = Fetch::new(track, from, want, parameters, filters);
        let key = FetchKey(self.fetches.insert(fetch));
        self.remember(from, Request::Fetch(key));
        let track_state = &mut self.tracks[track.0];
        track_state.fetches.push(key);
        track_state.linger = None;
        self.answer_fetches(track, now);
        self.settle(track, now);
    }

    /// Answers the FETCHes of a track that need not wait any more.
    pub(crate) fn answer_fetches(&mut self, track: TrackKey, now: Instant) {
        for key in self.tracks[track.0].fetches.clone() {
            // What one answer sets off may have ended or started another one.
            let fetch = self.fetches.get(key.0);
            if fetch.is_none_or(|fetch| fetch.track != track || fetch.run.is_some()) {
                continue;
            }
            match self.judge(key) {
                Verdict::Wait => {}
                Verdict::Reject(code, reason) => {
                    self.refuse_fetch(key, request_error(code, reason));
                }
                Verdict::Establish => {
                    if !self.find_and_ask(track, now) {
                        self.refuse_fetch(key, request_error(NOBODY.0, NOBODY.1));
                    }
                }
                Verdict::Serve(window) => self.start_fetch(key, window, true, now),
                Verdict::Ask(window) => self.start_fetch(key, window, false, now),
            }
        }
    }

    /// The peer cancelled its FETCH, or a fill.
    pub(crate) fn cancel_fetch(&mut self, key: FetchKey, now: Instant) {
        let track = self.fetches[key.0].track;
        self.remove_fetch(key);
        self.settle(track, now);
    }

    /// Rejects a FETCH of which nothing was said; resets a fill.
    pub(crate) fn refuse_fetch(&mut self, key: FetchKey, error: RequestError) {
        let Fetch {
            receiver, fills, ..
        } = self.fetches[key.0];
        if fills.is_some() {
            self.write_fetch_end(receiver, SubgroupEnd::Reset(ResetCode::UnknownObjectStatus));
        } else {
            self.say(receiver, Signal::Reject(error));
        }
        self.remove_fetch(key);
    }

    /// Ends every FETCH of a track.
    pub(crate) fn stop_fetches(&mut self, track: TrackKey, error: &RequestError) {
        let state = &self.tracks[track.0];
        let all: Vec<FetchKey> = state
            .fetches
            .iter()
            .chain(&state.running)
            .copied()
            .collect();
        for key in all {
            let Fetch { receiver, run, .. } = &self.fetches[key.0];
            if run.as_ref().is_some_and(|run| run.answered || run.started) {
                let receiver = *receiver;
                self.write_fetch_end(receiver, SubgroupEnd::Reset(ResetCode::Cancelled));
                self.remove_fetch(key);
            } else {
                self.refuse_fetch(key, error.clone());
            }
        }
    }

    /// Forgets a FETCH.
    pub(crate) fn remove_fetch(&mut self, key: FetchKey) {
        self.leave_ask(key);
        let fetch = self.fetches.remove(key.0);
        let track = &mut self.tracks[fetch.track.0];
        track.fetches.retain(|other| *other != key);
        track.running.retain(|other| *other != key);
        self.forget(fetch.receiver);
    }

    /// Rejects the FETCHes that need to know where the track ends: the source is no more.
    pub(crate) fn reject_relative_fetches(&mut self, track: TrackKey, error: &RequestError) {
        for key in self.tracks[track.0].fetches.clone() {
            let want = self.fetches[key.0].want;
            if matches!(want, Want::Filter(Some(LocationFilter::RelativeStart(_)))) {
                self.refuse_fetch(key, error.clone());
            }
        }
    }

    fn what_is_wanted(
        &mut self,
        from: Receiver,
        range: FetchRange,
        parameters: &Parameters,
        joining: Option<RequestRef>,
    ) -> Result<(TrackKey, Want), Refusal> {
        Ok(match range {
            FetchRange::Standalone {
                track,
                start,
                end: (group, object),
            } => {
                let object = object.unwrap_or(ObjectId(u64::MAX));
                let end = Location { group, object };
                let window = Window { start, end };
                (self.fetched_track(from, track)?, Want::Range(window))
            }
            FetchRange::Filtered { track } => {
                let key = self.fetched_track(from, track)?;
                (key, Want::Filter(parameters.filter))
            }
            FetchRange::RelativeJoining { groups, .. } => {
                let (key, subscription) = self.joined_track(from, joining)?;
                let want = Want::RelativeJoin {
                    subscription,
                    groups,
                };
                (key, want)
            }
            FetchRange::AbsoluteJoining { group, .. } => {
                let (key, subscription) = self.joined_track(from, joining)?;
                let want = Want::AbsoluteJoin {
                    subscription,
                    group,
                };
                (key, want)
            }
        })
    }

    fn fetched_track(&mut self, from: Receiver, name: FullTrackName) -> Result<TrackKey, Refusal> {
        if self.is_stopped(&name) {
            return Err((RequestErrorCode::Unauthorized, STOPPED));
        }
        let for_shard = self.is_shard(from.peer);
        match self.names.get(&name) {
            Some(&key) if for_shard && !self.may_serve_shards(key) => Err(NOBODY),
            Some(&key) => Ok(key),
            None if self.find_source(&name, for_shard, &[]).is_some() => Ok(self.add_track(name)),
            None => Err(NOBODY),
        }
    }

    fn joined_track(
        &self,
        from: Receiver,
        joining: Option<RequestRef>,
    ) -> Result<(TrackKey, RequestRef), Refusal> {
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

    fn judge(&self, key: FetchKey) -> Verdict {
        let fetch = &self.fetches[key.0];
        let track = &self.tracks[fetch.track.0];
        let is_established = track.established().is_some() || track.largest.is_some();
        let window = match fetch.want {
            _ if !is_established && matches!(track.source, Source::Pending(_)) => {
                return Verdict::Wait;
            }
            Want::Range(window) => window,
            Want::Filter(filter) if is_established => Window::resolve(filter, track.largest),
            Want::Filter(Some(LocationFilter::RelativeStart(_))) => return Verdict::Establish,
            Want::Filter(Some(LocationFilter::NextObject | LocationFilter::NextGroup)) => {
                return Verdict::Reject(EMPTY.0, EMPTY.1);
            }
            Want::Filter(filter) => Window::resolve(filter, None),
            Want::RelativeJoin { subscription, .. } | Want::AbsoluteJoin { subscription, .. } => {
                match self.joined_window(fetch, subscription) {
                    Ok(window) => window,
                    Err(verdict) => return verdict,
                }
            }
        };
        if window.is_empty() {
            return Verdict::Reject(EMPTY.0, EMPTY.1);
        }
        if !is_established {
            return Verdict::Ask(window);
        }
        let Some(largest) = track.largest.filter(|largest| window.start <= *largest) else {
            return Verdict::Reject(EMPTY.0, EMPTY.1);
        };
        let window = Window {
            start: window.start,
            end: window.end.min(largest),
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

    /// The range of a joining fetch.
    fn joined_window(&self, fetch: &Fetch, subscription: RequestRef) -> Result<Window, Verdict> {
        let at = Receiver {
            request: subscription,
            ..fetch.receiver
        };
        let Some(Request::Subscription(joined)) = self.request(at) else {
            let code = RequestErrorCode::InvalidJoiningRequestId;
            return Err(Verdict::Reject(code, "the subscription is over"));
        };
        let joined = &self.subscriptions[joined.0];
        if joined.state == SubscriptionState::Waiting {
            return Err(Verdict::Wait);
        }
        let Some(end) = joined.joined_at.filter(|_| joined.forward) else {
            let code = RequestErrorCode::InvalidRange;
            return Err(Verdict::Reject(code, "the subscription joined nothing"));
        };
        let group = match fetch.want {
            Want::RelativeJoin { groups, .. } => end.group.0.saturating_sub(groups),
            Want::AbsoluteJoin { group, .. } => group.0,
            Want::Range(_) | Want::Filter(_) => 0,
        };
        Ok(Window {
            start: Location::new(group, 0),
            end,
        })
    }
}

impl Fetch {
    /// The fill of a subscription: a range that ends with the largest object at the latest.
    pub(crate) fn fill(
        track: TrackKey,
        receiver: Receiver,
        subscription: SubscriptionKey,
        window: Window,
        parameters: &Parameters,
        filters: RangeFilters,
    ) -> Self {
        Self {
            fills: Some(subscription),
            ..Self::new(track, receiver, Want::Range(window), parameters, filters)
        }
    }

    /// Whether an entry is to be written.
    pub(crate) fn passes(&self, entry: &FetchObject) -> bool {
        match entry {
            _ if self.filters.is_empty() => true,
            FetchObject::Object {
                location,
                subgroup,
                priority,
                properties,
                ..
            } => self.filters.pass(&FilteredObject {
                subgroup: *subgroup,
                id: location.object,
                priority: *priority,
                properties: properties.as_ref().unwrap_or(&Properties::EMPTY),
            }),
            _ => true,
        }
    }

    fn new(
        track: TrackKey,
        receiver: Receiver,
        want: Want,
        parameters: &Parameters,
        filters: RangeFilters,
    ) -> Self {
        Self {
            filters,
            track,
            receiver,
            fills: None,
            want,
            order: parameters.group_order.unwrap_or_default(),
            priority: parameters.subscriber_priority,
            include_properties: parameters.include_properties.unwrap_or(true),
            patience: parameters.fill_timeout.map(Duration::from_millis),
            run: None,
        }
    }
}
