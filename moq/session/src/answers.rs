use std::time::Instant;

use parvis_wire::{FetchOk, Parameters, Properties, RequestError, TrackName, TrackNamespace};

use crate::{ApiMisuse, RequestKey, Session};

/// Answers to the peer's requests.
impl Session {
    /// Accepts a SUBSCRIBE; `open_subgroup` and `send_datagram` may follow.
    pub fn accept_subscribe(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        track_properties: Properties,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, parameters, track_properties, now);
        Err(ApiMisuse::Closed)
    }

    /// Accepts a PUBLISH. Draft 22 lets the answer carry the expiry only: the other parameters
    /// go as an update behind it, whose answer comes as
    /// [`Event::UpdateAccepted`](crate::Event::UpdateAccepted).
    pub fn accept_publish(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Accepts a PUBLISH_NAMESPACE, SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS.
    pub fn accept(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Answers a TRACK_STATUS and ends it.
    pub fn accept_track_status(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        track_properties: Properties,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, parameters, track_properties, now);
        Err(ApiMisuse::Closed)
    }

    /// Accepts a FETCH; `open_fetch` may come before or after.
    pub fn accept_fetch(
        &mut self,
        key: RequestKey,
        answer: FetchOk,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, answer, now);
        Err(ApiMisuse::Closed)
    }

    /// Rejects a request and ends it.
    pub fn reject(
        &mut self,
        key: RequestKey,
        error: RequestError,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, error, now);
        Err(ApiMisuse::Closed)
    }

    /// Accepts the oldest unanswered update of a request.
    pub fn accept_update(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Rejects the oldest unanswered update of a request, which ends the request.
    pub fn reject_update(
        &mut self,
        key: RequestKey,
        error: RequestError,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, error, now);
        Err(ApiMisuse::Closed)
    }

    /// Tells the subscriber that a subscription's state changed; draft 22 only.
    pub fn notify_state(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Says to a SUBSCRIBE_NAMESPACE of the peer's that a namespace appeared.
    pub fn namespace(
        &mut self,
        key: RequestKey,
        suffix: TrackNamespace,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, suffix, now);
        Err(ApiMisuse::Closed)
    }

    /// Says to a SUBSCRIBE_NAMESPACE of the peer's that a namespace is gone.
    pub fn namespace_done(
        &mut self,
        key: RequestKey,
        suffix: TrackNamespace,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, suffix, now);
        Err(ApiMisuse::Closed)
    }

    /// Says to a SUBSCRIBE_TRACKS of the peer's that a track will not be published.
    pub fn publish_skipped(
        &mut self,
        key: RequestKey,
        suffix: TrackNamespace,
        name: TrackName,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, suffix, name, now);
        Err(ApiMisuse::Closed)
    }
}
