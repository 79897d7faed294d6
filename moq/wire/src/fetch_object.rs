use bytes::Bytes;

use crate::varint::{Reader, encode_prefixed, encode_varint, when_complete};
use crate::{
    DecodeError, Draft, EncodeError, GroupId, GroupOrder, Location, Priority, Properties,
    SubgroupId,
};

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

/// What entries of one fetch stream are relative to: one for each stream and direction.
#[derive(Debug, Clone)]
pub struct FetchCursor {
    draft: Draft,
    order: GroupOrder,
    location: Option<Location>,
    subgroup: Option<SubgroupId>,
    priority: Option<Priority>,
}

impl FetchCursor {
    /// The start of a stream.
    pub const fn new(draft: Draft, order: GroupOrder) -> Self {
        Self {
            draft,
            order,
            location: None,
            subgroup: None,
            priority: None,
        }
    }

    fn advance(&mut self, entry: &FetchObject) {
        self.location = Some(entry.location());
        if let FetchObject::Object {
            subgroup, priority, ..
        } = entry
        {
            self.subgroup = subgroup.or(self.subgroup);
            self.priority = Some(*priority);
        }
    }

    fn resolve(
        &self,
        group_delta: Option<u64>,
        object_delta: Option<u64>,
    ) -> Result<Location, DecodeError> {
        let Some(prior) = self.location else {
            let (Some(group), Some(object)) = (group_delta, object_delta) else {
                return Err(NO_PRIOR);
            };
            return Ok(Location::new(group, object));
        };
        let group = match group_delta {
            None => Some(prior.group.0),
            Some(delta) => delta.checked_add(1).and_then(|step| match self.order {
                GroupOrder::Ascending => prior.group.0.checked_add(step),
                GroupOrder::Descending => prior.group.0.checked_sub(step),
            }),
        };
        let object = match (group_delta, object_delta) {
            (Some(_), Some(object)) => Some(object),
            (None, Some(delta)) => prior.object.0.checked_add(delta),
            (_, None) => prior.object.0.checked_add(1),
        };
        match (group, object) {
            (Some(group), Some(object)) => Ok(Location::new(group, object)),
            _ => Err(invalid("a group or object id leaves 64 bits")),
        }
    }

    /// The group's delta, if it is not the prior one's.
    fn group_delta(&self, group: GroupId) -> Result<Option<u64>, EncodeError> {
        let Some(prior) = self.location else {
            return Ok(Some(group.0));
        };
        if prior.group == group {
            return Ok(None);
        }
        let step = match self.order {
            GroupOrder::Ascending => group.0.checked_sub(prior.group.0),
            GroupOrder::Descending => prior.group.0.checked_sub(group.0),
        };
        let detail = "it goes against the group order";
        step.map(|step| Some(step - 1)).ok_or(EncodeError::Invalid {
            field: "group",
            detail,
        })
    }
}

impl FetchObject {
    /// Where the entry is, or ends.
    pub const fn location(&self) -> Location {
        match self {
            Self::Object { location, .. }
            | Self::EndOfNonExistentRange(location)
            | Self::EndOfUnknownRange(location)
            | Self::EndOfTimedOutRange(location) => *location,
        }
    }

    /// Decodes the header at the start of `buf` and says how many bytes it has; `None`: there are
    /// fewer than that yet. The cursor moves only when there is an entry.
    pub fn decode(
        buf: &Bytes,
        cursor: &mut FetchCursor,
    ) -> Result<Option<(Self, usize)>, DecodeError> {
        let mut reader = Reader::new(buf, "a fetch object");
        let Some(entry) = when_complete(Self::read(&mut reader, cursor))? else {
            return Ok(None);
        };
        cursor.advance(&entry);
        Ok(Some((entry, reader.position())))
    }

    fn read(reader: &mut Reader<'_>, cursor: &FetchCursor) -> Result<Self, DecodeError> {
        let flags = reader.varint()?;
        let end: fn(Location) -> Self = match flags {
            0..0x80 => return Self::read_object(flags, reader, cursor),
            END_OF_NON_EXISTENT_RANGE => Self::EndOfNonExistentRange,
            END_OF_UNKNOWN_RANGE => Self::EndOfUnknownRange,
            END_OF_TIMED_OUT_RANGE if cursor.draft == Draft::D22 => Self::EndOfTimedOutRange,
            _ => return Err(invalid("unknown serialization flags")),
        };
        let (group, object) = (reader.varint()?, reader.varint()?);
        if reader.varint()? != 0 {
            return Err(invalid("the end of a range has no payload"));
        }
        Ok(end(match cursor.draft {
            Draft::D18 => Location::new(group, object),
            Draft::D22 => cursor.resolve(Some(group), Some(object))?,
        }))
    }

    fn read_object(
        flags: u64,
        reader: &mut Reader<'_>,
        cursor: &FetchCursor,
    ) -> Result<Self, DecodeError> {
        let is_datagram = flags & DATAGRAM != 0;
        let group_delta = optional(flags & GROUP_DELTA != 0, || reader.varint())?;
        let subgroup = match flags & SUBGROUP_MODE {
            _ if is_datagram => None,
            SUBGROUP_ZERO => Some(SubgroupId(0)),
            SUBGROUP_PRIOR => Some(cursor.subgroup.ok_or(NO_PRIOR)?),
            SUBGROUP_NEXT => {
                let next = cursor.subgroup.ok_or(NO_PRIOR)?.0.checked_add(1);
                Some(SubgroupId(
                    next.ok_or(invalid("the subgroup id exceeds 64 bits"))?,
                ))
            }
            _ => Some(SubgroupId(reader.varint()?)),
        };
        let object_delta = optional(flags & OBJECT_DELTA != 0, || reader.varint())?;
        let priority = match optional(flags & PRIORITY != 0, || reader.u8())? {
            Some(priority) => Priority(priority),
            None => cursor.priority.ok_or(NO_PRIOR)?,
        };
        let properties = optional(flags & PROPERTIES != 0, || {
            Properties::read_prefixed(reader)
        })?;
        let payload_len = reader.varint()?;
        let location = cursor.resolve(group_delta, object_delta)?;
        Ok(Self::Object {
            location,
            subgroup,
            priority,
            properties,
            payload_len,
        })
    }

