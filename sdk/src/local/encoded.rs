use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parvis_format::EncodedFrame;

use super::LocalStats;
use crate::{
    PublishError, TrackKind,
    demand::Demand,
    engine::{Engine, MediaSender, NewPublication, PublicationKind},
};

/// A published track whose frames were encoded elsewhere: by a file's maker or by hardware.
/// Dropping it ends the track after the frames that were pushed.
#[derive(Debug)]
pub struct LocalEncoded {
    track: String,
    media: MediaSender,
    demand: Demand,
    closed: Arc<AtomicBool>,
}

impl LocalEncoded {
    pub(crate) async fn publish(
        engine: &Engine,
        track: &str,
        kind: TrackKind,
    ) -> Result<Self, PublishError> {
        let demand = Demand::default();
        let closed = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&closed);
        let (publication_kind, priority) = match kind {
            TrackKind::Video(_) => (PublicationKind::StoredVideo, 128),
            TrackKind::Audio(_) => (PublicationKind::Audio, 32),
        };
        let publication = NewPublication {
            track: track.to_owned(),
            kind: publication_kind,
            priority,
            info: Some(kind),
            demand: demand.clone(),
            threaded: false,
            stop: Box::new(move || stop.store(true, Ordering::Release)),
        };
        let media = engine.publish(publication).await?;
        Ok(Self {
            track: track.to_owned(),
            media,
            demand,
            closed,
        })
    }

    /// Sends a frame; its time is the wall clock's. Never waits: a frame for which there is no
    /// room is dropped, and so are those that depend on it.
    pub fn push(&self, frame: EncodedFrame) {
        self.demand.count_encoded(frame.payload.len());
        if !self.media.send(frame) {
            self.demand.count_dropped();
        }
    }

    /// Ends the track after the frames that were pushed, as dropping it does.
    pub fn end(&self) {
        self.closed.store(true, Ordering::Release);
        self.media.end();
    }

    /// Whether the room takes no more frames.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire) || self.media.is_closed()
    }

    /// Whether a subscriber asked for a key frame since the last call.
    pub fn take_key_request(&self) -> bool {
        self.demand.take_key()
    }

    /// The track and what became of its frames.
    pub fn stats(&self) -> LocalStats {
        self.demand.stats(&self.track)
    }
}
