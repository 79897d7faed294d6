use bytes::Bytes;

use crate::varint::{Reader, encode_prefixed, encode_varint};
use crate::{DecodeError, EncodeError, Location, ObjectStatus, Priority, Properties, TrackAlias};

/// An object in a QUIC datagram. draft-ietf-moq-transport-22, "Object Datagram".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The track.
    pub track_alias: TrackAlias,
    /// The object's place.
    pub location: Location,
    /// The publisher's priority; `None`: the track's default.
    pub priority: Option<Priority>,
    /// Whether this is the last object of its group; only with status `Normal`.
    pub end_of_group: bool,
    /// The object's properties; only with status `Normal`.
    pub properties: Properties,
    /// Its status; other than `Normal` only without payload.
    pub status: ObjectStatus,
    /// Its content.
    pub payload: Bytes,
}

impl Datagram {
    /// The datagram type of padding.
    pub const PADDING: u64 = 0x132B_3E29;

    /// Whether a datagram is padding, to be thrown away instead of decoded.
    pub fn is_padding(bytes: &Bytes) -> bool {
        Reader::new(bytes, "a datagram").varint() == Ok(Self::PADDING)
    }

    /// Decodes a whole datagram.
    pub fn decode(bytes: &Bytes) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, "a datagram");
        let flags = reader.varint()?;
        if flags & !KNOWN != 0 {
            return Err(invalid("unknown datagram type"));
        }
        if flags & STATUS != 0 && flags & END_OF_GROUP != 0 {
            return Err(invalid("a type with both a status and the end of a group"));
        }
        let track_alias = TrackAlias(reader.varint()?);
        let group = reader.varint()?;
        let object = if flags & ZERO_OBJECT_ID == 0 {
            reader.varint()?
        } else {
            0
        };
        let priority = match flags & DEFAULT_PRIORITY {
            0 => Some(Priority(reader.u8()?)),
            _ => None,
        };
        let properties = match flags & PROPERTIES {
            0 => Properties::EMPTY,
            _ => Properties::read_prefixed(&mut reader)?,
        };
        if flags & PROPERTIES != 0 && properties.is_empty() {
            return Err(invalid("properties of length 0"));
        }
        let status = match flags & STATUS {
            0 => ObjectStatus::Normal,
            _ => ObjectStatus::from_u64(reader.varint()?)?,
        };
        if status != ObjectStatus::Normal && !properties.is_empty() {
            return Err(invalid("only an object with status Normal has properties"));
        }
        if flags & STATUS != 0 && !reader.is_empty() {
            return Err(invalid("payload after a status"));
        }
        Ok(Self {
            track_alias,
            location: Location::new(group, object),
            priority,
            end_of_group: flags & END_OF_GROUP != 0,
            properties,
            status,
            payload: reader.rest(),
        })
    }

    /// Appends the whole datagram; appends nothing on error.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let has_status = self.status != ObjectStatus::Normal;
        if has_status
            && (self.end_of_group || !self.payload.is_empty() || !self.properties.is_empty())
        {
            return Err(EncodeError::Invalid {
                field: "object status",
                detail: "only Normal has payload, properties or the end of a group",
            });
        }
        self.properties.check_len()?;
        let mut flags = 0;
        flags |= flag(!self.properties.is_empty(), PROPERTIES);
        flags |= flag(self.end_of_group, END_OF_GROUP);
        flags |= flag(self.location.object.0 == 0, ZERO_OBJECT_ID);
        flags |= flag(self.priority.is_none(), DEFAULT_PRIORITY);
        flags |= flag(has_status, STATUS);
        encode_varint(flags, out);
        encode_varint(self.track_alias.0, out);
        encode_varint(self.location.group.0, out);
        if self.location.object.0 != 0 {
            encode_varint(self.location.object.0, out);
        }
        if let Some(priority) = self.priority {
            out.push(priority.0);
        }
        if !self.properties.is_empty() {
            encode_prefixed(self.properties.as_bytes(), out);
        }
        if has_status {
            encode_varint(self.status.to_u64(), out);
        }
        out.extend_from_slice(&self.payload);
        Ok(())
    }
}

const fn flag(set: bool, bit: u64) -> u64 {
    if set { bit } else { 0 }
}

const fn invalid(detail: &'static str) -> DecodeError {
    DecodeError::Invalid {
        field: "a datagram",
        detail,
    }
}

const PROPERTIES: u64 = 0x01;
const END_OF_GROUP: u64 = 0x02;
const ZERO_OBJECT_ID: u64 = 0x04;
const DEFAULT_PRIORITY: u64 = 0x08;
const STATUS: u64 = 0x20;
const KNOWN: u64 = PROPERTIES | END_OF_GROUP | ZERO_OBJECT_ID | DEFAULT_PRIORITY | STATUS;
