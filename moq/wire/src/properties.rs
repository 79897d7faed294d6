use bytes::Bytes;

use crate::DecodeError;

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
    /// Of an odd type.
    Bytes(Bytes),
}

impl Properties {
    /// No property.
    pub const EMPTY: Self = Self(Bytes::new());

    /// The encoded pairs.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Whether there is no property.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Decodes every pair, in order of type.
    pub fn decode(&self) -> Result<Vec<Property>, DecodeError> {
        crate::properties_codec::decode(&self.0)
    }

    /// Encodes pairs, sorting them by type.
    pub fn encode(properties: Vec<Property>) -> Self {
        crate::properties_codec::encode(properties)
    }
}
