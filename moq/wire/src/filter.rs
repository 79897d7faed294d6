use crate::varint::{Reader, encode_varint};
use crate::{DecodeError, Draft, EncodeError, GroupId, Location};

/// Which objects of a track a subscription or fetch asks for; every end is inclusive.
///
/// Draft 22, "Location Filter"; draft 18, "Subscription Filters".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LocationFilter {
    /// Every object (draft 22 type 0; draft 18 has no such form and encodes `AbsoluteStart` 0/0).
    Unfiltered,
    /// From the object after the largest one ("Largest Object" in draft 18).
    NextObject,
    /// From the start of the group after the largest one (draft 18 "Next Group Start"; draft 22
    /// relative start 0).
    NextGroup,
    /// From the start of the group that lies this many groups before the next one; draft 22 only.
    /// The codec maps 0 to [`Self::NextGroup`].
    RelativeStart(u64),
    /// From this location on.
    AbsoluteStart(Location),
    /// From this location to the end of a group.
    AbsoluteGroups {
        /// The first object.
        start: Location,
        /// The last group.
        end: GroupId,
    },
    /// From this location to that one; draft 22 only.
    AbsoluteRange {
        /// The first object.
        start: Location,
        /// The last object.
        end: Location,
    },
}

impl LocationFilter {
    /// Appends the parameter's value, in draft 18 with its length.
    pub(crate) fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match draft {
            Draft::D22 => self.encode_type_led(out),
            Draft::D18 => self.encode_prefixed(out),
        }
    }

    fn encode_type_led(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match *self {
            Self::Unfiltered => encode_varint(type_led::NONE, out),
            Self::NextGroup => encode_all(&[type_led::RELATIVE_START, 0], out),
            Self::RelativeStart(groups) => encode_all(&[type_led::RELATIVE_START, groups], out),
            Self::AbsoluteStart(start) => {
                encode_all(
                    &[type_led::ABSOLUTE_START, start.group.0, start.object.0],
                    out,
                );
            }
            Self::AbsoluteGroups { start, end } => {
                let delta = group_delta(start, end)?;
                let kind = type_led::ABSOLUTE_GROUPS;
                encode_all(&[kind, start.group.0, start.object.0, delta], out);
            }
            Self::AbsoluteRange { start, end } => {
                let delta = group_delta(start, end.group)?;
                let kind = type_led::ABSOLUTE_RANGE;
                encode_all(
                    &[kind, start.group.0, start.object.0, delta, end.object.0],
                    out,
                );
            }
            Self::NextObject => encode_varint(type_led::NEXT_OBJECT, out),
        }
        Ok(())
    }

    fn encode_prefixed(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut value = Vec::with_capacity(28);
        match *self {
            Self::NextGroup | Self::RelativeStart(0) => {
                encode_varint(prefixed::NEXT_GROUP, &mut value);
            }
            Self::NextObject => encode_varint(prefixed::NEXT_OBJECT, &mut value),
            Self::Unfiltered => encode_all(&[prefixed::ABSOLUTE_START, 0, 0], &mut value),
            Self::AbsoluteStart(start) => {
                let kind = prefixed::ABSOLUTE_START;
                encode_all(&[kind, start.group.0, start.object.0], &mut value);
            }
            Self::AbsoluteGroups { start, end } => {
                let delta = group_delta(start, end)?;
                let kind = prefixed::ABSOLUTE_GROUPS;
                encode_all(&[kind, start.group.0, start.object.0, delta], &mut value);
            }
            Self::RelativeStart(_) => return Err(not_in_18("relative start filter")),
            Self::AbsoluteRange { .. } => return Err(not_in_18("filter that ends inside a group")),
        }
        crate::varint::encode_prefixed(&value, out);
        Ok(())
    }

    /// Reads the parameter's value, in draft 18 with its length.
    pub(crate) fn decode(draft: Draft, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match draft {
            Draft::D22 => Self::decode_type_led(reader),
            Draft::D18 => {
                let value = reader.prefixed("a subscription filter", MAX_PREFIXED)?;
                Self::decode_prefixed(&mut Reader::new(&value, "a subscription filter"))
            }
        }
    }

    fn decode_type_led(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.varint()? {
            type_led::NONE => Self::Unfiltered,
            type_led::RELATIVE_START => match reader.varint()? {
                0 => Self::NextGroup,
                groups => Self::RelativeStart(groups),
            },
            type_led::ABSOLUTE_START => Self::AbsoluteStart(Location::decode(reader)?),
            type_led::ABSOLUTE_GROUPS => {
                let start = Location::decode(reader)?;
                Self::AbsoluteGroups {
                    start,
                    end: end_group(start, reader.varint()?)?,
                }
            }
            type_led::ABSOLUTE_RANGE => {
                let start = Location::decode(reader)?;
                let group = end_group(start, reader.varint()?)?;
                let end = Location::new(group.0, reader.varint()?);
                Self::AbsoluteRange { start, end }
            }
            type_led::NEXT_OBJECT => Self::NextObject,
            _ => return Err(invalid("a filter type from 0 to 5 was expected")),
        })
    }

    fn decode_prefixed(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let filter = match reader.varint()? {
            prefixed::NEXT_GROUP => Self::NextGroup,
            prefixed::NEXT_OBJECT => Self::NextObject,
            prefixed::ABSOLUTE_START => Self::AbsoluteStart(Location::decode(reader)?),
            prefixed::ABSOLUTE_GROUPS => {
                let start = Location::decode(reader)?;
                Self::AbsoluteGroups {
                    start,
                    end: end_group(start, reader.varint()?)?,
                }
            }
            _ => return Err(invalid("a filter type from 1 to 4 was expected")),
        };
        if reader.is_empty() {
            Ok(filter)
        } else {
            Err(invalid("bytes follow the filter"))
        }
    }
}

fn encode_all(values: &[u64], out: &mut Vec<u8>) {
    for value in values {
        encode_varint(*value, out);
    }
}

fn group_delta(start: Location, end: GroupId) -> Result<u64, EncodeError> {
    let detail = "the last group must not be before the first";
    end.0
        .checked_sub(start.group.0)
        .ok_or(EncodeError::Invalid {
            field: FIELD,
            detail,
        })
}

fn end_group(start: Location, delta: u64) -> Result<GroupId, DecodeError> {
    let end = start.group.0.checked_add(delta);
    end.map(GroupId)
        .ok_or(invalid("the last group exceeds 64 bits"))
}

const fn not_in_18(what: &'static str) -> EncodeError {
    EncodeError::NotInDraft {
        what,
        draft: Draft::D18,
    }
}

const fn invalid(detail: &'static str) -> DecodeError {
    DecodeError::Invalid {
        field: FIELD,
        detail,
    }
}

const FIELD: &str = "LOCATION_FILTER";

/// Four integers of nine bytes.
const MAX_PREFIXED: usize = 36;

/// Draft 22's filter types.
mod type_led {
    pub(super) const NONE: u64 = 0;
    pub(super) const RELATIVE_START: u64 = 1;
    pub(super) const ABSOLUTE_START: u64 = 2;
    pub(super) const ABSOLUTE_GROUPS: u64 = 3;
    pub(super) const ABSOLUTE_RANGE: u64 = 4;
    pub(super) const NEXT_OBJECT: u64 = 5;
}

/// Draft 18's filter types.
mod prefixed {
    pub(super) const NEXT_GROUP: u64 = 1;
    pub(super) const NEXT_OBJECT: u64 = 2;
    pub(super) const ABSOLUTE_START: u64 = 3;
    pub(super) const ABSOLUTE_GROUPS: u64 = 4;
}
