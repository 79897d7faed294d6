use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use parvis_codec::{AudioEncoder, AudioEncoderConfig, AudioFrame, Bitrate, Channels};
use parvis_format::{AudioLevel, AudioParams};

use super::{FreshQueue, LocalStats, reframing::Reframing};
use crate::{
    PublishError, TrackKind,
    delivery::AUDIO_PRIORITY,
    demand::Demand,
    engine::{Engine, MediaSender, NewPublication, PublicationKind},
};

/// How a sound source is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioOptions {
    /// The track's name.
    pub name: String,
    /// Mono or stereo.
    pub channels: Channels,
    /// Target bitrate.
    pub bitrate: Bitrate,
}

impl Default for AudioOptions {
    fn default() -> Self {
        Self {
            name: "microphone".to_owned(),
            channels: Channels::Mono,
            bitrate: Bitrate::kbps(32),
        }
    }
}

/// A published sound source. Dropping it ends its track after the frames that were pushed.
#[derive(Debug)]
pub struct LocalAudio {
    track: String,
    queue: FreshQueue<AudioFrame>,
    demand: Demand,
    muted: Arc<AtomicBool>,
    reframing: Mutex<Reframing>,
}

/// Frames of 20 ms that wait for the encoder.
const QUEUE: usize = 8;

impl LocalAudio {
    pub(crate) async fn publish(
        engine: &Engine,
        options: AudioOptions,
    ) -> Result<Self, PublishError> {
        let config = AudioEncoderConfig {
            channels: options.channels,
            bitrate: options.bitrate,
            ..AudioEncoderConfig::default()
        };
        let encoder = parvis_codec::open_audio_encoder(&config)?;
        let params = AudioParams {
            bitrate: Some(u64::from(options.bitrate.as_bps())),
            ..AudioParams::opus(if options.channels == Channels::Mono {
                1
            } else {
                2
            })
        };
        let queue = FreshQueue::new(QUEUE);
        let demand = Demand::default();
        let stop = queue.clone();
        let publication = NewPublication {
            track: options.name.clone(),
            kind: PublicationKind::Audio,
            priority: AUDIO_PRIORITY,
            info: Some(TrackKind::Audio(params)),
            demand: demand.clone(),
            threaded: true,
            stop: Box::new(move || stop.close()),
        };
        let media = engine.publish(publication).await?;
        let local = Self {
            track: options.name.clone(),
            queue: queue.clone(),
            demand: demand.clone(),
            muted: Arc::default(),
            reframing: Mutex::new(Reframing::new(options.channels)),
        };
        engine
            .spawn(&options.name, move || {
                encode(encoder, &queue, &demand, &media);
            })
            .map_err(|error| PublishError::Thread(error.to_string()))?;
        Ok(local)
    }

    /// Gives sound, 20 ms or as much as a device gives at a time, if it is not muted and somebody
    /// listens; never waits. Its time is when its first sample was captured, by
    /// [`clock::now`](crate::clock::now).
    pub fn push(&self, sound: &AudioFrame) {
        if !self.demand.is_watched() || self.muted.load(Ordering::Relaxed) {
            return;
        }
        let mut reframing = self
            .reframing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for frame in reframing.push(sound) {
            if self.queue.push(frame) {
                self.demand.count_dropped();
            }
        }
    }

    /// Mutes or unmutes: while muted nothing is sent and the track stays announced.
    pub fn set_muted(&self, muted: bool) {
        self.muted.store(muted, Ordering::Relaxed);
    }

    /// Whether it is muted.
    pub fn is_muted(&self) -> bool {
        self.muted.load(Ordering::Relaxed)
    }

    /// Ends the track after the sound that was pushed, as dropping it does.
    pub fn end(&self) {
        self.queue.close();
    }

    /// Whether the room takes no more sound.
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// The track and what became of its frames.
    pub fn stats(&self) -> LocalStats {
        self.demand.stats(&self.track)
    }
}

impl Drop for LocalAudio {
    fn drop(&mut self) {
        self.end();
    }
}

fn encode(
    mut encoder: Box<dyn AudioEncoder>,
    frames: &FreshQueue<AudioFrame>,
    demand: &Demand,
    media: &MediaSender,
) {
    while let Some(frame) = frames.pop() {
        match encoder.encode(&frame) {
            Ok(packets) => {
                for mut packet in packets {
                    demand.count_encoded(packet.payload.len());
                    let measure = || AudioLevel::measure(frame.samples(), false);
                    packet.audio_level.get_or_insert_with(measure);
                    if !media.send(packet) {
                        demand.count_dropped();
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "sound was not encoded");
                demand.count_dropped();
            }
        }
    }
}
