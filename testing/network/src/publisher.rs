use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::{BufMut, Bytes, BytesMut};
use parvis::{
    delivery,
    format::{EncodedFrame, MediaKind, MediaTime, loc},
};
use parvis_quic::ConnectionEvent;
use parvis_session::{Event, IncomingRequest, RequestKey, Session, StreamId, SubgroupOptions};
use parvis_wire::{
    FullTrackName, GroupId, ObjectHeader, ObjectId, ObjectStatus, Parameters, Properties, Property,
    SubgroupIdMode, TrackName, TrackNamespace,
};

/// The time between frames of sound, and the size of one: Opus at 32 kbit/s.
pub(crate) const AUDIO_FRAME: Duration = Duration::from_millis(20);
const AUDIO_BYTES: usize = 80;
/// The time between pictures, and their sizes: 600 kbit/s, a key frame every four seconds.
pub(crate) const VIDEO_FRAME: Duration = Duration::from_millis(40);
const VIDEO_BYTES: usize = 2940;
const KEY_BYTES: usize = 9000;
const KEY_INTERVAL: u64 = 100;
/// No more than one key frame in that time, as in the SDK.
const KEY_SPACING: Duration = Duration::from_millis(250);

const DEFAULT_PUBLISHER_PRIORITY: u64 = 0x0E;
const DYNAMIC_GROUPS: u64 = 0x30;

pub(crate) fn namespace() -> TrackNamespace {
    TrackNamespace::new(["call", "publisher"]).expect("two short fields")
}

pub(crate) fn track(kind: MediaKind) -> FullTrackName {
    let name = match kind {
        MediaKind::Audio => "microphone",
        MediaKind::Video => "camera",
    };
    FullTrackName::new(namespace(), TrackName::from(name)).expect("short")
}

/// Sends as a room does: a group, and so a stream, for each frame of sound; one for the pictures
/// from key frame to key frame, which it makes when it is asked to.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) announced: bool,
    subscriptions: BTreeMap<&'static str, RequestKey>,
    start: Option<Instant>,
    /// When each frame was captured.
    pub(crate) sound: Vec<Instant>,
    pub(crate) pictures: Vec<Instant>,
    group: u64,
    /// Pictures of the current group.
    in_group: u64,
    stream: Option<StreamId>,
    wants_key: bool,
    last_key: Option<Instant>,
}

impl Publisher {
    pub(crate) const fn new() -> Self {
        Self {
            announced: false,
            subscriptions: BTreeMap::new(),
            start: None,
            sound: Vec::new(),
            pictures: Vec::new(),
            group: 0,
            in_group: 0,
            stream: None,
            wants_key: false,
            last_key: None,
        }
    }

    pub(crate) fn start(&mut self, now: Instant) {
        self.start = Some(now);
    }

