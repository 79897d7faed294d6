use bytes::Bytes;
use parvis_wire::{FullTrackName, GroupId, Location};

use crate::engine::Engine;

/// A data track that is published. Dropping it ends the track.
#[derive(Debug)]
pub struct DataPublisher {
    name: FullTrackName,
    engine: Engine,
}

impl DataPublisher {
    pub(crate) const fn new(name: FullTrackName, engine: Engine) -> Self {
        Self { name, engine }
    }

    /// The track.
    pub const fn name(&self) -> &FullTrackName {
        &self.name
    }

    /// Publishes an object; never waits. Places grow: one that is not after all others is ignored.
    pub fn send(&self, location: Location, payload: impl Into<Bytes>) {
        self.engine.send_data(&self.name, location, payload.into());
    }

    /// Says that nothing more comes in a group.
    pub fn end_group(&self, group: GroupId) {
        self.engine.end_data_group(&self.name, group);
    }

    /// Says that there were objects up to this place, before anything is sent: of a track that goes
    /// on after its publisher was started anew.
    pub fn resume_after(&self, largest: Location) {
        self.engine.resume_data(&self.name, largest);
    }
}

impl Drop for DataPublisher {
    fn drop(&mut self) {
        self.engine.end_data(&self.name);
    }
}
