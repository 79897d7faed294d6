use bytes::Bytes;

use crate::varint::{Reader, encode_prefixed, encode_varint, when_complete};
use crate::{DecodeError, EncodeError, ObjectId, Properties};

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

impl ObjectStatus {
    pub(crate) const fn to_u64(self) -> u64 {
        match self {
            Self::Normal => 0x0,
            Self::EndOfGroup => 0x3,
            Self::EndOfTrack => 0x4,
        }
    }

    pub(crate) const fn from_u64(value: u64) -> Result<Self, DecodeError> {
        match value {
            0x0 => Ok(Self::Normal),
            0x3 => Ok(Self::EndOfGroup),
            0x4 => Ok(Self::EndOfTrack),
            _ => Err(DecodeError::Invalid {
                field: "object status",
                detail: "not assigned",
            }),
        }
    }
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

impl ObjectHeader {
    /// Decodes the header at the start of `buf` and says how many bytes it has; `None`: there are
    /// fewer than that yet. The pairs inside the properties are not looked at.
    ///
    /// previous: the object before this one on the stream; has_properties: as the subgroup's
    /// header says.
    #[inline]
    pub fn decode(
        buf: &Bytes,
        previous: Option<ObjectId>,
        has_properties: bool,
    ) -> Result<Option<(Self, usize)>, DecodeError> {
        let mut reader = Reader::new(buf, "an object header");
        let header = when_complete(Self::read(&mut reader, previous, has_properties))?;
        Ok(header.map(|header| (header, reader.position())))
    }

    #[inline]
    fn read(
        reader: &mut Reader<'_>,
        previous: Option<ObjectId>,
        has_properties: bool,
    ) -> Result<Self, DecodeError> {
        let delta = reader.varint()?;
        let id = match previous {
            None => Some(delta),
            Some(previous) => previous
                .0
                .checked_add(1)
                .and_then(|next| next.checked_add(delta)),
        };
        let id = id
            .map(ObjectId)
            .ok_or(invalid("the object id exceeds 64 bits"))?;
        let properties = if has_properties {
            Properties::read_prefixed(reader)?
        } else {
            Properties::EMPTY
        };
        let payload_len = reader.varint()?;
        let status = match payload_len {
            0 => ObjectStatus::from_u64(reader.varint()?)?,
            _ => ObjectStatus::Normal,
        };
        if status != ObjectStatus::Normal && !properties.is_empty() {
            return Err(invalid("only an object with status Normal has properties"));
        }
        Ok(Self {
            id,
            properties,
            status,
            payload_len,
        })
    }

    /// Appends the header; appends nothing on error.
    pub fn encode(
        &self,
        previous: Option<ObjectId>,
        has_properties: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let delta = match previous {
            None => Some(self.id.0),
            Some(previous) => self
                .id
                .0
                .checked_sub(previous.0)
                .and_then(|step| step.checked_sub(1)),
        };
        let delta = delta.ok_or(misuse(
            "object id",
            "it must be larger than the previous one",
        ))?;
        if !has_properties && !self.properties.is_empty() {
            return Err(misuse(
                "properties",
                "the subgroup's header says there are none",
            ));
        }
        self.properties.check_len()?;
        if self.status != ObjectStatus::Normal
            && !(self.payload_len == 0 && self.properties.is_empty())
        {
            return Err(misuse(
                "object status",
                "only Normal has payload or properties",
            ));
        }
        encode_varint(delta, out);
        if has_properties {
            encode_prefixed(self.properties.as_bytes(), out);
        }
        encode_varint(self.payload_len, out);
        if self.payload_len == 0 {
            encode_varint(self.status.to_u64(), out);
        }
        Ok(())
    }
}

impl Properties {
    /// Reads the pairs of an object, which a length precedes.
    #[inline]
    pub(crate) fn read_prefixed(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader
            .prefixed("object properties", Self::MAX_BYTES)
            .map(Self)
    }

    /// Checks that an object may carry these.
    pub(crate) fn check_len(&self) -> Result<(), EncodeError> {
        let (got, limit) = (self.as_bytes().len(), Self::MAX_BYTES);
        if got <= limit {
            return Ok(());
        }
        let (got, limit) = (got as u64, limit as u64);
        Err(EncodeError::TooLong {
            what: "object properties",
            got,
            limit,
        })
    }
}

const fn invalid(detail: &'static str) -> DecodeError {
    DecodeError::Invalid {
        field: "an object header",
        detail,
    }
}

const fn misuse(field: &'static str, detail: &'static str) -> EncodeError {
    EncodeError::Invalid { field, detail }
}