    /// When the next frame is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let start = self.start?;
        let sound = start + AUDIO_FRAME * self.sound.len() as u32;
        let picture = start + VIDEO_FRAME * self.pictures.len() as u32;
        Some(sound.min(picture))
    }

    pub(crate) fn handle_timeout(&mut self, session: &mut Session, now: Instant) {
        while let Some(due) = self.poll_timeout()
            && due <= now
            && let Some(start) = self.start
        {
            if start + AUDIO_FRAME * self.sound.len() as u32 == due {
                self.send_sound(session, now);
            } else {
                self.send_picture(session, now);
            }
        }
    }

    pub(crate) fn handle(&mut self, event: ConnectionEvent, session: &mut Session, now: Instant) {
        let ConnectionEvent::Session(event) = event else {
            return;
        };
        match event {
            Event::Established { .. } => {
                let asked = session.publish_namespace(namespace(), Parameters::default(), now);
                asked.expect("an open session takes requests");
            }
            Event::Accepted { .. } => self.announced = true,
            Event::Request {
                key,
                request: IncomingRequest::Subscribe { track: asked, .. },
            } => {
                let (name, priority) = if asked == track(MediaKind::Audio) {
                    ("sound", delivery::AUDIO_PRIORITY)
                } else {
                    ("pictures", delivery::VIDEO_PRIORITY)
                };
                let properties = Properties::encode(vec![
                    Property::integer(DEFAULT_PUBLISHER_PRIORITY, priority.into()),
                    Property::integer(DYNAMIC_GROUPS, 1),
                ]);
                if session
                    .accept_subscribe(key, Parameters::default(), properties, now)
                    .is_ok()
                {
                    self.subscriptions.insert(name, key);
                    self.wants_key = true;
                }
            }
            Event::Updated {
                key, parameters, ..
            } => {
                let _ = session.accept_update(key, Parameters::default(), now);
                let asked = parameters.new_group_request;
                self.wants_key |= asked.is_some_and(|group| group == 0 || group > self.group);
            }
            Event::StreamStopped { stream, .. } => self.stream_gone(stream),
            Event::Dropped(dropped) => {
                if let Some(stream) = dropped.stream {
                    self.stream_gone(stream);
                }
            }
            _ => {}
        }
    }

    fn stream_gone(&mut self, stream: StreamId) {
        if self.stream == Some(stream) {
            self.stream = None;
            self.wants_key = true;
        }
    }

    fn send_sound(&mut self, session: &mut Session, now: Instant) {
        let index = self.sound.len() as u64;
        self.sound.push(now);
        let Some(&key) = self.subscriptions.get("sound") else {
            return;
        };
        let Ok(stream) = session.open_subgroup(key, &subgroup(index), now) else {
            return;
        };
        let _ = write(
            MediaKind::Audio,
            stream,
            0,
            index,
            AUDIO_BYTES,
            session,
            now,
        );
        let _ = session.finish_subgroup(stream, now);
    }

    fn send_picture(&mut self, session: &mut Session, now: Instant) {
        let index = self.pictures.len() as u64;
        self.pictures.push(now);
        let Some(&key) = self.subscriptions.get("pictures") else {
            return;
        };
        let since = self.last_key.map(|last| now - last);
        let is_key = since.is_none_or(|since| self.wants_key && since >= KEY_SPACING)
            || self.in_group >= KEY_INTERVAL;
        if is_key {
            if let Some(stream) = self.stream.take() {
                let _ = session.finish_subgroup(stream, now);
            }
            self.group += 1;
            self.in_group = 0;
            self.wants_key = false;
            self.last_key = Some(now);
            self.stream = session.open_subgroup(key, &subgroup(self.group), now).ok();
        }
        let bytes = if is_key { KEY_BYTES } else { VIDEO_BYTES };
        if let Some(stream) = self.stream
            && !write(
                MediaKind::Video,
                stream,
                self.in_group,
                index,
                bytes,
                session,
                now,
            )
        {
            self.stream = None;
        }
        self.in_group += 1;
    }
}

fn subgroup(group: u64) -> SubgroupOptions {
    SubgroupOptions {
        group: GroupId(group),
        subgroup: SubgroupIdMode::Zero,
        priority: None,
        has_properties: true,
        end_of_group: true,
        first_object: true,
    }
}

/// Writes a frame whose payload begins with its number.
fn write(
    kind: MediaKind,
    stream: StreamId,
    object: u64,
    index: u64,
    bytes: usize,
    session: &mut Session,
    now: Instant,
) -> bool {
    let mut payload = BytesMut::zeroed(bytes);
    (&mut payload[..8]).put_u64(index);
    let payload = payload.freeze();
    // A time as long as those of today are.
    let time = MediaTime::from_millis(1_800_000_000_000);
    let frame = match kind {
        MediaKind::Audio => EncodedFrame::audio(time, None, Bytes::new()),
        MediaKind::Video => EncodedFrame::video(time, object == 0, Bytes::new()),
    };
    let properties =
        loc::pack(kind, &frame, &loc::Options::default()).expect("the time is after the origin");
    let header = ObjectHeader {
        id: ObjectId(object),
        properties,
        status: ObjectStatus::Normal,
        payload_len: payload.len() as u64,
    };
    session.write_object(stream, &header, payload, now).is_ok()
}
