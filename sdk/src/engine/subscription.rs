use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parvis_format::{EncodedFrame, MediaKind, MediaTime, loc};
use parvis_session::{Object, RequestKey, Session};
use parvis_wire::{
    FullTrackName, GroupId, Location, ObjectStatus, Parameters, Priority, Properties, PropertyValue,
};
use tokio::sync::{mpsc, oneshot};

use super::{
    NewSubscription, arrivals::Arrivals, link::LinkId, publications::DYNAMIC_GROUPS, seen::Seen,
};
use crate::{
    RemoteStats, SubscribeError, clock,
    delivery::{self, AUDIO_PATIENCE, VIDEO_PATIENCE},
    order::{AudioOrder, Ordered, Placed, VideoOrder},
    remote::RemoteCounters,
};

/// Names a track that is received, on whatever connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TrackKey(pub(super) u64);

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

/// How long both connections of a track go on after the new one began a group: what the old one
/// still has on its way comes within that time, or too late anyway.
const OVERLAP: Duration = Duration::from_millis(300);

/// How long a relay may wait for a track that is to appear there again.
const RENDEZVOUS: u64 = 5000;

/// A track that is received.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) name: FullTrackName,
    /// Where it comes from: while the room moves, two connections.
    pub(super) sources: BTreeMap<LinkId, Source>,
    /// Tells the application of the first answer.
    pub(super) reply: Option<oneshot::Sender<Result<TrackKey, SubscribeError>>>,
    /// When it is asked for again.
    pub(super) retry: Option<Instant>,
    /// `None`: what is usual for its kind.
    pub(super) priority: Option<Priority>,
    attempts: u32,
    seen: Seen,
    pub(super) kind: MediaKind,
    pub(super) arrivals: Arrivals,
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

/// A subscription on one connection.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) key: RequestKey,
    /// When it gave the start of a group.
    joined: Option<Instant>,
    wants_key: bool,
    /// The priority that it was told.
    priority: Option<Priority>,
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
    pub(super) fn new(new: NewSubscription) -> Self {
        let NewSubscription {
            name,
            kind,
            sink,
            counters,
            reply,
        } = new;
        let order = match kind {
            MediaKind::Video => Order::Video(VideoOrder::new(VIDEO_PATIENCE)),
            MediaKind::Audio => Order::Audio(AudioOrder::new(AUDIO_PATIENCE)),
        };
        Self {
            name,
            sources: BTreeMap::new(),
            reply: Some(reply),
            retry: None,
            priority: None,
            attempts: 0,
            seen: Seen::default(),
            kind,
            arrivals: Arrivals::default(),
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
    pub(super) fn parameters(&self) -> Parameters {
        let usual = delivery::subscription(self.kind);
        Parameters {
            // The first time the track is known to be there.
            rendezvous_timeout: self.reply.is_none().then_some(RENDEZVOUS),
            subscriber_priority: self.priority.or(usual.subscriber_priority),
            ..usual
        }
    }

    pub(super) fn asked(&mut self, link: LinkId, key: RequestKey) {
        let source = Source {
            key,
            joined: None,
            wants_key: false,
            priority: self.priority,
        };
        self.sources.insert(link, source);
        self.retry = None;
    }

    /// Asks again a little later, less and less often.
    pub(super) fn retry_later(&mut self, now: Instant) {
        self.retry = Some(now + Duration::from_millis(50 << self.attempts.min(5)));
        self.attempts += 1;
    }

    /// Whether the subscription on a connection can go: a newer one has begun a group, some time
    /// ago.
    pub(super) fn has_moved(&self, from: LinkId, now: Instant) -> bool {
        self.overlap_ends(from).is_some_and(|end| end <= now)
    }

    fn overlap_ends(&self, from: LinkId) -> Option<Instant> {
        self.sources.get(&from)?;
        let newer = self.sources.iter().filter(|(link, _)| **link > from);
        newer
            .filter_map(|(_, source)| source.joined)
            .min()
            .map(|joined| joined + OVERLAP)
    }

    pub(super) fn handle_accepted(&mut self, properties: &Properties) {
        self.attempts = 0;
        let dynamic = |p: &parvis_wire::Property| {
            p.kind == DYNAMIC_GROUPS && p.value == PropertyValue::Integer(1)
        };
        self.dynamic_groups = properties
            .iter()
            .filter_map(Result::ok)
            .any(|p| dynamic(&p));
    }

    pub(super) fn handle_object(&mut self, link: LinkId, object: Object, now: Instant) {
        if object.status != ObjectStatus::Normal {
            return;
        }
        if let Some(source) = self.sources.get_mut(&link)
            && object.location.object.0 == 0
        {
            source.joined.get_or_insert(now);
        }
        if !self.seen.insert(object.location) {
            self.counters.count_duplicate();
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
            Ok(unpacked) => {
                self.arrivals.frame(unpacked.frame.time, at, now);
                unpacked.frame
            }
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
        self.arrivals.group(complete);
        match &mut self.order {
            Order::Video(order) => order.handle_group_end(group, complete, now),
            Order::Audio(_) => {}
        }
    }

    pub(super) fn stats(&self) -> RemoteStats {
        self.counters.stats()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.order {
            Order::Video(order) => order.handle_timeout(now),
            Order::Audio(order) => order.handle_timeout(now),
        }
    }

    /// When something is due that a turn of this connection does.
    pub(super) fn poll_timeout(&self, link: LinkId, current: Option<LinkId>) -> Option<Instant> {
        let order = match &self.order {
            Order::Video(order) => order.poll_timeout(),
            Order::Audio(order) => order.poll_timeout(),
        };
        let is_current = current == Some(link);
        let retry = self.retry.filter(|_| is_current);
        let overlap = self.overlap_ends(link).filter(|_| !is_current);
        [order, retry, overlap].into_iter().flatten().min()
    }

    /// Hands on what is in order; returns whether anybody still wants it. A key frame that is
    /// needed is asked for by [`Self::ask_key`].
    pub(super) fn deliver(&mut self, now: Instant) -> bool {
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
                Some(Ordered::NeedKey) => self.need_key(),
                Some(Ordered::Frame(placed)) => {
                    if !self.hand_on(placed, now) {
                        self.need_key();
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

    pub(super) fn need_key(&mut self) {
        if self.dynamic_groups && self.kind == MediaKind::Video {
            for source in self.sources.values_mut() {
                source.wants_key = true;
            }
        }
    }

    /// Tells this connection how much the track matters, if it was told otherwise.
    pub(super) fn tell_priority(&mut self, link: LinkId, session: &mut Session, now: Instant) {
        let Some(source) = self.sources.get_mut(&link) else {
            return;
        };
        if std::mem::replace(&mut source.priority, self.priority) == self.priority {
            return;
        }
        let parameters = Parameters {
            subscriber_priority: self.priority,
            ..Parameters::default()
        };
        if let Err(error) = session.update(source.key, parameters, now) {
            tracing::debug!(key = %source.key, %error, "the priority is not told");
        }
    }

    /// Asks for a key frame on this connection, if one is needed.
    pub(super) fn ask_key(&mut self, link: LinkId, session: &mut Session, now: Instant) {
        let Some(source) = self.sources.get_mut(&link) else {
            return;
        };
        if !std::mem::take(&mut source.wants_key) {
            return;
        }
        let parameters = Parameters {
            new_group_request: Some(self.largest_group.saturating_add(1)),
            ..Parameters::default()
        };
        if let Err(error) = session.update(source.key, parameters, now) {
            tracing::debug!(key = %source.key, %error, "no key frame is asked for");
        }
    }
}

#[cfg(test)]
mod tests;
