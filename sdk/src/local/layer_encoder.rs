use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parvis_codec::{
    Bitrate, CodecOutput, EncodeError, KeyFrame, OpenError, VideoEncoderConfig, VideoFrame,
};
use parvis_format::{EncodedFrame, MediaTime, VideoParams};

use super::{FreshQueue, VideoLayer};
use crate::{
    CodecState, TrackKind,
    codecs::{OpenEncoder, video_params},
    demand::Demand,
    engine::{Engine, MediaSender},
};

/// The work of one layer's thread: pictures in, packets out, by the platform's encoder or, where
/// there is none or it fails, by the built-in one.
pub(super) struct LayerEncoder {
    track: String,
    layer: VideoLayer,
    config: VideoEncoderConfig,
    engine: Engine,
    open: OpenEncoder,
    output: Arc<Output>,
    /// Whether what the encoder puts out by itself is taken still.
    alive: Arc<AtomicBool>,
    key_interval: Duration,
    economical: bool,
}

/// Where packets go, whoever makes them.
struct Output {
    media: OnceLock<MediaSender>,
    demand: Demand,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    last_key: Option<MediaTime>,
    /// The picture that was last to become a key frame, whose packet may be under way.
    forced: Option<MediaTime>,
    /// Pictures given since the last packet.
    waiting: u32,
    failed: Option<String>,
}

/// No more than one key frame in that time, however many are asked for.
pub(super) const KEY_SPACING: Duration = Duration::from_millis(250);
/// An encoder that gives nothing for so many pictures, beyond its delay, has failed.
const STALLED: u32 = 60;

impl LayerEncoder {
    pub(super) fn open(
        engine: &Engine,
        track: &str,
        layer: &VideoLayer,
        config: VideoEncoderConfig,
        key_interval: Duration,
        demand: &Demand,
    ) -> Result<Self, OpenError> {
        let output = Arc::new(Output {
            media: OnceLock::new(),
            demand: demand.clone(),
            progress: Mutex::default(),
        });
        let alive = Arc::new(AtomicBool::new(true));
        let sink = sink(&output, &alive);
        let open = engine.codecs().open_encoder(&config, sink)?;
        let encoder = Self {
            track: track.to_owned(),
            layer: layer.clone(),
            config,
            engine: engine.clone(),
            open,
            output,
            alive,
            key_interval,
            economical: false,
        };
        encoder.report();
        Ok(encoder)
    }

    /// What the catalog says of the layer.
    pub(super) fn params(&self) -> VideoParams {
        video_params(&self.open.in_use.codec, &self.config)
    }

    pub(super) fn run(mut self, frames: &FreshQueue<VideoFrame>, media: MediaSender) {
        // Set once, here.
        let _ = self.output.media.set(media);
        while let Some(frame) = frames.pop() {
            if !self.output.demand.is_watched() {
                // Whoever comes next starts with a key frame.
                self.output.progress().forget_keys();
                continue;
            }
            if let Some(reason) = self.failure() {
                self.replace(reason);
            }
            self.follow_demand();
            let scaled = self.layer.scale(&frame);
            if let Err(error) = self.encode(&scaled)
                && (!self.replace(error.to_string()) || self.encode(&scaled).is_err())
            {
                tracing::warn!(track = self.track, %error, "a picture was not encoded");
                self.output.lost();
            }
        }
        if let Ok(packets) = self.open.encoder.flush() {
            for packet in packets {
                self.output.take(packet);
            }
        }
        self.alive.store(false, Ordering::Release);
    }

    fn encode(&mut self, picture: &VideoFrame) -> Result<(), EncodeError> {
        let key = match self.output.key(picture.time(), self.key_interval) {
            KeyFrame::Forced if !self.open.encoder.caps().forced_key => KeyFrame::AsNeeded,
            key => key,
        };
        self.output.progress().waiting += 1;
        for packet in self.open.encoder.encode(picture, key)? {
            self.output.take(packet);
        }
        Ok(())
    }

