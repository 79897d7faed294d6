use bytes::Bytes;
use parvis_wire::{DecodeError, Draft, Message};

use crate::accumulator::Accumulator;

/// The messages of a control or request stream.
#[derive(Debug, Default)]
pub(crate) struct MessageReader {
    buffer: Accumulator,
    /// Whether the peer ended the stream behind the buffer.
    pub(crate) finished: bool,
}

/// What comes on a request stream.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives from the reader to its match"
)]
pub(crate) enum Incoming {
    Message(Message),
    /// A message that ended requests before draft 18 and that some peers still send in it.
    FormerEnding,
}

/// PUBLISH_NAMESPACE_DONE, UNSUBSCRIBE, PUBLISH_NAMESPACE_CANCEL, FETCH_CANCEL of draft 16.
const FORMER_ENDINGS: [u8; 4] = [0x09, 0x0A, 0x0C, 0x17];

impl MessageReader {
    pub(crate) fn push(&mut self, data: Bytes) {
        self.buffer.push(data);
    }

    /// Bytes that wait.
    pub(crate) const fn len(&self) -> usize {
        self.buffer.len()
    }

    pub(crate) fn next(&mut self, draft: Draft) -> Result<Option<Incoming>, DecodeError> {
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let kind = self.buffer.bytes()[0];
        if draft == Draft::D18 && FORMER_ENDINGS.contains(&kind) {
            self.buffer.take();
            return Ok(Some(Incoming::FormerEnding));
        }
        let Some((message, len)) = Message::decode(draft, self.buffer.bytes())? else {
            return Ok(None);
        };
        self.buffer.split_to(len);
        Ok(Some(Incoming::Message(message)))
    }
}
