use std::{collections::BTreeMap, fmt, time::Instant};

use bytes::Bytes;
use parvis_format::{EncodedFrame, MediaKind, loc};
use parvis_session::{RequestKey, Session, StreamId};
use parvis_wire::{Location, ObjectId, Parameters, Properties, Property};

use super::{
    feed::{Feed, Step, Subscriber},
    group_stream::{Object, open, write},
    link::LinkId,
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
    /// Where it goes to: while the room moves, two connections.
    feeds: BTreeMap<LinkId, Feed>,
    /// The place of the next object.
    next: Location,
    started: bool,
    kept: Vec<Object>,
    kept_bytes: usize,
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
            feeds: BTreeMap::new(),
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
        link: LinkId,
        key: RequestKey,
        parameters: &Parameters,
        session: &mut Session,
        now: Instant,
    ) {
        // What is kept is sent below, and must not be sent again.
        self.flush(link, session, now);
        let paused = parameters.forward == Some(false);
        let answer = Parameters {
            largest: self.largest(),
            ..Parameters::default()
        };
        if session
            .accept_subscribe(key, answer, self.properties(), now)
            .is_err()
        {
            return;
        }
        let feed = self.feeds.entry(link).or_default();
        let subscriber = Subscriber {
            paused,
            stream: None,
        };
        feed.subscribers.insert(key, subscriber);
        self.new.demand.ask_key();
        self.demand_changed();
        if !paused {
            self.send_kept(link, key, session, now);
        }
    }

    pub(super) fn update(&mut self, link: LinkId, key: RequestKey, parameters: &Parameters) {
        let feed = self.feeds.get_mut(&link);
        let Some(subscriber) = feed.and_then(|feed| feed.subscribers.get_mut(&key)) else {
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

    pub(super) fn unsubscribe(&mut self, link: LinkId, key: RequestKey) {
        if let Some(feed) = self.feeds.get_mut(&link) {
            feed.subscribers.remove(&key);
        }
        self.demand_changed();
    }

    /// A connection is over.
    pub(super) fn link_gone(&mut self, link: LinkId) {
        self.feeds.remove(&link);
        self.demand_changed();
    }

    /// A stream takes no more data: its subscriber goes on with the next group.
    pub(super) fn stream_gone(&mut self, link: LinkId, stream: StreamId) {
        let Some(feed) = self.feeds.get_mut(&link) else {
            return;
        };
        for subscriber in feed.subscribers.values_mut() {
            if subscriber.stream == Some(stream) {
                subscriber.stream = None;
                self.new.demand.ask_key();
            }
        }
    }

    fn demand_changed(&self) {
        let watched = self.feeds.values().any(Feed::is_watched);
        self.new.demand.set_watched(watched);
    }

    /// Takes what the encoder has made since; [`Self::flush`] sends it. Returns whether there was
    /// anything.
    pub(super) fn take_outbox(&mut self) -> bool {
        let mut taken = false;
        while let Some(frame) = self.outbox.pop() {
            self.add_frame(&frame);
            taken = true;
        }
        taken
    }

    fn add_frame(&mut self, frame: &EncodedFrame) {
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
                self.add(object, frame.key);
            }
            Err(error) => tracing::warn!(track = self.new.track, %error, "a frame is not sent"),
        }
    }

    /// Adds a state: the whole content of the track until the next one.
    pub(super) fn add_state(&mut self, payload: Bytes) {
        let object = Object {
            properties: Properties::EMPTY,
            payload,
        };
        self.add(object, true);
    }

    fn add(&mut self, object: Object, key: bool) {
        if key && self.next.object.0 > 0 {
            self.end_group();
        }
        if !key && self.next.object.0 == 0 {
            // Nothing can be decoded before the first key frame.
            return;
        }
        let place = self.next;
        for feed in self.feeds.values_mut() {
            if !feed.push(Step::Object(place, object.clone())) {
                self.new.demand.ask_key();
            }
        }
        self.started = true;
        self.next.object.0 += 1;
        if self.keeps() {
            self.kept_bytes += object.payload.len() + object.properties.as_bytes().len();
            self.kept.push(object);
        }
        match self.new.kind {
            PublicationKind::Audio => self.end_group(),
            // Nothing more comes in its group, which is kept all the same.
            PublicationKind::State => self.step(&Step::EndGroup),
            PublicationKind::LiveVideo | PublicationKind::StoredVideo => {}
        }
    }

    fn end_group(&mut self) {
        self.step(&Step::EndGroup);
        self.next = Location::new(self.next.group.0 + 1, 0);
        self.kept.clear();
        self.kept_bytes = 0;
    }

    fn step(&mut self, step: &Step) {
        for feed in self.feeds.values_mut() {
            feed.push(step.clone());
        }
    }

    fn send_kept(&mut self, link: LinkId, key: RequestKey, session: &mut Session, now: Instant) {
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
        let feed = self.feeds.get_mut(&link);
        if self.new.kind == PublicationKind::State {
            let _ = session.finish_subgroup(stream, now);
        } else if sent && let Some(subscriber) = feed.and_then(|f| f.subscribers.get_mut(&key)) {
            subscriber.stream = Some(stream);
        }
    }

    /// Whether a connection has something to send.
    pub(super) fn has_steps(&self, except: LinkId) -> bool {
        let mut others = self.feeds.iter().filter(|(link, _)| **link != except);
        others.any(|(_, feed)| feed.has_steps())
    }

    /// Sends what waits for this connection.
    pub(super) fn flush(&mut self, link: LinkId, session: &mut Session, now: Instant) {
        if let Some(feed) = self.feeds.get_mut(&link)
            && feed.flush(self.new.kind, session, now)
        {
            self.feeds.remove(&link);
        }
    }

    /// Ends the track for everybody; it is over when each connection was flushed.
    pub(super) fn end(&mut self) {
        self.outbox.close();
        (self.new.stop)();
        for feed in self.feeds.values_mut() {
            feed.end();
        }
    }

    /// Whether nobody is to be told anything any more.
    pub(super) fn is_over(&self) -> bool {
        self.feeds.is_empty()
    }
}
