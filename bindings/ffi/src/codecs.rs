use std::sync::Arc;

use parvis::codec;

use crate::{
    EncodedFrame, EncodedSink, ParvisError, PictureSink, VideoFrame,
    foreign_decoder::ForeignDecoders, foreign_encoder::ForeignEncoders, mirror::mirror,
};

/// Video codecs of the platform, such as a phone's hardware: tried before the built-in ones.
#[derive(Clone, Default, uniffi::Record)]
pub struct Codecs {
    /// Makes encoders.
    #[uniffi(default = None)]
    pub video_encoders: Option<Arc<dyn VideoEncoderFactory>>,
    /// Makes decoders.
    #[uniffi(default = None)]
    pub video_decoders: Option<Arc<dyn VideoDecoderFactory>>,
}

/// Makes the app's own video encoders.
///
/// It is called where a camera or screen is turned on, once for each layer, and must not wait for that
/// thread.
#[uniffi::export(foreign)]
pub trait VideoEncoderFactory: Send + Sync {
    /// An encoder for this; none: there is none, and the built-in one takes its place, as it does after
    /// an error, whose reason is told.
    ///
    /// sink: where its packets go.
    fn create(
        &self,
        config: VideoEncoderConfig,
        sink: Arc<EncodedSink>,
    ) -> Result<Option<Arc<dyn VideoEncoder>>, ParvisError>;
}

/// The app's own video encoder. It is called by one thread at a time; an error in mid-call has the
/// built-in one take its place.
#[uniffi::export(foreign)]
pub trait VideoEncoder: Send + Sync {
    /// What it can do; asked once, after it was made.
    fn caps(&self) -> Result<VideoEncoderCaps, ParvisError>;

    /// Takes a picture of the configured size. Its packet goes to the sink, now or later, from any thread,
    /// with the picture's time.
    ///
    /// key: whether it has to be a key frame.
    fn encode(&self, frame: Arc<VideoFrame>, key: bool) -> Result<(), ParvisError>;

    /// Changes the target, bits a second, without a key frame.
    fn set_bitrate(&self, bitrate: i32) -> Result<(), ParvisError>;

    /// Puts what it holds back in the sink; no picture follows.
    fn flush(&self) -> Result<(), ParvisError>;

    /// Frees what it has: nothing follows, and what its sink is given is thrown away.
    fn release(&self) -> Result<(), ParvisError>;
}

/// Makes the app's own video decoders.
///
/// It is called where a picture is first received, and must not wait for that thread.
#[uniffi::export(foreign)]
pub trait VideoDecoderFactory: Send + Sync {
    /// A decoder for this stream; none: there is none, and the built-in one takes its place where it can,
    /// as it does after an error, whose reason is told.
    ///
    /// sink: where its pictures go.
    fn create(
        &self,
        stream: VideoParams,
        sink: Arc<PictureSink>,
    ) -> Result<Option<Arc<dyn VideoDecoder>>, ParvisError>;
}

/// The app's own video decoder. It is called by one thread at a time.
#[uniffi::export(foreign)]
pub trait VideoDecoder: Send + Sync {
    /// What it can do; asked once, after it was made.
    fn caps(&self) -> Result<VideoDecoderCaps, ParvisError>;

    /// Takes a frame; the first one, and the first after [`VideoDecoder::reset`] and after an error, is a
    /// key frame. Its picture goes to the sink, now or later, from any thread, with the frame's time.
    ///
    /// [`ErrorKind::BadFrame`](crate::ErrorKind::BadFrame) says that the frame is damaged; any other
    /// error, or three of those in a row, has the built-in decoder take its place.
    fn decode(&self, frame: Arc<EncodedFrame>) -> Result<(), ParvisError>;

    /// Forgets every reference: frames are missing before the next one.
    fn reset(&self) -> Result<(), ParvisError>;

    /// Puts what it holds back in the sink.
    fn flush(&self) -> Result<(), ParvisError>;

    /// Frees what it has: nothing follows, and what its sink is given is thrown away.
    fn release(&self) -> Result<(), ParvisError>;
}

/// What a video encoder is opened with.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct VideoEncoderConfig {
    /// Width of every picture, pixels, even.
    pub width: i32,
    /// Height of every picture, pixels, even.
    pub height: i32,
    /// Pictures a second.
    pub frame_rate: f64,
    /// Target bits a second.
    pub bitrate: i32,
    /// Camera or screen.
    pub content: Content,
}

