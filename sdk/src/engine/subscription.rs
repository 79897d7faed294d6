use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parvis_format::{EncodedFrame, MediaKind, MediaTime, loc};
use parvis_session::{Object, RequestKey, Session};
use parvis_wire::{
    GroupId, Location, ObjectStatus, Parameters, Priority, Properties, PropertyValue,
};
use tokio::sync::mpsc;

use super::publications::DYNAMIC_GROUPS;
use crate::{
    clock,
    order::{AudioOrder, Ordered, Placed, VideoOrder},
    remote::RemoteCounters,
};

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFrame {
    /// The frame. Its time is when it was captured, by the publisher's wall clock.
    pub frame: EncodedFrame,
    /// Its place in the track.
    pub location: Location,
    /// When it had come whole, by this machine's wall clock.
    pub arrived: MediaTime,
    /// How many frames are known to be missing right before it.
    pub gap: u64,
}

/// Frames that wait for who takes them, at most; beyond, new ones are dropped, and with video those
/// that depend on them. Whoever joins gets the frames of a long group's past at once.
pub(crate) const FRAMES: usize = 512;

/// So many frames may wait for longer than [`CATCH_UP`].
const BACKLOG: usize = 64;

/// How long who takes frames has to catch up.
const CATCH_UP: Duration = Duration::from_secs(1);

/// How long the frames of a video group are waited for when a newer group is there.
const VIDEO_PATIENCE: Duration = Duration::from_millis(200);

/// How long a frame of sound is waited for when a later one is there.
const AUDIO_PATIENCE: Duration = Duration::from_millis(80);

/// How old an object of video may get on its way before it is given up, milliseconds.
const VIDEO_DELIVERY_TIMEOUT: u64 = 1000;

/// The same of sound.
const AUDIO_DELIVERY_TIMEOUT: u64 = 400;

/// A track that is received.
#[derive(Debug)]
pub(super) struct Subscription {
    kind: MediaKind,
    order: Order,
    sink: mpsc::Sender<RemoteFrame>,
    counters: Arc<RemoteCounters>,
    gap: u64,
    /// The sink was full: what depends on the frame it did not take is of no use.
    skip_to_key: bool,
    /// Since when more than [`BACKLOG`] frames wait.
    behind_since: Option<Instant>,
    dynamic_groups: bool,
    largest_group: u64,
}

#[derive(Debug)]
enum Order {
    Video(VideoOrder<Arrived>),
    Audio(AudioOrder<Arrived>),
}

#[derive(Debug)]
struct Arrived {
    frame: EncodedFrame,
    at: MediaTime,
}

impl Subscription {
    pub(super) fn new(
        kind: MediaKind,
        sink: mpsc::Sender<RemoteFrame>,
        counters: Arc<RemoteCounters>,
    ) -> Self {
        let order = match kind {
            MediaKind::Video => Order::Video(VideoOrder::new(VIDEO_PATIENCE)),
            MediaKind::Audio => Order::Audio(AudioOrder::new(AUDIO_PATIENCE)),
        };
        Self {
            kind,
            order,
            sink,
            counters,
            gap: 0,
            skip_to_key: false,
            behind_since: None,
            dynamic_groups: false,
            largest_group: 0,
        }
    }

    /// What the SUBSCRIBE says.
    pub(super) fn parameters(kind: MediaKind) -> Parameters {
        match kind {
            MediaKind::Video => Parameters {
                subscriber_priority: Some(Priority(128)),
                object_delivery_timeout: Some(VIDEO_DELIVERY_TIMEOUT),
                ..Parameters::default()
            },
            MediaKind::Audio => Parameters {
                subscriber_priority: Some(Priority(32)),
                object_delivery_timeout: Some(AUDIO_DELIVERY_TIMEOUT),
                subgroup_delivery_timeout: Some(AUDIO_DELIVERY_TIMEOUT),
                ..Parameters::default()
            },
        }
    }

    pub(super) fn handle_accepted(&mut self, properties: &Properties) {
        let dynamic = |p: &parvis_wire::Property| {
            p.kind == DYNAMIC_GROUPS && p.value == PropertyValue::Integer(1)
        };
        self.dynamic_groups = properties
            .iter()
            .filter_map(Result::ok)
            .any(|p| dynamic(&p));
    }

