use std::{sync::Arc, time::Instant};

use parvis_format::catalog;
use parvis_session::{Answer, RequestKey, Session};
use parvis_wire::{Parameters, RequestErrorCode};
use tokio::sync::oneshot;

use super::{
    MediaSender, NewPublication, NewSubscription, PublicationKind,
    core::{Core, Purpose},
    publications::Publication,
    subscription::Subscription,
};
use crate::{CloseReason, ConnectError, PublishError, SubscribeError, demand::Demand};

/// Requests of our own.
impl Core {
    pub(super) fn discover(
        &mut self,
        reply: oneshot::Sender<Result<(), ConnectError>>,
        session: &mut Session,
        now: Instant,
    ) {
        match session.subscribe_namespace(self.room.namespace(), Parameters::default(), now) {
            Ok(key) => {
                self.own.insert(key, Purpose::Discover(Some(reply)));
            }
            Err(error) => {
                let _ = reply.send(Err(refused(DISCOVER, error.to_string())));
            }
        }
    }

    pub(super) fn probe(
        &mut self,
        reply: oneshot::Sender<bool>,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(me) = &self.me else {
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
                self.own.insert(key, Purpose::Probe(reply));
            }
            Some(Err(_)) | None => {
                let _ = reply.send(false);
            }
        }
    }

    pub(super) fn announce(
        &mut self,
        reply: oneshot::Sender<Result<(), ConnectError>>,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(me) = &self.me else {
            let _ = reply.send(Ok(()));
            return;
        };
        let namespace = self.room.participant_namespace(me);
        match session.publish_namespace(namespace, Parameters::default(), now) {
            Ok(key) => {
                self.own.insert(key, Purpose::Announce(Some(reply)));
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
                self.send_catalog(session, now);
            }
            Err(error) => {
                let _ = reply.send(Err(refused(ANNOUNCE, error.to_string())));
            }
        }
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
        let sender = MediaSender::new(publication.outbox.clone(), Arc::clone(&self.flusher));
        self.publications.insert(track, publication);
        self.list_soon(now);
        Ok(sender)
    }

    pub(super) fn subscribe(&mut self, new: NewSubscription, session: &mut Session, now: Instant) {
        if let Some(reason) = &self.closed {
            let _ = new.reply.send(Err(SubscribeError::Closed(reason.clone())));
            return;
        }
        let track = new.name.name().to_string();
        match session.subscribe(new.name, Subscription::parameters(new.kind), now) {
            Ok(key) => {
                let subscription = Subscription::new(new.kind, new.sink, new.counters);
                self.subscriptions.insert(key, subscription);
                self.own.insert(
                    key,
                    Purpose::Track {
                        name: track,
                        reply: Some(new.reply),
                    },
                );
            }
            Err(error) => {
                let reason = error.to_string();
                let _ = new
                    .reply
                    .send(Err(SubscribeError::Rejected { track, reason }));
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, key: RequestKey, session: &mut Session, now: Instant) {
        if self.subscriptions.remove(&key).is_some() {
            self.own.remove(&key);
            self.streams.retain(|_, incoming| incoming.key != key);
            let _ = session.cancel(key, now);
        }
    }

    pub(super) fn handle_accepted(
        &mut self,
        key: RequestKey,
        answer: Answer,
        session: &mut Session,
        now: Instant,
    ) {
        match self.own.get_mut(&key) {
            Some(Purpose::Discover(reply) | Purpose::Announce(reply)) => {
                if let Some(reply) = reply.take() {
                    let _ = reply.send(Ok(()));
                }
            }
            Some(Purpose::Probe(_)) => {
                if let Some(Purpose::Probe(reply)) = self.own.remove(&key) {
                    let _ = reply.send(true);
                }
                let _ = session.cancel(key, now);
            }
            Some(Purpose::Track { reply, .. }) => {
                if let (
                    Answer::Subscribe {
                        track_properties, ..
                    },
                    Some(subscription),
                ) = (answer, self.subscriptions.get_mut(&key))
                {
                    subscription.handle_accepted(&track_properties);
                }
                let wanted = reply.take().is_none_or(|reply| reply.send(Ok(key)).is_ok());
                if !wanted {
                    self.unsubscribe(key, session, now);
                }
            }
            Some(Purpose::Catalog(_)) | None => {}
        }
    }

    /// A request of our own was rejected (`code` is known) or has ended.
    pub(super) fn own_request_ended(
        &mut self,
        key: RequestKey,
        reason: &str,
        code: Option<RequestErrorCode>,
        now: Instant,
    ) {
        self.streams.retain(|_, incoming| incoming.key != key);
        self.subscriptions.remove(&key);
        match self.own.remove(&key) {
            Some(Purpose::Discover(Some(reply))) => {
                let _ = reply.send(Err(refused(DISCOVER, reason.to_owned())));
            }
            Some(Purpose::Announce(Some(reply))) => {
                let taken = code == Some(RequestErrorCode::DuplicateSubscription);
                let error = match &self.me {
                    Some(name) if taken => ConnectError::NameTaken {
                        name: name.clone(),
                        room: self.room.clone(),
                    },
                    _ => refused(ANNOUNCE, reason.to_owned()),
                };
                let _ = reply.send(Err(error));
            }
            Some(Purpose::Discover(None) | Purpose::Announce(None)) => {
                tracing::warn!(reason, "the relay ended what the room needs");
            }
            Some(Purpose::Probe(reply)) => {
                let _ = reply.send(false);
            }
            Some(Purpose::Catalog(name)) => self.directory.handle_catalog_ended(&name, now),
            Some(Purpose::Track { name, reply }) => {
                tracing::debug!(track = name, reason, "a track has ended");
                if let Some(reply) = reply {
                    let reason = reason.to_owned();
                    let _ = reply.send(Err(SubscribeError::Rejected {
                        track: name,
                        reason,
                    }));
                }
            }
            None => {}
        }
    }
}

const DISCOVER: &str = "tell who is in the room";
const ANNOUNCE: &str = "announce a participant";

fn refused(what: &'static str, reason: String) -> ConnectError {
    ConnectError::Refused { what, reason }
}
