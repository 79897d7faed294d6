use std::time::Instant;

use bytes::{Bytes, BytesMut};
use parvis_session::RequestKey;
use parvis_wire::{FetchObject, FullTrackName, Location};
use tokio::sync::oneshot;

use super::super::link::LinkId;
use crate::{FetchError, data::DataObject};

/// A FETCH of our own.
#[derive(Debug)]
pub(super) struct Fetching {
    pub(super) name: FullTrackName,
    pub(super) start: Location,
    pub(super) end: Location,
    deadline: Instant,
    pub(super) request: Option<(LinkId, RequestKey)>,
    objects: Vec<DataObject>,
    bytes: usize,
    reply: Option<oneshot::Sender<Result<Vec<DataObject>, FetchError>>>,
}

/// A stream of objects of the past that is read.
#[derive(Debug)]
pub(in crate::engine) struct FetchStream {
    pub(in crate::engine) key: RequestKey,
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    location: Location,
    /// `None`: it is too large and is left out.
    payload: Option<BytesMut>,
    missing: u64,
}

/// The largest object that is put together.
const MAX_OBJECT: u64 = 1 << 20;
/// What one FETCH takes.
const MAX_OBJECTS: usize = 1024;
const MAX_BYTES: usize = 4 << 20;

impl Fetching {
    pub(super) const fn new(
        name: FullTrackName,
        start: Location,
        end: Location,
        deadline: Instant,
        reply: oneshot::Sender<Result<Vec<DataObject>, FetchError>>,
    ) -> Self {
        Self {
            name,
            start,
            end,
            deadline,
            request: None,
            objects: Vec::new(),
            bytes: 0,
            reply: Some(reply),
        }
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_given_up(&self) -> bool {
        self.reply.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    pub(super) fn handle_object(&mut self, location: Location, payload: Bytes) {
        self.bytes += payload.len();
        if self.objects.len() < MAX_OBJECTS && self.bytes <= MAX_BYTES {
            self.objects.push(DataObject {
                location,
                payload,
                gap: false,
            });
        }
    }

    /// The connection that brought it is over: begins anew on another one.
    pub(super) fn link_gone(&mut self, link: LinkId) {
        if self.request.is_some_and(|(at, _)| at == link) {
            self.request = None;
            self.objects.clear();
            self.bytes = 0;
        }
    }

    pub(super) fn finish(mut self, result: Result<(), FetchError>) {
        if let Some(reply) = self.reply.take() {
            let mut objects = std::mem::take(&mut self.objects);
            objects.sort_by_key(|object| object.location);
            // Whoever asked may have gone.
            let _ = reply.send(result.map(|()| objects));
        }
    }
}

impl FetchStream {
    pub(super) const fn new(key: RequestKey) -> Self {
        Self { key, partial: None }
    }

    /// Takes an entry's beginning; returns it if it is a whole object already.
    pub(super) fn object(
        &mut self,
        entry: &FetchObject,
        payload: Bytes,
    ) -> Option<(Location, Bytes)> {
        self.partial = None;
        let FetchObject::Object {
            location,
            payload_len,
            ..
        } = entry
        else {
            return None;
        };
        let missing = payload_len.saturating_sub(payload.len() as u64);
        if missing == 0 {
            return Some((*location, payload));
        }
        // Memory follows the bytes that came, not the length that the peer announced.
        let kept = (*payload_len <= MAX_OBJECT).then(|| BytesMut::from(payload.as_ref()));
        self.partial = Some(Partial {
            location: *location,
            payload: kept,
            missing,
        });
        None
    }

    /// Takes more payload; returns the object if that completes it.
    pub(super) fn data(&mut self, data: &Bytes) -> Option<(Location, Bytes)> {
        let partial = self.partial.as_mut()?;
        partial.missing = partial.missing.saturating_sub(data.len() as u64);
        if let Some(payload) = &mut partial.payload {
            payload.extend_from_slice(data);
        }
        if partial.missing > 0 {
            return None;
        }
        let Partial {
            location, payload, ..
        } = self.partial.take()?;
        payload.map(|payload| (location, payload.freeze()))
    }
}
