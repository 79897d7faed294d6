use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Instant,
};

use parvis_session::{Event, ObjectAssembler, RequestKey, Session, StreamEnd, StreamId};
use parvis_wire::{GroupId, Parameters, RequestError};
use tokio::sync::{oneshot, watch};

use super::{
    directory::Directory, flusher::Flusher, publications::Publication, subscription::Subscription,
};
use crate::{CloseReason, ConnectError, ParticipantName, RoomName, RoomState, SubscribeError};

/// The state of one participant's session: what it asked for, what it publishes, what it receives.
///
/// Its driver hands it the session and the time with every call.
pub(super) struct Core {
    pub(super) room: RoomName,
    pub(super) me: Option<ParticipantName>,
    pub(super) own: HashMap<RequestKey, Purpose>,
    /// The peer's subscriptions to our tracks.
    pub(super) served: HashMap<RequestKey, String>,
    /// Participants whom the peer announced by a request of its own.
    pub(super) announced: HashMap<RequestKey, ParticipantName>,
    pub(super) publications: BTreeMap<String, Publication>,
    pub(super) subscriptions: HashMap<RequestKey, Subscription>,
    pub(super) streams: HashMap<StreamId, Incoming>,
    pub(super) directory: Directory,
    pub(super) next_beat: Option<Instant>,
    pub(super) flusher: Arc<Flusher>,
    pub(super) closing: Option<(oneshot::Sender<()>, Instant)>,
    pub(super) closed: Option<CloseReason>,
}

/// Why a request of our own was made.
pub(super) enum Purpose {
    Discover(Option<oneshot::Sender<Result<(), ConnectError>>>),
    Probe(oneshot::Sender<bool>),
    Announce(Option<oneshot::Sender<Result<(), ConnectError>>>),
    Catalog(ParticipantName),
    Track {
        name: String,
        reply: Option<oneshot::Sender<Result<RequestKey, SubscribeError>>>,
    },
}

pub(super) struct Incoming {
    pub(super) key: RequestKey,
    pub(super) group: GroupId,
    pub(super) assembler: ObjectAssembler,
}

/// The largest object that is put together.
const MAX_OBJECT: usize = 4 << 20;

impl Core {
    pub(super) fn new(
        room: RoomName,
        me: Option<ParticipantName>,
        state: watch::Sender<Arc<RoomState>>,
        flusher: Arc<Flusher>,
    ) -> Self {
        let directory = Directory::new(room.clone(), me.clone(), state);
        Self {
            room,
            me,
            own: HashMap::new(),
            served: HashMap::new(),
            announced: HashMap::new(),
            publications: BTreeMap::new(),
            subscriptions: HashMap::new(),
            streams: HashMap::new(),
            directory,
            next_beat: None,
            flusher,
            closing: None,
            closed: None,
        }
    }

