//! Codecs that are not built in.

use std::{fmt, sync::Arc};

use parvis_format::{EncodedFrame, VideoParams};

use crate::{
    DecodeError, EncodeError, OpenError, VideoDecoder, VideoDecoderConfig, VideoEncoder,
    VideoEncoderConfig, VideoFrame,
};

/// Makes video encoders that are not built in, such as a phone's hardware.
pub trait VideoEncoderFactory: Send + Sync {
    /// An encoder for this; `None`: there is none, and the built-in one takes its place, as it does
    /// after an error. [`VideoEncoderConfig::choice`] is that of the built-in one.
    ///
    /// output: where an encoder that works in its own time puts its packets, and says that it broke.
    fn create(
        &self,
        config: &VideoEncoderConfig,
        output: CodecOutput<EncodedFrame, EncodeError>,
    ) -> Result<Option<Box<dyn VideoEncoder>>, OpenError>;
}

/// Makes video decoders that are not built in.
pub trait VideoDecoderFactory: Send + Sync {
    /// A decoder for a stream of this codec and size; `None`: there is none, and the built-in one
    /// takes its place where it can, as it does after an error.
    ///
    /// output: where a decoder that works in its own time puts its pictures, and says that it broke.
    fn create(
        &self,
        stream: &VideoParams,
        config: &VideoDecoderConfig,
        output: CodecOutput<VideoFrame, DecodeError>,
    ) -> Result<Option<Box<dyn VideoDecoder>>, OpenError>;
}

/// Takes what a codec makes in its own time; cloned freely, used from any thread.
///
/// What comes after the codec was dropped or replaced is thrown away.
pub struct CodecOutput<T, E>(Arc<Taker<T, E>>);

type Taker<T, E> = dyn Fn(Result<T, E>) + Send + Sync;

impl<T, E> CodecOutput<T, E> {
    /// Hands everything to this.
    pub fn new(take: impl Fn(Result<T, E>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Puts a packet or picture, each in its order; never waits.
    pub fn push(&self, made: T) {
        (self.0)(Ok(made));
    }

    /// Says that the codec is of no use any more: another one takes its place.
    pub fn fail(&self, error: E) {
        (self.0)(Err(error));
    }
}

impl<T, E> Clone for CodecOutput<T, E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T, E> fmt::Debug for CodecOutput<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodecOutput")
    }
}
