use bytes::Bytes;

use crate::varint::{Reader, encode_prefixed, encode_varint};
use crate::{DecodeError, EncodeError};

/// Key-value pairs of a track or an object, kept byte for byte as they came.
///
/// The bytes are the pairs alone, without the length that precedes them in an object.
/// draft-ietf-moq-transport-22, "Properties".
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Properties(pub(crate) Bytes);

/// One property.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Property {
    /// Its type; even: an integer follows; odd: bytes do.
    pub kind: u64,
    /// Its value.
    pub value: PropertyValue,
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PropertyValue {
    /// Of an even type.
    Integer(u64),
    /// Of an odd type; at most 65535 bytes.
    Bytes(Bytes),
}

impl Properties {
    /// No property.
    pub const EMPTY: Self = Self(Bytes::new());
    /// The most bytes that the properties of an object have here; the draft names no number.
    pub const MAX_BYTES: usize = 65536;

    /// Properties from encoded pairs, which are checked.
    pub fn from_encoded(bytes: Bytes) -> Result<Self, DecodeError> {
        let properties = Self(bytes);
        properties
            .iter()
            .try_for_each(|property| property.map(drop))?;
        Ok(properties)
    }

    /// The encoded pairs.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Whether there is no property.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs in order of type; ends after the first error.
    pub fn iter(&self) -> impl Iterator<Item = Result<Property, DecodeError>> {
        let mut reader = Reader::new(&self.0, "the properties");
        let mut kind = 0;
        let mut failed = false;
        std::iter::from_fn(move || {
            if failed || reader.is_empty() {
                return None;
            }
            let property = Property::read(&mut reader, &mut kind).map_err(|error| match error {
                // All bytes are here: a pair that ends outside them will never be complete.
                DecodeError::Truncated(what) => DecodeError::LengthMismatch(what),
                error => error,
            });
            failed = property.is_err();
            Some(property)
        })
    }

    /// Decodes every pair, in order of type.
    pub fn decode(&self) -> Result<Vec<Property>, DecodeError> {
        self.iter().collect()
    }

    /// Encodes pairs, sorting them by type. A value that its type cannot carry is left out: bytes
    /// under an even type, an integer under an odd one, more than 65535 bytes.
    pub fn encode(mut properties: Vec<Property>) -> Self {
        properties.sort_by_key(|property| property.kind);
        let mut out = Vec::new();
        let mut previous = 0;
        for property in properties.iter().filter(|property| property.is_encodable()) {
            property.write(&mut previous, &mut out);
        }
        Self(out.into())
    }

    /// The value of the first property of type `kind`, also if it is an immutable one.
    pub fn find(&self, kind: u64) -> Result<Option<PropertyValue>, DecodeError> {
        for property in self.iter() {
            let property = property?;
            match property.value {
                PropertyValue::Bytes(inner) if property.kind == IMMUTABLE_PROPERTIES => {
                    let found = Self(inner).find_flat(kind)?;
                    if found.is_some() {
                        return Ok(found);
                    }
                }
                value if property.kind == kind => return Ok(Some(value)),
                _ => {}
            }
        }
        Ok(None)
    }

    fn find_flat(&self, kind: u64) -> Result<Option<PropertyValue>, DecodeError> {
        for property in self.iter() {
            let property = property?;
            if property.kind == kind {
                return Ok(Some(property.value));
            }
        }
        Ok(None)
    }

    /// Appends the pairs of a track, which fill the rest of a message.
    pub(crate) fn encode_track(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.check_track().is_err() {
            let detail = "not a valid sequence of key-value pairs";
            return Err(EncodeError::Invalid {
                field: "track_properties",
                detail,
            });
        }
        out.extend_from_slice(&self.0);
        Ok(())
    }

    /// Reads the pairs of a track, which fill the rest of a message.
    pub(crate) fn decode_track(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let properties = Self(reader.rest());
        properties.check_track()?;
        Ok(properties)
    }

    /// Checks pairs as those of a track, whose known types have known ranges.
    fn check_track(&self) -> Result<(), DecodeError> {
        self.iter()
            .try_for_each(|property| check_track_property(&property?))
    }
}

impl Property {
    /// An integer; `kind` must be even.
    pub const fn integer(kind: u64, value: u64) -> Self {
        Self {
            kind,
            value: PropertyValue::Integer(value),
        }
    }

    /// Bytes; `kind` must be odd.
    pub const fn bytes(kind: u64, value: Bytes) -> Self {
        Self {
            kind,
            value: PropertyValue::Bytes(value),
        }
    }

    /// Whether the value fits the type.
    pub(crate) fn is_encodable(&self) -> bool {
        match &self.value {
            PropertyValue::Integer(_) => self.kind.is_multiple_of(2),
            PropertyValue::Bytes(bytes) => {
                !self.kind.is_multiple_of(2) && bytes.len() <= MAX_VALUE_BYTES
            }
        }
    }

    /// Appends the pair after one of type `previous`.
    pub(crate) fn write(&self, previous: &mut u64, out: &mut Vec<u8>) {
        encode_varint(self.kind.saturating_sub(*previous), out);
        *previous = self.kind;
        match &self.value {
            PropertyValue::Integer(value) => encode_varint(*value, out),
            PropertyValue::Bytes(bytes) => encode_prefixed(bytes, out),
        }
    }

    /// Reads the pair after one of type `previous`.
    pub(crate) fn read(reader: &mut Reader<'_>, previous: &mut u64) -> Result<Self, DecodeError> {
        let kind = previous
            .checked_add(reader.varint()?)
            .ok_or(DecodeError::Invalid {
                field: "a key-value pair",
                detail: "its type exceeds 64 bits",
            })?;
        *previous = kind;
        let value = if kind.is_multiple_of(2) {
            PropertyValue::Integer(reader.varint()?)
        } else {
            PropertyValue::Bytes(reader.prefixed("a key-value pair", MAX_VALUE_BYTES)?)
        };
        Ok(Self { kind, value })
    }
}

fn check_track_property(property: &Property) -> Result<(), DecodeError> {
    match &property.value {
        PropertyValue::Integer(value) => {
            let range = match property.kind {
                DEFAULT_PUBLISHER_GROUP_ORDER => 1..=2,
                DYNAMIC_GROUPS => 0..=1,
                _ => return Ok(()),
            };
            if range.contains(value) {
                return Ok(());
            }
            Err(DecodeError::Invalid {
                field: "a track property",
                detail: "out of its range",
            })
        }
        PropertyValue::Bytes(bytes) if property.kind == IMMUTABLE_PROPERTIES => {
            // Pairs that do not parse in there are passed on unread.
            match Properties(bytes.clone()).decode() {
                Ok(inner) => inner.iter().try_for_each(check_track_property_flat),
                Err(_) => Ok(()),
            }
        }
        PropertyValue::Bytes(_) => Ok(()),
    }
}

/// One level: immutable properties inside immutable properties are not looked into.
fn check_track_property_flat(property: &Property) -> Result<(), DecodeError> {
    match property.value {
        PropertyValue::Integer(_) => check_track_property(property),
        PropertyValue::Bytes(_) => Ok(()),
    }
}

const MAX_VALUE_BYTES: usize = 65535;
const IMMUTABLE_PROPERTIES: u64 = 0x0B;
const DEFAULT_PUBLISHER_GROUP_ORDER: u64 = 0x22;
const DYNAMIC_GROUPS: u64 = 0x30;
