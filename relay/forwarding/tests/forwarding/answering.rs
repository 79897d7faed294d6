//! A publisher that answers a FETCH of the relay.

use bytes::Bytes;
use parvis_forwarding::{Input, PeerId, RequestRef, Signal, SubgroupEnd};
use parvis_wire::{
    FetchObject, FetchOk, FetchRange, FullTrackName, Location, Parameters, Priority, Properties,
    RequestErrorCode, SubgroupId,
};

use crate::support::{Relay, payload, rejected};

#[derive(Debug)]
pub struct Answering {
    peer: PeerId,
    pub request: RequestRef,
    pub track: FullTrackName,
    start: Location,
    end: Location,
    pub parameters: Parameters,
}

impl Answering {
    /// The one FETCH among what a publisher heard since the last time.
    pub fn to_one(relay: &mut Relay, peer: PeerId) -> Self {
        let mut asked = Self::to_all(relay, peer);
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }

    /// The FETCHes among what a publisher heard since the last time.
    pub fn to_all(relay: &mut Relay, peer: PeerId) -> Vec<Self> {
        let heard = relay.heard(peer).into_iter();
        heard
            .filter_map(|(r, signal)| Self::new(peer, r, signal))
            .collect()
    }

    pub fn new(peer: PeerId, request: RequestRef, signal: Signal) -> Option<Self> {
        let Signal::Fetch {
            range,
            parameters,
            joining,
        } = signal
        else {
            return None;
        };
        assert_eq!(joining, None);
        let FetchRange::Standalone { track, start, end } = range else {
            panic!("a relay asks for ranges: {range:?}")
        };
        let end = Location::new(end.0.0, end.1.map_or(u64::MAX, |object| object.0));
        Some(Self {
            peer,
            request,
            track,
            start,
            end,
            parameters,
        })
    }

    pub fn window(&self) -> (Location, Location) {
        (self.start, self.end)
    }

    pub fn accept(&self, relay: &mut Relay, end: Location) {
        self.accept_with(relay, end, Properties::EMPTY);
    }

    pub fn accept_with(&self, relay: &mut Relay, end: Location, track_properties: Properties) {
        let answer = FetchOk {
            end_of_track: false,
            end,
            parameters: Parameters::default(),
            track_properties,
        };
        relay.say(self.peer, self.request, Signal::FetchOk(answer));
    }

    pub fn reject(&self, relay: &mut Relay, code: RequestErrorCode) {
        relay.say(self.peer, self.request, rejected(code));
    }

    /// Sends an object in pieces of at most `chunk` bytes.
    pub fn object(&mut self, relay: &mut Relay, at: Location, chunk: usize) {
        for input in self.encode(at, chunk) {
            relay.input(self.peer, input);
        }
    }

    /// An object as inputs.
    pub fn encode(&self, at: Location, chunk: usize) -> Vec<Input> {
        let payload = payload(at.group, at.object.0);
        let object = FetchObject::Object {
            location: at,
            subgroup: Some(SubgroupId(0)),
            priority: Priority(128),
            properties: Some(Properties::EMPTY),
            payload_len: payload.len() as u64,
        };
        let (peer, request) = (self.peer, self.request);
        let mut chunks = payload.chunks(chunk);
        let first = chunks.next().unwrap_or_default();
        let first = Input::FetchObject {
            peer,
            request,
            object: Box::new(object),
            payload: Bytes::copy_from_slice(first),
        };
        let rest = chunks.map(|data| Input::FetchData {
            peer,
            request,
            data: Bytes::copy_from_slice(data),
        });
        std::iter::once(first).chain(rest).collect()
    }

    pub fn entry(&self, relay: &mut Relay, entry: FetchObject) {
        let input = Input::FetchObject {
            peer: self.peer,
            request: self.request,
            object: Box::new(entry),
            payload: Bytes::new(),
        };
        relay.input(self.peer, input);
    }

    pub fn finish(&self, relay: &mut Relay) {
        self.end(relay, SubgroupEnd::Finished);
    }

    pub fn end(&self, relay: &mut Relay, end: SubgroupEnd) {
        relay.input(self.peer, self.ended(end));
    }

    /// The end of the stream as an input.
    pub fn ended(&self, end: SubgroupEnd) -> Input {
        let (peer, request) = (self.peer, self.request);
        Input::FetchEnd { peer, request, end }
    }
}
