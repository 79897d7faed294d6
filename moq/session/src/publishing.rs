use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{
    FetchObject, GroupId, Location, ObjectHeader, ObjectStatus, Priority, Properties, ResetCode,
    SubgroupIdMode,
};

use crate::{RequestKey, SendRefused, Session, StreamId};

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
        let _ = (options, now);
        Err(SendRefused::NotPublished(key))
    }

    /// Sends bytes that are encoded already: the cheap way for a relay. `data` may be a part of
    /// an object or several.
    pub fn write_raw(
        &mut self,
        stream: StreamId,
        data: Bytes,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let _ = (data, now);
        Err(SendRefused::StreamGone(stream))
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
        let _ = (header, payload, now);
        Err(SendRefused::StreamGone(stream))
    }

    /// Opens the stream of objects for a FETCH of the peer's.
    pub fn open_fetch(&mut self, key: RequestKey, now: Instant) -> Result<StreamId, SendRefused> {
        let _ = now;
        Err(SendRefused::NotPublished(key))
    }

    /// Encodes and sends an entry on a fetch stream.
    pub fn write_fetch_object(
        &mut self,
        stream: StreamId,
        object: &FetchObject,
        payload: Bytes,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let _ = (object, payload, now);
        Err(SendRefused::StreamGone(stream))
    }

    /// Ends a subgroup or fetch stream after everything written to it.
    pub fn finish_subgroup(&mut self, stream: StreamId, now: Instant) -> Result<(), SendRefused> {
        let _ = now;
        Err(SendRefused::StreamGone(stream))
    }

    /// Gives up a subgroup or fetch stream.
    pub fn reset_subgroup(
        &mut self,
        stream: StreamId,
        code: ResetCode,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let _ = (code, now);
        Err(SendRefused::StreamGone(stream))
    }

    /// Sends an object as a datagram.
    pub fn send_datagram(
        &mut self,
        key: RequestKey,
        datagram: DatagramOptions,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let _ = (datagram, now);
        Err(SendRefused::NotPublished(key))
    }

    /// Reads no further from a data stream of the peer's; no event of it follows.
    pub fn stop_stream(&mut self, stream: StreamId, code: ResetCode, now: Instant) {
        let _ = (stream, code, now);
    }

    /// Bytes of a subscription or fetch that wait in this session.
    pub fn queued_bytes(&self, key: RequestKey) -> usize {
        let _ = key;
        0
    }

    /// Bytes of data that wait in this session, in all.
    pub fn total_queued_bytes(&self) -> usize {
        0
    }
}
