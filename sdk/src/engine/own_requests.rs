use std::time::{Duration, Instant};

use parvis_format::catalog;
use parvis_session::{Answer, RequestKey, Session};
use parvis_wire::{Parameters, RequestErrorCode};
use tokio::sync::oneshot;

use super::{
    MediaSender, NewPublication, PublicationKind,
    core::Core,
    link::{Ending, LinkId, Purpose, Standing},
    publications::Publication,
    subscription::TrackKey,
};
use crate::{CloseReason, ConnectError, PublishError, demand::Demand};

/// How long what a new connection needs waits after it was refused there.
const AGAIN: Duration = Duration::from_millis(500);

/// Requests of our own.
impl Core {
    pub(super) fn discover(
        &mut self,
        id: LinkId,
        reply: Option<oneshot::Sender<Result<(), ConnectError>>>,
        session: &mut Session,
        now: Instant,
    ) {
        let prefix = self.room.namespace();
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let parameters = self
            .data
            .tokens
            .put(&link.data.shown, Parameters::default());
        match session.subscribe_namespace(prefix, parameters, now) {
            Ok(key) => {
                self.data.tokens.carried(&mut link.data.shown, key);
                link.discovery = Standing::Asked;
                link.own.insert(key, Purpose::Discover(reply));
            }
            Err(error) => {
                link.discovery = Standing::RetryAt(now + AGAIN);
                if let Some(reply) = reply {
                    let _ = reply.send(Err(refused(DISCOVER, error.to_string())));
                }
            }
        }
    }

    pub(super) fn probe(
        &mut self,
        id: LinkId,
        reply: oneshot::Sender<bool>,
        session: &mut Session,
        now: Instant,
    ) {
        let (Some(me), Some(link)) = (&self.me, self.links.get_mut(&id)) else {
            let _ = reply.send(false);
            return;
        };
        if self.directory.contains(me) {
            let _ = reply.send(true);
            return;
        }
        let track = self.room.track(me, catalog::TRACK_NAME);
        match track.map(|track| session.subscribe(track, Parameters::default(), now)) {
            Some(Ok(key)) => {
                link.own.insert(key, Purpose::Probe(reply));
            }
            Some(Err(_)) | None => {
                let _ = reply.send(false);
            }
        }
    }

    pub(super) fn announce(
        &mut self,
        id: LinkId,
        reply: Option<oneshot::Sender<Result<(), ConnectError>>>,
        session: &mut Session,
        now: Instant,
    ) {
        let (Some(me), Some(link)) = (&self.me, self.links.get_mut(&id)) else {
            if let Some(reply) = reply {
                let _ = reply.send(Ok(()));
            }
            return;
        };
        let namespace = self.room.participant_namespace(me);
        let parameters = self
            .data
            .tokens
            .put(&link.data.shown, Parameters::default());
        match session.publish_namespace(namespace, parameters, now) {
            Ok(key) => {
                self.data.tokens.carried(&mut link.data.shown, key);
                link.visibility = Standing::Asked;
                link.own.insert(key, Purpose::Announce(reply));
                self.publish_catalog(now);
            }
            Err(error) => {
                link.visibility = Standing::RetryAt(now + AGAIN);
                if let Some(reply) = reply {
                    let _ = reply.send(Err(refused(ANNOUNCE, error.to_string())));
                }
            }
        }
    }

    fn publish_catalog(&mut self, now: Instant) {
        if self.publications.contains_key(catalog::TRACK_NAME) {
            return;
        }
        let new = NewPublication {
            track: catalog::TRACK_NAME.to_owned(),
            kind: PublicationKind::State,
            priority: 8,
            info: None,
            demand: Demand::default(),
            threaded: false,
            stop: Box::new(|| ()),
        };
        self.publications
            .insert(new.track.clone(), Publication::new(new));
        self.send_catalog(now);
    }

    pub(super) fn publish(
        &mut self,
        new: NewPublication,
        now: Instant,
    ) -> Result<MediaSender, PublishError> {
        if let Some(reason) = &self.closed {
            return Err(PublishError::Closed(reason.clone()));
        }
        if self.closing.is_some() {
            return Err(PublishError::Closed(CloseReason::Local));
        }
        if self.me.is_none() {
            return Err(PublishError::Observer);
        }
        if self.publications.contains_key(&new.track) {
            return Err(PublishError::TrackExists(new.track));
        }
        let track = new.track.clone();
        let publication = Publication::new(new);
        let sender = MediaSender::new(
            publication.outbox.clone(),
            std::sync::Arc::clone(&self.flusher),
        );
        self.publications.insert(track, publication);
        self.visible = true;
        self.list_soon(now);
        Ok(sender)
    }

