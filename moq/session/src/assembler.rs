use bytes::{Bytes, BytesMut};
use parvis_wire::{
    Datagram, GroupId, Location, ObjectHeader, ObjectStatus, Priority, Properties, SubgroupHeader,
};
use thiserror::Error;

/// A whole object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its place.
    pub location: Location,
    /// The publisher's priority; `None`: the track's default.
    pub priority: Option<Priority>,
    /// Its properties.
    pub properties: Properties,
    /// Its status.
    pub status: ObjectStatus,
    /// Its content.
    pub payload: Bytes,
}

impl From<Datagram> for Object {
    fn from(datagram: Datagram) -> Self {
        Self {
            location: datagram.location,
            priority: datagram.priority,
            properties: datagram.properties,
            status: datagram.status,
            payload: datagram.payload,
        }
    }
}

/// An object is larger than the [`ObjectAssembler`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an object of {got} bytes, the limit is {limit}")]
pub struct ObjectTooLarge {
    /// Its length.
    pub got: u64,
    /// The most it may have.
    pub limit: usize,
}

/// Joins the [`Event::Object`](crate::Event::Object) and
/// [`Event::ObjectData`](crate::Event::ObjectData) of one subgroup stream into whole objects.
///
/// An object that came in one piece is passed on without a copy.
#[derive(Debug)]
pub struct ObjectAssembler {
    group: GroupId,
    priority: Option<Priority>,
    limit: usize,
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    header: ObjectHeader,
    /// `None`: the object is too large and is skipped.
    payload: Option<BytesMut>,
    missing: u64,
}

impl ObjectAssembler {
    /// An assembler for the stream that began with `header`; refuses objects over `limit` bytes.
    pub const fn new(header: &SubgroupHeader, limit: usize) -> Self {
        Self {
            group: header.group,
            priority: header.priority,
            limit,
            partial: None,
        }
    }

    /// Takes an object's beginning; returns it if it is whole already. An object over the limit
    /// is skipped, the next ones are not affected.
    pub fn object(
        &mut self,
        header: ObjectHeader,
        raw: &Bytes,
        header_len: usize,
    ) -> Result<Option<Object>, ObjectTooLarge> {
        let payload = raw.slice(header_len..);
        let missing = header.payload_len.saturating_sub(payload.len() as u64);
        if header.payload_len > self.limit as u64 {
            let got = header.payload_len;
            self.partial = (missing > 0).then_some(Partial {
                header,
                payload: None,
                missing,
            });
            return Err(ObjectTooLarge {
                got,
                limit: self.limit,
            });
        }
        if missing == 0 {
            self.partial = None;
            return Ok(Some(self.whole(header, payload)));
        }
        // Memory follows the bytes that came, not the length that the peer announced.
        let payload = Some(BytesMut::from(payload.as_ref()));
        self.partial = Some(Partial {
            header,
            payload,
            missing,
        });
        Ok(None)
    }

    /// Takes more payload; returns the object if that completes it.
    pub fn data(&mut self, data: &Bytes) -> Option<Object> {
        let partial = self.partial.as_mut()?;
        partial.missing = partial.missing.saturating_sub(data.len() as u64);
        if let Some(payload) = &mut partial.payload {
            payload.extend_from_slice(data);
        }
        if partial.missing > 0 {
            return None;
        }
        let Partial {
            header, payload, ..
        } = self.partial.take()?;
        payload.map(|payload| self.whole(header, payload.freeze()))
    }

    fn whole(&self, header: ObjectHeader, payload: Bytes) -> Object {
        Object {
            location: Location {
                group: self.group,
                object: header.id,
            },
            priority: self.priority,
            properties: header.properties,
            status: header.status,
            payload,
        }
    }
}
