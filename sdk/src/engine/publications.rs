use std::{collections::BTreeMap, fmt, time::Instant};

use bytes::Bytes;
use parvis_format::{EncodedFrame, MediaKind, loc};
use parvis_session::{RequestKey, Session, StreamId};
use parvis_wire::{Location, ObjectId, Parameters, Properties, Property, PublishDoneCode};

use super::{
    group_stream::{Object, open, write},
    outbox::Outbox,
};
use crate::{TrackKind, clock, demand::Demand};

/// What a track's groups are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublicationKind {
    /// A group from key frame to key frame; the encoder makes one when it is asked to.
    LiveVideo,
    /// A group from key frame to key frame, as they come; the current group is kept for
    /// subscribers that join in the middle.
    StoredVideo,
    /// A group, and so a stream, for each frame: a lost one holds up no other.
    Audio,
    /// A group for each state; the last one is kept.
    State,
}

/// A track to publish.
pub(crate) struct NewPublication {
    pub track: String,
    pub kind: PublicationKind,
    pub priority: u8,
    /// What the catalog says of it; `None`: it is not listed.
    pub info: Option<TrackKind>,
    pub demand: Demand,
    /// Whether a thread feeds it, which gives the frames it has when it is stopped.
    pub threaded: bool,
    /// Ends what feeds the track.
    pub stop: Box<dyn Fn() + Send>,
}

impl fmt::Debug for NewPublication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPublication")
            .field("track", &self.track)
            .finish_non_exhaustive()
    }
}

/// A track that this participant publishes.
pub(super) struct Publication {
    pub new: NewPublication,
    pub outbox: Outbox,
    subscribers: BTreeMap<RequestKey, Subscriber>,
    /// The place of the next object.
    next: Location,
    started: bool,
    kept: Vec<Object>,
    kept_bytes: usize,
}

#[derive(Debug, Default)]
struct Subscriber {
    paused: bool,
    stream: Option<StreamId>,
}

/// Track properties. draft-ietf-moq-transport-22, "Properties"; draft-ietf-moq-loc-04.
const TIMESCALE: u64 = 0x08;
const DEFAULT_PUBLISHER_PRIORITY: u64 = 0x0E;
pub(super) const DYNAMIC_GROUPS: u64 = 0x30;

/// Bytes of the current group that are kept for subscribers that join; beyond, they wait for the
/// next group.
const KEPT_BYTES: usize = 4 << 20;

impl Publication {
    pub(super) fn new(new: NewPublication) -> Self {
        // Groups of a participant that comes back never repeat: no track makes 1000 a second.
        let first = u64::try_from(clock::now().as_micros() / 1000).unwrap_or_default();
        Self {
            new,
            outbox: Outbox::default(),
            subscribers: BTreeMap::new(),
            next: Location::new(first, 0),
            started: false,
            kept: Vec::new(),
            kept_bytes: 0,
        }
    }

    fn keeps(&self) -> bool {
        matches!(
            self.new.kind,
            PublicationKind::StoredVideo | PublicationKind::State
        )
    }

    /// The largest object so far.
    pub(super) fn largest(&self) -> Option<Location> {
        let Location { group, object } = self.next;
        match object.0.checked_sub(1) {
            Some(last) => Some(Location {
                object: ObjectId(last),
                group,
            }),
            None => self
                .started
                .then(|| Location::new(group.0.saturating_sub(1), 0)),
        }
    }

    /// What SUBSCRIBE_OK says of the track.
    pub(super) fn properties(&self) -> Properties {
        let mut properties = vec![Property::integer(
            DEFAULT_PUBLISHER_PRIORITY,
            u64::from(self.new.priority),
        )];
        if self.new.kind != PublicationKind::State {
            properties.push(Property::integer(TIMESCALE, 1_000_000));
        }
        if self.new.kind == PublicationKind::LiveVideo {
            properties.push(Property::integer(DYNAMIC_GROUPS, 1));
        }
        Properties::encode(properties)
    }

    pub(super) fn subscribe(
        &mut self,
        key: RequestKey,
        parameters: &Parameters,
        session: &mut Session,
        now: Instant,
    ) {
        let paused = parameters.forward == Some(false);
        self.subscribers.insert(
            key,
            Subscriber {
                paused,
                stream: None,
            },
        );
        let answer = Parameters {
            largest: self.largest(),
            ..Parameters::default()
        };
        if session
            .accept_subscribe(key, answer, self.properties(), now)
            .is_err()
        {
            self.subscribers.remove(&key);
            return;
        }
        self.new.demand.ask_key();
        self.demand_changed();
        if !paused {
            self.send_kept(key, session, now);
        }
    }

    pub(super) fn update(&mut self, key: RequestKey, parameters: &Parameters) {
        let Some(subscriber) = self.subscribers.get_mut(&key) else {
            return;
        };
        if let Some(forward) = parameters.forward {
            if subscriber.paused && forward {
                self.new.demand.ask_key();
            }
            subscriber.paused = !forward;
            if !forward {
                subscriber.stream = None;
            }
        }
        let current = self.next.group.0;
        if parameters
            .new_group_request
            .is_some_and(|group| group == 0 || group > current)
        {
            self.new.demand.ask_key();
        }
        self.demand_changed();
    }