    /// Appends the header in its shortest form and moves the cursor; does neither on error.
    ///
    /// In draft 22 the end of a range cannot be in the group of the entry before it.
    pub fn encode(&self, cursor: &mut FetchCursor, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Object {
                location,
                subgroup,
                priority,
                properties,
                payload_len,
            } => {
                let mut fields = Vec::with_capacity(32);
                let mut flags = cursor.write_place(*location, *subgroup, &mut fields)?;
                if cursor.priority != Some(*priority) {
                    flags |= PRIORITY;
                    fields.push(priority.0);
                }
                if let Some(properties) = properties {
                    properties.check_len()?;
                    flags |= PROPERTIES;
                    encode_prefixed(properties.as_bytes(), &mut fields);
                }
                encode_varint(*payload_len, &mut fields);
                encode_varint(flags, out);
                out.append(&mut fields);
            }
            Self::EndOfNonExistentRange(end) => {
                cursor.write_end(END_OF_NON_EXISTENT_RANGE, *end, out)?;
            }
            Self::EndOfUnknownRange(end) => cursor.write_end(END_OF_UNKNOWN_RANGE, *end, out)?,
            Self::EndOfTimedOutRange(end) => match cursor.draft {
                Draft::D22 => cursor.write_end(END_OF_TIMED_OUT_RANGE, *end, out)?,
                Draft::D18 => {
                    let what = "end of a timed-out range";
                    return Err(EncodeError::NotInDraft {
                        what,
                        draft: Draft::D18,
                    });
                }
            },
        }
        cursor.advance(self);
        Ok(())
    }
}

impl FetchCursor {
    /// Appends group, subgroup and object and returns the flags that say so.
    fn write_place(
        &self,
        location: Location,
        subgroup: Option<SubgroupId>,
        fields: &mut Vec<u8>,
    ) -> Result<u64, EncodeError> {
        let mut flags = 0;
        let group_delta = self.group_delta(location.group)?;
        if let Some(delta) = group_delta {
            flags |= GROUP_DELTA;
            encode_varint(delta, fields);
        }
        let next = self
            .subgroup
            .and_then(|subgroup| subgroup.0.checked_add(1))
            .map(SubgroupId);
        flags |= match subgroup {
            None => DATAGRAM,
            Some(SubgroupId(0)) => SUBGROUP_ZERO,
            same if same == self.subgroup => SUBGROUP_PRIOR,
            following if following == next => SUBGROUP_NEXT,
            Some(explicit) => {
                encode_varint(explicit.0, fields);
                SUBGROUP_EXPLICIT
            }
        };
        let same_group = self.location.filter(|_| group_delta.is_none());
        let Some(prior) = same_group else {
            encode_varint(location.object.0, fields);
            return Ok(flags | OBJECT_DELTA);
        };
        match location.object.0.checked_sub(prior.object.0) {
            None | Some(0) => return Err(NOT_LATER),
            Some(1) => {}
            Some(delta) => {
                flags |= OBJECT_DELTA;
                encode_varint(delta, fields);
            }
        }
        Ok(flags)
    }

    fn write_end(&self, flags: u64, end: Location, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let group = match self.draft {
            Draft::D18 => end.group.0,
            Draft::D22 => self.group_delta(end.group)?.ok_or(EncodeError::Invalid {
                field: "the end of a range",
                detail: "draft 22 cannot place it in the group of the entry before it",
            })?,
        };
        for field in [flags, group, end.object.0, 0] {
            encode_varint(field, out);
        }
        Ok(())
    }
}

fn optional<T>(
    present: bool,
    read: impl FnOnce() -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    if present { read().map(Some) } else { Ok(None) }
}

const fn invalid(detail: &'static str) -> DecodeError {
    DecodeError::Invalid {
        field: "a fetch object",
        detail,
    }
}

const NO_PRIOR: DecodeError = invalid("it refers to an object before it, which there is none");
const NOT_LATER: EncodeError = EncodeError::Invalid {
    field: "object",
    detail: "it must be after the one before it",
};

const SUBGROUP_MODE: u64 = 0x03;
const SUBGROUP_ZERO: u64 = 0x00;
const SUBGROUP_PRIOR: u64 = 0x01;
const SUBGROUP_NEXT: u64 = 0x02;
const SUBGROUP_EXPLICIT: u64 = 0x03;
const OBJECT_DELTA: u64 = 0x04;
const GROUP_DELTA: u64 = 0x08;
const PRIORITY: u64 = 0x10;
const PROPERTIES: u64 = 0x20;
const DATAGRAM: u64 = 0x40;
const END_OF_NON_EXISTENT_RANGE: u64 = 0x8C;
const END_OF_UNKNOWN_RANGE: u64 = 0x10C;
const END_OF_TIMED_OUT_RANGE: u64 = 0x20C;
