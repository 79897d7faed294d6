use std::collections::VecDeque;

use bytes::Bytes;
use parvis_wire::{Draft, FetchCursor, FetchObject, GroupOrder};

use crate::{Event, RequestKey, SessionError, StreamId, accumulator::Accumulator};

/// Cuts a fetch stream into its entries.
#[derive(Debug)]
pub(crate) struct FetchReader {
    pub(crate) key: RequestKey,
    stream: StreamId,
    cursor: FetchCursor,
    missing: u64,
    partial: Accumulator,
}

impl FetchReader {
    pub(crate) fn new(key: RequestKey, stream: StreamId, draft: Draft, order: GroupOrder) -> Self {
        let cursor = FetchCursor::new(draft, order);
        Self {
            key,
            stream,
            cursor,
            missing: 0,
            partial: Accumulator::default(),
        }
    }

    /// Takes the next bytes and tells what they are; `limit` bounds an entry's header.
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
            let Some((object, header_len)) = FetchObject::decode(&data, &mut self.cursor)? else {
                if data.len() > limit {
                    return Err(SessionError::violation(format!(
                        "a fetch object header of more than {limit} bytes"
                    )));
                }
                self.partial.push(data);
                return Ok(());
            };
            drop(data.split_to(header_len));
            let len = match &object {
                FetchObject::Object { payload_len, .. } => *payload_len,
                _ => 0,
            };
            let here = len.min(data.len() as u64);
            self.missing = len - here;
            let payload = data.split_to(here as usize);
            events.push_back(Event::FetchObject {
                stream,
                object,
                payload,
            });
        }
        Ok(())
    }

    /// Whether the stream may end here.
    pub(crate) fn is_between_objects(&self) -> bool {
        self.missing == 0 && self.partial.is_empty()
    }
}
