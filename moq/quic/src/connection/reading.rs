use std::{
    collections::{HashSet, VecDeque},
    time::Instant,
};

use bytes::{Bytes, BytesMut};
use parvis_session::Input;
use quinn_proto::ReadError;

use super::{Connection, Stage, own, peers_code};

/// Bytes read from one stream before the next one has its turn.
const READ_TURN: usize = 64 * 1024;

/// Streams with unread bytes, each once, first come first served.
#[derive(Default)]
pub(super) struct ReadQueue {
    order: VecDeque<quinn_proto::StreamId>,
    queued: HashSet<quinn_proto::StreamId>,
    /// What one turn of one stream brought; empty between turns.
    chunks: Vec<Bytes>,
}

impl ReadQueue {
    pub(super) fn push(&mut self, id: quinn_proto::StreamId) {
        if self.queued.insert(id) {
            self.order.push_back(id);
        }
    }

    pub(super) fn pop(&mut self) -> Option<quinn_proto::StreamId> {
        let id = self.order.pop_front()?;
        self.queued.remove(&id);
        Some(id)
    }
}

impl Connection {
    /// Gives the session what one stream, or the datagrams, brought; whether there was something.
    pub(super) fn read(&mut self, now: Instant) -> bool {
        if self.read_web(now) {
            return true;
        }
        if !matches!(self.stage, Stage::Open(_) | Stage::Closing(Some(_), _)) {
            return false;
        }
        if std::mem::take(&mut self.datagrams) {
            while let Some(datagram) = self.quic.datagrams().recv() {
                if let Some(datagram) = self.take_datagram(datagram, now) {
                    self.input(Input::Datagram(datagram), now);
                }
            }
            return true;
        }
        let Some(id) = self.readable.pop() else {
            return false;
        };
        self.read_stream(id, now);
        true
    }

    fn read_stream(&mut self, id: quinn_proto::StreamId, now: Instant) {
        let (Stage::Open(session) | Stage::Closing(Some(session), _)) = &mut self.stage else {
            return;
        };
        let mut stream = self.quic.recv_stream(id);
        let Ok(mut incoming) = stream.read(true) else {
            return;
        };
        self.session_active = true;
        let web = self.web.is_some();
        let mut read = 0;
        let mut fin = false;
        let mut reset = None;
        while read < READ_TURN {
            match incoming.next(usize::MAX) {
                Ok(Some(chunk)) => {
                    read += chunk.bytes.len();
                    self.readable.chunks.push(chunk.bytes);
                }
                Ok(None) => {
                    fin = true;
                    break;
                }
                Err(ReadError::Blocked) => break,
                Err(ReadError::Reset(code)) => {
                    reset = Some(peers_code(code, web));
                    break;
                }
            }
        }
        drop(incoming);
        if read >= READ_TURN {
            self.readable.push(id);
        }
        let data = join(&mut self.readable.chunks, read);
        let id = own(id);
        if !data.is_empty() || fin {
            // An error is followed by `Transmit::Close`.
            let _ = session.handle(Input::StreamData { id, data, fin }, now);
        }
        if let Some(code) = reset {
            let _ = session.handle(Input::StreamReset { id, code }, now);
        }
    }
}

/// One piece of memory of just this size: whoever keeps it keeps nothing else, and an object that
/// came in several packets goes on in one write.
fn join(chunks: &mut Vec<Bytes>, len: usize) -> Bytes {
    let mut joined = BytesMut::with_capacity(len);
    chunks
        .drain(..)
        .for_each(|chunk| joined.extend_from_slice(&chunk));
    joined.freeze()
}