    pub(super) fn unsubscribe(&mut self, key: RequestKey) -> bool {
        let known = self.subscribers.remove(&key).is_some();
        self.demand_changed();
        known
    }

    /// A stream takes no more data: its subscriber goes on with the next group.
    pub(super) fn stream_gone(&mut self, stream: StreamId) {
        for subscriber in self.subscribers.values_mut() {
            if subscriber.stream == Some(stream) {
                subscriber.stream = None;
                self.new.demand.ask_key();
            }
        }
    }

    fn demand_changed(&self) {
        self.new
            .demand
            .set_watched(self.subscribers.values().any(|s| !s.paused));
    }

    /// Sends what the encoder has made since.
    pub(super) fn send_outbox(&mut self, session: &mut Session, now: Instant) {
        while let Some(frame) = self.outbox.pop() {
            self.send_frame(&frame, session, now);
        }
    }

    fn send_frame(&mut self, frame: &EncodedFrame, session: &mut Session, now: Instant) {
        let kind = match self.new.kind {
            PublicationKind::LiveVideo | PublicationKind::StoredVideo => MediaKind::Video,
            PublicationKind::Audio | PublicationKind::State => MediaKind::Audio,
        };
        match loc::pack(kind, frame, &loc::Options::default()) {
            Ok(properties) => {
                let object = Object {
                    properties,
                    payload: frame.payload.clone(),
                };
                self.send(object, frame.key, session, now);
            }
            Err(error) => tracing::warn!(track = self.new.track, %error, "a frame is not sent"),
        }
    }

    /// Sends a state: the whole content of the track until the next one.
    pub(super) fn send_state(&mut self, payload: Bytes, session: &mut Session, now: Instant) {
        self.send(
            Object {
                properties: Properties::EMPTY,
                payload,
            },
            true,
            session,
            now,
        );
    }

    fn send(&mut self, object: Object, key: bool, session: &mut Session, now: Instant) {
        if key && self.next.object.0 > 0 {
            self.end_group(session, now);
        }
        if !key && self.next.object.0 == 0 {
            // Nothing can be decoded before the first key frame.
            return;
        }
        let place = self.next;
        for (key, subscriber) in self.subscribers.iter_mut().filter(|(_, s)| !s.paused) {
            if place.object.0 == 0 {
                subscriber.stream = open(*key, place.group, self.new.kind, session, now);
            }
            let Some(stream) = subscriber.stream else {
                continue;
            };
            if !write(stream, place.object, &object, session, now) {
                subscriber.stream = None;
            }
        }
        self.started = true;
        self.next.object.0 += 1;
        if self.keeps() {
            self.kept_bytes += object.payload.len() + object.properties.as_bytes().len();
            self.kept.push(object);
        }
        if matches!(
            self.new.kind,
            PublicationKind::Audio | PublicationKind::State
        ) {
            self.finish_streams(session, now);
        }
        if self.new.kind == PublicationKind::Audio {
            self.end_group(session, now);
        }
    }

    fn send_kept(&mut self, key: RequestKey, session: &mut Session, now: Instant) {
        if self.kept.is_empty() || self.kept_bytes > KEPT_BYTES {
            return;
        }
        let Some(stream) = open(key, self.next.group, self.new.kind, session, now) else {
            return;
        };
        let sent = self
            .kept
            .iter()
            .zip(0..)
            .all(|(object, id)| write(stream, ObjectId(id), object, session, now));
        if self.new.kind == PublicationKind::State {
            let _ = session.finish_subgroup(stream, now);
        } else if let Some(subscriber) = self.subscribers.get_mut(&key).filter(|_| sent) {
            subscriber.stream = Some(stream);
        }
    }

    fn end_group(&mut self, session: &mut Session, now: Instant) {
        self.finish_streams(session, now);
        self.next = Location::new(self.next.group.0 + 1, 0);
        self.kept.clear();
        self.kept_bytes = 0;
    }

    fn finish_streams(&mut self, session: &mut Session, now: Instant) {
        for subscriber in self.subscribers.values_mut() {
            if let Some(stream) = subscriber.stream.take() {
                // Refused only where the stream is gone already.
                let _ = session.finish_subgroup(stream, now);
            }
        }
    }

    /// Ends the track for everybody.
    pub(super) fn end(mut self, session: &mut Session, now: Instant) -> Vec<RequestKey> {
        self.outbox.close();
        (self.new.stop)();
        self.finish_streams(session, now);
        let keys: Vec<RequestKey> = self.subscribers.keys().copied().collect();
        for key in &keys {
            let _ = session.publish_done(*key, PublishDoneCode::TrackEnded, "", now);
        }
        keys
    }
}
