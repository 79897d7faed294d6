use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use parvis_codec::VideoFrame;
use parvis_format::MediaTime;
use parvis_wire::Location;
use tokio::sync::mpsc;

use super::{
    RemoteCounters, RemoteStats, RemoteTrack,
    picture_decoder::PictureDecoder,
    track::{Parts, Subscription},
};
use crate::{CodecInUse, ParticipantName, SubscribeError, TrackInfo, TrackKind, engine::Engine};

/// Pictures that wait to be shown, at most; beyond, new ones are dropped after decoding.
const CAPACITY: usize = 8;

/// A decoded picture.
#[derive(Debug, Clone)]
pub struct DecodedVideo {
    /// The picture. Its time is when it was captured, by the publisher's wall clock.
    pub frame: VideoFrame,
    /// Its place in the track.
    pub location: Location,
    /// When it had come whole, by this machine's wall clock.
    pub arrived: MediaTime,
    /// When it was decoded.
    pub decoded: MediaTime,
    /// Its encoded length in bytes.
    pub bytes: usize,
}

/// A video track that is received and decoded, in a thread of its own.
///
/// Dropping it ends the subscription.
#[derive(Debug)]
pub struct RemoteVideo {
    info: TrackInfo,
    pictures: mpsc::Receiver<DecodedVideo>,
    counters: Arc<RemoteCounters>,
    codec: Arc<Mutex<CodecInUse>>,
    undecodable: Arc<AtomicBool>,
    rate: Arc<AtomicU32>,
    subscription: Subscription,
}

impl RemoteVideo {
    pub(crate) fn decode(
        engine: &Engine,
        participant: &ParticipantName,
        track: RemoteTrack,
    ) -> Result<Self, SubscribeError> {
        let Parts {
            info,
            frames,
            counters,
            subscription,
        } = track.into_parts();
        let TrackKind::Video(stream) = &info.kind else {
            return Err(SubscribeError::WrongKind {
                is: info.to_string(),
                track: info.name,
                wanted: "video",
            });
        };
        let (sink, pictures) = mpsc::channel(CAPACITY);
        let count = Arc::clone(&counters);
        let decoder = PictureDecoder::open(engine, participant, &info.name, stream, sink, count)?;
        let (codec, rate) = (decoder.in_use(), decoder.rate());
        let undecodable = decoder.undecodable();
        let ask_key = subscription.key_asker();
        engine
            .spawn(&info.name, move || decoder.run(frames, ask_key))
            .map_err(|error| SubscribeError::Rejected {
                track: info.name.clone(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            info,
            pictures,
            counters,
            codec,
            undecodable,
            rate,
            subscription,
        })
    }

    /// The track, as the catalog has it.
    pub fn info(&self) -> &TrackInfo {
        &self.info
    }

    /// The next picture; `None`: the track has ended, the room is closed, or it is
    /// [undecodable](Self::is_undecodable).
    pub async fn next(&mut self) -> Option<DecodedVideo> {
        self.pictures.recv().await
    }

    /// Decodes at most about so many pictures a second, where the track has temporal layers that
    /// can be left out for it; `None`: all. It comes whole all the same.
    pub fn set_max_rate(&self, pictures_per_second: Option<u32>) {
        let rate = pictures_per_second.unwrap_or(0);
        self.rate.store(rate, Ordering::Relaxed);
    }

    /// Has it sent before tracks of a larger number, where not all can be; 128 at first.
    pub fn set_priority(&self, priority: u8) {
        self.subscription.set_priority(priority);
    }

    /// Whether it has ended since the platform's decoder failed and nothing here takes its place.
    pub fn is_undecodable(&self) -> bool {
        self.undecodable.load(Ordering::Acquire)
    }

    /// The decoder at work.
    pub fn codec(&self) -> CodecInUse {
        let codec = self.codec.lock().unwrap_or_else(PoisonError::into_inner);
        codec.clone()
    }

    /// What became of its frames.
    pub fn stats(&self) -> RemoteStats {
        self.counters.stats()
    }
}
