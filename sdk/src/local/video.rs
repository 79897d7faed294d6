use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use parvis_codec::{Content, FrameRate, VideoEncoderChoice, VideoEncoderConfig, VideoFrame};

use super::{FreshQueue, LocalStats, VideoLayer, layer_encoder::LayerEncoder};
use crate::{
    PublishError, TrackKind,
    delivery::VIDEO_PRIORITY,
    demand::Demand,
    engine::{Engine, NewPublication, PublicationKind},
    thinning::Thinning,
};

/// How a picture source is published.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoOptions {
    /// The start of the names of its tracks; each layer adds its height (`camera/360p`), or of a screen
    /// `full` and `low`.
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
    rate: FrameRate,
    thinning: Mutex<Thinning>,
}

#[derive(Debug)]
struct Layer {
    track: String,
    queue: FreshQueue<VideoFrame>,
    demand: Demand,
}

/// How the layers of a screen are called.
const SCREEN: [&str; 2] = ["full", "low"];

/// Pictures that wait for an encoder: one being late must not delay the next ones by more.
const QUEUE: usize = 2;

impl LocalVideo {
    pub(crate) async fn publish(
        engine: &Engine,
        options: VideoOptions,
    ) -> Result<Self, PublishError> {
        let mut layers = Vec::new();
        let mut encoders = Vec::new();
        let mut publications = Vec::new();
        for (index, layer) in options.layers.iter().enumerate() {
            let mut label = layer.label(options.width, options.height)?;
            if options.content == Content::Screen && options.layers.len() <= SCREEN.len() {
                SCREEN[index].clone_into(&mut label);
            }
            let track = format!("{}/{label}", options.name);
            let (width, height) = layer.size(options.width, options.height);
            let mut config = VideoEncoderConfig::new(width, height);
            config.choice = options.encoder;
            config.frame_rate = options.frame_rate;
            config.content = options.content;
            if let Some(bitrate) = layer.bitrate {
                config.bitrate = bitrate;
            }
            let queue = FreshQueue::new(QUEUE);
            let demand = Demand::default();
            let encoder =
                LayerEncoder::open(engine, &track, layer, config, options.key_interval, &demand)?;
            let stop = queue.clone();
            publications.push(NewPublication {
                track: track.clone(),
                kind: PublicationKind::LiveVideo,
                priority: priority_of(height),
                info: Some(TrackKind::Video(encoder.params())),
                demand: demand.clone(),
                threaded: true,
                stop: Box::new(move || stop.close()),
            });
            encoders.push((encoder, queue.clone()));
            layers.push(Layer {
                track,
                queue,
                demand,
            });
        }
        let media = engine.publish_layers(publications).await?;
        for ((layer, (encoder, frames)), media) in layers.iter().zip(encoders).zip(media) {
            engine
                .spawn(&layer.track, move || encoder.run(&frames, media))
                .map_err(|error| PublishError::Thread(error.to_string()))?;
        }
        Ok(Self {
            layers,
            rate: options.frame_rate,
            thinning: Mutex::default(),
        })
    }

    /// Gives a picture to the layers that somebody watches; never waits. Its time is when it was
    /// captured, by [`clock::now`](crate::clock::now).
    pub fn push(&self, frame: &VideoFrame) {
        let mut thinning = self.thinning.lock().unwrap_or_else(PoisonError::into_inner);
        if !thinning.admits(frame.time()) {
            return;
        }
        drop(thinning);
        for layer in &self.layers {
            if layer.demand.is_watched() && layer.queue.push(frame.clone()) {
                layer.demand.count_dropped();
            }
        }
    }

    /// Encodes at most so many pictures a second; `None`: all that are pushed.
    pub fn set_max_rate(&self, pictures_per_second: Option<u32>) {
        let mut thinning = self.thinning.lock().unwrap_or_else(PoisonError::into_inner);
        thinning.set_rate(pictures_per_second);
    }

    /// Takes half of the bitrate, at half of the pictures a second, or all of both again. An
    /// encoder whose bitrate is fixed only gets fewer pictures.
    pub fn set_economical(&self, economical: bool) {
        let rate = self.rate.frames() / self.rate.seconds();
        self.set_max_rate(economical.then_some(rate.div_ceil(2)));
        for layer in &self.layers {
            layer.demand.set_economical(economical);
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

/// The publisher's priority of a layer: a smaller one goes first, it is what remains when the network
/// is short.
pub(super) fn priority_of(height: u32) -> u8 {
    VIDEO_PRIORITY + u8::try_from(height / 32).unwrap_or(64).min(64)
}
