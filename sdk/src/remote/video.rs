use std::sync::Arc;

use parvis_codec::{VideoDecoder, VideoDecoderConfig, VideoFrame};
use parvis_format::{MediaTime, VideoCodec};
use parvis_wire::Location;
use tokio::sync::mpsc;

use super::{
    RemoteCounters, RemoteStats, RemoteTrack,
    track::{Parts, Subscription},
};
use crate::{
    SubscribeError, TrackInfo, TrackKind, clock,
    engine::{Engine, RemoteFrame},
};

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
    _subscription: Subscription,
}

impl RemoteVideo {
    pub(crate) fn decode(engine: &Engine, track: RemoteTrack) -> Result<Self, SubscribeError> {
        let Parts {
            info,
            frames,
            counters,
            subscription,
        } = track.into_parts();
        match &info.kind {
            TrackKind::Video(params) if params.family() == VideoCodec::Av1 => {}
            _ => {
                return Err(SubscribeError::WrongKind {
                    is: info.to_string(),
                    track: info.name,
                    wanted: "AV1 video",
                });
            }
        }
        let decoder = parvis_codec::open_video_decoder(&VideoDecoderConfig::default())?;
        let (sink, pictures) = mpsc::channel(CAPACITY);
        let count = Arc::clone(&counters);
        engine
            .spawn(&info.name, move || run(decoder, frames, &sink, &count))
            .map_err(|error| SubscribeError::Rejected {
                track: info.name.clone(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            info,
            pictures,
            counters,
            _subscription: subscription,
        })
    }

    /// The track, as the catalog has it.
    pub fn info(&self) -> &TrackInfo {
        &self.info
    }

    /// The next picture; `None`: the track has ended, or the room is closed.
    pub async fn next(&mut self) -> Option<DecodedVideo> {
        self.pictures.recv().await
    }

    /// What became of its frames.
    pub fn stats(&self) -> RemoteStats {
        self.counters.stats()
    }
}

fn run(
    mut decoder: Box<dyn VideoDecoder>,
    mut frames: mpsc::Receiver<RemoteFrame>,
    sink: &mpsc::Sender<DecodedVideo>,
    counters: &RemoteCounters,
) {
    while let Some(RemoteFrame {
        frame,
        location,
        arrived,
        gap,
    }) = frames.blocking_recv()
    {
        if gap > 0 {
            decoder.reset();
        }
        let pictures = match decoder.decode(&frame) {
            Ok(pictures) => pictures,
            Err(error) => {
                tracing::debug!(%location, %error, "a frame does not decode");
                counters.count_undecodable();
                continue;
            }
        };
        let decoded = clock::now();
        for picture in pictures {
            let bytes = frame.payload.len();
            let picture = DecodedVideo {
                frame: picture,
                location,
                arrived,
                decoded,
                bytes,
            };
            match sink.try_send(picture) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => counters.count_skipped(),
                Err(mpsc::error::TrySendError::Closed(_)) => return,
            }
        }
    }
}
