use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use parvis_format::MediaKind;
use tokio::sync::mpsc;

use super::{RemoteCounters, RemoteStats};
use crate::{
    ParticipantName, RoomName, SubscribeError, TrackInfo, TrackKind, delivery,
    engine::{Engine, FRAMES, RemoteFrame, TrackKey},
};

/// A track that is received as it was encoded: in order, from a key frame on, never over a gap.
///
/// Dropping it ends the subscription.
#[derive(Debug)]
pub struct RemoteTrack {
    info: TrackInfo,
    frames: mpsc::Receiver<RemoteFrame>,
    counters: Arc<RemoteCounters>,
    subscription: Subscription,
}

/// Ends the subscription when it is dropped.
#[derive(Debug)]
pub(super) struct Subscription {
    key: TrackKey,
    engine: Engine,
    priority: AtomicU8,
}

impl Subscription {
    pub(super) fn ask_key(&self) {
        self.engine.ask_key(self.key);
    }

    pub(super) fn set_priority(&self, priority: u8) {
        if self.priority.swap(priority, Ordering::Relaxed) != priority {
            self.engine.set_priority(self.key, priority);
        }
    }

    /// What asks for key frames without keeping the subscription.
    pub(super) fn key_asker(&self) -> impl Fn() + Send + 'static {
        let (engine, key) = (self.engine.clone(), self.key);
        move || engine.ask_key(key)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.engine.unsubscribe(self.key);
    }
}

impl RemoteTrack {
    pub(crate) async fn subscribe(
        engine: &Engine,
        room: &RoomName,
        participant: &ParticipantName,
        info: TrackInfo,
    ) -> Result<Self, SubscribeError> {
        let kind = match info.kind {
            TrackKind::Video(_) => MediaKind::Video,
            TrackKind::Audio(_) => MediaKind::Audio,
        };
        let Some(name) = room.track(participant, &info.name) else {
            return Err(SubscribeError::NoSuchTrack {
                participant: participant.to_string(),
                track: info.name,
            });
        };
        let (sink, frames) = mpsc::channel(FRAMES);
        let counters = Arc::new(RemoteCounters::default());
        let key = engine
            .subscribe(name, kind, sink, Arc::clone(&counters))
            .await?;
        let subscription = Subscription {
            key,
            engine: engine.clone(),
            priority: AtomicU8::new(delivery::priority(kind)),
        };
        Ok(Self {
            info,
            frames,
            counters,
            subscription,
        })
    }

    /// The track, as the catalog has it.
    pub fn info(&self) -> &TrackInfo {
        &self.info
    }

    /// The next frame; `None`: the track has ended, or the room is closed.
    pub async fn next(&mut self) -> Option<RemoteFrame> {
        self.frames.recv().await
    }

    /// What became of its frames.
    pub fn stats(&self) -> RemoteStats {
        self.counters.stats()
    }

    /// Asks the publisher for a key frame, as a decoder that has lost its references needs one.
    pub fn ask_key(&self) {
        self.subscription.ask_key();
    }

    /// Has it sent before tracks of a larger number, where not all can be; of pictures 128 at first.
    pub fn set_priority(&self, priority: u8) {
        self.subscription.set_priority(priority);
    }

    pub(super) fn into_parts(self) -> Parts {
        Parts {
            info: self.info,
            frames: self.frames,
            counters: self.counters,
            subscription: self.subscription,
        }
    }
}

/// A taken apart [`RemoteTrack`], for a decoder's thread.
pub(super) struct Parts {
    pub info: TrackInfo,
    pub frames: mpsc::Receiver<RemoteFrame>,
    pub counters: Arc<RemoteCounters>,
    pub subscription: Subscription,
}