    /// Takes what the session says.
    pub(super) fn handle_event(&mut self, event: Event, session: &mut Session, now: Instant) {
        match event {
            Event::Request { key, request } => self.handle_request(key, request, session, now),
            Event::Accepted { key, answer } => self.handle_accepted(key, answer, session, now),
            Event::Rejected { key, error } => {
                self.own_request_ended(key, &describe(&error), Some(error.code), now);
            }
            Event::Updated {
                key, parameters, ..
            } => {
                if let Some(publication) = self
                    .served
                    .get(&key)
                    .and_then(|name| self.publications.get_mut(name))
                {
                    publication.update(key, &parameters);
                }
                let _ = session.accept_update(key, Parameters::default(), now);
            }
            Event::Ended { key, reason } => {
                self.peer_request_ended(key, session, now);
                self.own_request_ended(key, &format!("{reason:?}"), None, now);
            }
            Event::Namespace { key, suffix } if self.own.contains_key(&key) => {
                if let Some(name) = ParticipantName::from_suffix(&suffix) {
                    self.handle_announced(name, session, now);
                }
            }
            Event::NamespaceDone { key, suffix } if self.own.contains_key(&key) => {
                if let Some(name) = ParticipantName::from_suffix(&suffix) {
                    self.handle_withdrawn(&name, session, now);
                }
            }
            Event::Subgroup {
                stream,
                key,
                header,
            } => {
                let assembler = ObjectAssembler::new(&header, MAX_OBJECT);
                self.streams.insert(
                    stream,
                    Incoming {
                        key,
                        group: header.group,
                        assembler,
                    },
                );
            }
            Event::Object {
                stream,
                header,
                raw,
                header_len,
            } => {
                let Some(incoming) = self.streams.get_mut(&stream) else {
                    return;
                };
                let key = incoming.key;
                match incoming.assembler.object(header, &raw, header_len) {
                    Ok(Some(object)) => self.handle_object(key, object, session, now),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%error, "an object is left out"),
                }
            }
            Event::ObjectData { stream, data } => {
                let Some(incoming) = self.streams.get_mut(&stream) else {
                    return;
                };
                let key = incoming.key;
                if let Some(object) = incoming.assembler.data(&data) {
                    self.handle_object(key, object, session, now);
                }
            }
            Event::SubgroupEnd { stream, end } => {
                let complete = end == StreamEnd::Finished;
                self.handle_stream_end(stream, complete, session, now);
            }
            Event::Datagram { key, datagram, .. } => {
                self.handle_object(key, datagram.into(), session, now);
            }
            Event::StreamStopped { stream, .. } => self.stream_gone(stream),
            Event::Dropped(dropped) => {
                tracing::debug!(?dropped, "dropped");
                if let Some(stream) = dropped.stream {
                    self.handle_stream_end(stream, false, session, now);
                    self.stream_gone(stream);
                }
            }
            Event::Closed { code, reason } => {
                self.handle_closed(CloseReason::Protocol(format!("{reason} ({code:?})")));
            }
            Event::GoAway {
                key,
                uri,
                timeout_ms,
            } => {
                tracing::info!(?key, uri, timeout_ms, "the relay is going away");
            }
            Event::Established { .. }
            | Event::Namespace { .. }
            | Event::NamespaceDone { .. }
            | Event::UpdateAccepted { .. }
            | Event::UpdateRejected { .. }
            | Event::StateChanged { .. }
            | Event::PublishSkipped { .. }
            | Event::Fetch { .. }
            | Event::FetchObject { .. }
            | Event::FetchEnd { .. }
            | Event::Refused(_)
            | Event::LimitExceeded(_)
            | Event::SendReady { .. } => {}
        }
    }

    /// Sends what encoders have made, sound first.
    pub(super) fn handle_media(&mut self, session: &mut Session, now: Instant) {
        let mut over = Vec::new();
        let mut by_priority: Vec<&mut Publication> = self.publications.values_mut().collect();
        by_priority.sort_by_key(|publication| publication.new.priority);
        for publication in by_priority {
            publication.send_outbox(session, now);
            if publication.outbox.is_over() {
                over.push(publication.new.track.clone());
            }
        }
        for track in over {
            self.end_publication(&track, session, now);
            self.send_catalog(session, now);
        }
    }

    /// The connection is over.
    pub(super) fn handle_closed(&mut self, reason: CloseReason) {
        self.directory.handle_closed(reason.clone());
        self.closed.get_or_insert(reason);
        for (_, publication) in std::mem::take(&mut self.publications) {
            publication.outbox.close();
            (publication.new.stop)();
        }
        self.own.clear();
        self.subscriptions.clear();
        self.streams.clear();
        if let Some((reply, _)) = self.closing.take() {
            let _ = reply.send(());
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let orders = self
            .subscriptions
            .values()
            .filter_map(Subscription::poll_timeout)
            .min();
        let closing = self.closing.as_ref().map(|(_, until)| *until);
        [
            orders,
            self.directory.poll_timeout(),
            self.next_beat,
            closing,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(super) fn handle_timeout(&mut self, session: &mut Session, now: Instant) {
        let due: Vec<RequestKey> = self
            .subscriptions
            .iter()
            .filter(|(_, s)| s.poll_timeout().is_some_and(|at| at <= now))
            .map(|(key, _)| *key)
            .collect();
        for key in due {
            if let Some(subscription) = self.subscriptions.get_mut(&key) {
                subscription.handle_timeout(now);
            }
            self.deliver(key, session, now);
        }
        for (name, key) in self.directory.handle_timeout(session, now) {
            self.own.insert(key, Purpose::Catalog(name));
        }
        if self.next_beat.is_some_and(|at| at <= now) {
            self.send_catalog(session, now);
        }
        if self
            .closing
            .as_ref()
            .is_some_and(|(_, until)| *until <= now)
        {
            self.finish(session, now);
        }
    }
}

fn describe(error: &RequestError) -> String {
    if error.reason.is_empty() {
        format!("{:?}", error.code)
    } else {
        format!("{}, {:?}", error.reason, error.code)
    }
}
