use std::fmt;

use bytes::Bytes;
use thiserror::Error;

/// Why a name is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// More than [`TrackNamespace::MAX_FIELDS`] fields.
    #[error("a namespace has at most 32 fields, got {0}")]
    TooManyFields(usize),
    /// A field of no bytes.
    #[error("a namespace field must not be empty")]
    EmptyField,
    /// More than [`FullTrackName::MAX_BYTES`] bytes in all.
    #[error("a full track name has at most 4096 bytes, got {0}")]
    TooLong(usize),
}

/// A tuple of 0 to 32 non-empty byte strings that groups tracks.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TrackNamespace(Vec<Bytes>);

impl TrackNamespace {
    /// The most fields a namespace has.
    pub const MAX_FIELDS: usize = 32;

    /// A namespace from its fields.
    pub fn new<I>(fields: I) -> Result<Self, NameError>
    where
        I: IntoIterator,
        I::Item: Into<Bytes>,
    {
        let fields: Vec<Bytes> = fields.into_iter().map(Into::into).collect();
        if fields.len() > Self::MAX_FIELDS {
            return Err(NameError::TooManyFields(fields.len()));
        }
        if fields.iter().any(Bytes::is_empty) {
            return Err(NameError::EmptyField);
        }
        let namespace = Self(fields);
        let len = namespace.byte_len();
        if len > FullTrackName::MAX_BYTES {
            Err(NameError::TooLong(len))
        } else {
            Ok(namespace)
        }
    }

    /// The fields.
    pub fn fields(&self) -> &[Bytes] {
        &self.0
    }

    /// The bytes of all fields together.
    pub fn byte_len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// Whether every field of `prefix` equals the field of this namespace at its place.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// What follows `prefix`, if this namespace starts with it.
    pub fn strip_prefix(&self, prefix: &Self) -> Option<Self> {
        self.0
            .strip_prefix(prefix.0.as_slice())
            .map(|rest| Self(rest.to_vec()))
    }

    /// This namespace followed by the fields of `suffix`.
    pub fn join(&self, suffix: &Self) -> Result<Self, NameError> {
        Self::new(self.0.iter().chain(&suffix.0).cloned())
    }
}

impl fmt::Display for TrackNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, field) in self.0.iter().enumerate() {
            let separator = if i > 0 { "/" } else { "" };
            write!(f, "{separator}{}", field.escape_ascii())?;
        }
        Ok(())
    }
}

impl fmt::Debug for TrackNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A track's name in its namespace: any bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TrackName(pub Bytes);

impl From<&'static str> for TrackName {
    fn from(name: &'static str) -> Self {
        Self(Bytes::from_static(name.as_bytes()))
    }
}

impl From<String> for TrackName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for TrackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for TrackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A namespace and a name: what identifies a track.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FullTrackName {
    namespace: TrackNamespace,
    name: TrackName,
}

impl FullTrackName {
    /// The most bytes that namespace and name have together.
    pub const MAX_BYTES: usize = 4096;

    /// A full name from its parts.
    pub fn new(namespace: TrackNamespace, name: TrackName) -> Result<Self, NameError> {
        let len = namespace.byte_len() + name.0.len();
        if len > Self::MAX_BYTES {
            return Err(NameError::TooLong(len));
        }
        Ok(Self { namespace, name })
    }

    /// The namespace.
    pub const fn namespace(&self) -> &TrackNamespace {
        &self.namespace
    }

    /// The name in the namespace.
    pub const fn name(&self) -> &TrackName {
        &self.name
    }
}

impl fmt::Display for FullTrackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.name)
    }
}
