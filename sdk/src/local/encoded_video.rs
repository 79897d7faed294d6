use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Instant,
};

use parvis_codec::Bitrate;
use parvis_format::{EncodedFrame, VideoParams};
use tokio::sync::Notify;

use super::{LocalStats, layer_encoder::KEY_SPACING, video::priority_of};
use crate::{
    PublishError, TrackKind,
    demand::Demand,
    engine::{Engine, MediaSender, NewPublication, PublicationKind},
};

/// A picture source that is encoded outside, such as by a phone's encoder that takes the camera's
/// surface: a track for each layer. Dropping it ends them.
///
/// What its subscribers want comes by [`LocalEncodedVideo::next_demand`].
#[derive(Debug)]
pub struct LocalEncodedVideo {
    layers: Vec<Layer>,
    changed: Arc<Notify>,
    paused: AtomicBool,
    /// Frames a second, at most; 0: as many as come.
    rate: AtomicU32,
    closed: Arc<AtomicBool>,
    told: Mutex<Told>,
}

/// What the encoder of a source is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodedDemand {
    /// Somebody watches a layer, or nobody: then it need not be encoded. At first nobody does.
    Watched {
        /// Which, in the order they were given in.
        layer: usize,
        /// Whether somebody does.
        watched: bool,
    },
    /// The next frame of a layer should be a key frame.
    KeyFrame {
        /// Which.
        layer: usize,
    },
    /// A layer should take this bitrate from here on.
    Bitrate {
        /// Which.
        layer: usize,
        /// How much.
        bitrate: Bitrate,
    },
    /// All layers should have at most so many frames a second from here on; `None`: as many as come.
    MaxRate(Option<u32>),
    /// Nothing is to be captured, or again.
    Paused(bool),
}

#[derive(Debug)]
struct Layer {
    track: String,
    media: MediaSender,
    demand: Demand,
    bitrate: Bitrate,
}

#[derive(Debug, Default)]
struct Told {
    paused: bool,
    rate: u32,
    layers: Vec<ToldLayer>,
}

#[derive(Debug, Clone, Copy, Default)]
struct ToldLayer {
    watched: bool,
    economical: bool,
    /// When a key frame was last asked for.
    key: Option<Instant>,
}

impl LocalEncodedVideo {
    pub(crate) async fn publish(
        engine: &Engine,
        name: &str,
        layers: Vec<VideoParams>,
    ) -> Result<Self, PublishError> {
        let changed = Arc::new(Notify::new());
        let closed = Arc::new(AtomicBool::new(false));
        let told = vec![ToldLayer::default(); layers.len()];
        let mut source = Self {
            layers: Vec::new(),
            changed: Arc::clone(&changed),
            paused: AtomicBool::new(false),
            rate: AtomicU32::new(0),
            closed: Arc::clone(&closed),
            told: Mutex::new(Told {
                layers: told,
                ..Told::default()
            }),
        };
        let mut publications = Vec::new();
        let mut parts = Vec::new();
        for params in layers {
            let (width, height) = (params.width, params.height);
            let suited = Bitrate::suited_to(width, height);
            let bitrate = params.bitrate.and_then(|bps| u32::try_from(bps).ok());
            let track = format!("{name}/{height}p");
            let demand = Demand::waking(&changed);
            let (stop, wake) = (Arc::clone(&closed), Arc::clone(&changed));
            publications.push(NewPublication {
                track: track.clone(),
                kind: PublicationKind::LiveVideo,
                priority: priority_of(height),
                info: Some(TrackKind::Video(params)),
                demand: demand.clone(),
                threaded: false,
                stop: Box::new(move || {
                    stop.store(true, Ordering::Release);
                    wake.notify_one();
                }),
            });
            parts.push((track, demand, bitrate.map_or(suited, Bitrate::bps)));
        }
        let media = engine.publish_layers(publications).await?;
        let layers = parts.into_iter().zip(media);
        source.layers = layers
            .map(|((track, demand, bitrate), media)| Layer {
                track,
                media,
                demand,
                bitrate,
            })
            .collect();
        Ok(source)
    }

