use std::time::Instant;

use bytes::Bytes;
use parvis_session::{RequestKey, StreamEnd, StreamId};
use parvis_wire::{FetchObject, Location};

use super::{
    super::{
        core::Core,
        link::{LinkId, Purpose},
    },
    FetchStream,
};
use crate::FetchError;

/// Streams of what was published before: answers to FETCH, and fills of subscriptions.
impl Core {
    /// The stream of a FETCH or a fill.
    pub(in crate::engine) fn handle_past_stream(
        &mut self,
        id: LinkId,
        stream: StreamId,
        key: RequestKey,
    ) {
        if let Some(link) = self.links.get_mut(&id) {
            link.data.streams.insert(stream, FetchStream::new(key));
        }
    }

    pub(in crate::engine) fn handle_past_object(
        &mut self,
        id: LinkId,
        stream: StreamId,
        entry: &FetchObject,
        payload: Bytes,
        now: Instant,
    ) {
        let link = self.links.get_mut(&id);
        if let Some(reader) = link.and_then(|link| link.data.streams.get_mut(&stream)) {
            let key = reader.key;
            let whole = reader.object(entry, payload);
            self.take_past(id, key, whole, now);
        }
    }

    /// More payload; returns whether the stream is one of the past.
    pub(in crate::engine) fn handle_past_data(
        &mut self,
        id: LinkId,
        stream: StreamId,
        data: &Bytes,
        now: Instant,
    ) -> bool {
        let link = self.links.get_mut(&id);
        let Some(reader) = link.and_then(|link| link.data.streams.get_mut(&stream)) else {
            return false;
        };
        let key = reader.key;
        let whole = reader.data(data);
        self.take_past(id, key, whole, now);
        true
    }

    fn take_past(
        &mut self,
        id: LinkId,
        key: RequestKey,
        whole: Option<(Location, Bytes)>,
        now: Instant,
    ) {
        let Some((location, payload)) = whole else {
            return;
        };
        match self.links.get(&id).and_then(|link| link.own.get(&key)) {
            Some(Purpose::Data(data) | Purpose::Joining(data)) => {
                self.handle_data_object(*data, location, payload, now);
            }
            Some(Purpose::Fetch(fetch)) => {
                if let Some(fetch) = self.data.fetches.get_mut(fetch) {
                    fetch.handle_object(location, payload);
                }
            }
            _ => {}
        }
    }

    pub(in crate::engine) fn handle_past_end(
        &mut self,
        id: LinkId,
        stream: StreamId,
        key: RequestKey,
        end: StreamEnd,
        now: Instant,
    ) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.data.streams.remove(&stream);
        match link.own.get(&key) {
            Some(Purpose::Fetch(_)) => {
                let Some(Purpose::Fetch(fetch)) = link.own.remove(&key) else {
                    return;
                };
                if let Some(fetch) = self.data.fetches.remove(&fetch) {
                    let whole = end == StreamEnd::Finished;
                    fetch.finish(if whole {
                        Ok(())
                    } else {
                        Err(FetchError::Rejected(format!("{end:?}")))
                    });
                }
            }
            Some(Purpose::Joining(data)) => {
                let data = *data;
                link.own.remove(&key);
                if let Some(subscription) = self.data.subscriptions.get_mut(&data) {
                    if let Some(source) = subscription.source_mut(id) {
                        source.joining = None;
                    }
                    subscription.end_fill();
                }
                self.deliver_data(data, now);
            }
            Some(Purpose::Data(data)) => {
                let data = *data;
                if let Some(subscription) = self.data.subscriptions.get_mut(&data) {
                    subscription.end_fill();
                }
                self.deliver_data(data, now);
            }
            _ => {}
        }
    }
}
