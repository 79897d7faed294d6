use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use parvis_session::{EndReason, Event, ObjectAssembler, RequestKey, Session, StreamEnd};
use parvis_wire::{Draft, Parameters, RequestError};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    data::Data,
    directory::Directory,
    flusher::Flusher,
    link::{Ending, Incoming, Link, LinkId, Purpose},
    publications::Publication,
    subscription::{Subscription, TrackKey},
};
use crate::{CloseReason, ParticipantName, RoomName, RoomState};

/// The state of one participant: what it asked for, what it publishes, what it receives, over
/// one connection or, while it moves, two.
///
/// A connection's driver hands it the session and the time with every call.
pub(super) struct Core {
    pub(super) room: RoomName,
    pub(super) me: Option<ParticipantName>,
    pub(super) links: BTreeMap<LinkId, Link>,
    /// The connection that new requests go to.
    pub(super) current: Option<LinkId>,
    /// Whether the room was entered: from then on each new connection repeats what it takes.
    pub(super) entered: bool,
    /// Whether it is announced: from the first track on, where it was entered quietly.
    pub(super) visible: bool,
    /// Until then, what is missing on a new connection may still appear there.
    pub(super) grace: Option<Instant>,
    pub(super) publications: BTreeMap<String, Publication>,
    /// Tracks that have ended and that some connection was not told of yet.
    pub(super) ended: Vec<Publication>,
    pub(super) tracks: BTreeMap<TrackKey, Subscription>,
    pub(super) next_track: u64,
    /// Subscriptions to cancel.
    pub(super) unwanted: Vec<(LinkId, RequestKey)>,
    /// Tracks of which something else is wanted: a key frame, another priority.
    pub(super) to_update: BTreeSet<TrackKey>,
    pub(super) directory: Directory,
    pub(super) data: Data,
    pub(super) next_beat: Option<Instant>,
    pub(super) flusher: Arc<Flusher>,
    /// Where the relay asked to move to; empty: to where it is.
    pub(super) asked_to_move: watch::Sender<Option<String>>,
    /// What the current connection speaks.
    pub(super) draft: Option<Draft>,
    pub(super) closing: Option<(oneshot::Sender<()>, Instant)>,
    pub(super) closed: Option<CloseReason>,
    /// Why the last connection that was lost was; whether the room is lost with it is not known at once.
    pub(super) lost: watch::Sender<Option<CloseReason>>,
    /// Whether a relay has answered: until then it may be about to say that one is not let in.
    pub(super) let_in: watch::Sender<bool>,
    /// To the supervisor; a few for each connection.
    pub(super) notices: mpsc::UnboundedSender<Notice>,
}

/// What the supervisor of a room's connections must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    /// The relay asks to move.
    GoAway {
        link: LinkId,
        uri: String,
        timeout_ms: u64,
    },
    /// A connection is over.
    Lost {
        link: LinkId,
        reason: CloseReason,
        /// Whether another one may fare better.
        retry: bool,
        /// Whether the relay had answered on it.
        let_in: bool,
    },
    /// Everything has moved away from a connection.
    Settled { link: LinkId },
}

/// The largest object that is put together.
const MAX_OBJECT: usize = 4 << 20;

/// How long what was there before a move may take to be there again.
pub(super) const GRACE: Duration = Duration::from_secs(8);

