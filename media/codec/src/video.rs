//! The traits of video codecs and what they are opened with.

use std::borrow::Cow;

use parvis_format::EncodedFrame;

use crate::{Bitrate, DecodeError, EncodeError, FrameRate, VideoFrame};

/// Turns pictures into packets.
///
/// An encoder belongs to one thread at a time. Each packet carries the media time of its own input
/// frame, which with a delay is an earlier one than was just given.
pub trait VideoEncoder: Send {
    /// Tells what this encoder can do, truthfully: a caller plans layers and rates by it.
    fn caps(&self) -> &VideoEncoderCaps;

    /// Encodes a frame of the configured size; returns the packets that are ready, in order.
    ///
    /// An encoder that works in its own time returns none and puts them in the
    /// [`CodecOutput`](crate::CodecOutput) that it was created with, from any thread, as soon as
    /// they are made.
    ///
    /// Media times must increase. With [`KeyFrame::Forced`] this frame becomes a key frame, or the
    /// call fails with [`EncodeError::Unsupported`].
    fn encode(
        &mut self,
        frame: &VideoFrame,
        key: KeyFrame,
    ) -> Result<Vec<EncodedFrame>, EncodeError>;

    /// Changes the target bitrates, one for each of [`VideoEncoderCaps::spatial_layers`], lowest
    /// layer first, without forcing a key frame.
    ///
    /// [`EncodeError::Unsupported`] when [`VideoEncoderCaps::live_bitrate`] is false.
    fn set_bitrate(&mut self, per_layer: &[Bitrate]) -> Result<(), EncodeError>;

    /// Returns the packets still held back. The encoder takes no frame after it.
    fn flush(&mut self) -> Result<Vec<EncodedFrame>, EncodeError>;
}

/// Turns packets into pictures.
///
/// A decoder starts without a reference: it wants a key frame first, and again after an error or a
/// [`VideoDecoder::reset`]. Until one comes it refuses packets with [`DecodeError::NeedsKeyFrame`]
/// and gives none of them to the codec, because a picture decoded over a gap is wrong in ways that
/// nobody notices.
pub trait VideoDecoder: Send {
    /// Tells what this decoder can do.
    fn caps(&self) -> &VideoDecoderCaps;

    /// Decodes one packet; returns the pictures that are ready, in order. A decoder that works in
    /// its own time puts them in its [`CodecOutput`](crate::CodecOutput) instead.
    fn decode(&mut self, packet: &EncodedFrame) -> Result<Vec<VideoFrame>, DecodeError>;

    /// Whether only a key frame can be decoded next. A receiver then skips to one, or asks the
    /// publisher for one.
    fn needs_key_frame(&self) -> bool;

    /// Forgets every reference: packets are missing before the next one, or the stream changes.
    fn reset(&mut self);

    /// Returns the pictures still held back. The decoder then needs a key frame.
    fn flush(&mut self) -> Result<Vec<VideoFrame>, DecodeError>;
}

/// Whether a frame has to be a key frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyFrame {
    /// The encoder decides: the first frame is one, others only where the codec must.
    #[default]
    AsNeeded,
    /// This frame is one: a new subscriber or a receiver with a gap waits for it.
    Forced,
}

/// What kind of picture is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Content {
    /// Faces, rooms, anything from a lens.
    #[default]
    Camera,
    /// Text and windows: turns on the codec's screen-content tools.
    Screen,
}

/// How an encoder takes its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputFormat {
    /// Three planes in memory, 8 bit, chroma halved both ways: [`VideoFrame`].
    I420,
}

/// What a video encoder can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoEncoderCaps {
    /// Name of the implementation, for logs and reports.
    pub name: Cow<'static, str>,
    /// The codec string that catalogs use: whole (`avc1.42E01F`), or `av01` alone for the main
    /// profile at the level that the size needs. A stream's key frames carry their parameter sets.
    pub codec: Cow<'static, str>,
    /// How frames are taken.
    pub input: &'static [InputFormat],
    /// How many later frames have to be given before a frame's packet comes out.
    pub delay_frames: u32,
    /// Whether [`VideoEncoder::set_bitrate`] works.
    pub live_bitrate: bool,
    /// Whether [`KeyFrame::Forced`] works.
    pub forced_key: bool,
    /// How many temporal layers packets are marked with.
    pub temporal_layers: u8,
    /// How many spatial layers one frame gives.
    pub spatial_layers: u8,
    /// Whether [`Content::Screen`] changes anything.
    pub screen_content: bool,
}

/// What a video decoder can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoDecoderCaps {
    /// Name of the implementation, for logs and reports.
    pub name: Cow<'static, str>,
    /// The four-character code that catalogs use (`av01`).
    pub codec: Cow<'static, str>,
    /// How many later packets have to be given before a packet's picture comes out.
    pub delay_frames: u32,
}

/// Which video encoder to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VideoEncoderChoice {
    /// libaom: no delay, live bitrate, real time at 720p on one core.
    #[default]
    Aom,
    /// rav1e: Rust, four frames of delay, fixed bitrate, real time at 180p.
    Rav1e,
}

/// What a video encoder is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoEncoderConfig {
    /// Which implementation.
    pub choice: VideoEncoderChoice,
    /// Width of every frame, pixels, even.
    pub width: u32,
    /// Height of every frame, pixels, even.
    pub height: u32,
    /// Frames a second, for rate control and for the duration of packets.
    pub frame_rate: FrameRate,
    /// Target bitrate of the only layer.
    pub bitrate: Bitrate,
    /// Camera or screen.
    pub content: Content,
    /// Threads the codec may use.
    pub threads: u32,
}

impl VideoEncoderConfig {
    /// A camera picture of this size: 30 frames a second, one thread, libaom, and a bitrate that
    /// suits the size (400 kbit/s at 640x360).
    pub fn new(width: u32, height: u32) -> Self {
        Self {
            choice: VideoEncoderChoice::default(),
            width,
            height,
            frame_rate: FrameRate::whole(30),
            bitrate: Bitrate::suited_to(width, height),
            content: Content::default(),
            threads: 1,
        }
    }
}

/// Which video decoder to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VideoDecoderChoice {
    /// dav1d: no delay with one thread.
    #[default]
    Dav1d,
}

/// What a video decoder is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoDecoderConfig {
    /// Which implementation.
    pub choice: VideoDecoderChoice,
    /// Threads the codec may use.
    pub threads: u32,
    /// The largest picture that is decoded, in pixels (width x height): a peer's stream may claim
    /// any size, and memory follows it.
    pub max_pixels: u32,
}

impl Default for VideoDecoderConfig {
    fn default() -> Self {
        Self {
            choice: VideoDecoderChoice::default(),
            threads: 1,
            max_pixels: 3840 * 2160,
        }
    }
}
