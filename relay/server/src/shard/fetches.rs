//! Answers to FETCH, on their way to sessions.

use std::collections::{VecDeque, hash_map::Entry as Slot};

use bytes::Bytes;
use parvis_forwarding::{Input, RequestRef, Signal, SubgroupEnd};
use parvis_quic::ConnectionKey;
use parvis_session::{RequestKey, SendRefused, StreamId};
use parvis_wire::{Draft, FetchObject, Parameters, RequestId, ResetCode};

use super::{Shard, peer::Peer};
use crate::Limit;

/// The memory that a part of an answer is taken to need beside its bytes.
const OVERHEAD: usize = 256;

/// The stream of an answer to FETCH, or of a fill. The forwarder gives what it has at once, the
/// session takes it bit by bit.
#[derive(Debug)]
pub(super) struct FetchStream {
    stream: StreamId,
    backlog: VecDeque<Part>,
    bytes: usize,
    end: Option<SubgroupEnd>,
}

#[derive(Debug)]
enum Part {
    Entry(Box<FetchObject>, Bytes),
    Data(Bytes),
}

impl Part {
    const fn len(&self) -> usize {
        match self {
            Self::Entry(_, data) | Self::Data(data) => data.len(),
        }
    }

    /// The memory that it is taken to need.
    fn cost(&self) -> usize {
        let properties = match self {
            Self::Entry(object, _) => match &**object {
                FetchObject::Object { properties, .. } => properties
                    .as_ref()
                    .map_or(0, |properties| properties.as_bytes().len()),
                _ => 0,
            },
            Self::Data(_) => 0,
        };
        self.len() + properties + OVERHEAD
    }
}

impl FetchStream {
    pub(super) const fn new(stream: StreamId) -> Self {
        Self {
            stream,
            backlog: VecDeque::new(),
            bytes: 0,
            end: None,
        }
    }

    /// Bytes that wait, as they count.
    pub(super) const fn waiting(&self) -> usize {
        self.bytes
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
        self.fetch_part(connection, request, Part::Entry(object, payload));
    }

    pub(super) fn fetch_data(
        &mut self,
        connection: ConnectionKey,
        request: RequestRef,
        data: Bytes,
    ) {
        self.fetch_part(connection, request, Part::Data(data));
    }

    fn fetch_part(&mut self, connection: ConnectionKey, request: RequestRef, part: Part) {
        if !self.open_fetch(connection, request) {
            return;
        }
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let Some(fetch) = peer.fetches.get_mut(&request) else {
            return;
        };
        let cost = part.cost();
        fetch.bytes += cost;
        peer.fetch_backlog += cost;
        fetch.backlog.push_back(part);
        if peer.fetch_backlog > self.fetch_queue {
            self.cut_fetch(connection, request, ResetCode::ExcessiveLoad);
            return;
        }
        self.continue_fetch(connection, request);
    }

    pub(super) fn fetch_end(
        &mut self,
        connection: ConnectionKey,
        request: RequestRef,
        end: SubgroupEnd,
    ) {
        if !self.open_fetch(connection, request) {
            return;
        }
        if let Some(peer) = self.peers.get_mut(connection)
            && let Some(fetch) = peer.fetches.get_mut(&request)
        {
            if matches!(end, SubgroupEnd::Reset(_)) {
                // Nobody may read the rest.
                peer.fetch_backlog -= std::mem::take(&mut fetch.bytes);
                fetch.backlog.clear();
            }
            fetch.end = Some(end);
            self.continue_fetch(connection, request);
        }
    }

