use std::time::Duration;

use parvis_codec::{
    Content, FrameRate, KeyFrame, VideoEncoder, VideoEncoderChoice, VideoEncoderConfig, VideoFrame,
};
use parvis_format::{MediaTime, VideoParams};

use super::{FreshQueue, LocalStats, VideoLayer};
use crate::{
    PublishError, TrackKind,
    delivery::VIDEO_PRIORITY,
    demand::Demand,
    engine::{Engine, MediaSender, NewPublication, PublicationKind},
};

/// How a picture source is published.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoOptions {
    /// The start of the names of its tracks; each layer adds its height (`camera/360p`).
    pub name: String,
    /// The source's width, pixels.
    pub width: u32,
    /// The source's height, pixels.
    pub height: u32,
    /// The source's pictures a second.
    pub frame_rate: FrameRate,
    /// The layers; each is encoded only while somebody watches it.
    pub layers: Vec<VideoLayer>,
    /// Which encoder.
    pub encoder: VideoEncoderChoice,
    /// Camera or screen.
    pub content: Content,
    /// The longest time between key frames; others come when a subscriber needs one.
    pub key_interval: Duration,
}

impl VideoOptions {
    /// A camera of that size at 30 pictures a second, in two layers of at most 360 lines.
    pub fn camera(width: u32, height: u32) -> Self {
        Self {
            name: "camera".to_owned(),
            width,
            height,
            frame_rate: FrameRate::whole(30),
            layers: VideoLayer::ladder(height, 360),
            encoder: VideoEncoderChoice::default(),
            content: Content::Camera,
            key_interval: Duration::from_secs(4),
        }
    }
}

/// A published picture source.
///
/// Dropping it ends its tracks after the frames that were pushed.
#[derive(Debug)]
pub struct LocalVideo {
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    track: String,
    queue: FreshQueue<VideoFrame>,
    demand: Demand,
}

/// Pictures that wait for an encoder: one being late must not delay the next ones by more.
const QUEUE: usize = 2;

/// No more than one key frame in that time, however many are asked for.
const KEY_SPACING: Duration = Duration::from_millis(250);

impl LocalVideo {
    pub(crate) async fn publish(
        engine: &Engine,
        options: VideoOptions,
    ) -> Result<Self, PublishError> {
        let mut layers = Vec::new();
        for layer in &options.layers {
            let label = layer.label(options.width, options.height)?;
            let track = format!("{}/{label}", options.name);
            let (width, height) = layer.size(options.width, options.height);
            let mut config = VideoEncoderConfig::new(width, height);
            config.choice = options.encoder;
            config.frame_rate = options.frame_rate;
            config.content = options.content;
            if let Some(bitrate) = layer.bitrate {
                config.bitrate = bitrate;
            }
            let encoder = parvis_codec::open_video_encoder(&config)?;
            let rate = options.frame_rate;
            let params = VideoParams {
                framerate: Some(f64::from(rate.frames()) / f64::from(rate.seconds())),
                bitrate: Some(u64::from(config.bitrate.as_bps())),
                ..VideoParams::av1(width, height)
            };
            let queue = FreshQueue::new(QUEUE);
            let demand = Demand::default();
            let stop = queue.clone();
            let publication = NewPublication {
                track: track.clone(),
                kind: PublicationKind::LiveVideo,
                // A smaller layer goes first: it is what remains when the network is short.
                priority: VIDEO_PRIORITY + u8::try_from(height / 32).unwrap_or(64).min(64),
                info: Some(TrackKind::Video(params)),
                demand: demand.clone(),
                threaded: true,
                stop: Box::new(move || stop.close()),
            };
            let media = engine.publish(publication).await?;
            let work = LayerEncoder {
                layer: layer.clone(),
                encoder,
                demand: demand.clone(),
                media,
                key_interval: options.key_interval,
                last_key: None,
            };
            let frames = queue.clone();
            // Listed before its thread starts, so that an error ends the track.
            layers.push(Layer {
                track: track.clone(),
                queue,
                demand,
            });
            engine
                .spawn(&track, move || work.run(&frames))
                .map_err(|error| PublishError::Thread(error.to_string()))?;
        }
        Ok(Self { layers })
    }

    /// Gives a picture to the layers that somebody watches; never waits. Its time is when it was
    /// captured, by [`clock::now`](crate::clock::now).
    pub fn push(&self, frame: &VideoFrame) {
        for layer in &self.layers {
            if layer.demand.is_watched() && layer.queue.push(frame.clone()) {
                layer.demand.count_dropped();
            }
        }
    }

    /// Ends the tracks after the pictures that were pushed, as dropping it does.
    pub fn end(&self) {
        for layer in &self.layers {
            layer.queue.close();
        }
    }

    /// Whether the room takes no more pictures.
    pub fn is_closed(&self) -> bool {
        self.layers.iter().all(|layer| layer.queue.is_closed())
    }

    /// The tracks and what became of their frames.
    pub fn stats(&self) -> Vec<LocalStats> {
        self.layers
            .iter()
            .map(|layer| layer.demand.stats(&layer.track))
            .collect()
    }
}

impl Drop for LocalVideo {
    fn drop(&mut self) {
        self.end();
    }
}

/// The work of one layer's thread.
struct LayerEncoder {
    layer: VideoLayer,
    encoder: Box<dyn VideoEncoder>,
    demand: Demand,
    media: MediaSender,
    key_interval: Duration,
    last_key: Option<MediaTime>,
}

impl LayerEncoder {
    fn run(mut self, frames: &FreshQueue<VideoFrame>) {
        while let Some(frame) = frames.pop() {
            if !self.demand.is_watched() {
                // Whoever comes next starts with a key frame.
                self.last_key = None;
                continue;
            }
            let scaled = self.layer.scale(&frame);
            let key = self.key(frame.time());
            match self.encoder.encode(&scaled, key) {
                Ok(packets) => {
                    for packet in packets {
                        self.demand.count_encoded();
                        if packet.key {
                            self.last_key = Some(packet.time);
                        }
                        if !self.media.send(packet) {
                            self.demand.count_dropped();
                            self.last_key = None;
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a picture was not encoded");
                    self.demand.count_dropped();
                    self.last_key = None;
                }
            }
        }
        if let Ok(packets) = self.encoder.flush() {
            for packet in packets {
                self.media.send(packet);
            }
        }
    }

    fn key(&mut self, time: MediaTime) -> KeyFrame {
        let Some(last) = self.last_key else {
            self.demand.take_key();
            return KeyFrame::Forced;
        };
        let since = time.saturating_since(last);
        if since >= self.key_interval || (since >= KEY_SPACING && self.demand.take_key()) {
            KeyFrame::Forced
        } else {
            KeyFrame::AsNeeded
        }
    }
}
