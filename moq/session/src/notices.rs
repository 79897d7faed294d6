use std::time::Instant;

use parvis_wire::{
    HopPath, Message, Namespace, NamespaceDone, Parameters, PublishSkipped, PublishStateNotify,
    TrackName, TrackNamespace,
};

use crate::{
    ApiMisuse, RequestKey, Session,
    request::{Kind, Origin},
};

/// What this side tells the peer on requests that it serves.
impl Session {
    /// Tells the subscriber that a subscription's state changed; draft 22 only.
    pub fn notify_state(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let request = self.request(key)?;
        let open = request.established || request.origin == Origin::Own;
        if !open || !matches!(&request.kind, Kind::Sending(sending) if sending.done.is_none()) {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "PUBLISH_STATE_NOTIFY",
            });
        }
        let notify = PublishStateNotify { parameters };
        let bytes = self.encode(&Message::PublishStateNotify(notify))?;
        self.answer(key, bytes, now);
        Ok(())
    }

    /// Says to a SUBSCRIBE_NAMESPACE of the peer's that a namespace appeared.
    pub fn namespace(
        &mut self,
        key: RequestKey,
        suffix: TrackNamespace,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        self.tell_namespace(key, suffix, Parameters::default(), now)
    }

    /// The same with the way that word of the namespace has gone; again, for another way. Only
    /// where both sides offered it in SETUP.
    pub fn namespace_by(
        &mut self,
        key: RequestKey,
        suffix: TrackNamespace,
        path: HopPath,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        if !self.tells_paths {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "HOP_PATH",
            });
        }
        let parameters = Parameters {
            hop_path: Some(path),
            ..Parameters::default()
        };
        self.tell_namespace(key, suffix, parameters, now)
    }

    fn tell_namespace(
        &mut self,
        key: RequestKey,
        suffix: TrackNamespace,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        self.serving_namespaces(key)?;
        let namespace = Namespace { suffix, parameters };
        let bytes = self.encode(&Message::Namespace(namespace))?;
        self.answer(key, bytes, now);
        Ok(())
    }

    /// Says to a SUBSCRIBE_NAMESPACE of the peer's that a namespace is gone.
    pub fn namespace_done(
        &mut self,
        key: RequestKey,
        suffix: TrackNamespace,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        self.serving_namespaces(key)?;
        let bytes = self.encode(&Message::NamespaceDone(NamespaceDone { suffix }))?;
        self.answer(key, bytes, now);
        Ok(())
    }

    /// Says to a SUBSCRIBE_TRACKS of the peer's that a track will not be published.
    pub fn publish_skipped(
        &mut self,
        key: RequestKey,
        suffix: TrackNamespace,
        name: TrackName,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let request = self.request(key)?;
        let is_theirs = request.established && request.origin == Origin::Peer;
        if !is_theirs || !matches!(request.kind, Kind::SubscribeTracks { .. }) {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "PUBLISH_SKIPPED",
            });
        }
        let bytes = self.encode(&Message::PublishSkipped(PublishSkipped { suffix, name }))?;
        self.answer(key, bytes, now);
        Ok(())
    }

    fn serving_namespaces(&self, key: RequestKey) -> Result<(), ApiMisuse> {
        let request = self.request(key)?;
        let is_theirs = request.established && request.origin == Origin::Peer;
        if is_theirs && matches!(request.kind, Kind::SubscribeNamespace { .. }) {
            Ok(())
        } else {
            Err(ApiMisuse::NotAllowed {
                key,
                action: "NAMESPACE",
            })
        }
    }
}
