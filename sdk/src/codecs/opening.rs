use parvis_codec::{
    CodecOutput, DecodeError, EncodeError, OpenError, VideoDecoder, VideoDecoderConfig,
    VideoEncoder, VideoEncoderConfig, VideoFrame, open_video_decoder, open_video_encoder,
};
use parvis_format::{EncodedFrame, VideoCodec, VideoParams};

use super::{CodecDesk, CodecFallback, CodecInUse};
use crate::SubscribeError;

/// An encoder that was opened.
pub(crate) struct OpenEncoder {
    pub encoder: Box<dyn VideoEncoder>,
    pub in_use: CodecInUse,
    /// Whether the built-in one can still take its place.
    pub replaceable: bool,
}

/// A decoder that was opened.
pub(crate) struct OpenDecoder {
    pub decoder: Box<dyn VideoDecoder>,
    pub in_use: CodecInUse,
    pub is_platforms: bool,
}

impl CodecDesk {
    /// The platform's encoder, or else the built-in one.
    pub(crate) fn open_encoder(
        &self,
        config: &VideoEncoderConfig,
        output: CodecOutput<EncodedFrame, EncodeError>,
    ) -> Result<OpenEncoder, OpenError> {
        let Some(factory) = &self.codecs.video_encoders else {
            return built_in_encoder(config, None);
        };
        match factory.create(config, output) {
            Ok(Some(encoder)) => {
                let in_use = CodecInUse {
                    backend: encoder.caps().name.to_string(),
                    codec: video_params(&encoder.caps().codec, config).codec,
                    fallback: None,
                };
                Ok(OpenEncoder {
                    encoder,
                    in_use,
                    replaceable: true,
                })
            }
            Ok(None) => built_in_encoder(config, Some(CodecFallback::NotOffered)),
            Err(error) => {
                let fallback = CodecFallback::NotOpened(error.to_string());
                built_in_encoder(config, Some(fallback))
            }
        }
    }

    /// The platform's decoder, or else the built-in one.
    pub(crate) fn open_decoder(
        &self,
        track: &str,
        stream: &VideoParams,
        output: CodecOutput<VideoFrame, DecodeError>,
    ) -> Result<OpenDecoder, SubscribeError> {
        let config = VideoDecoderConfig::default();
        let Some(factory) = &self.codecs.video_decoders else {
            return built_in_decoder(track, stream, None);
        };
        match factory.create(stream, &config, output) {
            Ok(Some(decoder)) => {
                let in_use = CodecInUse {
                    backend: decoder.caps().name.to_string(),
                    codec: stream.codec.clone(),
                    fallback: None,
                };
                Ok(OpenDecoder {
                    decoder,
                    in_use,
                    is_platforms: true,
                })
            }
            Ok(None) => built_in_decoder(track, stream, Some(CodecFallback::NotOffered)),
            Err(error) => {
                let fallback = CodecFallback::NotOpened(error.to_string());
                built_in_decoder(track, stream, Some(fallback))
            }
        }
    }
}

impl OpenEncoder {
    /// The built-in one instead of one that failed.
    pub(crate) fn after(reason: String, config: &VideoEncoderConfig) -> Result<Self, OpenError> {
        built_in_encoder(config, Some(CodecFallback::Failed(reason)))
    }
}

impl OpenDecoder {
    /// The built-in one instead of one that failed.
    pub(crate) fn after(
        reason: String,
        track: &str,
        stream: &VideoParams,
    ) -> Result<Self, SubscribeError> {
        built_in_decoder(track, stream, Some(CodecFallback::Failed(reason)))
    }
}

fn built_in_encoder(
    config: &VideoEncoderConfig,
    fallback: Option<CodecFallback>,
) -> Result<OpenEncoder, OpenError> {
    let encoder = open_video_encoder(config)?;
    let in_use = CodecInUse {
        backend: encoder.caps().name.to_string(),
        codec: video_params(&encoder.caps().codec, config).codec,
        fallback,
    };
    Ok(OpenEncoder {
        encoder,
        in_use,
        replaceable: false,
    })
}

fn built_in_decoder(
    track: &str,
    stream: &VideoParams,
    fallback: Option<CodecFallback>,
) -> Result<OpenDecoder, SubscribeError> {
    let decoder = match stream.family() {
        VideoCodec::Av1 => open_video_decoder(&VideoDecoderConfig::default()),
        _ => Err(OpenError::NotBuilt("a decoder of another codec than AV1")),
    };
    let decoder = match decoder {
        Err(OpenError::NotBuilt(_)) => {
            return Err(SubscribeError::NoDecoder {
                track: track.to_owned(),
                codec: stream.codec.clone(),
                fallback,
            });
        }
        decoder => decoder?,
    };
    let in_use = CodecInUse {
        backend: decoder.caps().name.to_string(),
        codec: stream.codec.clone(),
        fallback,
    };
    Ok(OpenDecoder {
        decoder,
        in_use,
        is_platforms: false,
    })
}

/// What the catalog says of a stream that an encoder of this codec makes.
pub(crate) fn video_params(codec: &str, config: &VideoEncoderConfig) -> VideoParams {
    let params = VideoParams::av1(config.width, config.height);
    let codec = if codec == "av01" {
        params.codec
    } else {
        codec.to_owned()
    };
    let rate = config.frame_rate;
    VideoParams {
        codec,
        framerate: Some(f64::from(rate.frames()) / f64::from(rate.seconds())),
        bitrate: Some(u64::from(config.bitrate.as_bps())),
        ..params
    }
}
