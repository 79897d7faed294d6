use bytes::Bytes;

use crate::varint::{Reader, encode_varint, when_complete};
use crate::{
    DecodeError, Draft, GroupId, MessageType, Priority, RequestId, SubgroupId, TrackAlias,
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

/// The first bytes of a fetch stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FetchHeader {
    /// The FETCH (draft 22: or the SUBSCRIBE whose fill this is).
    pub request_id: RequestId,
}

impl StreamHeader {
    /// The stream type of padding.
    pub const PADDING: u64 = 0x132B_3E28;

    /// Decodes the header at the start of `buf` and says how many bytes it has; `None`: there are
    /// fewer than that yet. [`Self::Control`] has none: SETUP begins at the start of `buf`.
    pub fn decode(_draft: Draft, buf: &Bytes) -> Result<Option<(Self, usize)>, DecodeError> {
        let mut reader = Reader::new(buf, "a stream header");
        let header = when_complete(Self::read(&mut reader))?;
        Ok(header.map(|header| match header {
            Self::Control => (header, 0),
            _ => (header, reader.position()),
        }))
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = reader.varint()?;
        if kind == MessageType::Setup.code() {
            return Ok(Self::Control);
        }
        match kind {
            Self::PADDING => Ok(Self::Padding),
            FetchHeader::TYPE => Ok(Self::Fetch(FetchHeader {
                request_id: RequestId(reader.varint()?),
            })),
            0..0x80 => SubgroupHeader::read(kind as u8, reader).map(Self::Subgroup),
            _ => Err(invalid("unknown stream type")),
        }
    }
}

impl SubgroupHeader {
    /// Appends the header, type included.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut flags = BASE;
        flags |= flag(self.has_properties, PROPERTIES);
        flags |= match self.subgroup {
            SubgroupIdMode::Zero => 0,
            SubgroupIdMode::FirstObject => ID_IS_FIRST_OBJECT,
            SubgroupIdMode::Explicit(_) => ID_IS_EXPLICIT,
        };
        flags |= flag(self.end_of_group, END_OF_GROUP);
        flags |= flag(self.priority.is_none(), DEFAULT_PRIORITY);
        flags |= flag(self.first_object, FIRST_OBJECT);
        out.push(flags);
        encode_varint(self.track_alias.0, out);
        encode_varint(self.group.0, out);
        if let SubgroupIdMode::Explicit(id) = self.subgroup {
            encode_varint(id.0, out);
        }
        if let Some(priority) = self.priority {
            out.push(priority.0);
        }
    }

    fn read(flags: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if flags & BASE == 0 {
            return Err(invalid("unknown stream type"));
        }
        if flags & ID_MODE == ID_MODE {
            return Err(invalid("a reserved subgroup id mode"));
        }
        let track_alias = TrackAlias(reader.varint()?);
        let group = GroupId(reader.varint()?);
        let subgroup = match flags & ID_MODE {
            ID_IS_FIRST_OBJECT => SubgroupIdMode::FirstObject,
            ID_IS_EXPLICIT => SubgroupIdMode::Explicit(SubgroupId(reader.varint()?)),
            _ => SubgroupIdMode::Zero,
        };
        let priority = match flags & DEFAULT_PRIORITY {
            0 => Some(Priority(reader.u8()?)),
            _ => None,
        };
        Ok(Self {
            track_alias,
            group,
            subgroup,
            priority,
            has_properties: flags & PROPERTIES != 0,
            end_of_group: flags & END_OF_GROUP != 0,
            first_object: flags & FIRST_OBJECT != 0,
        })
    }
}

impl FetchHeader {
    const TYPE: u64 = 0x05;

    /// Appends the header, type included.
    pub fn encode(&self, out: &mut Vec<u8>) {
        encode_varint(Self::TYPE, out);
        encode_varint(self.request_id.0, out);
    }
}

const fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

const fn invalid(detail: &'static str) -> DecodeError {
    DecodeError::Invalid {
        field: "a stream header",
        detail,
    }
}

const PROPERTIES: u8 = 0x01;
const ID_MODE: u8 = 0x06;
const ID_IS_FIRST_OBJECT: u8 = 0x02;
const ID_IS_EXPLICIT: u8 = 0x04;
const END_OF_GROUP: u8 = 0x08;
const BASE: u8 = 0x10;
const DEFAULT_PRIORITY: u8 = 0x20;
const FIRST_OBJECT: u8 = 0x40;
