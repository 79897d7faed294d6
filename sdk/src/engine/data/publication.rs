use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use bytes::Bytes;
use parvis_session::{RequestKey, Session, StreamId, SubgroupOptions};
use parvis_wire::{
    GroupId, Location, LocationFilter, ObjectHeader, ObjectId, ObjectStatus, Parameters,
    Properties, Property, PublishDoneCode, SubgroupIdMode,
};

use super::super::link::LinkId;
use crate::DataOptions;

/// A data track that is published here.
#[derive(Debug)]
pub(super) struct DataPublication {
    pub(super) options: DataOptions,
    log: BTreeMap<Location, Bytes>,
    log_bytes: usize,
    largest: Option<Location>,
    feeds: BTreeMap<LinkId, DataFeed>,
}

/// What one connection is still to send, and to whom.
#[derive(Debug, Default)]
struct DataFeed {
    steps: VecDeque<Step>,
    subscribers: BTreeMap<RequestKey, Subscriber>,
}

#[derive(Debug, Clone)]
enum Step {
    Object(Location, Bytes),
    EndGroup(GroupId),
}

#[derive(Debug, Default)]
struct Subscriber {
    paused: bool,
    stream: Option<(GroupId, StreamId)>,
    /// The largest object when it subscribed.
    joined: Option<Location>,
}

/// The track property of a publisher's priority.
const DEFAULT_PUBLISHER_PRIORITY: u64 = 0x0E;

/// Steps that wait for a connection's task, at most; then they are all dropped, and the subscriber
/// sees the gap.
const MAX_STEPS: usize = 2048;

impl DataPublication {
    pub(super) fn new(options: DataOptions) -> Self {
        Self {
            largest: options.largest,
            options,
            log: BTreeMap::new(),
            log_bytes: 0,
            feeds: BTreeMap::new(),
        }
    }

    pub(super) const fn largest(&self) -> Option<Location> {
        self.largest
    }

    /// What SUBSCRIBE_OK and FETCH_OK say of the track.
    pub(super) fn properties(&self) -> Properties {
        let priority = u64::from(self.options.priority.0);
        Properties::encode(vec![Property::integer(
            DEFAULT_PUBLISHER_PRIORITY,
            priority,
        )])
    }

    pub(super) fn resume_after(&mut self, largest: Location) {
        self.largest = Some(self.largest.map_or(largest, |l| l.max(largest)));
    }

    pub(super) fn send(&mut self, location: Location, payload: Bytes) {
        if self.largest.is_some_and(|largest| location <= largest) {
            tracing::debug!(%location, "an object that is not new is not sent");
            return;
        }
        self.largest = Some(location);
        self.step(&Step::Object(location, payload.clone()));
        self.log_bytes += payload.len();
        self.log.insert(location, payload);
        while self.log.len() > self.options.keep_objects.max(1)
            || (self.log_bytes > self.options.keep_bytes && self.log.len() > 1)
        {
            let Some((_, oldest)) = self.log.pop_first() else {
                break;
            };
            self.log_bytes -= oldest.len();
        }
    }

    pub(super) fn end_group(&mut self, group: GroupId) {
        self.step(&Step::EndGroup(group));
    }

    fn step(&mut self, step: &Step) {
        for feed in self.feeds.values_mut() {
            if feed.subscribers.values().all(|s| s.paused) {
                continue;
            }
            if feed.steps.len() >= MAX_STEPS {
                feed.steps.clear();
            }
            feed.steps.push_back(step.clone());
        }
    }

    pub(super) fn subscribe(
        &mut self,
        link: LinkId,
        key: RequestKey,
        parameters: &Parameters,
        session: &mut Session,
        now: Instant,
    ) -> bool {
        // What waits is of the past for the newcomer.
        self.flush(link, session, now);
        let answer = Parameters {
            largest: self.largest,
            ..Parameters::default()
        };
        if session
            .accept_subscribe(key, answer, self.properties(), now)
            .is_err()
        {
            return false;
        }
        let mut subscriber = Subscriber {
            paused: parameters.forward == Some(false),
            stream: None,
            joined: self.largest,
        };
        let from = match parameters.filter {
            Some(LocationFilter::AbsoluteStart(start)) => Some(start),
            Some(LocationFilter::Unfiltered) => Some(Location::new(0, 0)),
            Some(LocationFilter::RelativeStart(groups)) => self
                .largest
                .map(|largest| Location::new((largest.group.0 + 1).saturating_sub(groups), 0)),
            _ => None,
        };
        if let Some(from) = from.filter(|_| !subscriber.paused) {
            for (location, payload) in self.log.range(from..) {
                subscriber.write(key, *location, payload, session, now);
            }
        }
        let feed = self.feeds.entry(link).or_default();
        feed.subscribers.insert(key, subscriber);
        true
    }

    /// The largest object when a subscription was made.
    pub(super) fn joined_at(&self, link: LinkId, key: RequestKey) -> Option<Location> {
        self.feeds.get(&link)?.subscribers.get(&key)?.joined
    }

