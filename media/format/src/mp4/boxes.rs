use std::io::{Read, Seek, SeekFrom};

use mp4_atom::Atom;

use super::ReadError;

/// The name of a box, for people.
pub(super) fn name(kind: [u8; 4]) -> String {
    kind.escape_ascii().to_string()
}

/// A box of the file's top level.
#[derive(Debug, Clone, Copy)]
pub(super) struct TopLevel {
    pub kind: [u8; 4],
    /// Where it starts in the file.
    pub at: u64,
    /// Where its content starts.
    pub body: u64,
    /// Where it ends; perhaps past the end of the file.
    pub end: u64,
}

impl TopLevel {
    /// Reads the header at `at`; `None` at the end of the file.
    pub(super) fn read<R: Read + Seek>(
        input: &mut R,
        at: u64,
        file: u64,
    ) -> Result<Option<Self>, ReadError> {
        if at >= file {
            return Ok(None);
        }
        let available = (file - at).min(16) as usize;
        let mut header = [0; 16];
        input.seek(SeekFrom::Start(at))?;
        input.read_exact(&mut header[..available])?;
        let Some(parsed) = Header::parse(&header[..available], file - at) else {
            let needed = if available >= 8 { 16 } else { 8 };
            return Err(ReadError::Truncated {
                what: "a box header".into(),
                at,
                needed,
                file,
            });
        };
        let Header { kind, length, size } = parsed;
        if size < u64::from(length) {
            return Err(ReadError::malformed(
                kind,
                at,
                "its size is less than its header's",
            ));
        }
        Ok(Some(Self {
            kind,
            at,
            body: at + u64::from(length),
            end: at.saturating_add(size),
        }))
    }

    /// That it ends past the end of the file.
    pub(super) fn truncated(&self, file: u64) -> ReadError {
        let needed = self.end - self.at;
        ReadError::Truncated {
            what: format!("box {}", name(self.kind)),
            at: self.at,
            needed,
            file,
        }
    }

    /// Its content, of at most `limit` bytes.
    pub(super) fn load<R: Read + Seek>(
        &self,
        input: &mut R,
        file: u64,
        limit: u64,
    ) -> Result<Vec<u8>, ReadError> {
        if self.end > file {
            return Err(self.truncated(file));
        }
        let size = self.end - self.body;
        if size > limit {
            let what = format!("box {}", name(self.kind));
            return Err(ReadError::TooLarge {
                what,
                at: self.at,
                size,
                limit,
            });
        }
        let mut content = vec![0; size as usize];
        input.seek(SeekFrom::Start(self.body))?;
        input.read_exact(&mut content)?;
        Ok(content)
    }
}

struct Header {
    kind: [u8; 4],
    length: u8,
    size: u64,
}

impl Header {
    /// `None` when there are too few bytes. rest: bytes to the end of what holds the box.
    fn parse(bytes: &[u8], rest: u64) -> Option<Self> {
        let size = u32::from_be_bytes(*bytes.first_chunk()?);
        let kind = *bytes.get(4..)?.first_chunk()?;
        Some(match size {
            0 => Self {
                kind,
                length: 8,
                size: rest,
            },
            1 => {
                let size = u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?);
                Self {
                    kind,
                    length: 16,
                    size,
                }
            }
            size => Self {
                kind,
                length: 8,
                size: size.into(),
            },
        })
    }
}

/// A box inside another one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Child<'a> {
    pub kind: [u8; 4],
    /// Where it starts in the file.
    pub at: u64,
    pub body: &'a [u8],
    body_at: u64,
}

impl<'a> Child<'a> {
    /// The content of a top-level box.
    pub(super) const fn root(kind: [u8; 4], at: u64, body_at: u64, body: &'a [u8]) -> Self {
        Self {
            kind,
            at,
            body,
            body_at,
        }
    }

    /// The boxes inside, after `skip` bytes of fields; ends after the first error.
    pub(super) fn children(
        self,
        skip: usize,
    ) -> impl Iterator<Item = Result<Child<'a>, ReadError>> {
        let mut rest = self.body.get(skip..).unwrap_or_default();
        let mut at = self.body_at + skip as u64;
        std::iter::from_fn(move || {
            // Less than a header is padding.
            let found = Header::parse(rest, rest.len() as u64)?;
            let Header { kind, length, size } = found;
            let body = usize::try_from(size)
                .ok()
                .and_then(|end| rest.get(length.into()..end));
            let Some(body) = body else {
                rest = &[];
                let detail = format!("it does not fit into {}", name(self.kind));
                return Some(Err(ReadError::malformed(kind, at, detail)));
            };
            let child = Child {
                kind,
                at,
                body,
                body_at: at + u64::from(length),
            };
            rest = &rest[size as usize..];
            at += size;
            Some(Ok(child))
        })
    }

    /// The first child of this kind.
    pub(super) fn child(self, kind: [u8; 4]) -> Result<Option<Child<'a>>, ReadError> {
        for child in self.children(0) {
            let child = child?;
            if child.kind == kind {
                return Ok(Some(child));
            }
        }
        Ok(None)
    }

    /// The first child of this kind, which must be there.
    pub(super) fn required(self, kind: [u8; 4]) -> Result<Child<'a>, ReadError> {
        self.child(kind)?
            .ok_or_else(|| self.malformed(format!("it has no {}", name(kind))))
    }

    /// Decodes a box without boxes inside.
    pub(super) fn decode<T: Atom>(self) -> Result<T, ReadError> {
        let mut body = self.body;
        T::decode_body(&mut body).map_err(|error| self.malformed(error.to_string()))
    }

    pub(super) fn malformed(self, detail: impl Into<String>) -> ReadError {
        ReadError::malformed(self.kind, self.at, detail)
    }
}