    pub(super) fn handle_object(&mut self, object: Object, now: Instant) {
        if object.status != ObjectStatus::Normal {
            return;
        }
        let Location { group, object: id } = object.location;
        self.largest_group = self.largest_group.max(group.0);
        let at = clock::at(now);
        let bytes = object.payload.len();
        let frame = match loc::unpack(
            self.kind,
            &object.properties,
            object.payload.clone(),
            id.0 == 0,
        ) {
            Ok(unpacked) => unpacked.frame,
            // Some relays drop properties: the time of arrival is the best that is known.
            Err(loc::UnpackError::NoTimestamp) => match self.kind {
                MediaKind::Video => EncodedFrame::video(at, id.0 == 0, object.payload),
                MediaKind::Audio => EncodedFrame::audio(at, None, object.payload),
            },
            Err(error) => {
                tracing::debug!(location = %object.location, %error, "an object is no frame");
                self.counters.count_malformed();
                return;
            }
        };
        self.counters.count_received(bytes);
        // A group begins with a frame that needs no earlier one, whatever its marking says.
        let key = frame.key || id.0 == 0;
        let frame = EncodedFrame { key, ..frame };
        let placed = Placed {
            location: object.location,
            key,
            frame: Arrived { frame, at },
        };
        match &mut self.order {
            Order::Video(order) => order.handle_frame(placed, now),
            Order::Audio(order) => order.handle_frame(placed, now),
        }
    }

    pub(super) fn handle_group_end(&mut self, group: GroupId, complete: bool, now: Instant) {
        match &mut self.order {
            Order::Video(order) => order.handle_group_end(group, complete, now),
            Order::Audio(_) => {}
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.order {
            Order::Video(order) => order.handle_timeout(now),
            Order::Audio(order) => order.handle_timeout(now),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.order {
            Order::Video(order) => order.poll_timeout(),
            Order::Audio(order) => order.poll_timeout(),
        }
    }

    /// Hands on what is in order; returns whether anybody still wants it.
    pub(super) fn deliver(&mut self, key: RequestKey, session: &mut Session, now: Instant) -> bool {
        loop {
            let next = match &mut self.order {
                Order::Video(order) => order.poll(),
                Order::Audio(order) => order.poll(),
            };
            match next {
                None => return !self.sink.is_closed(),
                Some(Ordered::Gap(frames)) => {
                    self.gap = self.gap.saturating_add(frames);
                    self.counters.count_missing(frames);
                }
                Some(Ordered::Dropped) => self.counters.count_late(),
                Some(Ordered::NeedKey) => self.ask_key(key, session, now),
                Some(Ordered::Frame(placed)) => {
                    if !self.hand_on(placed, now) {
                        self.ask_key(key, session, now);
                    }
                }
            }
        }
    }

    /// Returns false when this frame began a row of frames that cannot be handed on.
    fn hand_on(&mut self, placed: Placed<Arrived>, now: Instant) -> bool {
        let Placed {
            location,
            key,
            frame: Arrived { frame, at },
        } = placed;
        self.skip_to_key &= !key;
        if self.skip_to_key {
            self.gap = self.gap.saturating_add(1);
            self.counters.count_skipped();
            return true;
        }
        let gap = std::mem::take(&mut self.gap);
        let frame = RemoteFrame {
            frame,
            location,
            arrived: at,
            gap,
        };
        if self.has_room(now) && self.sink.try_send(frame).is_ok() {
            return true;
        }
        self.gap = gap.saturating_add(1);
        self.counters.count_skipped();
        self.skip_to_key = self.kind == MediaKind::Video;
        !self.skip_to_key
    }

    /// Whether who takes frames keeps up, or may still catch up.
    fn has_room(&mut self, now: Instant) -> bool {
        if self.sink.max_capacity() - self.sink.capacity() <= BACKLOG {
            self.behind_since = None;
            return true;
        }
        now.saturating_duration_since(*self.behind_since.get_or_insert(now)) < CATCH_UP
    }

    fn ask_key(&self, key: RequestKey, session: &mut Session, now: Instant) {
        if !self.dynamic_groups || self.kind == MediaKind::Audio {
            return;
        }
        let parameters = Parameters {
            new_group_request: Some(self.largest_group.saturating_add(1)),
            ..Parameters::default()
        };
        if let Err(error) = session.update(key, parameters, now) {
            tracing::debug!(%key, %error, "no key frame is asked for");
        }
    }
}

#[cfg(test)]
mod tests;
