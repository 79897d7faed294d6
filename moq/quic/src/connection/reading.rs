use std::{
    collections::{HashSet, VecDeque},
    time::Instant,
};

use bytes::Bytes;
use parvis_session::Input;
use quinn_proto::ReadError;

use super::{Connection, Stage, own};

/// Bytes read from one stream before the next one has its turn.
const READ_TURN: usize = 64 * 1024;

/// Streams with unread bytes, each once, first come first served.
#[derive(Default)]
pub(super) struct ReadQueue {
    order: VecDeque<quinn_proto::StreamId>,
    queued: HashSet<quinn_proto::StreamId>,
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
        if !matches!(self.stage, Stage::Open(_) | Stage::Closing(Some(_), _)) {
            return false;
        }
        if std::mem::take(&mut self.datagrams) {
            while let Some(datagram) = self.quic.datagrams().recv() {
                self.input(Input::Datagram(datagram), now);
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
        let Ok(mut chunks) = stream.read(true) else {
            return;
        };
        self.session_active = true;
        let id_here = own(id);
        let mut read = 0;
        // One chunk is held back, so that the last one and the end go together.
        let mut held: Option<Bytes> = None;
        let last = loop {
            match chunks.next(usize::MAX) {
                Ok(Some(chunk)) => {
                    read += chunk.bytes.len();
                    if let Some(data) = held.replace(chunk.bytes) {
                        let data = Input::StreamData {
                            id: id_here,
                            data,
                            fin: false,
                        };
                        if session.handle(data, now).is_err() {
                            return;
                        }
                    }
                    if read >= READ_TURN {
                        self.readable.push(id);
                        break held.take().map(|data| (data, false));
                    }
                }
                Ok(None) => break Some((held.take().unwrap_or_default(), true)),
                Err(ReadError::Blocked) => break held.take().map(|data| (data, false)),
                Err(ReadError::Reset(code)) => {
                    if let Some(data) = held.take() {
                        let data = Input::StreamData {
                            id: id_here,
                            data,
                            fin: false,
                        };
                        let _ = session.handle(data, now);
                    }
                    let code = code.into_inner();
                    let _ = session.handle(Input::StreamReset { id: id_here, code }, now);
                    break None;
                }
            }
        };
        if let Some((data, fin)) = last {
            let _ = session.handle(
                Input::StreamData {
                    id: id_here,
                    data,
                    fin,
                },
                now,
            );
        }
    }
}