    /// A fetch stream of the session takes data again.
    pub(super) fn fetch_ready(&mut self, connection: ConnectionKey, ready: StreamId) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let mut fetches = peer.fetches.iter();
        let found = fetches.find(|(_, fetch)| fetch.stream == ready);
        if let Some((request, _)) = found {
            let request = *request;
            self.continue_fetch(connection, request);
        }
    }

    /// Opens the stream of an answer with its first part; says whether there is one.
    fn open_fetch(&mut self, connection: ConnectionKey, request: RequestRef) -> bool {
        let Some(peer) = self.peers.get_mut(connection) else {
            return false;
        };
        let key = peer.key(request);
        if let Slot::Vacant(vacant) = peer.fetches.entry(request) {
            // Refused where the subscriber has just cancelled.
            let opened = key.and_then(|key| {
                let session = self.endpoint.session(connection)?;
                session.open_fetch(key, self.now).ok()
            });
            let Some(stream) = opened else {
                return false;
            };
            vacant.insert(FetchStream::new(stream));
        }
        true
    }

    /// Opens the stream of a fill.
    pub(super) fn open_fill(
        &mut self,
        connection: ConnectionKey,
        request: RequestRef,
        subscription: RequestRef,
        update: Option<RequestId>,
        parameters: &Parameters,
    ) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let opened = peer.key(subscription).and_then(|key| {
            let session = self.endpoint.session(connection)?;
            session.open_fill(key, update, parameters, self.now).ok()
        });
        match opened {
            Some(stream) => {
                peer.fetches.insert(request, FetchStream::new(stream));
            }
            // The subscriber has just lost interest, or has too many streams.
            None => self.unwanted_fetch(connection, request),
        }
    }

    fn continue_fetch(&mut self, connection: ConnectionKey, request: RequestRef) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let Some(session) = self.endpoint.session(connection) else {
            return;
        };
        let Some(fetch) = peer.fetches.get_mut(&request) else {
            return;
        };
        let stream = fetch.stream;
        while let Some(part) = fetch.backlog.front() {
            let (len, cost, objects) = (part.len(), part.cost(), u64::from(is_object(part)));
            let written = match part {
                Part::Entry(object, payload) => {
                    let object = said_in(object, session.draft());
                    session.write_fetch_object(stream, &object, payload.clone(), self.now)
                }
                Part::Data(data) => session.write_raw(stream, data.clone(), self.now),
            };
            match written {
                Ok(()) => {
                    peer.story.objects_out += objects;
                    peer.story.bytes_out += len as u64;
                    self.stats.objects_out += objects;
                    self.stats.bytes_out += len as u64;
                    fetch.bytes -= cost;
                    peer.fetch_backlog -= cost;
                    fetch.backlog.pop_front();
                }
                Err(SendRefused::QueueFull(_)) => return,
                // Draft 22 cannot say that something is not known where a group goes on.
                Err(SendRefused::Unencodable) => {
                    self.cut_fetch(connection, request, ResetCode::UnknownObjectStatus);
                    return;
                }
                // The subscriber has just cancelled.
                Err(_) => {
                    give_up(peer, request);
                    self.unwanted_fetch(connection, request);
                    return;
                }
            }
        }
        if let Some(end) = fetch.end {
            // Refused where the subscriber has just cancelled.
            let _ = match end {
                SubgroupEnd::Finished => session.finish_subgroup(stream, self.now),
                SubgroupEnd::Reset(code) => session.reset_subgroup(stream, code, self.now),
            };
            peer.fetches.remove(&request);
            peer.fetch_is_over(request);
            // The forwarder has nothing to take back any more.
            self.unwanted_fetch(connection, request);
        }
    }

    /// The session takes no more on this stream, if it is one of an answer.
    pub(super) fn fetch_lost(&mut self, connection: ConnectionKey, lost: StreamId) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let mut fetches = peer.fetches.iter();
        let found = fetches.find(|(_, fetch)| fetch.stream == lost);
        if let Some((request, _)) = found {
            let request = *request;
            give_up(peer, request);
            self.unwanted_fetch(connection, request);
        }
    }

    /// Nobody may read an answer any more.
    pub(super) fn revoke_fetch(&mut self, connection: ConnectionKey, request: RequestKey) {
        let peer = self.peers.get(connection);
        let found = peer.and_then(|peer| {
            let request = peer.request(request)?;
            peer.fetches.contains_key(&request).then_some(request)
        });
        if let Some(request) = found {
            self.cut_fetch(connection, request, ResetCode::Cancelled);
        }
    }

    fn cut_fetch(&mut self, connection: ConnectionKey, request: RequestRef, code: ResetCode) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let stream = give_up(peer, request);
        if code == ResetCode::ExcessiveLoad {
            self.stats.count_limit(Limit::FetchBacklog);
        }
        if let (Some(stream), Some(session)) = (stream, self.endpoint.session(connection)) {
            let _ = session.reset_subgroup(stream, code, self.now);
        }
        self.unwanted_fetch(connection, request);
    }

    /// Tells the forwarder that nobody reads an answer any more.
    fn unwanted_fetch(&mut self, connection: ConnectionKey, request: RequestRef) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        if peer.announced {
            let (peer, signal) = (peer.id, Box::new(Signal::Cancel));
            self.inputs.push_back(Input::Signal {
                peer,
                request,
                signal,
            });
        }
    }
}

/// Gives an answer up; returns its stream. What else comes for it finds no stream.
fn give_up(peer: &mut Peer, request: RequestRef) -> Option<StreamId> {
    let fetch = peer.fetches.remove(&request)?;
    peer.fetch_is_over(request);
    peer.fetch_backlog -= fetch.bytes;
    Some(fetch.stream)
}

const fn is_object(part: &Part) -> bool {
    matches!(part, Part::Entry(object, _) if matches!(**object, FetchObject::Object { .. }))
}

/// The entry as the draft can say it: 18 does not tell what came too late from what is unknown.
fn said_in(object: &FetchObject, draft: Draft) -> std::borrow::Cow<'_, FetchObject> {
    match (object, draft) {
        (FetchObject::EndOfTimedOutRange(to), Draft::D18) => {
            std::borrow::Cow::Owned(FetchObject::EndOfUnknownRange(*to))
        }
        _ => std::borrow::Cow::Borrowed(object),
    }
}
