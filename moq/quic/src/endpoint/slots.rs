use parvis_session::Config;
use quinn_proto::ConnectionHandle;

use super::{ConnectionKey, Endpoint};
use crate::{
    RequestTarget,
    admission::Beginner,
    connection::{Connection, WebOptions},
};

/// Answers to strangers that wait for the next sweep; further ones are not given.
const MAX_REPLIES: usize = 256;

/// Where one connection is kept, and which lists it is in.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) connection: Option<Box<Connection>>,
    pub(super) generation: u32,
    pub(super) in_poll: bool,
    pub(super) in_send: bool,
    /// While its handshake is not over.
    pub(super) half_open: Option<Beginner>,
}

impl Endpoint {
    pub(super) fn insert(
        &mut self,
        handle: ConnectionHandle,
        quic: quinn_proto::Connection,
        config: Config,
        web: Option<WebOptions>,
        target: Option<RequestTarget>,
    ) -> ConnectionKey {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        if self.by_handle.len() <= handle.0 {
            self.by_handle.resize(handle.0 + 1, 0);
        }
        self.by_handle[handle.0] = index;
        let window = u64::from(self.config.limits.send_window);
        let slot = &mut self.slots[index];
        slot.generation = slot.generation.wrapping_add(1);
        slot.connection = Some(Box::new(Connection::new(
            handle, quic, config, web, target, window,
        )));
        let key = ConnectionKey {
            index: index as u32,
            generation: slot.generation,
        };
        self.open += 1;
        self.touch(index);
        key
    }

    pub(super) fn reply(&mut self, transmit: quinn_proto::Transmit) {
        if self.replies.len() < MAX_REPLIES {
            self.replies
                .push_back((transmit.into(), std::mem::take(&mut self.scratch)));
        }
    }

    pub(super) fn index(&self, key: ConnectionKey) -> Option<usize> {
        let slot = self.slots.get(key.index as usize)?;
        (slot.generation == key.generation && slot.connection.is_some())
            .then_some(key.index as usize)
    }

    pub(super) fn touch(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if !slot.in_poll {
            slot.in_poll = true;
            self.to_poll.push_back(index);
        }
        self.mark_send(index);
    }

    pub(super) fn mark_send(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if !slot.in_send {
            slot.in_send = true;
            self.to_send.push_back(index);
        }
    }

    /// Brings the counts up to date and forgets a connection that is over.
    pub(super) fn settle(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        let Some(connection) = slot.connection.as_ref() else {
            return;
        };
        if !connection.is_half_open()
            && let Some(beginner) = slot.half_open.take()
        {
            self.half_open.over(beginner);
        }
        if connection.is_over() {
            slot.connection = None;
            self.free.push(index);
            self.deadlines.set(index, None);
            self.open -= 1;
        }
    }
}