/// What a video encoder can do.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VideoEncoderCaps {
    /// Name of the implementation, for reports.
    pub name: String,
    /// The codec string of catalogs: whole (`avc1.42E01F`), or `av01` alone for the main profile at the
    /// level that the size needs. Key frames carry the parameter sets of their stream.
    pub codec: String,
    /// How many later pictures have to be given before a picture's packet comes out.
    #[uniffi(default = 0)]
    pub delay_frames: i32,
    /// Whether its bitrate can be changed.
    #[uniffi(default = true)]
    pub live_bitrate: bool,
    /// Whether it makes key frames when it is told to.
    #[uniffi(default = true)]
    pub forced_key: bool,
    /// How many temporal layers its packets are marked with.
    #[uniffi(default = 1)]
    pub temporal_layers: i32,
}

/// What a video decoder can do.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VideoDecoderCaps {
    /// Name of the implementation, for reports.
    pub name: String,
    /// How many later frames have to be given before a frame's picture comes out.
    #[uniffi(default = 0)]
    pub delay_frames: i32,
}

/// What a decoder needs to know of a video track.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct VideoParams {
    /// The codec string of WebCodecs and MSF, such as `av01.0.04M.08`.
    pub codec: String,
    /// Pixels across.
    pub width: i32,
    /// Pixels down.
    pub height: i32,
    /// Frames a second, where known.
    #[uniffi(default = None)]
    pub framerate: Option<f64>,
    /// Bits a second, where known.
    #[uniffi(default = None)]
    pub bitrate: Option<i64>,
    /// The codec's out-of-band configuration; of AV1 the body of `av1C`.
    #[uniffi(default = None)]
    pub config: Option<Vec<u8>>,
}

impl From<Codecs> for parvis::Codecs {
    fn from(codecs: Codecs) -> Self {
        let encoders = codecs.video_encoders.map(ForeignEncoders);
        let decoders = codecs.video_decoders.map(ForeignDecoders);
        Self {
            video_encoders: encoders.map(|encoders| Arc::new(encoders) as _),
            video_decoders: decoders.map(|decoders| Arc::new(decoders) as _),
        }
    }
}

mirror! {
    /// What kind of picture is encoded.
    Content = codec::Content {
        /// Faces, rooms, anything from a lens.
        Camera,
        /// Text and windows.
        Screen,
    }
}

/// AV1, main profile, 8 bits, at the lowest level that holds this size at 30 frames a second.
#[uniffi::export]
pub fn av1_params(width: i32, height: i32) -> VideoParams {
    let side = |side| u32::try_from(side).unwrap_or_default();
    parvis::format::VideoParams::av1(side(width), side(height)).into()
}

impl From<parvis::format::VideoParams> for VideoParams {
    fn from(params: parvis::format::VideoParams) -> Self {
        Self {
            codec: params.codec,
            width: i32::try_from(params.width).unwrap_or(i32::MAX),
            height: i32::try_from(params.height).unwrap_or(i32::MAX),
            framerate: params.framerate,
            bitrate: params.bitrate.map(crate::numbers::signed),
            config: params.config.map(Vec::from),
        }
    }
}

impl TryFrom<VideoParams> for parvis::format::VideoParams {
    type Error = ParvisError;

    fn try_from(params: VideoParams) -> Result<Self, ParvisError> {
        let side = |side| crate::options::positive("a picture's side is at least 1", side);
        Ok(Self {
            codec: params.codec,
            width: side(params.width)?,
            height: side(params.height)?,
            framerate: params.framerate,
            bitrate: params.bitrate.map(crate::numbers::unsigned),
            config: params.config.map(Into::into),
        })
    }
}

impl From<&codec::VideoEncoderConfig> for VideoEncoderConfig {
    fn from(config: &codec::VideoEncoderConfig) -> Self {
        let number = |number| i32::try_from(number).unwrap_or(i32::MAX);
        let rate = config.frame_rate;
        Self {
            width: number(config.width),
            height: number(config.height),
            frame_rate: f64::from(rate.frames()) / f64::from(rate.seconds()),
            bitrate: number(config.bitrate.as_bps()),
            content: config.content.into(),
        }
    }
}
