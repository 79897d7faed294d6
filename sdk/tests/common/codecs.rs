//! A platform's codecs: the built-in ones under another name, with faults.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
};

use parvis::{
    Codecs,
    codec::{
        Bitrate, CodecOutput, DecodeError, EncodeError, KeyFrame, OpenError, VideoDecoder,
        VideoDecoderCaps, VideoDecoderConfig, VideoDecoderFactory, VideoEncoder, VideoEncoderCaps,
        VideoEncoderConfig, VideoEncoderFactory, VideoFrame, open_video_decoder,
        open_video_encoder,
    },
    format::{EncodedFrame, VideoParams},
};

/// What a platform's codec does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    Works,
    /// It has none.
    HasNone,
    /// It has one that does not open.
    DoesNotOpen,
    /// It fails after so many frames.
    FailsAfter(u32),
    /// What it makes comes later, from a thread of its own.
    OwnTime,
    /// It takes everything and makes nothing.
    Silent,
    /// It says by its output that it broke, after so many frames.
    BreaksAfter(u32),
}

/// A platform.
#[derive(Debug, Clone)]
pub struct Platform {
    pub behaviour: Behaviour,
    pub codec: &'static str,
    /// Frames that its encoders and decoders were given.
    pub frames: Arc<AtomicU32>,
}

impl Platform {
    pub fn new(behaviour: Behaviour, codec: &'static str) -> Self {
        Self {
            behaviour,
            codec,
            frames: Arc::default(),
        }
    }

    pub fn encodes(&self) -> Codecs {
        Codecs {
            video_encoders: Some(Arc::new(self.clone())),
            ..Codecs::default()
        }
    }

    pub fn decodes(&self) -> Codecs {
        Codecs {
            video_decoders: Some(Arc::new(self.clone())),
            ..Codecs::default()
        }
    }

    pub fn frames(&self) -> u32 {
        self.frames.load(Ordering::Relaxed)
    }

    fn opens(&self) -> Result<bool, OpenError> {
        match self.behaviour {
            Behaviour::HasNone => Ok(false),
            Behaviour::DoesNotOpen => Err(OpenError::Library {
                codec: NAME.into(),
                reason: "busy".to_owned(),
            }),
            _ => Ok(true),
        }
    }
}

pub const NAME: &str = "platform";

struct Encoder {
    platform: Platform,
    caps: VideoEncoderCaps,
    /// Of the thread that works in its own time.
    work: Option<mpsc::Sender<(VideoFrame, KeyFrame)>>,
    inner: Option<Box<dyn VideoEncoder>>,
    output: CodecOutput<EncodedFrame, EncodeError>,
}

struct Decoder {
    platform: Platform,
    caps: VideoDecoderCaps,
    inner: Box<dyn VideoDecoder>,
    output: CodecOutput<VideoFrame, DecodeError>,
}

impl VideoEncoderFactory for Platform {
    fn create(
        &self,
        config: &VideoEncoderConfig,
        output: CodecOutput<EncodedFrame, EncodeError>,
    ) -> Result<Option<Box<dyn VideoEncoder>>, OpenError> {
        if !self.opens()? {
            return Ok(None);
        }
        let inner = open_video_encoder(config)?;
        let caps = VideoEncoderCaps {
            name: Cow::Owned(NAME.to_owned()),
            codec: Cow::Borrowed(self.codec),
            ..inner.caps().clone()
        };
        let mut encoder = Encoder {
            platform: self.clone(),
            caps,
            work: None,
            inner: Some(inner),
            output,
        };
        if self.behaviour == Behaviour::OwnTime {
            encoder.work_alone();
        }
        Ok(Some(Box::new(encoder)))
    }
}