    /// Asks what a connection lacks that the others had.
    pub(super) fn ask_for_what_is_missing(
        &mut self,
        id: LinkId,
        session: &mut Session,
        now: Instant,
    ) {
        if self.current != Some(id) || self.closing.is_some() || !session.is_established() {
            return;
        }
        let Some(link) = self.links.get(&id).filter(|link| !link.going_away) else {
            return;
        };
        let (discovery, visibility) = (link.discovery, link.visibility);
        if self.entered && discovery.is_due(now) {
            self.discover(id, None, session, now);
        }
        if self.entered && self.visible && self.me.is_some() && visibility.is_due(now) {
            self.announce(id, None, session, now);
        }
        let missing: Vec<TrackKey> = self
            .tracks
            .iter()
            .filter(|(_, track)| {
                !track.sources.contains_key(&id) && track.retry.is_none_or(|at| at <= now)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in missing {
            self.ask_for_track(id, key, session, now);
        }
        self.ask_for_data(id, session, now);
    }

    pub(super) fn handle_accepted(
        &mut self,
        id: LinkId,
        key: RequestKey,
        answer: Answer,
        session: &mut Session,
        now: Instant,
    ) {
        self.handle_data_accepted(id, key, &answer, session, now);
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let purpose = link.own.get_mut(&key);
        match purpose {
            Some(Purpose::Discover(reply)) => {
                link.discovery = Standing::Accepted;
                if let Some(reply) = reply.take() {
                    let _ = reply.send(Ok(()));
                }
            }
            Some(Purpose::Announce(reply)) => {
                link.visibility = Standing::Accepted;
                if let Some(reply) = reply.take() {
                    let _ = reply.send(Ok(()));
                }
            }
            Some(Purpose::Probe(_)) => {
                if let Some(Purpose::Probe(reply)) = link.own.remove(&key) {
                    let _ = reply.send(true);
                }
                let _ = session.cancel(key, now);
            }
            Some(Purpose::Track(track_key)) => {
                let track_key = *track_key;
                let Some(track) = self.tracks.get_mut(&track_key) else {
                    return;
                };
                if let Answer::Subscribe {
                    track_properties, ..
                } = answer
                {
                    track.handle_accepted(&track_properties);
                }
                let wanted = track
                    .reply
                    .take()
                    .is_none_or(|reply| reply.send(Ok(track_key)).is_ok());
                if !wanted {
                    self.unsubscribe(track_key);
                }
            }
            Some(
                Purpose::Catalog(_)
                | Purpose::Data(_)
                | Purpose::Joining(_)
                | Purpose::Fetch(_)
                | Purpose::Namespace(_)
                | Purpose::Prefix(_),
            )
            | None => {}
        }
    }

    /// A request of our own was rejected or has ended.
    pub(super) fn own_request_ended(
        &mut self,
        id: LinkId,
        key: RequestKey,
        reason: &str,
        ending: Ending,
        now: Instant,
    ) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.streams.retain(|_, incoming| incoming.key != key);
        link.data.shown.ended(key);
        match link.own.remove(&key) {
            Some(Purpose::Discover(Some(reply))) => {
                let _ = reply.send(Err(refused(DISCOVER, reason.to_owned())));
            }
            Some(Purpose::Announce(Some(reply))) => {
                let taken = ending == Ending::Rejected(RequestErrorCode::DuplicateSubscription);
                let error = match &self.me {
                    Some(name) if taken => ConnectError::NameTaken {
                        name: name.clone(),
                        room: self.room.clone(),
                    },
                    _ => refused(ANNOUNCE, reason.to_owned()),
                };
                let _ = reply.send(Err(error));
            }
            Some(Purpose::Discover(None)) => {
                tracing::warn!(reason, "the relay does not tell who is in the room");
                link.discovery = Standing::RetryAt(now + AGAIN);
            }
            Some(Purpose::Announce(None)) => {
                tracing::warn!(reason, "the relay does not announce this participant");
                link.visibility = Standing::RetryAt(now + AGAIN);
            }
            Some(Purpose::Probe(reply)) => {
                let _ = reply.send(false);
            }
            Some(Purpose::Catalog(name)) => self.directory.handle_catalog_ended(id, &name, now),
            Some(Purpose::Track(key)) => self.source_ended(key, id, reason, ending, now),
            Some(
                purpose @ (Purpose::Data(_)
                | Purpose::Joining(_)
                | Purpose::Fetch(_)
                | Purpose::Namespace(_)
                | Purpose::Prefix(_)),
            ) => self.data_request_ended(id, purpose, reason, ending, now),
            None => {}
        }
    }
}

const DISCOVER: &str = "tell who is in the room";
const ANNOUNCE: &str = "announce a participant";

fn refused(what: &'static str, reason: String) -> ConnectError {
    ConnectError::Refused { what, reason }
}
