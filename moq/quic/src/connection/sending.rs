use std::time::Instant;

use bytes::{Buf, Bytes};
use parvis_session::{Input, StreamId, Transmit};
use parvis_wire::SessionErrorCode;
use quinn_proto::{Dir, SendDatagramError, WriteError};

use super::{Connection, Stage, quic};
use crate::http3::DatagramPrefix;

/// Own streams that are opened ahead of need, per direction: quinn does not say how many it lets
/// us open, so the credit that the session is told is what was opened.
const AHEAD: u64 = 32;

#[derive(Default, Clone, Copy)]
pub(super) struct OwnStreams {
    opened: u64,
    used: u64,
}

impl OwnStreams {
    /// The first ones are not the session's.
    pub(super) const fn reserved(count: u64) -> Self {
        Self {
            opened: count,
            used: count,
        }
    }
}

impl Connection {
    /// Opens streams ahead of need and tells the session, once it has used up half of them.
    pub(super) fn open_ahead(&mut self, now: Instant) {
        if !matches!(self.stage, Stage::Open(_)) {
            return;
        }
        let mut more = false;
        for dir in [Dir::Bi, Dir::Uni] {
            let streams = &mut self.own_streams[dir as usize];
            while streams.opened < streams.used + AHEAD && self.quic.streams().open(dir).is_some() {
                streams.opened += 1;
                more = true;
            }
        }
        if more {
            let [bidi, uni] = [Dir::Bi, Dir::Uni].map(|dir| self.own_streams[dir as usize].opened);
            self.input(Input::StreamCredit { bidi, uni }, now);
        }
    }

    /// Does everything that the session wants done.
    pub(super) fn run_session(&mut self, now: Instant) {
        while std::mem::take(&mut self.session_active) {
            loop {
                let Stage::Open(session) = &mut self.stage else {
                    return;
                };
                let Some(transmit) = session.poll_transmit(now) else {
                    break;
                };
                self.transmit(transmit, now);
            }
        }
    }

    /// Whether nothing waits and the peer has acknowledged all stream data.
    pub(crate) fn is_flushed(&mut self, now: Instant) -> bool {
        self.run_session(now);
        let Stage::Open(session) = &self.stage else {
            return true;
        };
        if session.total_queued_bytes() > 0 {
            return false;
        }
        if self.own_streams[Dir::Uni as usize].used == 0 {
            return false;
        }
        self.is_acknowledged()
    }

    /// Whether the peer has acknowledged all stream data. quinn does not say how much is not, but a
    /// window of one byte has room only if nothing is.
    pub(super) fn is_acknowledged(&mut self) -> bool {
        let control = quinn_proto::StreamId::new(self.quic.side(), Dir::Uni, 0);
        self.quic.set_send_window(1);
        let acknowledged = self.quic.send_stream(control).write(&[]).is_ok();
        self.quic.set_send_window(self.send_window);
        acknowledged
    }

    fn transmit(&mut self, transmit: Transmit, now: Instant) {
        match transmit {
            Transmit::Open { id, priority } => self.open(id, priority, now),
            Transmit::Write { id, data } => self.write(id, data, now),
            Transmit::SetPriority { id, priority } => {
                let _ = self.quic.send_stream(quic(id)).set_priority(priority);
            }
            // Errors here and below say that the peer stopped the stream; the session knows.
            Transmit::Finish { id } => {
                if !self.finish_held(id) {
                    let _ = self.quic.send_stream(quic(id)).finish();
                }
            }
            Transmit::Reset { id, code } => {
                self.forget_held(id);
                let code = self.own_code(code);
                let _ = self.quic.send_stream(quic(id)).reset(code);
            }
            Transmit::StopSending { id, code } => {
                let code = self.own_code(code);
                let _ = self.quic.recv_stream(quic(id)).stop(code);
            }
            Transmit::Datagram(datagram) => self.send_datagram(datagram, now),
            Transmit::Close { code, reason } => self.close(code, reason, now),
        }
    }

    fn send_datagram(&mut self, datagram: Bytes, now: Instant) {
        let prefix = self.datagram_prefix();
        let datagram = match prefix {
            Some(prefix) => prefix.add(&datagram),
            None => datagram,
        };
        match self.quic.datagrams().send(datagram, false) {
            Ok(()) => {}
            Err(SendDatagramError::Blocked(mut unsent)) => {
                unsent.advance(prefix.map_or(0, DatagramPrefix::len));
                self.input(Input::DatagramBlocked { unsent }, now);
            }
            Err(_) => {
                self.oversized_datagrams += 1;
                self.input(Input::DatagramTooLarge, now);
            }
        }
    }

    fn open(&mut self, id: StreamId, priority: i32, now: Instant) {
        let dir = if id.is_unidirectional() {
            Dir::Uni
        } else {
            Dir::Bi
        };
        let streams = &mut self.own_streams[dir as usize];
        if id.index() != streams.used || id.opener() != self.role || streams.used == streams.opened
        {
            debug_assert!(
                false,
                "the session opens streams in order and within its credit"
            );
            self.close(
                SessionErrorCode::InternalError,
                "stream order".to_owned(),
                now,
            );
            return;
        }
        streams.used += 1;
        let low = streams.opened - streams.used < AHEAD / 2;
        if priority != 0 {
            let _ = self.quic.send_stream(quic(id)).set_priority(priority);
        }
        self.write_header(id);
        if low {
            self.open_ahead(now);
        }
    }

    fn write(&mut self, id: StreamId, data: Bytes, now: Instant) {
        let mut chunks = [data];
        if !self.flush_held(id) {
            let [unsent] = chunks;
            self.input(Input::Blocked { id, unsent }, now);
            return;
        }
        // A write that is cut short is tried again, because only a refusal makes quinn say when
        // the stream is writable.
        while !chunks[0].is_empty() {
            match self.quic.send_stream(quic(id)).write_chunks(&mut chunks) {
                Ok(written) if written.chunks == 1 => return,
                Ok(_) => {}
                Err(WriteError::Blocked) => {
                    let [unsent] = chunks;
                    self.input(Input::Blocked { id, unsent }, now);
                    return;
                }
                Err(WriteError::Stopped(_) | WriteError::ClosedStream) => return,
            }
        }
    }
}