    /// How many layers it has.
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Sends a frame of a layer; its time is when it was captured, by
    /// [`clock::now`](crate::clock::now). Never waits: a frame for which there is no room is dropped,
    /// and so are those that depend on it, until the key frame that is then asked for.
    pub fn push(&self, layer: usize, frame: EncodedFrame) {
        let Some(layer) = self.layers.get(layer) else {
            return;
        };
        if self.paused.load(Ordering::Acquire) || !layer.demand.is_watched() {
            return;
        }
        layer.demand.count_encoded(frame.payload.len());
        if !layer.media.send(frame) {
            layer.demand.count_dropped();
            layer.demand.ask_key();
        }
    }

    /// What the encoder is to do next; `None`: the room takes no more frames. For one caller at a
    /// time; cancel safe. Whoever calls late gets the outcome, nothing piles up.
    pub async fn next_demand(&self) -> Option<EncodedDemand> {
        loop {
            if self.is_closed() {
                return None;
            }
            let later = match self.find(Instant::now()) {
                Ok(demand) => return Some(demand),
                Err(later) => later,
            };
            let due = async {
                match later {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = due => {}
            }
        }
    }

    /// What was not told yet, or when there may be something.
    fn find(&self, now: Instant) -> Result<EncodedDemand, Option<Instant>> {
        let mut told = self.told();
        let paused = self.paused.load(Ordering::Acquire);
        if std::mem::replace(&mut told.paused, paused) != paused {
            return Ok(EncodedDemand::Paused(paused));
        }
        let rate = self.rate.load(Ordering::Acquire);
        if std::mem::replace(&mut told.rate, rate) != rate {
            return Ok(EncodedDemand::MaxRate((rate > 0).then_some(rate)));
        }
        let mut later: Option<Instant> = None;
        for (index, (layer, told)) in self.layers.iter().zip(&mut told.layers).enumerate() {
            let watched = layer.demand.is_watched();
            if std::mem::replace(&mut told.watched, watched) != watched {
                return Ok(EncodedDemand::Watched {
                    layer: index,
                    watched,
                });
            }
            let economical = layer.demand.is_economical();
            if std::mem::replace(&mut told.economical, economical) != economical {
                let full = layer.bitrate.as_bps();
                let bps = if economical { full / 2 } else { full };
                return Ok(EncodedDemand::Bitrate {
                    layer: index,
                    bitrate: Bitrate::bps(bps),
                });
            }
            if watched && !paused && layer.demand.wants_key() {
                // However many ask for one, encoders make few.
                match told.key.map(|last| last + KEY_SPACING) {
                    Some(at) if at > now => later = Some(later.map_or(at, |other| other.min(at))),
                    _ => {
                        layer.demand.take_key();
                        told.key = Some(now);
                        return Ok(EncodedDemand::KeyFrame { layer: index });
                    }
                }
            }
        }
        Err(later)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has nothing captured, and sends nothing; or again, from a key frame on.
    pub fn set_paused(&self, paused: bool) {
        if self.paused.swap(paused, Ordering::AcqRel) == paused {
            return;
        }
        if !paused {
            self.layers.iter().for_each(|layer| layer.demand.ask_key());
        }
        self.changed.notify_one();
    }

    /// Asks for at most so many frames a second; `None`: as many as come.
    pub fn set_max_rate(&self, frames_per_second: Option<u32>) {
        let rate = frames_per_second.unwrap_or(0);
        if self.rate.swap(rate, Ordering::AcqRel) != rate {
            self.changed.notify_one();
        }
    }

    /// Asks for half of the bitrates, or all of them again.
    pub fn set_economical(&self, economical: bool) {
        for layer in &self.layers {
            layer.demand.set_economical(economical);
        }
    }

    /// Ends the tracks after the frames that were pushed, as dropping it does.
    pub fn end(&self) {
        self.closed.store(true, Ordering::Release);
        self.layers.iter().for_each(|layer| layer.media.end());
        self.changed.notify_one();
    }

    /// Whether the room takes no more frames.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The tracks and what became of their frames.
    pub fn stats(&self) -> Vec<LocalStats> {
        self.layers
            .iter()
            .map(|layer| layer.demand.stats(&layer.track))
            .collect()
    }
}
