use std::time::Instant;

use parvis_wire::{
    FetchRange, FullTrackName, Parameters, Properties, PublishDoneCode, TrackNamespace,
};

use crate::{ApiMisuse, RequestKey, Session};

/// Requests of our own.
impl Session {
    /// Subscribes to a track. Answered by [`Event::Accepted`](crate::Event::Accepted) or
    /// [`Event::Rejected`](crate::Event::Rejected), as is every request.
    pub fn subscribe(
        &mut self,
        track: FullTrackName,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let _ = (track, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Offers a track; objects may be sent at once unless `parameters` sets forward to 0.
    pub fn publish(
        &mut self,
        track: FullTrackName,
        parameters: Parameters,
        track_properties: Properties,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let _ = (track, parameters, track_properties, now);
        Err(ApiMisuse::Closed)
    }

    /// Says that tracks under a namespace can be subscribed to here.
    pub fn publish_namespace(
        &mut self,
        namespace: TrackNamespace,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let _ = (namespace, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Asks for the namespaces under a prefix, now and later.
    pub fn subscribe_namespace(
        &mut self,
        prefix: TrackNamespace,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let _ = (prefix, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Asks for a PUBLISH of every track under a prefix, now and later.
    pub fn subscribe_tracks(
        &mut self,
        prefix: TrackNamespace,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let _ = (prefix, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Asks for a track's state.
    pub fn track_status(
        &mut self,
        track: FullTrackName,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let _ = (track, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Asks for objects of the past.
    pub fn fetch(
        &mut self,
        range: FetchRange,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let _ = (range, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Changes a request of ours, or a subscription that the peer's PUBLISH started.
    pub fn update(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, parameters, now);
        Err(ApiMisuse::Closed)
    }

    /// Ends this side of a request, whoever made it: unsubscribes, withdraws, stops serving.
    /// No event of that request follows.
    pub fn cancel(&mut self, key: RequestKey, now: Instant) -> Result<(), ApiMisuse> {
        let _ = (key, now);
        Err(ApiMisuse::Closed)
    }

    /// Ends a subscription as its publisher. Streams that were finished are still delivered,
    /// the others are reset.
    pub fn publish_done(
        &mut self,
        key: RequestKey,
        code: PublishDoneCode,
        reason: &str,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, code, reason, now);
        Err(ApiMisuse::Closed)
    }

    /// Asks the peer to move to another session. `uri` must be empty on a client.
    pub fn goaway(&mut self, uri: &str, timeout_ms: u64, now: Instant) -> Result<(), ApiMisuse> {
        let _ = (uri, timeout_ms, now);
        Err(ApiMisuse::Closed)
    }

    /// Asks the peer to move one request.
    pub fn goaway_request(
        &mut self,
        key: RequestKey,
        uri: &str,
        timeout_ms: u64,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let _ = (key, uri, timeout_ms, now);
        Err(ApiMisuse::Closed)
    }
}
