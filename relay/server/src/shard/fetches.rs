use std::collections::{VecDeque, hash_map::Entry};

use bytes::Bytes;
use parvis_forwarding::RequestRef;
use parvis_quic::ConnectionKey;
use parvis_session::{RequestKey, SendRefused, StreamId};
use parvis_wire::{FetchObject, ResetCode};

use super::Shard;
use crate::Limit;

/// Bytes of one answer that wait in front of the session; beyond, the answer is cut off. The
/// payloads are the cache's own.
const BACKLOG: usize = 16 << 20;

/// The stream of an answer to FETCH. The forwarder gives all of it at once, the session takes it
/// bit by bit.
#[derive(Debug)]
pub(super) struct FetchStream {
    /// `None`: nobody reads it any more.
    stream: Option<StreamId>,
    backlog: VecDeque<(Box<FetchObject>, Bytes)>,
    bytes: usize,
    ended: bool,
}

impl FetchStream {
    const fn new(stream: StreamId) -> Self {
        Self {
            stream: Some(stream),
            backlog: VecDeque::new(),
            bytes: 0,
            ended: false,
        }
    }

    /// Gives the stream up; what else comes for it is thrown away.
    fn abandon(&mut self) {
        self.stream = None;
        self.backlog.clear();
        self.bytes = 0;
    }
}

impl Shard {
    pub(super) fn fetch_object(
        &mut self,
        connection: ConnectionKey,
        request: RequestRef,
        object: Box<FetchObject>,
        payload: Bytes,
    ) {
        let Some((key, stream)) = self.open_fetch(connection, request) else {
            return;
        };
        if stream.stream.is_none() {
            return;
        }
        stream.bytes += payload.len();
        stream.backlog.push_back((object, payload));
        if stream.bytes > BACKLOG {
            self.cut_fetch(connection, key);
            return;
        }
        self.continue_fetch(connection, key);
    }

    pub(super) fn fetch_end(&mut self, connection: ConnectionKey, request: RequestRef) {
        if let Some((key, stream)) = self.open_fetch(connection, request) {
            stream.ended = true;
            self.continue_fetch(connection, key);
        }
    }

    /// A fetch stream of the session takes data again.
    pub(super) fn fetch_ready(&mut self, connection: ConnectionKey, ready: StreamId) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let mut fetches = peer.fetches.iter();
        let found = fetches.find(|(_, fetch)| fetch.stream == Some(ready));
        if let Some((key, _)) = found {
            let key = *key;
            self.continue_fetch(connection, key);
        }
    }

    fn open_fetch(
        &mut self,
        connection: ConnectionKey,
        request: RequestRef,
    ) -> Option<(RequestKey, &mut FetchStream)> {
        let peer = self.peers.get_mut(connection)?;
        let key = peer.key(request)?;
        if let Entry::Vacant(vacant) = peer.fetches.entry(key) {
            // Refused where the subscriber has just cancelled.
            let stream = self
                .endpoint
                .session(connection)?
                .open_fetch(key, self.now)
                .ok()?;
            vacant.insert(FetchStream::new(stream));
        }
        Some((key, peer.fetches.get_mut(&key)?))
    }

    fn continue_fetch(&mut self, connection: ConnectionKey, key: RequestKey) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let Some(session) = self.endpoint.session(connection) else {
            return;
        };
        let Some(fetch) = peer.fetches.get_mut(&key) else {
            return;
        };
        while let (Some(stream), Some((object, payload))) = (fetch.stream, fetch.backlog.front()) {
            match session.write_fetch_object(stream, object, payload.clone(), self.now) {
                Ok(()) => {
                    let objects = u64::from(matches!(**object, FetchObject::Object { .. }));
                    peer.story.objects_out += objects;
                    peer.story.bytes_out += payload.len() as u64;
                    self.stats.objects_out += objects;
                    self.stats.bytes_out += payload.len() as u64;
                    fetch.bytes -= payload.len();
                    fetch.backlog.pop_front();
                }
                Err(SendRefused::QueueFull(_)) => return,
                Err(_) => fetch.abandon(),
            }
        }
        if fetch.ended {
            if let Some(stream) = fetch.stream {
                // Refused where the subscriber has just cancelled.
                let _ = session.finish_subgroup(stream, self.now);
            }
            peer.fetches.remove(&key);
        }
    }

    /// The session takes no more on this stream, if it is one.
    pub(super) fn fetch_lost(&mut self, connection: ConnectionKey, lost: StreamId) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        for fetch in peer.fetches.values_mut() {
            if fetch.stream == Some(lost) {
                fetch.abandon();
            }
        }
        peer.fetches
            .retain(|_, fetch| fetch.stream.is_some() || !fetch.ended);
    }

    fn cut_fetch(&mut self, connection: ConnectionKey, key: RequestKey) {
        let Some(fetch) = self
            .peers
            .get_mut(connection)
            .and_then(|peer| peer.fetches.get_mut(&key))
        else {
            return;
        };
        let stream = fetch.stream;
        fetch.abandon();
        self.stats.count_limit(Limit::FetchBacklog);
        if let (Some(stream), Some(session)) = (stream, self.endpoint.session(connection)) {
            let _ = session.reset_subgroup(stream, ResetCode::ExcessiveLoad, self.now);
        }
    }
}
