use std::{sync::Arc, time::Duration};

use parvis_codec::{
    AudioDecoder, AudioDecoderConfig, AudioFrame, Channels, Loss, SAMPLE_RATE, SAMPLES_PER_FRAME,
};
use parvis_format::{AudioCodec, AudioLevel, MediaTime};
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

/// Frames that wait to be heard, at most; beyond, new ones are dropped after decoding.
const CAPACITY: usize = 32;

/// Lost frames in a row that are concealed; a longer gap is silence.
const MAX_CONCEALED: u64 = 5;

/// How long an Opus frame of a meeting is.
const FRAME: Duration =
    Duration::from_micros(1_000_000 * SAMPLES_PER_FRAME as u64 / SAMPLE_RATE as u64);

/// A decoded frame of sound.
#[derive(Debug, Clone)]
pub struct DecodedAudio {
    /// The sound. Its time is when it was captured, by the publisher's wall clock.
    pub frame: AudioFrame,
    /// How loud the publisher says it is.
    pub level: Option<AudioLevel>,
    /// Its place in the track.
    pub location: Location,
    /// When it had come whole, by this machine's wall clock; `None`: it did not come, this is
    /// what the decoder made up for it.
    pub arrived: Option<MediaTime>,
    /// When it was decoded.
    pub decoded: MediaTime,
    /// Its encoded length in bytes.
    pub bytes: usize,
}

/// An audio track that is received and decoded, in a thread of its own: frames in the order of
/// their media time, a few missing ones concealed.
///
/// Dropping it ends the subscription.
#[derive(Debug)]
pub struct RemoteAudio {
    info: TrackInfo,
    sound: mpsc::Receiver<DecodedAudio>,
    counters: Arc<RemoteCounters>,
    _subscription: Subscription,
}

impl RemoteAudio {
    pub(crate) fn decode(engine: &Engine, track: RemoteTrack) -> Result<Self, SubscribeError> {
        let Parts {
            info,
            frames,
            counters,
            subscription,
        } = track.into_parts();
        let channels = match &info.kind {
            TrackKind::Audio(params) if params.family() == AudioCodec::Opus => {
                if params.channels == 1 {
                    Channels::Mono
                } else {
                    Channels::Stereo
                }
            }
            _ => {
                return Err(SubscribeError::WrongKind {
                    is: info.to_string(),
                    track: info.name,
                    wanted: "Opus sound",
                });
            }
        };
        let config = AudioDecoderConfig {
            channels,
            ..AudioDecoderConfig::default()
        };
        let decoder = parvis_codec::open_audio_decoder(&config)?;
        let (sink, sound) = mpsc::channel(CAPACITY);
        let count = Arc::clone(&counters);
        engine
            .spawn(&info.name, move || run(decoder, frames, &sink, &count))
            .map_err(|error| SubscribeError::Rejected {
                track: info.name.clone(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            info,
            sound,
            counters,
            _subscription: subscription,
        })
    }

    /// The track, as the catalog has it.
    pub fn info(&self) -> &TrackInfo {
        &self.info
    }

    /// The next frame; `None`: the track has ended, or the room is closed.
    pub async fn next(&mut self) -> Option<DecodedAudio> {
        self.sound.recv().await
    }

    /// What became of its frames.
    pub fn stats(&self) -> RemoteStats {
        self.counters.stats()
    }
}

fn run(
    mut decoder: Box<dyn AudioDecoder>,
    mut frames: mpsc::Receiver<RemoteFrame>,
    sink: &mpsc::Sender<DecodedAudio>,
    counters: &RemoteCounters,
) {
    while let Some(received) = frames.blocking_recv() {
        for sound in decode(decoder.as_mut(), &received, counters) {
            match sink.try_send(sound) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => counters.count_skipped(),
                Err(mpsc::error::TrySendError::Closed(_)) => return,
            }
        }
    }
}

fn decode(
    decoder: &mut dyn AudioDecoder,
    received: &RemoteFrame,
    counters: &RemoteCounters,
) -> Vec<DecodedAudio> {
    let RemoteFrame {
        frame,
        location,
        arrived,
        gap,
    } = received;
    let mut sound = Vec::new();
    let concealed = if *gap <= MAX_CONCEALED { *gap } else { 0 };
    for before in (1..=concealed).rev() {
        let time = frame.time - FRAME * u32::try_from(before).unwrap_or(1);
        let next = (before == 1).then_some(frame);
        if let Ok(made_up) = decoder.conceal(Loss { time, next }) {
            sound.push(DecodedAudio {
                frame: made_up,
                level: None,
                location: *location,
                arrived: None,
                decoded: clock::now(),
                bytes: 0,
            });
        }
    }
    match decoder.decode(frame) {
        Ok(decoded) => sound.push(DecodedAudio {
            frame: decoded,
            level: frame.audio_level,
            location: *location,
            arrived: Some(*arrived),
            decoded: clock::now(),
            bytes: frame.payload.len(),
        }),
        Err(error) => {
            tracing::debug!(%location, %error, "sound does not decode");
            counters.count_undecodable();
        }
    }
    sound
}
