use std::sync::Arc;

use parvis::meeting;
use tokio::sync::watch;

use crate::{
    ErrorKind, LocalStats, Meeting, ParvisError, VideoParams,
    meeting::Inner,
    own::{Own, own_pictures},
    runtime::within,
    screen_sound::ScreenSound,
    sinks::encoded,
};

/// A camera or screen that is encoded by the app, such as by a phone's encoder that takes the camera's
/// surface. [`EncodedSource::turn_off`] or freeing it turns it off.
#[derive(uniffi::Object)]
pub struct EncodedSource {
    pub(crate) own: Own<meeting::EncodedSource>,
    pub(crate) sound: ScreenSound,
    off: watch::Sender<bool>,
}

/// What the encoder of a source is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EncodedDemand {
    /// Somebody watches a layer, or nobody: then it need not be encoded. At first nobody does.
    Watched {
        /// Which, in the order they were given in.
        layer: i32,
        /// Whether somebody does.
        watched: bool,
    },
    /// The next frame of a layer should be a key frame.
    KeyFrame {
        /// Which.
        layer: i32,
    },
    /// A layer should take this bitrate from here on.
    Bitrate {
        /// Which.
        layer: i32,
        /// Bits a second.
        bitrate: i32,
    },
    /// All layers should have at most so many frames a second from here on.
    MaxRate {
        /// How many; none: as many as come.
        frame_rate: Option<i32>,
    },
    /// Nothing is to be captured, or again.
    Paused {
        /// Whether it is.
        paused: bool,
    },
    /// What a newer SDK asks for.
    Unknown,
}

#[uniffi::export]
impl Meeting {
    /// Turns the camera on with frames that the app encodes, in layers of these codecs and sizes; give
    /// them by [`EncodedSource::push`], and do what [`EncodedSource::next_demand`] says. Key frames
    /// carry the parameter sets of their stream.
    pub async fn camera_encoded(
        &self,
        layers: Vec<VideoParams>,
    ) -> Result<Arc<EncodedSource>, ParvisError> {
        let layers = rust(layers)?;
        let asked = self
            .inner
            .ask(|meeting| Box::pin(meeting.camera_encoded(layers)));
        let source = asked.await?;
        Ok(EncodedSource::new(&self.inner, source))
    }

    /// Shares a screen whose frames the app encodes, as [`Meeting::camera_encoded`] does.
    pub async fn screen_encoded(
        &self,
        layers: Vec<VideoParams>,
    ) -> Result<Arc<EncodedSource>, ParvisError> {
        let layers = rust(layers)?;
        let asked = self
            .inner
            .ask(|meeting| Box::pin(meeting.screen_encoded(layers)));
        let source = asked.await?;
        Ok(EncodedSource::new(&self.inner, source))
    }
}

#[uniffi::export]
impl EncodedSource {
    /// Sends a frame of a layer, in the order in which the layers were given; never waits. It is copied
    /// once. Frames of a layer that nobody watches are thrown away.
    ///
    /// timestamp_us: when it was captured, by [`clock_now_us`](crate::clock_now_us). key: whether it needs
    /// no earlier frame. temporal_id: its temporal layer, 0 the base.
    pub fn push(
        &self,
        layer: i32,
        payload: &[u8],
        timestamp_us: i64,
        key: bool,
        temporal_id: i32,
    ) -> Result<(), ParvisError> {
        let source = self.own.on()?;
        let frame = encoded(payload, timestamp_us, key, temporal_id)?;
        let layer = usize::try_from(layer)
            .ok()
            .filter(|layer| *layer < source.layers());
        let layer = layer.ok_or_else(|| {
            let reason = format!("there are {} layers, counted from 0", source.layers());
            ParvisError::new(ErrorKind::BadArgument, reason)
        })?;
        source.push(layer, frame);
        Ok(())
    }

    /// What the encoder is to do next; none: it was turned off, or the meeting is over. For one caller at
    /// a time. Whoever calls late gets the outcome, nothing piles up.
    pub async fn next_demand(&self) -> Option<EncodedDemand> {
        let source = self.own.on().ok()?;
        let mut off = self.off.subscribe();
        within(self.own.inner().handle(), async {
            tokio::select! {
                biased;
                // The sender is in `self`.
                _ = off.wait_for(|off| *off) => None,
                () = self.own.inner().until_left() => None,
                demand = source.next_demand() => demand.map(EncodedDemand::from),
            }
        })
        .await
    }

    /// Turns it off: a `next_demand` that waits returns none.
    pub fn turn_off(&self) -> Result<(), ParvisError> {
        self.off.send_replace(true);
        self.own.turn_off()
    }
}

own_pictures!(EncodedSource);

impl EncodedSource {
    fn new(inner: &Arc<Inner>, source: meeting::EncodedSource) -> Arc<Self> {
        Arc::new(Self {
            own: Own::new(inner, source),
            sound: ScreenSound::default(),
            off: watch::Sender::new(false),
        })
    }
}

fn rust(layers: Vec<VideoParams>) -> Result<Vec<parvis::format::VideoParams>, ParvisError> {
    if layers.is_empty() {
        let reason = "there is at least one layer";
        return Err(ParvisError::new(ErrorKind::BadArgument, reason));
    }
    layers.into_iter().map(TryInto::try_into).collect()
}

impl From<parvis::EncodedDemand> for EncodedDemand {
    fn from(demand: parvis::EncodedDemand) -> Self {
        use parvis::EncodedDemand as Demand;
        let index = |layer: usize| i32::try_from(layer).unwrap_or(i32::MAX);
        match demand {
            Demand::Watched { layer, watched } => Self::Watched {
                layer: index(layer),
                watched,
            },
            Demand::KeyFrame { layer } => Self::KeyFrame {
                layer: index(layer),
            },
            Demand::Bitrate { layer, bitrate } => Self::Bitrate {
                layer: index(layer),
                bitrate: i32::try_from(bitrate.as_bps()).unwrap_or(i32::MAX),
            },
            Demand::MaxRate(rate) => Self::MaxRate {
                frame_rate: rate.map(|rate| i32::try_from(rate).unwrap_or(i32::MAX)),
            },
            Demand::Paused(paused) => Self::Paused { paused },
            _ => Self::Unknown,
        }
    }
}
