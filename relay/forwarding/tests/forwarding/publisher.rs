//! What a publisher sends.

use bytes::Bytes;
use parvis_forwarding::{Input, PeerId, RequestRef, SubgroupEnd, UpstreamStream};
use parvis_wire::{
    GroupId, ObjectHeader, ObjectId, ObjectStatus, Properties, SubgroupHeader, SubgroupIdMode,
    TrackAlias,
};

use crate::support::Relay;

/// A publisher's stream of objects.
#[derive(Debug, Clone)]
pub struct Publishing {
    peer: PeerId,
    pub stream: UpstreamStream,
    header: SubgroupHeader,
    previous: Option<ObjectId>,
    /// Of the next objects.
    pub properties: Properties,
}

impl Publishing {
    /// A stream that is opened already.
    pub fn new(peer: PeerId, stream: UpstreamStream, header: SubgroupHeader) -> Self {
        Self {
            peer,
            stream,
            header,
            previous: None,
            properties: Properties::EMPTY,
        }
    }

    pub fn open(
        relay: &mut Relay,
        (peer, request): (PeerId, RequestRef),
        stream: u64,
        group: u64,
        subgroup: SubgroupIdMode,
    ) -> Self {
        let header = SubgroupHeader {
            track_alias: TrackAlias(7),
            group: GroupId(group),
            subgroup,
            priority: None,
            has_properties: true,
            end_of_group: false,
            first_object: true,
        };
        let stream = UpstreamStream(stream);
        relay.input(
            peer,
            Input::Subgroup {
                peer,
                request,
                stream,
                header,
            },
        );
        Self {
            peer,
            stream,
            header,
            previous: None,
            properties: Properties::EMPTY,
        }
    }

    /// Sends an object in pieces of at most `chunk` bytes of payload.
    pub fn object(&mut self, relay: &mut Relay, id: u64, chunk: usize) {
        let (first, rest) = self.encode(id, chunk);
        relay.input(self.peer, first);
        for input in rest {
            relay.input(self.peer, input);
        }
    }

    /// An object as inputs: the first piece, and the others.
    pub fn encode(&mut self, id: u64, chunk: usize) -> (Input, Vec<Input>) {
        let payload = payload(self.header.group, id);
        let header = ObjectHeader {
            id: ObjectId(id),
            properties: self.properties.clone(),
            status: ObjectStatus::Normal,
            payload_len: payload.len() as u64,
        };
        let mut raw = Vec::new();
        header
            .encode(self.previous, self.header.has_properties, &mut raw)
            .expect("it encodes");
        self.previous = Some(header.id);
        let header_len = raw.len();
        let mut chunks = payload.chunks(chunk.max(1));
        raw.extend_from_slice(chunks.next().unwrap_or_default());
        let (peer, stream) = (self.peer, self.stream);
        let first = Input::Object {
            peer,
            stream,
            header,
            raw: raw.into(),
            header_len,
        };
        let data = |chunk| Input::Data {
            peer,
            stream,
            data: Bytes::copy_from_slice(chunk),
        };
        (first, chunks.map(data).collect())
    }

    pub fn end(self, relay: &mut Relay, end: SubgroupEnd) {
        relay.input(
            self.peer,
            Input::SubgroupEnd {
                peer: self.peer,
                stream: self.stream,
                end,
            },
        );
    }

    pub fn finish(self, relay: &mut Relay) {
        self.end(relay, SubgroupEnd::Finished);
    }
}

/// The payload that an object of this place has.
pub fn payload(group: GroupId, object: u64) -> Vec<u8> {
    let len = (group.0 * 31 + object * 7) % 40 + 1;
    (0..len).map(|i| (group.0 ^ object ^ i) as u8).collect()
}
