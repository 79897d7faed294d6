//! AV1 encoder over libaom, in real-time mode.

mod context;

use std::{borrow::Cow, time::Duration};

use parvis_format::{EncodedFrame, MediaTime};

use crate::{
    Bitrate, EncodeError, InputFormat, KeyFrame, OpenError, VideoEncoder, VideoEncoderCaps,
    VideoEncoderConfig, VideoFrame,
};
use context::{Context, LibraryError};

/// One layer, no delay, key frames only where they are asked for.
pub(crate) struct AomEncoder {
    context: Context,
    width: u32,
    height: u32,
    frame_duration: Duration,
    last: Option<LastFrame>,
    flushed: bool,
}

#[derive(Clone, Copy)]
struct LastFrame {
    time: MediaTime,
    /// Microseconds on libaom's own timeline.
    pts: i64,
}

impl AomEncoder {
    pub(crate) fn open(config: &VideoEncoderConfig) -> Result<Self, OpenError> {
        if config.width < MIN_SIDE || config.height < MIN_SIDE {
            let what = format!("a picture of {}x{}", config.width, config.height);
            return Err(OpenError::Unsupported {
                codec: NAME.into(),
                what,
            });
        }
        let context = Context::open(config).map_err(|error| OpenError::Library {
            codec: NAME.into(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            context,
            width: config.width,
            height: config.height,
            frame_duration: config.frame_rate.frame_duration(),
            last: None,
            flushed: false,
        })
    }

    /// Where a frame lies on libaom's timeline. Rate control takes the step as the frame rate, so
    /// that a camera that slows down still gets its bitrate; a pause must not become one huge frame.
    fn pts_of(&self, time: MediaTime) -> Result<i64, EncodeError> {
        EncodeError::check_order(self.last.map(|last| last.time), time)?;
        let Some(last) = self.last else { return Ok(0) };
        let step = time.signed_since(last.time);
        let nominal = self.frame_duration.as_micros() as i64;
        Ok(last.pts + step.clamp(nominal / 4, 4 * nominal))
    }
}

impl VideoEncoder for AomEncoder {
    fn caps(&self) -> &VideoEncoderCaps {
        &CAPS
    }

    fn encode(
        &mut self,
        frame: &VideoFrame,
        key: KeyFrame,
    ) -> Result<Vec<EncodedFrame>, EncodeError> {
        if self.flushed {
            return Err(EncodeError::after_flush());
        }
        EncodeError::check_size(frame, self.width, self.height)?;
        let time = frame.time();
        let pts = self.pts_of(time)?;
        let packets =
            self.context
                .encode(frame, pts, self.frame_duration, key == KeyFrame::Forced)?;
        self.last = Some(LastFrame { time, pts });
        let packets = packets.into_iter().map(|packet| EncodedFrame {
            duration: Some(self.frame_duration),
            ..EncodedFrame::video(time, packet.key, packet.data)
        });
        Ok(packets.collect())
    }

    fn set_bitrate(&mut self, per_layer: &[Bitrate]) -> Result<(), EncodeError> {
        let &[bitrate] = per_layer else {
            return Err(EncodeError::Misuse {
                expected: "one bitrate".to_owned(),
                got: per_layer.len().to_string(),
            });
        };
        Ok(self.context.set_bitrate(bitrate)?)
    }

    fn flush(&mut self) -> Result<Vec<EncodedFrame>, EncodeError> {
        // Nothing is held back without lookahead.
        self.flushed = true;
        Ok(Vec::new())
    }
}

impl From<LibraryError> for EncodeError {
    fn from(error: LibraryError) -> Self {
        Self::Library {
            codec: NAME.into(),
            reason: error.to_string(),
        }
    }
}

const NAME: &str = "libaom";
const MIN_SIDE: u32 = 16;
const CAPS: VideoEncoderCaps = VideoEncoderCaps {
    name: Cow::Borrowed(NAME),
    codec: Cow::Borrowed("av01"),
    input: &[InputFormat::I420],
    delay_frames: 0,
    live_bitrate: true,
    forced_key: true,
    temporal_layers: 1,
    spatial_layers: 1,
    screen_content: true,
};