    pub(super) fn update(&mut self, link: LinkId, key: RequestKey, parameters: &Parameters) {
        let feed = self.feeds.get_mut(&link);
        if let Some(subscriber) = feed.and_then(|feed| feed.subscribers.get_mut(&key))
            && let Some(forward) = parameters.forward
        {
            subscriber.paused = !forward;
            if !forward {
                subscriber.stream = None;
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, link: LinkId, key: RequestKey) {
        if let Some(feed) = self.feeds.get_mut(&link) {
            feed.subscribers.remove(&key);
            if feed.subscribers.is_empty() {
                self.feeds.remove(&link);
            }
        }
    }

    pub(super) fn link_gone(&mut self, link: LinkId) {
        self.feeds.remove(&link);
    }

    /// A stream takes no more data: its subscriber goes on on another one.
    pub(super) fn stream_gone(&mut self, link: LinkId, stream: StreamId) {
        let Some(feed) = self.feeds.get_mut(&link) else {
            return;
        };
        for subscriber in feed.subscribers.values_mut() {
            subscriber.stream = subscriber.stream.filter(|(_, open)| *open != stream);
        }
    }

    pub(super) fn has_steps(&self, except: LinkId) -> bool {
        let mut others = self.feeds.iter().filter(|(link, _)| **link != except);
        others.any(|(_, feed)| !feed.steps.is_empty())
    }

    pub(super) fn flush(&mut self, link: LinkId, session: &mut Session, now: Instant) {
        let Some(feed) = self.feeds.get_mut(&link) else {
            return;
        };
        while let Some(step) = feed.steps.pop_front() {
            for (key, subscriber) in feed.subscribers.iter_mut().filter(|(_, s)| !s.paused) {
                match &step {
                    Step::Object(location, payload) => {
                        subscriber.write(*key, *location, payload, session, now);
                    }
                    Step::EndGroup(group) => subscriber.finish(Some(*group), session, now),
                }
            }
        }
    }

    /// Ends the track for those whom a connection serves.
    pub(super) fn end(&mut self, link: LinkId, session: &mut Session, now: Instant) {
        self.flush(link, session, now);
        let Some(feed) = self.feeds.remove(&link) else {
            return;
        };
        for (key, mut subscriber) in feed.subscribers {
            subscriber.finish(None, session, now);
            // Refused only where the subscription is over already.
            let _ = session.publish_done(key, PublishDoneCode::TrackEnded, "", now);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.feeds.is_empty()
    }

    /// The kept objects in a range; `None`: some that came before are not kept any more.
    pub(super) fn kept(&self, start: Location, end: Location) -> Option<Vec<(Location, Bytes)>> {
        let first = self.log.first_key_value().map(|(first, _)| *first);
        if start > end || first.is_none_or(|first| start < first) {
            return None;
        }
        let range = self.log.range(start..=end);
        Some(range.map(|(l, payload)| (*l, payload.clone())).collect())
    }

    /// All kept objects in a range, whatever is missing.
    pub(super) fn remains(&self, start: Location, end: Location) -> Vec<(Location, Bytes)> {
        if start > end {
            return Vec::new();
        }
        let range = self.log.range(start..=end);
        range.map(|(l, payload)| (*l, payload.clone())).collect()
    }
}

impl Subscriber {
    fn write(
        &mut self,
        key: RequestKey,
        location: Location,
        payload: &Bytes,
        session: &mut Session,
        now: Instant,
    ) {
        if self
            .stream
            .is_some_and(|(group, _)| group != location.group)
        {
            self.finish(None, session, now);
        }
        let stream = match self.stream {
            Some((_, stream)) => stream,
            None => match open(key, location, session, now) {
                Some(stream) => stream,
                None => return,
            },
        };
        self.stream = Some((location.group, stream));
        let header = ObjectHeader {
            id: location.object,
            properties: Properties::EMPTY,
            status: ObjectStatus::Normal,
            payload_len: payload.len() as u64,
        };
        if let Err(error) = session.write_object(stream, &header, payload.clone(), now) {
            tracing::debug!(%location, %error, "an object is not sent");
            self.stream = None;
        }
    }

    fn finish(&mut self, group: Option<GroupId>, session: &mut Session, now: Instant) {
        if let Some((open, stream)) = self.stream
            && group.is_none_or(|group| group == open)
        {
            self.stream = None;
            // Refused only where the stream is gone already.
            let _ = session.finish_subgroup(stream, now);
        }
    }
}

fn open(
    key: RequestKey,
    location: Location,
    session: &mut Session,
    now: Instant,
) -> Option<StreamId> {
    let options = SubgroupOptions {
        group: location.group,
        subgroup: SubgroupIdMode::Zero,
        priority: None,
        has_properties: false,
        end_of_group: true,
        first_object: location.object == ObjectId(0),
    };
    match session.open_subgroup(key, &options, now) {
        Ok(stream) => Some(stream),
        Err(error) => {
            tracing::debug!(%key, %location, %error, "a group is not sent");
            None
        }
    }
}
