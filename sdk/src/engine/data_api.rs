//! The engine, as data links use it: everything is noted at once and done by the next turn.

use std::time::{Duration, Instant};

use bytes::Bytes;
use parvis_wire::{FullTrackName, GroupId, Location, TrackNamespace};
use tokio::sync::{mpsc, oneshot};

use super::{Engine, core::Core, data::DataKey, lock};
use crate::{
    DataOptions, DataSubscribe, FetchError, PublishError, SubscribeError,
    data::{Changes, DataObject},
};

impl Engine {
    fn note<R>(&self, what: impl FnOnce(&mut Core) -> R) -> R {
        let result = what(&mut lock(&self.core));
        self.flusher.wake();
        result
    }

    pub(crate) fn add_token(&self, token: &str) {
        self.note(|core| core.data.tokens.add(token));
    }

    pub(crate) fn announce_namespace(&self, namespace: TrackNamespace) {
        self.note(|core| core.announce_namespace(namespace));
    }

    pub(crate) fn withdraw_namespace(&self, namespace: &TrackNamespace) {
        self.note(|core| core.withdraw_namespace(namespace));
    }

    pub(crate) fn publish_data(
        &self,
        name: FullTrackName,
        options: DataOptions,
    ) -> Result<(), PublishError> {
        self.note(|core| core.publish_data(name, options))
    }

    pub(crate) fn send_data(&self, name: &FullTrackName, location: Location, payload: Bytes) {
        lock(&self.core).send_data(name, location, payload);
        self.flusher.flush();
    }

    pub(crate) fn end_data_group(&self, name: &FullTrackName, group: GroupId) {
        lock(&self.core).end_data_group(name, group);
        self.flusher.flush();
    }

    pub(crate) fn resume_data(&self, name: &FullTrackName, largest: Location) {
        lock(&self.core).resume_data(name, largest);
    }

    pub(crate) fn end_data(&self, name: &FullTrackName) {
        self.note(|core| core.end_data(name));
    }

    pub(crate) async fn subscribe_data(
        &self,
        name: FullTrackName,
        wanted: DataSubscribe,
    ) -> Result<(DataKey, Option<Location>, mpsc::Receiver<DataObject>), SubscribeError> {
        let (reply, answer) = oneshot::channel();
        let (sink, objects) = mpsc::channel(super::data::OBJECTS);
        let asked = self.note(|core| core.subscribe_data(name, wanted, sink, reply));
        let asked = Asked {
            engine: self,
            asked,
        };
        let answer = answer.await;
        asked.keep();
        let answer = answer.unwrap_or_else(|_| Err(SubscribeError::Closed(self.closed())));
        let (key, largest) = answer?;
        Ok((key, largest, objects))
    }

    pub(crate) fn unsubscribe_data(&self, key: DataKey) {
        self.note(|core| core.unsubscribe_data(key));
    }

    pub(crate) async fn fetch_data(
        &self,
        name: FullTrackName,
        start: Location,
        end: Location,
        patience: Duration,
    ) -> Result<Vec<DataObject>, FetchError> {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + patience;
        self.note(|core| core.fetch_data(name, (start, end), deadline, reply));
        let answer = answer.await;
        answer.unwrap_or_else(|_| Err(FetchError::Closed(self.closed())))
    }

    pub(crate) fn discover_namespaces(&self, prefix: TrackNamespace) -> (DataKey, Changes) {
        self.note(|core| core.discover_namespaces(prefix))
    }

    pub(crate) fn end_discovery(&self, key: DataKey) {
        self.note(|core| core.end_discovery(key));
    }
}

/// A subscription that is given up where nobody waits for its answer any more.
struct Asked<'a> {
    engine: &'a Engine,
    asked: Option<DataKey>,
}

impl Asked<'_> {
    fn keep(mut self) {
        self.asked = None;
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.asked {
            self.engine.unsubscribe_data(key);
        }
    }
}
