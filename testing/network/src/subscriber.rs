use std::{collections::HashMap, time::Instant};

use bytes::Buf;
use parvis::{
    delivery::{self, AudioOrder, Ordered, Placed, VideoOrder},
    format::MediaKind,
};
use parvis_quic::ConnectionEvent;
use parvis_session::{Event, Object, ObjectAssembler, RequestKey, Session, StreamEnd, StreamId};
use parvis_wire::{GroupId, Parameters};

use crate::publisher::track;

/// The largest object that is put together.
const MAX_OBJECT: usize = 64 * 1024;

/// Receives as a room does, up to the decoders.
#[derive(Debug)]
pub(crate) struct Subscriber {
    sound_key: Option<RequestKey>,
    pictures_key: Option<RequestKey>,
    pub(crate) accepted: usize,
    streams: HashMap<StreamId, Incoming>,
    sound_order: AudioOrder<u64>,
    pictures_order: VideoOrder<u64>,
    largest_group: u64,
    /// The frames handed on to a decoder, and when.
    pub(crate) sound: Vec<(u64, Instant)>,
    pub(crate) pictures: Vec<(u64, Instant)>,
    /// Why the connection is over.
    pub(crate) closed: Option<String>,
}

#[derive(Debug)]
struct Incoming {
    key: RequestKey,
    group: GroupId,
    assembler: ObjectAssembler,
}

impl Subscriber {
    pub(crate) fn new() -> Self {
        Self {
            sound_key: None,
            pictures_key: None,
            accepted: 0,
            streams: HashMap::new(),
            sound_order: AudioOrder::new(delivery::AUDIO_PATIENCE),
            pictures_order: VideoOrder::new(delivery::VIDEO_PATIENCE),
            largest_group: 0,
            sound: Vec::new(),
            pictures: Vec::new(),
            closed: None,
        }
    }

    pub(crate) fn handle(&mut self, event: ConnectionEvent, session: &mut Session, now: Instant) {
        let ConnectionEvent::Session(event) = event else {
            return;
        };
        match event {
            Event::Established { .. } => {
                let mut ask = |kind| {
                    let parameters = delivery::subscription(kind);
                    session.subscribe(track(kind), parameters, now).ok()
                };
                self.sound_key = ask(MediaKind::Audio);
                self.pictures_key = ask(MediaKind::Video);
            }
            Event::Accepted { .. } => self.accepted += 1,
            Event::Subgroup {
                stream,
                key,
                header,
            } => {
                let incoming = Incoming {
                    key,
                    group: header.group,
                    assembler: ObjectAssembler::new(&header, MAX_OBJECT),
                };
                self.streams.insert(stream, incoming);
            }
            Event::Object {
                stream,
                header,
                raw,
                header_len,
            } => {
                if let Some(incoming) = self.streams.get_mut(&stream)
                    && let Ok(Some(object)) = incoming.assembler.object(header, &raw, header_len)
                {
                    let key = incoming.key;
                    self.take(key, &object, now);
                }
            }
            Event::ObjectData { stream, data } => {
                if let Some(incoming) = self.streams.get_mut(&stream)
                    && let Some(object) = incoming.assembler.data(&data)
                {
                    let key = incoming.key;
                    self.take(key, &object, now);
                }
            }
            Event::SubgroupEnd { stream, end } => {
                if let Some(incoming) = self.streams.remove(&stream)
                    && Some(incoming.key) == self.pictures_key
                {
                    let complete = end == StreamEnd::Finished;
                    self.pictures_order
                        .handle_group_end(incoming.group, complete, now);
                }
            }
            _ => {}
        }
        self.deliver(session, now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let [sound, pictures] = [
            self.sound_order.poll_timeout(),
            self.pictures_order.poll_timeout(),
        ];
        sound.into_iter().chain(pictures).min()
    }

    pub(crate) fn handle_timeout(&mut self, session: &mut Session, now: Instant) {
        self.sound_order.handle_timeout(now);
        self.pictures_order.handle_timeout(now);
        self.deliver(session, now);
    }

    fn take(&mut self, key: RequestKey, object: &Object, now: Instant) {
        let frame = Placed {
            location: object.location,
            key: object.location.object.0 == 0,
            frame: (&object.payload[..]).get_u64(),
        };
        if Some(key) == self.sound_key {
            self.sound_order.handle_frame(frame, now);
        } else {
            self.largest_group = self.largest_group.max(object.location.group.0);
            self.pictures_order.handle_frame(frame, now);
        }
    }

    fn deliver(&mut self, session: &mut Session, now: Instant) {
        while let Some(ordered) = self.sound_order.poll() {
            if let Ordered::Frame(frame) = ordered {
                self.sound.push((frame.frame, now));
            }
        }
        while let Some(ordered) = self.pictures_order.poll() {
            match ordered {
                Ordered::Frame(frame) => self.pictures.push((frame.frame, now)),
                Ordered::NeedKey => {
                    let parameters = Parameters {
                        new_group_request: Some(self.largest_group + 1),
                        ..Parameters::default()
                    };
                    if let Some(key) = self.pictures_key {
                        let _ = session.update(key, parameters, now);
                    }
                }
                Ordered::Gap(_) | Ordered::Dropped => {}
            }
        }
    }
}
