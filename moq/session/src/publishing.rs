use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{
    Datagram, FetchCursor, FetchHeader, FetchObject, GroupId, Location, ObjectHeader, ObjectStatus,
    Priority, Properties, ResetCode, SubgroupHeader, SubgroupIdMode,
};

use crate::{
    DropReason, RequestKey, SendRefused, Session, StreamId,
    inbound::Inbound,
    request::{Kind, Origin, Sending},
    scheduler::{Encoder, SubgroupTimeouts},
};

/// How a subgroup stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubgroupOptions {
    /// The group.
    pub group: GroupId,
    /// The subgroup.
    pub subgroup: SubgroupIdMode,
    /// The publisher's priority; `None`: the track's default.
    pub priority: Option<Priority>,
    /// Whether every object carries properties.
    pub has_properties: bool,
    /// Whether the last object before the end of the stream is the last of its group.
    pub end_of_group: bool,
    /// Whether the first object here is the first of the subgroup.
    pub first_object: bool,
}

/// An object to send as a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatagramOptions {
    /// Its place.
    pub location: Location,
    /// The publisher's priority; `None`: the track's default.
    pub priority: Option<Priority>,
    /// Whether it is the last object of its group.
    pub end_of_group: bool,
    /// Its properties.
    pub properties: Properties,
    /// Its status; other than `Normal` only without payload.
    pub status: ObjectStatus,
    /// Its content.
    pub payload: Bytes,
}

/// Sending objects of a subscription or fetch that this side publishes.
impl Session {
    /// Opens a stream for a subgroup; the header is queued with the track's alias filled in.
    pub fn open_subgroup(
        &mut self,
        key: RequestKey,
        options: &SubgroupOptions,
        now: Instant,
    ) -> Result<StreamId, SendRefused> {
        let sending = self.sending(key)?;
        let header = SubgroupHeader {
            track_alias: sending.alias,
            group: options.group,
            subgroup: options.subgroup,
            priority: options.priority,
            has_properties: options.has_properties,
            end_of_group: options.end_of_group,
            first_object: options.first_object,
        };
        let subgroup = match options.subgroup {
            SubgroupIdMode::Zero | SubgroupIdMode::FirstObject => 0,
            SubgroupIdMode::Explicit(id) => id.0,
        };
        let encoder = Encoder::Subgroup {
            has_properties: options.has_properties,
            previous: None,
        };
        let stream =
            self.scheduler
                .open_data(key, options.group, subgroup, options.priority, encoder)?;
        if let Ok(sending) = self.sending(key) {
            sending.streams_opened += 1;
        }
        let mut bytes = Vec::with_capacity(32);
        header.encode(&mut bytes);
        self.write_raw(stream, bytes.into(), now)?;
        Ok(stream)
    }

    /// Gives a subgroup timeouts of its own: those that its first object has as properties.
    ///
    /// draft-ietf-moq-transport-22, "Delivery Timeouts and Data Reliability".
    pub fn set_timeouts(&mut self, stream: StreamId, timeouts: SubgroupTimeouts) {
        self.scheduler.set_timeouts(stream, timeouts);
    }

    /// Sends bytes that are encoded already: the cheap way for a relay. `data` may be a part of
    /// an object or several.
    pub fn write_raw(
        &mut self,
        stream: StreamId,
        data: Bytes,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let result = self.scheduler.write(stream, data, now);
        if self.scheduler.has_notes() {
            self.take_notes(now);
        }
        result
    }

    /// Encodes and sends an object on a subgroup stream; `header.payload_len` must be the
    /// length of `payload`, or `write_raw` brings the rest.
    pub fn write_object(
        &mut self,
        stream: StreamId,
        header: &ObjectHeader,
        payload: Bytes,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let Some(Encoder::Subgroup {
            has_properties,
            previous,
        }) = self.scheduler.encoder(stream)
        else {
            return Err(SendRefused::StreamGone(stream));
        };
        let mut bytes = Vec::with_capacity(header_capacity(&header.properties, &payload));
        header
            .encode(*previous, *has_properties, &mut bytes)
            .map_err(|_| SendRefused::Unencodable)?;
        *previous = Some(header.id);
        self.write_with_payload(stream, bytes, payload, now)
    }

    /// Opens the stream of objects for a FETCH of the peer's.
    pub fn open_fetch(&mut self, key: RequestKey, now: Instant) -> Result<StreamId, SendRefused> {
        if self.is_closed() {
            return Err(SendRefused::Closed);
        }
        let refused = SendRefused::NotPublished(key);
        let request = self
            .requests
            .get(&key.0)
            .filter(|r| r.origin == Origin::Peer);
        let request = request.ok_or(refused)?;
        let Kind::Fetch(fetching) = &request.kind else {
            return Err(refused);
        };
        if fetching.stream.is_some() {
            return Err(refused);
        }
        let (request_id, order) = (request.id, fetching.order);
        let encoder = Encoder::Fetch(FetchCursor::new(self.config.draft, order));
        let stream = self
            .scheduler
            .open_data(key, GroupId(0), 0, None, encoder)?;
        if let Some(Kind::Fetch(fetching)) = self
            .requests
            .get_mut(&key.0)
            .map(|request| &mut request.kind)
        {
            fetching.stream = Some(stream);
        }
        let mut bytes = Vec::with_capacity(16);
        FetchHeader { request_id }.encode(&mut bytes);
        self.write_raw(stream, bytes.into(), now)?;
        Ok(stream)
    }

