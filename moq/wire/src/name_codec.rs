use crate::varint::{Reader, encode_prefixed, encode_varint};
use crate::{DecodeError, FullTrackName, Location, NameError, TrackName, TrackNamespace};

impl TrackNamespace {
    /// Appends the number of fields and each field with its length.
    pub fn encode(&self, out: &mut Vec<u8>) {
        encode_varint(self.fields().len() as u64, out);
        for field in self.fields() {
            encode_prefixed(field, out);
        }
    }

    /// Reads what [`Self::encode`] writes.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.varint()?;
        if count > Self::MAX_FIELDS as u64 {
            return Err(NameError::TooManyFields(count as usize).into());
        }
        let mut fields = Vec::with_capacity(count as usize);
        for _ in 0..count {
            fields.push(reader.prefixed("a namespace field", FullTrackName::MAX_BYTES)?);
        }
        Ok(Self::new(fields)?)
    }
}

impl TrackName {
    /// Appends the length and the bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        encode_prefixed(&self.0, out);
    }

    /// Reads what [`Self::encode`] writes.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader
            .prefixed("a track name", FullTrackName::MAX_BYTES)
            .map(Self)
    }
}

impl FullTrackName {
    /// Appends the namespace, then the name.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.namespace().encode(out);
        self.name().encode(out);
    }

    /// Reads what [`Self::encode`] writes.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let namespace = TrackNamespace::decode(reader)?;
        let name = TrackName::decode(reader)?;
        Ok(Self::new(namespace, name)?)
    }
}

impl Location {
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        encode_varint(self.group.0, out);
        encode_varint(self.object.0, out);
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::new(reader.varint()?, reader.varint()?))
    }
}
