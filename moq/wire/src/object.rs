use bytes::Bytes;

use crate::{
    GroupId, Location, ObjectId, Priority, Properties, RequestId, SubgroupId, TrackAlias,
};

/// What a unidirectional stream carries, known from its first field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamHeader {
    /// Control messages, SETUP first. The type field is SETUP's own and is not consumed.
    Control,
    /// Objects of a subgroup.
    Subgroup(SubgroupHeader),
    /// Objects that a FETCH asked for.
    Fetch(FetchHeader),
    /// Padding: read and thrown away.
    Padding,
}

/// How a subgroup header says its subgroup id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubgroupIdMode {
    /// Absent; the id is 0.
    Zero,
    /// Absent; the id is that of the first object.
    FirstObject,
    /// Present.
    Explicit(SubgroupId),
}

/// The first bytes of a subgroup stream. draft-ietf-moq-transport-22, "Subgroup Header".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubgroupHeader {
    /// The track.
    pub track_alias: TrackAlias,
    /// The group.
    pub group: GroupId,
    /// The subgroup.
    pub subgroup: SubgroupIdMode,
    /// The publisher's priority; `None`: the track's default.
    pub priority: Option<Priority>,
    /// Whether every object carries properties.
    pub has_properties: bool,
    /// Whether the last object before a FIN is the last of its group.
    pub end_of_group: bool,
    /// Whether the first object here is the first of the subgroup.
    pub first_object: bool,
}

/// Whether an object carries content, or what it says instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ObjectStatus {
    /// Content, perhaps of length 0.
    #[default]
    Normal,
    /// No later object is in this group.
    EndOfGroup,
    /// No later object is in this track.
    EndOfTrack,
}

/// The header of an object on a subgroup stream; `payload_len` bytes follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHeader {
    /// The object.
    pub id: ObjectId,
    /// Its properties, byte for byte; empty where the subgroup has none.
    pub properties: Properties,
    /// Its status; other than `Normal` only when `payload_len` is 0.
    pub status: ObjectStatus,
    /// How many bytes of payload follow.
    pub payload_len: u64,
}

/// An object in a QUIC datagram. draft-ietf-moq-transport-22, "Object Datagram".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The track.
    pub track_alias: TrackAlias,
    /// The object's place.
    pub location: Location,
    /// The publisher's priority; `None`: the track's default.
    pub priority: Option<Priority>,
    /// Whether this is the last object of its group.
    pub end_of_group: bool,
    /// The object's properties.
    pub properties: Properties,
    /// Its status; other than `Normal` only without payload.
    pub status: ObjectStatus,
    /// Its content.
    pub payload: Bytes,
}

/// The first bytes of a fetch stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FetchHeader {
    /// The FETCH (draft 22: or the SUBSCRIBE whose fill this is).
    pub request_id: RequestId,
}

/// The header of one entry on a fetch stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchObject {
    /// An object; `payload_len` bytes follow.
    Object {
        /// Its place.
        location: Location,
        /// Its subgroup; `None`: it was sent as a datagram.
        subgroup: Option<SubgroupId>,
        /// The publisher's priority.
        priority: Priority,
        /// Its properties; `None`: absent.
        properties: Option<Properties>,
        /// How many bytes of payload follow.
        payload_len: u64,
    },
    /// No object exists from the last entry to here, inclusive.
    EndOfNonExistentRange(Location),
    /// Nothing is known from the last entry to here, inclusive.
    EndOfUnknownRange(Location),
    /// Draft 22: given up for lack of time from the last entry to here, inclusive.
    EndOfTimedOutRange(Location),
}