impl Core {
    pub(super) fn new(
        room: RoomName,
        me: Option<ParticipantName>,
        state: watch::Sender<Arc<RoomState>>,
        flusher: Arc<Flusher>,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Self {
        let directory = Directory::new(room.clone(), me.clone(), state);
        Self {
            room,
            me,
            links: BTreeMap::new(),
            current: None,
            entered: false,
            visible: true,
            grace: None,
            publications: BTreeMap::new(),
            ended: Vec::new(),
            tracks: BTreeMap::new(),
            next_track: 0,
            unwanted: Vec::new(),
            to_update: BTreeSet::new(),
            directory,
            data: Data::default(),
            next_beat: None,
            flusher,
            asked_to_move: watch::Sender::new(None),
            draft: None,
            closing: None,
            closed: None,
            lost: watch::Sender::new(None),
            let_in: watch::Sender::new(false),
            notices,
        }
    }

    /// Takes what a connection said and does what is due there.
    pub(super) fn turn(
        &mut self,
        link: LinkId,
        events: Vec<Event>,
        session: &mut Session,
        now: Instant,
    ) {
        for event in events {
            self.handle_event(link, event, session, now);
        }
        if !self.links.contains_key(&link) {
            return;
        }
        if self.poll_timeout(link).is_some_and(|at| at <= now) {
            self.handle_timeout(link, session, now);
        }
        self.cancel_unwanted(link, session, now);
        self.ask_for_what_is_missing(link, session, now);
        self.update_tracks(link, session, now);
        self.cancel_unwanted(link, session, now);
        self.handle_media(link, session, now);
        self.check_settled(link, session, now);
    }

    fn handle_event(&mut self, id: LinkId, event: Event, session: &mut Session, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        match event {
            Event::Request { key, request } => self.handle_request(id, key, request, session, now),
            Event::Accepted { key, answer } => {
                self.answered(id);
                self.handle_accepted(id, key, answer, session, now);
            }
            Event::Rejected { key, error } => {
                self.answered(id);
                let end = Ending::Rejected(error.code);
                self.own_request_ended(id, key, &describe(&error), end, now);
            }
            Event::Updated {
                key, parameters, ..
            } => {
                if let Some(publication) = link
                    .served
                    .get(&key)
                    .and_then(|name| self.publications.get_mut(name))
                {
                    publication.update(id, key, &parameters);
                }
                self.handle_data_update(id, key, &parameters);
                let _ = session.accept_update(key, Parameters::default(), now);
            }
            Event::Ended { key, reason } => {
                self.peer_request_ended(id, key, session, now);
                let done = matches!(reason, EndReason::PublishDone { .. });
                let end = if done { Ending::Done } else { Ending::Lost };
                self.own_request_ended(id, key, &format!("{reason:?}"), end, now);
            }
            Event::Namespace { key, suffix, .. } if link.own.contains_key(&key) => {
                if let Some(Purpose::Prefix(prefix)) = link.own.get(&key) {
                    let prefix = *prefix;
                    self.handle_data_namespace(id, prefix, suffix, true, now);
                } else if let Some(name) = ParticipantName::from_suffix(&suffix) {
                    self.handle_announced(id, name, session, now);
                }
            }
            Event::NamespaceDone { key, suffix } if link.own.contains_key(&key) => {
                if let Some(Purpose::Prefix(prefix)) = link.own.get(&key) {
                    let prefix = *prefix;
                    self.handle_data_namespace(id, prefix, suffix, false, now);
                } else if let Some(name) = ParticipantName::from_suffix(&suffix) {
                    self.handle_withdrawn(id, &name, session, now);
                }
            }
            Event::Subgroup {
                stream,
                key,
                header,
            } => {
                let incoming = Incoming {
                    key,
                    group: header.group,
                    assembler: ObjectAssembler::new(&header, MAX_OBJECT),
                };
                link.streams.insert(stream, incoming);
            }
            Event::Object {
                stream,
                header,
                raw,
                header_len,
            } => {
                let Some(incoming) = link.streams.get_mut(&stream) else {
                    return;
                };
                let key = incoming.key;
                match incoming.assembler.object(header, &raw, header_len) {
                    Ok(Some(object)) => self.handle_object(id, key, object, session, now),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%error, "an object is left out"),
                }
            }
            Event::ObjectData { stream, data } => {
                if self.handle_past_data(id, stream, &data, now) {
                    return;
                }
                let Some(link) = self.links.get_mut(&id) else {
                    return;
                };
                let Some(incoming) = link.streams.get_mut(&stream) else {
                    return;
                };
                let key = incoming.key;
                if let Some(object) = incoming.assembler.data(&data) {
                    self.handle_object(id, key, object, session, now);
                }
            }
            Event::SubgroupEnd { stream, end } => {
                let complete = end == StreamEnd::Finished;
                self.handle_stream_end(id, stream, complete, session, now);
            }
            Event::Datagram { key, datagram, .. } => {
                self.handle_object(id, key, datagram.into(), session, now);
            }
            Event::StreamStopped { stream, .. } => self.stream_gone(id, stream, now),
            Event::Fetch { stream, key } => self.handle_past_stream(id, stream, key),
            Event::FetchObject {
                stream,
                object,
                payload,
            } => self.handle_past_object(id, stream, &object, payload, now),
            Event::FetchEnd { stream, key, end } => {
                self.handle_past_end(id, stream, key, end, now);
            }
            Event::SendReady { .. } => self.answer_fetches(id, session, now),
            Event::Dropped(dropped) => {
                tracing::debug!(?dropped, "dropped");
                if let Some(stream) = dropped.stream {
                    self.handle_stream_end(id, stream, false, session, now);
                    self.stream_gone(id, stream, now);
                }
            }
            Event::Closed { code, reason } => {
                let reason = CloseReason::Protocol(format!("{reason} ({code:?})"));
                self.link_lost(id, reason, false);
            }
            Event::GoAway {
                key: None,
                uri,
                timeout_ms,
            } => {
                tracing::info!(uri, timeout_ms, "the relay asks to move");
                link.going_away = true;
                self.asked_to_move.send_replace(Some(uri.clone()));
                let _ = self.notices.send(Notice::GoAway {
                    link: id,
                    uri,
                    timeout_ms,
                });
            }
            Event::UpdateAccepted { key, .. } => link.data.shown.accepted(key),
            Event::GoAway { key: Some(key), .. } => self.move_request(id, key, session, now),
            Event::Established { .. }
            | Event::Namespace { .. }
            | Event::NamespaceDone { .. }
            | Event::UpdateRejected { .. }
            | Event::StateChanged { .. }
            | Event::PublishSkipped { .. }
            | Event::Refused(_)
            | Event::LimitExceeded(_) => {}
        }
    }

