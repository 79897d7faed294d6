use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parvis_codec::VideoEncoderChoice;
use tokio::sync::oneshot;

use super::{
    MediaSource,
    player::{self, Pace},
};
use crate::{
    AudioOptions, LocalAudio, LocalEncoded, LocalStats, LocalVideo, PublishError, Room,
    SourceError, VideoLayer, VideoOptions,
};

/// How a source is played into a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayOptions {
    /// Begin again at the end.
    pub looped: bool,
    /// The video encoder.
    pub encoder: VideoEncoderChoice,
    /// The most lines of the largest layer.
    pub max_height: u32,
}

impl Default for PlayOptions {
    fn default() -> Self {
        Self {
            looped: false,
            encoder: VideoEncoderChoice::default(),
            max_height: 360,
        }
    }
}

/// A source that plays into a room, in its own time. Dropping it stops it.
#[derive(Debug)]
pub struct Playback {
    video: Option<Arc<LocalVideo>>,
    audio: Option<Arc<LocalAudio>>,
    encoded: Vec<Arc<LocalEncoded>>,
    stop: Arc<AtomicBool>,
    ends: Vec<oneshot::Receiver<Result<(), SourceError>>>,
}

impl Playback {
    /// Publishes what the source has and begins to play it.
    pub async fn start(
        room: &Room,
        source: MediaSource,
        options: PlayOptions,
    ) -> Result<Self, PublishError> {
        let MediaSource {
            video,
            audio,
            encoded,
        } = source;
        let mut playback = Self {
            video: None,
            audio: None,
            encoded: Vec::new(),
            stop: Arc::default(),
            ends: Vec::new(),
        };
        if let Some(input) = &audio {
            let audio = AudioOptions {
                channels: input.channels,
                ..AudioOptions::default()
            };
            playback.audio = Some(Arc::new(room.publish_audio(audio).await?));
        }
        if let Some(input) = &video {
            let video = VideoOptions {
                frame_rate: input.rate,
                layers: VideoLayer::ladder(input.height, options.max_height),
                encoder: options.encoder,
                ..VideoOptions::camera(input.width, input.height)
            };
            playback.video = Some(Arc::new(room.publish_video(video).await?));
        }
        if let Some(file) = &encoded {
            for track in file.tracks() {
                let local = room
                    .publish_encoded(&track.name, track.kind.clone())
                    .await?;
                playback.encoded.push(Arc::new(local));
            }
        }
        let pace = Pace::new(options.looped, Arc::clone(&playback.stop));
        if let (Some(input), Some(local)) = (video, playback.video.clone()) {
            let pace = pace.clone();
            playback.spawn(room, "player of pictures", move || {
                let result = player::pictures(
                    input,
                    |frame| local.push(frame),
                    || local.is_closed(),
                    &pace,
                );
                local.end();
                result
            })?;
        }
        if let (Some(input), Some(local)) = (audio, playback.audio.clone()) {
            let pace = pace.clone();
            playback.spawn(room, "player of sound", move || {
                let result = player::sound(
                    input,
                    |frame| local.push(frame),
                    || local.is_closed(),
                    &pace,
                );
                local.end();
                result
            })?;
        }
        if let Some(file) = encoded {
            let locals = playback.encoded.clone();
            playback.spawn(room, "player of a file", move || {
                let result = player::encoded(file, &locals, &pace);
                for local in &locals {
                    local.end();
                }
                result
            })?;
        }
        Ok(playback)
    }

    fn spawn(
        &mut self,
        room: &Room,
        name: &str,
        body: impl FnOnce() -> Result<(), SourceError> + Send + 'static,
    ) -> Result<(), PublishError> {
        let (ended, end) = oneshot::channel();
        room.engine()
            .spawn(name, move || {
                // Nobody may wait for it.
                let _ = ended.send(body());
            })
            .map_err(|error| PublishError::Thread(error.to_string()))?;
        self.ends.push(end);
        Ok(())
    }

    /// Waits until everything is played, or something fails. Cancel safe.
    pub async fn finished(&mut self) -> Result<(), SourceError> {
        while let Some(end) = self.ends.last_mut() {
            let result = end.await;
            self.ends.pop();
            // A player whose thread panicked has printed why.
            result.unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// The tracks and what became of their frames.
    pub fn stats(&self) -> Vec<LocalStats> {
        let video = self.video.iter().flat_map(|video| video.stats());
        let audio = self.audio.iter().map(|audio| audio.stats());
        let encoded = self.encoded.iter().map(|encoded| encoded.stats());
        video.chain(audio).chain(encoded).collect()
    }
}

impl Drop for Playback {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}
