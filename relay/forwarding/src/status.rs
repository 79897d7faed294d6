//! TRACK_STATUS of a track that nobody is subscribed to: asked of a publisher.

use std::time::Instant;

use parvis_wire::{FullTrackName, Parameters, Properties, RequestError, RequestErrorCode};

use crate::{
    Forwarder, PeerId, Receiver, Signal,
    forwarder::request_error,
    keys::StatusKey,
    peer::{Quota, Request},
    subscription::SubscriptionKind,
};

/// A TRACK_STATUS that was passed on.
#[derive(Debug)]
pub(crate) struct Status {
    from: Receiver,
    to: Receiver,
    track: FullTrackName,
    tried: Vec<PeerId>,
}

impl Forwarder {
    pub(crate) fn track_status(&mut self, from: Receiver, track: FullTrackName, now: Instant) {
        if self.over_quota(from.peer, Quota::Subscriptions) {
            let reason = "too many subscriptions";
            self.reject(from, RequestErrorCode::ExcessiveLoad, reason);
            return;
        }
        let is_known = self.names.get(&track).is_some_and(|key| {
            let track = &self.tracks[key.0];
            track.upstream().is_some() || track.ending.is_some()
        });
        if is_known || self.is_stopped(&track) {
            self.subscribe_for_status(from, track, now);
            return;
        }
        if !self.pass_status(from, track, Vec::new()) {
            let reason = "nobody publishes the track";
            self.reject(from, RequestErrorCode::DoesNotExist, reason);
        }
    }

    /// Answers from a subscription, which is made if there is none.
    fn subscribe_for_status(&mut self, from: Receiver, track: FullTrackName, now: Instant) {
        let parameters = Parameters::default();
        self.subscribe(from, track, &parameters, SubscriptionKind::Status, now);
    }

    /// Asks a publisher that was not asked; says whether there is one.
    fn pass_status(
        &mut self,
        from: Receiver,
        track: FullTrackName,
        mut tried: Vec<PeerId>,
    ) -> bool {
        let for_shard = self.is_shard(from.peer);
        let Some(peer) = self.find_source(&track, for_shard, &tried) else {
            return false;
        };
        tried.push(peer);
        let key = StatusKey(self.statuses.vacant_key());
        let to = self.open_request(peer, Request::StatusAsked(key));
        self.remember(from, Request::Status(key));
        self.statuses.insert(Status {
            from,
            to,
            track: track.clone(),
            tried,
        });
        self.say(to, Signal::TrackStatus { track });
        true
    }

    /// The publisher answered.
    pub(crate) fn status_answered(
        &mut self,
        key: StatusKey,
        parameters: &Parameters,
        properties: Properties,
    ) {
        let status = self.forget_status(key);
        let parameters = Parameters {
            largest: parameters.largest,
            ..Parameters::default()
        };
        let answer = Signal::TrackStatusOk {
            parameters,
            properties,
        };
        self.say(status.from, answer);
    }

    /// The publisher rejected it, or is gone.
    pub(crate) fn status_failed(
        &mut self,
        key: StatusKey,
        error: Option<RequestError>,
        now: Instant,
    ) {
        let Status {
            from, track, tried, ..
        } = self.forget_status(key);
        let is_unknown = error
            .as_ref()
            .is_some_and(|error| error.code == RequestErrorCode::NotSupported);
        if is_unknown {
            // Who knows no TRACK_STATUS knows SUBSCRIBE.
            self.subscribe_for_status(from, track, now);
        } else if !self.pass_status(from, track, tried) {
            let gone = || request_error(RequestErrorCode::DoesNotExist, "the publisher left");
            self.say(from, Signal::Reject(error.unwrap_or_else(gone)));
        }
    }

    /// Who asked is not interested any more.
    pub(crate) fn cancel_status(&mut self, key: StatusKey) {
        let status = self.forget_status(key);
        self.say(status.to, Signal::Cancel);
    }

    /// Whether this request belongs to a TRACK_STATUS that is passed on.
    pub(crate) fn is_of_status(&self, key: StatusKey, at: Receiver) -> bool {
        let status = self.statuses.get(key.0);
        status.is_some_and(|status| status.from == at || status.to == at)
    }

    fn forget_status(&mut self, key: StatusKey) -> Status {
        let status = self.statuses.remove(key.0);
        self.forget(status.from);
        self.forget(status.to);
        status
    }
}
