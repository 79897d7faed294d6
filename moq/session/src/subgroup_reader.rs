use std::collections::VecDeque;

use bytes::Bytes;
use parvis_wire::{ObjectHeader, ObjectId, SubgroupHeader};

use crate::{Event, RequestKey, SessionError, StreamId, accumulator::Accumulator};

/// Cuts a subgroup stream into objects.
#[derive(Debug)]
pub(crate) struct SubgroupReader {
    pub(crate) key: RequestKey,
    stream: StreamId,
    has_properties: bool,
    previous: Option<ObjectId>,
    /// Payload of the current object that has not come.
    missing: u64,
    /// A header that is not whole.
    partial: Accumulator,
}

impl SubgroupReader {
    pub(crate) fn new(key: RequestKey, stream: StreamId, header: &SubgroupHeader) -> Self {
        Self {
            key,
            stream,
            has_properties: header.has_properties,
            previous: None,
            missing: 0,
            partial: Accumulator::default(),
        }
    }

    /// Takes the next bytes and tells what they are; `limit` bounds an object's header.
    pub(crate) fn read(
        &mut self,
        mut data: Bytes,
        limit: usize,
        events: &mut VecDeque<Event>,
    ) -> Result<(), SessionError> {
        let stream = self.stream;
        if self.missing > 0 && !data.is_empty() {
            let len = self.missing.min(data.len() as u64) as usize;
            self.missing -= len as u64;
            events.push_back(Event::ObjectData {
                stream,
                data: data.split_to(len),
            });
        }
        if !self.partial.is_empty() {
            self.partial.push(data);
            data = self.partial.take();
        }
        while !data.is_empty() {
            let Some((header, header_len)) =
                ObjectHeader::decode(&data, self.previous, self.has_properties)?
            else {
                if data.len() > limit {
                    return Err(SessionError::violation(format!(
                        "an object header of more than {limit} bytes"
                    )));
                }
                self.partial.push(data);
                return Ok(());
            };
            let here = (data.len() - header_len) as u64;
            let payload = header.payload_len.min(here);
            self.missing = header.payload_len - payload;
            self.previous = Some(header.id);
            let raw = data.split_to(header_len + payload as usize);
            events.push_back(Event::Object {
                stream,
                header,
                raw,
                header_len,
            });
        }
        Ok(())
    }

    /// Whether the stream may end here.
    pub(crate) fn is_between_objects(&self) -> bool {
        self.missing == 0 && self.partial.is_empty()
    }
}
