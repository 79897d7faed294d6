//! Opens codecs by choice.

use crate::{
    AudioDecoder, AudioDecoderChoice, AudioDecoderConfig, AudioEncoder, AudioEncoderChoice,
    AudioEncoderConfig, OpenError, VideoDecoder, VideoDecoderChoice, VideoDecoderConfig,
    VideoEncoder, VideoEncoderChoice, VideoEncoderConfig,
};

/// Opens the video encoder of the config's choice; never another in its stead.
pub fn open_video_encoder(config: &VideoEncoderConfig) -> Result<Box<dyn VideoEncoder>, OpenError> {
    match config.choice {
        #[cfg(feature = "aom")]
        VideoEncoderChoice::Aom => Ok(Box::new(crate::aom::AomEncoder::open(config)?)),
        #[cfg(not(feature = "aom"))]
        VideoEncoderChoice::Aom => Err(OpenError::NotBuilt("aom")),
        #[cfg(feature = "rav1e")]
        VideoEncoderChoice::Rav1e => Ok(Box::new(crate::rav1e::Rav1eEncoder::open(config)?)),
        #[cfg(not(feature = "rav1e"))]
        VideoEncoderChoice::Rav1e => Err(OpenError::NotBuilt("rav1e")),
    }
}

/// Opens the video decoder of the config's choice.
pub fn open_video_decoder(config: &VideoDecoderConfig) -> Result<Box<dyn VideoDecoder>, OpenError> {
    match config.choice {
        #[cfg(feature = "dav1d")]
        VideoDecoderChoice::Dav1d => Ok(Box::new(crate::dav1d::Dav1dDecoder::open(config)?)),
        #[cfg(not(feature = "dav1d"))]
        VideoDecoderChoice::Dav1d => Err(OpenError::NotBuilt("dav1d")),
    }
}

/// Opens the audio encoder of the config's choice.
pub fn open_audio_encoder(config: &AudioEncoderConfig) -> Result<Box<dyn AudioEncoder>, OpenError> {
    match config.choice {
        #[cfg(feature = "opus")]
        AudioEncoderChoice::Opus => Ok(Box::new(crate::opus::OpusEncoder::open(config)?)),
        #[cfg(not(feature = "opus"))]
        AudioEncoderChoice::Opus => Err(OpenError::NotBuilt("opus")),
    }
}

/// Opens the audio decoder of the config's choice.
pub fn open_audio_decoder(config: &AudioDecoderConfig) -> Result<Box<dyn AudioDecoder>, OpenError> {
    match config.choice {
        #[cfg(feature = "opus")]
        AudioDecoderChoice::Opus => Ok(Box::new(crate::opus::OpusDecoder::open(config)?)),
        #[cfg(not(feature = "opus"))]
        AudioDecoderChoice::Opus => Err(OpenError::NotBuilt("opus")),
    }
}
