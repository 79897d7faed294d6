use std::time::Duration;

use bytes::Bytes;
use parvis_session::{
    Answer, Event, IncomingRequest, Object, ObjectAssembler, RequestKey, StreamEnd, StreamId,
    SubgroupOptions,
};
use parvis_wire::{
    FullTrackName, GroupId, ObjectHeader, ObjectId, ObjectStatus, Parameters, Properties,
    SubgroupIdMode, TrackNamespace,
};

use crate::pair::Pair;

pub const MS: Duration = Duration::from_millis(1);

pub fn namespace(fields: &[&'static str]) -> TrackNamespace {
    TrackNamespace::new(fields.iter().copied()).expect("a test's namespace is valid")
}

pub fn track(name: &'static str) -> FullTrackName {
    FullTrackName::new(namespace(&["room", "ann"]), name.into()).expect("a test's name is valid")
}

pub fn group(group: u64) -> SubgroupOptions {
    SubgroupOptions {
        group: GroupId(group),
        subgroup: SubgroupIdMode::Zero,
        priority: None,
        has_properties: false,
        end_of_group: false,
        first_object: true,
    }
}

pub fn header(id: u64, payload: &[u8]) -> ObjectHeader {
    ObjectHeader {
        id: ObjectId(id),
        properties: Properties::EMPTY,
        status: ObjectStatus::Normal,
        payload_len: payload.len() as u64,
    }
}

/// The one request among the events.
pub fn request(events: &[Event]) -> (RequestKey, IncomingRequest) {
    let mut requests = events.iter().filter_map(|event| match event {
        Event::Request { key, request } => Some((*key, request.clone())),
        _ => None,
    });
    let first = requests
        .next()
        .unwrap_or_else(|| panic!("a request among {events:?}"));
    assert_eq!(requests.next(), None);
    first
}

/// The client subscribes to a track of the server's; returns the key, the same on both sides.
pub fn subscribe(pair: &mut Pair, name: &'static str, parameters: Parameters) -> RequestKey {
    let now = pair.now;
    let key = pair
        .client
        .session
        .subscribe(track(name), parameters, now)
        .expect("it subscribes");
    pair.run(20 * MS);
    let (theirs, _) = request(&pair.server.events());
    assert_eq!(theirs, key);
    let now = pair.now;
    let server = &mut pair.server.session;
    server
        .accept_subscribe(key, Parameters::default(), Properties::EMPTY, now)
        .expect("it accepts");
    pair.run(20 * MS);
    let accepted = Answer::Subscribe {
        parameters: Parameters::default(),
        track_properties: Properties::EMPTY,
    };
    assert_eq!(
        pair.client.events(),
        [Event::Accepted {
            key,
            answer: accepted
        }]
    );
    key
}

/// Opens a subgroup at the server.
pub fn open(pair: &mut Pair, key: RequestKey, options: &SubgroupOptions) -> StreamId {
    let now = pair.now;
    pair.server
        .session
        .open_subgroup(key, options, now)
        .expect("a subgroup opens")
}

/// Writes an object at the server.
pub fn write(pair: &mut Pair, stream: StreamId, id: u64, payload: &'static [u8]) {
    let now = pair.now;
    let payload = Bytes::from_static(payload);
    pair.server
        .session
        .write_object(stream, &header(id, &payload), payload, now)
        .expect("the stream takes an object");
}

pub fn finish(pair: &mut Pair, stream: StreamId) {
    let now = pair.now;
    pair.server
        .session
        .finish_subgroup(stream, now)
        .expect("the stream takes its end");
}

/// A subgroup stream as it was received.
#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    pub key: RequestKey,
    pub group: u64,
    pub objects: Vec<(u64, Vec<u8>)>,
    pub end: Option<StreamEnd>,
}

/// Joins the events of data streams, in the order of their opening.
pub fn received(events: &[Event]) -> Vec<Received> {
    let mut streams: Vec<(StreamId, ObjectAssembler, Received)> = Vec::new();
    for event in events {
        let find = |streams: &Vec<(StreamId, ObjectAssembler, Received)>, id| {
            streams
                .iter()
                .rposition(|(stream, ..)| *stream == id)
                .expect("its subgroup came before")
        };
        match event {
            Event::Subgroup {
                stream,
                key,
                header,
            } => {
                let received = Received {
                    key: *key,
                    group: header.group.0,
                    objects: Vec::new(),
                    end: None,
                };
                streams.push((*stream, ObjectAssembler::new(header, 1 << 20), received));
            }
            Event::Object {
                stream,
                header,
                raw,
                header_len,
            } => {
                let at = find(&streams, *stream);
                let (_, assembler, received) = &mut streams[at];
                let object = assembler.object(header.clone(), raw, *header_len);
                received.add(object.expect("a test's object is small"));
            }
            Event::ObjectData { stream, data } => {
                let at = find(&streams, *stream);
                let (_, assembler, received) = &mut streams[at];
                received.add(assembler.data(data));
            }
            Event::SubgroupEnd { stream, end } => {
                let at = find(&streams, *stream);
                streams[at].2.end = Some(*end);
            }
            _ => {}
        }
    }
    streams.into_iter().map(|(.., received)| received).collect()
}

impl Received {
    fn add(&mut self, object: Option<Object>) {
        if let Some(object) = object {
            self.objects
                .push((object.location.object.0, object.payload.to_vec()));
        }
    }
}
