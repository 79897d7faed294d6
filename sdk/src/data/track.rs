use parvis_wire::{FullTrackName, Location};
use tokio::sync::mpsc;

use super::DataObject;
use crate::engine::{DataKey, Engine};

/// A data track that is received: each object once, in the order of the track.
///
/// It lasts as long as the connection: a publisher that is gone is waited for. Dropping it ends the
/// subscription.
#[derive(Debug)]
pub struct DataTrack {
    name: FullTrackName,
    largest: Option<Location>,
    objects: mpsc::Receiver<DataObject>,
    key: DataKey,
    engine: Engine,
}

impl DataTrack {
    pub(crate) const fn new(
        name: FullTrackName,
        largest: Option<Location>,
        objects: mpsc::Receiver<DataObject>,
        key: DataKey,
        engine: Engine,
    ) -> Self {
        Self {
            name,
            largest,
            objects,
            key,
            engine,
        }
    }

    /// The track.
    pub const fn name(&self) -> &FullTrackName {
        &self.name
    }

    /// The largest object that there was when the subscription was accepted; `None`: none.
    pub const fn largest(&self) -> Option<Location> {
        self.largest
    }

    /// The next object; `None`: the connection is over.
    pub async fn next(&mut self) -> Option<DataObject> {
        self.objects.recv().await
    }
}

impl Drop for DataTrack {
    fn drop(&mut self) {
        self.engine.unsubscribe_data(self.key);
    }
}
