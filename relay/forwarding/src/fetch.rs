//! FETCH: objects of the past, out of the cache.

use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{
    FetchObject, FetchOk, FetchRange, FullTrackName, GroupId, GroupOrder, Location, ObjectId,
    ObjectStatus, Parameters, Priority, Properties, RequestErrorCode,
};

use crate::{
    Forwarder, Output, Receiver, RequestRef, Signal, SubgroupEnd,
    keys::{SubgroupKey, TrackKey},
    peer::{Quota, Request},
    subgroup::{Piece, Subgroup},
    subscription::SubscriptionState,
    track::Group,
    window::Window,
};

/// A FETCH that waits for its answer.
#[derive(Debug)]
pub(crate) struct Fetch {
    receiver: Receiver,
    want: Want,
    order: GroupOrder,
    include_properties: bool,
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

    fn serve(&mut self, key: TrackKey, fetch: &Fetch, window: Window) {
        let track = &self.tracks[key.0];
        let properties = if fetch.include_properties {
            track.properties.clone()
        } else {
            Properties::EMPTY
        };
        let answer = FetchOk {
            end_of_track: false,
            end: window.end,
            parameters: Parameters::default(),
            track_properties: properties,
        };
        self.say(fetch.receiver, Signal::FetchOk(answer));
        let entries = self.collect(key, fetch.order, window);
        let Receiver { peer, request } = fetch.receiver;
        for (object, payload) in entries {
            if let FetchObject::Object { .. } = object {
                self.stats.objects_out += 1;
                self.stats.bytes_out += payload.len() as u64;
            }
            let object = Box::new(object);
            self.outputs.push_back(Output::FetchObject {
                peer,
                request,
                object,
                payload,
            });
        }
        self.outputs.push_back(Output::FetchEnd { peer, request });
        self.forget(fetch.receiver);
    }

    /// The entries of an answer: the cached objects of a range, and what is not known of it.
    fn collect(
        &self,
        key: TrackKey,
        order: GroupOrder,
        window: Window,
    ) -> Vec<(FetchObject, Bytes)> {
        let track = &self.tracks[key.0];
        let range = track.groups.range(window.start.group..=window.end.group);
        let cached: Vec<(GroupId, &Group)> = range
            .filter(|(_, g)| g.cached.is_some())
            .map(|(id, group)| (*id, group))
            .collect();
        let mut entries = Vec::new();
        let unknown = |to| (FetchObject::EndOfUnknownRange(to), Bytes::new());
        let Some(oldest) = cached.first().map(|(id, _)| *id) else {
            let to = match order {
                GroupOrder::Ascending => window.end,
                GroupOrder::Descending => Location {
                    group: window.start.group,
                    ..window.end
                },
            };
            return vec![unknown(to)];
        };
        let has_lost_groups = window.start.group < oldest;
        if has_lost_groups && order == GroupOrder::Ascending {
            entries.push(unknown(Location::new(oldest.0 - 1, u64::MAX)));
        }
        let mut collect = |group: &(GroupId, &Group)| {
            self.collect_group(key, *group, window, &mut entries);
        };
        match order {
            GroupOrder::Ascending => cached.iter().for_each(&mut collect),
            GroupOrder::Descending => cached.iter().rev().for_each(&mut collect),
        }
        if has_lost_groups && order == GroupOrder::Descending {
            entries.push(unknown(window.start));
        }
        entries
    }

    /// The objects of a group inside a window, in order of id whatever their subgroup.
    fn collect_group(
        &self,
        track: TrackKey,
        (id, group): (GroupId, &Group),
        window: Window,
        entries: &mut Vec<(FetchObject, Bytes)>,
    ) {
        let is_whole = group.subgroups.iter().all(|key| {
            let subgroup = &self.subgroups[key.0];
            subgroup.header.first_object && subgroup.end == Some(SubgroupEnd::Finished)
        });
        let priority = self.tracks[track.0].default_priority();
        let mut objects: Vec<(ObjectId, SubgroupKey, usize)> = Vec::new();
        for key in &group.subgroups {
            let subgroup = &self.subgroups[key.0];
            for (index, piece) in subgroup.pieces.iter().enumerate() {
                if let Piece::Object { header, .. } = piece
                    && window.contains(subgroup.location(header.id))
                {
                    objects.push((header.id, *key, index));
                }
            }
        }
        objects.sort_unstable_by_key(|(object, ..)| *object);
        let unknown = |object| {
            let to = Location {
                group: id,
                object: ObjectId(object),
            };
            (FetchObject::EndOfUnknownRange(to), Bytes::new())
        };
        let mut next = if id == window.start.group {
            window.start.object.0
        } else {
            0
        };
        for (object, key, index) in objects {
            let Some(entry) = entry(&self.subgroups[key.0], index, priority) else {
                continue;
            };
            if object.0 > next && !is_whole {
                entries.push(unknown(object.0 - 1));
            }
            next = object.0.saturating_add(1);
            entries.push(entry);
        }
        let last = if id == window.end.group {
            window.end.object.0
        } else {
            u64::MAX
        };
        if next <= last && !is_whole {
            entries.push(unknown(last));
        }
    }
}

/// The object that begins with this piece; `None` if it is no content or not whole.
///
/// priority: what the track's subgroups have that name none.
fn entry(subgroup: &Subgroup, index: usize, priority: Priority) -> Option<(FetchObject, Bytes)> {
    let Piece::Object {
        header,
        raw,
        header_len,
    } = subgroup.pieces.get(index)?
    else {
        return None;
    };
    let first = raw.slice(*header_len..);
    let rest: Vec<&Bytes> = subgroup.pieces[index + 1..]
        .iter()
        .map_while(|piece| match piece {
            Piece::Data(data) => Some(data),
            Piece::Object { .. } => None,
        })
        .collect();
    let payload = if rest.is_empty() {
        first
    } else {
        std::iter::once(&first)
            .chain(rest)
            .flatten()
            .copied()
            .collect()
    };
    if header.status != ObjectStatus::Normal || payload.len() as u64 != header.payload_len {
        return None;
    }
    let object = FetchObject::Object {
        location: subgroup.location(header.id),
        subgroup: Some(subgroup.id()),
        priority: subgroup.header.priority.unwrap_or(priority),
        properties: subgroup
            .header
            .has_properties
            .then(|| header.properties.clone()),
        payload_len: header.payload_len,
    };
    Some((object, payload))
}
