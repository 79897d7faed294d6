//! AV1 encoder over rav1e.

use std::collections::VecDeque;

use ::rav1e::prelude as rav1e;
use bytes::Bytes;
use parvis_format::{EncodedFrame, MediaTime};
use std::{borrow::Cow, time::Duration};

use crate::{
    Bitrate, Content, EncodeError, InputFormat, KeyFrame, OpenError, Plane, VideoEncoder,
    VideoEncoderCaps, VideoEncoderConfig, VideoFrame,
};

/// One layer at rav1e's fastest preset.
pub(crate) struct Rav1eEncoder {
    context: rav1e::Context<u8>,
    width: u32,
    height: u32,
    frame_duration: Duration,
    /// Times of the frames whose packets have not come out.
    times: VecDeque<MediaTime>,
    last: Option<MediaTime>,
    flushed: bool,
}

impl Rav1eEncoder {
    pub(crate) fn open(config: &VideoEncoderConfig) -> Result<Self, OpenError> {
        if config.content == Content::Screen {
            let what = "screen content".to_owned();
            return Err(OpenError::Unsupported {
                codec: NAME.into(),
                what,
            });
        }
        let threads = config.threads.clamp(1, 16) as usize;
        let context = rav1e::Config::new()
            .with_encoder_config(encoder_config(config, threads))
            .with_threads(threads)
            .new_context()
            .map_err(|error| OpenError::Library {
                codec: NAME.into(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            context,
            width: config.width,
            height: config.height,
            frame_duration: config.frame_rate.frame_duration(),
            times: VecDeque::new(),
            last: None,
            flushed: false,
        })
    }

    fn ready_packets(&mut self) -> Result<Vec<EncodedFrame>, EncodeError> {
        let mut packets = Vec::new();
        loop {
            match self.context.receive_packet() {
                Ok(packet) => {
                    // Low latency: packets come out in the order of the frames.
                    let Some(time) = self.times.pop_front() else {
                        return Err(library_error("a packet without a frame"));
                    };
                    let key = packet.frame_type == rav1e::FrameType::KEY;
                    packets.push(EncodedFrame {
                        duration: Some(self.frame_duration),
                        ..EncodedFrame::video(time, key, Bytes::from(packet.data))
                    });
                }
                Err(rav1e::EncoderStatus::Encoded) => {}
                Err(rav1e::EncoderStatus::NeedMoreData | rav1e::EncoderStatus::LimitReached) => {
                    return Ok(packets);
                }
                Err(status) => return Err(library_error(status.to_string())),
            }
        }
    }
}

impl VideoEncoder for Rav1eEncoder {
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
        EncodeError::check_order(self.last, time)?;
        let mut input = self.context.new_frame();
        for (target, plane) in input.planes.iter_mut().zip(Plane::ALL) {
            target.copy_from_raw_u8(frame.plane(plane), frame.stride(plane), 1);
        }
        let parameters = rav1e::FrameParameters {
            frame_type_override: match key {
                KeyFrame::AsNeeded => rav1e::FrameTypeOverride::No,
                KeyFrame::Forced => rav1e::FrameTypeOverride::Key,
            },
            opaque: None,
            t35_metadata: Box::default(),
        };
        self.context
            .send_frame((input, parameters))
            .map_err(|status| library_error(status.to_string()))?;
        self.last = Some(time);
        self.times.push_back(time);
        self.ready_packets()
    }

    fn set_bitrate(&mut self, _per_layer: &[Bitrate]) -> Result<(), EncodeError> {
        Err(EncodeError::Unsupported {
            codec: NAME.into(),
            what: "a bitrate change in flight",
        })
    }

    fn flush(&mut self) -> Result<Vec<EncodedFrame>, EncodeError> {
        self.flushed = true;
        self.context.flush();
        self.ready_packets()
    }
}

fn encoder_config(config: &VideoEncoderConfig, threads: usize) -> rav1e::EncoderConfig {
    let mut speed_settings = rav1e::SpeedSettings::from_preset(10);
    speed_settings.rdo_lookahead_frames = 1;
    // Key frames come on request; scene detection would only add delay.
    speed_settings.scene_detection_mode = rav1e::SceneDetectionSpeed::None;
    rav1e::EncoderConfig {
        width: config.width as usize,
        height: config.height as usize,
        time_base: rav1e::Rational::new(
            u64::from(config.frame_rate.seconds()),
            u64::from(config.frame_rate.frames()),
        ),
        bit_depth: 8,
        chroma_sampling: rav1e::ChromaSampling::Cs420,
        low_latency: true,
        error_resilient: false,
        min_key_frame_interval: 0,
        max_key_frame_interval: MAX_KEY_FRAME_INTERVAL,
        bitrate: i32::try_from(config.bitrate.as_bps()).unwrap_or(i32::MAX),
        tiles: threads,
        speed_settings,
        ..rav1e::EncoderConfig::default()
    }
}

fn library_error(reason: impl Into<String>) -> EncodeError {
    EncodeError::Library {
        codec: NAME.into(),
        reason: reason.into(),
    }
}

const NAME: &str = "rav1e";
/// A day at 60 frames a second; rav1e wants a bound.
const MAX_KEY_FRAME_INTERVAL: u64 = 24 * 3600 * 60;
const CAPS: VideoEncoderCaps = VideoEncoderCaps {
    name: Cow::Borrowed(NAME),
    codec: Cow::Borrowed("av01"),
    input: &[InputFormat::I420],
    delay_frames: 4,
    live_bitrate: false,
    forced_key: true,
    temporal_layers: 1,
    spatial_layers: 1,
    screen_content: false,
};
