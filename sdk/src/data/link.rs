use std::time::Duration;

use parvis_wire::{FullTrackName, Location, TrackNamespace};

use super::{
    DataObject, DataOptions, DataPublisher, DataSubscribe, DataTrack, FetchError, Namespaces,
};
use crate::{PublishError, SubscribeError, engine::Engine};

/// Publishes, subscribes to, fetches and discovers data tracks over a connection that is kept.
#[derive(Debug, Clone)]
pub struct DataLink {
    engine: Engine,
}

impl DataLink {
    pub(crate) const fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// Shows another token beside those of the [`TokenSource`](crate::TokenSource): with the next
    /// requests, and at each new connection. The newest three are kept.
    pub fn add_token(&self, token: &str) {
        self.engine.add_token(token);
    }

    /// Says that tracks under a namespace are published here, until
    /// [`withdraw`](Self::withdraw); asks again where the relay refuses it.
    pub fn announce(&self, namespace: TrackNamespace) {
        self.engine.announce_namespace(namespace);
    }

    /// Takes an [`announce`](Self::announce) back.
    pub fn withdraw(&self, namespace: &TrackNamespace) {
        self.engine.withdraw_namespace(namespace);
    }

    /// Publishes a track. A subscription that came a moment before it is there is served too.
    pub fn publish(
        &self,
        name: FullTrackName,
        options: DataOptions,
    ) -> Result<DataPublisher, PublishError> {
        self.engine.publish_data(name.clone(), options)?;
        Ok(DataPublisher::new(name, self.engine.clone()))
    }

    /// Receives a track, from the relay's first answer on. A track that is not there yet is waited
    /// for; only a relay that says that one is not allowed to is an error.
    pub async fn subscribe(
        &self,
        name: FullTrackName,
        wanted: DataSubscribe,
    ) -> Result<DataTrack, SubscribeError> {
        let (key, largest, objects) = self.engine.subscribe_data(name.clone(), wanted).await?;
        Ok(DataTrack::new(
            name,
            largest,
            objects,
            key,
            self.engine.clone(),
        ))
    }

    /// Fetches the objects from `start` to `end`, both included, of which at most 1024 with 4 MiB
    /// are taken; those that are gone are left out.
    pub async fn fetch(
        &self,
        name: FullTrackName,
        start: Location,
        end: Location,
        patience: Duration,
    ) -> Result<Vec<DataObject>, FetchError> {
        self.engine.fetch_data(name, start, end, patience).await
    }

    /// Learns which namespaces under a prefix are published, those of this connection too.
    pub fn discover(&self, prefix: TrackNamespace) -> Namespaces {
        let (key, changes) = self.engine.discover_namespaces(prefix);
        Namespaces::new(changes, key, self.engine.clone())
    }
}