    /// Encodes and sends an entry on a fetch stream.
    pub fn write_fetch_object(
        &mut self,
        stream: StreamId,
        object: &FetchObject,
        payload: Bytes,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let full = self.scheduler.is_full(stream);
        let Some(Encoder::Fetch(cursor)) = self.scheduler.encoder(stream) else {
            return Err(SendRefused::StreamGone(stream));
        };
        // Before the cursor moves: the same entry is written again later.
        full?;
        let mut bytes = Vec::with_capacity(64 + small(&payload));
        object
            .encode(cursor, &mut bytes)
            .map_err(|_| SendRefused::Unencodable)?;
        self.write_with_payload(stream, bytes, payload, now)
    }

    /// Ends a subgroup or fetch stream after everything written to it.
    pub fn finish_subgroup(&mut self, stream: StreamId, now: Instant) -> Result<(), SendRefused> {
        self.scheduler.finish(stream, now)?;
        self.sent_fetch(stream);
        self.take_notes(now);
        Ok(())
    }

    /// Gives up a subgroup or fetch stream.
    pub fn reset_subgroup(
        &mut self,
        stream: StreamId,
        code: ResetCode,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let Some(key) = self.scheduler.flow_of(stream) else {
            return Err(SendRefused::StreamGone(stream));
        };
        self.scheduler
            .drop_stream(stream, code.to_u64(), DropReason::ResetByUser);
        self.sent_fetch_of(key);
        self.take_notes(now);
        Ok(())
    }

    /// Sends an object as a datagram.
    pub fn send_datagram(
        &mut self,
        key: RequestKey,
        datagram: DatagramOptions,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let sending = self.sending(key)?;
        let DatagramOptions {
            location,
            priority,
            end_of_group,
            properties,
            status,
            payload,
        } = datagram;
        let mut bytes = Vec::with_capacity(header_capacity(&properties, &payload) + payload.len());
        let track_alias = sending.alias;
        Datagram {
            track_alias,
            location,
            priority,
            end_of_group,
            properties,
            status,
            payload,
        }
        .encode(&mut bytes)
        .map_err(|_| SendRefused::Unencodable)?;
        let result = self
            .scheduler
            .send_datagram(key, location, priority, bytes.into(), now);
        self.take_notes(now);
        result
    }

    /// Reads no further from a data stream of the peer's; no event of it follows.
    pub fn stop_stream(&mut self, stream: StreamId, code: ResetCode, now: Instant) {
        let key = match self.inbound.get(&stream) {
            Some(Inbound::Subgroup(reader)) => reader.key,
            Some(Inbound::Fetch(reader)) => reader.key,
            _ => return,
        };
        self.refuse_stream(stream, false, code);
        self.forget_stream(stream, key, now);
    }

    /// Bytes of a subscription or fetch that wait in this session.
    pub fn queued_bytes(&self, key: RequestKey) -> usize {
        self.scheduler.flow_queued(key)
    }

    /// Bytes of data that wait in this session, in all.
    pub const fn total_queued_bytes(&self) -> usize {
        self.scheduler.queued()
    }

    /// When the oldest of the bytes that wait on streams came; `None`: none waits. Looks at every
    /// stream: for measuring now and then.
    pub fn oldest_queued(&self) -> Option<Instant> {
        self.scheduler.oldest()
    }

    /// A subscription that this side may send objects for.
    pub(crate) fn sending(&mut self, key: RequestKey) -> Result<&mut Sending, SendRefused> {
        if self.is_closed() {
            return Err(SendRefused::Closed);
        }
        let refused = SendRefused::NotPublished(key);
        let request = self.requests.get_mut(&key.0).ok_or(refused)?;
        let open = request.established || request.origin == Origin::Own;
        match &mut request.kind {
            Kind::Sending(sending) if open && sending.done.is_none() => {
                if sending.forward {
                    Ok(sending)
                } else {
                    Err(SendRefused::NotForwarded(key))
                }
            }
            _ => Err(refused),
        }
    }

    fn write_with_payload(
        &mut self,
        stream: StreamId,
        mut header: Vec<u8>,
        payload: Bytes,
        now: Instant,
    ) -> Result<(), SendRefused> {
        if small(&payload) == payload.len() {
            header.extend_from_slice(&payload);
            return self.write_raw(stream, header.into(), now);
        }
        self.write_raw(stream, header.into(), now)?;
        let result = self.scheduler.write_part(stream, payload, now, false);
        self.take_notes(now);
        result
    }

    /// A fetch is over when its stream is; the request's stream follows once it is answered.
    fn sent_fetch(&mut self, stream: StreamId) {
        if let Some(key) = self.scheduler.flow_of(stream) {
            self.sent_fetch_of(key);
        }
    }

    fn sent_fetch_of(&mut self, key: RequestKey) {
        self.end_fill(key);
        let Some(request) = self.requests.get_mut(&key.0) else {
            return;
        };
        let Kind::Fetch(fetching) = &mut request.kind else {
            return;
        };
        fetching.ended = true;
        if request.established {
            self.scheduler
                .close_flow(key, ResetCode::Cancelled.to_u64());
        }
    }
}

/// Payloads up to this length are copied behind their header, larger ones are shared.
const SMALL_PAYLOAD: usize = 512;

fn small(payload: &Bytes) -> usize {
    if payload.len() <= SMALL_PAYLOAD {
        payload.len()
    } else {
        0
    }
}

fn header_capacity(properties: &Properties, payload: &Bytes) -> usize {
    32 + properties.as_bytes().len() + small(payload)
}