    fn answered(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.let_in = true;
            self.let_in
                .send_if_modified(|let_in| !std::mem::replace(let_in, true));
        }
    }

    /// Ends everything: the last thing that happens.
    pub(super) fn handle_closed(&mut self, reason: CloseReason) {
        self.directory.handle_closed(reason.clone());
        self.close_data(&reason);
        self.closed.get_or_insert(reason);
        for (_, publication) in std::mem::take(&mut self.publications) {
            publication.outbox.close();
            (publication.new.stop)();
        }
        self.links.clear();
        self.current = None;
        self.ended.clear();
        self.tracks.clear();
        if let Some((reply, _)) = self.closing.take() {
            let _ = reply.send(());
        }
    }

    /// When the driver of a connection must make a turn at the latest.
    pub(super) fn poll_timeout(&self, link: LinkId) -> Option<Instant> {
        let tracks = self
            .tracks
            .values()
            .filter_map(|track| track.poll_timeout(link, self.current))
            .min();
        let standing = self.links.get(&link).and_then(|link| {
            let retries = [link.discovery.retry_at(), link.visibility.retry_at()];
            retries.into_iter().flatten().min()
        });
        let closing = self.closing.as_ref().map(|(_, until)| *until);
        let data = self.links.get(&link).and_then(|state| {
            let current = self.current == Some(link);
            self.data.poll_timeout(link, &state.data, current)
        });
        [
            data,
            tracks,
            standing,
            self.directory.poll_timeout(link),
            self.next_beat,
            closing,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn handle_timeout(&mut self, link: LinkId, session: &mut Session, now: Instant) {
        let due: Vec<TrackKey> = self
            .tracks
            .iter()
            .filter(|(_, s)| {
                s.poll_timeout(link, self.current)
                    .is_some_and(|at| at <= now)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in due {
            if let Some(track) = self.tracks.get_mut(&key) {
                track.handle_timeout(now);
            }
            self.deliver(key, link, session, now);
            self.leave_overlapping(key, link, session, now);
        }
        self.handle_data_timeout(link, session, now);
        let opened = self.directory.handle_timeout(link, session, now);
        if let Some(link) = self.links.get_mut(&link) {
            for (name, key) in opened {
                link.own.insert(key, Purpose::Catalog(name));
            }
        }
        if self.next_beat.is_some_and(|at| at <= now) {
            self.send_catalog(now);
        }
        if self
            .closing
            .as_ref()
            .is_some_and(|(_, until)| *until <= now)
        {
            self.finish(link, session, now);
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