    /// Why the encoder is of no use any more, if so.
    fn failure(&self) -> Option<String> {
        let mut progress = self.output.progress();
        let patience = STALLED + self.open.encoder.caps().delay_frames;
        if self.open.replaceable && progress.waiting > patience {
            return Some(format!("nothing came for {} pictures", progress.waiting));
        }
        progress.failed.take()
    }

    /// Puts the built-in encoder in the place of one that failed; returns whether it could.
    fn replace(&mut self, reason: String) -> bool {
        if !self.open.replaceable {
            return false;
        }
        self.open.replaceable = false;
        let open = match OpenEncoder::after(reason, &self.config) {
            Ok(open) => open,
            Err(error) => {
                tracing::error!(track = self.track, %error, "there is no other encoder");
                return false;
            }
        };
        self.alive.store(false, Ordering::Release);
        let is_another = open.in_use.codec != self.open.in_use.codec;
        self.open = open;
        self.economical = false;
        *self.output.progress() = Progress::default();
        self.report();
        if is_another {
            let kind = TrackKind::Video(self.params());
            self.engine.set_info(&self.track, kind);
        }
        self.follow_demand();
        true
    }

    /// Takes half of the bitrate, or all of it again.
    fn follow_demand(&mut self) {
        let economical = self.output.demand.is_economical();
        if economical == self.economical || !self.open.encoder.caps().live_bitrate {
            return;
        }
        let full = self.config.bitrate;
        let half = Bitrate::bps(full.as_bps() / 2);
        let bitrate = if economical { half } else { full };
        match self.open.encoder.set_bitrate(&[bitrate]) {
            Ok(()) => self.economical = economical,
            Err(error) => tracing::debug!(track = self.track, %error, "the bitrate stays"),
        }
    }

    fn report(&self) {
        let in_use = self.open.in_use.clone();
        self.output.demand.set_codec(in_use.clone());
        let state = CodecState::InUse(in_use);
        self.engine.codecs().report(None, &self.track, state);
    }
}

/// The end of the output that an encoder of its own time gets.
fn sink(output: &Arc<Output>, alive: &Arc<AtomicBool>) -> CodecOutput<EncodedFrame, EncodeError> {
    // Weak: an encoder that is never dropped must not keep the track.
    let (output, alive): (Weak<Output>, _) = (Arc::downgrade(output), Arc::clone(alive));
    CodecOutput::new(move |made: Result<EncodedFrame, EncodeError>| {
        let Some(output) = output.upgrade().filter(|_| alive.load(Ordering::Acquire)) else {
            return;
        };
        match made {
            Ok(packet) => output.take(packet),
            Err(error) => output.progress().failed = Some(error.to_string()),
        }
    })
}

impl Output {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, packet: EncodedFrame) {
        let Some(media) = self.media.get() else {
            return;
        };
        self.demand.count_encoded(packet.payload.len());
        {
            let mut progress = self.progress();
            progress.waiting = 0;
            if packet.key {
                progress.last_key = Some(packet.time);
            }
        }
        if !media.send(packet) {
            self.lost();
        }
    }

    /// A frame is lost: those that depend on it are of no use.
    fn lost(&self) {
        self.demand.count_dropped();
        self.progress().forget_keys();
    }

    fn key(&self, time: MediaTime, interval: Duration) -> KeyFrame {
        let mut progress = self.progress();
        let known = progress.last_key.max(progress.forced);
        let since = known.map(|last| time.saturating_since(last));
        let is_due = since.is_none_or(|since| {
            since >= interval || (since >= KEY_SPACING && self.demand.wants_key())
        });
        if !is_due {
            return KeyFrame::AsNeeded;
        }
        self.demand.take_key();
        progress.forced = Some(time);
        KeyFrame::Forced
    }
}

impl Progress {
    /// The next picture becomes a key frame.
    fn forget_keys(&mut self) {
        (self.last_key, self.forced) = (None, None);
    }
}
