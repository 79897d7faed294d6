use std::time::Instant;

use parvis_quic::{ConnectionEvent, ConnectionKey, Endpoint};
use parvis_session::{Event, IncomingRequest, RequestKey, StreamId, SubgroupOptions};
use parvis_wire::{
    FullTrackName, GroupId, ObjectHeader, ObjectId, ObjectStatus, Parameters, Priority, Properties,
    SubgroupIdMode, TrackName, TrackNamespace,
};

use crate::workload::{Pacer, Workload, payload};

/// Sends the objects of every track to the relay.
pub struct Publisher {
    /// Its connection; `None`: the relay makes the objects itself.
    pub key: Option<ConnectionKey>,
    /// Whether the relay knows of it.
    pub announced: bool,
    tracks: Vec<Track>,
    /// Objects sent since this was last set to 0.
    pub sent: u64,
}

struct Track {
    subscription: Option<RequestKey>,
    stream: Option<StreamId>,
    sequence: u64,
    pacer: Pacer,
}

impl Publisher {
    /// Publishes by that connection.
    pub fn new(key: Option<ConnectionKey>, workload: &Workload, now: Instant) -> Self {
        let tracks = (0..workload.tracks)
            .map(|_| Track {
                subscription: None,
                stream: None,
                sequence: 0,
                pacer: Pacer::new(workload.rate, now),
            })
            .collect();
        Self {
            key,
            announced: false,
            tracks,
            sent: 0,
        }
    }

    /// When the next object is due.
    pub fn next(&self) -> Option<Instant> {
        self.key?;
        self.tracks
            .iter()
            .filter(|track| track.subscription.is_some())
            .map(|track| track.pacer.next())
            .min()
    }

    /// Takes what happens on its connection.
    pub fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        key: ConnectionKey,
        event: ConnectionEvent,
        now: Instant,
    ) {
        let event = match event {
            ConnectionEvent::Session(event) => event,
            ConnectionEvent::Closed { reason } => {
                eprintln!("publisher: {reason}");
                return;
            }
            ConnectionEvent::Connected { .. } => return,
        };
        let Some(session) = endpoint.session(key) else {
            return;
        };
        match event {
            Event::Established { .. } => {
                let announced = session.publish_namespace(namespace(), Parameters::default(), now);
                if let Err(error) = announced {
                    eprintln!("publisher: {error}");
                }
            }
            Event::Accepted { .. } => self.announced = true,
            Event::Rejected { error, .. } => eprintln!("publisher: {error:?}"),
            Event::Request {
                key,
                request: IncomingRequest::Subscribe { track, .. },
            } => {
                let index = track_index(track.name());
                if let Some(track) = index.and_then(|index| self.tracks.get_mut(index)) {
                    let accepted = session.accept_subscribe(
                        key,
                        Parameters::default(),
                        Properties::default(),
                        now,
                    );
                    if accepted.is_ok() {
                        track.subscription = Some(key);
                        track.pacer = Pacer::new(track.pacer.rate(), now);
                    }
                }
            }
            Event::Updated { key, .. } => {
                let _ = session.accept_update(key, Parameters::default(), now);
            }
            Event::Ended { key, .. } => {
                for track in &mut self.tracks {
                    if track.subscription == Some(key) {
                        track.subscription = None;
                        track.stream = None;
                    }
                }
            }
            _ => {}
        }
    }

    /// Sends what is due.
    pub fn publish(&mut self, endpoint: &mut Endpoint, workload: &Workload, now: Instant) {
        let Some(key) = self.key else { return };
        let Some(session) = endpoint.session(key) else {
            return;
        };
        for track in &mut self.tracks {
            let Some(subscription) = track.subscription else {
                continue;
            };
            for _ in 0..track.pacer.due(now) {
                let object = track.sequence % workload.gop;
                if object == 0 {
                    if let Some(stream) = track.stream.take() {
                        let _ = session.finish_subgroup(stream, now);
                    }
                    let options = SubgroupOptions {
                        group: GroupId(track.sequence / workload.gop),
                        subgroup: SubgroupIdMode::Zero,
                        priority: Some(Priority(127)),
                        has_properties: false,
                        end_of_group: true,
                        first_object: true,
                    };
                    track.stream = session.open_subgroup(subscription, &options, now).ok();
                }
                let payload = payload(workload.size(track.sequence));
                let header = ObjectHeader {
                    id: ObjectId(object),
                    properties: Properties::default(),
                    status: ObjectStatus::Normal,
                    payload_len: payload.len() as u64,
                };
                track.sequence += 1;
                if let Some(stream) = track.stream
                    && session.write_object(stream, &header, payload, now).is_ok()
                {
                    self.sent += 1;
                    if workload.gop == 1 {
                        let _ = session.finish_subgroup(stream, now);
                        track.stream = None;
                    }
                }
            }
        }
    }
}

fn namespace() -> TrackNamespace {
    TrackNamespace::new(["bench", "room"]).expect("a short name is a name")
}

/// The full name of a track.
pub fn track(index: usize) -> FullTrackName {
    FullTrackName::new(namespace(), TrackName::from(format!("t{index}")))
        .expect("a short name is a name")
}

fn track_index(name: &TrackName) -> Option<usize> {
    std::str::from_utf8(&name.0)
        .ok()?
        .strip_prefix('t')?
        .parse()
        .ok()
}
