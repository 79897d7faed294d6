use std::time::Instant;

use parvis_session::{RequestKey, Session};
use parvis_wire::Priority;

use super::{
    NewSubscription,
    arrivals::Reception,
    core::Core,
    link::{Ending, LinkId, Purpose},
    subscription::{Subscription, TrackKey},
};
use crate::{ParticipantName, RemoteStats, SubscribeError};

/// Tracks that are received.
impl Core {
    /// Takes on a track; the next turn of the current connection asks for it.
    pub(super) fn subscribe(&mut self, new: NewSubscription) {
        if let Some(reason) = &self.closed {
            let _ = new.reply.send(Err(SubscribeError::Closed(reason.clone())));
            return;
        }
        let key = TrackKey(self.next_track);
        self.next_track += 1;
        self.tracks.insert(key, Subscription::new(new));
    }

    pub(super) fn ask_for_track(
        &mut self,
        id: LinkId,
        key: TrackKey,
        session: &mut Session,
        now: Instant,
    ) {
        let (Some(track), Some(link)) = (self.tracks.get_mut(&key), self.links.get_mut(&id)) else {
            return;
        };
        match session.subscribe(track.name.clone(), track.parameters(), now) {
            Ok(request) => {
                track.asked(id, request);
                link.own.insert(request, Purpose::Track(key));
            }
            Err(error) if track.reply.is_some() => {
                self.reject_track(key, error.to_string());
            }
            Err(error) => {
                tracing::debug!(%error, "a track is not asked for");
                track.retry_later(now);
            }
        }
    }

    fn reject_track(&mut self, key: TrackKey, reason: String) {
        if let Some(mut track) = self.tracks.remove(&key)
            && let Some(reply) = track.reply.take()
        {
            let track = track.name.name().to_string();
            let _ = reply.send(Err(SubscribeError::Rejected { track, reason }));
        }
    }

    /// Nobody wants the track any more; the next turn of each connection ends what is there.
    pub(super) fn unsubscribe(&mut self, key: TrackKey) {
        if let Some(track) = self.tracks.remove(&key) {
            let sources = track.sources.into_iter();
            self.unwanted
                .extend(sources.map(|(link, source)| (link, source.key)));
            self.flusher.wake();
        }
    }

    pub(super) fn cancel_unwanted(&mut self, id: LinkId, session: &mut Session, now: Instant) {
        for (_, key) in self.unwanted.extract_if(.., |(link, _)| *link == id) {
            if let Some(link) = self.links.get_mut(&id) {
                link.own.remove(&key);
                link.streams.retain(|_, incoming| incoming.key != key);
            }
            let _ = session.cancel(key, now);
        }
    }

    /// A key frame of a track is needed; the next turn of the current connection asks for it.
    pub(super) fn ask_key(&mut self, key: TrackKey) {
        if let Some(track) = self.tracks.get_mut(&key) {
            track.need_key();
            self.to_update.insert(key);
        }
    }

    /// A track matters more or less than others; the next turn of the current connection says so.
    pub(super) fn set_priority(&mut self, key: TrackKey, priority: u8) {
        if let Some(track) = self.tracks.get_mut(&key) {
            track.priority = Some(Priority(priority));
            self.to_update.insert(key);
        }
    }

    /// Whose tracks are received, and what became of their frames.
    pub(super) fn received(&self) -> Vec<(ParticipantName, String, RemoteStats)> {
        let room = self.room.namespace();
        let tracks = self.tracks.values().filter_map(|track| {
            let suffix = track.name.namespace().strip_prefix(&room)?;
            let participant = ParticipantName::from_suffix(&suffix)?;
            let name = String::from_utf8_lossy(&track.name.name().0).into_owned();
            Some((participant, name, track.stats()))
        });
        tracks.collect()
    }

    pub(super) fn look_at_reception(&mut self) -> Reception {
        let tracks = self.tracks.values_mut();
        Reception::of(tracks.map(|track| (track.kind, &mut track.arrivals)))
    }

    pub(super) fn update_tracks(&mut self, id: LinkId, session: &mut Session, now: Instant) {
        if self.current != Some(id) {
            return;
        }
        for key in std::mem::take(&mut self.to_update) {
            if let Some(track) = self.tracks.get_mut(&key) {
                track.ask_key(id, session, now);
                track.tell_priority(id, session, now);
            }
        }
    }

    /// Ends the subscription of a track on one connection.
    pub(super) fn leave_source(
        &mut self,
        key: TrackKey,
        id: LinkId,
        session: &mut Session,
        now: Instant,
    ) {
        let source = self
            .tracks
            .get_mut(&key)
            .and_then(|track| track.sources.remove(&id));
        if let (Some(source), Some(link)) = (source, self.links.get_mut(&id)) {
            link.own.remove(&source.key);
            link.streams
                .retain(|_, incoming| incoming.key != source.key);
            let _ = session.cancel(source.key, now);
        }
    }

    /// A track is not or no longer to be had on a connection.
    pub(super) fn source_ended(
        &mut self,
        key: TrackKey,
        id: LinkId,
        reason: &str,
        ending: Ending,
        now: Instant,
    ) {
        let left = self.current != Some(id) || self.links.get(&id).is_none_or(|l| l.going_away);
        let moving =
            left || (ending != Ending::Done && self.grace.is_some_and(|grace| now < grace));
        let Some(track) = self.tracks.get_mut(&key) else {
            return;
        };
        track.sources.remove(&id);
        tracing::debug!(track = %track.name, reason, "a track has ended");
        if track.reply.is_some() && !left {
            self.reject_track(key, reason.to_owned());
        } else if moving || !track.sources.is_empty() {
            track.retry_later(now);
        } else {
            self.tracks.remove(&key);
        }
    }

    /// The relay asks to make one request again.
    pub(super) fn move_request(
        &mut self,
        id: LinkId,
        key: RequestKey,
        session: &mut Session,
        now: Instant,
    ) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if let Some(Purpose::Track(track)) = link.own.get(&key) {
            let track = *track;
            // What is on its way comes again at the start of the group.
            self.leave_source(track, id, session, now);
            if let Some(track) = self.tracks.get_mut(&track) {
                track.retry = None;
            }
        }
    }

    /// Asks at once for what waits for somebody who is there now.
    pub(super) fn retry_tracks_of(&mut self, name: &ParticipantName) {
        let namespace = self.room.participant_namespace(name);
        for track in self.tracks.values_mut() {
            if track.name.namespace() == &namespace {
                track.retry = None;
            }
        }
    }
}