impl Encoder {
    fn work_alone(&mut self) {
        let (work, frames) = mpsc::channel::<(VideoFrame, KeyFrame)>();
        let mut inner = self.inner.take().expect("it was opened");
        let output = self.output.clone();
        std::thread::spawn(move || {
            for (frame, key) in frames {
                for packet in inner.encode(&frame, key).expect("it encodes") {
                    output.push(packet);
                }
            }
        });
        self.work = Some(work);
    }
}

impl VideoEncoder for Encoder {
    fn caps(&self) -> &VideoEncoderCaps {
        &self.caps
    }

    fn encode(
        &mut self,
        frame: &VideoFrame,
        key: KeyFrame,
    ) -> Result<Vec<EncodedFrame>, EncodeError> {
        let before = self.platform.frames.fetch_add(1, Ordering::Relaxed);
        match self.platform.behaviour {
            Behaviour::FailsAfter(frames) if before >= frames => {
                return Err(EncodeError::Library {
                    codec: NAME.into(),
                    reason: "taken away".to_owned(),
                });
            }
            Behaviour::BreaksAfter(frames) if before == frames => {
                self.output.fail(EncodeError::Library {
                    codec: NAME.into(),
                    reason: "taken away".to_owned(),
                });
                return Ok(Vec::new());
            }
            Behaviour::Silent => return Ok(Vec::new()),
            _ => {}
        }
        if let Some(work) = &self.work {
            work.send((frame.clone(), key)).expect("it works");
            return Ok(Vec::new());
        }
        let inner = self.inner.as_mut().expect("it is here");
        inner.encode(frame, key)
    }

    fn set_bitrate(&mut self, per_layer: &[Bitrate]) -> Result<(), EncodeError> {
        match &mut self.inner {
            Some(inner) => inner.set_bitrate(per_layer),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<Vec<EncodedFrame>, EncodeError> {
        Ok(Vec::new())
    }
}

impl VideoDecoderFactory for Platform {
    fn create(
        &self,
        stream: &VideoParams,
        config: &VideoDecoderConfig,
        output: CodecOutput<VideoFrame, DecodeError>,
    ) -> Result<Option<Box<dyn VideoDecoder>>, OpenError> {
        if !self.opens()? || !stream.codec.starts_with(&self.codec[..4]) {
            return Ok(None);
        }
        let inner = open_video_decoder(config)?;
        let caps = VideoDecoderCaps {
            name: Cow::Owned(NAME.to_owned()),
            codec: Cow::Borrowed(self.codec),
            ..inner.caps().clone()
        };
        Ok(Some(Box::new(Decoder {
            platform: self.clone(),
            caps,
            inner,
            output,
        })))
    }
}

impl VideoDecoder for Decoder {
    fn caps(&self) -> &VideoDecoderCaps {
        &self.caps
    }

    fn decode(&mut self, packet: &EncodedFrame) -> Result<Vec<VideoFrame>, DecodeError> {
        let before = self.platform.frames.fetch_add(1, Ordering::Relaxed);
        let broken = || DecodeError::Library {
            codec: NAME.into(),
            reason: "taken away".to_owned(),
        };
        match self.platform.behaviour {
            Behaviour::FailsAfter(frames) if before >= frames => return Err(broken()),
            Behaviour::BreaksAfter(frames) if before == frames => {
                self.output.fail(broken());
                return Ok(Vec::new());
            }
            Behaviour::Silent => return Ok(Vec::new()),
            _ => {}
        }
        let pictures = self.inner.decode(packet)?;
        if self.platform.behaviour != Behaviour::OwnTime {
            return Ok(pictures);
        }
        let output = self.output.clone();
        std::thread::spawn(move || {
            for picture in pictures {
                output.push(picture);
            }
        });
        Ok(Vec::new())
    }

    fn needs_key_frame(&self) -> bool {
        self.inner.needs_key_frame()
    }

    fn reset(&mut self) {
        self.inner.reset();
    }

    fn flush(&mut self) -> Result<Vec<VideoFrame>, DecodeError> {
        self.inner.flush()
    }
}
